"""Trials as a type: what is the same, and how many there are."""

from dataclasses import replace
from datetime import date

import pytest

from tickerbook.errors import DataError
from tickerbook.trials import Trials, count_trials

TRIALS = Trials(
    family="ma_cross",
    ticker="AAPL",
    parameters=({"fast": 10, "slow": 50}, {"fast": 20, "slow": 50}),
    data_digest="d1",
    returns_digest="r1",
    sharpes=(0.05, None),
    first=date(2012, 1, 3),
    last=date(2012, 3, 30),
    sessions=62,
    months=("2012-01", "2012-02", "2012-03"),
    sampled=(0, 1),
    monthly=((0.01, 0.02, -0.01), (0.0, 0.0, 0.0)),
    skews=(0.1, None),
    kurtoses=(3.2, None),
)


@pytest.mark.parametrize("trials", [TRIALS, replace(TRIALS, first=None, last=None, sessions=0)])
def test_what_is_stored_comes_back(trials):
    """JSON loses nothing."""
    assert Trials.from_json(trials.to_json()) == trials


@pytest.mark.parametrize("stored", [{}, {"family": "x"}, {**TRIALS.to_json(), "last": "soon"}, [], None])
def test_something_else_is_refused(stored):
    """What is no record is not counted as one."""
    with pytest.raises(DataError, match="no record of trials"):
        Trials.from_json(stored)


def test_each_configuration_counts():
    """A sweep is as many trials as it has configurations."""
    assert count_trials([TRIALS]) == 2


@pytest.mark.parametrize(
    "again",
    [
        TRIALS,
        replace(TRIALS, ticker="IBM", data_digest="d2", returns_digest="r2"),
        replace(TRIALS, data_digest="d3", returns_digest="r3", last=date(2012, 6, 29)),
        replace(TRIALS, parameters=({"slow": 50, "fast": 10},), sharpes=(0.05,)),
    ],
    ids=["the same", "another ticker", "another period", "names in another order"],
)
def test_the_same_configuration_counts_once(again):
    """A rule is judged on all tickers together, so it is one try however often it is measured."""
    assert count_trials([TRIALS, again]) == 2


def test_a_changed_rule_counts_again():
    """The same parameters on the same data with other returns: the code of the rule was changed and tried."""
    changed = [replace(TRIALS, sharpes=(0.05 + n / 100, None), returns_digest=f"r{n}") for n in range(5)]
    assert count_trials(changed) == 6


def test_a_sweep_and_a_single_backtest_of_the_same_are_one():
    """What was found in a sweep and is then looked at alone is no new try, last digits notwithstanding."""
    alone = replace(
        TRIALS, parameters=({"fast": 10, "slow": 50},), sharpes=(0.05 + 1e-9,), returns_digest="r"
    )
    assert count_trials([TRIALS, alone]) == 2


def test_families_are_counted_apart():
    """The same parameters of another rule are another trial."""
    assert count_trials([TRIALS, replace(TRIALS, family="donchian")]) == 4


def test_what_makes_it_the_same():
    """The name of a record follows from family, ticker, configurations, data and returns, and nothing else."""
    assert replace(TRIALS, sharpes=(1.0, 2.0)).digest == TRIALS.digest
    for change in ({"family": "x"}, {"ticker": "x"}, {"data_digest": "x"}, {"returns_digest": "x"}):
        assert replace(TRIALS, **change).digest != TRIALS.digest
