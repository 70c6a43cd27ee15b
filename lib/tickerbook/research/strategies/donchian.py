"""Donchian breakout: long after a close above the last sessions' channel, until one below a shorter one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.research.indicators import highest, lowest
from tickerbook.research.ranges import Range, check_ranges
from tickerbook.research.states import Array, between


@dataclass(frozen=True)
class DonchianBreakout:
    """Donchian's channels, with the lengths of the Turtles' second system, decided on closes.

    Attributes:
        entry: the close must be above the highest high of this many sessions before it.
        exit: and out when it is below the lowest low of this many sessions before it.
    """

    title: ClassVar[str] = "Donchian breakout"

    entry: Annotated[int, Range(1, 500, tried=(20, 55, 100, 200))] = 55
    exit: Annotated[int, Range(1, 500, tried=(10, 20, 50))] = 20

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def warmup(self) -> int:
        """The longer channel lies wholly before the first session that can break out of it."""
        return max(self.entry, self.exit)

    def exposure(self, bars: Bars) -> pd.Series:
        """1 from a close above the entry channel to a close below the exit channel, else 0."""
        return pd.Series(self.exposures(bars, [self])[:, 0], bars.frame.index)

    @staticmethod
    def exposures(bars: Bars, rules: Sequence["DonchianBreakout"]) -> Array:
        """As `exposure`, a column for each rule."""
        frame, close = bars.frame, bars.frame["close"]
        above = {n: (close > highest(frame["high"], n).shift()).to_numpy() for n in {r.entry for r in rules}}
        below = {n: (close < lowest(frame["low"], n).shift()).to_numpy() for n in {r.exit for r in rules}}
        enter = np.column_stack([above[rule.entry] for rule in rules])
        leave = np.column_stack([below[rule.exit] for rule in rules])
        early = np.arange(len(close))[:, None] < np.array([rule.warmup for rule in rules])
        return between(enter & ~early, leave)
