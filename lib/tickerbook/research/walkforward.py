"""Walk-forward: parameters chosen again and again from the past only, and judged on what came after."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tickerbook.bars import Bars
from tickerbook.errors import NotEnoughBarsError
from tickerbook.research.backtest_result import Fold, Schedule, WalkForward
from tickerbook.research.costs import Costs
from tickerbook.research.metrics import METRICS
from tickerbook.research.resting import Exits
from tickerbook.research.splits import quarters
from tickerbook.research.strategy import (
    Decisions,
    Strategy,
    family,
    strategy_name,
    strategy_parameters,
)
from tickerbook.research.sweep import Sweep, sweep
from tickerbook.research.testable import first_row
from tickerbook.research.tested import break_even_bps, tested
from tickerbook.sessions import sessions_a_year

Array = npt.NDArray[np.float64]
_USUAL = Schedule()


def walk_row(bars: Bars, base: int, schedule: Schedule) -> int | None:
    """Row at whose close a walk-forward that begins to try at row `base` decides first; None where never."""
    least = schedule.train + schedule.gap
    starts = (base + first for first, _ in quarters(bars.frame.index[base:], least))
    return next(starts, None)


def walk_forward(
    bars: Bars,
    strategies: str | Sequence[Strategy],
    costs: Costs,
    cash: float = 100_000.0,
    *,
    schedule: Schedule = _USUAL,
    base: int | None = None,
) -> WalkForward:
    """Choose a strategy's parameters at each calendar quarter from the past, and test what they then decide.

    A session more adds to the test and changes nothing of it. What a new choice changes in what is held is
    traded at the next open, with costs. Stops and targets are those of the choice in force.

    Args:
        bars: daily bars.
        strategies: the name of a strategy, to be tried with the values that its parameters' ranges name; or
            rules of one kind to choose from.
        costs: of every fill.
        cash: to start with, in the bars' currency.
        schedule: when parameters are chosen, and from what.
        base: row after whose close everything begins to be tried. Default: after the longest warm-up.

    Raises:
        NotEnoughBarsError: if no quarter begins after enough sessions to choose from.
        ConfigError, StrategyError, DataError: as `backtest`.
    """
    rules = family(strategies) if isinstance(strategies, str) else tuple(strategies)
    row = max([base or 0, *(first_row(rule, costs) for rule in rules)])
    start = walk_row(bars, row, schedule)
    if start is None:
        raise NotEnoughBarsError(
            f"A walk-forward of {strategy_name(rules[0])} needs {row} sessions of {bars.ticker} to warm up"
            f" and {schedule.train + schedule.gap} to choose from before a quarter begins;"
            f" there are {len(bars)}.",
            "Fetch a longer history, or choose from fewer sessions.",
        )
    trials = sweep(bars, rules, costs, cash, base=row, keep=True)
    year = sessions_a_year(bars.calendar)
    choices = [
        (row + first, row + end, *_best(trials, first - schedule.gap, year))
        for first, end in quarters(bars.frame.index[row:], schedule.train + schedule.gap)
    ]
    assert trials.decisions is not None  # noqa: S101 - they were asked for
    decisions = _stitched(trials.decisions, [(first, end, best) for first, end, best, _ in choices])
    current = rules[choices[-1][2]]
    result = tested(bars, current, decisions, start, costs, cash)
    folds = tuple(_folds(bars, trials, choices, row, schedule))
    return WalkForward(schedule, folds, trials, result, break_even_bps(bars, decisions, start, cash))


def _best(trials: Sweep, sessions: int, year: int) -> tuple[int, float]:
    """The combination with the greatest Sharpe ratio over the first sessions, and that ratio.

    The first where none has one: nothing moved yet.
    """
    assert trials.returns is not None  # noqa: S101 - they were asked for
    ratio = METRICS["sharpe"].compute(trials.returns[:sessions], year)
    best = int(np.argmax(np.nan_to_num(ratio, nan=-np.inf)))
    return best, float(ratio[best])


def _stitched(said: Decisions, choices: Sequence[tuple[int, int, int]]) -> Decisions:
    """What the chosen one decided in each fold, as one strategy; nothing before the first."""

    def together(values: Array, blank: float) -> Array:
        chosen = np.full((len(values), 1), blank)
        for first, end, best in choices:
            chosen[first:end, 0] = values[first:end, best]
        return chosen

    exits = said.exits and Exits(together(said.exits.stop, np.nan), together(said.exits.target, np.nan))
    return Decisions(together(said.exposures, 0.0), exits)


def _folds(
    bars: Bars, trials: Sweep, choices: Sequence[tuple[int, int, int, float]], row: int, schedule: Schedule
) -> Iterator[Fold]:
    assert trials.returns is not None  # noqa: S101 - they were asked for
    days, year = bars.frame.index, sessions_a_year(bars.calendar)
    for first, end, best, ratio in choices:
        after = trials.returns[first - row : end - row, best : best + 1]
        yield Fold(
            first=days[first].date(),
            last=days[end - 1].date(),
            parameters=strategy_parameters(trials.rules[best]),
            trained=int(first) - row - schedule.gap,
            in_sample=ratio,
            out_of_sample=float(METRICS["sharpe"].compute(after, year)[0]) if len(after) > 1 else np.nan,
        )
