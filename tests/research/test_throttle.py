"""The drawdown throttle: shrinks, stops, and begins again only after a recovery."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import ConfigError
from tickerbook.research.sizing import Account, Throttle

THROTTLE = Throttle(limit=0.2, rearm=0.1)


def follow(values):
    """What is left of sizes as an account goes through values, the first of which is its peak."""
    account = Account(values[0], values[0], values[0])
    left = [THROTTLE.share(account)]
    for value in values[1:]:
        account = THROTTLE.after(account, value)
        left.append(THROTTLE.share(account))
    return left


def test_sizes_shrink_with_the_drawdown():
    """Half of the limit leaves half."""
    assert follow([100, 95, 90, 85]) == pytest.approx([1, 0.75, 0.5, 0.25])


def test_beyond_the_limit_nothing_is_left_until_it_rearms():
    """81 is above the limit again and still nothing; 90 begins again, and then 85 is a quarter."""
    assert follow([100, 80, 81, 89.9, 90, 85]) == pytest.approx([1, 0, 0, 0, 0.5, 0.25])


def test_without_hysteresis_it_would_flap():
    """An account that swings about the limit stays out."""
    assert follow([100, *[79.9, 80.1] * 20])[1:] == [0] * 40


def test_a_new_peak_forgets_the_past():
    """After a full recovery, sizes are whole."""
    assert follow([100, 70, 101, 101])[2:] == [1, 1]


def test_an_account_is_told_as_it_stands():
    """Equity, peak and trough suffice: it fell to 75, and is back at 85 of 100."""
    assert THROTTLE.share(Account(85, 100, 75)) == 0
    assert THROTTLE.share(Account(85, 100, 85)) == pytest.approx(0.25)


@given(st.lists(st.floats(1, 1000), min_size=2, max_size=60))
def test_what_is_left_is_a_share_and_never_grows_as_the_account_falls(values):
    """Always 0 to 1; a session that loses never leaves more than the one before."""
    left = follow(values)
    assert all(0 <= share <= 1 for share in left)
    for before, now, was, share in zip(values, values[1:], left, left[1:], strict=False):
        assert now > before or share <= was + 1e-12


@pytest.mark.parametrize(
    "values", [(0, 1, 1), (-1, 1, -1), (math.nan, 1, 1), (2, 1, 1), (1, 1, 2), (1, math.inf, 1)]
)
def test_what_is_no_account_is_refused(values):
    """Zero or negative equity, a peak below it, a trough above it."""
    with pytest.raises(ConfigError):
        Account(*map(float, values))


@pytest.mark.parametrize(
    ("limit", "rearm"), [(0, 0), (1, 0.5), (0.2, 0.2), (0.2, -0.1), (math.nan, 0.1), (0.2, math.nan)]
)
def test_what_is_no_throttle_is_refused(limit, rearm):
    """It must begin again below where it stops."""
    with pytest.raises(ConfigError):
        Throttle(limit, rearm)
