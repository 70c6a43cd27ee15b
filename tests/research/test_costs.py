"""What trading costs: ranges, the square-root law, and both sides of every trade."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tickerbook.errors import ConfigError, DataError
from tickerbook.research.backtest import backtest
from tickerbook.research.costs import Costs, pressure
from tickerbook.research.simulation import simulate
from tickerbook.research.strategy import decide, strategy
from tickerbook.research.sweep import sweep
from tickerbook.research.tested import break_even_bps


def books(frame, said, costs, cash=1e6):
    """The books of one strategy."""
    return simulate(frame, np.asarray(said, dtype=np.float64)[:, None], costs, cash)


@pytest.mark.parametrize("factor", [-1.0, 11.0, math.nan])
def test_an_impossible_impact_is_refused(factor):
    """The factor of the square-root law is between 0 and 10."""
    with pytest.raises(ConfigError, match="is no factor"):
        Costs(5, 5, factor)


@pytest.mark.parametrize("bps", [-1.0, 1001.0, math.nan])
def test_an_impossible_spread_is_refused(bps):
    """Half a spread is between 0 and 1,000 basis points."""
    with pytest.raises(ConfigError, match=r"half_spread_bps = .* is no cost"):
        Costs(5, bps)


def test_impact_is_the_square_root_law(make_walk):
    """The first fill is worse than the open by impact · σ · √(Q / ADV) of the 20 sessions before it."""
    frame = make_walk(sessions=60).frame
    said = np.r_[np.zeros(40), np.ones(20)]
    trade = books(frame, said, Costs(0, 0, 1.0)).trades().iloc[0]
    sigma = frame["close"].pct_change().iloc[20:41].tail(20).std()
    volume = frame["volume"].iloc[21:41].mean()
    shares = books(frame, said, Costs(0, 0, 0.0)).trades()["shares"].iloc[0]
    assert trade["entry"] / frame["open"].iloc[41] - 1 == pytest.approx(
        sigma * np.sqrt(shares / volume), rel=2e-3
    )


def test_selling_has_impact_too(make_walk):
    """A sale is filled below the open, by the same law."""
    frame = make_walk(sessions=60).frame
    said = np.r_[np.zeros(40), np.ones(5), np.zeros(15)]
    trade = books(frame, said, Costs(0, 0, 1.0)).trades().iloc[0]
    assert trade["exit"] < frame["open"].iloc[46]


def test_a_larger_account_pays_more(make_walk):
    """Ten thousand times the money is a hundred times the impact."""
    frame = make_walk(sessions=60).frame
    said = np.r_[np.zeros(40), np.ones(20)]
    small, large = (
        books(frame, said, Costs(0, 0, 0.1), cash).trades()["entry"].iloc[0] / frame["open"].iloc[41] - 1
        for cash in (1e4, 1e8)
    )
    assert large / small == pytest.approx(100, rel=0.05)


def test_without_a_factor_there_is_no_impact(make_walk):
    """The half spread alone."""
    frame = make_walk(sessions=60).frame
    trade = books(frame, np.ones(60), Costs(0, 50, 0.0)).trades().iloc[0]
    assert trade["entry"] == pytest.approx(frame["open"].iloc[1] * 1.005)


def test_pressure_uses_earlier_sessions_only(make_walk):
    """What an order meets is measured before it."""
    frame = make_walk(sessions=80).frame
    changed = frame.copy()
    changed.iloc[50:] *= 3
    np.testing.assert_array_equal(pressure(frame)[:51], pressure(changed)[:51])
    assert pressure(frame)[51] != pressure(changed)[51]


@pytest.mark.parametrize("volume", [0.0, math.nan])
def test_unknown_volume_is_said(volume, make_walk):
    """Where nothing was traded, or nobody knows, the impact of an order is no number."""
    frame = make_walk(sessions=60).frame.assign(volume=volume)
    with pytest.raises(DataError, match=r"impact of an order on .* is unknown"):
        books(frame, np.ones(60), Costs(5, 5, 1.0))
    assert books(frame, np.ones(60), Costs(5, 5, 0.0)).equity[-1, 0] > 0


def test_the_past_of_impact_does_not_change(make_walk):
    """Books that end earlier have the beginning of the same equity, impact included."""
    frame = make_walk(sessions=300).frame
    said = np.sign(np.sin(np.arange(300) / 7)) * (np.arange(300) > 20)
    whole, part = books(frame, said, Costs(5, 5, 2.0)), books(frame.iloc[:170], said[:170], Costs(5, 5, 2.0))
    np.testing.assert_array_equal(whole.equity[:170], part.equity)


class TestBreakEven:
    def test_is_where_the_gain_is_gone(self, make_walk):
        """At that cost the equity is one; a little less leaves something."""
        bars = make_walk(sessions=600, seed=4, drift=0.001)
        rule = strategy("ma_cross", fast=5, slow=20)
        decisions = decide([rule], bars)
        bps = break_even_bps(bars, decisions, 20, 1e6)
        assert 0 < bps < 1000
        at, below = (
            simulate(bars.frame.iloc[20:], decisions.exposures[20:], Costs(bps * by, 0), 1e6).equity[-1, 0]
            for by in (1.0, 0.9)
        )
        assert at == pytest.approx(1, abs=1e-3)
        assert below > 1

    def test_nothing_gained_is_zero(self, make_closes):
        """Where nothing is gained without costs, none can be paid."""
        bars = make_closes(np.linspace(100, 50, 60))
        assert break_even_bps(bars, decide([strategy("buy_and_hold")], bars), 0, 1e6) == 0

    def test_the_scale_ends(self, make_closes):
        """A gain that survives a tenth of every fill is not asked further."""
        bars = make_closes(np.linspace(50, 5000, 60))
        assert break_even_bps(bars, decide([strategy("buy_and_hold")], bars), 0, 1e6) == 1000


def test_a_sweep_charges_what_a_backtest_charges(make_walk):
    """Impact included."""
    bars = make_walk(sessions=400)
    rule = strategy("ma_cross", fast=5, slow=30)
    swept = sweep(bars, [rule, replace(rule, fast=9)], Costs(5, 5, 1.0))
    assert swept.total_return[0] == pytest.approx(backtest(bars, rule, Costs(5, 5, 1.0)).metrics.total_return)
