"""Levels: support and resistance found in daily bars.

Each file of this folder is a method, found by being here: its function `find` takes a `View` and gives each
price it `Found`. What is common to all is done here: the zone, the side, the touches, and one level where a
method gives one price twice.

At most 29 levels are found, so that a page can show them all: 9 of prior periods, 7 pivot points, 3 of the
volume profile, the 3 nearest swing levels and the 2 nearest round numbers on each side of the close.
"""

import importlib
import math
import pkgutil
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError, NotEnoughBarsError
from tickerbook.research.indicators import atr
from tickerbook.research.level import (
    ATR_PERIOD,
    LOOKBACK,
    Found,
    Level,
    View,
    nearest_resistance,
    nearest_support,
)
from tickerbook.research.level_facts import level_facts, levels_from_facts

__all__ = [
    "Level",
    "find_levels",
    "level_facts",
    "levels_from_facts",
    "nearest_resistance",
    "nearest_support",
]

_METHODS: tuple[Callable[[View], Iterable[Found]], ...] = tuple(
    importlib.import_module(f"{__name__}.{module.name}").find for module in pkgutil.iter_modules(__path__)
)


def find_levels(
    bars: Bars,
    *,
    zone_atr: float = 0.25,
    swing_span: int = 5,
    cluster_atr: float = 0.5,
    profile_sessions: int = 120,
    value_area: float = 0.7,
) -> tuple[Level, ...]:
    """Support and resistance as they could be known at the last close of `bars`, highest price first.

    A method for which there are too few bars, or no volume, gives no level.

    Args:
        bars: daily bars; nothing after their last session is used.
        zone_atr: half-width of every zone, in ATR(14).
        swing_span: bars on each side that a swing high or low must beat; so many sessions later it is known.
        cluster_atr: greatest distance of two swings in one level, in ATR(14). At most twice `zone_atr`, the
            zone covers every swing of its level.
        profile_sessions: sessions in the volume profile.
        value_area: share of the profile's volume in its value area, above 0 and at most 1.

    Raises:
        NotEnoughBarsError: if there are too few sessions for an ATR(14).
        ConfigError: if a parameter is out of its range.
    """
    _check(zone_atr, swing_span, cluster_atr, profile_sessions, value_area)
    unit = _last_atr(bars)
    view = View(
        bars=bars,
        recent=bars.frame.iloc[-LOOKBACK:],
        close=float(bars.frame["close"].iloc[-1]),
        atr=unit,
        swing_span=swing_span,
        cluster=cluster_atr * unit,
        profile_sessions=profile_sessions,
        value_area=value_area,
    )
    half = zone_atr * unit
    found = (one for find in _METHODS for one in _merged(find(view)))
    # What trades above zero has no level at zero or below; an oil future has closed there, and keeps all.
    return _levels([one for one in found if one.price > half or view.close <= 0], view, half)


def _last_atr(bars: Bars) -> float:
    needed = ATR_PERIOD + 1
    if len(bars) < needed:
        raise NotEnoughBarsError(
            f"Levels of {bars.ticker} need {needed} sessions for their ATR; there are {len(bars)}.",
            "Fetch a longer history, or choose a later session.",
        )
    return float(atr(bars.frame, ATR_PERIOD).iloc[-1])


def _check(
    zone_atr: float, swing_span: int, cluster_atr: float, profile_sessions: int, value_area: float
) -> None:
    for name, value, good, wanted in (
        ("zone_atr", zone_atr, 0 <= zone_atr < math.inf, "0 or more"),
        ("swing_span", swing_span, swing_span >= 1, "1 session or more"),
        ("cluster_atr", cluster_atr, 0 <= cluster_atr < math.inf, "0 or more"),
        ("profile_sessions", profile_sessions, profile_sessions >= 1, "1 session or more"),
        ("value_area", value_area, 0 < value_area <= 1, "above 0 and at most 1"),
    ):
        if not good:
            raise ConfigError(f"{name} is {value}, which levels cannot use.", f"It is {wanted}.")


def _merged(found: Iterable[Found]) -> list[Found]:
    """One method's prices, each once: names that agree on a price are joined; its first knowledge counts."""
    by_price: dict[float, Found] = {}
    for one in found:
        other = by_price.get(one.price)
        by_price[one.price] = one if other is None else _both(other, one)
    return list(by_price.values())


def _both(one: Found, other: Found) -> Found:
    return Found(
        price=one.price,
        method=f"{one.method}, {other.method}",
        formed=min(one.formed, other.formed),
        known=min(one.known, other.known),
    )


def _levels(found: list[Found], view: View, half: float) -> tuple[Level, ...]:
    touches = _touches(found, view.bars.frame, half)
    levels = (
        Level(
            price=one.price,
            low=one.price - half,
            high=one.price + half,
            side="support" if one.price <= view.close else "resistance",
            method=one.method,
            formed=one.formed,
            known=one.known,
            touches=int(count),
        )
        for one, count in zip(found, touches, strict=True)
    )
    return tuple(sorted(levels, key=lambda level: (-level.price, level.method)))


def _touches(found: list[Found], frame: pd.DataFrame, half: float) -> np.ndarray:
    """Visits to each zone after its level formed; all levels (rows) and bars (columns) at once."""
    price = np.array([one.price for one in found])[:, None]
    row = np.arange(len(frame))
    formed = frame.index.searchsorted(pd.DatetimeIndex([one.formed for one in found]))[:, None]
    inside = (frame["low"].to_numpy() <= price + half) & (frame["high"].to_numpy() >= price - half)
    entered = inside[:, 1:] & ~inside[:, :-1] & (row[1:] > formed)
    return entered.sum(axis=1)  # type: ignore[no-any-return] # numpy's sum of a matrix along an axis is an array
