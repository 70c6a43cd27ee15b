"""Sizes against Turtle, Carver and the definition; plans that are in order or say why there is none."""

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.errors import ConfigError, DataError
from tickerbook.research.indicators import atr
from tickerbook.research.level import Level
from tickerbook.research.levels import find_levels, level_facts
from tickerbook.research.sizing import plan_facts, size_position, trade_plan

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


# plans


@pytest.fixture
def bars(make_walk):
    """Three hundred sessions, the last close near 100 after a rescaling of the walk."""
    walk = make_walk(sessions=300, seed=3, drift=0.002)
    frame = walk.frame.copy()
    frame[["open", "high", "low", "close"]] *= 100 / frame["close"].iloc[-1]
    return replace(walk, frame=frame)


def level(bars, low, high, touches=5, method="swing low"):
    price = (low + high) / 2
    side = "support" if price <= bars.frame["close"].iloc[-1] else "resistance"
    return Level(price, low, high, side, method, bars.first, bars.session, touches)


def test_the_plan_buys_the_top_of_the_nearest_support(bars):
    """Entry at the zone's top, stop below its low by ATR, targets at the near edges above."""
    unit = atr(bars.frame).iloc[-1]
    levels = [level(bars, *zone) for zone in ((97, 98), (93, 94), (103, 104), (110, 111))]
    plan = trade_plan(bars, levels, equity=1e5, stop_atr=0.6)
    assert plan.zone == levels[0]
    assert plan.entry == 98
    assert plan.stop <= 97 - 0.6 * unit
    assert plan.stop == pytest.approx(97 - 0.6 * unit, abs=0.2 * unit)
    assert [target.price for target in plan.targets] == [103, 110]
    assert plan.targets[0].r_multiple == pytest.approx((103 - 98) / (98 - plan.stop))
    assert plan.reward_risk == plan.targets[0].r_multiple
    assert plan.size.shares > 0
    assert "waits for it to come back" in plan.context


def test_inside_the_zone_the_plan_buys_the_close(bars):
    """Where the price is already in the zone there is nothing to wait for."""
    plan = trade_plan(bars, [level(bars, 98, 101), level(bars, 104, 105)], equity=1e5)
    assert plan.entry == bars.frame["close"].iloc[-1]
    assert "inside" in plan.context


def test_untested_levels_do_not_count(bars):
    """Nearer levels to which the price never came back are passed over, unless asked for."""
    near = level(bars, 99, 99.5, touches=1)
    levels = [near, level(bars, 97, 98), level(bars, 100.6, 100.8, touches=1), level(bars, 104, 105)]
    plan = trade_plan(bars, levels, equity=1e5)
    assert (plan.entry, plan.targets[0].price) == (98, 104)
    assert trade_plan(bars, levels, equity=1e5, min_touches=0).zone == near


def test_overlapping_resistance_is_one_target(bars):
    """Zones that overlap are left at the lowest of them; at most three targets are named."""
    zones = [(103, 104), (103.5, 104.5), (104.2, 105), (106, 107), (108, 109), (110, 111)]
    plan = trade_plan(bars, [level(bars, 97, 98), *(level(bars, *z) for z in zones)], equity=1e5)
    assert [target.price for target in plan.targets] == [103, 104.2, 106]


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        ([], "no tested support"),
        ([(103, 104)], "no tested support"),
        ([(97, 98)], "no tested resistance"),
        ([(98, 101), (99.9, 100.3)], "no tested resistance"),
        ([(0.1, 3), (103, 104)], "at or below zero"),
    ],
)
def test_there_may_be_no_plan(bars, zones, told):
    """Without support, target or room for a stop the plan says so, and has no number."""
    plan = trade_plan(bars, [level(bars, *zone) for zone in zones], equity=1e5)
    assert plan.context.startswith("No plan: ")
    assert told in plan.context
    assert (plan.entry, plan.stop, plan.targets, plan.size, plan.checks) == (None, None, (), None, ())
    assert plan.reward_risk is None
    assert not plan.passed


