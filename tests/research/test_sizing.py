"""Sizes against Turtle, Carver and the definition; the smallest limit binds and nothing breaks one."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import ConfigError, DataError
from tickerbook.research.desk import price_volatility
from tickerbook.research.sizing import size_position

CASES = json.loads((Path(__file__).parents[1] / "answers" / "sizing.json").read_text())["cases"]
ANSWERS = {case["id"]: case for case in CASES}
USUAL = {"entry": 50.0, "stop": 48.0, "equity": 100_000.0, "risk_fraction": 0.01}
CALM = {"volatility": 0.2, "volatility_target": 0.2, "max_weight": 1.0}

prices = st.floats(0.5, 5000)
fractions = st.floats(0.001, 1.0)


def allowed(size):
    return {cap.method: cap.shares for cap in size.caps}


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["method"] == "fixed_fractional"], ids=lambda c: c["id"]
)
def test_fixed_fractional_agrees_with_the_definition(case):
    """What may be lost, divided by what a share loses, rounded down."""
    given_ = case["inputs"]
    size = size_position(
        **CALM | {k: given_[k] for k in ("equity", "entry", "stop")}, risk_fraction=given_["risk"]
    )
    assert allowed(size)["fixed fractional"] == case["expected"]["qty"]


def test_one_atr_to_the_stop_is_a_turtle_unit():
    """Sixteen contracts of heating oil, as the Turtles' rules print it: truncated, never rounded."""
    case = ANSWERS["turtle_unit_1000000"]
    unit = case["inputs"]["N"] * case["inputs"]["dollars_per_point"]
    size = size_position(
        **CALM | {"volatility_target": 9}, entry=3e4, stop=3e4 - unit, equity=1e6, risk_fraction=0.01
    )
    assert allowed(size)["fixed fractional"] == case["expected"]["contracts"] == 16


def test_volatility_target_agrees_with_carver():
    """Crude oil for a target of a million pounds a year: 93.52 blocks, of which 93 are whole."""
    case = ANSWERS["carver_crude"]
    inputs = case["inputs"]
    block = inputs["price"] * inputs["barrels"] * inputs["fx_usdgbp"]
    yearly = inputs["price_vol_pct"] / 100 * 256**0.5  # his year has 256 sessions
    size = size_position(
        entry=block,
        stop=block / 2,
        equity=1e7,
        risk_fraction=1,
        volatility=yearly,
        volatility_target=inputs["annual_cash_vol_target"] / 1e7,
    )
    assert allowed(size)["volatility target"] == math.floor(case["expected"]["vol_scalar"]) == 93


def test_volatility_target_is_a_weight():
    """Half the volatility that the price has is half the equity."""
    case = ANSWERS["vol_target_simple"]
    size = size_position(
        **USUAL | {"entry": 100.0, "risk_fraction": 1},
        volatility=case["inputs"]["realised_vol"],
        volatility_target=case["inputs"]["target_vol"],
    )
    assert allowed(size)["volatility target"] * 100 / 100_000 == case["expected"]["weight"]


@pytest.mark.parametrize(
    ("changed", "binding", "shares"),
    [
        ({}, "fixed fractional", 500),
        ({"volatility_target": 0.02}, "volatility target", 200),
        ({"max_weight": 0.1}, "maximum weight", 200),
        ({"capital": 7_530.0}, "capital", 150),
        ({"capital": 0.0}, "capital", 0),
        ({"lot": 150}, "fixed fractional", 450),
        ({"kelly": 0.004}, "Kelly", 200),
        ({"kelly": 0.0}, "Kelly", 0),
        ({"heat_left": 0.005}, "portfolio heat", 250),
        ({"heat_left": -0.02}, "portfolio heat", 0),
        ({"cluster_left": 0.001}, "correlated risk", 50),
        ({"volume": 10_000.0}, "liquidity", 100),
        ({"volume": 0.0}, "liquidity", 0),
        ({"throttle": 0.5}, "drawdown throttle", 250),
        ({"conviction": 0.25}, "conviction", 125),
        ({"throttle": 0.5, "conviction": 0.5}, "conviction", 125),
        ({"throttle": 1.0, "conviction": 1.0}, "fixed fractional", 500),
        ({"risk_fraction": 1, "max_weight": 1, "volatility_target": 9}, "maximum weight", 2000),
    ],
)
def test_the_smallest_limit_binds(changed, binding, shares):
    """The size is the least of what the limits allow, in whole lots, and the limit is named."""
    size = size_position(**USUAL | CALM | changed)
    assert (size.binding, size.shares) == (binding, shares)
    assert sum(cap.binds for cap in size.caps) == 1
    assert size.notional == shares * 50
    assert size.money_at_risk == shares * 2


