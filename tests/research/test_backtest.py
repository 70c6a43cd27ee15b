"""Backtests against an independent loop and the published SMA cross, and what cannot be tested."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.errors import ConfigError, DataError, NotEnoughBarsError, StrategyError
from tickerbook.research.backtest import (
    BENCHMARK,
    LEAST_SESSIONS,
    BacktestResult,
    Costs,
    Untested,
    backtest,
    backtest_facts,
    compare,
)
from tickerbook.research.strategy import strategy

ANSWERS = json.loads((Path(__file__).parents[1] / "answers" / "sma_cross.json").read_text())
FREE = Costs(commission_bps=0, half_spread_bps=0)
DEAR = Costs(commission_bps=20, half_spread_bps=10)


@dataclass(frozen=True)
class Said:
    """A strategy that says what a test wants, repeated to the end."""

    decisions: tuple[float, ...] = (1.0,)
    warmup: int = 0

    def exposure(self, bars):
        said = np.resize(self.decisions, len(bars))
        said[: self.warmup] = 0
        return pd.Series(said, bars.frame.index)


def plain_loop(frame, decided, costs, cash):
    """The agreement rules as a bookkeeper would follow them; knows nothing of vectorbt."""
    fee, slip = costs.commission_bps / 1e4, costs.half_spread_bps / 1e4
    shares, before, equity = 0, 0.0, []
    for row, (opened, close) in enumerate(zip(frame["open"], frame["close"], strict=True)):
        want = decided[row - 1] if row else 0.0
        if want != before:
            worth = cash + shares * opened
            if want * shares <= 0 and shares:  # close the other side first; its fee is paid
                price = opened * (1 - slip * np.sign(shares))
                cash += shares * price - abs(shares) * price * fee
                shares, worth = 0, cash
            target = want * worth / (opened * (1 + slip) * (1 + fee))
            bought = math.trunc(round(target - shares, 9))  # an order is rounded towards nothing
            price = opened * (1 + slip * np.sign(bought))
            if bought > 0 and want > 0:
                bought = min(bought, math.floor(round(cash / (price * (1 + fee)), 9)))
            cash -= bought * price + abs(bought) * price * fee
            shares, before = shares + bought, want
        equity.append(cash + shares * close)
    return np.array(equity), shares


@pytest.mark.parametrize("case", ANSWERS["cases"], ids=lambda case: case["config"])
def test_agrees_with_the_published_sma_cross(case, google):
    """Final equity, trades and drawdown of GOOG's SMA cross, and every bar of the agreed rules."""
    costs = Costs(case["commission_bps"], half_spread_bps=0)
    rule = strategy("ma_cross", fast=case["fast"], slow=case["slow"], short=case["short"])
    result = backtest(google, rule, costs, case["cash"])
    curve, shares = plain_loop(google.frame, rule.exposure(google).to_numpy(), costs, case["cash"])
    np.testing.assert_allclose(result.equity * case["cash"], curve[rule.warmup :], atol=1e-6)
    assert result.equity.iloc[-1] * case["cash"] == pytest.approx(case["final_equity"], abs=1e-6)
    assert result.metrics.max_drawdown == pytest.approx(case["max_drawdown"], abs=1e-12)
    assert len(result.closed_trades) == case["closed_trades"]
    assert result.trades["shares"].iloc[-1] == shares == case["open_position"]
    assert [_published(trade) for trade in result.trades.head(3).itertuples()] == case["first_trades"]


def _published(trade):
    """A trade as the reference writes it."""
    shares = trade.shares if trade.side == "long" else -trade.shares
    days = [f"{trade.entered:%Y-%m-%d}", f"{trade.exited:%Y-%m-%d}"]
    return [*days, shares, round(trade.entry, 6), round(trade.exit, 6), round(trade.profit, 4)]


