"""Performance of returns: every figure defined once, with its unit, its convention and its source.

Conventions, the same for every figure:

- Returns are simple, one a session, as fractions. Leading NaN (the first session has no return) is left
  out; a NaN after that is a hole, and the figure is NaN.
- A year has as many sessions as the calendar of the bars' exchange has: `sessions.sessions_a_year`, 252 for
  New York. Whoever has no bars gets 252. vectorbt's own year has 365 days and shows Sharpe ratios a fifth
  too high for stocks.
- A figure that does not exist is NaN, never infinite: a ratio over no risk, anything of no returns.
- There is no risk-free rate: pass excess returns where one is wanted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
SESSIONS_A_YEAR = 252
_NO_RISK = 1e-12  # a deviation below this is rounding error of a flat line


@dataclass(frozen=True, slots=True)
class Performance:
    """What a series of returns amounts to; all but the ratios are fractions, NaN where there is no figure."""

    total_return: float
    cagr: float
    volatility: float
    sharpe: float
    sortino: float
    calmar: float
    max_drawdown: float


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: what it is called, how it is shown, how it is computed and whose convention that is.

    Attributes:
        name: field of `Performance`, and the last part of the names of its facts.
        label: what readers call it.
        unit, digits: as in a `Fact`.
        convention: the formula in words, of returns r, n of them, P a year.
        source: who computes it in this way.
        compute: figure of each column of returns (rows are sessions, none missing, two or more), and the
            sessions a year.
    """

    name: str
    label: str
    unit: str
    digits: int
    convention: str
    source: str
    compute: Callable[[Array, float], Array]


def _growth(values: Array) -> Array:
    grown: Array = np.prod(1 + values, axis=0)
    return grown


def _cagr(values: Array, periods: float) -> Array:
    grown: Array = np.maximum(_growth(values), 0.0) ** (periods / len(values)) - 1
    return grown


def _volatility(values: Array, periods: float) -> Array:
    deviation: Array = np.std(values, axis=0, ddof=1) * np.sqrt(periods)
    return deviation


def _sharpe(values: Array, periods: float) -> Array:
    return _ratio(values.mean(axis=0), np.std(values, axis=0, ddof=1), periods)


def _sortino(values: Array, periods: float) -> Array:
    downside = np.sqrt(np.mean(np.minimum(values, 0) ** 2, axis=0))
    return _ratio(values.mean(axis=0), downside, periods)


def _max_drawdown(values: Array) -> Array:
    wealth = np.cumprod(1 + values, axis=0)
    peak = np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0)
    deepest: Array = np.minimum((wealth / peak).min(axis=0) - 1, 0.0)
    return deepest


def _calmar(values: Array, periods: float) -> Array:
    return _ratio(_cagr(values, periods), -_max_drawdown(values), 1.0)


def _ratio(gain: Array, risk: Array, periods: float) -> Array:
    """Gain over risk, times √periods; NaN over no risk."""
    ratio: Array = gain / np.where(risk > _NO_RISK, risk, np.nan) * np.sqrt(periods)
    return ratio


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "total_return", "total return", "fraction", 1,
            "∏(1 + r) − 1: compound growth over the whole time.",
            "empyrical cum_returns_final; PerformanceAnalytics Return.cumulative",
            lambda values, _: _growth(values) - 1,
        ),
        Metric(
            "cagr", "growth a year", "fraction", 1,
            "∏(1 + r)^(P / n) − 1: compound growth a year, years counted in sessions; −1 where all was lost.",
            "empyrical annual_return; PerformanceAnalytics Return.annualized",
            _cagr,
        ),
        Metric(
            "volatility", "volatility a year", "fraction", 1,
            "Standard deviation of r (n − 1) · √P.",
            "empyrical annual_volatility; PerformanceAnalytics StdDev.annualized",
            _volatility,
        ),
        Metric(
            "sharpe", "Sharpe ratio", "", 2,
            "Mean of r / standard deviation of r (n − 1) · √P; arithmetic.",
            "Sharpe 1994; empyrical sharpe_ratio",
            _sharpe,
        ),
        Metric(
            "sortino", "Sortino ratio", "", 2,
            "Mean of r / √mean(min(r, 0)²) over all n returns (gains are 0) · √P; the target is 0.",
            "Sortino and Price 1994; empyrical; PerformanceAnalytics' method “full”",
            _sortino,
        ),
        Metric(
            "calmar", "Calmar ratio", "", 2,
            "Growth a year / depth of the deepest drawdown, over the whole time.",
            "Young 1991; empyrical calmar_ratio",
            _calmar,
        ),
        Metric(
            "max_drawdown", "deepest drawdown", "fraction", 1,
            "Deepest fall of ∏(1 + r) from its highest so far, ≤ 0; it starts at 1: a first loss counts.",
            "empyrical max_drawdown; PerformanceAnalytics maxDrawdown",
            lambda values, _: _max_drawdown(values),
        ),
    )
}  # fmt: skip


