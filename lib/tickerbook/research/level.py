"""Level: a price zone where trade has turned or paused, and the odds that it holds.

The methods are the files of `research/levels/`; `tickerbook.research.levels` is the way in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

Side = Literal["support", "resistance"]
LOOKBACK = 504  # sessions, two years: how far back a method looks for levels
ATR_PERIOD = 14


@dataclass(frozen=True, slots=True)
class Odds:
    """How often levels like one held when price came to them, measured against chance. Fractions, 0 to 1.

    Attributes:
        estimate: probability of a bounce after a touch: 1 ATR back before 1 ATR through.
        low, high: its 95 % interval.
        n: touches behind it, of all tickers.
        placebo: the same of placebo levels at matched distance, side and volatility.
        edge: `estimate` − `placebo`.
        edge_low, edge_high: its 95 % interval, block bootstrap by date.
        sufficient: whether n suffices to say anything; where it does not, all else is to be left unsaid.
    """

    estimate: float
    low: float
    high: float
    n: int
    placebo: float
    edge: float
    edge_low: float
    edge_high: float
    sufficient: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A price with the zone around it, in currency a share, adjusted as the bars it was found in.

    Attributes:
        price: the level itself.
        low, high: the zone, low ≤ price ≤ high.
        side: "support" where the price is at or below the last close, "resistance" where it is above.
        method: how it was found, as a reader would say it; methods that agree on a price are listed.
        formed: the session that made it; the first one where there are several.
        known: the session at whose close it first could be computed; never before `formed`.
        touches: separate visits of the price to the zone after `formed`, up to the last session: runs of
            bars whose range meets the zone, each after a bar outside it.
        family: the family of methods it comes from; methods of one family are not independent of each other.
        kind: the method by the name under which its odds are measured.
        families: independent families with a price in the zone, its own included.
        odds: how often such levels held, once that is measured.
    """

    price: float
    low: float
    high: float
    side: Side
    method: str
    formed: date
    known: date
    touches: int
    family: str = ""
    kind: str = ""
    families: int = 1
    odds: Odds | None = None


def nearest_support(levels: Iterable[Level], close: float) -> Level | None:
    """The level with the highest price strictly below `close`; None where there is none.

    The prior close is a level at no distance from itself: it supports nothing and is never the answer.
    """
    return max(
        (level for level in levels if level.price < close), key=lambda level: level.price, default=None
    )


def nearest_resistance(levels: Iterable[Level], close: float) -> Level | None:
    """The level with the lowest price strictly above `close`; None where there is none."""
    return min(
        (level for level in levels if level.price > close), key=lambda level: level.price, default=None
    )
