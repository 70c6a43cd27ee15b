"""Swing levels: when they are known, and how they are clustered."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.research.indicators import atr
from tickerbook.research.levels import clusters, find_levels
from tickerbook.research.levels.clusters import clustered
from tickerbook.research.view import History, Search

CASES = json.loads((Path(__file__).parents[2] / "answers" / "swings.json").read_text())["cases"]


def of(kind, bars, **options):
    """Every level of a kind."""
    return [level for level in find_levels(bars, per_side=None, **options) if level.kind == kind]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"span {case['span']}")
def test_confirmed_swings_are_those_of_skender_and_known_span_sessions_later(spy, case):
    """Rows, prices and dates of every swing."""
    turns = History(spy, Search(swing_span=case["span"])).swings
    for kind, is_high in (("high", True), ("low", False)):
        marked = turns.rows[turns.is_high == is_high]
        assert marked.tolist() == case[kind]
        assert turns.prices[turns.is_high == is_high].tolist() == spy.frame[kind].iloc[case[kind]].tolist()
    assert (turns.known == turns.rows + case["span"]).all()


def test_a_swing_is_known_so_many_sessions_later_and_not_before(make_bars):
    """A peak at row 30 with span 3 is not there at row 32 and is at row 33."""
    close = np.r_[np.linspace(50, 80, 31), np.linspace(79, 70, 9)]
    bars = make_bars(close)
    days = [day.date() for day in bars.frame.index]
    assert not of("swings", bars.until(days[32]), swing_span=3)
    (level,) = of("swings", bars.until(days[33]), swing_span=3)
    assert (level.price, level.method, level.formed, level.known) == (81.0, "swing high", days[30], days[33])


@settings(max_examples=40)
@given(cut=st.integers(40, 502), span=st.integers(1, 6))
def test_no_swing_is_known_before_its_span_has_passed(spy, cut, span):
    """At any session of SPY, the extreme of every swing and cluster lies at least `span` sessions back."""
    bars = spy.until(spy.frame.index[cut - 1].date())
    at = bars.frame.index.searchsorted
    for level in [*of("swings", bars, swing_span=span), *of("swing clusters", bars, swing_span=span)]:
        assert at(np.datetime64(level.formed)) + span <= at(np.datetime64(level.known)) < len(bars)


def test_at_most_three_swings_on_each_side_and_the_nearest(spy):
    """The nearest three above and below."""
    levels = of("swings", spy, swing_span=2)
    close = spy.frame["close"].iloc[-1]
    prices = sorted(
        set(History(spy, Search(swing_span=2)).swings.prices), key=lambda price: abs(price - close)
    )
    below, above = [p for p in prices if p <= close][:3], [p for p in prices if p > close][:3]
    assert sorted(level.price for level in levels) == sorted([*below, *above])


def peaks(make_bars, *prices):
    """Bars that stand at 50 but for peaks, twenty sessions apart; highs are 1 above."""
    close = np.full(20 * (len(prices) + 2), 50.0) + np.tile([0.0, 0.25], 10 * (len(prices) + 2))
    close[20 : 20 * (len(prices) + 1) : 20] = prices
    return make_bars(close)


def test_two_peaks_within_the_width_make_one_level_and_the_newer_weighs_more(make_bars):
    """71 and 71.5: the level lies above their middle, formed with the first, known with the second."""
    bars = peaks(make_bars, 70.0, 70.5)
    (level,) = [one for one in of("swing clusters", bars) if one.price > 60]
    days = bars.frame.index
    assert 71.25 < level.price < 71.5
    assert level.method == "swing cluster"
    assert (level.formed, level.known) == (days[20].date(), days[45].date())


def test_one_swing_alone_is_no_cluster(make_bars):
    """Nor are two that lie far apart."""
    assert not [one for one in of("swing clusters", peaks(make_bars, 70.0, 76.0)) if one.price > 60]


def test_peaks_in_a_row_do_not_chain_into_one_cluster():
    """70, 70.9 and 71.8: neighbours are within a width of 1, all three are not."""
    groups = clustered(np.array([70.0, 70.9, 71.8]), 1.0)
    assert sorted(len(group) for group in groups) == [1, 2]


@given(prices=st.lists(st.integers(0, 60), max_size=25), width=st.integers(0, 10))
def test_every_price_is_in_one_group_no_wider_than_asked(prices, width):
    """Whatever the prices."""
    groups = clustered(np.array(prices, dtype=float), width)
    assert sorted(int(place) for group in groups for place in group) == list(range(len(prices)))
    assert all(np.ptp(np.array(prices)[group]) <= width for group in groups)


def test_the_strongest_cluster_has_more_and_newer_swings(make_bars, monkeypatch):
    """Of three peaks at 70 and two older ones at 80, with one kept, it is the three."""
    monkeypatch.setattr(clusters, "KEPT", 1)
    bars = peaks(make_bars, 80.0, 80.0, 70.0, 70.0, 70.0)
    (level,) = [one for one in of("swing clusters", bars) if one.price > 60]
    assert level.price == pytest.approx(71.0)


def test_a_zigzag_ends_its_leg_when_a_close_has_turned_three_atr(make_bars):
    """Up to 80 and down: the high is known at the first close three ATR below it, the last leg not at all."""
    close = np.r_[np.linspace(50, 80, 61), np.linspace(79.5, 60, 40)]
    bars = make_bars(close)
    highs = [one for one in of("zigzag", bars) if one.method == "zigzag high"]
    unit = atr(bars.frame).to_numpy()
    confirmed = next(row for row in range(61, 101) if close[row] <= 81 - 3 * unit[row])
    days = bars.frame.index
    assert [(one.price, one.formed, one.known) for one in highs] == [
        (81.0, days[60].date(), days[confirmed].date())
    ]
    before = of("zigzag", bars.until(days[confirmed - 1].date()))
    assert [one.method for one in before] == ["zigzag low"]


def test_ends_of_legs_are_high_and_low_in_turn_and_never_change(spy):
    """On SPY: what a prefix gives is the beginning of what all bars give."""
    whole = History(spy, Search(zigzag_atr=2.0)).zigzag
    assert len(whole.rows) > 10
    assert (whole.is_high[1:] != whole.is_high[:-1]).all()
    assert (whole.known >= whole.rows).all()
    part = History(spy.until(spy.frame.index[300].date()), Search(zigzag_atr=2.0)).zigzag
    assert part.rows.tolist() == whole.rows[whole.known <= 300].tolist()