def figures(values: Array, periods: float = SESSIONS_A_YEAR) -> dict[str, Array]:
    """Every figure of each column of returns that have no gaps, by its name."""
    return {name: metric.compute(values, periods) for name, metric in METRICS.items()}


def performance(returns: pd.Series, periods: float = SESSIONS_A_YEAR) -> Performance:
    """Every figure of `Performance`, with `periods` returns a year."""
    return Performance(**{name: _figure(name, returns, periods) for name in METRICS})


def total_return(returns: pd.Series) -> float:
    """Compound growth over the whole time; see `METRICS`."""
    return _figure("total_return", returns, SESSIONS_A_YEAR)


def cagr(returns: pd.Series, periods: float = SESSIONS_A_YEAR) -> float:
    """Compound growth a year; see `METRICS`.

    It is computed however short the time is; whoever shows it for less than a year should think twice.
    """
    return _figure("cagr", returns, periods)


def volatility(returns: pd.Series, periods: float = SESSIONS_A_YEAR) -> float:
    """Standard deviation a year; see `METRICS`."""
    return _figure("volatility", returns, periods)


def sharpe(returns: pd.Series, periods: float = SESSIONS_A_YEAR) -> float:
    """Sharpe ratio; see `METRICS`."""
    return _figure("sharpe", returns, periods)


def sortino(returns: pd.Series, periods: float = SESSIONS_A_YEAR) -> float:
    """Sortino ratio; see `METRICS`."""
    return _figure("sortino", returns, periods)


def calmar(returns: pd.Series, periods: float = SESSIONS_A_YEAR) -> float:
    """Calmar ratio; see `METRICS`."""
    return _figure("calmar", returns, periods)


def max_drawdown(returns: pd.Series) -> float:
    """Deepest fall from a peak, ≤ 0; see `METRICS`."""
    return _figure("max_drawdown", returns, SESSIONS_A_YEAR)


def drawdown(equity: pd.Series) -> pd.Series:
    """At each session, how far equity stands below its highest so far, as a fraction ≤ 0."""
    return equity / equity.cummax() - 1


def win_rate(profits: pd.Series) -> float:
    """Share of trades that gained after costs; breaking even is no win. NaN without a trade."""
    return float((profits > 0).mean()) if len(profits) else np.nan


_OF_ONE = {"total_return", "cagr", "max_drawdown"}  # one return has growth, but no distribution


def _figure(name: str, returns: pd.Series, periods: float) -> float:
    values = _defined(returns)
    least = 1 if name in _OF_ONE else 2
    if len(values) < least or np.isnan(values).any():
        return np.nan
    return float(METRICS[name].compute(values[:, None], periods)[0])


def _defined(returns: pd.Series) -> Array:
    """Returns from the first that is defined."""
    values: Array = returns.to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    return values[known.argmax() :] if known.any() else values[:0]
