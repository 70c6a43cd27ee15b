"""Probabilistic and deflated Sharpe ratio, track record length: against published figures."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import DataError
from tickerbook.research.validation.sharpe import (
    Moments,
    deflated_sharpe,
    expected_best,
    least_track_record,
    moments,
    probabilistic_sharpe,
)

FILE = Path(__file__).parents[2] / "answers" / "validation.json"
CASES = {case["id"]: case for case in json.loads(FILE.read_text(encoding="utf-8"))["sharpe"]}
KNOWN = Moments(sharpe=0.1, sessions=500, skew=-0.5, kurtosis=5.0)


def of(inputs):
    """Moments from annual figures of a published example."""
    sharpe = inputs["sr_annual"] / math.sqrt(inputs["periods"])
    sessions = inputs.get("T") or inputs.get("n") or 0
    return Moments(sharpe, sessions, inputs["skew"], inputs["kurtosis_raw"])


@pytest.mark.parametrize(
    ("case", "figure"),
    [
        ("dsr_paper_sr0", lambda i: expected_best(i["N"], i["var_sr_per_period"])),
        ("dsr_paper", lambda i: deflated_sharpe(of(i), i["N"], i["var_sr_annual"] / i["periods"])),
        ("psr_hedge_fund_normal", lambda i: probabilistic_sharpe(of(i))),
        ("psr_hedge_fund", lambda i: probabilistic_sharpe(of(i))),
        (
            "mintrl_252",
            lambda i: least_track_record(of(i), i["sr_star_annual"] / math.sqrt(252), i["conf"]) / 252,
        ),
        (
            "mintrl_12",
            lambda i: least_track_record(of(i), i["sr_star_annual"] / math.sqrt(12), i["conf"]) / 12,
        ),
        ("emax_100", lambda i: expected_best(i["N"], 1.0)),
        ("minbtl_45", lambda i: expected_best(i["N"], 1.0) ** 2 / i["target"]),
    ],
)
def test_figures_are_the_published_ones(case, figure):
    """Each formula gives what its paper, or another implementation's test, prints."""
    answer = CASES[case]
    assert figure(answer["inputs"]) == pytest.approx(answer["expected"], abs=answer["abs_tol"])


def test_moments_are_those_of_the_returns():
    """Skewness and raw kurtosis of a series whose moments are known by hand."""
    found = moments(np.array([-1.0, 1.0, -1.0, 1.0]))
    assert (found.sharpe, found.sessions, found.skew, found.kurtosis) == (0.0, 4, 0.0, 1.0)


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, 0.01, 0.01]])
def test_what_does_not_vary_has_no_sharpe_ratio(returns):
    """A flat line, one return or none is no evidence: missing, not infinite."""
    found = moments(np.array(returns, float))
    assert math.isnan(found.sharpe)
    assert math.isnan(probabilistic_sharpe(found))
    assert math.isnan(least_track_record(found))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_hole_in_the_returns_is_refused(bad):
    """A missing return is not left out silently."""
    with pytest.raises(DataError, match="missing or infinite"):
        moments(np.array([0.01, bad, 0.02]))


@given(trials=st.integers(1, 100_000), more=st.integers(1, 100_000), variance=st.floats(0, 0.1))
def test_more_trials_never_help(trials, more, variance):
    """Who tried more must show more: the deflated ratio falls with trials, and never exceeds the probabilistic."""
    few, many = (deflated_sharpe(KNOWN, n, variance) for n in (trials, trials + more))
    assert many <= few <= probabilistic_sharpe(KNOWN)


def test_a_single_trial_needs_no_deflation():
    """One rule that was tried once is judged as it is."""
    assert deflated_sharpe(KNOWN, 1, 0.5) == probabilistic_sharpe(KNOWN)


@pytest.mark.parametrize(
    ("trials", "variance"), [(0, 0.1), (-3, 0.1), (math.nan, 0.1), (5, -0.1), (5, math.nan)]
)
def test_impossible_trials_are_refused(trials, variance):
    """No number of trials is made up where none fits."""
    with pytest.raises(DataError, match="trial ledger"):
        expected_best(trials, variance)


@pytest.mark.parametrize("confidence", [0.5, 1.0, 95.0, math.nan])
def test_impossible_confidence_is_refused(confidence):
    """95 is not 0.95."""
    with pytest.raises(DataError, match="confidence"):
        least_track_record(KNOWN, confidence=confidence)


def test_no_record_is_long_enough_below_the_target():
    """A Sharpe ratio at or below the target never proves that it is above."""
    assert math.isnan(least_track_record(KNOWN, target=0.1))


def test_a_record_of_the_least_length_is_just_enough():
    """With as many sessions as are needed, the probability is the confidence."""
    needed = least_track_record(KNOWN, confidence=0.9)
    enough = Moments(KNOWN.sharpe, needed, KNOWN.skew, KNOWN.kurtosis)
    assert probabilistic_sharpe(enough) == pytest.approx(0.9)
