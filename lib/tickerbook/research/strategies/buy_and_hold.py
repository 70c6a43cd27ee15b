"""Buy and hold: the benchmark, as a strategy."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.research.ranges import Range, check_ranges


@dataclass(frozen=True)
class BuyAndHold:
    """Buys once and does nothing more; what every other strategy is compared with.

    Attributes:
        weight: share of equity that is bought.
    """

    title: ClassVar[str] = "buy and hold"

    weight: Annotated[float, Range(0, 1)] = 1.0

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def warmup(self) -> int:
        """Nothing has to be known."""
        return 0

    def exposure(self, bars: Bars) -> pd.Series:
        """The weight, at every close."""
        return pd.Series(self.weight, bars.frame.index)
