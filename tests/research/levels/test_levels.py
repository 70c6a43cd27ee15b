"""What holds for levels of every method."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.errors import ConfigError, DataError, NotEnoughBarsError
from tickerbook.research import levels as package
from tickerbook.research.indicators import atr
from tickerbook.research.levels import METHODS, Level, find_levels, nearest_resistance, nearest_support
from tickerbook.research.view import Found, History

FAMILIES = {"prior periods", "pivots", "swings", "volume at price", "VWAP", "round numbers", "gaps"}


@st.composite
def histories(draw):
    """Columns of 15 to 90 bars: a random walk by quarters, ranges that may be nil, volumes that may lack."""
    steps = draw(st.lists(st.integers(-8, 8), min_size=15, max_size=90))
    ups, downs = (draw(st.lists(st.integers(0, 6), min_size=15, max_size=15)) for _ in range(2))
    volume = draw(st.lists(st.sampled_from([0.0, 1.0, 500.0, np.nan]), min_size=15, max_size=15))
    close = 100 + np.cumsum(steps) / 4
    close += max(0.0, 5 - close.min())
    return {
        "close": close,
        "high": close + np.resize(ups, len(close)) / 4,
        "low": close - np.resize(downs, len(close)) / 4,
        "volume": np.resize(volume, len(close)),
    }


def outline(levels, factor=1.0):
    """What scales with prices, and what does not; round numbers follow the decimal system instead."""
    return [
        (level.price * factor, level.low * factor, level.high * factor, level.side, level.method)
        for level in levels
        if level.method != "round number"
    ]


def every(bars, **options):
    """Every level of every method."""
    return find_levels(bars, per_side=None, **options)


def test_every_method_finds_levels_in_real_prices(spy):
    """At some close of SPY's two years each file gives a price, and all families are there."""
    history = History(spy)
    views = [history.at(row) for row in range(200, 502, 50)]
    assert [method.name for method in METHODS if not any(list(method.find(view)) for view in views)] == []
    assert {method.family for method in METHODS} == FAMILIES


def test_a_page_shows_at_most_twelve_levels_on_each_side(spy):
    """Highest first, none in the zone of another that more families agree on."""
    levels, close = find_levels(spy), spy.frame["close"].iloc[-1]
    assert [level.price for level in levels] == sorted((level.price for level in levels), reverse=True)
    for side in ("support", "resistance"):
        assert 3 <= len([level for level in levels if level.side == side]) <= 12
    apart = np.abs(np.subtract.outer(*[[level.price for level in levels]] * 2))
    half = levels[0].high - levels[0].price
    assert (apart + np.eye(len(levels)) * 1e9).min() > half
    assert min(abs(level.price - close) for level in levels) < 2 * half


def test_a_method_is_found_by_being_in_the_folder():
    """Each file beside the package's own is a method, and says its family."""
    files = {path.stem for path in Path(package.__file__).parent.glob("*.py")} - {"__init__"}
    assert {method.name for method in METHODS} == files
    assert {method.find.__module__.rpartition(".")[2] for method in METHODS} == files


@settings(max_examples=40)
@given(history=histories(), zone_atr=st.sampled_from([0.0, 0.25, 1.0]))
def test_zone_side_and_dates_are_consistent(make_bars, history, zone_atr):
    """Zone around the price, side by the close, formed ≤ known ≤ last session, positive, no price twice in a method."""
    bars = make_bars(**history)
    levels = every(bars, zone_atr=zone_atr, swing_span=2, profile_sessions=15)
    close, half = bars.frame["close"].iloc[-1], zone_atr * atr(bars.frame).iloc[-1]
    for level in levels:
        assert 0 < level.price - half == level.low <= level.price <= level.high == level.price + half
        assert level.side == ("support" if level.price <= close else "resistance")
        assert bars.first <= level.formed <= level.known <= bars.session
        assert level.touches >= 0
    assert len({(level.kind, level.method, level.price) for level in levels}) == len(levels)


@settings(max_examples=40)
@given(history=histories(), power=st.sampled_from([-6, -1, 1, 7]))
def test_scaling_prices_scales_levels(make_bars, history, power):
    """Prices in another unit give the same levels in that unit; by powers of two, so that no digit is lost."""
    bars = make_bars(**history)
    prices = ["open", "high", "low", "close"]
    scaled = replace(bars, frame=bars.frame.assign(**bars.frame[prices] * 2.0**power))
    options = {"swing_span": 2, "profile_sessions": 15}
    assert outline(every(scaled, **options)) == outline(every(bars, **options), 2.0**power)


def test_scaling_real_prices_by_any_factor_scales_levels(spy):
    """A seventh of SPY has a seventh of its levels, to rounding."""
    seventh = replace(spy, frame=spy.frame.assign(**spy.frame[["open", "high", "low", "close"]] / 7))
    small, large = outline(every(seventh)), outline(every(spy), 1 / 7)
    assert [row[3:] for row in small] == [row[3:] for row in large]
    np.testing.assert_allclose([row[:3] for row in small], [row[:3] for row in large], rtol=1e-9)


@pytest.mark.parametrize("cut", [15, 40, 130, 196, 310, 501])
def test_levels_do_not_hang_on_what_comes_later(spy, cut):
    """Cutting at a session gives the same levels whether the future is real, poisoned or absent."""
    day = spy.frame.index[cut - 1].date()
    poisoned = spy.frame.copy()
    poisoned.iloc[cut:] *= 1000
    absent = replace(spy, frame=spy.frame.iloc[:cut].copy())
    expected = every(absent)
    assert all(level.known <= day for level in expected)
    assert every(spy.until(day)) == every(replace(spy, frame=poisoned).until(day)) == expected


