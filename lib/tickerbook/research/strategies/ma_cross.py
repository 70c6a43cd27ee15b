"""Moving-average cross: long after the fast average crosses above the slow one, until it crosses below."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.indicators import sma
from tickerbook.research.ranges import Range, check_ranges
from tickerbook.research.states import Array, filled


@dataclass(frozen=True)
class MovingAverageCross:
    """Cross of two simple moving averages of the close.

    A cross is a change of sign of fast − slow from one session to the next; touching is none. A trend that
    was already running when the bars begin is not joined.

    Attributes:
        fast, slow: sessions of the averages, fast < slow.
        short: whether to be short, not flat, after a cross below.
    """

    title: ClassVar[str] = "moving-average cross"

    fast: Annotated[int, Range(1, 250, tried=(5, 10, 20, 50))] = 20
    slow: Annotated[int, Range(2, 500, tried=(50, 100, 150, 200))] = 100
    short: bool = False

    def __post_init__(self) -> None:
        check_ranges(self)
        if not self.fast < self.slow:
            raise ConfigError(
                f"ma_cross: fast = {self.fast} and slow = {self.slow} do not cross.",
                "Use a fast average that is shorter than the slow one.",
            )

    @property
    def warmup(self) -> int:
        """The slow average needs `slow` sessions, and seeing it cross one more."""
        return self.slow

    def exposure(self, bars: Bars) -> pd.Series:
        """1 after a cross above, 0 (or −1) after a cross below, 0 before the first."""
        return pd.Series(self.exposures(bars, [self])[:, 0], bars.frame.index)

    @staticmethod
    def exposures(bars: Bars, rules: Sequence["MovingAverageCross"]) -> Array:
        """As `exposure`, a column for each rule."""
        lengths = sorted({n for rule in rules for n in (rule.fast, rule.slow)})
        means = np.column_stack([_mean(bars, n) for n in lengths])
        fast = means[:, np.searchsorted(lengths, [rule.fast for rule in rules])]
        slow = means[:, np.searchsorted(lengths, [rule.slow for rule in rules])]
        side = filled((fast > slow).view(np.int8) - (fast < slow).view(np.int8))
        begun = np.argmax(side != 0, axis=0)
        crossed = np.logical_or.accumulate((side != 0) & (side != side[begun, np.arange(len(rules))]), axis=0)
        short = np.array([rule.short for rule in rules])
        return np.where(crossed & ((side > 0) | short), side, 0).astype(np.float64)


@lru_cache(maxsize=256)  # a sweep asks for the same averages in each of its pieces
def _mean(bars: Bars, n: int) -> Array:
    mean: Array = sma(bars.frame["close"], n).to_numpy()
    return mean
