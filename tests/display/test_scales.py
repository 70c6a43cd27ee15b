"""Scales: round values, dates, labels that do not touch."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from tickerbook.display.scales import initials, ratio_ticks, shorten, spread, ticks, time_ticks

PLACES = st.lists(st.floats(0, 400), max_size=12).map(sorted)


@given(PLACES, st.floats(1, 30))
def test_labels_keep_their_distance(places, gap):
    """However prices crowd, labels stand at least a gap apart, in the same order."""
    moved = spread(places, gap, 0, 400)
    assert all(b - a >= gap - 1e-6 for a, b in pairwise(moved))


@given(PLACES.filter(bool), st.floats(1, 30))
def test_labels_move_as_little_as_possible(places, gap):
    """Where the chart's edges are far, the places are those of the isotonic regression (scipy's)."""
    room = gap * np.arange(len(places))
    nearest = isotonic_regression(np.asarray(places) - room).x + room
    assert spread(places, gap, -1e6, 1e6) == pytest.approx(nearest)


@given(PLACES)
def test_labels_stay_on_the_chart(places):
    """Where there is room for all, no label leaves the chart."""
    moved = spread(places, 15, 0, 400)
    assert all(-1e-9 <= y <= 400 + 1e-9 for y in moved)


def test_labels_with_room_stay_where_they_are():
    """Nothing moves without need."""
    assert spread([10, 50, 90], 15, 0, 100) == pytest.approx([10, 50, 90])


def test_crowded_labels_move_to_both_sides():
    """Labels of one price share the way."""
    assert spread([50, 50, 50], 10, 0, 100) == pytest.approx([40, 50, 60])


@given(st.floats(0.001, 1e6), st.floats(1.0001, 1000))
def test_ticks_are_round_and_inside(low, ratio):
    """Ticks lie between the edges, evenly, and are never too many."""
    high = low * ratio
    found = ticks(low, high, 6)
    assert len(found) <= 6
    assert all(low * (1 - 1e-9) <= value <= high * (1 + 1e-9) for value in found)
    steps = np.diff(found)
    assert np.allclose(steps, steps[0]) if len(steps) else True


def test_ticks_of_a_price_axis():
    """Between 388 and 707 stand the hundreds and fifties."""
    assert ticks(388, 707, 7) == [400, 450, 500, 550, 600, 650, 700]


def test_ratio_ticks_cover_orders_of_magnitude():
    """A scale of ratios from a half to twenty has the usual marks."""
    assert ratio_ticks(0.4, 25, 6) == pytest.approx([0.5, 1, 2, 5, 10, 20])


def test_ratio_ticks_of_a_narrow_scale_are_even():
    """Within one order of magnitude there are still at least two marks."""
    assert len(ratio_ticks(1.01, 1.32, 6)) >= 2


def test_dates_name_the_year_once():
    """The first month of each year that is shown carries it."""
    sessions = pd.bdate_range("2012-03-01", "2013-03-01")
    assert [text for _, text in time_ticks(sessions, 8)] == [
        "May 2012",
        "Jul",
        "Sep",
        "Nov",
        "Jan 2013",
        "Mar",
    ]


def test_dates_stand_at_the_first_session_of_their_month():
    """A month that begins on a weekend is marked at its first session."""
    sessions = pd.bdate_range("2012-08-01", "2012-12-31")
    assert sessions[{text: i for i, text in time_ticks(sessions, 8)}["Sep 2012"]] == pd.Timestamp(
        "2012-09-03"
    )


def test_years_are_marked_on_a_long_axis():
    """Over many years only years are named."""
    assert [text for _, text in time_ticks(pd.bdate_range("2000-03-01", "2013-03-01"), 8)] == [
        "2002",
        "2004",
        "2006",
        "2008",
        "2010",
        "2012",
    ]


def test_a_single_session_is_named_in_full():
    """Where no month begins, the first session is named."""
    assert time_ticks(pd.bdate_range("2013-03-04", periods=3), 8) == [(0, "4 Mar 2013")]


@pytest.mark.parametrize(
    ("words", "short"),
    [
        ("prior week high", "PWH"),
        ("pivot R1", "PR1"),
        ("swing high and low", "SHL"),
        ("point of control (daily proxy)", "POC"),
        ("prior week low, prior day low", "PWL"),
    ],
)
def test_methods_have_initials(words, short):
    """On a narrow screen a method is named as traders write it."""
    assert initials(words) == short


def test_long_names_are_cut():
    """A label ends with an ellipsis where it is cut."""
    assert shorten("a very long name of a method", 12) == "a very long…"
