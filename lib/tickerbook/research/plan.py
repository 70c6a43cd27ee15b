"""The trade plan, which readers know as the tactic: where to buy, give up and sell, and how much."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.indicators import atr, sma
from tickerbook.research.level import ATR_PERIOD, Level, nearest_support
from tickerbook.research.metrics import volatility
from tickerbook.research.position import Size, check_limits, size_position

TARGETS = 3
_INSIDE = "The price is inside a support zone, and the entry is at the close."
_ABOVE = "The price is above support, and the entry waits for it to come back to the zone."
_VOLUME_SESSIONS = 20
_CLOSE_ENOUGH = 1e-9  # a figure below its limit by rounding errors meets it


@dataclass(frozen=True, slots=True)
class Target:
    """Where to sell.

    Attributes:
        price: the near edge of a resistance zone.
        method: how the level was found.
        r_multiple: gain there, in units of the risk (entry − stop).
    """

    price: float
    method: str
    r_multiple: float


@dataclass(frozen=True, slots=True)
class Check:
    """One condition before a trade.

    Attributes:
        name: what is looked at, as a reader would name it.
        figure: what it is; None where it cannot be computed, which is no pass.
        rule: whether the figure must be at least or at most the limit.
        limit: what it is held against; None where it cannot be computed.
        unit, digits: of figure and limit, as in a `Fact`.
    """

    name: str
    figure: float | None
    rule: Literal["at least", "at most"]
    limit: float | None
    unit: str
    digits: int

    @property
    def passed(self) -> bool:
        """Whether the figure keeps to the rule."""
        if self.figure is None or self.limit is None:
            return False
        room = self.figure - self.limit if self.rule == "at least" else self.limit - self.figure
        return room >= -_CLOSE_ENOUGH * max(1.0, abs(self.limit))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the analyst allows; see `trade_plan` for the fields."""

    equity: float
    risk_fraction: float
    volatility_target: float
    max_weight: float
    stop_atr: float
    min_reward_risk: float
    min_touches: int
    max_entry_atr: float
    max_volume_share: float
    trend_sessions: int
    volatility_sessions: int
    min_sessions: int
    lot: int

    def __post_init__(self) -> None:
        check_limits(self.equity, self.risk_fraction, self.volatility_target, self.max_weight, self.lot)
        for name, value, good, wanted in (
            ("stop_atr", self.stop_atr, 0 < self.stop_atr < math.inf, "above 0"),
            ("min_reward_risk", self.min_reward_risk, self.min_reward_risk >= 0, "0 or more"),
            ("min_touches", self.min_touches, self.min_touches >= 0, "0 or more"),
            ("max_entry_atr", self.max_entry_atr, self.max_entry_atr >= 0, "0 or more"),
            ("max_volume_share", self.max_volume_share, 0 < self.max_volume_share <= 1, "above 0, at most 1"),
            ("trend_sessions", self.trend_sessions, self.trend_sessions >= 1, "1 session or more"),
            ("volatility_sessions", self.volatility_sessions, self.volatility_sessions > 1, "2 or more"),
            ("min_sessions", self.min_sessions, self.min_sessions >= 0, "0 or more"),
        ):
            if not good:
                raise ConfigError(f"{name} = {value} cannot be used.", f"It is {wanted}.")


