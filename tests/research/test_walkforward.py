"""Walk-forward, sweeps and combinatorial splits: chosen from the past only, counted, and the same every day."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pandas as pd
import pytest
import vectorbt as vbt

from tickerbook.errors import ConfigError, NotEnoughBarsError, StrategyError
from tickerbook.research.backtest import BENCHMARK, Schedule, backtest, backtest_facts, compare
from tickerbook.research.combinatorial import combinatorial
from tickerbook.research.costs import Costs
from tickerbook.research.ranges import Range, check_ranges
from tickerbook.research.splits import combinatorial_splits, paths, quarters
from tickerbook.research.strategy import decide, family, strategy, strategy_names
from tickerbook.research.sweep import sweep
from tickerbook.research.walkforward import walk_forward

COSTS = Costs(commission_bps=5, half_spread_bps=5, impact=1)
QUICK = Schedule(train=126, purge=10, embargo=5)


@dataclass(frozen=True)
class Knows:
    """Long in sessions of odd or even months: one of the two is best, and which changes by design."""

    odd: Annotated[int, Range(0, 1, tried=(0, 1))] = 0
    warmup = 25

    def __post_init__(self):
        check_ranges(self)

    def exposure(self, bars):
        long = (bars.frame.index.month % 2 == self.odd) & (np.arange(len(bars)) >= self.warmup)
        return pd.Series(long.astype(float), bars.frame.index)


@dataclass(frozen=True)
class Bracket:
    """One position from row 30 on, with a stop and a target as parts of a close."""

    side: float
    stop: float = np.nan
    target: float = np.nan
    fixed: bool = False
    warmup = 25

    def exposure(self, bars):
        return pd.Series(np.where(np.arange(len(bars)) >= 30, self.side, 0.0), bars.frame.index)

    def exits(self, bars):
        close = bars.frame["close"]
        close = close * 0 + close.iloc[30] if self.fixed else close
        return pd.DataFrame({"stop": close * self.stop, "target": close * self.target})


@pytest.fixture(scope="module")
def bars(make_walk):
    return make_walk(sessions=700, seed=5)


@pytest.fixture(scope="module")
def walk(bars):
    return walk_forward(bars, "donchian", COSTS, schedule=QUICK)


@pytest.fixture(scope="module")
def results(bars):
    return compare(bars, ["ma_cross", "level_bounce", strategy("donchian")], COSTS, schedule=QUICK)


@pytest.fixture(scope="module")
def facts(bars, results):
    return backtest_facts(results, bars)


class TestWalkForward:
    def test_each_choice_was_the_best_of_what_it_could_see(self, walk):
        """In-sample, no combination had a better Sharpe ratio over the sessions looked at."""
        for fold in walk.folds:
            seen = walk.trials.returns[: fold.trained]
            ratio = seen.mean(axis=0) / seen.std(axis=0, ddof=1) * 252**0.5
            assert fold.in_sample == pytest.approx(np.nanmax(ratio))

    def test_what_is_not_looked_at_is_purge_and_embargo(self, walk, bars):
        """The newest sessions looked at end that many before the first decision."""
        base = len(bars) - 1 - len(walk.trials.sessions)
        for fold in walk.folds:
            first = bars.frame.index.get_loc(pd.Timestamp(fold.first))
            assert first - base - fold.trained == QUICK.purge + QUICK.embargo

    def test_folds_are_quarters_without_gaps(self, walk, bars):
        """Every session from the first choice on is decided by exactly one choice."""
        days = bars.frame.index
        firsts = [days.get_loc(pd.Timestamp(fold.first)) for fold in walk.folds]
        lasts = [days.get_loc(pd.Timestamp(fold.last)) for fold in walk.folds]
        assert firsts[1:] == [last + 1 for last in lasts[:-1]]
        assert lasts[-1] == len(bars) - 1
        assert all(days[n].quarter != days[n - 1].quarter for n in firsts)

    @pytest.mark.parametrize("name", ["donchian", "level_breakout", "time_series_momentum"])
    @pytest.mark.parametrize("end", [430, 555])
    def test_a_session_more_changes_nothing_of_the_past(self, name, end, make_walk):
        """Prefix replay: equity, choices and decisions of a shorter history are the beginning of the longer's."""
        bars = make_walk(sessions=700 if name == "donchian" else 900, seed=6)
        end += len(bars) - 700
        whole = walk_forward(bars, name, COSTS, schedule=QUICK)
        part = walk_forward(bars.until(bars.frame.index[end - 1]), name, COSTS, schedule=QUICK)
        pd.testing.assert_series_equal(whole.result.equity.loc[part.result.equity.index], part.result.equity)
        past = part.result.exposure.index
        pd.testing.assert_series_equal(whole.result.exposure.loc[past], part.result.exposure)
        assert [f.parameters for f in part.folds] == [f.parameters for f in whole.folds[: len(part.folds)]]

    def test_poison_after_a_day_leaves_what_came_before(self, bars, walk):
        """Prices after a session do not reach decisions up to it."""
        poisoned = bars.frame.copy()
        poisoned.iloc[500:] *= np.where(np.arange(200) % 2, 0.2, 5.0)[:, None]
        other = walk_forward(replace(bars, frame=poisoned), "donchian", COSTS, schedule=QUICK)
        past = bars.frame.index[:500]
        pd.testing.assert_series_equal(other.result.exposure.loc[past], walk.result.exposure.loc[past])

    def test_one_combination_is_a_backtest(self, bars):
        """With nothing to choose from, the walk is the backtest of that rule from the first choice on."""
        rule = strategy("ma_cross", fast=5, slow=20)
        walk = walk_forward(bars, [rule], COSTS, schedule=QUICK)
        single = backtest(bars, rule, COSTS, base=walk.result.equity.index[0].date())
        pd.testing.assert_series_equal(walk.result.equity, single.equity)
        assert walk.folds[-1].parameters == single.parameters

    def test_the_choice_is_what_is_held(self, make_walk):
        """A rule that worked until now is followed in the next quarter."""
        bars = make_walk(sessions=500, seed=1)
        frame = bars.frame.copy()
        frame[["open", "high", "low", "close"]] = 100.0
        gain = np.where(frame.index.month % 2 == 1, 1.002, 0.998)
        path = 100 * np.cumprod(gain)
        frame["open"] = np.r_[100, path[:-1]]
        frame["close"], frame["high"], frame["low"] = path, path * 1.001, path * 0.998
        walk = walk_forward(replace(bars, frame=frame), [Knows(0), Knows(1)], Costs(0, 0), schedule=QUICK)
        assert {fold.parameters["odd"] for fold in walk.folds} == {1}
        assert walk.result.metrics.total_return > 0

    def test_too_short_a_history_is_said(self, make_walk):
        """Nothing is chosen from too little."""
        with pytest.raises(NotEnoughBarsError, match="to choose from before a quarter begins"):
            walk_forward(make_walk(sessions=300), "ma_cross", COSTS)

    @pytest.mark.parametrize("wrong", [{"train": 10}, {"purge": -1}, {"embargo": -5}])
    def test_no_schedule_is_refused(self, wrong):
        """A month is no history, and nothing is left out less than not at all."""
        with pytest.raises(ConfigError, match="are no schedule"):
            Schedule(**wrong)


