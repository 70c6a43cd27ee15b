"""Backtests: what a strategy would have made, against buying and holding.

Decided at a session's close, filled at the next session's open; whole shares; commission, half the spread
and market impact on every fill (see `Costs`); stops and targets inside a bar read pessimistically (see
`resting`). Shares are as adjusted as the bars are; where those are not adjusted for dividends, neither
strategy nor benchmark receives any. Each backtest tells the witness of its bars.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import NotEnoughBarsError
from tickerbook.research.backtest_facts import backtest_facts
from tickerbook.research.backtest_result import BacktestResult, Schedule, Untested, WalkForward
from tickerbook.research.costs import Costs
from tickerbook.research.strategy import (
    Strategy,
    decide,
    family,
    strategy,
    strategy_name,
    strategy_names,
    strategy_parameters,
    strategy_title,
)
from tickerbook.research.testable import (
    LEAST_SESSIONS,
    check_cash,
    check_length,
    check_prices,
    conditions,
    first_row,
)
from tickerbook.research.tested import tested
from tickerbook.research.trial import tell
from tickerbook.research.walkforward import walk_forward, walk_row

__all__ = [
    "BENCHMARK",
    "LEAST_SESSIONS",
    "BacktestResult",
    "Costs",
    "Schedule",
    "Untested",
    "WalkForward",
    "backtest",
    "backtest_facts",
    "compare",
    "walk_forward",
]

BENCHMARK = "buy_and_hold"  # the strategy that every other is compared with
_USUAL = Costs(commission_bps=5.0, half_spread_bps=5.0)
_SCHEDULE = Schedule()


def backtest(
    bars: Bars, rule: Strategy, costs: Costs, cash: float = 100_000.0, *, base: date | None = None
) -> BacktestResult:
    """Test a strategy on bars, against buying and holding over the same sessions at the same costs.

    A position that is open at the last close stays open, and what is decided there is the `signal`: no open
    fills it.

    Args:
        bars: daily bars, adjusted for splits.
        rule: the strategy.
        costs: of every fill.
        cash: to start with, in the bars' currency.
        base: the session after whose close the test begins. Default: the first at which the strategy can
            decide, that is after its warm-up; never earlier than that. Where orders have an impact, never
            before there is something to measure it with.

    Raises:
        NotEnoughBarsError: if fewer than `LEAST_SESSIONS` sessions are left after warm-up or base.
        StrategyError: if the strategy breaks its protocol, or loses everything.
        ConfigError: if `cash` does not buy one share at the start.
        DataError: if an open or close is not above zero, prices are not adjusted for splits, or the impact of
            an order cannot be measured.
    """
    name = strategy_name(rule)
    row = max(
        first_row(rule, costs), 0 if base is None else int(bars.frame.index.searchsorted(pd.Timestamp(base)))
    )
    check_length(bars, name, rule.warmup, row)
    decisions = decide([rule], bars)
    check_prices(bars, row)
    check_cash(bars, cash, row, costs)
    result = tested(bars, rule, decisions, row, costs, cash)
    told = conditions(costs, cash, result.equity.index[0])
    tell(bars, name, [result.parameters], result.returns.to_frame(), conditions=told)
    return result


def compare(
    bars: Bars,
    strategies: Sequence[str | Strategy] | None = None,
    costs: Costs = _USUAL,
    cash: float = 100_000.0,
    *,
    schedule: Schedule | None = _SCHEDULE,
) -> tuple[BacktestResult | Untested, ...]:
    """Test strategies on the same sessions: those after the longest of their warm-ups.

    A strategy that is named is walked forward where the bars are enough: its `out_of_sample` is that, and
    its parameters are those in use at the end, so that its own figures are in-sample. Where they are too few
    it has its default parameters. A strategy for whose warm-up the bars are too few does not shorten the
    others' test: it comes back as `Untested`, with the reason.

    Args:
        bars: daily bars, adjusted for splits.
        strategies: strategies, or names of some. Default: all there are, but for the benchmark.
        costs: of every fill.
        cash: to start with, in the bars' currency.
        schedule: of the walk-forward; None for none.

    Raises:
        ConfigError, StrategyError, DataError: as `strategy` and `backtest`; not for too few bars.
    """
    names = [name for name in strategy_names() if name != BENCHMARK]
    chosen = names if strategies is None else list(strategies)
    walks = [None] * len(chosen) if schedule is None else _walks(bars, chosen, costs, cash, schedule)
    rules = [_rule(one, walk) for one, walk in zip(chosen, walks, strict=True)]
    rows = [first_row(rule, costs) for rule in rules]
    rows += [len(bars) - 1 - len(walk.trials.sessions) for walk in walks if walk]
    fitting = [row for row in rows if row + LEAST_SESSIONS < len(bars)]
    base = bars.frame.index[max(fitting)].date() if fitting else None
    return tuple(
        _tested(bars, rule, costs, cash, base, walk) for rule, walk in zip(rules, walks, strict=True)
    )


def _walks(
    bars: Bars, chosen: Sequence[str | Strategy], costs: Costs, cash: float, schedule: Schedule
) -> list[WalkForward | None]:
    """A walk-forward of each over the same sessions; None for those that the bars are too few for."""
    families = [family(one) if isinstance(one, str) else (one,) for one in chosen]
    rows = [max(first_row(rule, costs) for rule in rules) for rules in families]
    possible = [walk_row(bars, row, schedule) is not None for row in rows]
    base = max((row for row, can in zip(rows, possible, strict=True) if can), default=0)
    return [
        walk_forward(bars, rules, costs, cash, schedule=schedule, base=base) if can else None
        for rules, can in zip(families, possible, strict=True)
    ]


def _rule(chosen: str | Strategy, walk: WalkForward | None) -> Strategy:
    """The strategy with the parameters in use."""
    if not isinstance(chosen, str):
        return chosen
    return strategy(chosen, **(walk.result.parameters if walk else {}))


def _tested(
    bars: Bars, rule: Strategy, costs: Costs, cash: float, base: date | None, walk: WalkForward | None
) -> BacktestResult | Untested:
    try:
        return replace(backtest(bars, rule, costs, cash, base=base), out_of_sample=walk)
    except NotEnoughBarsError as error:
        title, parameters = strategy_title(rule), strategy_parameters(rule)
        return Untested(strategy_name(rule), title, parameters, costs, error.message)
