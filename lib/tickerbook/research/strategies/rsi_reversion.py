"""RSI mean reversion: long after the relative strength index has fallen low, until it has recovered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.indicators import rsi
from tickerbook.research.ranges import Range, check_ranges
from tickerbook.research.states import Array, between


@dataclass(frozen=True)
class RsiReversion:
    """Buys weakness: what has fallen fast is held until it has recovered (after Wilder 1978; Connors 2009).

    Attributes:
        period: sessions of the index.
        low: the index must be below this to buy.
        high: and above this to sell.
    """

    title: ClassVar[str] = "RSI mean reversion"

    period: Annotated[int, Range(2, 100, tried=(2, 5, 14))] = 14
    low: Annotated[float, Range(1, 50, tried=(10.0, 20.0, 30.0))] = 30.0
    high: Annotated[float, Range(30, 99, tried=(50.0, 60.0, 70.0))] = 50.0

    def __post_init__(self) -> None:
        check_ranges(self)
        if not self.low < self.high:
            raise ConfigError(
                f"rsi_reversion: low = {self.low} and high = {self.high} leave nothing to recover.",
                "Use a low below the high.",
            )

    @property
    def warmup(self) -> int:
        """The index needs `period` changes of the close."""
        return self.period

    def exposure(self, bars: Bars) -> pd.Series:
        """1 from a close with the index below `low` to one with it above `high`, else 0."""
        return pd.Series(self.exposures(bars, [self])[:, 0], bars.frame.index)

    @staticmethod
    def exposures(bars: Bars, rules: Sequence["RsiReversion"]) -> Array:
        """As `exposure`, a column for each rule."""
        indices = {n: rsi(bars.frame["close"], n).to_numpy() for n in {rule.period for rule in rules}}
        index = np.column_stack([indices[rule.period] for rule in rules])
        low, high = (np.array([getattr(rule, name) for rule in rules]) for name in ("low", "high"))
        return between(index < low, index > high)
