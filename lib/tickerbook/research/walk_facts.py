"""Walk-forwards as facts: every headline figure out of sample, with its interval."""

from collections.abc import Sequence

import numpy as np

from tickerbook.facts import Fact, Value
from tickerbook.research.backtest_result import BacktestResult, WalkForward
from tickerbook.research.intervals import LEVEL, Intervals, intervals
from tickerbook.research.metrics import METRICS, Performance

_OUTSIDE = {"total_return": "oos_return"} | {
    name: f"oos_{name}" for name in METRICS if name != "total_return"
}
_COLUMNS = (  # of a walk-forward: name, label, unit, digits
    ("oos_trades", "closed trades, out of sample", "", 0),
    ("oos_win_rate", "trades that gained, out of sample", "fraction", 0),
    ("oos_exposure", "mean exposure, out of sample", "fraction", 0),
    ("oos_optimistic", "total return out of sample, doubtful fills read kindly", "fraction", 1),
    ("oos_fill_gap", "what doubtful fills are worth", "fraction", 1),
    ("break_even_bps", "its gain is gone at costs above", "bps", 0),
    ("combinations", "combinations of parameters tried", "", 0),
    ("steady", "choices that were the one in use now", "fraction", 0),
)


def walk_facts(walks: Sequence[WalkForward], bounds: Intervals | None) -> list[Fact]:
    """Which sessions were walked, how parameters were chosen, and what the intervals are made of."""
    walk = walks[0] if walks else None
    first, last, sessions, choices, train, purge, embargo = (
        _told(walk) if walk else (*[None] * 2, 0, 0, *[None] * 3)
    )
    return [
        Fact("walk.first", first, "first session out of sample", "date"),
        Fact("walk.last", last, "last session out of sample", "date"),
        Fact("walk.sessions", sessions, "sessions out of sample", "sessions", 0),
        Fact("walk.choices", choices, "times that parameters were chosen", "", 0),
        Fact("walk.train", train, "sessions before the first choice", "sessions", 0),
        Fact("walk.purge", purge, "sessions purged before a choice", "sessions", 0),
        Fact("walk.embargo", embargo, "sessions of embargo before a choice", "sessions", 0),
        Fact("walk.level", LEVEL if walk else None, "share of samples inside an interval", "fraction", 0),
        Fact(
            "walk.block", bounds.block if bounds else None, "mean length of resampled blocks", "sessions", 0
        ),
        Fact("walk.samples", bounds.repetitions if bounds else None, "resampled histories", "", 0),
    ]


def _told(walk: WalkForward) -> tuple[Value, ...]:
    days, plan = walk.result.equity.index, walk.schedule
    dates = f"{days[1]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}"
    return (*dates, walk.result.sessions, len(walk.folds), plan.train, plan.purge, plan.embargo)


def walk_intervals(walks: Sequence[WalkForward]) -> Intervals | None:
    """Of buy and hold (the first column) and of every strategy, drawn together."""
    if not walks:
        return None
    held = walks[0].result.benchmark.pct_change().iloc[1:]
    returns = np.column_stack([held, *(walk.result.returns for walk in walks)])
    return intervals(returns, walks[0].result.periods, benchmark=0)


def benchmark_outside(walks: Sequence[WalkForward], bounds: Intervals | None) -> list[Fact]:
    """Buy and hold over the sessions out of sample."""
    result = walks[0].result if walks else None
    return _bounded(
        "benchmark", "buy and hold", result.benchmark_metrics if result else None, result, bounds, 0
    )


def strategy_outside(
    row: str, title: str, walk: WalkForward | None, bounds: Intervals | None, column: int
) -> list[Fact]:
    """What the walk-forward of a strategy gave; all missing where there is none.

    Args:
        row: name of the strategy's row of facts.
        title: what readers call it.
        walk: its walk-forward.
        bounds: `walk_intervals`, of all strategies.
        column: of the strategy in these.
    """
    result = walk.result if walk else None
    values = _values(walk) if walk else [None] * len(_COLUMNS)
    return [
        *_bounded(row, title, result.metrics if result else None, result, bounds, column),
        *_excess(row, title, result, bounds, column),
        *[
            Fact(f"{row}.{name}", value, f"{title}: {what}", unit, digits)
            for (name, what, unit, digits), value in zip(_COLUMNS, values, strict=True)
        ],
    ]


def _values(walk: WalkForward) -> list[Value]:
    result, newest = walk.result, walk.folds[-1].parameters
    return [
        len(result.closed_trades),
        result.win_rate,
        result.mean_exposure,
        float(result.optimistic.iloc[-1]) - 1,
        result.fill_gap,
        walk.break_even_bps,
        len(walk.trials),
        sum(fold.parameters == newest for fold in walk.folds) / len(walk.folds),
    ]


def _bounded(
    group: str,
    label: str,
    figures: Performance | None,
    result: BacktestResult | None,
    bounds: Intervals | None,
    column: int,
) -> list[Fact]:
    """Every figure out of sample, each with the bounds of its interval; without these there is no figure."""
    short = result is not None and result.sessions < result.periods
    facts = []
    for name, metric in METRICS.items():
        fact = f"{group}.{_OUTSIDE[name]}"
        what = f"{label}: {metric.label}, out of sample"
        value = shown(figures, name, short=short)
        low, high = _pair(bounds, name, column) if value is not None else (None, None)
        value = None if low is None else value
        facts += [
            Fact(fact, value, what, metric.unit, metric.digits),
            Fact(f"{fact}_low", low, f"{what}, lower bound", metric.unit, metric.digits),
            Fact(f"{fact}_high", high, f"{what}, upper bound", metric.unit, metric.digits),
        ]
    return facts


def _excess(
    row: str, title: str, result: BacktestResult | None, bounds: Intervals | None, column: int
) -> list[Fact]:
    name, what = f"{row}.oos_excess_sharpe", f"{title}: Sharpe ratio above buy and hold's, out of sample"
    low, high = _pair(bounds, "excess_sharpe", column) if result else (None, None)
    value = None
    if result and low is not None:
        value = result.metrics.sharpe - result.benchmark_metrics.sharpe
    return [
        Fact(name, value, what, "", 2),
        Fact(f"{name}_low", low, f"{what}, lower bound", "", 2),
        Fact(f"{name}_high", high, f"{what}, upper bound", "", 2),
    ]


def _pair(bounds: Intervals | None, name: str, column: int) -> tuple[Value, Value]:
    if bounds is None:
        return None, None
    low, high = float(bounds.low[name][column]), float(bounds.high[name][column])
    return (None, None) if np.isnan(low) else (low, high)


def shown(figures: Performance | None, name: str, *, short: bool) -> Value:
    """A figure; none a year of less than a year."""
    return None if figures is None or (short and name in {"cagr", "calmar"}) else getattr(figures, name)
