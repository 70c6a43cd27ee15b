"""A trade plan as facts."""

from collections.abc import Iterator
from dataclasses import replace

from tickerbook.facts import Fact, Facts
from tickerbook.research.book import Held
from tickerbook.research.conviction import Reason
from tickerbook.research.desk import Sizing, Target
from tickerbook.research.plan import GAPS, TradePlan
from tickerbook.research.position import Cap
from tickerbook.research.pretrade import Check

_CENTS, _FINE = 2, 4
_AT_STOP = "of the equity, lost at the stop"
_MEANS = {  # limit → what its share is of
    "fixed fractional": _AT_STOP,
    "volatility target": "of the equity, its volatility a year",
    "maximum weight": "of the equity, in one position",
    "capital": "of the equity, at hand",
    "Kelly": f"{_AT_STOP}, by the measured edge",
    "portfolio heat": f"{_AT_STOP}, still free beside all open positions",
    "correlated risk": f"{_AT_STOP}, still free beside what moves with it",
    "liquidity": "of a mean day's volume",
    "drawdown throttle": "of what the limits above allow, after the account's drawdown",
    "conviction": "of what the limits above allow, by the evidence",
}


def plan_facts(plan: TradePlan) -> Facts:
    """A plan as facts: `plan.…`, and rows.

    Rows are of `target` and `near` (resistance passed over), `size` (what each limit allows), `gap`, `check`,
    `conviction` (what it is made of) and `position` (what is open). Where there is no plan, its prices and
    figures are missing, there are no rows, and `plan.context` says why. Prices below 1 are shown with four
    decimals, others with two; values are not rounded.
    """
    facts = [*_prices(plan), *_money(plan), *_limits(plan)]
    for group, targets in (("target", plan.targets), ("near", plan.passed_over)):
        for number, target in enumerate(targets, start=1):
            facts += _target(f"{group}.{number}", target, plan)
    if plan.sizing:
        for number, cap in enumerate(plan.sizing.size.caps, start=1):
            facts += _cap(f"size.{number}", cap)
        for number, gap in enumerate(GAPS, start=1):
            facts += _gap(f"gap.{number}", gap, plan.sizing, plan)
        for number, reason in enumerate(plan.sizing.conviction.reasons, start=1):
            facts += _reason(f"conviction.{number}", reason)
        for number, held in enumerate(plan.sizing.held, start=1):
            facts += _held(f"position.{number}", held, plan)
    for number, check in enumerate(plan.checks, start=1):
        facts += _check(f"check.{number}", check)
    return Facts(replace(fact, as_of=plan.session) for fact in facts)


def _price(plan: TradePlan, name: str, value: float | None, label: str) -> Fact:
    return Fact(name, value, label, plan.currency, _FINE if plan.entry and plan.entry < 1 else _CENTS)


def _prices(plan: TradePlan) -> Iterator[Fact]:
    zone, size = plan.zone, plan.size
    yield Fact("plan.context", plan.context, "context")
    yield Fact("plan.passed", plan.passed, "no check fails")
    yield Fact("plan.side", None if zone is None else "long", "side")
    yield _price(plan, "plan.entry", plan.entry, "entry")
    yield _price(plan, "plan.stop", plan.stop, "stop")
    yield Fact("plan.reward_risk", plan.reward_risk, "reward to risk at the nearest target", "R", 2)
    yield _price(plan, "plan.risk_per_share", size.risk_per_share if size else None, "risk a share")
    yield _price(plan, "plan.zone_low", zone.low if zone else None, "support zone from")
    yield _price(plan, "plan.zone_high", zone.high if zone else None, "support zone to")
    yield Fact("plan.zone_method", zone.method if zone else None, "support found by")


def _money(plan: TradePlan) -> Iterator[Fact]:
    size, sizing, equity = plan.size, plan.sizing, plan.limits.equity
    trusting = sizing.trusting if sizing else None
    heat = sizing.open_risk / equity if sizing else None
    together = sizing.together / equity if sizing else None
    yield Fact("plan.shares", size.shares if size else None, "size", "shares", 0)
    yield Fact("plan.binding", size.binding if size else None, "limit that decides the size")
    yield Fact("plan.trusting_shares", trusting, "size of who takes the edge on trust", "shares", 0)
    yield Fact("plan.notional", size.notional if size else None, "cost of the position", plan.currency, 0)
    yield Fact("plan.weight", size.notional / equity if size else None, "weight in the equity", "fraction", 1)
    yield Fact("plan.money_at_risk", size.money_at_risk if size else None, "money at risk", plan.currency, 0)
    yield Fact("plan.volatility", plan.volatility, "volatility of the price a year", "fraction", 1)
    yield Fact("plan.conviction", sizing.conviction.value if sizing else None, "conviction", "fraction", 0)
    yield Fact("plan.heat", heat, "equity at risk in open positions", "fraction", 2)
    yield Fact("plan.cluster_heat", together, "of it in what moves with the share", "fraction", 2)
    label = "chance of a drawdown beyond the limit within a year"
    yield Fact("plan.drawdown_chance", plan.drawdown_chance, label, "fraction", 0)


