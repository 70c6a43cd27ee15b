"""Made-up bars, levels and a plan to draw."""

import pytest
from display_data import level, walk

from tickerbook.facts import Fact, Facts


@pytest.fixture
def bars():
    """A year of sessions."""
    return walk(250)


@pytest.fixture
def levels(bars):
    """A dozen levels around the close."""
    close = float(bars.frame["close"].iloc[-1])
    return tuple(
        level(close * (1 + share / 100), close) for share in (12, 9, 7, 5, 3, 1, -1, -3, -5, -7, -9, -12)
    )


@pytest.fixture
def plan(bars):
    """A plan with two targets."""
    close = float(bars.frame["close"].iloc[-1])
    prices = {
        "plan.entry": close,
        "plan.stop": close * 0.96,
        "target.1.price": close * 1.04,
        "target.2.price": close * 1.1,
    }
    return Facts(Fact(name, price, name, "USD") for name, price in prices.items())
