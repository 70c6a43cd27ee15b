"""Level breakout: long when price closes above a resistance of confirmed swing highs."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.held_trades import Entry, held_trades
from tickerbook.research.indicators import atr, swing_highs
from tickerbook.research.known_swings import KnownSwings
from tickerbook.research.level import ATR_PERIOD
from tickerbook.research.ranges import Range, check_ranges


@dataclass(frozen=True)
class LevelBreakout:
    """Buy the break of a resistance zone; leave when price is back below it, far above it, or after a time.

    Resistance at a session is the lowest swing high of the last `lookback` sessions that is known by that
    close and above the close before, with the other swing highs within `zone_atr` ATR of it; `touches` of
    them make a zone. A breakout is a close above all of them.

    Attributes:
        span: sessions on each side of a swing; a swing is known that many sessions after it.
        lookback: sessions in which swings count.
        touches: swing highs that make a zone.
        zone_atr: how near each other they must be, in ATR.
        stop_atr: how far below the lowest of them the stop is, in ATR.
        reward_risk: how many times as far as the stop the target is.
        hold: sessions after which the trade ends anyway.
    """

    title: ClassVar[str] = "level breakout"

    span: Annotated[int, Range(1, 50)] = 5
    lookback: Annotated[int, Range(3, 500)] = 100
    touches: Annotated[int, Range(1, 20, tried=(1, 2))] = 2
    zone_atr: Annotated[float, Range(0.05, 5, tried=(0.5, 1.0))] = 0.5
    stop_atr: Annotated[float, Range(0.05, 5, tried=(0.5, 1.0))] = 1.0
    reward_risk: Annotated[float, Range(0.1, 100, tried=(2.0, 4.0))] = 2.0
    hold: Annotated[int, Range(1, 250)] = 40

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.lookback < 2 * self.span + 1:
            raise ConfigError(
                f"level_breakout: no swing fits: {self}.", "Use a lookback longer than twice the span."
            )

    @property
    def warmup(self) -> int:
        """A whole lookback, or the ATR's first value where that takes longer."""
        return max(self.lookback, ATR_PERIOD)

    def exposure(self, bars: Bars) -> pd.Series:
        """1 from a breakout to the target, the stop or the end of its time, else 0."""
        return _trades(self, bars)["exposure"]

    def exits(self, bars: Bars) -> pd.DataFrame:
        """The stop and the target of the trade that is on."""
        return _trades(self, bars)[["stop", "target"]]


@lru_cache(maxsize=2)  # exposure and exits are asked for one after the other
def _trades(rule: LevelBreakout, bars: Bars) -> pd.DataFrame:
    frame = bars.frame
    close, reach = frame["close"].tolist(), atr(frame, ATR_PERIOD).tolist()
    marks = swing_highs(frame["high"], rule.span).to_numpy()
    highs = KnownSwings(frame["high"].to_numpy(), marks, rule.span, rule.lookback)

    def entry(row: int) -> Entry:
        nearest = highs.above(row, close[row - 1])
        if close[row] <= nearest:
            return None
        zone = highs.near(row, nearest, rule.zone_atr * reach[row])
        if len(zone) < rule.touches or close[row] <= max(zone):
            return None
        stop = min(zone) - rule.stop_atr * reach[row]
        return (stop, close[row] + rule.reward_risk * (close[row] - stop)) if stop > 0 else None

    return held_trades(frame, rule.warmup, rule.hold, entry)
