"""Conviction: computed from evidence, explained, and never more than one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import ConfigError
from tickerbook.facts import Fact, Facts
from tickerbook.research.sizing import Evidence, conviction, read_evidence, size_position

known = st.none() | st.floats(0, 1)


def test_without_evidence_there_is_none():
    """What is not known counts nothing."""
    found = conviction(None, None, None)
    assert found.value == 0
    assert [reason.figure for reason in found.reasons] == [None] * 3


def test_full_evidence_is_one():
    """Five points at least over chance, a deflated Sharpe ratio of 95 %, all on one side."""
    assert conviction(0.05, 0.95, 1.0).value == 1


def test_it_is_the_mean_of_what_counts():
    """Half of the edge, a coin flip of a Sharpe ratio, one of two strategies: (½ + 0 + ½) / 3."""
    found = conviction(0.025, 0.5, 0.5)
    assert [reason.counts for reason in found.reasons] == pytest.approx([0.5, 0, 0.5])
    assert found.value == pytest.approx(1 / 3)


@given(st.none() | st.floats(-1, 1), known, known, known)
def test_it_is_a_share_and_more_evidence_is_never_less(edge, dsr, agreement, better):
    """From 0 to 1, and monotone in each measurement."""
    value = conviction(edge, dsr, agreement).value
    assert 0 <= value <= 1
    more = max(x for x in (dsr, better, 0) if x is not None)
    assert conviction(edge, more, agreement).value >= value
    assert conviction(max(edge or 0, better or 0), dsr, agreement).value >= value


@given(st.floats(0, 1), st.floats(0, 1))
def test_it_only_reduces_sizes(value, less):
    """No conviction gives more than none of it applied, and less gives no more."""
    usual = {
        "entry": 50.0,
        "stop": 48.0,
        "equity": 1e5,
        "risk_fraction": 0.01,
        "volatility": 0.2,
        "volatility_target": 0.2,
    }
    whole = size_position(**usual).shares
    some = size_position(**usual, conviction=value).shares
    assert size_position(**usual, conviction=value * less).shares <= some <= whole


@pytest.mark.parametrize(
    "figures", [(math.nan, 0.5, 0.5), (0.1, 1.5, 0.5), (0.1, 0.5, -0.1), (2.0, 0.5, 0.5)]
)
def test_what_is_no_fraction_is_refused(figures):
    """NaN and figures out of range are errors, never a share."""
    with pytest.raises(ConfigError):
        conviction(*figures)


def rows(group, *rows):
    return Facts(
        Fact(f"{group}.{n}.{column}", value, column)
        for n, row in enumerate(rows, 1)
        for column, value in row.items()
    )


SIGNALS = rows(
    "strategy",
    {"name": "a", "signal": "long"},
    {"name": "b", "signal": "flat"},
    {"name": "c", "signal": "long"},
)


def test_evidence_counts_where_it_may_be_used():
    """Of three strategies two may be used; one of those is long, and its ratio counts."""
    strategies = rows(
        "evidence",
        {"strategy": "a", "used": True, "dsr": 0.8},
        {"strategy": "b", "used": True, "dsr": 0.99},
        {"strategy": "c", "used": False, "dsr": 0.97},
    ) | rows("certificate", {"name": "pivots", "passed": True}, {"name": "vwap", "passed": False})
    assert read_evidence(SIGNALS, strategies) == Evidence(0.8, 0.5, (("pivots", True), ("vwap", False)))


def test_the_ratios_of_those_on_this_side_are_averaged():
    """The best of several would be the luckiest of several."""
    used = (
        {"strategy": name, "used": True, "dsr": dsr} for name, dsr in (("a", 0.9), ("b", 1.0), ("c", 0.5))
    )
    assert read_evidence(SIGNALS, rows("evidence", *used)).dsr == pytest.approx(0.7)


def test_discoveries_are_methods_better_than_chance():
    """A method that is worse than chance is told from it as well, and proves no edge."""
    league = rows(
        "method",
        {"name": "gaps", "discovery": True, "edge": 0.05},
        {"name": "vwap", "discovery": True, "edge": -0.05},
        {"name": "pivots", "discovery": False, "edge": 0.02},
        {"name": "zigzag", "discovery": None, "edge": None},
    )
    assert read_evidence(Facts(), Facts(), league).discovered == {"gaps"}
    assert read_evidence(Facts(), Facts()).discovered is None


def test_evidence_that_is_not_there_is_not_known():
    """Before the first night, and where no strategy may be used."""
    assert read_evidence(SIGNALS, Facts()) == read_evidence(Facts(), Facts()) == Evidence()
    unused = rows("evidence", {"strategy": "a", "used": False, "dsr": 0.8})
    assert read_evidence(SIGNALS, unused) == Evidence()
    measured = rows("evidence", {"strategy": "a", "used": True, "dsr": None})
    assert read_evidence(SIGNALS, measured) == Evidence(None, 1.0)
