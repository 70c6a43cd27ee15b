"""Time-series momentum: long what has risen, sized to a volatility; reviewed once a month."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.research.ranges import Range, check_ranges
from tickerbook.research.states import Array, every
from tickerbook.sessions import sessions_a_year


@dataclass(frozen=True)
class TimeSeriesMomentum:
    """The share's own past return decides the side, its volatility the size (Moskowitz, Ooi, Pedersen 2012).

    Reviewed at the close of each month's first session; between reviews the decision stands.

    Attributes:
        lookback: sessions over which it must have risen.
        volatility: what the position's volatility a year is to be, of the exchange's sessions, as a fraction.
        window: sessions that the volatility is measured on.
        short: whether to be short, not flat, what has fallen.
    """

    title: ClassVar[str] = "time-series momentum"

    lookback: Annotated[int, Range(5, 500, tried=(63, 126, 252))] = 252
    volatility: Annotated[float, Range(0.01, 1.0, tried=(0.1, 0.15, 0.2))] = 0.15
    window: Annotated[int, Range(10, 250)] = 60
    short: bool = False

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def warmup(self) -> int:
        """The past return, or the volatility where that takes longer."""
        return max(self.lookback, self.window)

    def exposure(self, bars: Bars) -> pd.Series:
        """Target volatility over measured volatility, at most 1, while the past return has that sign."""
        return pd.Series(self.exposures(bars, [self])[:, 0], bars.frame.index)

    @staticmethod
    def exposures(bars: Bars, rules: Sequence["TimeSeriesMomentum"]) -> Array:
        """As `exposure`, a column for each rule."""
        close, days = bars.frame["close"], bars.frame.index
        risen = {n: np.sign(close.pct_change(n)).to_numpy() for n in {rule.lookback for rule in rules}}
        daily = close.pct_change()
        moved = {n: daily.rolling(n).std().to_numpy() for n in {rule.window for rule in rules}}
        side = np.column_stack([risen[rule.lookback] for rule in rules])
        year = sessions_a_year(bars.calendar)
        yearly = np.column_stack([moved[rule.window] for rule in rules]) * year**0.5
        wanted = np.array([rule.volatility for rule in rules])
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.where(yearly > 0, np.minimum(wanted / yearly, 1.0), 0.0)  # 0 where nothing moves
        side = np.where((side < 0) & ~np.array([rule.short for rule in rules]), 0.0, side)
        months = np.asarray(days.year * 12 + days.month)
        first = np.concatenate(([False], months[1:] != months[:-1]))
        early = np.arange(len(days))[:, None] < np.array([rule.warmup for rule in rules])
        return every(np.where(early, 0.0, np.nan_to_num(side * size)), first)
