"""How a backtest tells what was tried."""

import numpy as np
import pandas as pd
import pytest
from evidence_data import flat_bars, noise, recorded

from tickerbook.research.trial import SAMPLE, sampled, tell
from tickerbook.trials import Trials, count_trials


def test_figures_are_those_of_the_returns():
    """Sharpe ratio, moments and monthly sums, each as its definition says."""
    returns = noise(1, 2)
    (told,) = recorded(returns)
    kept = pd.DataFrame(returns, flat_bars().frame.index).loc[:"2021-12-31"]
    assert told.sessions == len(kept)
    assert told.sharpes == pytest.approx(kept.mean() / kept.std(), abs=1e-9)
    assert told.skews == pytest.approx(kept.skew(), abs=0.01)
    assert told.kurtoses == pytest.approx(kept.kurt() + 3, abs=0.05)
    march = kept.loc["2021-03"].sum()
    assert [row[told.months.index("2021-03")] for row in told.monthly] == pytest.approx(march, abs=1e-6)


def test_the_same_backtest_a_day_later_is_the_same_trial():
    """Only completed quarters count, so a nightly run adds nothing to the ledger."""
    returns = noise(2, 3)
    (today,) = recorded(returns)
    days = flat_bars(sessions=1601, last="2022-01-17").frame.index
    later = []
    bars = flat_bars(sessions=1601, witness=later.append, last="2022-01-17")
    tomorrow = pd.DataFrame(np.vstack([returns, [[0.01, 0.0, -0.01]]]), days)
    tell(bars, "mined", today.parameters, tomorrow, conditions="none")
    assert later == [today]


@pytest.mark.parametrize(("conditions", "ticker"), [("dearer", "AAA"), ("none", "BBB")])
def test_other_conditions_are_other_data_and_no_other_configuration(conditions, ticker):
    """Costs and tickers make a new record, not a new trial."""
    returns = noise(3, 1)
    told = recorded(returns)
    bars = flat_bars(ticker, witness=told.append)
    tell(bars, "mined", [{"n": 0}], pd.DataFrame(returns, bars.frame.index), conditions=conditions)
    assert told[0].digest != told[1].digest
    assert count_trials(told) == 1


def test_other_returns_of_the_same_configuration_are_another_trial():
    """Who changes the rule's code and keeps its parameters has tried twice."""
    assert count_trials(recorded(noise(4, 1)) + recorded(noise(5, 1))) == 2


def test_rounding_errors_are_no_new_trial():
    """Another machine's last digits change nothing."""
    returns = noise(6, 1)
    assert recorded(returns)[0].digest == recorded(returns + 1e-12)[0].digest


def test_a_large_sweep_counts_whole_and_leaves_some_returns():
    """Every configuration has its Sharpe ratio; as many as are needed to know them leave their returns."""
    returns = noise(7, 500, 300)
    bars, told = flat_bars(sessions=300), []
    parameters = [{"n": n} for n in range(500)]
    chosen = pd.DataFrame(returns[:, list(sampled(500))], bars.frame.index)
    bars = flat_bars(sessions=300, witness=told.append)
    tell(bars, "swept", parameters, chosen, conditions="", sharpes=returns.mean(axis=0) / returns.std(axis=0))
    assert count_trials(told) == 500
    assert len(told[0].monthly) == SAMPLE
    assert told[0].sampled[:1] + told[0].sampled[-1:] == (0, 499)


def test_nobody_is_told_without_a_witness():
    """Made-up bars are nobody's trials."""
    bars = flat_bars()
    tell(bars, "mined", [{}], pd.DataFrame(noise(8, 1), bars.frame.index), conditions="")


@pytest.mark.parametrize("last", ["2022-01-14", "2022-03-31"])
def test_a_test_shorter_than_a_quarter_is_counted_all_the_same(last):
    """It has no figures, and is one more try."""
    (told,) = recorded(noise(9, 1, 5), last=last)
    assert (told.sharpes, told.sessions, told.first, count_trials([told])) == ((None,), 0, None, 1)
    assert Trials.from_json(told.to_json()) == told


def test_parts_of_bars_keep_the_witness():
    """Who cuts bars to a window is counted too."""
    told = []
    bars = flat_bars(witness=told.append)
    assert bars.last(100).until(bars.session).witness == bars.witness


def test_a_flat_strategy_has_no_sharpe_ratio():
    """Not zero: it was never in the market."""
    assert recorded(np.zeros((400, 1)))[0].sharpes == (None,)
