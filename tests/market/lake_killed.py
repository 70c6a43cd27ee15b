"""A writer that is killed, again and again: started by test_lake_kills.py in a process of its own.

    python lake_killed.py FOLDER ROUNDS SEED

Each round a child writes the next session of every ticker, and is killed with SIGKILL at a random moment. Then
all that it had finished must be there, the ticker it was at must be as before or finished, the others as
before, and everything must be readable. The next round starts from what the last one left. Prints as JSON how
many tickers the children had finished when they were killed.
"""

import json
import os
import random
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from tickerbook.errors import NoBarsError
from tickerbook.market.lake import Lake, Origin
from tickerbook.market.query import ask
from tickerbook.market.raw import RAW

TICKERS = ["AAPL", "BRK.B", "CON", "^GSPC"]
START = datetime(2012, 3, 5, 22, tzinfo=UTC)
HISTORY = 500  # sessions that are there from the beginning
DAYS = pd.bdate_range("2004-01-01", periods=5000, name="session").as_unit("ns")


def frame(sessions: int) -> pd.DataFrame:
    """The history that a vendor tells after so many sessions: the last ten are told otherwise each time."""
    rows = pd.DataFrame({name: range(1, sessions + 1) for name in RAW}, DAYS[:sessions], dtype="float64")
    rows.iloc[-10:] += sessions / 7
    return rows


def write(lake: Lake, sessions: int, done: int) -> None:
    """Tell every ticker's history up to a session; say after each that it is stored."""
    told = Origin("fake", "fake", START + timedelta(days=sessions), "XNYS", "USD")
    for ticker in TICKERS:
        lake.write(ticker, frame(sessions), told)
        os.write(done, b".")


def killed(lake: Lake, sessions: int, tickers: int, pause: float) -> int:
    """Start a writer, kill it some seconds after it has finished so many tickers; how many they were in the end."""
    said, done = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(said)
        write(lake, sessions, done)
        os._exit(0)
    os.close(done)
    with os.fdopen(said, "rb", buffering=0) as finished:
        for _ in range(tickers):  # so that moments are spread however busy the machine is
            finished.read(1)
        time.sleep(pause)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return tickers + len(finished.readall())


def length(lake: Lake, ticker: str) -> int:
    """How many sessions of a ticker are stored; they must be as they were told."""
    try:
        stored = lake.read(ticker)
    except NoBarsError:
        return 0
    pd.testing.assert_frame_equal(stored.frame, frame(len(stored.frame)), check_freq=False)
    return len(stored.frame)


def main(root: str, rounds: int, seed: int) -> None:
    """Write and kill."""
    lake, dice = Lake(Path(root)), random.Random(seed)  # noqa: S311 - dice for moments, not for keys
    ends, done = os.pipe()
    started = time.perf_counter()
    write(lake, HISTORY, done)
    usual = (time.perf_counter() - started) / len(TICKERS)
    stored, finished = dict.fromkeys(TICKERS, HISTORY), []
    for sessions in range(HISTORY + 1, HISTORY + 1 + rounds):
        finished.append(killed(lake, sessions, dice.randrange(len(TICKERS)), dice.uniform(0, 1.5 * usual)))
        found = {ticker: length(lake, ticker) for ticker in TICKERS}
        for number, ticker in enumerate(TICKERS):
            expected = {sessions} if number < finished[-1] else {stored[ticker]}
            if number == finished[-1]:
                expected.add(sessions)
            if found[ticker] not in expected:
                sys.exit(
                    f"{ticker} has {found[ticker]} sessions, not {expected}, after {finished[-1]} were done"
                )
        stored = found
    answer = ask(lake, "select ticker, count(*) as n from bars group by ticker")
    if dict(zip(answer["ticker"], answer["n"], strict=True)) != stored:
        sys.exit(f"in SQL there are {answer}, not {stored}")
    write(lake, HISTORY + 1 + rounds, done)
    left = sorted(path.name for path in Path(root).rglob("*") if path.is_file() and path.suffix != ".lock")
    os.close(ends)
    sys.stdout.write(json.dumps({"finished": finished, "left": left}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
