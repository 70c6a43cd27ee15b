"""How the plans of the sample universe are sized: the tables of docs/sizing.md.

    python tests/benchmarks/sizing.py            prints them
    python tests/benchmarks/sizing.py --write    also puts them into docs/sizing.md

Uses the sample prices and the levels found in them, nothing else: the edge of those levels is measured by the notebooks
`levels` and `odds`, and stands on the tickers' pages. So sizes here are those of who takes the edge on trust, and
what an edge adds is told for edges made up for the purpose.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tickerbook.bars import Bars
from tickerbook.facts import Fact
from tickerbook.market.lake import Lake
from tickerbook.market.sourcing import fetch
from tickerbook.research.levels import find_levels
from tickerbook.research.plan import GAPS
from tickerbook.research.sizing import (
    Desk,
    Limits,
    Position,
    TradePlan,
    conviction,
    plan_facts,
    shrunk_kelly,
    size_order,
    trade_plan,
)
from tickerbook.settings import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "sizing.md"
BEGIN, END = "<!-- computed: begin -->", "<!-- computed: end -->"
NOW_AT = datetime(2013, 3, 4, 12, tzinfo=UTC)
EQUITY = 100_000.0
Plans = dict[str, tuple[Bars, TradePlan]]


def main() -> None:
    """Compute, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/sizing.md")
    arguments = parser.parse_args()
    text = tables()
    sys.stdout.write(text)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}{END}{tail}", encoding="utf-8")


def tables() -> str:
    """Every table, as Markdown."""
    plans = _plans()
    sections = (_orders(plans), _limits(plans), _account(plans), _gaps(plans), _edges(), _convictions())
    return "".join("\n".join(section) + "\n\n" for section in sections)


def _plans() -> Plans:
    """The bars and the plan of every ticker of the sample universe, the edge taken on trust."""
    settings = load_settings(PAGE.parents[1])
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        fetch(settings.tickers, lake, now_at=NOW_AT, on_done=lambda _: None)
        found = {ticker.symbol: lake.bars(ticker.symbol) for ticker in settings.tickers}
    return {
        ticker: (bars, trade_plan(bars, find_levels(bars), equity=EQUITY, require_edge=False))
        for ticker, bars in found.items()
    }


def _orders(plans: Plans) -> Iterable[str]:
    session = next(iter(plans.values()))[0].session
    yield f"### The plans at the close of {session}\n"
    rows = []
    for ticker, (_, plan) in plans.items():
        told = plan_facts(plan)
        near = ", ".join(row["price"].text for row in told.rows("near")) or "none"
        cells = [
            told[name].text for name in ("plan.entry", "plan.stop", "plan.risk_per_share", "plan.reward_risk")
        ]
        target = told["target.1.price"].text if plan.targets else "–"
        rows.append(
            [ticker, *cells[:3], target, cells[3], near] if plan.order else [ticker, *["–"] * 5, plan.context]
        )
    head = [
        "ticker",
        "entry",
        "stop",
        "risk a share",
        "nearest target",
        "gain there",
        "passed over as too near",
    ]
    yield from _table(head, rows)


def _limits(plans: Plans) -> Iterable[str]:
    yield f"### What each limit allows, in shares, of an account of ${EQUITY:,.0f}\n"
    sized = {ticker: plan.sizing.size for ticker, (_, plan) in plans.items() if plan.sizing}
    names = [cap.method for cap in next(iter(sized.values())).caps]
    rows = [
        [
            name,
            *(
                _bold(f"{cap.shares:,}", cap.binds)
                for size in sized.values()
                for cap in size.caps
                if cap.method == name
            ),
        ]
        for name in names
    ]
    chances = [_percent(plan.drawdown_chance or 0.0) for _, plan in plans.values() if plan.sizing]
    rows.append(["**size**", *(f"{size.shares:,}" for size in sized.values())])
    rows.append(["cost", *(f"${size.notional:,.0f}" for size in sized.values())])
    rows.append(["money at risk", *(f"${size.money_at_risk:,.0f}" for size in sized.values())])
    limit = _percent(Limits(EQUITY).max_drawdown)
    rows.append([f"chance of a drawdown beyond {limit} in a year", *chances])
    yield from _table(["limit", *sized], rows)


