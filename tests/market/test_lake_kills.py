"""Many at once, and killed at any moment: the lake is whole, and complete up to the last finished ticker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tickerbook.files import slug
from tickerbook.market.lake import Lake

ROUNDS = int(os.environ.get("TICKERBOOK_KILLS") or 12)  # the whole test of the lake's promise: 200
KILLED = Path(__file__).with_name("lake_killed.py")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system neither forks nor kills with SIGKILL")
def test_a_killed_writer_loses_nothing_that_was_finished(tmp_path):
    """TICKERBOOK_KILLS=200 kills at so many random moments; nothing is left behind in the end."""
    done = subprocess.run(
        [sys.executable, KILLED, tmp_path, str(ROUNDS), "7"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert len(said["finished"]) == ROUNDS
    assert len(set(said["finished"])) > 1  # else it was killed before it began, or after it ended, each time
    assert said["left"] == sorted(f"{slug(ticker)}.parquet" for ticker in ("AAPL", "BRK.B", "CON", "^GSPC"))


BUSY = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
import pandas as pd
from tickerbook.market.lake import Lake, Origin
from tickerbook.market.query import ask
from tickerbook.market.raw import RAW
root, role, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
lake = Lake(root if "://" in root else Path(root))
days = pd.bdate_range("2012-03-05", periods=61, name="session").as_unit("ns")
told = Origin("fake", "fake", datetime(2012, 6, 1, tzinfo=UTC), "XNYS", "USD")
for turn in range(20):
    if role == "write":
        mine = pd.DataFrame(float(number), days[[3 * turn + number, 60]], list(RAW))
        mine.iloc[-1] = 99.0
        lake.write("AAPL", mine, told)
    else:
        closes = lake.bars("AAPL", adjustment="none").frame["close"]
        assert closes.iloc[-1] == 99.0, closes
        answer = ask(lake, "select count(*) as n, max(close) as high from traded").iloc[0]
        assert answer["n"] >= len(closes) and answer["high"] == 99.0, (answer, closes)
"""


def test_several_writers_and_readers_in_processes_of_their_own(tmp_path, raw, origin):
    """Three add twenty sessions each to one ticker while two read: all sixty are there, no answer was torn."""
    lake = Lake(tmp_path)
    lake.write("AAPL", raw({pd.bdate_range("2012-03-05", periods=61)[-1]: 99.0}), origin())
    jobs = [("write", 0), ("write", 1), ("write", 2), ("read", 0), ("read", 1)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, tmp_path, role, str(n)], stderr=subprocess.PIPE, text=True
        )
        for role, n in jobs
    ]
    for process in running:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said[-2000:]
    closes = lake.read("AAPL").frame["close"].tolist()
    assert closes == [float(n % 3) for n in range(60)] + [99.0]
