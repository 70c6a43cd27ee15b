"""The probability of backtest overfitting, by combinatorially symmetric cross-validation (CSCV).

Source: Bailey, Borwein, López de Prado and Zhu, "The Probability of Backtest Overfitting", Journal of
Computational Finance 20(4), 2017.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations, islice

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from tickerbook.errors import DataError

Array = npt.NDArray[np.float64]
BLOCKS = 16
_CHUNK = 2_000  # splits looked at together, to bound the memory
_NO_RISK = 1e-12


Judge = Callable[[Array, Array, int], Array]  # of sums, sums of squares and the number of returns


def sharpe(sums: Array, squares: Array, count: int) -> Array:
    """Mean over standard deviation (n − 1); 0 for what does not vary."""
    average = sums / count
    spread = np.sqrt(np.maximum(squares - count * average**2, 0) / (count - 1))
    return np.divide(average, spread, out=np.zeros_like(average), where=spread > _NO_RISK)


def mean(sums: Array, _squares: Array, count: int) -> Array:
    """Mean return."""
    return sums / count


@dataclass(frozen=True, eq=False)
class Overfitting:
    """What became, in the other half of the periods, of the configuration that was best in one half.

    Attributes:
        probability: share of the splits in which it did no better than the median there.
        logits: of its relative rank there, for each split; at or below 0 is no better than the median.
        best: for each split, its figure in the half it was chosen in and in the other half.
        loss: share of the splits in which it lost in the other half.
    """

    probability: float
    logits: Array = field(repr=False)
    best: Array = field(repr=False)

    @property
    def loss(self) -> float:
        """Share of the splits in which the chosen configuration's figure was below zero afterwards."""
        return float((self.best[:, 1] < 0).mean())


def overfitting(returns: Array, blocks: int = BLOCKS, *, judge: Judge = sharpe) -> Overfitting:
    """Choose the best of several configurations in each half of the periods, and look at it in the other.

    The periods are cut into blocks; every way to take half of them is a split. Rows beyond a multiple of
    `blocks` are left out at the beginning.

    Args:
        returns: a row for each period, a column for each configuration.
        blocks: an even number; 16 give 12,870 splits.
        judge: the figure of each configuration: `sharpe` or `mean`.

    Raises:
        DataError: for returns that are missing, fewer than two configurations, an odd number of blocks, or
            fewer than two periods a block.
    """
    values = _checked(np.asarray(returns, dtype=np.float64), blocks)
    pieces = values[len(values) % blocks :].reshape(blocks, -1, values.shape[1])
    sums, squares = pieces.sum(axis=1), (pieces**2).sum(axis=1)
    count = pieces.shape[1] * blocks // 2
    found = []
    splits = combinations(range(blocks), blocks // 2)
    while chunk := list(islice(splits, _CHUNK)):
        inside = np.zeros((len(chunk), blocks))
        np.put_along_axis(inside, np.array(chunk), 1.0, axis=1)
        found.append(
            _split(
                judge(inside @ sums, inside @ squares, count),
                judge((1 - inside) @ sums, (1 - inside) @ squares, count),
            )
        )
    logits, before, after = np.concatenate(found, axis=1)
    return Overfitting(float((logits <= 0).mean()), logits, np.column_stack([before, after]))


def _split(inside: Array, outside: Array) -> Array:
    """Logit of the rank outside of what is best inside, and its two figures; a column for each split."""
    rows = np.arange(len(inside))
    best = inside.argmax(axis=1)
    rank = rankdata(outside, axis=1)[rows, best] / (inside.shape[1] + 1)
    return np.stack([np.log(rank / (1 - rank)), inside[rows, best], outside[rows, best]])


def _checked(values: Array, blocks: int) -> Array:
    if values.ndim != 2 or values.shape[1] < 2 or not np.isfinite(values).all():  # noqa: PLR2004 - a table
        raise DataError(
            f"Returns of the shape {values.shape} say nothing of overfitting.",
            "Give a finite return for each period (rows) of two or more configurations (columns).",
        )
    if blocks < 2 or blocks % 2 or len(values) < 2 * blocks:  # noqa: PLR2004 - halves, and deviations in them
        raise DataError(
            f"{len(values)} periods do not make {blocks} blocks.",
            "Take an even number of blocks and two periods or more for each.",
        )
    return values
