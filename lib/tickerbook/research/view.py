"""What a method of finding levels sees: bars up to one session and nothing later.

A `History` is made once for a ticker and holds what can be known at each of its closes; `History.at(row)` is
the `View` of one close. Whatever a view holds is cut at its row, so that a method cannot look ahead, and is
cut without copying, so that levels can be found again at hundreds of past closes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import DataError
from tickerbook.research.indicators import atr, swing_highs, swing_lows
from tickerbook.research.level import ATR_PERIOD, LOOKBACK
from tickerbook.research.periods import PERIODS, Complete, complete_periods
from tickerbook.research.zigzag import turning_points


@dataclass(frozen=True, slots=True)
class Search:
    """What the analyst asks of the methods; see `find_levels`."""

    zone_atr: float = 0.25
    swing_span: int = 5
    cluster_atr: float = 0.5
    zigzag_atr: float = 3.0
    profile_sessions: int = 120
    value_area: float = 0.7


class Found(NamedTuple):
    """A price that a method proposes as a level.

    Attributes:
        price: currency a share.
        method: how it was found, as a reader would say it.
        kind: the method by the name under which its odds are measured.
        formed: row of the bar that made it.
        known: row of the bar at whose close it could first be computed.
    """

    price: float
    method: str
    kind: str
    formed: int
    known: int


@dataclass(frozen=True, slots=True)
class Turns:
    """Extremes of the price, oldest first, all of them confirmed.

    Attributes:
        rows: of their bars.
        known: of the bars that confirmed them.
        prices: currency a share.
        is_high: whether it is a high.
    """

    rows: np.ndarray
    known: np.ndarray
    prices: np.ndarray
    is_high: np.ndarray

    def until(self, row: int, since: int = 0) -> "Turns":
        """Those confirmed by the close of `row` and formed at `since` or later; `known` never falls."""
        end = int(np.searchsorted(self.known, row, side="right"))
        begin = min(end, int(np.searchsorted(self.rows, since)))
        cut = slice(begin, end)
        return Turns(self.rows[cut], self.known[cut], self.prices[cut], self.is_high[cut])


@dataclass(frozen=True, slots=True)
class Intraday:
    """Bars within the day: their lows, highs and volumes, and the row of the daily bar each belongs to."""

    rows: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    volumes: np.ndarray


@dataclass(frozen=True, slots=True)
class View:
    """Bars up to one close, and what was known at it. Arrays end with that close.

    Attributes:
        search: what the analyst asked for.
        row: of the last bar.
        start: row of the oldest bar in sight, `LOOKBACK` sessions back.
        days: sessions.
        highs, lows, closes: prices, currency a share.
        open: of the last bar.
        volumes: shares; NaN where unknown.
        close: the last close.
        atr: ATR(14) at the last close, currency a share; zero where prices have stood still.
        swings: confirmed swing highs and lows in sight.
        zigzag: confirmed ends of legs in sight.
        complete: name of a period → first and last row of the newest complete one; None where there is none.
        year: row of the first bar of the last bar's calendar year; None where the bars begin within it.
        intraday: bars within the day; None where there are none.
    """

    search: Search
    row: int
    start: int
    days: np.ndarray
    highs: np.ndarray
    lows: np.ndarray
    closes: np.ndarray
    volumes: np.ndarray
    open: float
    close: float
    atr: float
    swings: Turns
    zigzag: Turns
    complete: Mapping[str, tuple[int, int] | None]
    year: int | None
    intraday: Intraday | None

    @property
    def half(self) -> float:
        """Half-width of every zone, currency a share."""
        return self.search.zone_atr * self.atr


@dataclass(frozen=True, eq=False)
class History:
    """All bars of a ticker with what was known at each close; see `View`."""

    bars: Bars
    search: Search = field(default_factory=Search)
    intraday: pd.DataFrame | None = None

    def at(self, row: int) -> View:
        """What was known at the close of a row."""
        end = row + 1
        start = max(0, end - LOOKBACK)
        return View(
            search=self.search,
            row=row,
            start=start,
            days=self.days[:end],
            highs=self.highs[:end],
            lows=self.lows[:end],
            closes=self.closes[:end],
            volumes=self.volumes[:end],
            open=float(self.opens[row]),
            close=float(self.closes[row]),
            atr=float(self.atr[row]),
            swings=self.swings.until(row, start),
            zigzag=self.zigzag.until(row, start),
            complete={name: self.complete[name].at(row) for name in PERIODS},
            year=self.complete["year"].begun(row),
            intraday=self._until(row),
        )

    @cached_property
    def days(self) -> np.ndarray:
        """Sessions as days."""
        return self.bars.frame.index.to_numpy().astype("datetime64[D]")  # type: ignore[no-any-return] # numpy's

    @cached_property
    def opens(self) -> np.ndarray:
        """Opens."""
        return self._column("open")

    @cached_property
    def highs(self) -> np.ndarray:
        """Highs."""
        return self._column("high")

    @cached_property
    def lows(self) -> np.ndarray:
        """Lows."""
        return self._column("low")

    @cached_property
    def closes(self) -> np.ndarray:
        """Closes."""
        return self._column("close")

    @cached_property
    def volumes(self) -> np.ndarray:
        """Volumes."""
        return self._column("volume")

    @cached_property
    def atr(self) -> np.ndarray:
        """ATR(14) at each close; NaN before there is one."""
        return atr(self.bars.frame, ATR_PERIOD).to_numpy()  # type: ignore[no-any-return] # pandas has no types

    @cached_property
    def swings(self) -> Turns:
        """Swing highs and lows, each known `swing_span` sessions later."""
        span = self.search.swing_span
        highs = np.flatnonzero(swing_highs(self.bars.frame["high"], span).to_numpy())
        lows = np.flatnonzero(swing_lows(self.bars.frame["low"], span).to_numpy())
        rows = np.concatenate((highs, lows))
        prices = np.concatenate((self.highs[highs], self.lows[lows]))
        is_high = np.arange(len(rows)) < len(highs)
        order = np.argsort(rows, kind="stable")
        return Turns(rows[order], rows[order] + span, prices[order], is_high[order])

    @cached_property
    def zigzag(self) -> Turns:
        """Ends of confirmed legs."""
        return Turns(*turning_points(self.highs, self.lows, self.closes, self.search.zigzag_atr * self.atr))

    @cached_property
    def complete(self) -> Mapping[str, Complete]:
        """The newest complete week, month and year at each close."""
        return complete_periods(self.bars.calendar, self.days)

    @cached_property
    def _within(self) -> Intraday | None:
        return None if self.intraday is None else _intraday(self.intraday, self.days)

    def _until(self, row: int) -> Intraday | None:
        if self._within is None:
            return None
        end = int(np.searchsorted(self._within.rows, row, side="right"))
        within = self._within
        return Intraday(within.rows[:end], within.lows[:end], within.highs[:end], within.volumes[:end])

    def _column(self, name: str) -> np.ndarray:
        return self.bars.frame[name].to_numpy()  # type: ignore[no-any-return] # pandas has no types


def nearest(prices: np.ndarray, close: float, count: int) -> list[int]:
    """Places of the `count` prices nearest to the close at or below it, then of as many above."""
    order = np.argsort(np.abs(prices - close), kind="stable")
    below = prices[order] <= close
    return [*order[below][:count].tolist(), *order[~below][:count].tolist()]


def _intraday(frame: pd.DataFrame, days: np.ndarray) -> Intraday:
    """Bars within the day with the row of their session; those of other days are left out.

    Raises:
        DataError: if a column is missing, or the bars are not in the order of time.
    """
    missing = {"high", "low", "volume"} - set(frame.columns)
    if missing or not isinstance(frame.index, pd.DatetimeIndex) or not frame.index.is_monotonic_increasing:
        problem = f"there is no {', '.join(sorted(missing))}" if missing else "their times do not rise"
        raise DataError(
            f"Intraday bars cannot be used: {problem}.",
            "Give columns high, low, volume, and the exchange's local times, ascending, as the index.",
        )
    at = frame.index.tz_localize(None).to_numpy().astype("datetime64[D]")
    rows = np.minimum(np.searchsorted(days, at), len(days) - 1)
    kept = (days[rows] == at) & (frame["volume"].to_numpy() > 0)
    low, high, volume = (frame[name].to_numpy(dtype="float64")[kept] for name in ("low", "high", "volume"))
    return Intraday(rows[kept], low, high, volume)