@pytest.mark.parametrize("sessions", [1, 3, 14, 60])
def test_too_short_a_history_is_no_plan(make_walk, sessions):
    """Without an ATR or a volatility nothing can be sized."""
    bars = make_walk(sessions=sessions)
    plan = trade_plan(bars, [level(bars, 50, 60), level(bars, 190, 200)], equity=1e5)
    assert "risk cannot be measured" in plan.context


def test_prices_that_stand_still_have_no_plan(make_closes):
    """An ATR of zero is no risk measured."""
    bars = make_closes([100.0] * 300)
    plan = trade_plan(bars, [level(bars, 97, 98), level(bars, 103, 104)], equity=1e5)
    assert "stood still" in plan.context


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("equity", -1.0),
        ("risk_fraction", 2.0),
        ("stop_atr", 0.0),
        ("stop_atr", math.nan),
        ("min_reward_risk", -1.0),
        ("min_touches", -1),
        ("max_entry_atr", -0.1),
        ("max_volume_share", 0.0),
        ("trend_sessions", 0),
        ("volatility_sessions", 1),
        ("min_sessions", -1),
        ("lot", 0),
    ],
)
def test_limits_out_of_range_are_refused(bars, name, value):
    """A limit is checked even where no plan would use it."""
    with pytest.raises(ConfigError, match=f"{name} = "):
        trade_plan(bars, [], **{"equity": 1e5, name: value})


def passed(bars, **limits):
    """Check → passed, of a plan whose figures are easy to know."""
    levels = [level(bars, 97, 98), level(bars, 104, 105)]
    return {check.name: check.passed for check in trade_plan(bars, levels, **{"equity": 1e5} | limits).checks}


def test_every_check_can_pass(bars):
    """With easy limits the plan passes."""
    easy = {"min_reward_risk": 0.1, "trend_sessions": 100}
    assert all(passed(bars, **easy).values())
    assert trade_plan(bars, [level(bars, 97, 98), level(bars, 104, 105)], equity=1e5, **easy).passed


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("reward to risk", {"min_reward_risk": 50}),
        ("distance to the entry", {"max_entry_atr": 0.01}),
        ("share of a day's volume", {"equity": 1e12}),
        ("close against its trend", {"trend_sessions": 301}),
        ("history", {"min_sessions": 301}),
        ("size", {"equity": 10.0}),
    ],
)
def test_each_check_can_fail(bars, name, limits):
    """One hard limit fails its own check only, and the plan with it."""
    easy = {"min_reward_risk": 0.1, "trend_sessions": 100}
    assert [check for check, ok in passed(bars, **easy | limits).items() if not ok] == [name]


def test_a_close_below_its_mean_fails_the_trend(bars):
    """The same plan upside down in time is against the trend."""
    frame = bars.frame.iloc[::-1].set_index(bars.frame.index)
    frame[["open", "high", "low", "close"]] *= 100 / frame["close"].iloc[-1]
    assert not passed(replace(bars, frame=frame))["close against its trend"]


def test_an_unknown_volume_is_no_pass(bars):
    """Liquidity that cannot be computed is missing, and the check fails."""
    frame = bars.frame.copy()
    frame.loc[frame.index[-3], "volume"] = np.nan
    plan = trade_plan(replace(bars, frame=frame), [level(bars, 97, 98), level(bars, 104, 105)], equity=1e5)
    check = next(check for check in plan.checks if "volume" in check.name)
    assert (check.figure, check.passed) == (None, False)