def _account(plans: Plans) -> Iterable[str]:
    """One plan under other circumstances of the account."""
    ticker, other = _example(plans)
    bars, plan = plans[ticker]
    counts = _together(plans, ticker, other)
    yield f"### What the account changes, for {ticker}\n"
    peers = {other: plans[other][0]}
    heat = Position(other, 800, 100.0, 95.0)
    cases: dict[str, tuple[dict[str, float], tuple[Position, ...]]] = {
        "as above": ({}, ()),
        f"$4,000 at risk in {other}, of which ${counts:,.0f} count": ({}, (heat,)),
        f"$4,000 at risk in {ticker} itself": ({}, (replace(heat, ticker=ticker),)),
        "$2,950 at risk in a share whose prices are not known": (
            {},
            (replace(heat, ticker="XYZ", shares=590),),
        ),
        "the same, its stop moved up to its entry": ({}, (replace(heat, ticker="XYZ", stop=100.0),)),
        "the account is 10 % below its peak": ({"equity_peak": EQUITY / 0.9}, ()),
        "15 % below, and was 25 % below before": (
            {"equity_peak": EQUITY / 0.85, "equity_trough": EQUITY / 0.85 * 0.75},
            (),
        ),
        "0.2 % at risk instead of 1 %": ({"risk_fraction": 0.002}, ()),
    }
    rows = []
    for case, (changed, book) in cases.items():
        limits = replace(plan.limits, **changed)
        size = size_order(bars, plan.order, limits, Desk(book, peers)).size
        rows.append([case, f"{size.shares:,}", size.binding])
    yield from _table(["circumstance", "shares", "decided by"], rows)


def _gaps(plans: Plans) -> Iterable[str]:
    yield "### What a gap through the stop loses\n"
    rows = []
    for ticker, (_, plan) in plans.items():
        if plan.size and plan.atr:
            losses = [plan.size.gap_loss(gap * plan.atr) for gap in GAPS]
            cells = [f"${loss:,.0f} ({_percent(loss / EQUITY, 1)})" for loss in losses]
            rows.append([ticker, f"${plan.size.money_at_risk:,.0f}", *cells])
    yield from _table(["ticker", "at the stop", *(f"{gap} ATR beyond" for gap in GAPS)], rows)


def _edges() -> Iterable[str]:
    yield "### What an edge is worth, if the nearest target gains 1.5 R\n"
    rows = []
    for edge, half in ((0.02, 0.04), (0.05, 0.05), (0.05, 0.04), (0.05, 0.02), (0.1, 0.08), (0.1, 0.02)):
        share = shrunk_kelly(edge, edge - half, edge + half, 1.5)
        span = f"{_points(edge - half)} to {_points(edge + half)}"
        rows.append(
            [
                _points(edge),
                span,
                _percent(share, 1),
                "Kelly" if share < Limits(EQUITY).risk_fraction else "another",
            ]
        )
    yield from _table(
        ["edge over chance", "95 % interval", "may be risked", "tighter than 1 % at the stop?"], rows
    )


def _convictions() -> Iterable[str]:
    yield "### What conviction makes of evidence\n"
    rows = []
    for edge, dsr, agreement in (
        (None, None, None),
        (0.02, None, None),
        (0.02, 0.8, 0.5),
        (0.05, 0.95, 1.0),
        (0.08, 0.4, 0.0),
    ):
        found = conviction(edge, dsr, agreement)
        told = ["not known" if figure is None else _percent(figure) for figure in (edge, dsr, agreement)]
        rows.append([*told, _percent(found.value)])
    head = ["edge, lower bound", "deflated Sharpe ratio", "strategies on this side", "conviction"]
    yield from _table(head, rows)


def _example(plans: Plans) -> tuple[str, str]:
    """The plan that is shown in detail, and the ticker that moves most with it."""
    known = [ticker for ticker, (_, plan) in plans.items() if plan.order]
    pairs = [(one, other) for one in known for other in plans if one != other]
    return max(pairs, key=lambda pair: _together(plans, *pair))


def _together(plans: Plans, ticker: str, other: str) -> float:
    """What an open position in another ticker counts beside a plan."""
    bars, plan = plans[ticker]
    assert plan.order is not None
    desk = Desk((Position(other, 800, 100.0, 95.0),), {other: plans[other][0]})
    return size_order(bars, plan.order, plan.limits, desk).together


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _percent(value: float, digits: int = 0) -> str:
    return Fact("x", value, "", "fraction", digits).text


def _points(value: float) -> str:
    return f"{value * 100:+.0f} points".replace("-", "−").replace("+0 ", "0 ")


def _bold(text: str, binds: bool) -> str:
    return f"**{text}**" if binds else text


if __name__ == "__main__":
    main()
