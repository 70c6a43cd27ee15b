"""Gaps, anchored VWAP and density peaks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.research.levels import find_levels
from tickerbook.research.levels.density import time_below
from tickerbook.research.levels.vwap import anchored


def of(kind, bars, **options):
    """Every level of a kind, highest first."""
    return [level for level in find_levels(bars, per_side=None, **options) if level.kind == kind]


def test_a_gap_is_open_until_a_session_trades_through_all_of_it(make_bars):
    """From a high of 51 to a low of 59; a low of 51.5 leaves it open, one of 51 closes it."""
    close = np.r_[np.full(30, 50.0), np.full(30, 60.0)]
    days = make_bars(close).frame.index
    top, bottom = of("gaps", make_bars(close))
    assert [(top.price, top.method), (bottom.price, bottom.method)] == [
        (59.0, "top of gap up"),
        (51.0, "bottom of gap up"),
    ]
    assert {(one.formed, one.known) for one in (top, bottom)} == {(days[30].date(), days[30].date())}
    low = close - 1
    low[45] = 51.5
    assert len(of("gaps", make_bars(close, low=low))) == 2
    low[45] = 51.0
    assert not of("gaps", make_bars(close, low=low))


def test_a_gap_down_is_the_mirror_image(make_bars):
    """From a low of 59 to a high of 51."""
    close = np.r_[np.full(30, 60.0), np.full(30, 50.0)]
    assert [(one.price, one.method) for one in of("gaps", make_bars(close))] == [
        (59.0, "top of gap down"),
        (51.0, "bottom of gap down"),
    ]


def test_a_crack_is_no_gap(make_bars):
    """Less than a quarter of an ATR between high and low does not count."""
    close = np.r_[np.full(30, 50.0), np.full(30, 52.3)]
    assert not of("gaps", make_bars(close))


def test_the_mean_price_since_an_anchor_is_weighted_by_volume():
    """10 three times and 20 once: 12.5, with a deviation of √18.75; worked by hand."""
    price = np.array([10.0, 20.0])
    mean, deviation = anchored(price, price, price, np.array([3.0, 1.0]))
    assert mean == pytest.approx(12.5)
    assert deviation == pytest.approx(math.sqrt(18.75))


def test_an_unknown_volume_since_the_anchor_leaves_no_mean():
    """A gap in the weights is not filled."""
    price = np.array([10.0, 20.0])
    assert all(math.isnan(one) for one in anchored(price, price, price, np.array([3.0, np.nan])))


def test_anchors_are_the_year_and_the_confirmed_ends_of_the_zigzag(spy):
    """Each gives a mean with a band on both sides, known at the last close."""
    levels = {level.method: level for level in find_levels(spy, per_side=None) if level.family == "VWAP"}
    for anchor in ("the start of the year", "the last zigzag high", "the last zigzag low"):
        middle = levels[f"VWAP since {anchor}"]
        lower, upper = (levels[f"{side} band of VWAP since {anchor}"] for side in ("lower", "upper"))
        assert upper.price - middle.price == pytest.approx(middle.price - lower.price)
        assert middle.known == spy.session
    rows = spy.frame.loc["2018"]
    typical = rows[["high", "low", "close"]].mean(axis=1)
    expected = (typical * rows["volume"]).sum() / rows["volume"].sum()
    assert levels["VWAP since the start of the year"].price == pytest.approx(expected)


def test_a_year_that_has_just_begun_anchors_nothing(spy):
    """Four sessions make no mean, five do."""
    for session, there in (("2018-01-05", False), ("2018-01-08", True)):
        bars = spy.until(np.datetime64(session).item())
        methods = {level.method for level in find_levels(bars, per_side=None)}
        assert ("VWAP since the start of the year" in methods) is there


def test_the_price_where_most_time_was_spent_is_a_peak_of_density(make_bars):
    """Long stays at 60 and 70 with a quick way between them give two peaks."""
    close = np.r_[np.full(80, 60.0), np.linspace(60, 70, 20), np.full(80, 70.0)]
    assert [one.price for one in of("density peaks", make_bars(close))] == pytest.approx([70, 60], abs=0.25)


@given(
    bars=st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)), min_size=1, max_size=20),
    edges=st.lists(st.floats(-5, 60), min_size=2, max_size=10).map(
        lambda inner: [-6.0, *sorted(inner), 61.0]
    ),
)
def test_time_below_a_price_is_the_sum_of_the_bars_shares(bars, edges):
    """The two sorted sums equal a plain sum over bars, to rounding."""
    low, high = (np.array(side, dtype=float) for side in zip(*[(a, a + b) for a, b in bars], strict=True))
    for edge, got in zip(edges, time_below(np.array(edges), low, high), strict=True):
        if np.abs(low - edge).min() > 1e-4:
            width = np.where(high > low, high - low, 1.0)
            share = np.where(high > low, np.clip((edge - low) / width, 0, 1), edge > low)
            assert got == pytest.approx(share.sum(), abs=1e-5)
