"""The plain narrator: sentences chosen by what the facts are. No model, no chance, no filler.

Which sentence is said is decided here by the values of facts; every figure in it is a slot. What has no fact
is not mentioned, or is said to be missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tickerbook.errors import NarrativeError
from tickerbook.facts import Fact, Facts
from tickerbook.narrative.draft import Draft, Part

_SIDES = ("long", "short", "flat")
_SAMPLE = "sample"  # how the source of sample prices begins

Row = Mapping[str, Fact]


def draft(facts: Facts) -> Draft:
    """The narrative of a report: context, objective, plan, and what would invalidate it.

    Raises:
        NarrativeError: if there is no last close to speak of.
    """
    if not _has(facts, "price.close", "price.session"):
        raise NarrativeError("There is no last close to write about.", "Run the notebook levels again.")
    tested = _named(facts, "strategy")
    parts = (
        Part(
            "context",
            "Context",
            (
                _close(facts),
                *_moves(facts),
                *_levels(facts),
                *_evidence(facts, tested),
                *_origin(facts),
            ),
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
    if not _shows(facts, "price.change") or facts.value("move.1.direction") == "unchanged":
        return f"{said}, hardly changed from the close before."
    if change < 0 and _shows(facts, "move.1.size"):
        return f"{said}, down {{move.1.size}} from the close before."
    return f"{said}, {'up' if change > 0 else 'a change of'} {{price.change}} from the close before."


def _moves(facts: Facts) -> Iterator[str]:
    """The longer way to the close: a month and a year, its rank, its long average."""
    told = [_moved(facts, row) for row in ("move.3", "move.5") if _has(facts, f"{row}.direction")]
    if told:
        said = "; ".join(told)
        yield f"{said[0].upper()}{said[1:]}."
    for side, name in (("high", "highest"), ("low", "lowest")):
        if _has(facts, f"rank.{side}_sessions"):
            yield f"That is the {name} close of {{rank.{side}_sessions}}."
    if _has(facts, "average.2.gap", "average.2.price"):
        side = "above" if facts.value("average.2.gap") > 0 else "below"
        yield f"The close is {side} {{average.2.price}}, the mean of {{average.2.sessions}}."


def _moved(facts: Facts, row: str) -> str:
    over, way = f"over {{{row}.sessions}} it", facts.value(f"{row}.direction")
    if way == "unchanged":
        return f"{over} hardly changed"
    return f"{over} {'rose' if way == 'up' else 'fell'} {{{row}.size}}"


def _levels(facts: Facts) -> Iterator[str]:
    support, resistance = _level(facts, "support", "lower"), _level(facts, "resistance", "higher")
    if support and resistance:
        yield f"The nearest support is {support}; the nearest resistance is {resistance}."
    elif support:
        yield f"The nearest support is {support}; no resistance was found above the close."
    elif resistance:
        yield f"The nearest resistance is {resistance}; no support was found below the close."
    else:
        yield "No support was found below the close, and no resistance above it."
    inside = [name for name in ("support", "resistance") if _is_inside(facts, name)]
    if inside:
        zones = [f"the zone of that {name}, {{{name}.low}} to {{{name}.high}}" for name in inside]
        yield f"The close is inside {', and inside '.join(zones)}."


def _is_inside(facts: Facts, name: str) -> bool:
    if not _has(facts, f"{name}.price", f"{name}.low", f"{name}.high"):
        return False
    return bool(facts.value(f"{name}.low") <= facts.value("price.close") <= facts.value(f"{name}.high"))


def _level(facts: Facts, name: str, where: str) -> str:
    """`{support.distance} lower at {support.price} ({support.method})`; empty where there is no level."""
    if not _has(facts, f"{name}.price"):
        return ""
    away, unit = f"{name}.distance", f"{name}.distance_atr"
    far = f"{{{away}}} {where}" if _shows(facts, away) else f"hardly {where}"
    if _shows(facts, away) and _shows(facts, unit):
        far = f"{{{away}}} ({{{unit}}}) {where}"
    return f"{far} at {{{name}.price}}{_method(facts, f'{name}.method')}"


def _method(facts: Facts, name: str) -> str:
    """` ({support.method})`, or behind a comma where the method itself has brackets."""
    if not _has(facts, name):
        return ""
    return f", {{{name}}}" if "(" in facts[name].text else f" ({{{name}}})"


def _evidence(facts: Facts, rows: Sequence[Row]) -> Iterator[str]:
    """Where the strategies stand, and what they returned beside buy and hold."""
    stands = [(side, [row for row in rows if _value(row, "signal") == side]) for side in _SIDES]
    said = [f"{_names(held)} {'are' if held[1:] else 'is'} {side}" for side, held in stands if held]
    if said:
        yield f"Of the strategies tested, {'; '.join(said)}."
    total, where = ("oos_return", "Out of sample") if _walked(facts) else ("total_return", "In-sample")
    tested = [row for row in rows if _value(row, total) is not None]
    if untested := [row for row in rows if _value(row, "total_return") is None]:
        yield f"There is too little history to test {_names(untested)}."
    first, last = ("walk.first", "walk.last") if _walked(facts) else ("test.first", "test.last")
    if tested and _has(facts, f"benchmark.{total}", first, last):
        yield f"{where} and after costs, {_benchmark(facts, total, first, last)}"
        yield _returns(facts, tested, total)
        yield from _doubt(tested)


def _walked(facts: Facts) -> bool:
    """Whether strategies were tested on prices that their parameters were not chosen on."""
    return _has(facts, "benchmark.oos_return", "walk.first", "walk.last")


def _benchmark(facts: Facts, total: str, first: str, last: str) -> str:
    said = f"buy and hold returned {{benchmark.{total}}} from {{{first}}} to {{{last}}}"
    worst = f"benchmark.{'oos_' if total.startswith('oos_') else ''}max_drawdown"
    return f"{said}, with a deepest drawdown of {{{worst}}}." if _has(facts, worst) else f"{said}."


def _returns(facts: Facts, tested: Sequence[Row], total: str) -> str:
    first, *others = tested
    returns = [f"{_title(first)} returned {_slot(first[total])}"]
    returns += [f"{_title(row)} {_slot(row[total])}" for row in others]
    held = facts.value(f"benchmark.{total}")
    better = [row for row in tested if _value(row, total) > held]
    if not others:
        verdict = "that is more" if better else "that is not more"
    elif better:
        verdict = f"{_names(better) if len(better) < len(tested) else 'all of them'} did better"
    else:
        verdict = "none of them did better"
    if any(_is_unsure(row, total) for row in tested):
        verdict += ", which may be luck" if better else ", and gains may be luck"
    return f"Over the same sessions and at the same costs, {_listed(returns)}; {verdict}."


def _is_unsure(row: Row, total: str) -> bool:
    """Whether the interval of a figure has zero in it."""
    low, high = _value(row, f"{total}_low"), _value(row, f"{total}_high")
    return low is not None and high is not None and low <= 0 <= high


def _doubt(tested: Sequence[Row]) -> Iterator[str]:
    """Whose gain is more than the luck of the draw."""
    bounded = [row for row in tested if _value(row, "oos_sharpe_low") is not None]
    if not bounded:
        return
    sure = [row for row in bounded if _value(row, "oos_sharpe_low") > 0]
    if sure:
        yield f"The interval of return to risk is wholly positive only for {_names(sure)}."
    else:
        yield "For none of them is the interval of return to risk wholly positive."


def _origin(facts: Facts) -> Iterator[str]:
    if _has(facts, "price.source", "price.first", "price.sessions"):
        yield "The prices are daily, from {price.source}: {price.sessions}, {price.first} to {price.session}."
        if facts["price.source"].text.startswith(_SAMPLE):
            yield "They are a historical sample and say nothing about prices since."


def _objective(facts: Facts) -> Iterator[str]:
    if not _planned(facts):
        yield "{plan.context}" if _has(facts, "plan.context") else "There is no plan for this session."
        return
    passed = "" if facts.value("plan.passed") else ", which does not pass its checklist,"
    targets = [_slot(row["price"]) for row in facts.rows("target") if _value(row, "price") is not None]
    way = (
        f"from {{plan.entry}} to {', then '.join(targets)}"
        if targets
        else "from {plan.entry}, without a target"
    )
    yield f"The plan{passed} is {_side(facts)}, {way}."
    if _has(facts, "target.1.r_multiple", "plan.risk_per_share"):
        yield "The nearest target would pay {target.1.r_multiple}; the risk is {plan.risk_per_share} a share."


def _plan(facts: Facts) -> Iterator[str]:
    if not _planned(facts):
        return
    if _has(facts, "plan.context"):
        yield "{plan.context}"
    if _has(facts, "plan.zone_low", "plan.zone_high"):
        found = _method(facts, "plan.zone_method")
        yield f"The stop, {{plan.stop}}, is beyond the zone {{plan.zone_low}} to {{plan.zone_high}}{found}."
    else:
        yield "The stop is {plan.stop}."
    yield from _size(facts)
    yield from _checklist(facts)


def _size(facts: Facts) -> Iterator[str]:
    if not _has(facts, "plan.shares", "plan.binding", "plan.notional", "plan.money_at_risk"):
        return
    if facts.value("plan.shares") > 0:
        yield "The size is {plan.shares}, worth {plan.notional}, with {plan.money_at_risk} at risk."
        yield "What sets it is the limit called “{plan.binding}”, the tightest of those that apply."
    else:
        yield "No position fits: the limit called “{plan.binding}” leaves {plan.shares}."
        if facts.value("plan.trusting_shares", 0) > 0:
            yield "With the edge taken on trust, the other limits would allow {plan.trusting_shares}."


def _checklist(facts: Facts) -> Iterator[str]:
    checks = _named(facts, "check")
    failed = [row for row in checks if _value(row, "passed") is False]
    unknown = [row for row in checks if _value(row, "passed") is None]
    if failed:
        yield f"Its checklist fails: {'; '.join(_failure(row) for row in failed)}."
    elif facts.value("plan.passed") and unknown:
        yield f"Every condition of its checklist that is known is met; not known: {_names(unknown)}."
    elif facts.value("plan.passed"):
        yield "Every condition of its checklist is met."


def _failure(row: Row) -> str:
    if any(_value(row, column) is None for column in ("figure", "rule", "limit")):
        return f"{_slot(row['name'])} is unknown"
    figure, rule, limit = (_slot(row[column]) for column in ("figure", "rule", "limit"))
    return f"{_slot(row['name'])} is {figure} (wanted: {rule} {limit})"


def _invalidation(facts: Facts, rows: Sequence[Row]) -> Iterator[str]:
    if not _planned(facts):
        yield from _watched(facts)
        return
    short = _side(facts) == "short"
    yield f"A close {'above' if short else 'below'} {{plan.stop}} would end the reason for the plan."
    if facts.value("plan.entry") != facts.value("price.close"):
        yield "If the price does not come back to {plan.entry}, the plan does not begin."
    if held := [row for row in rows if _value(row, "signal") == _side(facts)]:
        yield f"The case would weaken if {_names(held)} turned flat."
    elif any(_value(row, "signal") for row in rows):
        yield f"No strategy tested is {_side(facts)}, so none of them supports it."


def _watched(facts: Facts) -> Iterator[str]:
    """Without a plan: the closes that would change where the price stands."""
    below, above = _has(facts, "support.low"), _has(facts, "resistance.high")
    bounds = ["below {support.low}"] * below + ["above {resistance.high}"] * above
    if bounds:
        what = "levels" if below and above else "support" if below else "resistance"
        close = f"a close {' or '.join(bounds)} would leave the nearest {what} behind"
        yield f"There is no plan to give up; {close}."


def _planned(facts: Facts) -> bool:
    return _has(facts, "plan.entry", "plan.stop")


def _side(facts: Facts) -> str:
    return "short" if facts.value("plan.side") == "short" else "long"


def _has(facts: Facts, *names: str) -> bool:
    return all(facts.value(name) is not None for name in names)


def _shows(facts: Facts, name: str) -> bool:
    """Whether there is a figure, and it is still more than nothing when it is rounded for readers."""
    return _has(facts, name) and any(digit in facts[name].text for digit in "123456789")


def _named(facts: Facts, group: str) -> list[Row]:
    return [row for row in facts.rows(group) if _value(row, "name") is not None]


def _value(row: Row, column: str) -> Any:
    return row[column].value if column in row else None


def _slot(fact: Fact) -> str:
    return f"{{{fact.name}}}"


def _names(rows: Sequence[Row]) -> str:
    return _listed([_title(row) for row in rows])


def _title(row: Row) -> str:
    """What readers call a strategy."""
    return _slot(row["title" if _value(row, "title") is not None else "name"])


def _listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
