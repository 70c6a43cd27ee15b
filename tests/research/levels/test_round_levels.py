"""Round numbers, scaled to the price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.research.levels import find_levels
from tickerbook.research.levels.round_numbers import round_step


@pytest.mark.parametrize(
    ("price", "step"),
    [
        (431.0, 20),
        (60.0, 5),
        (100.0, 10),
        (99.99, 5),
        (12.0, 1),
        (0.35, 0.02),
        (0.2, 0.02),
        (1e-5, 1e-6),
        (5e5, 5e4),
    ],
)
def test_step_is_the_largest_round_one_up_to_a_tenth_of_the_price(price, step):
    """1, 2 or 5 times a power of ten."""
    assert round_step(price)[0] == pytest.approx(step, rel=1e-12)


@given(cents=st.integers(2, 10**9), power=st.integers(-2, 6))
def test_step_follows_the_decimal_system(cents, power):
    """Ten times the price has ten times the step, which lies between a twenty-fifth and a tenth of the price."""
    price = cents / 100
    step = round_step(price)[0]
    assert round_step(price * 10.0**power)[0] == pytest.approx(step * 10.0**power)
    assert price / 25 * (1 - 1e-6) <= step <= price / 10 * (1 + 1e-6)


@pytest.mark.parametrize(
    ("close", "prices"),
    [
        (431.0, [400, 420, 440, 460]),
        (60.0, [55, 60, 65, 70]),
        (0.7, [0.65, 0.7, 0.75, 0.8]),
        (99.99, [90, 95, 100, 105]),
    ],
)
def test_two_numbers_at_or_below_the_close_and_two_above(make_bars, close, prices):
    """Written without rounding noise; always there, chosen at the last close."""
    closes = [close] * 20
    bars = make_bars(closes, high=[close * 1.001] * 20, low=[close * 0.999] * 20)
    levels = [level for level in find_levels(bars, per_side=None) if level.method == "round number"]
    assert sorted(level.price for level in levels) == prices
    assert {(level.formed, level.known) for level in levels} == {(bars.first, bars.session)}


def test_a_close_below_zero_has_no_round_number(make_bars):
    """There is no tenth of it to scale by."""
    bars = make_bars([float(price) for price in range(10, -20, -1)])
    assert "round number" not in {level.method for level in find_levels(bars, per_side=None)}
