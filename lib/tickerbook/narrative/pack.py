"""The facts that prose is written from, as its checks ask for them."""

from collections.abc import Mapping

from tickerbook.facts import Fact, Value
from tickerbook.narrative.sentence import vocabulary

Pack = Mapping[str, Fact]
NOT = vocabulary("not no never neither nor without hasn't didn't isn't wasn't")


def number(facts: Pack, name: str | None) -> float | None:
    """A fact's number; None where it has none."""
    value = facts[name].value if name is not None and name in facts else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def number_or_zero(facts: Pack, name: str) -> float:
    """The same; zero where it has none."""
    return number(facts, name) or 0.0


def unit_of(facts: Pack, name: str | None) -> str:
    """A fact's unit; empty where there is no such fact."""
    return facts[name].unit if name is not None and name in facts else ""


def column(facts: Pack, group: str, name: str) -> dict[str, Value]:
    """Row → value of one column, such as strategy.1 → "long", for rows numbered from 1."""
    found: dict[str, Value] = {}
    while f"{group}.{len(found) + 1}.{name}" in facts:
        row = f"{group}.{len(found) + 1}"
        found[row] = facts[f"{row}.{name}"].value
    return found
