"""Kills fetches at random points, and looks each time at what they leave behind.

    python killing.py FOLDER POINTS [SEED]

Half of them are killed right before a random change of the disk (files made, written to, renamed, removed: whatever
Python's audit events tell), half after a random time. Each fetch is of a later day than the one before, on the
lake, quotas and ledger that the killed ones left. The parent only forks: it never reads or writes prices itself.
"""

import os
import random
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import fetching
import numpy as np

from tickerbook.errors import NoBarsError
from tickerbook.market.lake import Lake
from tickerbook.market.quarantine import Quarantine

TICKERS = 6
DAYS = [5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23, 26, 27, 28, 29, 30]
CHANGES = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.truncate",
    "sqlite3.connect",
    "fcntl.flock",
}
LONGEST = 60.0


class Counter:
    """Counts changes of the disk in this process, and kills it right before one of them."""

    def __init__(self, limit: int | None) -> None:
        self.seen, self.limit = 0, limit
        sys.addaudithook(self.hook)

    def hook(self, event: str, given: tuple) -> None:
        writes = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in CHANGES:
            self.seen += 1
            if self.seen == self.limit:
                os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[], None], output: Path, kill_after: float = LONGEST) -> int:
    """The signal or exit code that ends a child; what it printed is in a file."""
    child = os.fork()
    if child == 0:
        sys.stdout = sys.stderr = output.open("w", encoding="utf-8")
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the child must end here, whatever happened
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, max(kill_after, 0.001))
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return os.waitstatus_to_exitcode(status)


def reported(output: Path) -> set[str]:
    """The tickers that a fetch said were done."""
    return {
        line.split()[1] for line in output.read_text(encoding="utf-8").splitlines() if line.startswith("ok ")
    }


def check(place: Path, day: int, done: set[str], ever: set[str], requests: int) -> None:
    """Everything that is there is whole; what was reported done is done; requests were counted before they were made.

    Raises:
        AssertionError: if not.
    """
    lake = Lake(place / "data" / "lake")
    for symbol in (f"T{number}" for number in range(TICKERS)):
        try:
            stored = lake.read(symbol).frame
        except NoBarsError:
            assert symbol not in ever, f"{symbol} is lost"
            continue
        whole = [fetching.truth(symbol, known) for known in DAYS if known <= day]
        same = [len(one) == len(stored) and np.allclose(one, stored) for one in whole]
        assert any(same), f"{symbol} is in pieces"
        assert same[-1] or symbol not in done, f"{symbol} was reported done and is not"
    assert not list((place / "data" / "lake").rglob("*.torn"))
    assert Quarantine(place / "data" / "quarantine").all() == {}
    for name, table in (("limits.db", "requests"), ("ledger.db", "market_asks")):
        path = place / "data" / name
        if not path.exists():  # the ledger is written when all is fetched
            assert table != "requests" or not requests
            continue
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            tables = {told for (told,) in db.execute("SELECT name FROM sqlite_master")}
            if table == "requests" and requests:
                assert table in tables
                assert db.execute("SELECT COUNT(*) FROM requests").fetchone()[0] >= requests


def lines(path: Path) -> int:
    """How many there are."""
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


class Ground:
    """Where fetches are killed.

    A new lake is begun every twenty points, as there are twenty days.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.chance = random.Random(seed)  # noqa: S311 - not a secret
        self.output = folder / "output"
        self.place, self.ever, self.before = folder / "whole", set[str](), 0
        self.place.mkdir()
        began = time.perf_counter()
        assert forked(lambda: self.fetch(DAYS[0], None), self.output) == 0
        self.seconds = time.perf_counter() - began
        self.changes = int((folder / "changes").read_text(encoding="utf-8"))

    def fetch(self, day: int, limit: int | None) -> None:
        """In a child: fetch, then write down how many changes of the disk that took."""
        counter = Counter(limit)
        fetching.main(self.place, day, TICKERS, 1000)
        (self.folder / "changes").write_text(str(counter.seen), encoding="utf-8")

    def point(self, number: int) -> bool:
        """Whether this fetch was killed; it left everything whole."""
        day = DAYS[number % len(DAYS)]
        if day == DAYS[0]:
            self.place, self.ever, self.before = self.folder / str(number), set(), 0
            self.place.mkdir()
        timed = number % 2 == 1
        limit = None if timed else self.chance.randint(1, self.changes)
        seconds = self.chance.uniform(0, self.seconds) if timed else LONGEST
        code = forked(lambda: self.fetch(day, limit), self.output, seconds)
        assert code in {0, -signal.SIGKILL}, self.output.read_text(encoding="utf-8")
        done = reported(self.output)
        self.ever |= done
        requests = lines(self.place / "asked") - self.before
        checked = self.folder / "checked"
        outcome = forked(lambda: check(self.place, day, done, self.ever, requests), checked)
        assert outcome == 0, f"point {number} of seed {self.seed}: {checked.read_text(encoding='utf-8')}"
        self.before = lines(self.place / "asked")
        return code != 0

    def last(self) -> None:
        """A fetch that is not killed does what is left to do, on what the killed ones left."""
        assert forked(lambda: self.fetch(DAYS[-1], None), self.output) == 0
        assert reported(self.output) == {f"T{number}" for number in range(TICKERS)}


def main(folder: Path, points: int, seed: int = 1) -> None:
    """Kill so many fetches."""
    ground = Ground(folder, seed)
    killed = sum(ground.point(number) for number in range(points))
    ground.last()
    where = f"{killed} killed among {ground.changes} changes of the disk in {ground.seconds:.1f} s"
    sys.stdout.write(f"{points} points, {where}: everything whole each time\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(text) for text in sys.argv[2:]))
