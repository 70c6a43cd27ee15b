"""Who runs what: a process registers, gives signs of life, and holds what it works on.

A runner's number is its fencing token. It is never given twice, and when others give a runner up its row is
gone for good: everything that a runner writes, in the ledger or the run store, happens in a transaction that
first finds that row. So a process that was paused, and went on after others had taken over, changes nothing.

Whether a runner is alive is seen, not computed: its count of beats must go on. Who waits measures that with
its own steady clock, so machines' clocks need not agree. A process of this machine that was killed is known
at once, by its folder (`runs.scratch`). Only what beat last more than a day ago is given up at first sight.
"""

import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tickerbook.errors import TakenOverError, TickerbookError
from tickerbook.runs.ledger.book import Ledger, give_up, note
from tickerbook.runs.ledger.rows import utc
from tickerbook.runs.ledger.tables import LEASES, RUNNERS
from tickerbook.runs.scratch import is_alive

BEAT = 5.0  # seconds between signs of life
SILENCE = 30.0  # seconds without one until a runner is given up
LONG_AGO = timedelta(days=1)  # nobody's clock is that wrong
POLL = 0.2  # seconds between looks at what another runner holds
HOST = platform.node()


class StoppedError(Exception):
    """Whoever waited is to wait no longer."""


class Runner:
    """A process that runs notebooks, as others see it in the ledger.

    Args:
        ledger: which then writes as this runner, when it has joined.
        folder: of this process, from `scratch.own_folder`.
        clock: the present instant, for people.
        ticks: seconds of a steady clock.
        wait: waits some seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        folder: Path,
        clock: Callable[[], datetime],
        ticks: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.ledger = ledger
        self.folder = folder
        self.clock = clock
        self._ticks = ticks
        self._wait = wait
        self._taking = threading.Lock()
        self._held: set[str] = set()
        self._looked = ticks()
        self._seen: dict[int, tuple[int, float]] = {}  # runner → its count of beats, and since when it is so

    def join(self) -> None:
        """Register."""
        row = {"host": HOST, "folder": str(self.folder), "beat": 0, "beaten_at": self._now()}

        def work(connection: Connection) -> int:
            made: Any = connection.execute(insert(RUNNERS).values(row)).inserted_primary_key
            return int(made[0])

        self.ledger.runner = self.ledger.database.write(work)

    def leave(self) -> None:
        """Give back what is held; a batch that is still open is interrupted."""
        self._give_up(self._id, "the runner ended")

    def beat(self) -> None:
        """Give a sign of life.

        Raises:
            TakenOverError: if it comes too late.
        """

        def work(connection: Connection) -> None:
            self.ledger.check_standing(connection)
            values = {"beat": RUNNERS.c.beat + 1, "beaten_at": self._now()}
            connection.execute(update(RUNNERS).where(RUNNERS.c.id == self._id).values(values))

        self.ledger.database.write(work, patient=False)  # the next beat tries again

    def sweep(self) -> None:
        """Give up the runners that are gone.

        Silence counts only while we look: after a server was away, all have the time to beat again.
        """
        rows = self.ledger.database.read(lambda connection: connection.execute(select(RUNNERS)).all())
        if self._ticks() - self._looked > SILENCE / 2:
            self._seen.clear()
        self._looked = self._ticks()
        for row in rows:
            why = "" if row.id == self.ledger.runner else self._gone(row)
            if why:
                self._give_up(row.id, why, beat=row.beat)

    @property
    def is_only_one(self) -> bool:
        """Whether no other runner is registered."""
        others = select(RUNNERS.c.id).where(RUNNERS.c.id != self.ledger.runner)
        return self.ledger.database.read(lambda connection: connection.execute(others).first()) is None

    def fence(self) -> AbstractContextManager[None]:
        """A block in which nobody can take over; to be as short as what it makes visible at once.

        Raises:
            TakenOverError: if somebody has already.
        """
        return self.ledger.database.holding(self.ledger.check_standing)

    @contextmanager
    def alone(
        self, name: str, run: int | None = None, stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[None]:
        """Hold a name, which one runner at a time can; wait for it where another does.

        Args:
            name: what is worked on, such as a run's key.
            run: the run it is for, which is leased then.
            stopped: whether to wait no longer.

        Raises:
            StoppedError: if that is so while it waits.
            TakenOverError: if others gave this runner up.
        """
        while not self._took(name, run):
            if stopped():
                raise StoppedError
            self.sweep()
            self._wait(POLL)
        try:
            yield
        finally:
            mine = (LEASES.c.name == name) & (LEASES.c.runner == self._id)
            self.ledger.database.write(lambda connection: connection.execute(delete(LEASES).where(mine)))
            self._held.discard(name)

    @property
    def _id(self) -> int:
        if self.ledger.runner is None:
            raise TakenOverError("This process has not joined the ledger.")
        return self.ledger.runner

    def _now(self) -> datetime:
        return self.clock().astimezone(UTC)

    def _took(self, name: str, run: int | None) -> bool:
        """Whether the name is this thread's now."""
        with self._taking:
            if name in self._held or not self._take(name, run):
                return False
            self._held.add(name)
            return True

    def _take(self, name: str, run: int | None) -> bool:
        """Whether the name is this process's now."""

        def work(connection: Connection) -> bool:
            self.ledger.check_standing(connection)
            holder = connection.execute(select(LEASES.c.runner).where(LEASES.c.name == name)).scalar()
            if holder is not None:
                return bool(holder == self._id)  # taken just before the connection was lost
            connection.execute(insert(LEASES).values(name=name, runner=self._id, run=run))
            if run is not None:
                note(
                    connection, run, "leased", self.clock(), f"by runner {self._id} on {HOST}", {"key": name}
                )
            return True

        try:
            return self.ledger.database.write(work)
        except TickerbookError as error:
            if isinstance(error.__cause__, IntegrityError):  # a server: another took it at the same moment
                return False
            raise

    def _gone(self, row: Any) -> str:
        """Why a runner is given up; empty where it is not."""
        beat, since = self._seen.get(row.id, (None, 0.0))
        if beat != row.beat:
            self._seen[row.id] = (row.beat, self._ticks())
        elif self._ticks() - since >= SILENCE:
            return f"runner {row.id} on {row.host} gave no sign of life for {SILENCE:.0f} seconds"
        if row.host == HOST:
            return "" if is_alive(Path(row.folder)) else f"runner {row.id} was killed"
        if self._now() - utc(row.beaten_at) > LONG_AGO:
            return f"runner {row.id} on {row.host} gave no sign of life for more than a day"
        return ""

    def _give_up(self, runner: int, why: str, beat: int | None = None) -> None:
        """Give a runner up, unless it has beaten since it had that count."""

        def work(connection: Connection) -> None:
            row = connection.execute(select(RUNNERS).where(RUNNERS.c.id == runner).with_for_update()).first()
            if row is not None and beat in {None, row.beat}:
                give_up(connection, runner, self._now(), why)

        self.ledger.database.write(work)


@contextmanager
def open_runner(ledger: Ledger, folder: Path, clock: Callable[[], datetime]) -> Iterator[Runner]:
    """A runner that gives signs of life until the block ends, in a thread of its own.

    The runs of those that were killed before are told as interrupted or lost first.
    """
    runner = Runner(ledger, folder, clock)
    runner.sweep()
    runner.join()
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(runner, ended), name="tickerbook-beat", daemon=True)
    beating.start()
    try:
        yield runner
    finally:
        ended.set()
        beating.join()
        runner.leave()


def _beat(runner: Runner, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        try:
            runner.beat()
            runner.sweep()
        except TakenOverError:  # whatever it writes next says so
            return
        except TickerbookError:  # a disk that is full, a server that is away: the next beat tries again
            continue
