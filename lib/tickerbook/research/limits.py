"""What the analyst allows: the limits that sizes and plans keep to."""

import math
from dataclasses import dataclass

from tickerbook.research.position import check_limits, check_value
from tickerbook.research.throttle import Account, Throttle


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of an account and of a plan; each has a default but the equity. Fractions unless told otherwise.

    Attributes:
        equity: what the account is worth, in the bars' currency.
        equity_peak: the most it was ever worth; 0 if that is now.
        equity_trough: the least since that peak, or since sizes were last restored; 0 if that is now.
        risk_fraction: share of equity that may be lost at the stop.
        volatility_target: of the equity, a year, if this were its only position.
        max_weight: largest share of equity in one position.
        max_heat: largest share of equity at risk in all positions together, if every stop is hit.
        max_cluster_heat: … in this one and what moves with it.
        max_drawdown: drawdown of the account at which nothing is bought any more.
        rearm_drawdown: drawdown at which buying begins again.
        max_volume_share: largest share of a mean day's volume (20 sessions) in the position.
        require_edge: whether a size needs a measured edge; without, Kelly and conviction are not applied.
        kelly_fraction: share of Kelly's fraction that may be risked.
        stop_atr: how far below the zone the stop is at least, in ATR(14).
        min_target_atr: how far from the entry a target must be to count, in ATR(14).
        min_reward_risk: the nearest target must be this many times as far as the stop.
        min_touches: visits of the price that make a level count; 0 for all levels.
        max_entry_atr: how far below the close the entry may be, in ATR(14).
        spread_bps: bid-ask spread, in basis points of the price; 0 if it is not known.
        max_spread_risk: largest share of the risk of a share that the spread may be.
        earnings_sessions: sessions to the next earnings within which nothing is bought.
        max_missing_sessions: sessions without prices among the newest 20.
        trend_sessions: the close must be at or above its mean of this many sessions.
        volatility_sessions: returns that the volatility is measured on.
        correlation_sessions: returns that correlations are measured on.
        min_sessions: bars that are needed to trust any of it.
        lot: shares that are traded together.

    Raises:
        ConfigError: names the first that is out of its range.
    """

    equity: float
    equity_peak: float = 0.0
    equity_trough: float = 0.0
    risk_fraction: float = 0.01
    volatility_target: float = 0.15
    max_weight: float = 0.25
    max_heat: float = 0.06
    max_cluster_heat: float = 0.03
    max_drawdown: float = 0.2
    rearm_drawdown: float = 0.1
    max_volume_share: float = 0.01
    require_edge: bool = True
    kelly_fraction: float = 0.5
    stop_atr: float = 0.5
    min_target_atr: float = 1.0
    min_reward_risk: float = 1.5
    min_touches: int = 2
    max_entry_atr: float = 3.0
    spread_bps: float = 0.0
    max_spread_risk: float = 0.1
    earnings_sessions: int = 5
    max_missing_sessions: int = 0
    trend_sessions: int = 200
    volatility_sessions: int = 60
    correlation_sessions: int = 120
    min_sessions: int = 252
    lot: int = 1

    def __post_init__(self) -> None:
        check_limits(self.equity, self.risk_fraction, self.volatility_target, self.max_weight, self.lot)
        for name in ("max_heat", "max_cluster_heat", "max_volume_share", "max_spread_risk"):
            value = getattr(self, name)
            check_value(name, value, 0 < value <= 1, "above 0 and at most 1")
        check_value("kelly_fraction", self.kelly_fraction, 0 <= self.kelly_fraction <= 1, "0 to 1")
        check_value("stop_atr", self.stop_atr, 0 < self.stop_atr < math.inf, "above 0")
        for name in ("min_target_atr", "min_reward_risk", "max_entry_atr", "spread_bps"):
            value = getattr(self, name)
            check_value(name, value, 0 <= value < math.inf, "0 or more")
        for name in ("min_touches", "earnings_sessions", "max_missing_sessions", "min_sessions"):
            check_value(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")
        for name, least in (("trend_sessions", 1), ("volatility_sessions", 2), ("correlation_sessions", 20)):
            check_value(name, getattr(self, name), getattr(self, name) >= least, f"{least} or more")
        _ = self.account, self.throttle  # which check their own

    @property
    def account(self) -> Account:
        """Where the account stands."""
        peak = self.equity_peak or self.equity
        return Account(self.equity, peak, self.equity_trough or self.equity)

    @property
    def throttle(self) -> Throttle:
        """What a drawdown does to sizes."""
        return Throttle(self.max_drawdown, self.rearm_drawdown)
