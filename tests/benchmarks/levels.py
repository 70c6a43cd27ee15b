"""How levels are scored: the tables of docs/levels.md, and how fast they are found and studied.

    python tests/benchmarks/levels.py            prints the league of the sample universe
    python tests/benchmarks/levels.py --write    also puts it into docs/levels.md
    python tests/benchmarks/levels.py --speed    times levels and studies on ../shared/bars/sp500_daily

The league needs nothing but the sample prices. Speed is measured in seconds of a processor: all levels of a ticker of some
2,000 bars, of which 25 ms are allowed, and the study of 250 tickers, of which 3 minutes on two cores are.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from tickerbook.bars import COLUMNS, Bars
from tickerbook.facts import Fact, Facts
from tickerbook.market.lake import Lake
from tickerbook.market.sourcing import fetch
from tickerbook.research.levels import find_levels
from tickerbook.research.odds import league_facts, pool, touch_study
from tickerbook.settings import load_settings

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("TICKERBOOK_SHARED") or ROOT.parent / "shared")
PAGE = ROOT / "docs" / "levels.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
NOW_AT = datetime(2013, 3, 4, 12, tzinfo=UTC)
FOUND_AT_MOST, STUDIED_AT_MOST = 0.025, 180.0  # seconds: a ticker, and 250 tickers on two cores
TICKERS, CORES = 250, 2
AGES = ("at_once", "week", "month", "quarter", "older")


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/levels.md")
    parser.add_argument("--speed", action="store_true", help="time levels and studies on ../shared")
    arguments = parser.parse_args()
    if arguments.speed:
        sys.exit(speed())
    text = tables()
    sys.stdout.write(text)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}{END}{tail}", encoding="utf-8")


def tables() -> str:
    """Every table, as Markdown."""
    facts = league_facts(pool(touch_study(bars) for bars in _sample()))
    sections = (_summary(facts), _league(facts), _ages(facts), _forecasts(facts))
    return "".join("\n".join(section) + "\n\n" for section in sections)


def _sample() -> list[Bars]:
    settings = load_settings(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        fetch(settings.tickers, lake, now_at=NOW_AT, on_done=lambda _: None)
        return [lake.bars(ticker.symbol) for ticker in settings.tickers]


def _summary(facts: Facts) -> Iterable[str]:
    text = {name.removeprefix("league."): fact.text for name, fact in facts.items()}
    yield (
        f"{text['tickers']} tickers of the sample universe, {text['first']} to {text['through']}: "
        f"{text['touches']} touches of levels by {text['methods']} methods. Told from chance as better: "
        f"{text['better']}; as worse: {text['worse']}."
    )


def _league(facts: Facts) -> Iterable[str]:
    rows = [
        [
            row["name"].text,
            row["n"].text,
            row["bounce"].text,
            row["placebo"].text,
            _points(row["edge"]),
            f"{_points(row['edge_low'])} to {_points(row['edge_high'])}",
            row["p"].text,
            row["verdict"].text,
        ]
        for row in facts.rows("method")
    ]
    heads = ("method", "touches", "held", "placebos held", "edge", "95 % interval", "by luck", "verdict")
    return _table(heads, rows)


def _ages(facts: Facts) -> Iterable[str]:
    rows = [
        [row["name"].text, row["n"].text, f"{_points(row['edge'])} ± {row['half'].text}"]
        for row in facts.rows("age")
    ]
    return _table(("sessions from known to touched", "touches", "edge, all methods"), rows)


def _forecasts(facts: Facts) -> Iterable[str]:
    text = {name.removeprefix("league."): fact.text for name, fact in facts.items()}
    yield (
        f"Forecasts for {text['held_out']} and later, made from the quarters before: Brier score {text['brier']}, that of "
        f"the base rate {text['brier_placebo']}.\n"
    )
    rows = [[row["forecast"].text, row["observed"].text, row["n"].text] for row in facts.rows("calibration")]
    yield from _table(("forecast", "observed", "touches"), rows)


def _points(fact: Fact) -> str:
    """An edge with its sign."""
    sign = "+" if isinstance(fact.value, float) and fact.value > 0 else ""
    return sign + fact.text


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def speed() -> int:
    """Time all levels of a ticker and the study of all; 1 where either takes longer than allowed."""
    books = [bars for path in sorted(SHARED.glob("bars/sp500_daily/*.parquet")) if (bars := _bars(path))]
    if not books:
        sys.stdout.write(f"There are no prices in {SHARED}/bars/sp500_daily.\n")
        return 1
    find_levels(books[0])  # what is imported at first use is not timed
    touch_study(books[0])
    found = [_seconds(find_levels, bars) for bars in books]
    studied = [_seconds(touch_study, bars) for bars in books]
    mean, total = sum(found) / len(found), sum(studied) / len(studied) * TICKERS / CORES
    sys.stdout.write(
        f"{len(books)} tickers, {sum(map(len, books)) / len(books):,.0f} bars each\n"
        f"levels, all methods: {mean * 1e3:.1f} ms a ticker, the slowest {max(found) * 1e3:.1f} ms\n"
        f"study: {sum(studied) / len(studied):.2f} s a ticker, {total:.0f} s for {TICKERS} on {CORES} cores\n"
    )
    return int(mean > FOUND_AT_MOST or total > STUDIED_AT_MOST)


def _seconds(function, argument) -> float:
    began = time.process_time()
    function(argument)
    return time.process_time() - began


def _bars(path: Path) -> Bars | None:
    """The bars of a file; None where it has too few."""
    frame = pd.read_parquet(path).set_index("date")[list(COLUMNS)].astype("float64").dropna()
    if len(frame) < 1500:
        return None
    frame.index = pd.DatetimeIndex(frame.index, name="session").astype("datetime64[ns]")
    return Bars(frame, path.stem, "XNYS", "USD", "split", "sp500_daily", datetime(2024, 1, 2, tzinfo=UTC))


if __name__ == "__main__":
    main()
