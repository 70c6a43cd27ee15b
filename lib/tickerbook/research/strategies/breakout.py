"""Breakout: long after a close above the last sessions' channel, until a close below a shorter one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.indicators import highest, lowest


@dataclass(frozen=True)
class Breakout:
    """Donchian's channels, with the lengths of the Turtles' second system, decided on closes.

    Attributes:
        entry: the close must be above the highest high of this many sessions before it.
        exit: and out when it is below the lowest low of this many sessions before it.
    """

    entry: int = 55
    exit: int = 20

    def __post_init__(self) -> None:
        if not (self.entry >= 1 and self.exit >= 1):
            raise ConfigError(
                f"breakout: entry = {self.entry} and exit = {self.exit} are no channels.",
                "Use 1 session or more for each.",
            )

    @property
    def warmup(self) -> int:
        """The longer channel lies wholly before the first session that can break out of it."""
        return max(self.entry, self.exit)

    def exposure(self, bars: Bars) -> pd.Series:
        """1 from a close above the entry channel to a close below the exit channel, else 0."""
        frame = bars.frame
        above = frame["close"] > highest(frame["high"], self.entry).shift()
        below = frame["close"] < lowest(frame["low"], self.exit).shift()
        above.iloc[: self.warmup] = False
        return pd.Series(np.nan, frame.index).mask(above, 1.0).mask(below, 0.0).ffill().fillna(0.0)
