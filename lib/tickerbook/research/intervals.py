"""Intervals around performance figures: what else the same returns could have shown."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tickerbook.research.metrics import SESSIONS_A_YEAR, figures

Array = npt.NDArray[np.float64]
LEVEL = 0.95
REPETITIONS = 500
LEAST_RETURNS = 63  # a quarter: fewer say nothing that blocks of them could be drawn from
_SHORTEST_BLOCK = 5.0  # sessions: a week
_OFTEN = 0.9  # share of the samples in which a figure must exist: a strategy that hardly trades has none


@dataclass(frozen=True, eq=False, slots=True)
class Intervals:
    """Lower and upper bounds of figures, an array over the columns of returns each; NaN where there is none.

    Attributes:
        low, high: figure → its bounds.
        block: mean length of the blocks, in sessions.
        repetitions: samples drawn.
    """

    low: Mapping[str, Array]
    high: Mapping[str, Array]
    block: float
    repetitions: int


def intervals(
    returns: Array,
    periods: float = SESSIONS_A_YEAR,
    *,
    benchmark: int | None = None,
    repetitions: int = REPETITIONS,
    level: float = LEVEL,
    seed: int = 0,
) -> Intervals:
    """Intervals of every figure in `metrics.METRICS`, by the stationary block bootstrap (percentiles).

    Blocks of random length keep what neighbouring returns have in common, such as spells of volatility
    (Politis and Romano 1994). Their mean length is the longest that Politis and White's rule (2004, corrected
    by Patton, Politis and White 2009) gives for any of the columns, at least a week. All columns are drawn
    together, so that differences between them have intervals too.

    Args:
        returns: rows are sessions, none missing; columns are strategies.
        periods: sessions a year.
        benchmark: a column; where given, `excess_sharpe` is each column's Sharpe ratio less this one's.
        repetitions: samples to draw.
        level: share of the samples inside the interval.
        seed: of the drawing; the same seed gives the same interval.
    """
    if len(returns) < LEAST_RETURNS:
        names = [*figures(np.zeros((2, 1))), *(["excess_sharpe"] if benchmark is not None else [])]
        nothing = dict.fromkeys(names, np.full(returns.shape[1], np.nan))
        return Intervals(nothing, nothing, np.nan, 0)
    from arch.bootstrap import (  # noqa: PLC0415 - takes two seconds, which only an interval should cost
        StationaryBootstrap,
        optimal_block_length,
    )

    moving = returns.std(axis=0) > 0
    lengths = optimal_block_length(returns[:, moving])["stationary"] if moving.any() else []
    block = max([_SHORTEST_BLOCK, *lengths])
    drawn: dict[str, list[Array]] = {}
    sampler = StationaryBootstrap(block, returns, seed=np.random.default_rng(seed))
    for (sample,), _ in sampler.bootstrap(repetitions):
        found = figures(sample, periods)
        if benchmark is not None:
            found["excess_sharpe"] = found["sharpe"] - found["sharpe"][benchmark]
        for name, values in found.items():
            drawn.setdefault(name, []).append(values)
    tails = [(1 - level) / 2, (1 + level) / 2]
    bounds = {name: _bounds(np.array(values), tails) for name, values in drawn.items()}
    return Intervals(
        {name: both[0] for name, both in bounds.items()},
        {name: both[1] for name, both in bounds.items()},
        float(block),
        repetitions,
    )


def _bounds(values: Array, tails: list[float]) -> Array:
    """Percentiles of each column; NaN for one whose figure exists in too few samples to speak of."""
    known = np.isfinite(values)
    often = known.mean(axis=0) >= _OFTEN
    bounds: Array = np.full((2, values.shape[1]), np.nan)
    bounds[:, often] = np.nanquantile(np.where(known, values, np.nan)[:, often], tails, axis=0)
    return bounds
