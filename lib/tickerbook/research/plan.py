"""The trade plan, which readers know as the tactic: where to buy, give up and sell, and how much."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.research.desk import Desk, Order, Sizing, Target, price_volatility
from tickerbook.research.indicators import atr
from tickerbook.research.level import ATR_PERIOD, Level, nearest_support
from tickerbook.research.limits import Limits
from tickerbook.research.position import Size
from tickerbook.research.pretrade import Check, pre_trade
from tickerbook.research.ruin import LEAST, drawdown_chance
from tickerbook.sessions import sessions_a_year

TARGETS = 3
GAPS = (1, 3, 5)  # ATR beyond the stop
_INSIDE = "The price is inside a support zone, and the entry is at the close."
_ABOVE = "The price is above support, and the entry waits for it to come back to the zone."
_NOWHERE = Desk()


@dataclass(frozen=True, slots=True)
class TradePlan:
    """A plan to buy at support, or why there is none. Prices in `currency` a share.

    Attributes:
        session: at whose close it was made.
        currency: ISO 4217 code.
        limits: what the analyst allowed.
        context: one sentence: where the price stands, or why there is no plan.
        order: what is bought, where it ends; None where there is no plan, as all below.
        passed_over: resistance that is nearer to the entry than a target may be.
        sizing: how many shares, and what led to it.
        atr: ATR(14) at the close.
        checks: the conditions before the trade.
        drawdown_chance: chance that the account, with this position added, falls `limits.max_drawdown` below
            its peak within a year; None where there are too few sessions to say.
    """

    session: date
    currency: str
    limits: Limits
    context: str
    order: Order | None = None
    passed_over: tuple[Target, ...] = ()
    sizing: Sizing | None = None
    atr: float | None = None
    checks: tuple[Check, ...] = ()
    drawdown_chance: float | None = None

    @property
    def zone(self) -> Level | None:
        """The support that is bought."""
        return self.order.zone if self.order else None

    @property
    def entry(self) -> float | None:
        """The top of the zone, or the close where the price is inside it."""
        return self.order.entry if self.order else None

    @property
    def stop(self) -> float | None:
        """Where the plan is wrong, below the zone."""
        return self.order.stop if self.order else None

    @property
    def targets(self) -> tuple[Target, ...]:
        """Where to sell, lowest first."""
        return self.order.targets if self.order else ()

    @property
    def size(self) -> Size | None:
        """How many shares."""
        return self.sizing.size if self.sizing else None

    @property
    def volatility(self) -> float | None:
        """Of the price a year, as a fraction."""
        return self.sizing.volatility if self.sizing else None

    @property
    def reward_risk(self) -> float | None:
        """The R-multiple of the nearest target: the gain that the plan can count on first."""
        return self.order.reward_risk if self.order else None

    @property
    def passed(self) -> bool:
        """Whether there is a plan and no check of it fails."""
        return bool(self.checks) and not any(check.passed is False for check in self.checks)


def trade_plan(bars: Bars, levels: Iterable[Level], *, desk: Desk = _NOWHERE, **limits: Any) -> TradePlan:
    """Plan to buy at the nearest tested support, as of the last close.

    Only levels count that the price has come back to `min_touches` times since they formed: the many that
    were never tested lie too close to each other to tell one plan from another. Resistance nearer to the
    entry than `min_target_atr` is no target: price crosses such a distance in a usual day, whatever stands
    there. Where there is no support, no target or no measure of risk, the plan says so and invents nothing.

    Args:
        bars: daily bars.
        levels: support and resistance at their last close.
        desk: what is known beside them: open positions, evidence, earnings, spread.
        limits: what the account allows, the fields of `Limits`; `equity` has no default.

    Raises:
        ConfigError: if a limit is out of its range.
    """
    allowed = Limits(**limits)
    tested = [level for level in levels if level.touches >= allowed.min_touches]
    found = _order(bars, tested, allowed)
    if isinstance(found, str):
        return TradePlan(bars.session, bars.currency, allowed, f"No plan: {found}.")
    order, passed_over, unit = found
    before = pre_trade(bars, order, allowed, desk)
    return TradePlan(
        session=bars.session,
        currency=bars.currency,
        limits=allowed,
        context=_INSIDE if order.entry == bars.frame["close"].iloc[-1] else _ABOVE,
        order=order,
        passed_over=passed_over,
        sizing=before.sizing,
        atr=unit,
        checks=before.checks,
        drawdown_chance=_chance(bars, before.sizing, allowed, desk),
    )


def _order(
    bars: Bars, levels: Sequence[Level], limits: Limits
) -> tuple[Order, tuple[Target, ...], float] | str:
    """The order that the levels suggest, the resistance passed over and the ATR; or why there is none."""
    close, unit = float(bars.frame["close"].iloc[-1]), float(atr(bars.frame, ATR_PERIOD).iloc[-1])
    if not (unit > 0 and price_volatility(bars, limits.volatility_sessions) > 0):
        return "its risk cannot be measured, for there are too few sessions or the price has stood still"
    zone = nearest_support(levels, close)
    if zone is None:
        return "there is no tested support below the price"
    entry = min(zone.high, close)
    stop = stop_below(zone.low - limits.stop_atr * unit, unit)
    if stop <= 0:
        return "the stop would be at or below zero"
    above = sorted((one for one in levels if one.side == "resistance" and one.low > entry), key=_edge)
    far = entry + limits.min_target_atr * unit
    targets = _targets([one for one in above if one.low >= far], entry, stop)
    if not targets and above:
        return "all tested resistance above the entry is too near, inside the noise of a usual day"
    if not targets:
        return "there is no tested resistance above the entry"
    near = _targets([one for one in above if one.low < far], entry, stop)
    return Order(entry, stop, targets[:TARGETS], zone), near, unit


def stop_below(price: float, unit: float) -> float:
    """The highest price at or below `price` at which a stop can be placed and few others stand.

    Stop orders cluster just beyond round numbers (Osler 2003), where they are easily swept: a tenth of an ATR
    is kept from prices that end with a 0 or 5 as their third digit, such as 95.5, 105, 430. A stop is in
    whole cents, below 1 in hundredths of a cent, where that is fine enough.

    Args:
        price: where the stop would be.
        unit: ATR, currency a share.
    """
    if price <= 0:
        return price
    step, tick = 10 ** math.floor(math.log10(price)) / 20, 0.01 if price >= 1 else 0.0001
    if step < 2 * tick:
        tick = 0.0
    stop = _floored(price, tick)
    nearest = round(stop / step) * step
    margin = min(unit / 10, step / 4)
    return _floored(nearest - margin, tick) if abs(stop - nearest) < margin else stop


def _floored(price: float, tick: float) -> float:
    return round(math.floor(price / tick) * tick, 4) if tick else price


def _targets(above: Sequence[Level], entry: float, stop: float) -> tuple[Target, ...]:
    """Resistance zones as targets, lowest first; of those that overlap the lowest."""
    found, top = [], entry
    for level in above:
        if level.low > top:
            found.append(Target(level.low, level.method, (level.low - entry) / (entry - stop)))
            top = level.high
    return tuple(found)


def _edge(level: Level) -> float:
    return level.low


def _chance(bars: Bars, sizing: Sizing, limits: Limits, desk: Desk) -> float | None:
    """Chance of a drawdown beyond the limit, of the open positions whose prices are known and this one."""
    equity = limits.equity
    parts = [bars.frame["close"].pct_change() * (sizing.size.notional / equity)]
    for one in desk.book:
        if one.ticker in desk.peers:
            closes = desk.peers[one.ticker].until(bars.session).frame["close"]
            parts.append(closes.pct_change() * (one.shares * closes.iloc[-1] / equity))
    together = pd.concat(parts, axis=1, join="inner").dropna().sum(axis=1)
    if len(together) < LEAST:
        return None
    return drawdown_chance(together, limits.max_drawdown, sessions_a_year(bars.calendar))
