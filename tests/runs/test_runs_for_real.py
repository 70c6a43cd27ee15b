"""Whole batches on real kernels: a good one, one that is interrupted, one that is killed."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from books import book, publishing
from filelock import FileLock

from tickerbook.runs.ledger import Ledger

RUNNER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tickerbook.runs import inputs
from tickerbook.runs.key import Library
from tickerbook.runs.runner import run_all
from tickerbook.settings import load_settings
inputs.read_library = lambda: Library({})
settings = load_settings(Path(sys.argv[1]))
run_all(settings, [t.symbol for t in settings.tickers], clock=lambda: datetime.now(UTC))
"""
# Locks are held as long as a process lives, and so tell when it has gone.
HOLDING = """
import fcntl, os, signal, subprocess, sys, time
held = open(f"../{ticker}.lock", "w")
fcntl.flock(held, fcntl.LOCK_EX)
"""
HAVING_A_CHILD = """
code = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); "
code += "time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code, f"../{ticker}.child.lock"], stdout=subprocess.PIPE)
child.stdout.readline()
"""
HITTING = """
if ticker == "AAPL":
    os.kill(int(os.environ["JPY_PARENT_PID"]), signal.{})
while True:
    time.sleep(1)
"""


@pytest.mark.usefixtures("library_at_rest")
def test_a_batch_of_real_notebooks(desk):
    """Facts travel from notebook to notebook and to the universe, each kernel with its parameters."""
    book(desk.project, "levels", publishing("levels.value", "float(len(ticker)) + n"))
    loading = "from tickerbook.store import load_facts\n"
    of_levels = loading + "value = load_facts('levels', ticker, session).value('levels.value')"
    book(desk.project, "sizing", of_levels, publishing("sizing.value", "value * 2"), needs=("levels",))
    of_all = loading + "value = sum(load_facts('sizing', t, session).value('sizing.value') for t in tickers)"
    book(desk.project, "market", of_all, publishing("all.value", "value"), over="universe", needs=("sizing",))
    results = desk.run(overrides={"levels": {"n": 10}})
    assert {r.failure for r in results.values()} == {None}
    assert results["sizing", "MSFT"].facts["sizing.value"].value == 28.0
    assert results["market", None].facts["all.value"].value == 56.0
    assert results["market", None].facts["all.value"].notebook == "market"
    assert all(r.reused for r in desk.run(overrides={"levels": {"n": 10}}).values())


def hit(desk, *code):
    """Run a batch in a process of its own that one of its kernels hits with a signal."""
    book(desk.project, "levels")
    book(desk.project, "sizing", *code, needs=("levels",))
    (desk.project / "tmp").mkdir()
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", RUNNER, str(desk.project)],
        env=os.environ | {"TMPDIR": str(desk.project / "tmp")},  # what a killed runner leaves there is ours
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_an_interrupted_batch_leaves_no_kernel(desk, kernels):
    """Ctrl-C: kernels and what they started are gone, outcomes are recorded, the next run does the rest."""
    ended = hit(desk, HOLDING, HAVING_A_CHILD, HITTING.format("SIGINT"))
    assert ended.returncode == -signal.SIGINT, ended.stderr
    for name in ("AAPL.lock", "AAPL.child.lock"):
        FileLock(desk.project / name).acquire(timeout=5).lock.release()
    outcomes = {(r.notebook, r.ticker): r for r in Ledger(desk.settings.ledger).last_batch()}
    assert outcomes["levels", "AAPL"].status == "ok"
    assert outcomes["sizing", "AAPL"].failure.kind == "interrupted"
    assert desk.store.latest("sizing", "AAPL") is None
    assert desk.run()["sizing", "AAPL"].status == "ok"
    assert kernels.names.count(("sizing", "AAPL")) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_killed_batch_is_recovered_by_the_next(desk, kernels):
    """kill -9: kernels end by themselves, finished runs are kept, nothing has to be cleaned up by hand."""
    assert hit(desk, HOLDING, HITTING.format("SIGKILL")).returncode == -signal.SIGKILL
    FileLock(desk.project / "AAPL.lock").acquire(timeout=30).lock.release()
    assert desk.store.latest("levels", "AAPL").status == "ok"
    assert {r.status for r in desk.run().values()} == {"ok"}
    assert kernels.names.count(("sizing", "AAPL")) == 1
    with sqlite3.connect(desk.project / "data" / "ledger.db") as ledger:
        states = ledger.execute("select state from batches order by id").fetchall()
    ledger.close()
    assert states == [("interrupted",), ("finished",)]
