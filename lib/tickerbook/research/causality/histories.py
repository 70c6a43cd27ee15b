"""Histories to look for look-ahead in: made up, the same every time, each awkward in its own way.

- walk: an ordinary random walk with gaps.
- trends: long rises and falls, calm and wild in turn.
- storms: jumps of up to a third, sessions without volume, dividends and splits.
- ticks: a cheap share on a coarse grid, where prices tie and stand still for days.

They lie on the sessions of the New York exchange, weekends and holidays included.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache

import numpy as np
import pandas as pd

from tickerbook.bars import COLUMNS, Bars
from tickerbook.sessions import sessions_between

CALENDAR = "XNYS"
Moves = Callable[[np.random.Generator, int], np.ndarray]


@cache
def histories(sessions: int) -> dict[str, pd.DataFrame]:
    """Name → bars of that many sessions, with the columns of `Bars` and dividend, split. Not to be changed.

    Dividends (currency a share) and splits (new shares for an old one) stand beside prices for what adjusts
    them; the prices themselves do not jump at them.
    """
    made = ((_walk, 2013), (_trends, 2009), (_storms, 2016), (_ticks, 2011))
    return {moves.__name__[1:]: _frame(moves, year, sessions) for moves, year in made}


def bars_of(frame: pd.DataFrame, ticker: str = "CAUSAL", calendar: str = CALENDAR) -> Bars:
    """Bars of a history, or of part of one."""
    asked = datetime(2020, 1, 1, tzinfo=UTC)
    return Bars(frame[list(COLUMNS)], ticker, calendar, "USD", "split", "made up", asked)


def frame_of(bars: Bars) -> pd.DataFrame:
    """A history made of bars: their columns, and no dividends or splits."""
    return bars.frame.assign(dividend=0.0, split=1.0)


def _walk(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.normal(0.0003, 0.015, count)


def _trends(rng: np.random.Generator, count: int) -> np.ndarray:
    regime = np.repeat(rng.permutation(np.resize([1.0, -0.8, 0.2], count // 40 + 1)), 40)[:count]
    calm = np.repeat(rng.uniform(0.004, 0.025, count // 25 + 1), 25)[:count]
    return 0.003 * regime + rng.normal(0, 1, count) * calm


def _storms(rng: np.random.Generator, count: int) -> np.ndarray:
    jumps = rng.uniform(-0.33, 0.33, count) * (rng.uniform(size=count) < 0.04)  # noqa: PLR2004 - one in 25 sessions
    return rng.normal(0, 0.012, count) + jumps


def _ticks(rng: np.random.Generator, count: int) -> np.ndarray:
    still = np.repeat(rng.uniform(size=count // 8 + 1) < 0.25, 8)[:count]  # noqa: PLR2004 - a quarter of the weeks
    moves = rng.normal(0, 0.03, count)
    return np.where(still, 0.0, moves - 0.02 * np.tanh(moves.cumsum()))


def _frame(moves: Moves, year: int, count: int) -> pd.DataFrame:
    rng = np.random.default_rng(year)
    days = sessions_between(CALENDAR, date(year, 1, 1), date(year + 2 + count // 240, 1, 1))[:count]
    change = moves(rng, count)
    still = change == 0
    close = 60 * np.exp(change.cumsum())
    before = np.concatenate(([close[0]], close[:-1]))
    opened = np.where(still, close, before * np.exp(0.4 * change + rng.normal(0, 0.003, count)))
    up, down = np.where(still, 1.0, np.exp(np.abs(rng.normal(0, 0.006, (2, count)))))
    prices = {
        "open": opened,
        "high": np.maximum(opened, close) * up,
        "low": np.minimum(opened, close) / down,
        "close": close,
    }
    if moves is _ticks:
        prices = {name: np.maximum(1.0, np.round(price * 4 / 10) / 4) for name, price in prices.items()}
    frame = pd.DataFrame(prices, index=pd.DatetimeIndex(days.to_numpy(), name="session"), dtype="float64")
    return _with_trade(frame, rng, wild=moves is _storms)


def _with_trade(frame: pd.DataFrame, rng: np.random.Generator, *, wild: bool) -> pd.DataFrame:
    count = len(frame)
    volume = np.round(np.exp(rng.normal(13, 0.4, count)))
    dividend = np.where(np.arange(count) % 63 == 30, 0.4, 0.0)  # noqa: PLR2004 - once a quarter
    split = np.ones(count)
    if wild:
        volume[rng.uniform(size=count) < 0.05] = 0.0  # noqa: PLR2004 - one in twenty sessions
        split[[count // 3, count - 20]] = 4.0, 0.5
    return frame.assign(volume=volume, dividend=dividend, split=split)