class TestQuarters:
    def test_first_sessions_of_quarters(self):
        """A quarter begins where it is seen to begin; the first one of a history never is."""
        days = pd.bdate_range("2020-02-03", "2021-02-01")
        assert [f"{days[first]:%Y-%m-%d}" for first, _ in quarters(days, 0)] == [
            "2020-04-01",
            "2020-07-01",
            "2020-10-01",
            "2021-01-01",
        ]
        assert list(quarters(days, 10_000)) == []


class TestSweep:
    @pytest.mark.parametrize("name", [n for n in strategy_names() if n != BENCHMARK])
    def test_each_combination_is_the_backtest_it_would_be_alone(self, name, bars):
        """Sharpe ratio and return of every combination, stops and impact included."""
        rules = family(name)[::5]
        swept = sweep(bars, rules, COSTS)
        for rule, sharpe, total in zip(rules, swept.sharpe, swept.total_return, strict=True):
            alone = backtest(
                bars, rule, COSTS, base=bars.frame.index[len(bars) - 1 - len(swept.sessions)].date()
            )
            assert total == pytest.approx(alone.metrics.total_return, abs=1e-12)
            assert sharpe == pytest.approx(alone.metrics.sharpe, abs=1e-9, nan_ok=True)

    def test_agrees_with_vectorbts_own_portfolio(self, bars):
        """Orders alone give the equity that `Portfolio.from_orders` gives when it walks every session."""
        rules = family("ma_cross", {"fast": [3, 5, 9], "slow": [20, 40]})
        swept = sweep(bars, rules, Costs(5, 5), keep=True)
        frame = bars.frame.iloc[-len(swept.sessions) - 1 :]
        held = np.vstack([np.zeros(6), swept.decisions.exposures[-len(frame) : -1]])
        changed = np.diff(held, axis=0, prepend=0.0) != 0
        target = np.where(changed, held * (1 + 1e-12) / 1.0005**2, np.nan)
        whole = vbt.Portfolio.from_orders(
            frame["close"],
            size=target,
            size_type="targetpercent",
            price=frame["open"],
            fees=0.0005,
            slippage=0.0005,
            size_granularity=1,
            init_cash=100_000.0,
            engine="rust",
        )
        np.testing.assert_allclose(whole.returns().to_numpy()[1:], swept.returns, atol=1e-12)

    def test_pieces_are_the_whole(self, bars, monkeypatch):
        """Bounded memory does not change a figure."""
        rules = family("ma_cross")
        whole = sweep(bars, rules, COSTS, keep=True)
        monkeypatch.setattr("tickerbook.research.sweep._CELLS", 1500)
        cut = sweep(bars, rules, COSTS, keep=True)
        np.testing.assert_array_equal(whole.returns, cut.returns)
        np.testing.assert_array_equal(whole.sharpe, cut.sharpe)
        np.testing.assert_array_equal(whole.decisions.exposures, cut.decisions.exposures)

    def test_every_combination_is_told(self, bars):
        """The witness hears of all of them, in one message."""
        heard = []
        sweep(
            replace(bars, witness=heard.append),
            "ma_cross",
            COSTS,
            values={"fast": range(2, 12), "slow": [50, 60, 70, 80]},
        )
        assert len(heard) == 1
        assert heard[0].family == "ma_cross"
        assert len(heard[0].parameters) == len(heard[0].sharpes) == 40

    def test_a_day_later_it_is_the_same_trial(self, bars):
        """What is told is of completed quarters, in large sweeps as in small ones."""
        heard = []
        for end in (650, 651):
            some = replace(bars.until(bars.frame.index[end]), witness=heard.append)
            sweep(some, "ma_cross", COSTS, values={"fast": range(2, 12), "slow": [50, 60, 70, 80]})
            sweep(some, "donchian", COSTS)
        assert heard[0].digest == heard[2].digest
        assert heard[1].digest == heard[3].digest

    def test_the_table_has_the_best_first(self, bars):
        """Parameters and figures of each, by Sharpe ratio."""
        table = sweep(bars, "donchian", COSTS).table
        assert list(table.columns) == ["entry", "exit", "sharpe", "total_return"]
        assert table["sharpe"].is_monotonic_decreasing

    def test_combinations_that_do_not_go_together_are_left_out(self):
        """A fast average is faster than the slow one; where none is, that is said."""
        assert all(rule.fast < rule.slow for rule in family("ma_cross", {"fast": [5, 50], "slow": [20, 100]}))
        assert len(family("ma_cross", {"fast": [5, 50], "slow": [20, 100]})) == 3
        with pytest.raises(ConfigError, match="goes together"):
            family("ma_cross", {"fast": [50], "slow": [20]})

    @pytest.mark.parametrize(
        ("name", "values", "said"),
        [
            ("ma_cross", {"fst": [5]}, "Did you mean fast"),
            ("ma_cross", {"fast": ["5"]}, "not of type int"),
            ("ma_cros", {}, "Did you mean ma_cross"),
        ],
    )
    def test_a_misspelt_sweep_is_refused(self, name, values, said, bars):
        """Names and types are checked before anything is simulated."""
        with pytest.raises(ConfigError, match=said):
            sweep(bars, name, COSTS, values=values)

    def test_many_at_once_are_held_to_the_protocol(self, bars):
        """A vectorised strategy that says too much is named, with the session."""

        @dataclass(frozen=True)
        class Loud:
            warmup = 3

            def exposure(self, bars):
                return pd.Series(self.exposures(bars, [self])[:, 0], bars.frame.index)

            @staticmethod
            def exposures(bars, rules):
                said = np.zeros((len(bars), len(rules)))
                said[40] = 1.5
                return said

        with pytest.raises(StrategyError, match=f"{bars.frame.index[40]:%Y-%m-%d}, which is outside"):
            decide([Loud(), Loud()], bars)

    @pytest.mark.parametrize("stop", [0.0, -3.0, np.inf, "soon"])
    def test_exits_are_prices(self, stop, bars):
        """A stop at or below zero, beyond all bounds or in words is no price."""

        @dataclass(frozen=True)
        class Odd:
            warmup = 0

            def exposure(self, bars):
                return pd.Series(1.0, bars.frame.index)

            def exits(self, bars):
                return pd.DataFrame({"stop": stop, "target": np.nan}, index=bars.frame.index)

        with pytest.raises(StrategyError, match="exits that are no prices"):
            backtest(bars, Odd(), COSTS)

    @pytest.mark.parametrize(
        ("side", "stop", "target", "said"),
        [
            (1.0, 1.01, 1.1, "a stop at"),
            (1.0, 1.0, 1.1, "a stop at"),
            (1.0, 0.9, 0.99, "a target at"),
            (-1.0, 0.99, 0.9, "a stop at"),
            (-1.0, 1.1, 1.01, "a target at"),
        ],
    )
    def test_a_stop_on_the_wrong_side_is_refused(self, side, stop, target, said, bars):
        """Where a position begins its stop loses and its target gains; else every open would fill it."""
        with pytest.raises(StrategyError, match=f"{said} .* on {bars.frame.index[30]:%Y-%m-%d}"):
            backtest(bars, Bracket(side, stop, target), COSTS)

    def test_a_stop_may_be_passed_later(self, bars):
        """A rule that does not see its own stop goes on deciding; what it said when it began counts."""
        rule = Bracket(1.0, 0.999, 1.5, fixed=True)
        assert (rule.exits(bars)["stop"].iloc[31:] > bars.frame["close"].iloc[31:]).any()
        assert len(backtest(bars, rule, COSTS).trades) == 1

    def test_what_lost_everything_has_no_figures(self, make_closes):
        """Neither the equity below zero nor what follows is a return: of a negative equity a loss would be a gain."""
        bars = make_closes([*np.linspace(10.0, 10.3, 32), 30.0, *np.linspace(31.0, 60.0, 70)])
        found = sweep(bars, [Bracket(-1.0), Bracket(1.0)], Costs(0, 0), keep=True)
        assert np.isnan([found.sharpe[0], found.total_return[0]]).all()
        assert found.total_return[1] > 0
        lost = int(np.flatnonzero(found.returns[:, 0] == -1)[0])
        assert np.isnan(found.returns[lost + 1 :, 0]).all()
        assert np.isfinite(found.returns[: lost + 1, 0]).all()


