"""How fast the ledger is: `python tests/benchmarks/ledger.py [URL]`, by default on an SQLite file of its own.

Changes of state per second from eight processes at once (at least 200, and none of them told "locked"), and
how long pages of a ledger with 100,000 runs take (at most 0.2 s each).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

from sqlalchemy import func, insert, select

from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger.tables import CHANGES, RUNS

AT = datetime(2024, 1, 12, 22, 0, tzinfo=UTC)
STATES = ("leased", "running", "ok", "failed")
PROCESSES = 8


def changes(url: str, number: int, count: int) -> tuple[float, float]:
    """Make changes as one process does; when it began and ended."""
    ledger = Ledger(url)
    batch = ledger.begin(AT, [(f"notebook{n}", f"P{number}") for n in range(count // len(STATES))])
    runs = list(ledger.runs_of(batch).values())
    began = time.time()
    for position, state in enumerate(STATES):
        for run in runs:
            ledger.change(run, state, AT + timedelta(seconds=position))
    return began, time.time()


def transitions(url: str, count: int) -> float:
    """Changes per second while eight processes make `count` of them each."""
    Ledger(url)
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        spans = list(pool.map(changes, [url] * PROCESSES, range(PROCESSES), [count] * PROCESSES))
    return PROCESSES * count / (max(end for _, end in spans) - min(begin for begin, _ in spans))


def fill(url: str, count: int) -> Ledger:
    """A ledger of that many runs."""
    ledger = Ledger(url)
    rows, told = [], []
    tickers = [f"T{n:03d}" for n in range(500)]
    for number in range(count):
        state = ("ok", "unchanged", "unchanged", "failed" if number % 1000 == 3 else "unchanged")[number % 4]
        row = {
            "batch": 1 + number // 1500,
            "ticker": tickers[number % 500],
            "notebook": f"notebook{number // 500 % 3}",
            "session": AT.date(),
            "key": f"{number:064x}",
            "state": state,
            "changed_at": AT,
            "started_at": AT,
            "seconds": 1.0,
            "failure": None,
        }
        rows.append(row)
    for _ in range(1 + count // 1500):
        ledger.end(ledger.begin(AT), AT, "finished")

    def work(connection) -> None:
        connection.execute(insert(RUNS), rows)
        first = connection.execute(select(func.max(RUNS.c.id))).scalar() - count + 1
        for state in ("queued", "ok"):
            told.extend({"run": n + first, "state": state, "at": AT, "why": ""} for n in range(count))
        connection.execute(insert(CHANGES), told)

    ledger.database.write(work)
    return ledger


def slowest_page(ledger: Ledger, times: int = 5) -> dict[str, float]:
    """Page → median seconds."""
    middle = ledger.page(1)[0].id // 2
    pages = {
        "newest": ledger.page,
        "from the middle": lambda: ledger.page(before=middle),
        "oldest": lambda: ledger.page(before=60),
        "a ticker": lambda: ledger.page(ticker="T250"),
        "a notebook": lambda: ledger.page(notebook="notebook1"),
        "failed": lambda: ledger.page(state="failed"),
        "a notebook that never failed": lambda: ledger.page(notebook="none", state="ok"),
        "a key": lambda: ledger.find(f"{77:064x}"[:62]),
    }
    return {name: statistics.median(_seconds(page) for _ in range(times)) for name, page in pages.items()}


def _seconds(page: Callable[[], object]) -> float:
    began = time.perf_counter()
    page()
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", help="of an empty ledger")
    with tempfile.TemporaryDirectory() as folder:
        url = parser.parse_args().url or f"sqlite:///{folder}/ledger.db"
        print(f"{transitions(url, 500):,.0f} changes a second from {PROCESSES} processes")  # noqa: T201 - its purpose
        url = parser.parse_args().url or f"sqlite:///{folder}/large.db"
        for name, seconds in slowest_page(fill(url, 100_000)).items():
            print(f"{1000 * seconds:6.1f} ms  a page of 100,000 runs: {name}")  # noqa: T201 - its purpose
