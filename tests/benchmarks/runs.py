"""How fast runs are, as ratios measured in one run.

    python tests/benchmarks/runs.py            50 tickers
    python tests/benchmarks/runs.py --tickers 10

The baseline is plain papermill, a process a notebook, two at a time, byte-compiled and with warm caches. Its notebook
has five cells: it loads a ticker's prices, tests 55 moving-average pairs with vectorbt, draws one figure and publishes
three facts. Ours is the same notebook through the runner, with two workers. What plain papermill costs a notebook is
measured on as many tickers as there are, but at most 8: it takes seconds each.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import nbformat
import psutil
from jupyter_client.manager import KernelManager

from tickerbook.market.lake import Origin, project_lake
from tickerbook.market.providers import provider
from tickerbook.runs.kernels import KERNEL
from tickerbook.runs.runner import run_all
from tickerbook.settings import Ticker, load_settings

PLAIN_TICKERS = 8
NOW = datetime(2013, 3, 2, tzinfo=UTC)
FRONT = "---\ntitle: Sweep\ntickerbook: {over: ticker, needs: []}\n---"
PARAMETERS = 'ticker = "T0"  # symbol\nsession = ""  # newest session to use'
CELLS = (
    "import numpy as np\nimport plotly.graph_objects as go\nimport vectorbt as vbt\nimport tickerbook as tb",
    'bars = tb.load_bars(ticker, until=session, sessions=1000)\nclose = bars.frame["close"]',
    """
import itertools
import pandas as pd
pairs = list(itertools.combinations(range(10, 120, 10), 2))
means = {n: close.rolling(n).mean() for n in range(10, 120, 10)}
held = pd.concat({pair: (means[pair[0]] > means[pair[1]]) for pair in pairs}, axis=1)
entries, exits = held & ~held.shift(fill_value=False), ~held & held.shift(fill_value=False)
portfolio = vbt.Portfolio.from_signals(close, entries, exits, fees=0.001, freq="1D", engine="rust")
returns = portfolio.total_return()
""",
    "go.Figure(go.Scatter(x=close.index, y=close, name=ticker))",
    """
tb.publish(tb.Facts([
    tb.Fact("sweep.best", float(returns.max()), "best", unit="fraction"),
    tb.Fact("sweep.median", float(returns.median()), "median", unit="fraction"),
    tb.Fact("sweep.pairs", len(pairs), "pairs"),
]))
""",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickers", type=int, default=50)
    tickers = parser.parse_args().tickers
    with tempfile.TemporaryDirectory() as folder:
        project = filled(Path(folder), tickers)
        os.environ["TICKERBOOK_PROJECT"] = str(project)
        plain = plain_seconds(project, min(tickers, PLAIN_TICKERS))
        bare = bare_seconds(project)
        first, rest = run_seconds(project, tickers)
        again = unchanged_seconds(project)
        ready, private = kernels(Path(folder))
    for line in (
        f"plain papermill, two processes        {plain:8.2f} s a notebook",
        f"ours, two workers, warm-up included   {first:8.2f} s a notebook   {plain / first:6.1f} ×",
        f"ours, two workers, warm-up left out   {rest:8.2f} s a notebook   {plain / rest:6.1f} ×",
        f"the bare computation, one, halved      {bare:8.2f} s a notebook   ours takes {rest / bare:.1f} × as long",
        f"the same again, unchanged             {again:8.2f} s for {tickers} notebooks, no kernel started",
        f"a kernel is ready after               {ready:8.2f} s, median",
        f"its private memory                    {private / 2**20:8.0f} MB",
    ):
        sys.stdout.write(f"{line}\n")


def filled(folder: Path, tickers: int) -> Path:
    """A project with this many tickers, each with the sample's Apple."""
    for name in ("params", "notebooks"):
        (folder / name).mkdir()
    listed = ", ".join(f'"T{n}"' for n in range(tickers))
    (folder / "params" / "universe.toml").write_text(
        f'title = "Benchmark"\nproviders = ["sample"]\ntickers = [{listed}]\n', encoding="utf-8"
    )
    cells = [nbformat.v4.new_raw_cell(FRONT), nbformat.v4.new_markdown_cell("How fast?")]
    cells.append(nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}))
    cells += [nbformat.v4.new_code_cell(source.strip()) for source in CELLS]
    metadata = {"kernelspec": {"name": KERNEL, "display_name": KERNEL, "language": "python"}}
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "notebooks" / "sweep.ipynb"
    )
    fill_lake(folder, tickers)
    return folder