@settings(max_examples=40, deadline=None)
@given(
    decisions=st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.3, 0.5, 1.0]), min_size=1, max_size=40),
    seed=st.integers(0, 50),
    costs=st.sampled_from([FREE, DEAR]),
)
def test_agrees_with_a_plain_loop_on_every_bar(make_walk, decisions, seed, costs):
    """Whatever is decided, vectorbt's books and the bookkeeper's are the same at each close."""
    bars = make_walk(sessions=60, seed=seed)
    result = backtest(bars, Said(tuple(decisions)), costs, 10_000.0)
    curve, _ = plain_loop(bars.frame, result.exposure.to_numpy(), costs, 10_000.0)
    np.testing.assert_allclose(result.equity * 10_000, curve, rtol=1e-9)


def test_a_decision_is_filled_at_the_next_open(make_closes):
    """Decided at the close of one session, bought at the open of the next, sold likewise."""
    closes, opens = [100.0] * 30, [100.0] * 30
    opens[11], closes[11], opens[15] = 110.0, 120.0, 130.0
    decisions = tuple(float(10 <= row < 14) for row in range(30))
    trade = backtest(make_closes(closes, opens), Said(decisions), FREE).trades.iloc[0]
    assert (trade["entry"], trade["exit"]) == (110.0, 130.0)
    assert trade["entered"] == pd.bdate_range("2020-01-01", periods=30)[11]
    assert trade["exited"] == pd.bdate_range("2020-01-01", periods=30)[15]


def test_both_sides_of_a_trade_cost(make_closes):
    """Commission and slippage are paid on buying and on selling."""
    bars = make_closes([100.0] * 30)
    result = backtest(bars, Said((1.0, *[0.0] * 29)), Costs(commission_bps=10, half_spread_bps=50), 1e6)
    bought, sold = 100 * 1.005, 100 * 0.995
    shares = math.floor(1e6 / (bought * 1.001))
    spent = shares * (bought * 1.001 - sold * 0.999)
    assert result.trades.iloc[0][["entry", "exit"]].to_list() == pytest.approx([bought, sold])
    assert result.equity.iloc[-1] == pytest.approx(1 - spent / 1e6)


def test_shares_are_whole(make_closes):
    """What does not buy a whole share stays in cash."""
    result = backtest(make_closes([300.0] * 30), Said(), FREE, 1000.0)
    assert result.trades["shares"].to_list() == [3]


@pytest.mark.parametrize("exposure", [1.0, 0.5, -1.0])
def test_rounding_errors_do_not_cost_a_share(exposure, make_closes):
    """Equity for exactly seven shares, which divides to 6.999…, is seven shares."""
    cash = 7 * 37.1 * 1.002 * 1.001 / abs(exposure)
    result = backtest(make_closes([37.1] * 30), Said((exposure,)), DEAR, cash)
    assert result.trades["shares"].to_list() == [7]


def test_holding_is_the_benchmark(make_walk):
    """Always long is buy and hold, to the last digit."""
    result = backtest(make_walk(), Said(warmup=7), DEAR)
    pd.testing.assert_series_equal(result.equity, result.benchmark, check_names=False)
    assert result.metrics == result.benchmark_metrics


def test_benchmark_buys_at_the_first_open_that_the_strategy_can(make_walk):
    """Strategy and benchmark have the same sessions: from the close of the first decision to the last."""
    bars = make_walk()
    result = backtest(bars, Said(warmup=50), FREE, 1e9)
    assert result.equity.index.equals(result.benchmark.index)
    assert result.equity.index.equals(bars.frame.index[50:])
    assert result.equity.iloc[0] == result.benchmark.iloc[0] == 1
    held = bars.frame["close"].iloc[-1] / bars.frame["open"].iloc[51]
    assert result.benchmark.iloc[-1] == pytest.approx(held, rel=1e-6)


def test_the_past_does_not_change_with_the_future(make_walk):
    """A test that ends earlier has the beginning of the same curves."""
    bars = make_walk(sessions=500)
    whole, part = (backtest(b, strategy("ma_cross"), DEAR) for b in (bars, bars.until(bars.frame.index[300])))
    for curve in ("equity", "benchmark"):
        past = getattr(part, curve)
        pd.testing.assert_series_equal(getattr(whole, curve).loc[past.index], past)


