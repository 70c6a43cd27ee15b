"""A strategy with sizes: what a rule decides, held in the size that a trade plan would give it."""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import DataError
from tickerbook.research.desk import Desk, Order, size_order
from tickerbook.research.indicators import atr
from tickerbook.research.level import ATR_PERIOD
from tickerbook.research.limits import Limits
from tickerbook.research.strategy import Strategy

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SizedStrategy:
    """A rule whose positions are sized by `size_order` at the close that begins them, as a trade plan is.

    The stop is that of the rule's own `exits` where it has one at that close, else `limits.stop_atr` ATR from
    the close; it rests in the market as long as the position is held. What cannot be sized is not held.
    `limits.equity` is what the account is worth at each of these closes: sizes are fractions of it.

    Attributes:
        rule: says when to be long, flat or short.
        limits: what the account allows.
        desk: what is known beside the bars.
    """

    rule: Strategy
    limits: Limits
    desk: Desk = field(default_factory=Desk)

    @property
    def warmup(self) -> int:
        """The rule's, or as long as ATR and volatility take."""
        return max(self.rule.warmup, ATR_PERIOD, self.limits.volatility_sessions)

    def exposure(self, bars: Bars) -> pd.Series:
        """What the rule decides, times the weight of the position when it began."""
        decided, weights, _ = self._positions(bars)
        return pd.Series(decided * weights, bars.frame.index)

    def exits(self, bars: Bars) -> pd.DataFrame:
        """The stop that each position was sized for, and the rule's own targets."""
        _, weights, stops = self._positions(bars)
        own = _exits(self.rule, bars)
        held = np.where(weights > 0, stops, np.nan)
        return pd.DataFrame({"stop": held, "target": own["target"].to_numpy()}, bars.frame.index)

    def _positions(self, bars: Bars) -> tuple[Array, Array, Array]:
        """At each close: what the rule decides, the weight of a whole position, and its stop."""
        decided = self.rule.exposure(bars).to_numpy(dtype=np.float64, copy=True)
        decided[: self.warmup] = 0.0
        side = np.sign(decided)
        begins = np.flatnonzero((side != 0) & (side != np.concatenate(([0.0], side[:-1]))))
        weights, stops = np.zeros(len(bars)), np.full(len(bars), np.nan)
        given = self._stops(bars, side)
        for row in begins:
            weights[row], stops[row] = self._weight(bars, int(row), int(side[row]), given[row]), given[row]
        since = np.maximum.accumulate(
            np.where(np.isin(np.arange(len(bars)), begins), np.arange(len(bars)), 0)
        )
        on = side != 0
        return decided, np.where(on, weights[since], 0.0), np.where(on, stops[since], np.nan)

    def _stops(self, bars: Bars, side: Array) -> Array:
        unit, close = atr(bars.frame, ATR_PERIOD).to_numpy(), bars.frame["close"].to_numpy()
        own = _exits(self.rule, bars)["stop"].to_numpy()
        stops: Array = np.where(np.isnan(own), close - side * self.limits.stop_atr * unit, own)
        return stops

    def _weight(self, bars: Bars, row: int, side: int, stop: float) -> float:
        """Share of equity in a position that begins at a row's close; 0 where it cannot be sized."""
        if not stop > 0:
            return 0.0
        known = replace(bars, frame=bars.frame.iloc[: row + 1])
        order = Order(float(known.frame["close"].iloc[-1]), float(stop), side="long" if side > 0 else "short")
        try:
            return size_order(known, order, self.limits, self.desk).size.notional / self.limits.equity
        except DataError:  # prices that stand still
            return 0.0


def _exits(rule: Strategy, bars: Bars) -> pd.DataFrame:
    """A rule's own stops and targets; NaN where it has none."""
    own = getattr(rule, "exits", None)
    if own is None:
        return pd.DataFrame(np.nan, bars.frame.index, ["stop", "target"])
    found: pd.DataFrame = own(bars)
    return found
