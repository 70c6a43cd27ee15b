"""The plain narrator: sentences chosen by what the facts are. No model, no chance, no filler.

Which sentence is said is decided here by the values of facts; every figure in it is a slot. What has no fact
is not mentioned, or is said to be missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tickerbook.errors import NarrativeError
from tickerbook.facts import Fact, Facts
from tickerbook.narrative.draft import Draft, Part

_SAMPLE = "sample"  # how the source of sample prices begins

Row = Mapping[str, Fact]


def draft(facts: Facts) -> Draft:
    """The narrative of a report: context, objective, plan, and what would invalidate it.

    Raises:
        NarrativeError: if there is no last close to speak of.
    """
    if not _has(facts, "price.close", "price.session"):
        raise NarrativeError("There is no last close to write about.", "Run the notebook levels again.")
    tested = [row for row in facts.rows("strategy") if "name" in row]
    parts = (
        Part(
            "context", "Context", (_close(facts), *_levels(facts), *_evidence(facts, tested), *_origin(facts))
        ),
        Part("objective", "Objective", tuple(_objective(facts))),
        Part("plan", "Plan", tuple(_plan(facts))),
        Part("invalidation", "What would invalidate it", tuple(_invalidation(facts, tested))),
    )
    return tuple(part for part in parts if part.sentences)


def _close(facts: Facts) -> str:
    said, change = "{ticker} closed at {price.close} on {price.session}", facts.value("price.change")
    if change is None:
        return f"{said}."
    if not _shows(facts["price.change"]):
        return f"{said}, hardly changed from the close before."
    return f"{said}, {'up' if change > 0 else 'a change of'} {{price.change}} from the close before."


def _levels(facts: Facts) -> Iterator[str]:
    support, resistance = _level(facts, "support", "lower"), _level(facts, "resistance", "higher")
    if support and resistance:
        yield f"The nearest support, {support}, and the nearest resistance, {resistance}."
    elif support:
        yield f"The nearest support, {support}, and no resistance was found above the close."
    elif resistance:
        yield f"The nearest resistance, {resistance}, and no support was found below the close."
    else:
        yield "No support was found below the close, and no resistance above it."
    close = facts.value("price.close")
    inside = []
    if support and close <= facts.value("support.high", close - 1):
        inside.append("that support, {support.low} to {support.high}")
    if resistance and close >= facts.value("resistance.low", close + 1):
        inside.append("that resistance, {resistance.low} to {resistance.high}")
    if inside:
        yield f"The close is inside the zone of {', and inside the zone of '.join(inside)}."


def _level(facts: Facts, name: str, where: str) -> str:
    """`{support.price} ({support.method}), is {support.distance} lower`; empty where there is no level."""
    if not _has(facts, f"{name}.price"):
        return ""
    method = f" ({{{name}.method}})" if _has(facts, f"{name}.method") else ""
    away, more = f"{name}.distance", f"{name}.distance_atr"
    if not _has(facts, away) or not _shows(facts[away]):
        return f"{{{name}.price}}{method}, is hardly {where}"
    unit = f" ({{{more}}})" if _has(facts, more) and _shows(facts[more]) else ""
    return f"{{{name}.price}}{method}, is {{{away}}}{unit} {where}"


def _evidence(facts: Facts, rows: Sequence[Row]) -> Iterator[str]:
    """Where the strategies stand, and what they returned beside buy and hold."""
    sides = {
        side: [row for row in rows if _value(row, "signal") == side] for side in ("long", "short", "flat")
    }
    said = [f"{_names(held)} {'are' if held[1:] else 'is'} {side}" for side, held in sides.items() if held]
    if said:
        yield f"Of the strategies tested, {'; '.join(said)}."
    if untested := [row for row in rows if _value(row, "total_return") is None]:
        yield f"There is too little history to test {_names(untested)}."
    hold = facts.value("benchmark.total_return")
    tested = [row for row in rows if _value(row, "total_return") is not None]
    if hold is None or not tested or not _has(facts, "test.first", "test.last"):
        return
    worst = ", with a deepest drawdown of {benchmark.max_drawdown}" * _has(facts, "benchmark.max_drawdown")
    yield f"After costs, buy and hold returned {{benchmark.total_return}} from {{test.first}} to {{test.last}}{worst}."
    first, *others = tested
    returns = [f"{_slot(first['name'])} returned {_slot(first['total_return'])}"]
    returns += [f"{_slot(row['name'])} {_slot(row['total_return'])}" for row in others]
    better = [row for row in tested if _value(row, "total_return") > hold]
    yield f"Over the same sessions and at the same costs, {_listed(returns)}; {_verdict(better, tested)}."


def _verdict(better: Sequence[Row], tested: Sequence[Row]) -> str:
    if not tested[1:]:
        return "that is more" if better else "that is not more"
    if not better:
        return "none of them did better"
    return f"{'all of them' if len(better) == len(tested) else _names(better)} did better"


def _origin(facts: Facts) -> Iterator[str]:
    if _has(facts, "price.source", "price.first", "price.sessions"):
        yield "The prices are daily, from {price.source}: {price.sessions}, {price.first} to {price.session}."
        if facts["price.source"].text.startswith(_SAMPLE):
            yield "They are a historical sample and say nothing about prices since."


def _objective(facts: Facts) -> Iterator[str]:
    targets = [_target(row) for row in facts.rows("target") if _value(row, "price") is not None]
    if not _has(facts, "plan.entry"):
        why = (
            "no support below the close to lean on"
            if not _has(facts, "support.price")
            else "no entry that fits"
        )
        yield f"There is nothing to aim at, because there is {why}."
    elif targets:
        yield f"The plan is {_side(facts)}, from {{plan.entry}} to {', then '.join(targets)}."
    else:
        yield f"The plan is {_side(facts)} from {{plan.entry}}, without a target, because no level was found on the way."
    if targets and _has(facts, "plan.entry", "plan.risk_per_share", "target.1.r_multiple"):
        yield "The nearest target would pay {target.1.r_multiple}, where the risk is {plan.risk_per_share} a share."


def _target(row: Row) -> str:
    method = f" ({_slot(row['method'])})" if _value(row, "method") else ""
    return f"{_slot(row['price'])}{method}"


def _plan(facts: Facts) -> Iterator[str]:
    if not _has(facts, "plan.entry", "plan.stop"):
        return
    beyond = facts.value("plan.stop") < facts.value("support.low", facts.value("plan.stop"))
    yield f"The stop is {{plan.stop}}{', below the support zone from {support.low} to {support.high}' * beyond}."
    if _has(facts, "plan.shares", "plan.binding"):
        if facts.value("plan.shares") == 0:
            yield "No position fits: {plan.binding} leaves {plan.shares}."
        elif _has(facts, "plan.notional", "plan.money_at_risk"):
            yield "The size is {plan.shares}, worth {plan.notional}, with {plan.money_at_risk} at risk; it is set by {plan.binding}."
    yield from _checklist(facts)


def _checklist(facts: Facts) -> Iterator[str]:
    failed = [
        _slot(row["name"]) for row in facts.rows("check") if "name" in row and _value(row, "passed") is False
    ]
    if failed:
        yield f"The plan does not pass its checklist, which it fails on {_listed(failed)}."
    elif facts.value("plan.passed"):
        yield "It passes every condition of its checklist."


def _invalidation(facts: Facts, rows: Sequence[Row]) -> Iterator[str]:
    if _has(facts, "plan.entry", "plan.stop"):
        way = "above" if facts.value("plan.side") == "short" else "below"
        yield f"A close {way} {{plan.stop}} would end the reason for the plan."
    elif _has(facts, "support.low"):
        yield "A close below {support.low} would leave the nearest support behind."
    if held := [row for row in rows if _value(row, "signal") == _side(facts)]:
        yield f"The case would weaken if {_names(held)} turned flat."
    elif any(_value(row, "signal") for row in rows):
        yield f"No strategy tested is {_side(facts)}, so none of them supports it."


def _side(facts: Facts) -> str:
    return "short" if facts.value("plan.side") == "short" else "long"


def _has(facts: Facts, *names: str) -> bool:
    return all(facts.value(name) is not None for name in names)


def _shows(fact: Fact) -> bool:
    """Whether a figure is still one when it is rounded for readers."""
    return any(digit in fact.text for digit in "123456789")


def _value(row: Row, column: str) -> Any:
    return row[column].value if column in row else None


def _slot(fact: Fact) -> str:
    return f"{{{fact.name}}}"


def _names(rows: Sequence[Row]) -> str:
    return _listed([_slot(row["name"]) for row in rows])


def _listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