def test_an_open_position_stays_open(make_walk):
    """The last trade has no exit; the equity has its gain all the same."""
    result = backtest(make_walk(), Said(), FREE)
    assert result.trades["exited"].isna().to_list() == [True]
    assert result.trades["exit"].isna().all()
    assert len(result.closed_trades) == 0
    assert math.isnan(result.win_rate)
    assert result.equity.iloc[-1] == pytest.approx(1 + result.trades["profit"].sum() / 100_000)


def test_never_trading_is_flat(make_walk):
    """No decision, no trade, no Sharpe ratio, and no costs."""
    result = backtest(make_walk(), Said((0.0,)), DEAR)
    assert (result.equity == 1).all()
    assert result.trades.empty
    assert math.isnan(result.metrics.sharpe)
    assert result.mean_exposure == 0


@pytest.mark.parametrize(("last", "signal"), [(1.0, "long"), (0.2, "long"), (0.0, "flat"), (-1.0, "short")])
def test_signal_is_the_last_decision(last, signal, make_walk):
    """What was decided at the last close is the signal, and no open has filled it."""
    result = backtest(make_walk(sessions=40), Said((*[0.0] * 39, last)), FREE)
    assert result.signal == signal
    assert result.trades.empty


def test_exposure_is_what_was_held(make_walk):
    """The mean counts sessions of the test, each by what was decided the evening before."""
    result = backtest(make_walk(sessions=41), Said((*[1.0] * 10, *[0.0] * 21, *[-0.5] * 10)), FREE)
    assert result.mean_exposure == pytest.approx((10 + 0.5 * 9) / 40)


@pytest.mark.parametrize("sessions", [1, 3, 100, 100 + LEAST_SESSIONS])
def test_too_few_sessions_are_said(sessions, make_walk):
    """A warm-up that leaves less than a month is an error that counts."""
    with pytest.raises(NotEnoughBarsError, match=rf"needs 100 sessions of TEST .* of {sessions} sessions"):
        backtest(make_walk(sessions=sessions), Said(warmup=100), FREE)


def test_just_enough_sessions_are_tested(make_walk):
    """One session more and there is a result."""
    assert backtest(make_walk(sessions=121), Said(warmup=100), FREE).sessions == LEAST_SESSIONS


def test_a_later_base_shortens_the_test(make_walk):
    """From a base on, nothing before it counts; before the warm-up is over there is no base."""
    bars = make_walk()
    later = bars.frame.index[200].date()
    assert backtest(bars, Said(warmup=50), FREE, base=later).equity.index[0].date() == later
    assert backtest(bars, Said(warmup=50), FREE, base=bars.first).sessions == len(bars) - 51


@pytest.mark.parametrize("bps", [-1, 1001, math.nan, math.inf])
def test_what_is_no_cost_is_refused(bps):
    """Costs are basis points; neither a gain, nor NaN."""
    with pytest.raises(ConfigError, match="is no cost"):
        Costs(commission_bps=bps, half_spread_bps=0)
    with pytest.raises(ConfigError, match="is no cost"):
        Costs(commission_bps=0, half_spread_bps=bps)


@pytest.mark.parametrize("cash", [0.0, 99.0, -5.0, math.nan])
def test_too_little_cash_is_said(cash, make_closes):
    """Cash that buys no share would be a flat line; it is an error instead."""
    with pytest.raises(ConfigError, match="does not buy one share of TEST"):
        backtest(make_closes([100.0] * 30), Said(), FREE, cash)


def test_a_price_below_zero_is_said(make_closes):
    """Oil closed below zero once; shares of it cannot be counted."""
    with pytest.raises(DataError, match="at or below zero on 2020-01-14"):
        backtest(make_closes([*[20.0] * 9, -37.0, *[10.0] * 30]), Said(), FREE)


def test_prices_as_traded_are_refused(make_walk):
    """A split inside the window would be a loss that nobody had."""
    with pytest.raises(DataError, match="a split inside them would count as a loss"):
        backtest(replace(make_walk(), adjustment="none"), Said(), FREE)


