"""The probability of backtest overfitting: against figures from outside, and on noise and an edge."""

import json
from pathlib import Path

import numpy as np
import pytest

from tickerbook.errors import DataError
from tickerbook.research.validation.overfitting import mean, overfitting

FILE = Path(__file__).parents[2] / "answers" / "validation.json"
CSCV = json.loads(FILE.read_text(encoding="utf-8"))["cscv"]
CASES = {case["id"]: case for case in CSCV["cases"]}
EXACT = pytest.approx


def noise(seed, periods, trials, scale=0.01):
    """Returns without any edge."""
    return np.random.default_rng(seed).standard_normal((periods, trials)) * scale


@pytest.mark.parametrize(("case", "twice"), [("hand_overfit", 2), ("hand_clean", 2)])
def test_cases_worked_by_hand(case, twice):
    """What each half crowns and the other dethrones is overfitted; what both crown is not."""
    answer = CASES[case]
    found = overfitting(np.repeat(answer["matrix"], twice, axis=0), answer["S"], judge=mean)
    assert found.probability == answer["expected_pbo"]


@pytest.mark.parametrize(
    ("case", "seed", "periods", "trials"), [("seeded_11", 11, 1000, 20), ("seeded_12", 12, 1200, 50)]
)
def test_figures_are_those_from_outside(case, seed, periods, trials):
    """Probability, logits and the chosen one's figures agree to the last digits with another implementation."""
    answer, tolerance = CASES[case], CSCV["tolerance"]
    found, expected = overfitting(noise(seed, periods, trials), answer["S"]), answer["expected"]
    assert len(found.logits) == expected["n_combos"]
    assert found.probability == EXACT(expected["pbo_le0"], abs=tolerance)
    assert found.loss == EXACT(expected["prob_loss"], abs=tolerance)
    assert found.logits[:5] == EXACT(expected["lambda_first5"], abs=tolerance)
    assert found.logits.mean() == EXACT(expected["lambda_mean"], abs=tolerance)
    assert found.best[:3] == EXACT(np.array(expected["is_best_first3"]), abs=tolerance)


def test_a_real_edge_is_not_overfitted():
    """A configuration that is truly better stays better."""
    returns = noise(3, 1000, 20)
    returns[:, 4] += 0.003
    assert overfitting(returns, 10).probability == 0


def test_periods_beyond_whole_blocks_are_left_out_at_the_beginning():
    """Seven more periods at the beginning change nothing in ten blocks of a hundred."""
    returns = noise(4, 1000, 5)
    longer = np.vstack([noise(5, 7, 5), returns])
    assert overfitting(longer, 10).probability == overfitting(returns, 10).probability


def test_what_never_trades_is_a_candidate_like_any():
    """A configuration without a trade has the figure zero, not none."""
    returns = noise(6, 400, 3)
    returns[:, 0] = 0
    assert 0 <= overfitting(returns, 8).probability <= 1


@pytest.mark.parametrize(
    ("returns", "blocks"),
    [
        (noise(1, 100, 1), 4),
        (noise(1, 100, 1)[:, 0], 4),
        (np.full((100, 3), np.nan), 4),
        (noise(1, 100, 3), 5),
        (noise(1, 100, 3), 0),
        (noise(1, 7, 3), 4),
    ],
)
def test_what_cannot_be_split_is_refused(returns, blocks):
    """One configuration, missing returns, odd blocks and too few periods give no probability."""
    with pytest.raises(DataError):
        overfitting(returns, blocks)