@pytest.mark.parametrize("unit", [0.1, 0.5, 1.0])
def test_the_stop_is_never_at_a_round_number(make_walk, unit):
    """A stop that would fall on a round number, where everybody's is, goes below it."""
    walk = make_walk(sessions=300, seed=4)
    frame = walk.frame.copy()
    frame[["open", "high", "low", "close"]] *= 100 / frame["close"].iloc[-1]
    bars = replace(walk, frame=frame)
    low = 95.5 + unit * atr(frame).iloc[-1]  # so that the stop would be 95.50
    plan = trade_plan(bars, [level(bars, low, low + 1), level(bars, 120, 121)], equity=1e5, stop_atr=unit)
    assert 95 < plan.stop < 95.5
    assert abs(plan.stop * 2 - round(plan.stop * 2)) > 0.01


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.004, 0.3, 1, 40]), data=st.data())
def test_stop_is_below_entry_and_entry_below_every_target(make_walk, seed, scale, data):
    """Whatever the levels are: stop < entry < targets, ascending, and nothing else without a plan."""
    walk = make_walk(sessions=80, seed=seed)
    frame = walk.frame.copy()
    frame[["open", "high", "low", "close"]] *= scale
    bars = replace(walk, frame=frame)
    close = frame["close"].iloc[-1]
    zone = st.tuples(st.floats(0.5, 1.6), st.floats(0, 0.1))
    zones = data.draw(st.lists(zone, max_size=12))
    plan = trade_plan(
        bars, [level(bars, close * at, close * (at + width)) for at, width in zones], equity=1e6
    )
    if plan.entry is None:
        assert plan.context.startswith("No plan: ")
        return
    ladder = [plan.stop, plan.entry, *(target.price for target in plan.targets)]
    assert all(lower < upper for lower, upper in pairwise(ladder))
    assert 0 < plan.stop < plan.zone.low
    assert plan.entry <= close
    assert plan.size.shares >= 0
    step = 10 ** math.floor(math.log10(plan.stop)) / 20
    assert abs(plan.stop / step - round(plan.stop / step)) > 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_found_levels_make_plans_and_facts(make_walk, seed):
    """Levels as they are found give plans in order, and facts that stand beside those of the levels."""
    bars = make_walk(sessions=400, seed=seed)
    levels = find_levels(bars)
    plan = trade_plan(bars, levels, equity=1e5)
    facts = level_facts(levels, bars) | plan_facts(plan)
    assert facts.value("plan.entry") == plan.entry
    assert facts["plan.context"].value


def test_facts_are_the_plan(bars):
    """Each number of the plan is a fact, with its unit and its day."""
    plan = trade_plan(bars, [level(bars, 97, 98), level(bars, 104, 105)], equity=1e5)
    facts = plan_facts(plan)
    assert facts["plan.entry"].text == "$98.00"
    assert facts.value("plan.side") == "long"
    assert facts.value("plan.stop") == plan.stop
    assert facts.value("plan.shares") == plan.size.shares
    assert facts.value("plan.notional") == plan.size.notional
    assert facts.value("plan.money_at_risk") == plan.size.money_at_risk
    assert facts.value("plan.binding") == plan.size.binding
    assert facts.value("plan.equity") == 1e5
    assert facts.value("plan.risk_fraction") == 0.01
    assert facts["plan.passed"].value is plan.passed
    assert facts.value("target.1.price") == 104
    assert [row["shares"].value for row in facts.rows("size")] == [cap.shares for cap in plan.size.caps]
    assert [row["passed"].value for row in facts.rows("check")] == [check.passed for check in plan.checks]
    assert {fact.as_of for fact in facts.values()} == {bars.session}


def test_facts_without_a_plan_have_no_number_of_one(bars):
    """What was allowed is told, what would be bought is missing."""
    facts = plan_facts(trade_plan(bars, [], equity=1e5))
    told = {name for name, fact in facts.items() if fact.value is not None}
    assert told == {
        "plan.context",
        "plan.passed",
        "plan.equity",
        "plan.risk_fraction",
        "plan.volatility_target",
        "plan.max_weight",
        "plan.stop_atr",
        "plan.min_touches",
    }
    assert facts.value("plan.passed") is False
    assert not facts.rows("target") + facts.rows("size") + facts.rows("check")


def test_penny_prices_have_four_decimals(make_walk):
    """A share of forty cents is not shown as forty cents flat."""
    walk = make_walk(sessions=300)
    frame = walk.frame.copy()
    frame[["open", "high", "low", "close"]] *= 0.4 / frame["close"].iloc[-1]
    bars = replace(walk, frame=frame)
    facts = plan_facts(trade_plan(bars, [level(bars, 0.38, 0.39), level(bars, 0.43, 0.44)], equity=1e5))
    assert facts["plan.entry"].text == "$0.3900"