def test_zero_volume_is_refused_where_impact_counts(make_walk):
    """Orders in a share that nobody trades have no known price."""
    bars = make_walk()
    dead = replace(bars, frame=bars.frame.assign(volume=0.0))
    with pytest.raises(DataError, match="impact of an order"):
        backtest(dead, Said(), replace(DEAR, impact=1.0))
    assert backtest(dead, Said(), DEAR).metrics.total_return > -1


def test_constant_prices_have_no_ratio(make_closes):
    """Nothing moves, so that there is no Sharpe ratio; a missing fact, not a zero."""
    bars = make_closes([50.0] * 900)
    facts = backtest_facts(compare(bars, ["ma_cross"], FREE), bars)
    assert facts["strategy.1.oos_sharpe"].value is facts["strategy.1.sharpe"].value is None
    assert facts.value("strategy.1.oos_return") == 0


def test_a_strategy_that_raises_is_not_hidden(make_walk):
    """It is named, and its own error reaches the author as the cause."""

    @dataclass(frozen=True)
    class Raises:
        warmup = 0

        def exposure(self, bars):
            raise ZeroDivisionError(f"in {bars.ticker}")

    with pytest.raises(StrategyError, match="Raises raised ZeroDivisionError: in TEST") as caught:
        compare(make_walk(), [Raises()], FREE)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("warmup", [-5, 5.5, None])
def test_a_warmup_is_a_number_of_sessions(warmup, make_walk):
    """Nothing else says when a strategy can decide."""
    with pytest.raises(StrategyError, match="Said says that its warm-up is"):
        backtest(make_walk(), Said(warmup=warmup), FREE)


def test_ruin_is_said(make_closes):
    """A short position that loses more than everything is no curve."""
    with pytest.raises(StrategyError, match="lost all its equity in TEST by 2020-01-14"):
        backtest(make_closes([*[10.0] * 9, 30.0, *[35.0] * 30]), Said((-1.0,)), FREE)


def test_a_broken_strategy_is_not_tested(make_walk):
    """What is no exposure does not reach the books."""
    with pytest.raises(StrategyError, match="outside"):
        backtest(make_walk(), Said((2.0,)), FREE)


def test_importing_does_not_load_vectorbt():
    """Five seconds are spent by those who test something, not by those who import."""
    code = "import sys, tickerbook.research.backtest; sys.exit('vectorbt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestCompare:
    def test_all_have_the_same_sessions(self, make_walk):
        """The longest warm-up decides where every test begins."""
        results = compare(make_walk(sessions=600), [Said(warmup=10), "ma_cross", Said(warmup=150)])
        assert {result.sessions for result in results} == {449}

    def test_every_strategy_is_compared_by_default(self, make_walk):
        """No list means all there are."""
        names = [result.strategy for result in compare(make_walk(sessions=600))]
        assert {"ma_cross", "donchian", "level_bounce"} <= set(names)
        assert BENCHMARK not in names

    def test_a_long_warmup_is_no_failure(self, make_walk):
        """What cannot be tested says why, and does not shorten the others' test."""
        tested, untested = compare(make_walk(sessions=196), ["donchian", strategy("ma_cross", slow=180)])
        assert isinstance(tested, BacktestResult)
        assert tested.sessions == 196 - 1 - 55
        assert isinstance(untested, Untested)
        assert "needs 180 sessions" in untested.reason
        assert untested.parameters["slow"] == 180

    def test_three_bars_test_nothing(self, make_walk):
        """A new listing has reasons instead of results."""
        assert all(isinstance(result, Untested) for result in compare(make_walk(sessions=3)))

    def test_an_unknown_name_is_an_error(self, make_walk):
        """A misspelt strategy is not left out silently."""
        with pytest.raises(ConfigError, match="Did you mean ma_cross"):
            compare(make_walk(), ["ma_cros"])


