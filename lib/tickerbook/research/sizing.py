"""Sizing: how many shares, the trade plan they belong to, and both as facts."""

from collections.abc import Iterator
from dataclasses import replace

from tickerbook.facts import Fact, Facts
from tickerbook.research.plan import Check, Target, TradePlan, trade_plan
from tickerbook.research.position import Cap, Size, size_position

__all__ = ["Cap", "Check", "Size", "Target", "TradePlan", "plan_facts", "size_position", "trade_plan"]

_CENTS, _FINE = 2, 4


def plan_facts(plan: TradePlan) -> Facts:
    """A plan as facts: `plan.…`, and rows `target.N.…`, `size.N.…` and `check.N.…`.

    Where there is no plan, its prices and figures are missing, there are no rows, and `plan.context` says
    why. Prices below 1 are shown with four decimals, others with two; values are not rounded.
    """
    facts = [*_prices(plan), *_money(plan), *_limits(plan)]
    for number, target in enumerate(plan.targets, start=1):
        facts += _target(f"target.{number}", target, plan)
    for number, cap in enumerate(plan.size.caps if plan.size else (), start=1):
        facts += _cap(f"size.{number}", cap)
    for number, check in enumerate(plan.checks, start=1):
        facts += _check(f"check.{number}", check)
    return Facts(replace(fact, as_of=plan.session) for fact in facts)


def _price(plan: TradePlan, name: str, value: float | None, label: str) -> Fact:
    return Fact(name, value, label, plan.currency, _FINE if plan.entry and plan.entry < 1 else _CENTS)


def _prices(plan: TradePlan) -> Iterator[Fact]:
    zone, size = plan.zone, plan.size
    yield Fact("plan.context", plan.context, "context")
    yield Fact("plan.passed", plan.passed, "all checks passed")
    yield Fact("plan.side", None if zone is None else "long", "side")
    yield _price(plan, "plan.entry", plan.entry, "entry")
    yield _price(plan, "plan.stop", plan.stop, "stop")
    yield Fact("plan.reward_risk", plan.reward_risk, "reward to risk at the nearest target", "R", 2)
    yield _price(plan, "plan.risk_per_share", size.risk_per_share if size else None, "risk a share")
    yield _price(plan, "plan.zone_low", zone.low if zone else None, "support zone from")
    yield _price(plan, "plan.zone_high", zone.high if zone else None, "support zone to")
    yield Fact("plan.zone_method", zone.method if zone else None, "support found by")


def _money(plan: TradePlan) -> Iterator[Fact]:
    size, equity = plan.size, plan.limits.equity
    yield Fact("plan.shares", size.shares if size else None, "size", "shares", 0)
    yield Fact("plan.binding", size.binding if size else None, "limit that decides the size")
    yield Fact("plan.notional", size.notional if size else None, "cost of the position", plan.currency, 0)
    yield Fact("plan.weight", size.notional / equity if size else None, "weight in the equity", "fraction", 1)
    yield Fact("plan.money_at_risk", size.money_at_risk if size else None, "money at risk", plan.currency, 0)
    yield Fact("plan.volatility", plan.volatility, "volatility of the price a year", "fraction", 1)


def _limits(plan: TradePlan) -> Iterator[Fact]:
    limits = plan.limits
    yield Fact("plan.equity", limits.equity, "equity", plan.currency, 0)
    yield Fact("plan.risk_fraction", limits.risk_fraction, "share of equity at risk, at most", "fraction", 2)
    yield Fact("plan.volatility_target", limits.volatility_target, "volatility target a year", "fraction", 1)
    yield Fact("plan.max_weight", limits.max_weight, "weight in the equity, at most", "fraction", 1)
    yield Fact("plan.stop_atr", limits.stop_atr, "stop below the zone by at least", "ATR", 2)
    yield Fact("plan.min_touches", limits.min_touches, "visits that make a level tested", "", 0)


def _target(row: str, target: Target, plan: TradePlan) -> Iterator[Fact]:
    yield _price(plan, f"{row}.price", target.price, "target")
    yield Fact(f"{row}.method", target.method, "target: found by")
    yield Fact(f"{row}.r_multiple", target.r_multiple, "target: gain", "R", 2)


def _cap(row: str, cap: Cap) -> Iterator[Fact]:
    yield Fact(f"{row}.method", cap.method, "limit")
    yield Fact(f"{row}.shares", cap.shares, f"{cap.method}: allows", "shares", 0)
    yield Fact(f"{row}.binds", cap.binds, f"{cap.method}: decides")


def _check(row: str, check: Check) -> Iterator[Fact]:
    yield Fact(f"{row}.name", check.name, "check")
    yield Fact(f"{row}.passed", check.passed, f"{check.name}: passed")
    yield Fact(f"{row}.figure", check.figure, check.name, check.unit, check.digits)
    yield Fact(f"{row}.rule", check.rule, f"{check.name}: rule")
    yield Fact(f"{row}.limit", check.limit, f"{check.name}: limit", check.unit, check.digits)
