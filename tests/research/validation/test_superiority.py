"""Studentised superior predictive ability: luck is not significant, an edge is."""

import numpy as np
import pytest

from tickerbook.errors import DataError
from tickerbook.research.validation.superiority import reality_check, stationary_means, superior_ability

CASH = np.zeros(300)


def returns(seed, candidates=30, periods=300):
    """Returns of candidates without any edge."""
    return np.random.default_rng(seed).normal(0, 0.01, (periods, candidates))


def test_a_lucky_strategy_among_noise_is_not_significant():
    """Of forty searches through noise no more than the stated 10 % (+ 3 standard errors) end below p = 0.10."""
    p = [superior_ability(-returns(seed), CASH, 5, 300).p for seed in range(40)]
    assert np.mean(np.array(p) < 0.10) <= 0.10 + 3 * np.sqrt(0.1 * 0.9 / 40)


def test_the_lucky_one_alone_would_have_looked_significant():
    """The control: without the search in the test, the best of noise passes most of the time."""
    best = [(r := returns(seed))[:, r.mean(axis=0).argmax()] for seed in range(20)]
    alone = [superior_ability(-one[:, None], CASH, 5, 300).p for one in best]
    assert np.mean(np.array(alone) < 0.10) > 0.8


def test_a_real_edge_is_significant():
    """One candidate with a quarter of its deviation as mean is found among thirty, at least four times of five."""
    found = []
    for seed in range(20):
        candidates = returns(seed)
        candidates[:, 7] += 0.0025
        result = superior_ability(-candidates, CASH, 5, 300)
        found.append(result.p < 0.05 and result.best == 7)
    assert np.mean(found) >= 0.8


def test_a_wild_candidate_does_not_hide_a_steady_edge():
    """Studentised: noise of fifty times the size beside an edge does not blunt the test, as it does White's."""
    candidates = returns(1)
    candidates[:, 7] += 0.002
    wild = np.random.default_rng(9).normal(0, 0.5, (300, 1))
    losses = -np.hstack([candidates, wild])
    assert superior_ability(losses, CASH, 5, 500).p < 0.05
    assert reality_check(losses, CASH, 5, 500) > 0.05


def test_the_scale_of_a_candidate_does_not_matter():
    """Studentised: a candidate traded at ten times the size is the same evidence."""
    losses = -returns(2)
    bigger = losses * np.linspace(1, 10, 30)
    assert superior_ability(bigger, CASH, 5, 300).p == superior_ability(losses, CASH, 5, 300).p


def test_the_three_p_values_are_in_order():
    """Leaving poor candidates out can only lower the p-value."""
    losses = -returns(3) + np.linspace(0, 0.01, 30)
    result = superior_ability(losses, CASH, 5, 300)
    assert result.p_low <= result.p <= result.p_high


def test_nobody_beats_the_benchmark_by_being_it():
    """Candidates equal to the benchmark, or below it, have p = 1."""
    benchmark = returns(4, 1)[:, 0]
    assert superior_ability(-benchmark[:, None], -benchmark).p == 1
    assert superior_ability(-(benchmark - 0.001)[:, None], -benchmark).p == 1


def test_the_same_seed_gives_the_same():
    """Nothing hangs on when it is computed."""
    losses = -returns(5)
    assert superior_ability(losses, CASH) == superior_ability(losses, CASH)


def test_bootstrap_draws_vary_as_the_stated_variance_says():
    """The variance of the draws' means is that of the stationary bootstrap, for returns that hang together."""
    random = np.random.default_rng(8)
    steps = random.normal(size=(400, 1))
    series = steps.copy()
    for row in range(1, 400):
        series[row] += 0.7 * series[row - 1]
    drawn = stationary_means(series, 20, 4_000, 1)
    independent = series.var() / 400
    assert drawn.var() > 2.5 * independent
    assert drawn.mean() == pytest.approx(series.mean(), abs=0.01)


@pytest.mark.parametrize(
    ("losses", "benchmark", "block"),
    [
        (np.zeros((300, 0)), CASH, 5),
        (np.zeros(300), CASH, 5),
        (np.zeros((300, 2)), np.zeros(299), 5),
        (np.full((300, 2), np.nan), CASH, 5),
        (np.zeros((9, 2)), np.zeros(9), 5),
        (np.zeros((300, 2)), CASH, 0.5),
    ],
)
def test_what_cannot_be_compared_is_refused(losses, benchmark, block):
    """No candidates, other lengths, holes, a handful of periods or no block give no p-value."""
    with pytest.raises(DataError):
        superior_ability(losses, benchmark, block)
