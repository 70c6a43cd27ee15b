"""Combinatorial purged cross-validation: many out-of-sample paths instead of one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.research.costs import Costs
from tickerbook.research.metrics import METRICS
from tickerbook.research.splits import combinatorial_splits, paths
from tickerbook.research.strategy import Strategy
from tickerbook.research.sweep import sweep
from tickerbook.sessions import sessions_a_year

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Combinatorial:
    """What choosing parameters gave on blocks of sessions that were left out, in every combination.

    Attributes:
        strategy: its name.
        returns: of each session (rows) and path: all are of the same sessions, chosen for on other blocks.
        sharpe: Sharpe ratio of each path.
        splits: how many combinations of blocks there were, each with a choice of its own.
    """

    strategy: str
    returns: pd.DataFrame
    sharpe: Array
    splits: int


def combinatorial(
    bars: Bars,
    strategies: str | Sequence[Strategy],
    costs: Costs,
    cash: float = 100_000.0,
    *,
    groups: int = 6,
    tested: int = 2,
    purge: int = 21,
    embargo: int = 21,
) -> Combinatorial:
    """Choose a strategy's parameters on some blocks of sessions and test them on the others, in every way.

    Sessions are cut into `groups` blocks; each choice of `tested` of them is left out once, parameters are
    chosen by the Sharpe ratio of the rest, and the blocks left out are put together to C(groups − 1,
    tested − 1) paths (López de Prado 2018, chapter 12). Sessions near a block left out are not chosen from.
    Unlike a walk-forward, it also chooses from sessions after those it tests: it asks how much the choice
    depends on luck, not what would have been earned. Costs are those of each combination; none is charged for
    changing from one to another.

    Args:
        bars: daily bars.
        strategies: the name of a strategy, or rules of one kind to choose from.
        costs: of every fill.
        cash: to start each with.
        groups: how many blocks.
        tested: how many of them are left out at once.
        purge: sessions on both sides of a block left out that are not chosen from.
        embargo: further sessions after it.

    Raises:
        ConfigError: if blocks, purge and embargo leave nothing.
        StrategyError, DataError, NotEnoughBarsError: as `sweep`.
    """
    trials = sweep(bars, strategies, costs, cash, keep=True)
    assert trials.returns is not None  # noqa: S101 - they were asked for
    year, sharpe = sessions_a_year(bars.calendar), METRICS["sharpe"].compute
    out = np.full((len(trials.sessions), paths(groups, tested)), np.nan)
    filled = [0] * groups  # how many paths have each block
    splits = 0
    for blocks, free, left in combinatorial_splits(len(out), groups, tested, purge=purge, embargo=embargo):
        ratio = sharpe(trials.returns[free], year)
        best = int(np.argmax(np.nan_to_num(ratio, nan=-np.inf)))
        for block, rows in zip(blocks, left, strict=True):
            out[rows, filled[block]] = trials.returns[rows, best]
            filled[block] += 1
        splits += 1
    return Combinatorial(trials.strategy, pd.DataFrame(out, trials.sessions), sharpe(out, year), splits)
