"""Kelly's fraction against Kelly, Thorp, and Baker and McHale."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import ConfigError
from tickerbook.research.sizing import kelly, shrunk_kelly

CASES = json.loads((Path(__file__).parents[1] / "answers" / "sizing.json").read_text())["cases"]


@pytest.mark.parametrize("case", [c for c in CASES if c["method"] == "kelly_binary"], ids=lambda c: c["id"])
def test_kelly_agrees_with_thorp(case):
    """A bet of known odds, from the published examples."""
    assert kelly(case["inputs"]["p"], case["inputs"]["b"]) == pytest.approx(case["expected"]["f"], abs=1e-12)


def test_a_losing_bet_has_a_negative_fraction():
    """The formula says so; sizes take nothing then."""
    assert kelly(0.4, 1) == pytest.approx(-0.2)


def test_a_certain_edge_is_kelly_itself():
    """Without uncertainty nothing is shrunk: 53 % at even money is 6 %."""
    assert shrunk_kelly(0.03, 0.03, 0.03, 1.0, fraction=1) == pytest.approx(0.06)


def test_shrinking_maximises_growth_under_uncertainty():
    """Baker and McHale's factor is near the best, found by trying it on bets sized by noisy estimates."""
    p, sigma = 0.56, 0.04
    estimates = np.clip(p + sigma * np.random.default_rng(5).standard_normal(40_000), 0.5, 1)
    shares = np.linspace(0.3, 1.0, 141)
    bets = np.outer(shares, 2 * estimates - 1)
    growth = (p * np.log1p(bets) + (1 - p) * np.log1p(-bets)).mean(axis=1)
    edge, wide = p - 0.5, 1.96 * sigma * 0.5  # half the width, so that the interval is above zero
    found = shrunk_kelly(edge, edge - wide, edge + wide, 1.0, fraction=1) / (2 * edge)
    assert found == pytest.approx(edge**2 / (edge**2 + (sigma / 2) ** 2), abs=1e-4)
    assert shares[growth.argmax()] == pytest.approx(edge**2 / (edge**2 + sigma**2), abs=0.06)


@pytest.mark.parametrize("low", [0.0, -0.01, -0.2])
def test_an_interval_that_includes_zero_risks_nothing(low):
    """What may be chance is not bet on."""
    assert shrunk_kelly(0.05, low, 0.12, 2.0) == 0


edges = st.floats(0.001, 0.3)


@given(edges, st.floats(0, 0.99), st.floats(0.2, 10), st.floats(0, 1))
def test_it_is_never_above_its_fraction_nor_negative(edge, width, reward, fraction):
    """Between nothing and the fraction of Kelly's own."""
    low, high = edge * (1 - width), edge * (1 + width)
    share = shrunk_kelly(edge, low, high, reward, fraction)
    assert 0 <= share <= fraction * kelly(min(1 / (1 + reward) + edge, 1), reward) * (1 + 1e-12)


@given(edges, st.floats(0, 0.9), st.floats(0.01, 1), st.floats(0.2, 10))
def test_more_doubt_is_never_more(edge, width, more, reward):
    """A wider interval around the same edge never risks more."""
    wider = width + (0.99 - width) * more
    sure, unsure = (shrunk_kelly(edge, edge * (1 - w), edge * (1 + w), reward) for w in (width, wider))
    assert unsure <= sure


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"edge": math.nan}, "edge"),
        ({"low": 0.2}, "edge"),
        ({"high": 0.01}, "edge"),
        ({"high": 1.5}, "edge"),
        ({"reward_risk": 0.0}, "reward_risk = 0.0"),
        ({"reward_risk": math.nan}, "reward_risk = nan"),
        ({"fraction": 1.1}, "fraction = 1.1"),
    ],
)
def test_what_is_no_edge_is_refused(changed, told):
    """NaN, an edge outside its interval, a reward of nothing."""
    with pytest.raises(ConfigError, match=told):
        shrunk_kelly(**{"edge": 0.05, "low": 0.02, "high": 0.08, "reward_risk": 1.5} | changed)


@pytest.mark.parametrize(("p", "b"), [(1.1, 1), (-0.1, 1), (math.nan, 1), (0.5, 0), (0.5, math.nan)])
def test_what_is_no_bet_is_refused(p, b):
    """Probabilities are from 0 to 1 and something can be won."""
    with pytest.raises(ConfigError):
        kelly(p, b)
