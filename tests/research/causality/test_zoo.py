"""The zoo: every planted look into the future is found, and nobody honest is accused."""

import pandas as pd
import pytest
import zoo_rules
import zoo_series

from tickerbook.research.causality import certify
from tickerbook.research.causality.of_strategies import certify_strategy
from tickerbook.research.levels import Method

SERIES = sorted(name.removesuffix("_leak") for name in vars(zoo_series) if name.endswith("_leak"))
FIRST, SECOND = "prefix replay", "poisoned future"


def failed(certificate):
    """The questions that were not answered well."""
    return {check.name for check in certificate.checks if not check.passed}


def test_the_zoo_is_large_enough():
    """At least 25 ways to look ahead, each with the honest way beside it."""
    pairs = [*SERIES, *zoo_rules.STRATEGIES, *zoo_rules.FILLS, *zoo_rules.METHODS]
    assert len(pairs) >= 25
    assert all(hasattr(zoo_series, f"{name}_twin") for name in SERIES)


@pytest.mark.parametrize("name", SERIES)
def test_a_leaking_series_is_caught(name):
    """Taking the future away, or replacing it, changes what was settled."""
    found = failed(certify(getattr(zoo_series, f"{name}_leak")))
    assert found & {FIRST, SECOND}
    assert found <= {FIRST, SECOND}


@pytest.mark.parametrize("name", SERIES)
def test_an_honest_series_is_not_accused(name):
    """The twin passes."""
    assert certify(getattr(zoo_series, f"{name}_twin")).breaches == ()


OWN = {"price in later shares": "later split", "without a seed": "repeatable"}


@pytest.mark.parametrize("name", zoo_rules.STRATEGIES)
def test_a_leaking_strategy_is_caught(name):
    """By the question that is meant for it."""
    leak, _ = zoo_rules.STRATEGIES[name]
    assert OWN.get(name, FIRST) in failed(certify(leak))


@pytest.mark.parametrize("name", zoo_rules.STRATEGIES)
def test_an_honest_strategy_is_not_accused(name):
    """The twin passes."""
    _, twin = zoo_rules.STRATEGIES[name]
    assert certify(twin).breaches == ()


@pytest.mark.parametrize("name", zoo_rules.FILLS)
def test_fills_before_the_next_open_are_caught(name):
    """What is decided at a close has no part in that session, nor in its prices; who waits is not accused."""
    rule = zoo_rules.STRATEGIES["tomorrow's rise"][1]
    leak, twin = zoo_rules.FILLS[name]
    assert failed(certify_strategy(rule, {}, fills=leak)) == {"filled after it was decided"}
    assert certify_strategy(rule, {}, fills=twin).breaches == ()


FAULTS = {
    "beyond the view": FIRST,
    "memory": FIRST,
    "unconfirmed swings": "known",
    "lows a session early": "known",
    "mean known at its anchor": "known",
    "known tomorrow": "timestamps",
    "formed after it was known": "timestamps",
}


@pytest.mark.parametrize("name", zoo_rules.METHODS)
def test_a_leaking_method_of_levels_is_caught(name):
    """By the question that is meant for it."""
    leak, _ = zoo_rules.METHODS[name]
    assert FAULTS[name] in failed(certify(Method(name, "toy", leak)))


@pytest.mark.parametrize("name", zoo_rules.METHODS)
def test_an_honest_method_of_levels_is_not_accused(name):
    """The twin passes."""
    _, twin = zoo_rules.METHODS[name]
    assert certify(Method(name, "toy", twin)).breaches == ()


def test_a_leak_on_one_day_of_real_prices_is_caught(real):
    """Before the largest moves there is a cut: who knows of one of them only is found."""

    def one_day(frame):
        day = pd.Timestamp("2018-02-02")
        return frame["close"].where(frame.index != day, frame["close"].shift(-1))

    assert certify(one_day).passed
    assert not certify(one_day, real).passed


def test_the_first_breach_is_told(real):
    """A reader learns where, what was cut, and which values are not the same."""
    found = certify(zoo_series.negative_shift_leak, real)
    assert any("nothing after 20" in told and " was 1 and is 0" in told for told in found.breaches)
