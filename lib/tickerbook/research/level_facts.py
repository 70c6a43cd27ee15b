"""Levels as facts, and back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from tickerbook.bars import Bars
from tickerbook.errors import DataError
from tickerbook.facts import Fact, Facts, Value
from tickerbook.research.indicators import atr
from tickerbook.research.level import ATR_PERIOD, Level, nearest_resistance, nearest_support
from tickerbook.research.move_facts import move_facts

_CENTS, _FINE = 2, 4


def level_facts(levels: Iterable[Level], bars: Bars) -> Facts:
    """The last price, the nearest support and resistance, and every level as a row `level.N.…`, as given.

    With them go the moves, ranks and averages of the close (`move_facts`).

    Distances are from the last close to the level's price and never negative: the side says the direction.
    `…distance` is a fraction of the close; `…distance_atr` counts ATR(14) and is missing where that is zero.
    Prices below 1 are shown with four decimals, others with two; values are not rounded.
    """
    levels = tuple(levels)
    last = _last(bars)
    facts = _price(bars, last)
    facts += _zone(last, "support", "nearest support", nearest_support(levels, last.close))
    facts += _zone(last, "resistance", "nearest resistance", nearest_resistance(levels, last.close))
    for number, level in enumerate(levels, start=1):
        facts += _row(last, f"level.{number}", level)
    return Facts(facts) | move_facts(bars)


def levels_from_facts(facts: Facts) -> tuple[Level, ...]:
    """The levels that `level_facts` wrote down, in their order; empty where there are none.

    Raises:
        DataError: if a row is incomplete.
    """
    try:
        return tuple(_level(row) for row in facts.rows("level"))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The facts of a level are incomplete or damaged: {error!r}.", "Run the notebook levels again."
        ) from error


@dataclass(frozen=True, slots=True)
class _Last:
    """The last close, and what prices and distances are told in."""

    close: float
    atr: float
    session: date
    currency: str

    def fact(self, name: str, value: Value, label: str, unit: str = "", digits: int | None = None) -> Fact:
        return Fact(name, value, label, unit, digits, self.session)

    def money(self, name: str, value: float | None, label: str) -> Fact:
        return self.fact(name, value, label, self.currency, _CENTS if abs(self.close) >= 1 else _FINE)


def _last(bars: Bars) -> _Last:
    close, unit = bars.frame["close"].iloc[-1], atr(bars.frame, ATR_PERIOD).iloc[-1]
    return _Last(float(close), float(unit), bars.session, bars.currency)


def _price(bars: Bars, last: _Last) -> list[Fact]:
    closes = bars.frame["close"].to_numpy()
    change = float(closes[-1] / closes[-2] - 1) if len(closes) > 1 and closes[-2] > 0 else None
    return [
        last.money("price.close", last.close, "last close"),
        last.fact("price.change", change, "change from the close before", "fraction", 1),
        last.money("price.atr", last.atr, f"average true range, {ATR_PERIOD} sessions"),
        last.fact("price.session", bars.session.isoformat(), "last session", "date"),
        last.fact("price.first", bars.first.isoformat(), "first session", "date"),
        last.fact("price.sessions", len(bars), "sessions of prices", "sessions", 0),
        last.fact("price.source", bars.source, "source of prices"),
    ]


def _zone(last: _Last, name: str, label: str, level: Level | None) -> list[Fact]:
    away = abs(level.price - last.close) if level else None
    share = away / last.close if away is not None and last.close > 0 else None
    count = away / last.atr if away is not None and last.atr > 0 else None
    return [
        last.money(f"{name}.price", level.price if level else None, label),
        last.money(f"{name}.low", level.low if level else None, f"{label}: zone from"),
        last.money(f"{name}.high", level.high if level else None, f"{label}: zone to"),
        last.fact(f"{name}.method", level.method if level else None, f"{label}: found by"),
        last.fact(f"{name}.distance", share, f"{label}: distance", "fraction", 1),
        last.fact(f"{name}.distance_atr", count, f"{label}: distance", "ATR", 1),
    ]


def _row(last: _Last, name: str, level: Level) -> list[Fact]:
    return [
        *_zone(last, name, "level", level),
        last.fact(f"{name}.side", level.side, "level: side"),
        last.fact(f"{name}.formed", level.formed.isoformat(), "level: formed", "date"),
        last.fact(f"{name}.known", level.known.isoformat(), "level: known", "date"),
        last.fact(f"{name}.touches", level.touches, "level: touches", digits=0),
        last.fact(f"{name}.family", level.family, "level: family of methods"),
        last.fact(f"{name}.kind", level.kind, "level: its odds are those of"),
        last.fact(f"{name}.families", level.families, "level: families that agree", digits=0),
    ]


def _level(row: dict[str, Fact]) -> Level:
    value: dict[str, Any] = {name: fact.value for name, fact in row.items()}
    return Level(
        price=float(value["price"]),
        low=float(value["low"]),
        high=float(value["high"]),
        side=value["side"],
        method=value["method"],
        formed=date.fromisoformat(value["formed"]),
        known=date.fromisoformat(value["known"]),
        touches=int(value["touches"]),
        family=value["family"],
        kind=value["kind"],
        families=int(value["families"]),
    )
