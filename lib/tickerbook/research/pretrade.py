"""Before a trade: what every limit allows, and a list of named conditions, each with its figure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tickerbook.bars import Bars
from tickerbook.research.desk import Desk, Order, Sizing, size_order, told_from_chance
from tickerbook.research.indicators import atr, sma
from tickerbook.research.level import ATR_PERIOD
from tickerbook.research.levels import METHODS
from tickerbook.research.limits import Limits
from tickerbook.sessions import sessions_between

NEWEST = 20  # sessions that should all have prices
_CLOSE_ENOUGH = 1e-9  # a figure below its limit by rounding errors meets it


@dataclass(frozen=True, slots=True)
class Check:
    """One condition before a trade.

    Attributes:
        name: what is looked at, as a reader would name it.
        figure: what it is; None where it cannot be computed.
        rule: whether the figure must be at least or at most the limit.
        limit: what it is held against; None where it cannot be computed.
        unit, digits: of figure and limit, as in a `Fact`.
        note: why the figure is not known, where that is no failure; empty for a condition that must be met.
    """

    name: str
    figure: float | None
    rule: Literal["at least", "at most"]
    limit: float | None
    unit: str
    digits: int
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the figure keeps to the rule; an unknown one does not; None if a note excuses it."""
        if self.figure is None or self.limit is None:
            return None if self.note else False
        room = self.figure - self.limit if self.rule == "at least" else self.limit - self.figure
        return room >= -_CLOSE_ENOUGH * max(1.0, abs(self.limit))


@dataclass(frozen=True, slots=True)
class PreTrade:
    """What is found before a trade.

    Attributes:
        sizing: what the limits allow.
        shares: what is to be traded.
        checks: the conditions.
    """

    sizing: Sizing
    shares: int
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no condition fails."""
        return not any(check.passed is False for check in self.checks)


_NOWHERE = Desk()


def pre_trade(
    bars: Bars, order: Order, limits: Limits, desk: Desk = _NOWHERE, shares: int | None = None
) -> PreTrade:
    """Size an order and look at every condition before it is given.

    Args:
        bars: daily bars up to the newest session.
        order: what is to be bought or sold short.
        limits: what the account allows.
        desk: what is known beside the bars.
        shares: how many are to be traded; default: what the limits allow.

    Raises:
        DataError: if the volatility cannot be measured: too few bars, or prices that stand still.
        ConfigError: for a stop on the wrong side.
    """
    sizing = size_order(bars, order, limits, desk)
    wanted = sizing.size.shares if shares is None else shares
    checks = (
        *_of_order(bars, order, limits, desk),
        *_of_size(sizing, limits, wanted),
        *_of_knowledge(bars, order, limits, desk),
    )
    return PreTrade(sizing, wanted, checks)


def _of_order(bars: Bars, order: Order, limits: Limits, desk: Desk) -> Iterator[Check]:
    unit, close = float(atr(bars.frame, ATR_PERIOD).iloc[-1]), float(bars.frame["close"].iloc[-1])
    up, zone = 1 if order.side == "long" else -1, order.zone
    yield Check("reward to risk", order.reward_risk, "at least", limits.min_reward_risk, "R", 2)
    if zone is not None:
        beyond = zone.low - order.stop if up > 0 else order.stop - zone.high
        yield Check("stop beyond the zone", _over(beyond, unit), "at least", limits.stop_atr, "ATR", 2)
    if limits.require_edge:
        low = order.odds.edge_low if order.odds else None
        yield Check("edge over chance, lower bound", low, "at least", 0.0, "fraction", 1)
        told = told_from_chance(order, desk)
        note = "" if told is not None else "not known: no league of methods yet"
        yield Check("told from chance among all methods", _count(told), "at least", 1, "", 0, note)
    away = up * (close - order.entry)
    yield Check("distance to the entry", _over(away, unit), "at most", limits.max_entry_atr, "ATR", 2)


def _of_size(sizing: Sizing, limits: Limits, shares: int) -> Iterator[Check]:
    size, equity = sizing.size, limits.equity
    risk = shares * size.risk_per_share
    spread = limits.spread_bps / 10_000 * size.entry / size.risk_per_share if limits.spread_bps else None
    note = "" if spread is not None else "not known: daily bars have no quotes"
    yield Check(
        "spread in the risk of a share", spread, "at most", limits.max_spread_risk, "fraction", 1, note
    )
    traded = shares / sizing.volume if sizing.volume else None
    yield Check("share of a day's volume", traded, "at most", limits.max_volume_share, "fraction", 3)
    heat, together = (sizing.open_risk + risk) / equity, (sizing.together + risk) / equity
    yield Check("equity at risk in all positions", heat, "at most", limits.max_heat, "fraction", 2)
    yield Check(
        "equity at risk in what moves with it", together, "at most", limits.max_cluster_heat, "fraction", 2
    )
    yield Check("size", shares, "at least", limits.lot, "shares", 0)
    if shares != size.shares:
        yield Check("size within every limit", shares, "at most", size.shares, "shares", 0)


def _of_knowledge(bars: Bars, order: Order, limits: Limits, desk: Desk) -> Iterator[Check]:
    close, sessions = float(bars.frame["close"].iloc[-1]), limits.trend_sessions
    mean = _known(sma(bars.frame["close"], sessions).iloc[-1])
    rule: Literal["at least", "at most"] = "at least" if order.side == "long" else "at most"
    yield Check("close against its trend", close, rule, mean, bars.currency, 2)
    missing = _missing(bars, desk.asked or bars.session)
    yield Check("sessions without prices", missing, "at most", limits.max_missing_sessions, "sessions", 0)
    yield Check("history", len(bars), "at least", limits.min_sessions, "sessions", 0)
    ahead = _ahead(bars, desk)
    note = "" if ahead is not None else "not known: no date was given"
    yield Check("sessions to earnings", ahead, "at least", limits.earnings_sessions, "sessions", 0, note)
    proven = _proven(order, desk)
    note = "" if proven is not None else "not known: none was issued yet"
    yield Check("certificates of causality", proven, "at least", 1, "", 0, note)


def _missing(bars: Bars, asked: date) -> int:
    """Of the newest sessions of the exchange until the one asked for, those without a bar."""
    first = bars.frame.index[-NEWEST:][0].date()
    wanted = sessions_between(bars.calendar, first, max(asked, bars.session))[-NEWEST:]
    return int((~wanted.isin(bars.frame.index)).sum())


def _ahead(bars: Bars, desk: Desk) -> int | None:
    """Sessions until the next earnings; None where no date lies ahead."""
    later = [day for day in desk.earnings if day > bars.session]
    return len(sessions_between(bars.calendar, bars.session, min(later))) - 1 if later else None


def _proven(order: Order, desk: Desk) -> int | None:
    """Certificates that the method of the order's level has; None where there are none of any method."""
    if not desk.evidence.certified or order.zone is None:
        return None
    names = {method.name for method in METHODS if method.family == order.zone.family}
    found = [passed for name, passed in desk.evidence.certified if name in names]
    return sum(found) if all(found) else 0


def _count(told: bool | None) -> int | None:
    return None if told is None else int(told)


def _over(distance: float, unit: float) -> float | None:
    return distance / unit if unit > 0 else None


def _known(value: float) -> float | None:
    """A number, or None where it is missing."""
    return None if math.isnan(value) else float(value)
