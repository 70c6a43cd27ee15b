"""Pivot points of five kinds against worked examples."""

import json
from pathlib import Path

import pytest

from tickerbook.research.levels import find_levels
from tickerbook.research.levels.pivots import camarilla, classic, demark, fibonacci, woodie

CASES = json.loads((Path(__file__).parents[2] / "answers" / "pivots.json").read_text())["cases"]
FORMULAS = {"classic": classic, "fibonacci": fibonacci, "camarilla": camarilla, "woodie": woodie}


@pytest.mark.parametrize("kind", FORMULAS)
@pytest.mark.parametrize("case", CASES[:3], ids=lambda case: case["ticker"])
def test_points_agree_with_the_reference(case, kind):
    """All of them, to nine decimals."""
    points = FORMULAS[kind](case["high"], case["low"], case["close"])
    assert points == pytest.approx(case[kind], abs=1e-9)
    assert points.keys() == case[kind].keys()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["ticker"])
def test_demark_agrees_with_the_reference_after_a_fall_a_rise_and_neither(case):
    """His points hang on whether the session rose, fell or ended where it began."""
    points = demark(*(case[name] for name in ("open", "high", "low", "close")))
    assert points == pytest.approx(case["demark"], abs=1e-9)


def test_points_are_those_of_the_last_session(spy):
    """Formed and known at the last close, from its high, low and close."""
    last = spy.frame.iloc[-1]
    expected = classic(last["high"], last["low"], last["close"])
    levels = [level for level in find_levels(spy, per_side=None) if level.family == "pivots"]
    named = {
        name: level for level in levels for name in level.method.split(", ") if name.startswith("pivot ")
    }
    assert {name.removeprefix("pivot "): level.price for name, level in named.items()} == expected
    assert {(level.formed, level.known) for level in levels} == {(spy.session, spy.session)}
    kinds = {level.kind.removesuffix(" pivots") for level in levels}
    assert kinds == {"classic", "Fibonacci", "Camarilla", "Woodie", "DeMark"}


def test_a_session_at_one_price_has_one_pivot(make_bars):
    """Without a range all points coincide."""
    close = [50.0, 51.0] * 10
    bars = make_bars(close, high=[*([52.0] * 19), 51.0], low=[*([49.0] * 19), 51.0])
    levels = find_levels(bars, per_side=None)
    assert [level.method for level in levels if level.family == "pivots"] == ["pivot P"]
