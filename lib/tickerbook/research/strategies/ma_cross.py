"""Moving-average cross: long after the fast average crosses above the slow one, until it crosses below."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.indicators import sma


@dataclass(frozen=True)
class MovingAverageCross:
    """Cross of two simple moving averages of the close.

    A cross is a change of sign of fast − slow from one session to the next; touching is none. A trend that
    was already running when the bars begin is not joined.

    Attributes:
        fast, slow: sessions of the averages, fast < slow.
        short: whether to be short, not flat, after a cross below.
    """

    fast: int = 20
    slow: int = 100
    short: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.fast < self.slow:
            raise ConfigError(
                f"ma_cross: fast = {self.fast} and slow = {self.slow} do not cross.",
                "Use 1 ≤ fast < slow, in sessions.",
            )

    @property
    def warmup(self) -> int:
        """The slow average needs `slow` sessions, and seeing it cross one more."""
        return self.slow

    def exposure(self, bars: Bars) -> pd.Series:
        """1 after a cross above, 0 (or −1) after a cross below, 0 before the first."""
        close = bars.frame["close"]
        side = np.sign(sma(close, self.fast) - sma(close, self.slow)).replace(0, np.nan).ffill()
        crossed = side.ne(side.shift()) & side.shift().notna()
        held = side.where(crossed).ffill().fillna(0.0)
        return held if self.short else held.clip(lower=0)
