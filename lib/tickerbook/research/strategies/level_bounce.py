"""Level bounce: long when price comes down to a support of confirmed swing lows and closes above it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.indicators import atr, swing_highs, swing_lows
from tickerbook.research.level import ATR_PERIOD

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LevelBounce:
    """Buy the bounce from a support zone; leave at resistance, below the stop, or when time is up.

    Support at a session is made of the swing lows of the last `lookback` sessions, known by that close, that
    are within `zone_atr` ATR of the session's low; `touches` of them make a zone. A bounce is a close above
    all of them and above the session's open. The target is the nearest known swing high above the close;
    where there is none, only stop and time end the trade.

    Attributes:
        span: sessions on each side of a swing; a swing is known that many sessions after it.
        lookback: sessions in which swings count.
        touches: swing lows that make a zone.
        zone_atr: how near they must be to the session's low, in ATR.
        stop_atr: how far below the lowest of them a close ends the trade, in ATR.
        reward_risk: the bounce is taken if the target is at least this many times as far as the stop.
        hold: sessions after which the trade ends anyway.
    """

    span: int = 5
    lookback: int = 100
    touches: int = 2
    zone_atr: float = 0.5
    stop_atr: float = 0.5
    reward_risk: float = 1.0
    hold: int = 20

    def __post_init__(self) -> None:
        if min(self.span, self.touches, self.hold) < 1 or self.lookback < 2 * self.span + 1:
            raise ConfigError(
                f"level_bounce: no swing fits: {self}.",
                "Use span, touches and hold of 1 or more, and a lookback longer than twice the span.",
            )
        if not (self.zone_atr > 0 and self.stop_atr > 0 and self.reward_risk >= 0):
            raise ConfigError(
                f"level_bounce: the zone and the stop need a size: {self}.",
                "Use zone_atr and stop_atr above 0, and reward_risk of 0 or more.",
            )

    @property
    def warmup(self) -> int:
        """A whole lookback, or the ATR's first value where that takes longer."""
        return max(self.lookback, ATR_PERIOD)

    def exposure(self, bars: Bars) -> pd.Series:
        """1 from a bounce to the target, the stop or the end of its time, else 0."""
        frame = bars.frame
        opened, high, low, close = (frame[c].to_numpy() for c in ("open", "high", "low", "close"))
        reach = atr(frame, ATR_PERIOD).to_numpy()
        lows = _Swings(low, swing_lows(frame["low"], self.span).to_numpy(), self.span, self.lookback)
        highs = _Swings(high, swing_highs(frame["high"], self.span).to_numpy(), self.span, self.lookback)
        held = np.zeros(len(frame))
        stop, target, until = 0.0, 0.0, -1  # of the trade that is on; until = -1 when there is none
        for row in range(self.warmup, len(frame)):  # what ends a trade depends on how it began: no vectors
            if until >= 0:
                if close[row] < stop or high[row] >= target or row >= until:
                    until = -1
            elif close[row] > opened[row]:
                support = lows.near(row, low[row], self.zone_atr * reach[row])
                if len(support) >= self.touches and close[row] > support.max():
                    stop = support.min() - self.stop_atr * reach[row]
                    target = highs.above(row, close[row])
                    if target - close[row] >= self.reward_risk * (close[row] - stop):
                        until = row + self.hold
            held[row] = until >= 0
        return pd.Series(held, frame.index)


class _Swings:
    """Prices of swings, and which of them are known and recent at a row."""

    def __init__(self, prices: Array, marks: npt.NDArray[np.bool_], span: int, lookback: int) -> None:
        rows = np.flatnonzero(marks)
        now = np.arange(len(prices))
        self._prices = prices[rows]
        self._first = np.searchsorted(rows, now - lookback, side="left")
        self._end = np.searchsorted(rows, now - span, side="right")

    def _known(self, row: int) -> Array:
        return self._prices[self._first[row] : self._end[row]]

    def near(self, row: int, price: float, reach: float) -> Array:
        """Those known at `row` that are no further than `reach` from `price`."""
        known = self._known(row)
        return known[np.abs(known - price) <= reach]

    def above(self, row: int, price: float) -> float:
        """The lowest known at `row` that is above `price`; infinity where there is none."""
        known = self._known(row)
        return float(np.min(known[known > price], initial=np.inf))