def test_levels_do_not_change_the_bars(spy):
    """The frame is as it was."""
    before = spy.frame.copy()
    find_levels(spy)
    pd.testing.assert_frame_equal(spy.frame, before)


@settings(max_examples=40)
@given(history=histories())
def test_touches_are_separate_visits_after_the_level_formed(make_bars, history):
    """The count equals that of a plain walk over the bars."""
    bars = make_bars(**history)
    rows = list(bars.frame.itertuples())
    for level in every(bars, swing_span=2, profile_sessions=15):
        visits, inside = 0, False
        for row in rows:
            was, inside = inside, row.low <= level.high and row.high >= level.low
            visits += row.Index.date() > level.formed and inside and not was
        assert level.touches == visits


def test_prices_that_stand_still_give_points_and_no_false_number(make_bars):
    """No range, no swing, no profile: what is left has a zone of no width, and every number is finite."""
    flat = np.full(40, 50.0)
    levels = every(make_bars(flat, high=flat, low=flat), profile_sessions=20)
    each = ", ".join(f"prior {p} {w}" for p in ("month", "week", "day") for w in ("high", "low", "close"))
    assert [(level.price, level.method) for level in levels] == [
        (60.0, "round number"),
        (55.0, "round number"),
        (50.0, "pivot P"),
        (50.0, each),
        (50.0, "round number"),
        (45.0, "round number"),
    ]
    assert all(level.low == level.price == level.high for level in levels)


@pytest.mark.parametrize("volume", [np.nan, 0.0])
def test_without_volume_there_is_no_profile_and_all_else_is_unchanged(spy, volume):
    """An unknown or empty volume takes away what is weighted by it."""
    bare = replace(spy, frame=spy.frame.assign(volume=volume))
    weighted = ("point of control", "value area", "volume node", "VWAP")
    kept = [level for level in every(spy) if not any(word in level.method for word in weighted)]
    assert [(one.price, one.method) for one in every(bare)] == [(one.price, one.method) for one in kept]


def test_a_method_that_cannot_be_computed_gives_nothing(spy):
    """The first 20 sessions of 2017 have no profile and no swing of ten sessions, but a prior day."""
    levels = every(spy.until(spy.frame.index[19].date()), swing_span=10)
    methods = " ".join(level.method for level in levels)
    assert "point of control" not in methods
    assert "prior year" not in methods
    assert "swing" not in methods
    assert "prior day high" in methods


def test_three_bars_are_refused_with_the_way_out(spy):
    """An ATR needs 15 sessions; the error names the ticker and both numbers."""
    with pytest.raises(
        NotEnoughBarsError, match=r"TEST need 15 sessions for their ATR; there are 3\.\nFetch"
    ):
        find_levels(spy.last(3))
    assert find_levels(spy.last(15))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zone_atr", -0.1),
        ("zone_atr", float("nan")),
        ("swing_span", 0),
        ("cluster_atr", float("inf")),
        ("profile_sessions", 0),
        ("value_area", 0.0),
        ("value_area", 70),
        ("zigzag_atr", 0.0),
        ("per_side", 0),
    ],
)
def test_a_parameter_out_of_range_is_refused(spy, name, value):
    """The error names the parameter, the value and the range."""
    with pytest.raises(ConfigError, match=rf"{name} is {value}, .*\nIt is "):
        find_levels(spy, **{name: value})


def test_one_method_gives_a_price_once(spy):
    """Names are joined; the price has been known since the first of them was; its odds are of the first kind."""
    month = Found(9.0, "prior month high", "prior month", 7, 31)
    week = Found(9.0, "prior week high", "prior week", 7, 10)
    method = package.Method("twice", "prior periods", lambda _: [month, week, week])
    expected = Found(9.0, "prior month high, prior week high", "prior month", 7, 10)
    assert package.found_by(method, History(spy).at(100)) == [expected]


def test_what_trades_above_zero_has_no_level_at_or_below_it(make_bars):
    """A range wider than the price drives classic S2 and S3 below zero; they are left out."""
    close = np.full(20, 10.0)
    levels = every(make_bars(close, high=close + 9, low=close - 9), zone_atr=0.01)
    names = {name for level in levels for name in level.method.split(", ")}
    assert "pivot S1" in names
    assert not {"pivot S2", "pivot S3"} & names
    assert min(level.low for level in levels) > 0


def test_a_negative_price_keeps_its_levels(make_bars):
    """An oil future closed at −37.63 on 2020-04-20; levels at and below zero are real there."""
    close = np.linspace(20, -37.63, 40)
    assert min(level.price for level in every(make_bars(close))) < -37


def levels_at(*prices):
    day = date(2020, 1, 2)
    return [Level(price, price - 1, price + 1, "support", "test", day, day, 0) for price in prices]


def test_nearest_support_is_the_highest_below_the_close():
    """The nearest, whatever the touches; a level at the close itself supports nothing."""
    assert nearest_support(levels_at(90, 98, 100, 101), 100).price == 98
    assert nearest_support(levels_at(100, 101), 100) is None


def test_nearest_resistance_is_the_lowest_above_the_close():
    """The nearest, and nothing where all is below."""
    assert nearest_resistance(levels_at(99, 100, 104, 102), 100).price == 102
    assert nearest_resistance(levels_at(99, 100), 100) is None


def test_prices_as_traded_have_no_levels(spy):
    """A split among them would leave levels at prices that nobody can pay any more."""
    with pytest.raises(DataError, match="as traded"):
        find_levels(replace(spy, adjustment="none"))
