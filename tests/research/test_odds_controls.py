"""The two controls of the evaluator: noise has no levels, and planted levels are found."""

import numpy as np
import pytest
from odds_data import PLANTED, planted, random_walk

from tickerbook.research.levels import METHODS
from tickerbook.research.odds import pool, touch_study

SWINGS = tuple(method for method in METHODS if method.name in {"swings", "clusters"})


@pytest.fixture(scope="module")
def noise():
    """Studies of 24 random walks."""
    return [touch_study(random_walk(seed)) for seed in range(24)]


def planted_league(turned, methods):
    """The league of ten walks with planted levels."""
    studies = [touch_study(planted(seed, turned), methods=methods) for seed in range(10)]
    return {one.kind: one for one in pool(studies).methods}


def test_on_noise_no_method_is_told_from_chance(noise):
    """No discovery, and every edge small, in the league of all walks."""
    league = pool(noise)
    judged = [one for one in league.methods if one.sufficient]
    assert len(judged) >= 15
    assert [one.kind for one in judged if one.discovery] == []
    assert max(abs(one.edge.value) for one in judged) < 0.05


def test_on_noise_intervals_miss_zero_no_more_often_than_stated(noise):
    """One in twenty is stated; of some hundred intervals of smaller leagues at most one in ten is let pass."""
    leagues = [pool(noise[first : first + 6]) for first in range(0, 24, 6)]
    judged = [one for league in leagues for one in league.methods if one.n >= 200]
    missed = [one for one in judged if not one.edge.low <= 0 <= one.edge.high]
    assert len(judged) >= 60
    assert len(missed) <= 0.1 * len(judged)


def test_on_noise_half_of_the_levels_hold_and_as_many_placebos(noise):
    """A little under a half, for what a bar does not tell counts against the level; no 60 to 70 % of noise."""
    league = pool(noise)
    n = sum(one.n for one in league.methods)
    assert 0.43 < sum(one.bounce.value * one.n for one in league.methods) / n < 0.5
    assert 0.43 < sum(one.placebo * one.n for one in league.methods) / n < 0.5


def test_on_noise_forecasts_do_no_better_than_the_base_rate(noise):
    """Nobody can: a better score would be a leak."""
    told = pool(noise).forecasts
    assert told is not None
    assert abs(1 - told.brier / told.brier_placebo) < 0.01
    assert all(abs(forecast - observed) < 0.1 for forecast, observed, _ in told.groups)


def test_planted_levels_are_found():
    """Steps across them turned back in 6 of 10 cases: an edge of some 7 points, told from chance."""
    found = planted_league(0.6, (PLANTED,))["planted"]
    assert found.verdict == "better than chance"
    assert found.edge.value > 0.05
    assert found.edge.low > 0.02


def test_levels_at_the_same_prices_where_nothing_was_planted_are_not_found():
    """The same walk without turning."""
    found = planted_league(0.0, (PLANTED,))["planted"]
    assert found.verdict == "not told from chance"
    assert abs(found.edge.value) < 0.04


def test_strongly_planted_levels_are_found_through_swings():
    """Turned back in 9 of 10 cases: what is found from prices alone has an edge, though a smaller one."""
    found = planted_league(0.9, (PLANTED, *SWINGS))
    assert found["planted"].edge.value > 0.15
    for kind in ("swings", "swing clusters"):
        assert found[kind].verdict == "better than chance"
        assert 0 < found[kind].edge.value < found["planted"].edge.value


def test_levels_that_break_more_often_than_chance_are_shown_as_losing():
    """Zones just behind planted levels: a price that is there at last does not come back through."""
    beyond = type(PLANTED)(
        "beyond",
        "planted",
        lambda view: (
            one._replace(price=one.price + np.sign(one.price - view.close) * 0.6, kind="beyond")
            for one in PLANTED.find(view)
        ),
    )
    found = planted_league(0.9, (beyond,))["beyond"]
    assert found.verdict == "worse than chance"
    assert found.edge.high < 0
