"""Indicators: one series in, one series of the same length and index out.

A value at a session uses that session and earlier ones only. Values before the warm-up is over are NaN. The
swing functions are the exception, and say so: they mark an extreme at its own bar, which is known `span`
sessions later; `last_swing_high` and `last_swing_low` are what was known at each close.

Inputs have no gaps after their first value; `Bars` see to that for prices.
"""

import numpy as np
import pandas as pd

from tickerbook.errors import ConfigError


def true_range(frame: pd.DataFrame) -> pd.Series:
    """The range of each bar including its gap, in currency a share.

    max(high, previous close) − min(low, previous close), after Wilder (1978), which equals his greatest of
    three ranges. The first bar has no previous close and is NaN, as in TA-Lib.

    Args:
        frame: bars with columns high, low, close.
    """
    before = frame["close"].shift(1)
    top = np.fmax(frame["high"], before)
    bottom = np.fmin(frame["low"], before)
    return (top - bottom).where(before.notna())


def atr(frame: pd.DataFrame, period: int = 14) -> pd.Series:
    """Average true range, Wilder's, in currency a share.

    The first value is the mean of the first `period` true ranges. As the first bar has no true range (see
    `true_range`), it stands at row `period`, counted from 0: the convention of TA-Lib and Skender.
    StockCharts lets the first bar's high − low count and starts one row earlier.

    Raises:
        ConfigError: if `period` is below 1.
    """
    return wilder(true_range(frame), period)


def wilder(values: pd.Series, period: int) -> pd.Series:
    """Wilder's smoothing: the mean of the first `period` values, then (previous·(period − 1) + value)/period.

    Raises:
        ConfigError: if `period` is below 1.
    """
    return _smooth(values, period, alpha=1 / _window(period))


def ema(values: pd.Series, n: int) -> pd.Series:
    """Exponential moving average with weight 2/(n + 1), seeded by the mean of the first `n` values (TA-Lib).

    Raises:
        ConfigError: if `n` is below 1.
    """
    return _smooth(values, n, alpha=2 / (_window(n) + 1))


def sma(values: pd.Series, n: int) -> pd.Series:
    """Mean of the newest `n` values.

    Raises:
        ConfigError: if `n` is below 1.
    """
    return values.rolling(_window(n)).mean()


def rsi(values: pd.Series, period: int = 14) -> pd.Series:
    """Relative strength index, Wilder's (1978), from 0 to 100.

    100 · gains / (gains + losses), each smoothed by `wilder`. The first value is at row `period`, counted
    from 0: the convention of TA-Lib and Skender. NaN where nothing has moved yet.

    Raises:
        ConfigError: if `period` is below 1.
    """
    change = values.diff()
    gains, losses = wilder(change.clip(lower=0), period), wilder(-change.clip(upper=0), period)
    return 100 * gains / (gains + losses)


def highest(values: pd.Series, n: int) -> pd.Series:
    """Greatest of the newest `n` values, this one included.

    Raises:
        ConfigError: if `n` is below 1.
    """
    return values.rolling(_window(n)).max()


def lowest(values: pd.Series, n: int) -> pd.Series:
    """Least of the newest `n` values, this one included.

    Raises:
        ConfigError: if `n` is below 1.
    """
    return values.rolling(_window(n)).min()


def swing_highs(high: pd.Series, span: int) -> pd.Series:
    """Whether a bar's high is strictly above the highs of the `span` bars on each side (Williams' fractal).

    The mark stands at the extreme's own bar and is known `span` sessions later: shift it by `span` before
    acting on it. The first and last `span` bars are never marked. Equal highs within `span` are no swing.

    Raises:
        ConfigError: if `span` is below 1.
    """
    peak = highest(high, span)
    return (high > peak.shift(1)) & (high > peak.shift(-span))


def swing_lows(low: pd.Series, span: int) -> pd.Series:
    """Whether a bar's low is strictly below the lows of the `span` bars on each side; see `swing_highs`.

    Raises:
        ConfigError: if `span` is below 1.
    """
    return swing_highs(-low, span)


def last_swing_high(high: pd.Series, span: int) -> pd.Series:
    """At each close, the price of the newest swing high known by then; NaN before the first is known.

    Raises:
        ConfigError: if `span` is below 1.
    """
    return high.where(swing_highs(high, span)).shift(span).ffill()


def last_swing_low(low: pd.Series, span: int) -> pd.Series:
    """At each close, the price of the newest swing low known by then; NaN before the first is known.

    Raises:
        ConfigError: if `span` is below 1.
    """
    return low.where(swing_lows(low, span)).shift(span).ffill()


def _smooth(values: pd.Series, n: int, alpha: float) -> pd.Series:
    """Exponential smoothing that starts at the n-th value with the mean of the first n."""
    start = int(values.notna().to_numpy().argmax()) + n - 1
    seeded = values.astype("float64")
    seeded.iloc[: start + 1] = np.nan
    if start < len(values):
        seeded.iloc[start] = values.iloc[start - n + 1 : start + 1].mean()
    return seeded.ewm(alpha=alpha, adjust=False).mean()


def _window(n: int) -> int:
    if n < 1:
        raise ConfigError(f"A window of {n} sessions is not possible.", "Use 1 session or more.")
    return n