@dataclass(frozen=True, slots=True)
class TradePlan:
    """A plan to buy at support, or why there is none. Prices in `currency` a share.

    Attributes:
        session: at whose close it was made.
        currency: ISO 4217 code.
        limits: what the analyst allowed.
        context: one sentence: where the price stands, or why there is no plan.
        zone: the support that is bought; None where there is no plan, as all below.
        entry: the top of the zone, or the close where the price is inside it.
        stop: where the plan is wrong, below the zone.
        targets: where to sell, lowest first.
        size: how many shares.
        volatility: of the price a year, as a fraction.
        checks: the conditions before the trade.
    """

    session: date
    currency: str
    limits: Limits
    context: str
    zone: Level | None = None
    entry: float | None = None
    stop: float | None = None
    targets: tuple[Target, ...] = ()
    size: Size | None = None
    volatility: float | None = None
    checks: tuple[Check, ...] = ()

    @property
    def reward_risk(self) -> float | None:
        """The R-multiple of the nearest target: the gain that the plan can count on first."""
        return self.targets[0].r_multiple if self.targets else None

    @property
    def passed(self) -> bool:
        """Whether there is a plan and every check passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)


def trade_plan(
    bars: Bars,
    levels: Iterable[Level],
    *,
    equity: float,
    risk_fraction: float = 0.01,
    volatility_target: float = 0.15,
    max_weight: float = 0.25,
    stop_atr: float = 0.5,
    min_reward_risk: float = 1.5,
    min_touches: int = 2,
    max_entry_atr: float = 3.0,
    max_volume_share: float = 0.01,
    trend_sessions: int = 200,
    volatility_sessions: int = 60,
    min_sessions: int = 252,
    lot: int = 1,
) -> TradePlan:
    """Plan to buy at the nearest tested support, as of the last close.

    Only levels count that the price has come back to `min_touches` times since they formed: the many that
    were never tested lie too close to each other to tell one plan from another. Where there is no support,
    no resistance or no measure of risk, the plan says so and invents nothing.

    Args:
        bars: daily bars.
        levels: support and resistance at their last close.
        equity: what the account is worth, in the bars' currency.
        risk_fraction: share of equity that may be lost at the stop.
        volatility_target: of the equity, a year, if this were its only position; a fraction.
        max_weight: largest share of equity in one position.
        stop_atr: how far below the zone the stop is at least, in ATR(14).
        min_reward_risk: the nearest target must be this many times as far as the stop.
        min_touches: visits of the price that make a level count; 0 for all levels.
        max_entry_atr: how far below the close the entry may be, in ATR(14).
        max_volume_share: largest share of a mean day's volume (20 sessions) in the position.
        trend_sessions: the close must be at or above its mean of this many sessions.
        volatility_sessions: returns that the volatility is measured on.
        min_sessions: bars that are needed to trust any of it.
        lot: shares that are traded together.

    Raises:
        ConfigError: if a limit is out of its range.
    """
    limits = Limits(
        equity,
        risk_fraction,
        volatility_target,
        max_weight,
        stop_atr,
        min_reward_risk,
        min_touches,
        max_entry_atr,
        max_volume_share,
        trend_sessions,
        volatility_sessions,
        min_sessions,
        lot,
    )
    order = _order(bars, [level for level in levels if level.touches >= min_touches], limits)
    if isinstance(order, str):
        return TradePlan(bars.session, bars.currency, limits, f"No plan: {order}.")
    size = _size(order, limits)
    return TradePlan(
        session=bars.session,
        currency=bars.currency,
        limits=limits,
        context=_INSIDE if order.entry == order.close else _ABOVE,
        zone=order.zone,
        entry=order.entry,
        stop=order.stop,
        targets=order.targets,
        size=size,
        volatility=order.volatility,
        checks=_checks(bars, limits, order, size),
    )


@dataclass(frozen=True, slots=True)
class _Order:
    """Where a plan buys and sells, and the close, ATR and volatility that it was made with."""

    zone: Level
    entry: float
    stop: float
    targets: tuple[Target, ...]
    close: float
    atr: float
    volatility: float


def _order(bars: Bars, levels: Sequence[Level], limits: Limits) -> _Order | str:
    """The order that the levels suggest, or why there is none."""
    close, unit = float(bars.frame["close"].iloc[-1]), float(atr(bars.frame, ATR_PERIOD).iloc[-1])
    yearly = _volatility(bars, limits.volatility_sessions)
    if not (unit > 0 and yearly > 0):
        return "its risk cannot be measured, for there are too few sessions or the price has stood still"
    zone = nearest_support(levels, close)
    if zone is None:
        return "there is no tested support below the price"
    entry = min(zone.high, close)
    stop = zone.low - limits.stop_atr * unit
    if stop <= 0:
        return "the stop would be at or below zero"
    stop = _below_round(stop, unit)
    targets = tuple(_targets(levels, entry, stop))
    if not targets:
        return "there is no tested resistance above the entry"
    return _Order(zone, entry, stop, targets, close, unit, yearly)


def _volatility(bars: Bars, sessions: int) -> float:
    """Volatility a year over the newest returns; NaN where there are fewer, or a close is not above zero."""
    closes = bars.frame["close"].iloc[-sessions - 1 :]
    return volatility(closes.pct_change()) if len(closes) > sessions and closes.min() > 0 else math.nan


def _below_round(stop: float, unit: float) -> float:
    """The stop, moved below a round number that it is at or near.

    Stop orders cluster just beyond round numbers (Osler 2003), where they are easily swept: a tenth of an ATR
    is kept from multiples of 5 in the second digit, such as 95.5, 101 (no), 105, 430, 435.
    """
    step = 10 ** math.floor(math.log10(stop)) / 20
    nearest = round(stop / step) * step
    margin = min(unit / 10, step / 4)
    return nearest - margin if abs(stop - nearest) < margin else stop


def _targets(levels: Sequence[Level], entry: float, stop: float) -> Iterator[Target]:
    """The nearest resistance zones above the entry, of those that overlap the lowest."""
    above = sorted((one for one in levels if one.side == "resistance" and one.low > entry), key=_edge)
    top, found = entry, 0
    for level in above:
        if level.low > top and found < TARGETS:
            yield Target(level.low, level.method, (level.low - entry) / (entry - stop))
            top, found = level.high, found + 1


def _edge(level: Level) -> float:
    return level.low


def _size(order: _Order, limits: Limits) -> Size:
    return size_position(
        entry=order.entry,
        stop=order.stop,
        equity=limits.equity,
        risk_fraction=limits.risk_fraction,
        volatility=order.volatility,
        volatility_target=limits.volatility_target,
        max_weight=limits.max_weight,
        lot=limits.lot,
    )


def _checks(bars: Bars, limits: Limits, order: _Order, size: Size) -> tuple[Check, ...]:
    trend = _known(sma(bars.frame["close"], limits.trend_sessions).iloc[-1])
    volume = _known(bars.frame["volume"].iloc[-_VOLUME_SESSIONS:].mean(skipna=False))
    reward, beyond = order.targets[0].r_multiple, (order.zone.low - order.stop) / order.atr
    away = (order.close - order.entry) / order.atr
    return (
        Check("reward to risk", reward, "at least", limits.min_reward_risk, "R", 2),
        Check("stop beyond the zone", beyond, "at least", limits.stop_atr, "ATR", 2),
        Check("distance to the entry", away, "at most", limits.max_entry_atr, "ATR", 2),
        Check(
            "share of a day's volume",
            size.shares / volume if volume else None,
            "at most",
            limits.max_volume_share,
            "fraction",
            3,
        ),
        Check("close against its trend", order.close, "at least", trend, bars.currency, 2),
        Check("history", len(bars), "at least", limits.min_sessions, "sessions", 0),
        Check("size", size.shares, "at least", limits.lot, "shares", 0),
    )


def _known(value: float) -> float | None:
    """A number, or None where it is missing."""
    return None if math.isnan(value) else float(value)