def fill_lake(folder: Path, tickers: int) -> None:
    """The same prices under each name."""
    settings = load_settings(folder)
    apple = Ticker(symbol="AAPL", name="", providers=("sample",), calendar="XNYS", currency="USD")
    told = asyncio.run(provider("sample").history(apple, date(2000, 1, 1), NOW.date()))
    lake = project_lake(settings)
    for n in range(tickers):
        lake.write(f"T{n}", told.frame, Origin("sample", "Apple under many names", NOW, "XNYS", "USD"))


def plain_seconds(project: Path, tickers: int) -> float:
    """Plain papermill: seconds a notebook, two processes at a time, after one to warm the caches."""

    command = (sys.executable, "-m", "papermill", "--no-progress-bar", "-k", "python3")

    def once(n: int) -> None:
        subprocess.run(
            [*command, "-r", "ticker", f"T{n}", "sweep.ipynb", str(project / f"plain-{n}.ipynb")],
            check=True,
            capture_output=True,
            cwd=project / "notebooks",
        )

    once(0)
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(once, range(tickers)))
    return (time.perf_counter() - began) / tickers


def bare_seconds(project: Path) -> float:
    """The notebook's code alone, in a process that has imported everything; half, as two would share the work."""
    code = "\n".join((*CELLS[:3], "import time\nbegan = time.perf_counter()\nfor _ in range(5):"))
    body = "\n".join(f"    {line}" for cell in CELLS[1:4] for line in cell.strip().splitlines())
    script = f'ticker, session = "T0", ""\n{code}\n{body}\nprint((time.perf_counter() - began) / 5)'
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=project
    )
    return float(done.stdout.splitlines()[-1]) / 2


def run_seconds(project: Path, tickers: int) -> tuple[float, float]:
    """Our runner: seconds a notebook with the first kernels' warm-up, and without."""
    settings = load_settings(project)
    ended: list[float] = []
    began = time.perf_counter()
    results = run_all(
        settings,
        [ticker.symbol for ticker in settings.tickers],
        clock=lambda: NOW,
        on_event=lambda event: ended.append(time.perf_counter()) if event.result else None,
    )
    if any(result.status != "ok" for result in results):
        sys.exit(f"a run failed: {next(r.failure for r in results if r.failure)}")
    rest = (ended[-1] - ended[1]) / (tickers - 2)
    return (ended[-1] - began) / tickers, rest


def unchanged_seconds(project: Path) -> float:
    """The same again: every stored run stands."""
    settings = load_settings(project)
    began = time.perf_counter()
    results = run_all(settings, [ticker.symbol for ticker in settings.tickers], clock=lambda: NOW)
    if not all(result.reused for result in results):
        sys.exit("something was executed again")
    return time.perf_counter() - began


def kernels(folder: Path, rounds: int = 10) -> tuple[float, float]:
    """Seconds until a kernel answers, once the first has started; and private bytes of one that has imported all."""
    taken, private = [], 0.0
    for n in range(rounds):
        manager = KernelManager(
            kernel_name=KERNEL, transport="ipc", connection_file=str(folder / f"k{n}.json")
        )
        began = time.perf_counter()
        manager.start_kernel()
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        taken.append(time.perf_counter() - began)
        client.execute("\n".join(CELLS[:1]), reply=True, timeout=60)
        private = float(psutil.Process(manager.provisioner.pid).memory_full_info().uss)
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return statistics.median(taken), private


if __name__ == "__main__":
    main()
