"""Bars as logarithms on one scale: what the checks of size compare.

Splits that the frame lists are taken out of prices and volume, whichever way they were delivered, so that
what jumps here is a movement of the market or an error. All arrays have one entry a row.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

_NORMAL = 1.4826  # standard deviations in a median absolute deviation of the normal distribution
_FLOOR = 0.002  # no noise is smaller: prices move in ticks
_WIDTH = 41  # rows that know what is usual around one
_FREEDOM = 4.0  # degrees of freedom of daily returns, as usually estimated


@dataclass(frozen=True, eq=False)
class Tape:
    """A frame as the checks of size see it.

    Attributes:
        logs: logarithms of open, high, low, close; NaN where a price is missing or not positive.
        volume: shares; NaN where missing.
        dividend: currency a share on the scale of `logs`; 0 where none.
        split: new shares for each old one; 1 where none.
    """

    logs: Any
    volume: Any
    dividend: Any
    split: Any

    @cached_property
    def level(self) -> Any:
        """The middle of each bar: the second lowest of its four prices, in logarithms."""
        return np.sort(self.logs, axis=1)[:, 1]

    @cached_property
    def before(self) -> Any:
        """The last known close before each row; NaN in the first."""
        close = self.logs[:, 3]
        if np.isnan(close).any():
            close = pd.Series(close).ffill().to_numpy()
        return np.concatenate(([np.nan], close[:-1]))[: len(close)]

    @cached_property
    def share(self) -> Any:
        """Dividend as a share of the close before; 0 where none."""
        return np.where(self.dividend > 0, self.dividend / np.exp(self.before), 0.0)

    @cached_property
    def owed(self) -> Any:
        """What the dividend alone does to the price: log(1 − share); 0 where that cannot be."""
        return np.log1p(-np.where((self.share > 0) & (self.share < 1), self.share, 0.0))

    @cached_property
    def gap(self) -> Any:
        """Open against the close before."""
        return self.logs[:, 0] - self.before

    @cached_property
    def change(self) -> Any:
        """Close against the close before."""
        return self.logs[:, 3] - self.before

    @cached_property
    def gap_noise(self) -> Any:
        """How large a gap is usual around each row (a standard deviation)."""
        return noise(self.gap)

    @cached_property
    def change_noise(self) -> Any:
        """How large a change is usual around each row (a standard deviation)."""
        return noise(self.change)

    @cached_property
    def bustle(self) -> Any:
        """Volume against what is usual around each row, in logarithms; NaN where unknown or zero."""
        return self.shares - _median(self.shares)

    @cached_property
    def shares(self) -> Any:
        """Logarithm of volume; NaN where unknown or zero."""
        return np.log(np.where(self.volume > 0, self.volume, np.nan))

    def surprise(self, rows: Any, expected: Any) -> Any:
        """Log likelihood of what happened at `rows`, had `expected` been the return to expect.

        Open and close tell of the same event, so each counts half.
        """
        gap = fit((self.gap[rows] - expected) / self.gap_noise[rows])
        change = fit((self.change[rows] - expected) / self.change_noise[rows])
        return np.where(np.isnan(gap), change, np.where(np.isnan(change), gap, (gap + change) / 2))


def later(split: Any) -> Any:
    """For each row, the product of all later splits."""
    return np.append(np.cumprod(split[::-1])[::-1][1:], 1.0)[: len(split)]


def fit(z: Any) -> Any:
    """Log density of Student's t, up to a constant: outliers cost, but not without bound."""
    return -(_FREEDOM + 1) / 2 * np.log1p(np.square(z) / _FREEDOM)


def noise(values: Any) -> Any:
    """A standard deviation around each row that a few wrong values do not move."""
    sizes = np.abs(values)
    known = sizes[np.isfinite(sizes)]
    if not len(known):
        return np.full(len(sizes), _FLOOR)
    usual = np.minimum(known, np.quantile(known, 0.98)).mean()
    around = np.nan_to_num(_median(sizes)) * _NORMAL
    return np.maximum(around, max(usual / 2, _FLOOR))


def _median(values: Any) -> Any:
    return pd.Series(values).rolling(_WIDTH, center=True, min_periods=1).median().to_numpy()
