"""The ledger: every run of every batch, and each change of its state with when and why."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, delete, func, insert, literal, select, update

from tickerbook.errors import TakenOverError
from tickerbook.runs.ledger.database import Database
from tickerbook.runs.ledger.migrate import prepare
from tickerbook.runs.ledger.rows import Change, Outcome, outcome, utc
from tickerbook.runs.ledger.tables import BATCHES, CHANGES, LEASES, RUNNERS, RUNS, State
from tickerbook.store import RunResult

OPEN = ("queued", "leased", "running")  # states that a run does not stay in
_BEGUN = ("leased", "running")
_T = TypeVar("_T")


class Ledger:
    """Batches, their runs and how these came to stand. Several processes may write at once.

    Args:
        url: an SQLAlchemy URL, such as sqlite:///data/ledger.db.
        sleep: waits some seconds, while a server is away.

    Attributes:
        runner: who writes, as `leases.Runner` registered it; its writes are refused when another has taken
            over. None for what needs no such care.

    Raises:
        ConfigError: if the URL leads nowhere, or the ledger is of a newer version.
        TornFileError: if there is a file that is not a ledger, or a damaged one.
    """

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.database = Database(url, sleep)
        self.runner: int | None = None
        prepare(self.database)

    # --- writing ---

    def begin(self, started_at: datetime, runs: Iterable[tuple[str, str | None]] = ()) -> int:
        """Open a batch with its runs (notebook, ticker), which are queued then, and give its number."""
        wanted, at = list(runs), started_at.astimezone(UTC)

        def work(connection: Connection) -> int:
            mine = (BATCHES.c.runner == self.runner) & (BATCHES.c.state == "running")
            known = connection.execute(select(BATCHES.c.id).where(mine)).scalar()
            if known is not None and self.runner is not None:  # done before the connection was lost
                return int(known)
            row = {"started_at": at, "state": "running", "runner": self.runner}
            batch = _inserted(connection.execute(insert(BATCHES).values(row)))
            if wanted:
                rows = [_queued(batch, notebook, ticker, at) for notebook, ticker in wanted]
                connection.execute(insert(RUNS), rows)
                told = [RUNS.c.id, literal("queued"), literal(at, CHANGES.c.at.type), literal("")]
                chosen = select(*told).where(RUNS.c.batch == batch).order_by(RUNS.c.id)
                connection.execute(insert(CHANGES).from_select(["run", "state", "at", "why"], chosen))
            return batch

        return self.write(work)

    def change(self, run: int, state: State, at: datetime, why: str = "", **more: Any) -> None:
        """Let a run come to another state. Told twice, it is one change."""
        self.write(lambda connection: note(connection, run, state, at, why, more))

    def record(self, batch: int, result: RunResult, at: datetime | None = None) -> None:
        """Add what became of a run.

        Args:
            batch: its batch.
            result: as it is stored.
            at: when it came to that; default: at the end of its seconds.
        """
        ended = at or result.started_at + timedelta(seconds=result.seconds)
        state, why = _state(result), "" if result.failure is None else result.failure.message
        more = {
            "session": result.run.session,
            "key": result.run.key,
            "seconds": result.seconds,
            "started_at": result.started_at.astimezone(UTC),
            "failure": json.dumps(asdict(result.failure)) if result.failure else None,
        }

        def work(connection: Connection) -> None:
            run = _run(connection, batch, result.run.notebook, result.run.ticker, ended)
            note(connection, run, state, ended, why, more)

        self.write(work)

    def end(self, batch: int, ended_at: datetime, state: Literal["finished", "interrupted"]) -> None:
        """Close a batch; its runs that have not come to an end are interrupted."""
        self.write(
            lambda connection: end_batches(connection, BATCHES.c.id == batch, ended_at, state, "interrupted")
        )

    def write(self, work: Callable[[Connection], _T]) -> _T:
        """What `work` gives in one transaction, if nobody has taken over.

        Raises:
            TakenOverError: if somebody has.
        """

        def fenced(connection: Connection) -> _T:
            self.check_standing(connection)
            return work(connection)

        return self.database.write(fenced)

    def check_standing(self, connection: Connection) -> None:
        """Make sure that nobody takes over before the transaction ends.

        Raises:
            TakenOverError: if somebody has already.
        """
        if self.runner is None:
            return
        own = select(RUNNERS.c.id).where(RUNNERS.c.id == self.runner)
        if connection.execute(own.with_for_update(read=True, key_share=True)).scalar() is None:
            raise TakenOverError(
                "Another process took over while this one gave no sign of life.",
                "Nothing of it was overwritten. Run the same command again.",
            )

    # --- reading ---

    def last_batch(self) -> list[Outcome]:
        """Outcomes of the newest batch, in the order they were recorded; empty where nothing has run."""
        newest = select(func.max(BATCHES.c.id)).scalar_subquery()
        chosen = select(RUNS).where(RUNS.c.batch == newest, RUNS.c.started_at.is_not(None))
        last = select(func.max(CHANGES.c.id)).where(CHANGES.c.run == RUNS.c.id).scalar_subquery()
        with self.database.reading() as connection:
            return [outcome(row) for row in connection.execute(chosen.order_by(last)).mappings()]

    def runs_of(self, batch: int) -> dict[tuple[str, str | None], int]:
        """Notebook and ticker → the run's number, for each run of a batch."""
        chosen = select(RUNS.c.notebook, RUNS.c.ticker, RUNS.c.id).where(RUNS.c.batch == batch)
        rows = self.database.read(lambda connection: connection.execute(chosen).all())
        return {(row.notebook, row.ticker or None): row.id for row in rows}

    def page(
        self,
        size: int = 50,
        *,
        before: int | None = None,
        ticker: str | None = None,
        notebook: str | None = None,
        state: str | None = None,
    ) -> list[Outcome]:
        """The newest runs, newest first.

        Args:
            size: how many at most.
            before: only runs with smaller numbers: the smallest of a page leads to the next one.
            ticker: only this one's.
            notebook: only of this one.
            state: only those that stand so.
        """
        chosen = select(RUNS).order_by(RUNS.c.id.desc()).limit(size)
        given = {RUNS.c.ticker: ticker, RUNS.c.notebook: notebook, RUNS.c.state: state}
        chosen = chosen.where(*(column == value for column, value in given.items() if value is not None))
        if before is not None:
            chosen = chosen.where(RUNS.c.id < before)
        with self.database.reading() as connection:
            return [outcome(row) for row in connection.execute(chosen).mappings()]

    def find(self, key: str) -> list[Outcome]:
        """Every run whose key begins so, or whose number it is, oldest first."""
        same = RUNS.c.key.startswith(key, autoescape=True)
        if key.isdecimal() and len(key) < 10:  # noqa: PLR2004 - longer ones are no numbers but keys
            same = same | (RUNS.c.id == int(key))
        with self.database.reading() as connection:
            found = connection.execute(select(RUNS).where(same).order_by(RUNS.c.id)).mappings()
            return [outcome(row) for row in found]

    def changes(self, runs: Sequence[int]) -> list[Change]:
        """Every change of some runs, in the order they were told."""
        chosen = select(CHANGES.c.run, CHANGES.c.state, CHANGES.c.at, CHANGES.c.why)
        chosen = chosen.where(CHANGES.c.run.in_(runs)).order_by(CHANGES.c.id)
        with self.database.reading() as connection:
            rows = connection.execute(chosen).all()
        return [Change(row.run, row.state, utc(row.at), row.why) for row in rows]