class TestCombinatorial:
    def test_every_path_has_every_session_once(self, bars):
        """C(5, 1) paths of all sessions, from 15 choices."""
        found = combinatorial(bars, "donchian", COSTS)
        assert found.returns.shape[1] == paths(6, 2) == 5
        assert found.splits == 15
        assert found.returns.notna().all(axis=None)
        assert np.isfinite(found.sharpe).all()

    def test_nothing_near_a_tested_block_is_chosen_from(self):
        """Purge on both sides, embargo after it."""
        for blocks, free, left in combinatorial_splits(120, 6, 2, purge=3, embargo=4):
            near = {n for rows in left for n in range(max(rows[0] - 3, 0), min(rows[-1] + 3 + 4, 119) + 1)}
            assert set(free) == set(range(120)) - near
            assert len(blocks) == 2

    @pytest.mark.parametrize(("groups", "tested"), [(3, 3), (1, 0), (200, 2)])
    def test_no_choice_is_refused(self, groups, tested):
        """Something must be left out, and something left."""
        with pytest.raises(ConfigError, match="is no choice"):
            list(combinatorial_splits(100, groups, tested, purge=0, embargo=0))

    def test_too_wide_a_purge_is_refused(self):
        """Where nothing is left to choose from."""
        with pytest.raises(ConfigError, match="nothing to choose from"):
            list(combinatorial_splits(100, 3, 2, purge=50, embargo=0))


