"""What walk-forwards of the sample universe show: the tables of docs/backtests.md.

    python tests/benchmarks/backtests.py            prints them
    python tests/benchmarks/backtests.py --write    also puts them into docs/backtests.md

Uses the sample prices, and the costs and the schedule that the notebook `backtest` has unless params/ say otherwise.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from tickerbook.bars import Bars
from tickerbook.facts import Fact, Facts
from tickerbook.market.lake import Lake
from tickerbook.market.sourcing import fetch
from tickerbook.research.backtest import backtest_facts, compare
from tickerbook.research.costs import LIQUIDITY_SESSIONS, Costs, pressure
from tickerbook.settings import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "backtests.md"
BEGIN, END = "<!-- computed: begin -->", "<!-- computed: end -->"
NOW_AT = datetime(2013, 3, 4, 12, tzinfo=UTC)
COSTS = Costs(commission_bps=5, half_spread_bps=5, impact=1)
SHOWN = "GOOG"
ORDERS = (10_000, 100_000, 1_000_000, 10_000_000)
Books = dict[str, Facts]


def main() -> None:
    """Compute, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/backtests.md")
    arguments = parser.parse_args()
    text = tables()
    sys.stdout.write(text)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}{END}{tail}", encoding="utf-8")


def tables() -> str:
    """Every table, as Markdown."""
    books = {ticker: backtest_facts(compare(bars, None, COSTS), bars) for ticker, bars in sample().items()}
    sections = (shown(books[SHOWN]), _pooled(books), impacts(sample()))
    return "".join("\n".join(section) + "\n\n" for section in sections)


@cache
def sample() -> dict[str, Bars]:
    """The bars of the sample universe."""
    settings = load_settings(PAGE.parents[1])
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        fetch(settings.tickers, lake, now_at=NOW_AT, on_done=lambda _: None)
        return {ticker.symbol: lake.bars(ticker.symbol) for ticker in settings.tickers}


def shown(facts: Facts) -> Iterable[str]:
    """One ticker as its page shows it."""
    walk = {name: facts[f"walk.{name}"].text for name in ("first", "last", "choices", "block")}
    yield f"### {SHOWN}, {walk['first']} to {walk['last']}, parameters chosen {walk['choices']} times\n"
    rows = [
        [
            row["title"].text,
            row["sharpe"].text,
            _bounded(row, "oos_sharpe"),
            _bounded(row, "oos_cagr"),
            _bounded(row, "oos_max_drawdown"),
            row["break_even_bps"].text,
            row["oos_fill_gap"].text,
        ]
        for row in facts.rows("strategy")
    ]
    held = {
        name.removeprefix("benchmark."): fact for name, fact in facts.items() if name.startswith("benchmark.")
    }
    bounds = [_bounded(held, name) for name in ("oos_sharpe", "oos_cagr", "oos_max_drawdown")]
    rows.append(["buy and hold", held["sharpe"].text, *bounds, "", ""])
    yield from _table(
        [
            "strategy",
            "Sharpe in-sample",
            "Sharpe out of sample",
            "a year",
            "drawdown",
            "gone above",
            "doubtful fills",
        ],
        rows,
    )


def _pooled(books: Books) -> Iterable[str]:
    """The whole universe, strategy by strategy."""
    known = {ticker: facts for ticker, facts in books.items() if facts.value("walk.sessions")}
    left = [ticker for ticker in books if ticker not in known]
    yield f"### Means over {', '.join(known)}; too short to walk: {', '.join(left) or 'none'}\n"
    rows = []
    names = [row["title"].text for row in next(iter(known.values())).rows("strategy")]
    for number, title in enumerate(names, start=1):
        inside, outside, excess, sure = (
            [facts.value(f"strategy.{number}.{name}", np.nan) for facts in known.values()]
            for name in ("sharpe", "oos_sharpe", "oos_excess_sharpe", "oos_sharpe_low")
        )
        combinations = next(iter(known.values())).value(f"strategy.{number}.combinations")
        means = [f"{np.nanmean(values):.2f}".replace("-", "−") for values in (inside, outside, excess)]
        rows.append([title, str(combinations), *means, f"{sum(low > 0 for low in sure)} of {len(known)}"])
    yield from _table(
        [
            "strategy",
            "combinations",
            "Sharpe in-sample",
            "out of sample",
            "less buy and hold's",
            "interval above zero",
        ],
        rows,
    )


def impacts(found: dict[str, Bars]) -> Iterable[str]:
    """What the order itself costs."""
    yield f"### Market impact of an order at the last open, in basis points ({LIQUIDITY_SESSIONS} sessions before it)\n"
    rows = []
    for ticker, bars in found.items():
        price, known = bars.frame["open"].iloc[-1], pressure(bars.frame)[-1]
        rows.append(
            [ticker, *(f"{COSTS.impact * known * np.sqrt(money / price) * 1e4:.1f}" for money in ORDERS)]
        )
    yield from _table(["ticker", *(f"${money:,}" for money in ORDERS)], rows)


def _bounded(row: dict[str, Fact], name: str) -> str:
    """A figure with its interval."""
    if row[name].value is None:
        return row[name].text
    return f"{row[name].text} ({row[f'{name}_low'].text} to {row[f'{name}_high'].text})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    main()