def note(
    connection: Connection, run: int, state: str, at: datetime, why: str, more: Mapping[str, Any]
) -> None:
    """Add a change, and let the run be so; the same at the same instant is the same change."""
    instant = at.astimezone(UTC)
    there = (CHANGES.c.run == run) & (CHANGES.c.state == state) & (CHANGES.c.at == instant)
    if connection.execute(select(CHANGES.c.id).where(there)).scalar() is None:
        connection.execute(insert(CHANGES).values(run=run, state=state, at=instant, why=why))
    connection.execute(update(RUNS).where(RUNS.c.id == run).values(state=state, changed_at=instant, **more))


def give_up(connection: Connection, runner: int, at: datetime, why: str) -> None:
    """Let a runner be gone: it can write no more, what it held is free, what it ran is told as lost."""
    connection.execute(select(RUNNERS.c.id).where(RUNNERS.c.id == runner).with_for_update())
    held = select(LEASES.c.run).where(LEASES.c.runner == runner, LEASES.c.run.is_not(None))
    _close(connection, RUNS.c.id.in_(held) & RUNS.c.state.in_(_BEGUN), "lost", at, why)
    end_batches(connection, BATCHES.c.runner == runner, at, "interrupted", "lost", why)
    connection.execute(delete(LEASES).where(LEASES.c.runner == runner))
    connection.execute(delete(RUNNERS).where(RUNNERS.c.id == runner))


def end_batches(
    connection: Connection, which: Any, at: datetime, state: str, begun: State, why: str = "the batch ended"
) -> None:
    """Close open batches; their runs that had begun come to the state `begun`, others are interrupted."""
    running = which & (BATCHES.c.state == "running")
    mine = RUNS.c.batch.in_(select(BATCHES.c.id).where(running))
    _close(connection, mine & RUNS.c.state.in_(_BEGUN), begun, at, why)
    _close(connection, mine & (RUNS.c.state == "queued"), "interrupted", at, why)
    values = {"ended_at": at.astimezone(UTC), "state": state}
    connection.execute(update(BATCHES).where(running).values(values))


def _close(connection: Connection, which: Any, state: State, at: datetime, why: str) -> None:
    for run in connection.execute(select(RUNS.c.id).where(which)).scalars().all():
        note(connection, run, state, at, why, {})


def _queued(batch: int, notebook: str, ticker: str | None, at: datetime) -> dict[str, Any]:
    unknown = {"session": None, "key": "", "seconds": 0.0, "started_at": None, "failure": None}
    return {
        "batch": batch,
        "notebook": notebook,
        "ticker": ticker or "",
        "state": "queued",
        "changed_at": at.astimezone(UTC),
        **unknown,
    }


def _run(connection: Connection, batch: int, notebook: str, ticker: str | None, at: datetime) -> int:
    """The number of a run in its batch, which gets one where it has none."""
    same = (RUNS.c.batch == batch) & (RUNS.c.notebook == notebook) & (RUNS.c.ticker == (ticker or ""))
    known = connection.execute(select(RUNS.c.id).where(same)).scalar()
    if known is not None:
        return int(known)
    return _inserted(connection.execute(insert(RUNS).values(_queued(batch, notebook, ticker, at))))


def _inserted(result: Any) -> int:
    return int(result.inserted_primary_key[0])


def _state(result: RunResult) -> State:
    if result.reused:
        return "unchanged"
    interrupted = result.failure is not None and result.failure.kind == "interrupted"
    return "interrupted" if interrupted else result.status