def test_rounding_errors_do_not_cost_a_share():
    """A thousand at risk over twenty cents, which divides to 4999.999…, is five thousand shares."""
    size = size_position(**USUAL | CALM | {"entry": 10.3, "stop": 10.1})
    assert allowed(size)["fixed fractional"] == 5000


def test_a_short_position_stops_above():
    """The same distance on the other side is the same size."""
    assert size_position(**USUAL | CALM | {"stop": 52.0}, side="short").shares == 500


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"stop": 50.0}, "stop at 50 is not below"),
        ({"stop": 51.0}, "stop at 51 is not below"),
        ({"stop": 49.0, "side": "short"}, "not above"),
        ({"stop": 0.0}, "stop = 0.0 is no price"),
        ({"entry": math.nan}, "entry = nan"),
        ({"entry": math.inf}, "entry = inf"),
        ({"stop": math.nan}, "stop = nan"),
        ({"equity": -1.0}, "equity = -1.0"),
        ({"equity": 0.0}, "equity = 0.0"),
        ({"equity": math.nan}, "equity = nan"),
        ({"risk_fraction": 0.0}, "risk_fraction = 0.0"),
        ({"risk_fraction": 1.01}, "risk_fraction = 1.01"),
        ({"risk_fraction": math.nan}, "risk_fraction = nan"),
        ({"volatility_target": 0.0}, "volatility_target = 0.0"),
        ({"max_weight": 1.5}, "max_weight = 1.5"),
        ({"capital": -1.0}, "capital = -1.0"),
        ({"lot": 0}, "lot = 0"),
        ({"side": "both"}, "side = 'both'"),
        ({"kelly": -0.1}, "kelly = -0.1"),
        ({"kelly": math.nan}, "kelly = nan"),
        ({"heat_left": math.nan}, "heat_left = nan"),
        ({"cluster_left": math.inf}, "cluster_left = inf"),
        ({"volume": math.nan}, "volume = nan"),
        ({"max_volume_share": 0.0}, "max_volume_share = 0.0"),
        ({"throttle": 1.1}, "throttle = 1.1"),
        ({"conviction": math.nan}, "conviction = nan"),
    ],
)
def test_what_cannot_be_sized_is_refused(changed, told):
    """A value outside its range is an error that names it, never a size."""
    with pytest.raises(ConfigError, match=told):
        size_position(**USUAL | CALM | changed)


@pytest.mark.parametrize("volatility", [0.0, math.nan, math.inf, -0.1])
def test_prices_that_stand_still_are_not_sized(volatility):
    """No volatility is no measure of risk, rather than no risk."""
    with pytest.raises(DataError, match="sizes no position"):
        size_position(**USUAL | CALM | {"volatility": volatility})


@st.composite
def positions(draw):
    """Arguments of a long position that can be sized."""
    entry = draw(prices)
    return {
        "entry": entry,
        "stop": entry * draw(st.floats(0.01, 0.999)),
        "equity": draw(st.floats(1, 1e9)),
        "risk_fraction": draw(fractions),
        "volatility": draw(st.floats(0.01, 3)),
        "volatility_target": draw(fractions),
        "max_weight": draw(fractions),
        "lot": draw(st.sampled_from([1, 1, 10, 100])),
        "kelly": draw(st.none() | st.floats(0, 1)),
        "heat_left": draw(st.none() | st.floats(-0.1, 0.2)),
        "cluster_left": draw(st.none() | st.floats(-0.1, 0.2)),
        "volume": draw(st.none() | st.floats(0, 1e8)),
        "throttle": draw(st.none() | st.floats(0, 1)),
        "conviction": draw(st.none() | st.floats(0, 1)),
    }


