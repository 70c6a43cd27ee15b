"""How fast the lake is, as ratios measured in one run.

    python tests/benchmarks/lake.py              prints the table
    python tests/benchmarks/lake.py --write      also puts it into docs/lake.md

Fills a lake with 250 tickers and 8 years of ../shared/bars/sp500_daily (or TICKERBOOK_SHARED), then times what is
compared in turn, round after round, so that a busy machine is busy for both; medians. Ends with 1 where a promise
is not kept.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from tickerbook.market import query
from tickerbook.market.lake import Lake, Origin, load_bars
from tickerbook.market.query import ask
from tickerbook.market.raw import RAW, undo_splits

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("TICKERBOOK_SHARED") or ROOT.parent / "shared")
PAGE = ROOT / "docs" / "lake.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TICKERS = 250
LOADED = 10  # tickers whose bars are loaded in each round
ROUNDS = {"bars": 40, "closes": 12}
UNIVERSE = 'title = "Benchmark"\nproviders = ["files"]\ntickers = ["A"]\n'
CLOSES = "select ticker, avg(close) as close from {} group by ticker"
Timed = dict[str, float]


def main() -> None:
    """Fill, measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/lake.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lake, rows = filled(Path(folder))
        lines, kept = measured(lake, rows)
    text = "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
    sys.exit(not kept)


def filled(project: Path) -> tuple[Lake, int]:
    """A project whose lake has the tickers, each told once, and how many rows those are."""
    (project / "params").mkdir()
    (project / "params" / "universe.toml").write_text(UNIVERSE, encoding="utf-8")
    os.environ["TICKERBOOK_PROJECT"] = str(project)
    lake, rows = Lake(project / "data" / "lake"), 0
    told = Origin("files", "sp500_daily", datetime(2024, 1, 1, tzinfo=UTC), "XNYS", "USD")
    for path in sorted((SHARED / "bars" / "sp500_daily").glob("*.parquet")):
        frame = pd.read_parquet(path).rename(columns={"dividends": "dividend", "splits": "split"})
        frame.index = pd.DatetimeIndex(frame["date"], name="session").as_unit("ns")
        frame = frame[list(RAW)].astype("float64").dropna()
        if len(frame) and len(lake.tickers()) < TICKERS:
            lake.write(path.stem, undo_splits(frame.replace({"split": {0.0: 1.0}})), told)
            rows += len(frame)
    return lake, rows


def measured(lake: Lake, rows: int) -> tuple[list[str], bool]:
    """The table, and whether the promises are kept."""
    paths = {ticker: lake.path(ticker) for ticker in lake.tickers()}
    some = list(paths)[:: len(paths) // LOADED][:LOADED]
    bars = times(
        ROUNDS["bars"],
        pandas=lambda: [pd.read_parquet(paths[ticker]) for ticker in some],
        lake=lambda: [lake.bars(ticker) for ticker in some],
        load_bars=lambda: [load_bars(ticker) for ticker in some],
    )
    check_equal(lake, paths)
    closes = times(
        ROUNDS["closes"],
        pandas=lambda: {t: pd.read_parquet(p, columns=["close"])["close"].mean() for t, p in paths.items()},
        whole=lambda: {t: pd.read_parquet(p)["close"].mean() for t, p in paths.items()},
        adjusting=lambda: {t: adjusted_closes(p).mean() for t, p in paths.items()},
        sql=lambda: ask(lake, CLOSES.format("traded")),
        sql_bars=lambda: ask(lake, CLOSES.format("bars")),
        sql_first=lambda: first(lambda: ask(lake, CLOSES.format("traded"))),
    )
    results = [
        ("bars of one ticker, checked: `Lake.bars`", bars["lake"] / LOADED, bars["pandas"] / LOADED, "≤ 2×"),
        ("the same with settings: `tb.load_bars`", bars["load_bars"] / LOADED, bars["pandas"] / LOADED, ""),
        ("mean close of all tickers, as traded", closes["sql"], closes["pandas"], "5× faster"),
        ("… against a loop that reads whole files", closes["sql"], closes["whole"], ""),
        ("… adjusted for splits, which the loop does too", closes["sql_bars"], closes["adjusting"], ""),
        ("… as traded, the first question of a process", closes["sql_first"], closes["pandas"], ""),
    ]
    kept = bars["lake"] <= 2 * bars["pandas"] and 5 * closes["sql"] <= closes["pandas"]
    return [
        f"{len(paths)} tickers, {rows:,} sessions; medians of {ROUNDS['bars']} and {ROUNDS['closes']} rounds.",
        "",
        *table(("what", "tickerbook", "pandas.read_parquet", "ratio", "promised"), map(line, results)),
    ], kept


def times(rounds: int, **steps: Callable[[], object]) -> Timed:
    """Median seconds of each step, all of them in turn in each round; the first round does not count."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            gc.collect()
            started = time.perf_counter()
            step()
            if number:
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def check_equal(lake: Lake, paths: dict[str, Path]) -> None:
    """What is compared gives the same numbers."""
    for relation, read in (("traded", lambda p: pd.read_parquet(p)["close"]), ("bars", adjusted_closes)):
        answer = ask(lake, CLOSES.format(relation)).set_index("ticker")["close"]
        expected = pd.Series({ticker: read(path).mean() for ticker, path in paths.items()})
        pd.testing.assert_series_equal(answer.sort_index(), expected.sort_index(), check_names=False)


def adjusted_closes(path: Path) -> pd.Series:
    """Closes in the units of the newest, as a careful analyst would get them."""
    rows = pd.read_parquet(path, columns=["close", "split"])
    return rows["close"] / rows["split"][::-1].cumprod().shift(fill_value=1.0)[::-1]


def first(step: Callable[[], object]) -> object:
    """A step as in a process that has not looked at any file yet."""
    query._kept.clear()
    query._database.cache_clear()
    return step()


def line(result: tuple[str, float, float, str]) -> list[str]:
    """A line of the table."""
    what, ours, theirs, promised = result
    ratio = f"{ours / theirs:.2f}×" if ours > theirs / 2 else f"{theirs / ours:.1f}× faster"
    return [what, f"{ours * 1000:.1f} ms", f"{theirs * 1000:.1f} ms", ratio, promised]


def table(head: Sequence[str], rows: object) -> list[str]:
    """A Markdown table."""
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


if __name__ == "__main__":
    main()
