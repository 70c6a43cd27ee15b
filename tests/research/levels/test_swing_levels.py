"""Swing levels: when they are known, and how they are clustered."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.research.indicators import atr
from tickerbook.research.levels import find_levels
from tickerbook.research.levels.swings import confirmed

CASES = json.loads((Path(__file__).parents[2] / "answers" / "swings.json").read_text())["cases"]


def swings(bars, **options):
    return [level for level in find_levels(bars, **options) if "swing" in level.method]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"span {case['span']}")
def test_confirmed_swings_are_those_of_skender_and_known_span_sessions_later(spy, case):
    """Rows, prices and dates of every swing."""
    found = confirmed(spy.frame, case["span"])
    days = list(spy.frame.index.date)
    for kind in ("high", "low"):
        marked = [swing for swing in found if swing.kind == kind]
        assert [days.index(swing.formed) for swing in marked] == case[kind]
        assert [days.index(swing.known) for swing in marked] == [row + case["span"] for row in case[kind]]
        assert [swing.price for swing in marked] == spy.frame[kind].iloc[case[kind]].tolist()


def test_a_swing_high_appears_when_it_is_confirmed_and_not_before(make_bars):
    """One peak of 80 at row 30 in a quiet rise: with a span of 3 it is there at row 33, not at row 32."""
    close = np.linspace(50, 55, 60)
    close[30] = 80.0
    bars = make_bars(close)
    days = [day.date() for day in bars.frame.index]
    assert not swings(bars.until(days[32]), swing_span=3)
    (level,) = swings(bars.until(days[33]), swing_span=3)
    assert (level.price, level.method, level.formed, level.known) == (81.0, "swing high", days[30], days[33])


@settings(max_examples=40)
@given(cut=st.integers(40, 502), span=st.integers(1, 6))
def test_no_swing_is_known_before_its_span_has_passed(spy, cut, span):
    """At any session of SPY, the extreme of every swing level lies at least `span` sessions back."""
    bars = spy.until(spy.frame.index[cut - 1].date())
    at = bars.frame.index.searchsorted
    for level in swings(bars, swing_span=span):
        assert at(np.datetime64(level.formed)) + span <= at(np.datetime64(level.known)) < len(bars)


def test_two_peaks_closer_than_the_cluster_make_one_level_in_their_middle(make_bars):
    """70 and 70.5 with an ATR above 2 are one level; its zone covers both; far apart they are two."""
    close = np.full(80, 50.0) + np.tile([0.0, 0.25], 40)
    close[[20, 40]] = [70.0, 70.5]
    (level,) = [one for one in swings(make_bars(close)) if one.price > 60]
    days = make_bars(close).frame.index
    assert level.price == pytest.approx(71.25)
    assert (level.formed, level.known) == (days[20].date(), days[45].date())
    assert level.low <= 71
    assert level.high >= 71.5
    close[40] = 75.0
    assert [one.price for one in swings(make_bars(close)) if one.price > 60] == [76.0, 71.0]


def test_peaks_in_a_row_do_not_chain_into_one_level(make_bars):
    """70, 70.9 and 71.8: neighbours are within the cluster of about 1, all three are not."""
    close = np.full(120, 50.0) + np.tile([0.0, 0.25], 60)
    close[[20, 40, 60]] = [70.0, 70.9, 71.8]
    bars = make_bars(close)
    assert 0.9 < 0.5 * atr(bars.frame).iloc[-1] < 1.8
    assert len([one for one in swings(bars) if one.price > 60]) == 2


def test_a_zone_of_half_the_cluster_covers_every_swing_of_its_level(spy):
    """With the defaults, each confirmed swing near a level lies in its zone or belongs to another."""
    levels = swings(spy)
    prices = np.array([swing.price for swing in confirmed(spy.frame, 5)])
    unit = atr(spy.frame).iloc[-1]
    assert all(np.any((prices >= level.low - 1e-9) & (prices <= level.high + 1e-9)) for level in levels)
    assert all(level.high - level.low == pytest.approx(0.5 * unit) for level in levels)


def test_high_and_low_that_agree_are_one_level_with_both_names(make_bars):
    """A peak reaching 60 and a trough down to 60 make one level at 60."""
    close = np.r_[
        np.linspace(50, 59, 10), np.linspace(58, 50, 9), np.linspace(51, 70, 20), np.linspace(69, 61, 9)
    ]
    close = np.r_[close, np.linspace(62, 70, 20)]
    level = next(one for one in swings(make_bars(close)) if one.price == 60.0)
    assert level.method == "swing high and low"


def test_at_most_three_swing_levels_on_each_side_and_the_nearest(spy):
    """The nearest three above and below of what a very fine clustering gives."""
    levels = swings(spy, cluster_atr=0.0, swing_span=2)
    close = spy.frame["close"].iloc[-1]
    prices = sorted({swing.price for swing in confirmed(spy.frame, 2)}, key=lambda price: abs(price - close))
    below, above = [p for p in prices if p <= close][:3], [p for p in prices if p > close][:3]
    assert sorted(level.price for level in levels) == sorted([*below, *above])