@given(positions())
def test_size_is_never_negative_and_never_above_a_cap(position):
    """Nothing that is bought breaks a limit, and it comes in whole lots."""
    size = size_position(**position)
    assert size.shares >= 0
    assert size.shares % position["lot"] == 0
    assert all(size.shares <= cap.shares for cap in size.caps)
    room = 1 + 1e-9
    assert size.money_at_risk <= position["equity"] * position["risk_fraction"] * room
    assert size.notional <= position["equity"] * position["max_weight"] * room
    swing = size.notional * position["volatility"]
    assert swing <= position["equity"] * position["volatility_target"] * room
    for name in ("kelly", "heat_left", "cluster_left"):
        if position[name] is not None:
            assert size.money_at_risk <= max(position[name], 0) * position["equity"] * room
    if position["volume"] is not None:
        assert size.shares <= position["volume"] * 0.01 * room


@given(
    positions(), st.sampled_from(["kelly", "heat_left", "cluster_left", "volume", "throttle", "conviction"])
)
def test_no_limit_lets_a_size_grow(position, name):
    """Each limit, and each of its values, can only reduce what is bought without it."""
    without = size_position(**position | {name: None}).shares
    assert size_position(**position).shares <= without


@given(positions(), st.floats(0, 1))
def test_conviction_and_throttle_reduce_in_proportion(position, share):
    """Half of either is half of the size, but for whole lots."""
    whole = size_position(**position | {"throttle": None, "conviction": None}).shares
    for name in ("throttle", "conviction"):
        some = size_position(**position | {"throttle": None, "conviction": None, name: share}).shares
        assert some <= share * (whole + position["lot"]) + 1e-6


@given(positions(), st.floats(0.01, 0.99))
def test_a_farther_stop_is_never_a_larger_position(position, nearer):
    """Size falls, or stays, as the stop moves away."""
    near = position["stop"] + (position["entry"] - position["stop"]) * nearer
    assert size_position(**position).shares <= size_position(**position | {"stop": near}).shares


@given(positions(), st.sampled_from([0.01, 0.1, 0.7, 3, 10, 157.3]))
def test_size_does_not_depend_on_the_currency(position, rate):
    """Prices and equity in another currency are the same number of shares."""
    other = position | {name: position[name] * rate for name in ("entry", "stop", "equity")}
    assert size_position(**other).shares == size_position(**position).shares


@given(positions(), st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_wider_gap_never_loses_less(position, gap, more):
    """A gap through the stop loses what the stop does, and more; never more than the position."""
    size = size_position(**position)
    near, far = size.gap_loss(gap), size.gap_loss(gap + more)
    assert size.money_at_risk <= near * (1 + 1e-9)
    assert near <= far * (1 + 1e-9)
    assert far <= size.notional * (1 + 1e-9)


def test_a_gap_above_the_stop_of_a_short_position_loses():
    """Without a ceiling: the price may open anywhere above."""
    size = size_position(**USUAL | CALM | {"stop": 52.0}, side="short")
    assert size.gap_fill(10) == 62
    assert size.gap_loss(10) == 500 * 12


def test_a_year_is_the_exchange_s(make_walk):
    """The same moves a session are more a year, and fewer shares, where no session is missed."""
    days = make_walk()
    always = replace(days, calendar="24/7")
    usual, never = (price_volatility(bars, 60) for bars in (days, always))
    assert never / usual == pytest.approx((365 / 252) ** 0.5)


def test_prices_as_traded_are_not_sized(make_walk):
    """A split among them would be a volatility that nobody bore."""
    with pytest.raises(DataError, match="as traded"):
        price_volatility(replace(make_walk(), adjustment="none"), 60)
