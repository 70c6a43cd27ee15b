"""What counts as a touch, a bounce and a break."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.research.race import HORIZON, LONGEST, WINDOW, Paths, follow

FAR = 110.0  # where prices stand that touch nothing


def paths(*bars):
    """A frozen bar at 110, the bars given as open, high, low, close, and quiet bars at the last close."""
    rows = [(FAR, FAR, FAR, FAR), *bars]
    rows += [(rows[-1][3],) * 4] * (1 + WINDOW - len(bars))
    return Paths(*(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


def support(*bars, edge=100.0, unit=2.0):
    """Lag and outcome of a support whose near side is at `edge`: True, False, or None if undecided."""
    out = follow(paths(*bars), np.array([0]), np.array([edge]), np.array([unit]), np.array([True]))
    return int(out.lag[0]), bool(out.bounced[0]) if out.decided[0] else None


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ([(110, 110, 101, 105)], (0, None)),  # comes near and turns: no touch
        ([(110, 110, 100, 101), (101, 103, 101, 103)], (1, True)),  # meets the edge and turns
        ([(110, 110, 99, 101), (101, 101, 97, 98)], (1, False)),
        (
            [(110, 110, 105, 105), (105, 105, 100, 103)],
            (2, True),
        ),  # closes 1 ATR above on the touch's own bar
        ([(110, 110, 97, 105)], (1, False)),  # reaches 1 ATR below on that bar, and the close comes later
        ([(90, 91, 89, 90)], (1, False)),  # opens below everything
        ([(110, 110, 100, 101), (101, 103, 97, 101)], (1, False)),  # both on one bar: the worse
        ([(110, 110, 100, 101), (102.5, 103, 97, 98)], (1, True)),  # the open tells
        ([(110, 110, 100, 101)], (1, None)),  # neither, to the end
    ],
)
def test_outcomes_of_a_support(bars, expected):
    """Edge at 100, one ATR is 2."""
    assert support(*bars) == expected


def test_the_high_of_the_touchs_bar_may_have_come_before_it():
    """From 110 down to 100: that the bar's high is far above proves no bounce."""
    assert support((110, 110, 100, 100.5), (100.5, 100.5, 98, 98)) == (1, False)


def test_a_price_that_turns_within_the_zone_has_touched_it():
    """A touch is no cross: the level's own price need not be reached."""
    assert support((110, 110, 99.9, 100.2), (100.2, 104, 100.2, 104))[1] is True


def test_a_touch_after_the_horizon_does_not_count():
    """On its last session it does."""
    quiet = [(FAR,) * 4] * (HORIZON - 1)
    assert support(*quiet, (FAR, FAR, 100, 103)) == (HORIZON, True)
    assert support(*quiet, (FAR,) * 4, (FAR, FAR, 100, 103)) == (0, None)


def test_a_race_ends_with_its_last_session():
    """One decided a session later stays undecided."""
    still = [(101,) * 4] * (LONGEST - 2)
    assert support((110, 110, 100, 101), *still, (101, 103, 101, 103)) == (1, True)
    assert support((110, 110, 100, 101), *still, (101,) * 4, (101, 103, 101, 103)) == (1, None)


@given(seed=st.integers(0, 10_000), distance=st.floats(0.1, 4.0))
def test_resistance_is_support_upside_down(seed, distance):
    """Mirrored prices and edges give the same outcomes."""
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.normal(0, 0.3, (WINDOW + 2, 8)).ravel()).reshape(-1, 8)
    up = Paths(path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1])
    edge = up.closes[0] - distance
    rows, unit = np.array([0]), np.array([1.0])
    below = follow(up, rows, np.array([edge]), unit, np.array([True]))
    above = follow(up.mirrored(), rows, np.array([-edge]), unit, np.array([False]))
    assert (below.lag, below.bounced, below.decided) == (above.lag, above.bounced, above.decided)


def test_nothing_after_the_window_matters():
    """Bars beyond the last one needed may be anything."""
    rng = np.random.default_rng(1)
    path = 100 + np.cumsum(rng.normal(0, 0.3, ((WINDOW + 30), 8)).ravel()).reshape(-1, 8)
    whole = [path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]]
    edges = path[0, -1] - np.linspace(0.1, 3, 20)
    given_ = (np.zeros(20, dtype=int), edges, np.ones(20), np.ones(20, dtype=bool))
    cut = follow(Paths(*(column[: WINDOW + 1] for column in whole)), *given_)
    for column in whole:
        column[WINDOW + 1 :] = -1e9
    poisoned = follow(Paths(*whole), *given_)
    assert cut.lag.tolist() == poisoned.lag.tolist()
    assert cut.bounced.tolist() == poisoned.bounced.tolist()
