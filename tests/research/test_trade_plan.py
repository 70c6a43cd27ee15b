"""Plans that are in order, or say why there is none; the same plans as facts."""

import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.errors import ConfigError
from tickerbook.research.indicators import atr
from tickerbook.research.level import Level, Odds
from tickerbook.research.levels import find_levels, level_facts
from tickerbook.research.plan import stop_below
from tickerbook.research.sizing import Desk, Evidence, plan_facts, trade_plan

PROVEN = Odds(0.62, 0.58, 0.66, 4000, 0.5, 0.12, 0.08, 0.16, sufficient=True)
DESK = Desk(evidence=Evidence(dsr=0.99, agreement=1.0))


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
    return Level(
        price, low, high, side, method, bars.first, bars.session, touches, "swings", "swings", odds=PROVEN
    )


def test_the_plan_buys_the_top_of_the_nearest_support(bars):
    """Entry at the zone's top, stop below its low by ATR, targets at the near edges above."""
    unit = atr(bars.frame).iloc[-1]
    levels = [level(bars, *zone) for zone in ((97, 98), (93, 94), (103, 104), (110, 111))]
    plan = trade_plan(bars, levels, desk=DESK, equity=1e5, stop_atr=0.6)
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
        ("min_target_atr", -1.0),
        ("min_target_atr", math.nan),
        ("max_heat", 0.0),
        ("max_cluster_heat", 1.1),
        ("max_drawdown", 1.0),
        ("rearm_drawdown", 0.3),
        ("peak", {"equity_peak": 9e4}),
        ("trough", {"equity_trough": 2e5}),
        ("kelly_fraction", 1.5),
        ("spread_bps", -1.0),
        ("correlation_sessions", 5),
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
        trade_plan(bars, [], **{"equity": 1e5} | (value if isinstance(value, dict) else {name: value}))


def passed(bars, desk=DESK, **limits):
    """Check → passed, of a plan whose figures are easy to know."""
    levels = [level(bars, 97, 98), level(bars, 104, 105)]
    plan = trade_plan(bars, levels, desk=desk, **{"equity": 1e5} | limits)
    return {check.name: check.passed for check in plan.checks}


EASY = {"min_reward_risk": 0.1, "trend_sessions": 100, "spread_bps": 1.0}
KNOWN = replace(
    DESK,
    evidence=replace(
        DESK.evidence, certified=(("swings", True), ("zigzag", True)), discovered=frozenset({"swings"})
    ),
)


def test_every_check_can_pass(bars):
    """With easy limits the plan passes, and what nobody told is neither passed nor failed."""
    found = passed(bars, **EASY)
    unknown = {
        "sessions to earnings",
        "certificates of causality",
        "told from chance among all methods",
    }
    assert {name for name, ok in found.items() if ok is None} == unknown
    assert {ok for name, ok in found.items() if name not in unknown} == {True}
    levels = [level(bars, 97, 98), level(bars, 104, 105)]
    assert trade_plan(bars, levels, desk=DESK, equity=1e5, **EASY).passed


def test_what_is_told_is_checked(bars):
    """Days of earnings and certificates pass or fail once they are known."""
    told = replace(KNOWN, earnings=(bars.session + timedelta(days=30),))
    assert all(passed(bars, told, **EASY).values())
    soon = passed(bars, replace(KNOWN, earnings=(bars.session + timedelta(days=4),)), **EASY)
    assert soon["sessions to earnings"] is False
    gone = passed(bars, replace(KNOWN, earnings=(bars.session,)), **EASY)
    assert gone["sessions to earnings"] is None
    bad = replace(DESK, evidence=replace(DESK.evidence, certified=(("swings", True), ("zigzag", False))))
    assert passed(bars, bad, **EASY)["certificates of causality"] is False
    other = replace(DESK, evidence=replace(DESK.evidence, certified=(("pivots", True),)))
    assert passed(bars, other, **EASY)["certificates of causality"] is False


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("reward to risk", {"min_reward_risk": 50}),
        ("distance to the entry", {"max_entry_atr": 0.01}),
        ("close against its trend", {"trend_sessions": 301}),
        ("history", {"min_sessions": 301}),
        ("size", {"equity": 10.0}),
        ("spread in the risk of a share", {"spread_bps": 500.0}),
    ],
)
def test_each_check_can_fail(bars, name, limits):
    """One hard limit fails its own check only, and the plan with it."""
    assert [check for check, ok in passed(bars, **EASY | limits).items() if ok is False] == [name]


