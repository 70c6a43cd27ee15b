"""Swing highs and lows as they were known on the day."""

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class KnownSwings:
    """Prices of swings, and which of them are known and recent at a row.

    Args:
        prices: highs or lows.
        marks: whether each is a swing, at its own row; known `span` rows later.
        span: sessions on each side of a swing.
        lookback: rows in which swings count.
    """

    def __init__(self, prices: Array, marks: npt.NDArray[np.bool_], span: int, lookback: int) -> None:
        rows = np.flatnonzero(marks)
        now = np.arange(len(prices))
        self._prices: list[float] = prices[rows].tolist()
        self._first: list[int] = np.searchsorted(rows, now - lookback, side="left").tolist()
        self._end: list[int] = np.searchsorted(rows, now - span, side="right").tolist()

    def known(self, row: int) -> list[float]:
        """Those known at `row` that are not too old."""
        return self._prices[self._first[row] : self._end[row]]

    def near(self, row: int, price: float, reach: float) -> list[float]:
        """Those known at `row` that are no further than `reach` from `price`."""
        return [known for known in self.known(row) if abs(known - price) <= reach]

    def above(self, row: int, price: float) -> float:
        """The lowest known at `row` that is above `price`; infinity where there is none."""
        return min((known for known in self.known(row) if known > price), default=math.inf)
