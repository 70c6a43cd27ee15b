"""What trading costs: commission, half the spread, and the market impact of the order itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.errors import ConfigError, DataError

Array = npt.NDArray[np.float64]
WHOLE = 10_000  # basis points
LIQUIDITY_SESSIONS = 20  # sessions that volatility and mean volume are measured on
_DEAREST = 1_000  # basis points
_STRONGEST = 10.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs, on every fill: buying and selling, also of the benchmark.

    A fill is worse than the price it is made at by half the spread and by the impact of the order:
    `impact` · σ · √(Q / ADV), the square-root law (Almgren, Thum, Hauptmann and Li 2005; Tóth et al. 2011,
    who find a factor near 1), with σ the standard deviation of daily returns and ADV the mean daily volume
    of the 20 sessions before the order, and Q its shares. Commission is paid on the value of the fill.

    Attributes:
        commission_bps: paid to the broker, basis points of the fill's value.
        half_spread_bps: from the middle of the market to the price it is traded at, basis points.
        impact: the factor of the square-root law; 0 for none.

    Raises:
        ConfigError: if a cost is not in 0 to 1,000 basis points, or the factor not in 0 to 10.
    """

    commission_bps: float
    half_spread_bps: float
    impact: float = 0.0

    def __post_init__(self) -> None:
        for name in ("commission_bps", "half_spread_bps"):
            if not 0 <= getattr(self, name) <= _DEAREST:
                raise ConfigError(
                    f"{name} = {getattr(self, name)} is no cost.",
                    f"Use basis points from 0 to {_DEAREST:,}.",
                )
        if not 0 <= self.impact <= _STRONGEST:
            raise ConfigError(
                f"impact = {self.impact} is no factor of market impact.",
                f"Use a number from 0 to {_STRONGEST:g}; the usual one is 1.",
            )

    @property
    def fee(self) -> float:
        """The commission as a fraction of a fill's value."""
        return self.commission_bps / WHOLE

    @property
    def spread(self) -> float:
        """How much worse than its price a fill is, without impact, as a fraction."""
        return self.half_spread_bps / WHOLE


def pressure(frame: pd.DataFrame) -> Array:
    """σ / √ADV at each session's open: what the root of an order's shares is multiplied with.

    Measured on the 20 sessions before (on those there are, from the third session on). NaN where the volume
    is unknown or nothing was traded.
    """
    returns = frame["close"].pct_change()
    deviation = returns.rolling(LIQUIDITY_SESSIONS, min_periods=2).std()
    volume = frame["volume"].rolling(LIQUIDITY_SESSIONS, min_periods=1).mean()
    known: Array = (deviation / np.sqrt(volume.where(volume > 0))).shift(1).to_numpy()
    return known


def slippage(shares: Array, known: Array, costs: Costs, sessions: pd.DatetimeIndex) -> Array:
    """How much worse than its price each fill is, as a fraction: half the spread plus the order's impact.

    Args:
        shares: of each order (rows) of each strategy (columns); 0 where there is none.
        known: `pressure` at each order's session.
        costs: half spread and factor.
        sessions: the first of each row's sessions, for what is said where the impact cannot be told.

    Raises:
        DataError: if there is an order on a session before which volume or volatility is unknown.
    """
    unknown = (np.isnan(known) & (shares > 0)).any(axis=1)
    if unknown.any():
        raise DataError(
            f"The impact of an order on {sessions[unknown.argmax()]:%Y-%m-%d} or later is unknown:"
            " there is no volume, or no change of price, to measure it with.",
            "Begin later, or set `impact = 0` to leave it out.",
        )
    drift: Array = costs.impact * np.nan_to_num(known) * np.sqrt(shares)
    return costs.spread + np.minimum(drift, 1 - 2 * costs.spread)