def test_prices_that_end_early_or_have_holes_fail(bars):
    """Sessions count as missing up to the one that was asked for, and among the newest."""
    late = replace(DESK, asked=bars.session + timedelta(days=7))
    assert passed(bars, late, **EASY)["sessions without prices"] is False
    holes = replace(bars, frame=bars.frame.drop(bars.frame.index[-5]))
    assert passed(holes, **EASY)["sessions without prices"] is False
    assert passed(holes, **EASY | {"max_missing_sessions": 1})["sessions without prices"] is True


def test_a_lucky_method_is_no_discovery(bars):
    """An interval above zero is not enough where the method was one of many that were judged."""
    judged = replace(DESK, evidence=replace(DESK.evidence, discovered=frozenset({"gaps"})))
    levels = [level(bars, 97, 98), level(bars, 104, 105)]
    plan = trade_plan(bars, levels, desk=judged, equity=1e5, **EASY)
    failed = {check.name: check.figure for check in plan.checks if check.passed is False}
    assert failed == {"told from chance among all methods": 0, "size": 0}
    assert plan.size.binding == "Kelly"


def test_an_edge_that_is_not_known_fails(bars):
    """Not enough evidence is no evidence, unless the analyst takes the edge on trust."""
    levels = [replace(level(bars, 97, 98), odds=None), level(bars, 104, 105)]
    plan = trade_plan(bars, levels, desk=DESK, equity=1e5, **EASY)
    failed = {check.name: check.figure for check in plan.checks if check.passed is False}
    assert failed == {"edge over chance, lower bound": None, "size": 0}
    assert (plan.size.binding, plan.size.shares) == ("Kelly", 0)
    assert plan.sizing.trusting > 0
    trusted = trade_plan(bars, levels, equity=1e5, require_edge=False, **EASY)
    assert trusted.size.shares == plan.sizing.trusting
    assert trusted.passed


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


def test_without_trade_nothing_is_bought(bars):
    """A share that nobody trades has no liquidity, and its volume share cannot be computed."""
    frame = bars.frame.assign(volume=0.0)
    levels = [level(bars, 97, 98), level(bars, 104, 105)]
    plan = trade_plan(replace(bars, frame=frame), levels, desk=DESK, equity=1e5)
    assert (plan.size.shares, plan.size.binding) == (0, "liquidity")
    assert not plan.passed


def test_resistance_inside_the_noise_is_passed_over(bars):
    """What is nearer than the stated distance is no target, is named, and does not spoil the reward."""
    unit = atr(bars.frame).iloc[-1]
    near, far = level(bars, 98 + 0.9 * unit, 98 + 0.95 * unit), level(bars, 98 + 1.1 * unit, 98 + 1.2 * unit)
    near, far = replace(near, side="resistance"), replace(far, side="resistance")
    plan = trade_plan(bars, [level(bars, 97, 98), near, far], equity=1e5)
    assert [target.price for target in plan.targets] == [far.low]
    assert [target.price for target in plan.passed_over] == [near.low]
    kept = trade_plan(bars, [level(bars, 97, 98), near, far], equity=1e5, min_target_atr=0.5)
    assert [target.price for target in kept.targets] == [near.low, far.low]
    alone = trade_plan(bars, [level(bars, 97, 98), near], equity=1e5)
    assert alone.context == (
        "No plan: all tested resistance above the entry is too near, inside the noise of a usual day."
    )


@given(st.floats(0.0002, 5000), st.floats(1e-6, 50))
def test_a_stop_can_be_placed_and_stands_below(price, unit):
    """It is in whole cents (or finer), never above where it would be, and not far below."""
    stop = stop_below(price, unit)
    step = 10 ** math.floor(math.log10(price)) / 20
    assert price - step / 2 - 0.02 <= stop <= price
    if price >= 1:
        assert round(stop, 2) == stop
        assert abs(stop / step - round(stop / step)) > 1e-9


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


@settings(max_examples=40, deadline=None)
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
    unit, size = atr(bars.frame).iloc[-1], plan.size
    gaps = {row["atr"].value: row["loss"].value for row in facts.rows("gap")}
    assert gaps == pytest.approx({n: size.shares * (98 - plan.stop + n * unit) for n in (1, 3, 5)})
    assert facts.value("plan.conviction") == plan.sizing.conviction.value
    assert [row["counts"].value for row in facts.rows("conviction")] == [1, 0, 0]
    assert 0 <= facts.value("plan.drawdown_chance") <= 1
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
        "plan.max_heat",
        "plan.max_drawdown",
        "plan.account_drawdown",
        "plan.require_edge",
        "plan.min_target_atr",
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