class TestFacts:
    @pytest.fixture
    def bars(self, make_walk):
        return make_walk(sessions=600)

    @pytest.fixture
    def results(self, bars):
        return compare(bars, ["ma_cross", "donchian", Said(warmup=590)])

    @pytest.fixture
    def facts(self, results, bars):
        return backtest_facts(results, bars)

    def test_figures_are_the_results(self, facts, results):
        """A row says what the result says."""
        row = {column: fact.value for column, fact in facts.rows("strategy")[0].items()}
        assert row["name"] == "ma_cross"
        assert row["parameters"] == "fast 20, slow 100, short False"
        assert row["cagr"] == results[0].metrics.cagr
        assert row["sharpe"] == results[0].metrics.sharpe
        assert row["trades"] == len(results[0].closed_trades)
        assert row["signal"] == results[0].signal
        assert row["note"] is None
        assert facts.value("benchmark.total_return") == results[0].benchmark_metrics.total_return

    def test_an_untested_strategy_has_a_reason(self, facts):
        """Its figures are missing, its name is there, and the note says why."""
        row = {column: fact.value for column, fact in facts.rows("strategy")[2].items()}
        assert row.pop("name") == row.pop("title") == "Said"
        assert row.pop("parameters").startswith("decisions")
        assert "needs 590 sessions" in row.pop("note")
        assert set(row.values()) == {None}

    def test_curves_belong_to_their_sessions(self, facts, results):
        """One value a session, from 1, to five decimals; no curve for what was not tested."""
        sessions = facts["equity.sessions"].value
        assert sessions[0] == f"{results[0].equity.index[0]:%Y-%m-%d}"
        assert facts.value("test.first") == sessions[1]
        assert facts.value("test.last") == sessions[-1]
        assert facts.value("test.sessions") == len(sessions) - 1
        curves = [name for name in facts if name.startswith("equity.")]
        assert curves == ["equity.sessions", "equity.benchmark", "equity.ma_cross", "equity.donchian"]
        for name in curves[1:]:
            assert len(facts[name].value) == len(sessions)
            assert facts[name].value[0] == 1
        assert facts["equity.ma_cross"].value[-1] == round(results[0].equity.iloc[-1], 5)

    def test_every_fact_is_of_the_last_session(self, facts, bars):
        """Freshness is the last session of the bars."""
        assert {fact.as_of for fact in facts.values()} == {bars.session}

    def test_costs_are_told(self, facts):
        """The costs that were paid are facts."""
        assert (facts["costs.commission_bps"].text, facts["costs.half_spread_bps"].text) == (
            "5.0 bps",
            "5.0 bps",
        )

    def test_less_than_a_year_is_not_annualised(self, make_walk):
        """Growth over ninety-five sessions is not growth a year."""
        bars = make_walk(sessions=196)
        facts = backtest_facts(compare(bars, ["ma_cross"]), bars)
        assert facts.value("strategy.1.cagr") is facts.value("benchmark.cagr") is None
        assert facts.value("strategy.1.total_return") is not None
        assert "less than a year" in facts.value("strategy.1.note")

    def test_nothing_tested_is_still_a_set_of_facts(self, make_walk):
        """Three bars give names and reasons."""
        bars = make_walk(sessions=3)
        facts = backtest_facts(compare(bars, ["ma_cross"]), bars)
        assert facts.value("test.sessions") == 0
        assert facts["test.first"].value is None
        assert facts["benchmark.sharpe"].value is None
        assert facts.value("costs.half_spread_bps") == 5
        assert facts.value("strategy.1.name") == "ma_cross"
        assert "equity.sessions" not in facts

    def test_the_same_strategy_twice_has_two_curves(self, bars):
        """Other parameters, another curve."""
        facts = backtest_facts(compare(bars, ["ma_cross", strategy("ma_cross", slow=50)]), bars)
        assert {"equity.ma_cross", "equity.ma_cross_2"} <= set(facts)

    def test_different_tests_are_not_mixed(self, bars):
        """Two strategies over different sessions have no common benchmark."""
        results = [backtest(bars, strategy(name), FREE) for name in ("ma_cross", "donchian")]
        with pytest.raises(DataError, match="Use what one `compare` gave"):
            backtest_facts(results, bars)

    def test_bars_of_another_day_change_only_what_they_should(self, bars, results):
        """Facts of the same results and bars are the same facts."""
        again = backtest_facts(results, replace(bars, source="elsewhere"))
        assert again.digest == backtest_facts(results, bars).digest
