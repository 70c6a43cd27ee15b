"""Stops and targets inside a bar: what is sure, and what is read pessimistically or kindly."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.research.costs import Costs
from tickerbook.research.resting import Exits, fill
from tickerbook.research.simulation import simulate

FREE = Costs(0, 0)
NONE = float("nan")


def one(bar, stop, target, *, side=1.0, optimistic=False):
    """Where a position ends in a single bar of open, high and low; None where it does not."""
    prices = {
        name: np.array([[value]], dtype=float)
        for name, value in zip(("open", "high", "low"), bar, strict=True)
    }
    exits = Exits(np.array([[stop]], dtype=float), np.array([[target]], dtype=float))
    done = fill(prices, np.array([[side]]), exits, optimistic=optimistic)
    return done.price.item() if done.out.item() else None


@pytest.mark.parametrize(
    ("bar", "side", "stop", "target", "pessimistic", "optimistic"),
    [
        ((100, 105, 95), 1, 90, 110, None, None),  # neither
        ((100, 105, 90), 1, 90, 110, 90, 90),  # touching the stop is enough
        ((100, 110, 95), 1, 90, 110, None, None),  # touching the target is not
        ((100, 111, 95), 1, 90, 110, 110, 110),
        ((100, 111, 89), 1, 90, 110, 90, 110),  # both: the doubtful bar
        ((88, 111, 85), 1, 90, 110, 88, 88),  # opens beyond the stop: sure
        ((112, 113, 85), 1, 90, 110, 112, 112),  # opens beyond the target: sure
        ((100, 105, 80), 1, NONE, 110, None, None),
        ((100, 120, 95), 1, 90, NONE, None, None),
        ((100, 105, 95), -1, 110, 90, None, None),
        ((100, 110, 95), -1, 110, 90, 110, 110),
        ((100, 105, 89), -1, 110, 90, 90, 90),
        ((100, 111, 89), -1, 110, 90, 110, 90),
        ((112, 113, 85), -1, 110, 90, 112, 112),
        ((88, 111, 85), -1, 110, 90, 88, 88),
        ((100, 111, 89), 0, 90, 110, None, None),  # nothing is held
    ],
)
def test_where_a_position_ends(bar, side, stop, target, pessimistic, optimistic):
    """Each bar by hand."""
    assert one(bar, stop, target, side=float(side)) == pessimistic
    assert one(bar, stop, target, side=float(side), optimistic=True) == optimistic


@settings(max_examples=60, deadline=None)
@given(
    moves=st.lists(st.floats(-0.08, 0.08), min_size=30, max_size=30),
    said=st.lists(st.sampled_from([0.0, 1.0, 0.5, -1.0]), min_size=30, max_size=30),
    width=st.floats(0.005, 0.1),
)
def test_the_kind_reading_is_never_worse(moves, said, width):
    """Whatever happens in the bars, pessimistic equity is at most the optimistic one without costs."""
    close = 100 * np.cumprod(1 + np.array(moves))
    frame = frame_of(close, spread=0.06)
    exposures = np.array(said)[:, None]
    side = np.where(exposures < 0, -1, 1)
    exits = Exits(close[:, None] * (1 - side * width), close[:, None] * (1 + side * width))
    low, high = (
        simulate(frame, exposures, FREE, 1e9, exits, optimistic=kind).equity[-1, 0] for kind in (False, True)
    )
    assert low <= high + 1e-6


def frame_of(close, spread=0.0, opened=None):
    """Bars around closes, each opening at the close before."""
    start = np.r_[close[0], close[:-1]] if opened is None else np.asarray(opened, dtype=float)
    top, bottom = np.maximum(start, close) * (1 + spread), np.minimum(start, close) * (1 - spread)
    index = pd.bdate_range("2020-01-01", periods=len(close), name="session")
    return pd.DataFrame(
        {"open": start, "high": top, "low": bottom, "close": close, "volume": 1e6}, index=index
    )


def exits_of(n, stop=NONE, target=NONE):
    return Exits(np.full((n, 1), float(stop)), np.full((n, 1), float(target)))


def test_after_a_stop_nothing_is_held_until_something_else_is_decided():
    """The strategy goes on saying one; the position stays closed until it has said zero and one again."""
    close = np.array([100, 100, 90, 100, 100, 100, 100, 100.0])
    said = np.array([1, 1, 1, 1, 0, 1, 1, 1.0])[:, None]
    trades = simulate(frame_of(close), said, FREE, 1e4, exits_of(8, stop=95)).trades()
    days = frame_of(close).index
    assert trades["entered"].to_list() == [days[1], days[6]]
    assert trades["exited"].iloc[0] == days[2]
    assert trades["exit"].iloc[0] == 95


def test_a_stop_works_on_the_day_of_the_entry():
    """Bought at the open, stopped in the same bar."""
    frame = frame_of(np.array([100, 90, 90.0]), opened=[100, 100, 90])
    trades = simulate(frame, np.ones((3, 1)), FREE, 1e4, exits_of(3, stop=95)).trades()
    assert trades[["entry", "exit"]].iloc[0].to_list() == [100, 95]
    assert trades["entered"].iloc[0] == trades["exited"].iloc[0]


def test_a_stop_in_force_is_the_one_decided_the_evening_before():
    """A stop decided at a close does nothing to the bar of that close."""
    frame = frame_of(np.array([100, 100, 90, 91, 92.0]))
    stops = Exits(np.array([[NONE], [NONE], [95.0], [NONE], [NONE]]), np.full((5, 1), NONE))
    trades = simulate(frame, np.ones((5, 1)), FREE, 1e4, stops).trades()
    assert trades["exited"].iloc[0] == frame.index[3]
    assert trades["exit"].iloc[0] == 90  # that bar opens below it


def test_a_stop_pays_costs():
    """Commission and spread also where a stop ends it."""
    frame = frame_of(np.array([100, 100, 90, 90.0]))
    trades = simulate(frame, np.ones((4, 1)), Costs(0, 100), 1e4, exits_of(4, stop=95)).trades()
    assert trades["exit"].iloc[0] == pytest.approx(95 * 0.99)


def test_columns_do_not_mix():
    """Strategies with and without stops in one call are what they are alone."""
    close = 100 * np.cumprod(1 + np.sin(np.arange(50)) / 30)
    frame = frame_of(close, spread=0.01)
    said = np.column_stack([np.ones(50), np.sign(np.cos(np.arange(50) / 5)), np.zeros(50)])
    exits = Exits(np.column_stack([close * 0.97, np.full(50, NONE), close]), np.full((50, 3), NONE))
    together = simulate(frame, said, Costs(5, 5), 1e5, exits).equity
    for n in range(3):
        alone = simulate(
            frame, said[:, [n]], Costs(5, 5), 1e5, Exits(exits.stop[:, [n]], exits.target[:, [n]])
        )
        np.testing.assert_array_equal(together[:, n], alone.equity[:, 0])