class TestCompare:
    def test_all_are_walked_over_the_same_sessions(self, results):
        """One base for all, and one benchmark."""
        walks = [result.out_of_sample for result in results]
        assert len({(w.result.equity.index[0], w.result.sessions) for w in walks}) == 1
        for walk in walks[1:]:
            pd.testing.assert_series_equal(walk.result.benchmark, walks[0].result.benchmark)

    def test_in_sample_is_of_the_parameters_in_use(self, results):
        """The newest choice, over all sessions."""
        for result in results[:2]:
            assert result.parameters == result.out_of_sample.folds[-1].parameters
        assert results[2].parameters == {"entry": 55, "exit": 20}

    def test_the_signal_is_the_walk_forwards(self, results):
        """What the parameters in use decide at the last close is what the walk holds next."""
        for result in results:
            assert result.signal == result.out_of_sample.result.signal

    def test_without_a_schedule_there_is_no_walk(self, bars):
        """Whoever wants defaults only gets them."""
        (result,) = compare(bars, ["ma_cross"], COSTS, schedule=None)
        assert result.out_of_sample is None
        assert result.parameters["fast"] == 20

    def test_figures_out_of_sample_are_the_walks(self, facts, results):
        """A row says what its walk-forward gave, with bounds around it."""
        row = {column: fact.value for column, fact in facts.rows("strategy")[0].items()}
        walk = results[0].out_of_sample
        assert row["oos_return"] == walk.result.metrics.total_return
        assert row["oos_sharpe"] == walk.result.metrics.sharpe
        assert row["oos_sharpe_low"] < row["oos_sharpe"] < row["oos_sharpe_high"]
        assert row["oos_max_drawdown_low"] < row["oos_max_drawdown_high"] < 0
        assert row["break_even_bps"] == walk.break_even_bps
        assert row["combinations"] == len(walk.trials) == 15
        assert row["oos_excess_sharpe"] == pytest.approx(
            walk.result.metrics.sharpe - walk.result.benchmark_metrics.sharpe
        )
        assert row["oos_optimistic"] >= row["oos_return"]

    def test_every_headline_has_its_interval(self, facts):
        """Never a bare point: what is shown out of sample has bounds."""
        for group in ("benchmark", "strategy.1", "strategy.2", "strategy.3"):
            for name in (
                "oos_return",
                "oos_cagr",
                "oos_sharpe",
                "oos_sortino",
                "oos_max_drawdown",
                "oos_volatility",
            ):
                if facts.value(f"{group}.{name}") is not None:
                    low, high = facts.value(f"{group}.{name}_low"), facts.value(f"{group}.{name}_high")
                    assert low <= high

    def test_series_can_be_pooled(self, facts, results):
        """Returns out of sample to six decimals, with their sessions."""
        sessions = facts["oos.sessions"].value
        assert sessions[0] == facts.value("walk.first")
        assert sessions[-1] == facts.value("walk.last")
        for name in ("benchmark", "ma_cross", "level_bounce", "donchian"):
            assert len(facts[f"oos.{name}"].value) == len(sessions) == facts.value("walk.sessions")
        np.testing.assert_allclose(
            facts["oos.ma_cross"].value, results[0].out_of_sample.result.returns, atol=5e-7
        )

    def test_the_same_facts_every_time(self, facts, results, bars):
        """Intervals are drawn, but always the same."""
        assert backtest_facts(results, bars).digest == facts.digest
