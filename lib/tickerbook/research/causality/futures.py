"""Other futures: the same history up to a close, and something else after it."""

from collections.abc import Callable

import numpy as np
import pandas as pd

COLUMNS = ("open", "high", "low", "close", "volume", "dividend", "split")
REACH = 80  # sessions that a replaced future has at most; how long the whole one is, taking it away shows
Array = np.ndarray
Future = Callable[[Array, float, np.random.Generator], Array]
"""Rows of `COLUMNS` after a close, that close, and a seeded generator → the rows to put in their place."""
_PRICES, _CLOSE, _VOLUME = slice(0, 4), 3, 4
_WILD = 64.0
_SHUT = 43  # days


def changed(frame: pd.DataFrame, cut: int, future: Future, rng: np.random.Generator) -> pd.DataFrame:
    """The history up to row `cut`, and another future after it."""
    if future is nothing:
        return frame.iloc[: cut + 1].copy()
    values = frame.to_numpy().T
    known, after = values[:, : cut + 1], values[:, cut + 1 : cut + 1 + REACH]
    other = future(after.copy(), float(known[_CLOSE, -1]), rng)
    days = frame.index[: cut + 1 + REACH]
    if future is other_days:
        days = days[: cut + 1].append(_later(days[cut + 1 :])).rename(frame.index.name)
    return pd.DataFrame(np.hstack((known, other)).T, index=days, columns=frame.columns)


def nothing(_after: Array, _close: float, _rng: np.random.Generator) -> Array:
    """The history ends."""
    return np.empty((len(COLUMNS), 0))


def noise(after: Array, close: float, rng: np.random.Generator) -> Array:
    """Another random walk, other volumes, dividends and splits."""
    count = after.shape[1]
    closes = close * np.exp(np.cumsum(rng.normal(0, 0.04, count)))
    reach = np.exp(np.abs(rng.normal(0, 0.02, (3, count))))
    opens = closes / reach[2] * reach[0]
    high, low = np.maximum(opens, closes) * reach[0], np.minimum(opens, closes) / reach[1]
    volume = np.round(rng.uniform(1e3, 1e7, count))
    dividend, split = np.where(rng.uniform(size=(2, count)) < 0.1, [[1.0], [3.0]], [[0.0], [1.0]])  # noqa: PLR2004 - one in ten
    return np.stack((opens, high, low, closes, volume, dividend, split))


def reversal(after: Array, close: float, _rng: np.random.Generator) -> Array:
    """What rose falls by as much: each price p becomes c²/p, with c the last close; volumes backwards."""
    opens, high, low, closes = close**2 / after[_PRICES]
    return np.stack((opens, low, high, closes, after[_VOLUME, ::-1], *after[_VOLUME + 1 :]))


def extremes(after: Array, _close: float, _rng: np.random.Generator) -> Array:
    """Prices 64 times as high and as low in turn, volumes a thousandfold, a dividend and a split each day."""
    after[_PRICES] *= np.where(np.arange(after.shape[1]) % 2 == 0, _WILD, 1 / _WILD)
    after[_VOLUME] = 1e3 * (after[_VOLUME] + 1)
    after[_VOLUME + 1 :] = [[5.0], [10.0]]
    return after


def standstill(after: Array, close: float, _rng: np.random.Generator) -> Array:
    """Every price is the last close, and nothing is traded or paid."""
    after[:] = np.array([close, close, close, close, 0.0, 0.0, 1.0])[:, None]
    return after


def other_days(after: Array, _close: float, _rng: np.random.Generator) -> Array:
    """The same bars on other days: the exchange is shut for six weeks and then trades every day."""
    return after


def unknown_volume(after: Array, _close: float, _rng: np.random.Generator) -> Array:
    """The same prices without volume; prices of bars are never missing."""
    after[_VOLUME] = np.nan
    return after


def missing(after: Array, _close: float, _rng: np.random.Generator) -> Array:
    """Nothing but NaN, which bars refuse: for what takes any series."""
    return np.full_like(after, np.nan)


OF_BARS: tuple[Future, ...] = (noise, extremes, reversal, standstill, other_days, unknown_volume)
OF_SERIES: tuple[Future, ...] = (noise, extremes, reversal, missing, standstill, other_days)


def name_of(future: Future) -> str:
    """What it is called in a report."""
    return future.__name__.replace("_", " ")


def _later(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    begin = days[0] + pd.Timedelta(days=_SHUT)
    return pd.date_range(begin, periods=len(days)).as_unit(days.unit)
