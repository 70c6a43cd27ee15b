"""What pages and plans may use of a backtest."""

from datetime import date

import pytest

from tickerbook.facts import Fact, Facts
from tickerbook.research.staged import staged

SESSION = date(2022, 1, 14)


def signals():
    """A backtest of two strategies."""
    rows = {"1": ("ma_cross", "long"), "2": ("donchian", "flat")}
    facts = [Fact("price.close", 10.0, "close", as_of=SESSION)]
    for number, (name, signal) in rows.items():
        facts.append(Fact(f"strategy.{number}.name", name, "strategy", as_of=SESSION))
        facts.append(Fact(f"strategy.{number}.signal", signal, "signal", as_of=SESSION))
    return Facts(facts)


def evidence(least="dev", **stages):
    """Evidence for strategies at these stages."""
    facts = [Fact("evidence.stage", least, "least")]
    for number, (name, stage) in enumerate(stages.items(), start=1):
        row = {"strategy": name, "stage": stage, "dsr": 0.9, "trials": 12}
        facts += [
            Fact(f"evidence.{number}.{key}", value, key, as_of=date(2021, 12, 31))
            for key, value in row.items()
        ]
    return Facts(facts)


def names(facts):
    """The strategies that are left."""
    return [row["name"].value for row in facts.rows("strategy")]


@pytest.mark.parametrize(
    ("least", "left"), [("dev", ["ma_cross", "donchian"]), ("paper", ["ma_cross"]), ("production", [])]
)
def test_what_has_not_reached_the_stage_is_left_out(least, left):
    """At or above the stage stays; what there is no evidence for is at dev."""
    facts = staged(signals(), evidence(least, ma_cross="paper"))
    assert names(facts) == left
    assert facts.value("price.close") == 10.0


def test_rows_are_labelled():
    """Stage, chance of skill and trials stand in the row, of the row's session, and keep who computed them."""
    first, second = staged(signals(), evidence(ma_cross="paper").published("strategies", 3)).rows("strategy")
    assert [first[key].value for key in ("stage", "dsr", "trials")] == ["paper", 0.9, 12]
    assert (first["dsr"].as_of, first["dsr"].notebook, first["dsr"].name) == (
        SESSION,
        "strategies",
        "strategy.1.dsr",
    )
    assert [second[key].value for key in ("stage", "dsr", "trials")] == ["dev", None, None]


def test_without_evidence_everything_is_at_the_first_stage():
    """Where `strategies` has not run, rows say so by their stage."""
    assert [row["stage"].value for row in staged(signals(), Facts()).rows("strategy")] == ["dev", "dev"]


def test_facts_of_other_notebooks_pass():
    """The market page hands all of a ticker's facts through."""
    facts = Facts([Fact("level.1.price", 9.0, "level")])
    assert staged(facts, evidence("production")) == facts
