"""Many machines: a batch on a real Dask cluster, of which a worker may be lost."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from books import book, publishing

from tickerbook.errors import ConfigError

TICKERS = ("AAPL", "MSFT", "GOOG", "IBM")
LEFT = """
import os, pathlib, signal
first = pathlib.Path(f"../{ticker}.began")
if ticker == "AAPL" and not first.exists():
    first.touch()
    os.kill(int(os.environ["JPY_PARENT_PID"]), signal.SIGKILL)
    signal.pause()
with open("../executed.jsonl", "a") as file:
    file.write(ticker + "\\n")
"""
QUIET = {"DASK_DISTRIBUTED__DASHBOARD__LINK": "", "DASK_LOGGING__DISTRIBUTED": "error"}


@contextmanager
def process(*command):
    """A program, which is gone at the end with all it started."""
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **QUIET},
    ) as started:
        try:
            yield started
        finally:
            os.killpg(started.pid, signal.SIGKILL)


@pytest.fixture
def cluster(tmp_path):
    """Address of a scheduler with two workers, each a process of its own."""
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    from distributed import Client  # noqa: PLC0415 - an extra

    where = tmp_path / "scheduler.json"
    with ExitStack() as programs:
        options = ("--scheduler-file", str(where))
        scheduler = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        programs.enter_context(process(*scheduler, *options))
        for name in ("one", "two"):
            settings = (
                "--nthreads",
                "1",
                "--no-dashboard",
                "--name",
                name,
                "--local-directory",
                str(tmp_path / name),
            )
            programs.enter_context(process("distributed.cli.dask_worker", *options, *settings))
        with Client(scheduler_file=str(where), timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address.removeprefix("tcp://")
        yield f"dask://{address}"


def test_a_lost_worker_loses_nothing(make_desk, cluster):
    """Its work is done by another; each notebook has one result, and one that was stored once."""
    desk = make_desk(*TICKERS)
    book(desk.project, "levels", LEFT, publishing("levels.value", "float(len(ticker))"))
    book(
        desk.project, "market", publishing("market.value", "len(tickers)"), over="universe", needs=("levels",)
    )
    results = desk.run(executor=cluster)
    assert {node: r.status for node, r in results.items()} == dict.fromkeys(results, "ok")
    assert results["market", None].facts["market.value"].value == len(TICKERS)
    executed = (desk.project / "executed.jsonl").read_text(encoding="utf-8").split()
    assert sorted(executed) == sorted(TICKERS)
    for result in results.values():
        assert replace(desk.store.get(result.run.key), reused=result.reused) == result
        json.loads(desk.store.notebook(result))


@pytest.mark.parametrize("name", ["dusk://x:1", "localhost", ""])
def test_an_unknown_executor_is_refused(desk, name):
    """The error says what there is."""
    with pytest.raises(ConfigError, match="no executor") as told:
        desk.run(executor=name)
    assert "dask://HOST:PORT" in told.value.remedy


def test_a_scheduler_that_is_not_there_is_told(desk, monkeypatch):
    """Before anything runs."""
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    monkeypatch.setattr("tickerbook.runs.hands._REACHING", 0.1)
    with pytest.raises(ConfigError, match="No Dask scheduler answers"):
        desk.run(executor="dask://127.0.0.1:1")
