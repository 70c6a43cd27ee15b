"""Classic pivot points against worked examples."""

import json
from pathlib import Path

import pytest

from tickerbook.research.levels import find_levels
from tickerbook.research.levels.pivots import classic

CASES = json.loads((Path(__file__).parents[2] / "answers" / "pivots.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["ticker"])
def test_classic_points_agree_with_the_reference(case):
    """All seven, to nine decimals."""
    points = classic(case["high"], case["low"], case["close"])
    assert points == pytest.approx(case["classic"], abs=1e-9)
    assert points.keys() == case["classic"].keys()


def test_points_are_those_of_the_last_session(spy):
    """Formed and known at the last close, from its high, low and close."""
    last = spy.frame.iloc[-1]
    expected = classic(last["high"], last["low"], last["close"])
    levels = {level.method: level for level in find_levels(spy) if "pivot" in level.method}
    assert {name.removeprefix("pivot "): level.price for name, level in levels.items()} == expected
    assert {(level.formed, level.known) for level in levels.values()} == {(spy.session, spy.session)}


def test_a_session_at_one_price_has_one_pivot(make_bars):
    """Without a range all seven points coincide."""
    close = [50.0, 51.0] * 10
    bars = make_bars(close, high=[*([52.0] * 19), 51.0], low=[*([49.0] * 19), 51.0])
    assert [level.method for level in find_levels(bars) if "pivot" in level.method] == ["pivot P"]