def _limits(plan: TradePlan) -> Iterator[Fact]:
    limits = plan.limits
    yield Fact("plan.equity", limits.equity, "equity", plan.currency, 0)
    yield Fact("plan.risk_fraction", limits.risk_fraction, "share of equity at risk, at most", "fraction", 2)
    yield Fact("plan.volatility_target", limits.volatility_target, "volatility target a year", "fraction", 1)
    yield Fact("plan.max_weight", limits.max_weight, "weight in the equity, at most", "fraction", 1)
    yield Fact("plan.max_heat", limits.max_heat, "equity at risk in all positions, at most", "fraction", 1)
    yield Fact("plan.max_drawdown", limits.max_drawdown, "drawdown that stops all buying", "fraction", 0)
    yield Fact("plan.account_drawdown", limits.account.drawdown, "drawdown of the account", "fraction", 1)
    yield Fact("plan.require_edge", limits.require_edge, "a size needs a measured edge")
    yield Fact("plan.stop_atr", limits.stop_atr, "stop below the zone by at least", "ATR", 2)
    yield Fact("plan.min_target_atr", limits.min_target_atr, "target above the entry by at least", "ATR", 2)
    yield Fact("plan.min_touches", limits.min_touches, "visits that make a level tested", "", 0)


def _target(row: str, target: Target, plan: TradePlan) -> Iterator[Fact]:
    name = "target" if row.startswith("target") else "resistance passed over"
    yield _price(plan, f"{row}.price", target.price, name)
    yield Fact(f"{row}.method", target.method, f"{name}: found by")
    yield Fact(f"{row}.r_multiple", target.r_multiple, f"{name}: gain", "R", 2)
    if plan.entry is not None and plan.atr:
        yield Fact(
            f"{row}.away", (target.price - plan.entry) / plan.atr, f"{name}: above the entry", "ATR", 1
        )


def _cap(row: str, cap: Cap) -> Iterator[Fact]:
    yield Fact(f"{row}.method", cap.method, "limit")
    yield Fact(f"{row}.set", cap.share, f"{cap.method}: set to", "fraction", 1)
    yield Fact(f"{row}.means", _MEANS[cap.method], f"{cap.method}: meaning")
    yield Fact(f"{row}.shares", cap.shares, f"{cap.method}: allows", "shares", 0)
    yield Fact(f"{row}.binds", cap.binds, f"{cap.method}: decides")


def _gap(row: str, gap: int, sizing: Sizing, plan: TradePlan) -> Iterator[Fact]:
    size, distance = sizing.size, gap * (plan.atr or 0.0)
    fill, loss = size.gap_fill(distance), size.gap_loss(distance)
    lost = abs(size.entry - fill)
    yield Fact(f"{row}.atr", gap, "gap beyond the stop", "ATR", 0)
    yield _price(plan, f"{row}.price", fill, "gap: sold at")
    yield Fact(f"{row}.r_multiple", lost / size.risk_per_share, "gap: loss in risks of a share", "R", 1)
    yield Fact(f"{row}.loss", loss, "gap: loss", plan.currency, 0)
    yield Fact(f"{row}.share", loss / plan.limits.equity, "gap: loss, share of the equity", "fraction", 1)
    on_trust = lost * sizing.trusting
    yield Fact(f"{row}.trusting_loss", on_trust, "gap: loss of who takes the edge on trust", plan.currency, 0)


def _reason(row: str, reason: Reason) -> Iterator[Fact]:
    yield Fact(f"{row}.name", reason.name, "evidence")
    yield Fact(f"{row}.figure", reason.figure, reason.name, "fraction", 1)
    yield Fact(f"{row}.counts", reason.counts, f"{reason.name}: counts", "fraction", 0)


def _held(row: str, held: Held, plan: TradePlan) -> Iterator[Fact]:
    position = held.position
    yield Fact(f"{row}.ticker", position.ticker, "open position")
    yield Fact(f"{row}.shares", position.shares, "open position: size", "shares", 0)
    yield Fact(f"{row}.risk", position.risk, "open position: money at risk", plan.currency, 0)
    yield Fact(f"{row}.correlation", held.correlation, "open position: correlation", digits=2)
    yield Fact(f"{row}.together", held.together, "open position: counts", plan.currency, 0)


def _check(row: str, check: Check) -> Iterator[Fact]:
    yield Fact(f"{row}.name", check.name, "check")
    yield Fact(f"{row}.passed", check.passed, f"{check.name}: passed")
    yield Fact(f"{row}.figure", check.figure, check.name, check.unit, check.digits)
    yield Fact(f"{row}.rule", check.rule, f"{check.name}: rule")
    yield Fact(f"{row}.limit", check.limit, f"{check.name}: limit", check.unit, check.digits)
    yield Fact(f"{row}.note", check.note or None, f"{check.name}: note")
