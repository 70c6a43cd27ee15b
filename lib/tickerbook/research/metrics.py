"""Performance of a series of returns.

Conventions, the same for every figure:

- Returns are simple, one a session, as fractions. Leading NaN (the first session has no return) is left
  out; a NaN after that is a hole, and the figure is NaN.
- A year has 252 sessions (`SESSIONS_A_YEAR`), whatever the calendar says: the custom for equities, and that
  of empyrical. vectorbt's own year has 365 days and shows Sharpe ratios a fifth too high for stocks.
- A figure that does not exist is NaN, never infinite: a ratio over no risk, anything of no returns.
- There is no risk-free rate: pass excess returns where one is wanted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
SESSIONS_A_YEAR = 252
_NO_RISK = 1e-12  # a deviation below this is rounding error of a flat line


@dataclass(frozen=True, slots=True)
class Performance:
    """What a series of returns amounts to; all fractions, NaN where a figure does not exist."""

    total_return: float
    cagr: float
    volatility: float
    sharpe: float
    sortino: float
    max_drawdown: float


def performance(returns: pd.Series, periods: int = SESSIONS_A_YEAR) -> Performance:
    """Every figure of `Performance`, annualised by `periods` returns a year."""
    return Performance(
        total_return=total_return(returns),
        cagr=cagr(returns, periods),
        volatility=volatility(returns, periods),
        sharpe=sharpe(returns, periods),
        sortino=sortino(returns, periods),
        max_drawdown=max_drawdown(returns),
    )


def total_return(returns: pd.Series) -> float:
    """Compound growth over the whole time: ∏(1 + r) − 1."""
    values = _defined(returns)
    return float(np.prod(1 + values) - 1) if len(values) else np.nan


def cagr(returns: pd.Series, periods: int = SESSIONS_A_YEAR) -> float:
    """Compound growth a year, ∏(1 + r)^(periods / n) − 1; −1 where everything was lost.

    Years are counted in sessions, not by the calendar (empyrical's annual_return). It is computed however
    short the time is; whoever shows it for less than a year should think twice.
    """
    growth = 1 + total_return(returns)
    return growth if np.isnan(growth) else float(max(growth, 0.0) ** (periods / len(_defined(returns))) - 1)


def volatility(returns: pd.Series, periods: int = SESSIONS_A_YEAR) -> float:
    """Standard deviation (n − 1) · √periods."""
    values = _defined(returns)
    return float(np.std(values, ddof=1) * np.sqrt(periods)) if len(values) > 1 else np.nan


def sharpe(returns: pd.Series, periods: int = SESSIONS_A_YEAR) -> float:
    """Mean / standard deviation (n − 1) · √periods (Sharpe 1994); arithmetic, as in empyrical."""
    values = _defined(returns)
    return _ratio(values, float(np.std(values, ddof=1)), periods) if len(values) > 1 else np.nan


def sortino(returns: pd.Series, periods: int = SESSIONS_A_YEAR) -> float:
    """Mean / downside deviation · √periods, the target return being 0.

    The downside deviation is √mean(min(r, 0)²) over all n returns, gains counting as zero (Sortino and Price
    1994; PerformanceAnalytics' method "full"; empyrical).
    """
    values = _defined(returns)
    if len(values) < 2:  # noqa: PLR2004 - one return is no distribution, as for the Sharpe ratio
        return np.nan
    return _ratio(values, float(np.sqrt(np.mean(np.minimum(values, 0) ** 2))), periods)


def max_drawdown(returns: pd.Series) -> float:
    """Deepest fall from a peak, as a fraction ≤ 0. Wealth starts at 1, so an initial loss counts."""
    values = _defined(returns)
    if not len(values):
        return np.nan
    wealth = np.concatenate(([1.0], np.cumprod(1 + values)))
    return float(np.min(wealth / np.maximum.accumulate(wealth) - 1))


def drawdown(equity: pd.Series) -> pd.Series:
    """At each session, how far equity stands below its highest so far, as a fraction ≤ 0."""
    return equity / equity.cummax() - 1


def win_rate(profits: pd.Series) -> float:
    """Share of trades that gained after costs; breaking even is no win. NaN without a trade."""
    return float((profits > 0).mean()) if len(profits) else np.nan


def _ratio(values: Array, deviation: float, periods: int) -> float:
    return float(np.mean(values) / deviation * np.sqrt(periods)) if deviation > _NO_RISK else np.nan


def _defined(returns: pd.Series) -> Array:
    """Returns from the first that is defined."""
    values: Array = returns.to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    return values[known.argmax() :] if known.any() else values[:0]
