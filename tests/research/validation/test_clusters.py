"""How many different ideas were tried."""

import numpy as np
import pytest

from tickerbook.errors import DataError
from tickerbook.research.validation.clusters import clusters, effective_trials


def noise(periods, trials, seed=1):
    """Independent returns."""
    return np.random.default_rng(seed).normal(0, 0.01, (periods, trials))


def test_neighbours_are_one_idea():
    """Five rules in ten variants each, all alike, count as five."""
    variants = np.repeat(noise(500, 5), 10, axis=1) + 0.3 * noise(500, 50, 2)
    found = clusters(variants)
    assert found.max() == 5
    assert all(len(set(found[first : first + 10])) == 1 for first in range(0, 50, 10))


def test_independent_rules_are_an_idea_each():
    """Nothing is counted away where nothing is alike."""
    assert effective_trials(noise(500, 40)) == 40


def test_opposites_are_two_ideas():
    """Who tries a rule and its reverse has had two chances."""
    one = noise(300, 1)
    assert effective_trials(np.hstack([one, -one])) == 2


def test_rules_that_never_trade_are_one_idea():
    """Flat lines have no correlation and are alike all the same."""
    assert effective_trials(np.hstack([noise(300, 1), np.zeros((300, 3))])) == 2


def test_a_single_rule_is_one():
    """The smallest search."""
    assert effective_trials(noise(300, 1)) == 1


@pytest.mark.parametrize("returns", [np.zeros((0, 2)), np.zeros(5), np.full((5, 2), np.nan)])
def test_what_cannot_be_clustered_is_refused(returns):
    """No returns, no table and holes give no number."""
    with pytest.raises(DataError):
        clusters(returns)
