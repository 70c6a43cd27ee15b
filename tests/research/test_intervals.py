"""Intervals: how often they hold what they should, and when there is none."""

import numpy as np
import pytest

from tickerbook.research.intervals import LEAST_RETURNS, intervals
from tickerbook.research.metrics import METRICS


def returns(seed, sessions=500, columns=1, mean=0.0005):
    """Independent normal returns."""
    return np.random.default_rng(seed).normal(mean, 0.01, (sessions, columns))


def test_every_figure_has_bounds_around_it():
    """Low below high, the figure of the returns themselves between them."""
    values = returns(1)
    found = intervals(values, 252)
    for name, metric in METRICS.items():
        low, high = found.low[name][0], found.high[name][0]
        assert low < high
        if name != "max_drawdown":  # resampled histories fall deeper or less deep, not around it
            assert low < metric.compute(values, 252)[0] < high


def test_about_as_many_intervals_hold_the_truth_as_promised():
    """Of 60 histories with a known Sharpe ratio, about 95 % of the intervals hold it."""
    truth = 0.0005 / 0.01 * 252**0.5
    found = intervals(returns(7, sessions=750, columns=60), 252, repetitions=200)
    held = np.mean((found.low["sharpe"] < truth) & (truth < found.high["sharpe"]))
    assert 0.88 <= held <= 1.0


def test_spells_make_intervals_wider():
    """Returns that come in runs say less than as many independent ones."""
    fresh = returns(3, sessions=1000, mean=0.0)
    runs = np.repeat(fresh[::20], 20, axis=0)
    loose, tight = intervals(runs, 252), intervals(fresh, 252)
    width = [found.high["sharpe"][0] - found.low["sharpe"][0] for found in (loose, tight)]
    assert width[0] > 2 * width[1]
    assert loose.block > tight.block


def test_the_same_seed_is_the_same_interval():
    """Drawn, but not by chance."""
    values = returns(1, columns=3)
    one, two, other = intervals(values), intervals(values), intervals(values, seed=1)
    for name in METRICS:
        np.testing.assert_array_equal(one.low[name], two.low[name])
    assert one.low["sharpe"][0] != other.low["sharpe"][0]


def test_columns_are_drawn_together():
    """What differs from the benchmark by a constant does so in every sample."""
    values = returns(2)
    both = np.hstack([values, values])
    found = intervals(both, benchmark=0)
    assert found.low["excess_sharpe"][1] == found.high["excess_sharpe"][1] == 0


def test_too_few_returns_have_no_interval():
    """Less than a quarter says nothing."""
    found = intervals(returns(1, sessions=LEAST_RETURNS - 1, columns=2), benchmark=0)
    assert set(found.low) == {*METRICS, "excess_sharpe"}
    assert all(np.isnan(bounds).all() for bounds in (*found.low.values(), *found.high.values()))


@pytest.mark.parametrize("flat", [0.0, 0.001])
def test_what_does_not_move_has_no_ratio(flat):
    """A flat line beside one that moves: no Sharpe ratio, and no warning."""
    values = np.hstack([np.full((300, 1), flat), returns(1, sessions=300)])
    found = intervals(values)
    assert np.isnan(found.low["sharpe"][0])
    assert np.isfinite(found.low["sharpe"][1])
    assert found.low["max_drawdown"][0] == 0
    assert intervals(values[:, :1]).high["total_return"][0] == pytest.approx((1 + flat) ** 300 - 1)
