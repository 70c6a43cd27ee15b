"""Levels: support and resistance found in bars.

Each file of this folder is a method, found by being here. It says to which `FAMILY` it belongs, and its
function `find` takes a `View` (research/view.py), which ends with the last bar, and gives each price it
`Found`. What is common to all is done here: the zone, the side, the touches, one level where a method gives
one price twice, how many families agree, and which levels a page has room for.

Whether levels of a method hold more often than chance is measured in `research/odds.py`.
"""

import importlib
import math
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError, NotEnoughBarsError
from tickerbook.research.confluence import PER_SIDE, families_within, selected, touches
from tickerbook.research.level import (
    ATR_PERIOD,
    Level,
    nearest_resistance,
    nearest_support,
)
from tickerbook.research.level_facts import level_facts, levels_from_facts
from tickerbook.research.view import Found, History, Search, View

__all__ = [
    "METHODS",
    "Level",
    "Method",
    "find_levels",
    "level_facts",
    "levels_from_facts",
    "nearest_resistance",
    "nearest_support",
]


@dataclass(frozen=True, slots=True)
class Method:
    """A way of finding levels: its name, the family it belongs to, and the function that finds."""

    name: str
    family: str
    find: Callable[[View], Iterable[Found]]


def _method(name: str) -> Method:
    module = importlib.import_module(f"{__name__}.{name}")
    return Method(name, module.FAMILY, module.find)


METHODS: tuple[Method, ...] = tuple(_method(module.name) for module in pkgutil.iter_modules(__path__))


def find_levels(
    bars: Bars,
    *,
    zone_atr: float = 0.25,
    swing_span: int = 5,
    cluster_atr: float = 0.5,
    zigzag_atr: float = 3.0,
    profile_sessions: int = 120,
    value_area: float = 0.7,
    intraday: pd.DataFrame | None = None,
    per_side: int | None = PER_SIDE,
) -> tuple[Level, ...]:
    """Support and resistance as they could be known at the last close of `bars`, highest price first.

    A method for which there are too few bars, or no volume, gives no level.

    Args:
        bars: daily bars; nothing after their last session is used.
        zone_atr: half-width of every zone, in ATR(14).
        swing_span: bars on each side that a swing high or low must beat; so many sessions later it is known.
        cluster_atr: greatest distance of two swings in one cluster, in ATR(14).
        zigzag_atr: how far a close must turn from an extreme to end a leg of the zigzag, in ATR(14).
        profile_sessions: sessions in the volume profile.
        value_area: share of the profile's volume in its value area, above 0 and at most 1.
        intraday: bars within the day for the volume profile, columns high, low, volume, the exchange's local
            times as the index; without them the profile is a proxy from daily bars.
        per_side: how many levels to show on each side of the close, of those that
            `confluence.selected` leaves; None for every level of every method.

    Raises:
        NotEnoughBarsError: if there are too few sessions for an ATR(14).
        ConfigError: if a parameter is out of its range.
        DataError: if the intraday bars cannot be used, or the prices are not adjusted for splits.
    """
    search = Search(zone_atr, swing_span, cluster_atr, zigzag_atr, profile_sessions, value_area)
    _check(search, per_side)
    bars.check_adjusted()
    if len(bars) <= ATR_PERIOD:
        raise NotEnoughBarsError(
            f"Levels of {bars.ticker} need {ATR_PERIOD + 1} sessions for their ATR; there are {len(bars)}.",
            "Fetch a longer history, or choose a later session.",
        )
    view = History(bars, search, intraday).at(len(bars) - 1)
    levels = _levels([(method.family, one) for method in METHODS for one in found_by(method, view)], view)
    shown = levels if per_side is None else selected(levels, view.close, per_side)
    return tuple(sorted(shown, key=lambda level: (-level.price, level.method)))


def found_by(method: Method, view: View) -> list[Found]:
    """What a method finds, each price once: names that agree on one are joined, its first knowledge counts.

    What trades above zero has no level at zero or below; an oil future has closed there, and keeps all.
    """
    by_price: dict[float, Found] = {}
    for one in method.find(view):
        if one.price > view.half or view.close <= 0:
            other = by_price.get(one.price)
            by_price[one.price] = one if other is None else _both(other, one)
    return list(by_price.values())


def _check(search: Search, per_side: int | None) -> None:
    for name, good, wanted in (
        ("zone_atr", 0 <= search.zone_atr < math.inf, "0 or more"),
        ("swing_span", search.swing_span >= 1, "1 session or more"),
        ("cluster_atr", 0 <= search.cluster_atr < math.inf, "0 or more"),
        ("zigzag_atr", 0 < search.zigzag_atr < math.inf, "above 0"),
        ("profile_sessions", search.profile_sessions >= 1, "1 session or more"),
        ("value_area", 0 < search.value_area <= 1, "above 0 and at most 1"),
    ):
        if not good:
            value = getattr(search, name)
            raise ConfigError(f"{name} is {value}, which levels cannot use.", f"It is {wanted}.")
    if per_side is not None and per_side < 1:
        raise ConfigError(
            f"per_side is {per_side}, which shows nothing.", "It is 1 or more, or None for all."
        )


def _both(one: Found, other: Found) -> Found:
    """One price by two names: of the kind that was named first."""
    name = one.method if other.method in one.method.split(", ") else f"{one.method}, {other.method}"
    return Found(one.price, name, one.kind, min(one.formed, other.formed), min(one.known, other.known))


def _levels(found: list[tuple[str, Found]], view: View) -> tuple[Level, ...]:
    prices = np.array([one.price for _, one in found])
    formed = np.array([one.formed for _, one in found], dtype="int64")
    visits = touches(view, prices, formed).tolist()
    agree = families_within(prices, [family for family, _ in found], view.half).tolist()
    return tuple(
        Level(
            price=one.price,
            low=one.price - view.half,
            high=one.price + view.half,
            side="support" if one.price <= view.close else "resistance",
            method=one.method,
            formed=view.days[one.formed].item(),
            known=view.days[one.known].item(),
            touches=visits[number],
            family=family,
            kind=one.kind,
            families=agree[number],
        )
        for number, (family, one) in enumerate(found)
    )
