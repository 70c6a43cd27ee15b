"""Backtest, trade plan and pre-trade check size the same order the same."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from tickerbook.bars import Bars
from tickerbook.research.backtest import Costs, backtest
from tickerbook.research.level import Level
from tickerbook.research.limits import Limits
from tickerbook.research.sized import SizedStrategy
from tickerbook.research.sizing import Desk, Position, pre_trade, size_order, trade_plan

FREE = Costs(0.0, 0.0)


@dataclass(frozen=True)
class BuyOnce:
    """Long from a row on, with a stop."""

    row: int
    stop: float

    @property
    def warmup(self) -> int:
        return 0

    def exposure(self, bars: Bars) -> pd.Series:
        return pd.Series((np.arange(len(bars)) >= self.row).astype(float), bars.frame.index)

    def exits(self, bars: Bars) -> pd.DataFrame:
        return pd.DataFrame({"stop": self.stop, "target": np.nan}, bars.frame.index)


@pytest.fixture(scope="module")
def bars(make_walk):
    """A walk whose session after the plan opens where the plan's session closed."""
    walk = make_walk(sessions=340, seed=3, drift=0.002)
    frame = walk.frame.copy()
    frame[["open", "high", "low", "close"]] *= 100 / frame["close"].iloc[299]
    frame.iloc[300, 0] = frame["close"].iloc[299]
    frame["low"] = np.minimum(frame["low"], frame["open"])
    frame["high"] = np.maximum(frame["high"], frame["open"])
    return replace(walk, frame=frame)


def zone(bars, low, high):
    side = "support" if low < 100 else "resistance"
    return Level((low + high) / 2, low, high, side, "swing low", bars.first, bars.session, 5)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"risk_fraction": 0.002},
        {"volatility_target": 0.02},
        {"max_heat": 0.012},
        {"max_cluster_heat": 0.011},
        {"equity_peak": 110_000.0},
        {"max_volume_share": 1e-5},
        {"lot": 50},
    ],
)
def test_the_three_are_equal(bars, changed):
    """The plan's shares are those that the pre-trade check allows and that the backtest buys."""
    limits = {"equity": 1e5, "require_edge": False} | changed
    known = bars.until(bars.frame.index[299].date())
    desk = Desk(book=(Position("IBM", 100, 200.0, 190.0),))
    plan = trade_plan(known, [zone(known, 98, 101), zone(known, 112, 113)], desk=desk, **limits)
    before = pre_trade(known, plan.order, Limits(**limits), desk)
    rule = SizedStrategy(BuyOnce(299, plan.stop), Limits(**limits), desk)
    trade = backtest(bars, rule, FREE, cash=1e5).trades.iloc[0]
    assert plan.size.shares > 0
    assert plan.size == before.sizing.size == size_order(known, plan.order, Limits(**limits), desk).size
    assert plan.checks == before.checks
    assert trade["shares"] == plan.size.shares


def test_a_larger_order_than_the_limits_allow_fails_before_the_trade(bars):
    """What somebody wants to buy is held against the same size."""
    known = bars.until(bars.frame.index[299].date())
    plan = trade_plan(known, [zone(known, 98, 101), zone(known, 112, 113)], equity=1e5, require_edge=False)
    wanted = pre_trade(known, plan.order, plan.limits, shares=plan.size.shares + 1)
    failed = {check.name for check in wanted.checks if check.passed is False}
    assert "size within every limit" in failed
    assert not wanted.passed


def test_the_stop_rests_while_the_position_is_held(bars):
    """A sized strategy gives up where it was sized for, and nowhere else."""
    limits = Limits(equity=1e5, require_edge=False)
    exits = SizedStrategy(BuyOnce(299, 95.0), limits).exits(bars)
    assert exits["stop"].iloc[:299].isna().all()
    assert set(exits["stop"].iloc[299:]) == {95.0}


def test_without_a_stop_of_its_own_it_stands_by_atr(bars):
    """A rule that knows no stop gets the plan's multiple of the average true range."""
    rule = replace(BuyOnce(299, 0.0), stop=np.nan)
    near = SizedStrategy(rule, Limits(equity=1e5, require_edge=False, stop_atr=1.0, max_weight=1.0))
    far = SizedStrategy(rule, Limits(equity=1e5, require_edge=False, stop_atr=4.0, max_weight=1.0))
    assert 0 < far.exposure(bars).iloc[299] < near.exposure(bars).iloc[299] <= 1
    assert near.exits(bars)["stop"].iloc[299] > far.exits(bars)["stop"].iloc[299]


def test_what_cannot_be_sized_is_not_held(bars):
    """No measured edge, a stop below zero, prices that stand still: nothing is bought."""
    limits = Limits(equity=1e5, require_edge=False)
    assert SizedStrategy(BuyOnce(299, 95.0), replace(limits, require_edge=True)).exposure(bars).sum() == 0
    assert SizedStrategy(BuyOnce(299, -1.0), limits).exposure(bars).sum() == 0
    still = bars.frame.copy()
    still.iloc[:320, :4] = 100.0
    flat = replace(bars, frame=still)
    assert SizedStrategy(BuyOnce(299, 95.0), limits).exposure(flat).sum() == 0


def test_nothing_later_changes_a_size(bars):
    """Prices after a close do not change what was decided there."""
    rule = SizedStrategy(BuyOnce(299, 95.0), Limits(equity=1e5, require_edge=False))
    poisoned = bars.frame.copy()
    poisoned.iloc[310:, :4] *= 3.0
    assert rule.exposure(replace(bars, frame=poisoned)).equals(rule.exposure(bars))


def test_it_is_counted_like_any_strategy(bars):
    """What was tried can be written down: the rule and its limits are texts."""
    told = []
    rule = SizedStrategy(BuyOnce(299, 95.0), Limits(equity=1e5, require_edge=False))
    backtest(replace(bars, witness=told.append), rule, FREE, cash=1e5)
    parameters = told[0].parameters[0]
    assert parameters["rule"] == "BuyOnce(row=299, stop=95.0)"
    assert {type(value) for value in parameters.values()} == {str}
