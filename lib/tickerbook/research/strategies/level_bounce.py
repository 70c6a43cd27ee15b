"""Level bounce: long when price comes down to a support of confirmed swing lows and closes above it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.held_trades import Entry, held_trades
from tickerbook.research.indicators import atr, swing_highs, swing_lows
from tickerbook.research.known_swings import KnownSwings
from tickerbook.research.level import ATR_PERIOD
from tickerbook.research.ranges import Range, check_ranges


@dataclass(frozen=True)
class LevelBounce:
    """Buy the bounce from a support zone; leave at resistance, at the stop, or when time is up.

    Support at a session is made of the swing lows of the last `lookback` sessions, known by that close, that
    are within `zone_atr` ATR of the session's low; `touches` of them make a zone. A bounce is a close above
    all of them and above the session's open. The target is the nearest known swing high above the close;
    where there is none, only stop and time end the trade.

    Attributes:
        span: sessions on each side of a swing; a swing is known that many sessions after it.
        lookback: sessions in which swings count.
        touches: swing lows that make a zone.
        zone_atr: how near they must be to the session's low, in ATR.
        stop_atr: how far below the lowest of them the stop is, in ATR.
        reward_risk: the bounce is taken if the target is at least this many times as far as the stop.
        hold: sessions after which the trade ends anyway.
    """

    title: ClassVar[str] = "level bounce"

    span: Annotated[int, Range(1, 50)] = 5
    lookback: Annotated[int, Range(3, 500)] = 100
    touches: Annotated[int, Range(1, 20, tried=(1, 2))] = 2
    zone_atr: Annotated[float, Range(0.05, 5, tried=(0.5, 1.0))] = 0.5
    stop_atr: Annotated[float, Range(0.05, 5, tried=(0.5, 1.0))] = 0.5
    reward_risk: Annotated[float, Range(0, 100)] = 1.0
    hold: Annotated[int, Range(1, 250, tried=(10, 20))] = 20

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.lookback < 2 * self.span + 1:
            raise ConfigError(
                f"level_bounce: no swing fits: {self}.", "Use a lookback longer than twice the span."
            )

    @property
    def warmup(self) -> int:
        """A whole lookback, or the ATR's first value where that takes longer."""
        return max(self.lookback, ATR_PERIOD)

    def exposure(self, bars: Bars) -> pd.Series:
        """1 from a bounce to the target, the stop or the end of its time, else 0."""
        return _trades(self, bars)["exposure"]

    def exits(self, bars: Bars) -> pd.DataFrame:
        """The stop and the target of the trade that is on."""
        return _trades(self, bars)[["stop", "target"]]


@lru_cache(maxsize=2)  # exposure and exits are asked for one after the other
def _trades(rule: LevelBounce, bars: Bars) -> pd.DataFrame:
    frame = bars.frame
    opened, low, close = (frame[name].tolist() for name in ("open", "low", "close"))
    reach = atr(frame, ATR_PERIOD).tolist()
    lows, highs = (
        KnownSwings(
            frame[name].to_numpy(), marks(frame[name], rule.span).to_numpy(), rule.span, rule.lookback
        )
        for name, marks in (("low", swing_lows), ("high", swing_highs))
    )

    def entry(row: int) -> Entry:
        if close[row] <= opened[row]:
            return None
        support = lows.near(row, low[row], rule.zone_atr * reach[row])
        if len(support) < rule.touches or close[row] <= max(support):
            return None
        stop = min(support) - rule.stop_atr * reach[row]
        target = highs.above(row, close[row])
        worth = stop > 0 and target - close[row] >= rule.reward_risk * (close[row] - stop)
        return (stop, target) if worth else None

    return held_trades(frame, rule.warmup, rule.hold, entry)
