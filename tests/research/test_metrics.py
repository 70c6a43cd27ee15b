"""Performance figures against empyrical and PerformanceAnalytics, and where a figure does not exist."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.research import metrics

ANSWERS = json.loads((Path(__file__).parents[1] / "answers" / "performance.json").read_text())["cases"]
MONTHS = 12


def series(*returns):
    return pd.Series(returns, dtype="float64")


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case["id"])
def test_agrees_with_empyrical(case):
    """Each figure is what the test suite of empyrical-reloaded expects, to its decimals."""
    figure = getattr(metrics, case["figure"])
    annual = {"periods": case["periods"]} if case["figure"] not in {"total_return", "max_drawdown"} else {}
    expected = math.nan if case["expected"] is None else case["expected"]
    got = figure(series(*case["returns"]), **annual)
    assert got == pytest.approx(expected, abs=0.5 * 10 ** -case["decimals"], nan_ok=True)


@pytest.mark.parametrize(
    ("case", "figure"),
    [
        ("ann_return", lambda r: metrics.cagr(r, MONTHS)),
        ("ann_std", lambda r: metrics.volatility(r, MONTHS)),
        ("sortino", lambda r: metrics.sortino(r, periods=1)),
        ("maxdd", lambda r: -metrics.max_drawdown(r)),
        ("calmar", lambda r: metrics.calmar(r, MONTHS)),
        ("cum_return", metrics.total_return),
    ],
)
def test_agrees_with_performance_analytics(case, figure, shared):
    """Monthly returns of real managers, leading gaps included, against R's PerformanceAnalytics."""
    answers = json.loads((shared / "reference/perf/performanceanalytics.json").read_text())["cases"]
    answer = next(a for a in answers if a["id"] == case)
    returns = pd.read_csv(shared / "reference/perf" / answer["data"])
    got = [figure(returns[column]) for column in answer["columns"]]
    assert got == pytest.approx(answer["expected_R"], abs=answer["abs_tol"])


def test_a_year_has_252_sessions():
    """The default year is the equity market's, not vectorbt's of 365 days."""
    returns = series(0.01, -0.005, 0.002, 0.0)
    assert metrics.sharpe(returns) == metrics.sharpe(returns, 252)
    assert metrics.volatility(returns) == pytest.approx(np.std(returns, ddof=1) * 252**0.5)
    assert metrics.cagr(series(*[0.0] * 251, 0.1)) == pytest.approx(0.1)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_every_figure_is_defined_once(name):
    """Its field, how it is shown, its formula and its source; and many columns give what each gives alone."""
    metric = metrics.METRICS[name]
    assert metric.name == name
    assert metric.label
    assert metric.unit in {"", "fraction"}
    assert metric.convention.endswith(".")
    assert metric.source
    values = np.random.default_rng(1).normal(0.001, 0.02, (100, 3))
    together = metric.compute(values, 252)
    alone = [getattr(metrics.performance(pd.Series(values[:, n]), 252), name) for n in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_the_fields_are_the_metrics():
    """Nothing is computed that is not defined, and the other way round."""
    assert [field.name for field in dataclasses.fields(metrics.Performance)] == list(metrics.METRICS)


def test_leading_nan_is_left_out():
    """The first session of an equity curve has no return, and counts nowhere."""
    returns = series(0.01, -0.005, 0.002)
    assert metrics.performance(series(math.nan, *returns)) == metrics.performance(returns)


def test_a_hole_makes_every_figure_nan():
    """A missing return in the middle is not a return of zero."""
    figures = dataclasses.astuple(metrics.performance(series(0.01, math.nan, 0.002)))
    assert np.isnan(figures).all()


@pytest.mark.parametrize("returns", [(), (math.nan,), (math.nan, math.nan)])
def test_nothing_has_no_figures(returns):
    """Without a return every figure is NaN."""
    assert np.isnan(dataclasses.astuple(metrics.performance(series(*returns)))).all()


@pytest.mark.parametrize("flat", [0.0, 0.01, -0.01])
def test_ratios_over_no_risk_are_nan(flat):
    """A line without deviation has no Sharpe ratio, rounding errors or not."""
    assert math.isnan(metrics.sharpe(series(*[flat] * 1000)))


def test_sortino_without_a_loss_is_nan():
    """Nothing to divide by is no infinite reward."""
    assert math.isnan(metrics.sortino(series(0.01, 0.02)))


def test_losing_everything_is_minus_one():
    """Total loss has a growth of −100 % a year and the deepest drawdown there is."""
    figures = metrics.performance(series(0.1, -1.0, 0.0))
    assert (figures.total_return, figures.cagr, figures.max_drawdown) == (-1, -1, -1)


def test_an_initial_loss_is_a_drawdown():
    """Wealth starts at 1, so that falling at once counts."""
    assert metrics.max_drawdown(series(-0.2, 0.1)) == pytest.approx(-0.2)


def test_drawdown_is_the_distance_from_the_peak():
    """Zero at each new high, the fraction lost below it."""
    assert list(metrics.drawdown(series(1, 2, 1, 1.5, 3))) == [0, 0, -0.5, -0.25, 0]


def test_win_rate_counts_gains_only():
    """Breaking even is no win, and no trade is no rate."""
    assert metrics.win_rate(series(5, 0, -1, 3)) == 0.5
    assert math.isnan(metrics.win_rate(series()))


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=60))
def test_drawdown_is_between_total_loss_and_none(returns):
    """A drawdown is a fraction in −1…0, and no smaller than a loss over the whole time."""
    depth = metrics.max_drawdown(series(*returns))
    assert -1 <= depth <= 0
    assert depth <= metrics.total_return(series(*returns)) + 1e-12


@given(st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=60), st.floats(0.1, 0.9))
def test_ratios_do_not_depend_on_leverage(returns, leverage):
    """Scaling all returns leaves Sharpe and Sortino where they are."""
    returns = series(*returns)
    for ratio in (metrics.sharpe, metrics.sortino):
        full, part = ratio(returns), ratio(returns * leverage)
        if not (math.isnan(full) or math.isnan(part)):
            assert part == pytest.approx(full, rel=1e-6, abs=1e-9)
