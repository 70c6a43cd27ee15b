"""The plain narrator: what it says follows the facts, reads as English, and passes the check whatever the facts are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import NarrativeError
from tickerbook.facts import Fact, Facts
from tickerbook.narrative.check import check
from tickerbook.narrative.draft import fill
from tickerbook.narrative.plain import draft
from tickerbook.narrative.policy import sift

USD, PERCENT = ("USD", 2), ("fraction", 1)
VALUES = {  # a report whose plan passes: name → value, unit, digits
    "ticker": ("AAPL", "", None),
    "price.close": (100.0, *USD),
    "price.change": (0.012, *PERCENT),
    "price.session": ("2013-03-01", "date", None),
    "price.first": ("2000-03-01", "date", None),
    "price.sessions": (3270, "sessions", 0),
    "price.source": ("yahoo", "", None),
    "support.price": (97.0, *USD),
    "support.low": (96.0, *USD),
    "support.high": (98.0, *USD),
    "support.method": ("prior week low", "", None),
    "support.distance": (0.03, *PERCENT),
    "support.distance_atr": (1.5, "ATR", 1),
    "resistance.price": (105.0, *USD),
    "resistance.low": (104.0, *USD),
    "resistance.high": (106.0, *USD),
    "resistance.method": ("value area high (daily proxy)", "", None),
    "resistance.distance": (0.05, *PERCENT),
    "resistance.distance_atr": (2.5, "ATR", 1),
    "strategy.1.name": ("breakout", "", None),
    "strategy.1.total_return": (0.5, *PERCENT),
    "strategy.1.signal": ("long", "", None),
    "strategy.2.name": ("ma_cross", "", None),
    "strategy.2.total_return": (0.1, *PERCENT),
    "strategy.2.signal": ("flat", "", None),
    "strategy.1.title": ("Donchian breakout", "", None),
    "strategy.1.oos_return": (0.1, *PERCENT),
    "strategy.1.oos_sharpe_low": (-0.2, "", 2),
    "strategy.2.oos_return": (0.25, *PERCENT),
    "strategy.2.oos_sharpe_low": (-0.1, "", 2),
    "benchmark.oos_return": (0.2, *PERCENT),
    "benchmark.oos_max_drawdown": (-0.4, *PERCENT),
    "walk.first": ("2003-01-02", "date", None),
    "walk.last": ("2013-03-01", "date", None),
    "benchmark.total_return": (0.3, *PERCENT),
    "benchmark.max_drawdown": (-0.4, *PERCENT),
    "test.first": ("2000-07-25", "date", None),
    "test.last": ("2013-03-01", "date", None),
    "plan.context": ("The price is above support, and the entry waits for it to come back.", "", None),
    "plan.passed": (True, "", None),
    "plan.side": ("long", "", None),
    "plan.entry": (98.0, *USD),
    "plan.stop": (95.5, *USD),
    "plan.zone_low": (96.0, *USD),
    "plan.zone_high": (98.0, *USD),
    "plan.zone_method": ("prior week low", "", None),
    "plan.risk_per_share": (2.5, *USD),
    "plan.shares": (250, "shares", 0),
    "plan.trusting_shares": (310, "shares", 0),
    "plan.notional": (24500.0, "USD", 0),
    "plan.money_at_risk": (625.0, "USD", 0),
    "plan.binding": ("maximum weight", "", None),
    "target.1.price": (104.0, *USD),
    "target.1.r_multiple": (2.4, "R", 2),
    "target.2.price": (110.0, *USD),
    "check.1.name": ("reward to risk", "", None),
    "check.1.passed": (True, "", None),
    "check.1.figure": (2.4, "R", 2),
    "check.1.rule": ("at least", "", None),
    "check.1.limit": (1.5, "R", 2),
    "check.2.name": ("close against its trend", "", None),
    "check.2.passed": (True, "", None),
    "check.2.figure": (100.0, *USD),
    "check.2.rule": ("at least", "", None),
    "check.2.limit": (90.0, *USD),
}
NO_PLAN = dict.fromkeys([name for name in VALUES if re.match(r"(plan|target|check)\.", name)])
NO_TEST = dict.fromkeys([n for n in VALUES if re.search(r"total_return|signal|drawdown|test\.", n)])
WALKED = {  # missing unless a test asks for them: too short a history to walk forward
    name.replace(".", "__"): VALUES[name][0] for name in VALUES if re.search(r"title|oos_|walk\.", name)
}
NO_SUPPORT = dict.fromkeys(name for name in VALUES if name.startswith("support."))
NO_RESISTANCE = dict.fromkeys(name for name in VALUES if name.startswith("resistance."))


def _facts(**changes):
    """The report's facts with other values; names have `__` for a dot."""
    new = {name.replace("__", "."): value for name, value in changes.items()}
    assert set(new) <= set(VALUES)
    usual = {name: None if name.replace(".", "__") in WALKED else told[0] for name, told in VALUES.items()}
    rows = {name: ((usual | new)[name], unit, digits) for name, (_, unit, digits) in VALUES.items()}
    return Facts(Fact(name, value, name, unit, digits) for name, (value, unit, digits) in rows.items())


def _parts(facts):
    written, _ = sift(draft(facts), facts)
    check(written, facts)
    return {part["name"]: " ".join(s["text"] for s in part["sentences"]) for part in fill(written, facts)}


def test_a_plan_that_passes_is_told_from_context_to_invalidation():
    """The whole narrative of a good day, as a reader meets it."""
    assert _parts(_facts()) == {
        "context": (
            "AAPL closed at $100.00 on 2013-03-01, up 1.2 % from the close before. "
            "The nearest support is 3.0 % (1.5 ATR) lower at $97.00 (prior week low); "
            "the nearest resistance is 5.0 % (2.5 ATR) higher at $105.00, value area high (daily proxy). "
            "Of the strategies tested, breakout is long; ma_cross is flat. "
            "In-sample and after costs, buy and hold returned 30.0 % from 2000-07-25 to 2013-03-01, "
            "with a deepest drawdown of −40.0 %. "
            "Over the same sessions and at the same costs, breakout returned 50.0 % and ma_cross 10.0 %; "
            "breakout did better. "
            "The prices are daily, from yahoo: 3,270 sessions, 2000-03-01 to 2013-03-01."
        ),
        "objective": (
            "The plan is long, from $98.00 to $104.00, then $110.00. "
            "The nearest target would pay 2.40 R; the risk is $2.50 a share."
        ),
        "plan": (
            "The price is above support, and the entry waits for it to come back. "
            "The stop, $95.50, is beyond the zone $96.00 to $98.00 (prior week low). "
            "The size is 250 shares, worth $24,500, with $625 at risk. "
            "What sets it is the limit called “maximum weight”, the tightest of those that apply. "
            "Every condition of its checklist is met."
        ),
        "invalidation": (
            "A close below $95.50 would end the reason for the plan. "
            "If the price does not come back to $98.00, the plan does not begin. "
            "The case would weaken if breakout turned flat."
        ),
    }


def test_a_short_history_without_a_plan_is_told_in_full():
    """Nothing tested, nothing planned: it says so, and what to watch."""
    why = "No plan: there is no tested support below the price."
    facts = _facts(
        **NO_TEST, **{**NO_PLAN, "plan.context": why, "plan.passed": False}, price__source="sample (x)"
    )
    assert _parts(facts) == {
        "context": (
            "AAPL closed at $100.00 on 2013-03-01, up 1.2 % from the close before. "
            "The nearest support is 3.0 % (1.5 ATR) lower at $97.00 (prior week low); "
            "the nearest resistance is 5.0 % (2.5 ATR) higher at $105.00, value area high (daily proxy). "
            "There is too little history to test breakout and ma_cross. "
            "The prices are daily, from sample (x): 3,270 sessions, 2000-03-01 to 2013-03-01. "
            "They are a historical sample and say nothing about prices since."
        ),
        "objective": why,
        "invalidation": (
            "There is no plan to give up; a close below $96.00 or above $106.00 would leave the nearest levels behind."
        ),
    }


@pytest.mark.parametrize(
    ("changes", "part", "said"),
    [
        ({"price__change": -0.02}, "context", "a change of −2.0 % from the close before"),
        ({"price__change": -0.0001}, "context", "hardly changed from the close before"),
        ({"price__change": None}, "context", "AAPL closed at $100.00 on 2013-03-01. The nearest"),
        (
            NO_SUPPORT,
            "context",
            "at $105.00, value area high (daily proxy); no support was found below the close.",
        ),
        (NO_RESISTANCE, "context", "at $97.00 (prior week low); no resistance was found above the close."),
        (
            {**NO_SUPPORT, **NO_RESISTANCE},
            "context",
            "No support was found below the close, and no resistance above",
        ),
        (
            {"support__high": 100.0},
            "context",
            "The close is inside the zone of that support, $96.00 to $100.00.",
        ),
        (
            {"support__high": 101.0, "resistance__low": 99.0},
            "context",
            "inside the zone of that support, $96.00 to $101.00, and inside the zone of that resistance, $99.00 to",
        ),
        ({"support__distance": 0.0001}, "context", "The nearest support is hardly lower at $97.00"),
        ({"support__distance_atr": 0.01}, "context", "The nearest support is 3.0 % lower at $97.00"),
        (
            {"strategy__2__signal": "long"},
            "context",
            "Of the strategies tested, breakout and ma_cross are long.",
        ),
        ({"strategy__2__signal": "short"}, "context", "breakout is long; ma_cross is short."),
        ({"strategy__1__total_return": 0.2}, "context", "; none of them did better."),
        ({"strategy__2__total_return": 0.4}, "context", "; all of them did better."),
        ({"strategy__2__total_return": None}, "context", "There is too little history to test ma_cross."),
        ({"strategy__2__total_return": None}, "context", "costs, breakout returned 50.0 %; that is more."),
        (
            {"strategy__2__total_return": None, "strategy__1__total_return": 0.3},
            "context",
            "costs, breakout returned 30.0 %; that is not more.",
        ),
        ({"benchmark__max_drawdown": None}, "context", "to 2013-03-01. Over the same sessions"),
        (WALKED, "context", "Out of sample and after costs, buy and hold returned 20.0 % from 2003-01-02 to"),
        (WALKED, "context", "Donchian breakout returned 10.0 % and ma_cross 25.0 %; ma_cross did better."),
        (WALKED, "context", "For none of them is the interval of return to risk wholly positive"),
        (
            {**WALKED, "strategy__2__oos_sharpe_low": 0.1},
            "context",
            "The interval of return to risk is wholly positive only for ma_cross.",
        ),
        ({"price__source": "sample (bokeh_sampledata)"}, "context", "They are a historical sample"),
        ({"plan__passed": False}, "objective", "The plan, which does not pass its checklist, is long, from"),
        ({"target__1__price": None, "target__2__price": None}, "objective", "from $98.00, without a target."),
        ({"plan__side": "short"}, "objective", "The plan is short, from $98.00"),
        (
            {"plan__passed": False, "check__1__passed": False, "check__1__figure": 0.3},
            "plan",
            "Its checklist fails: reward to risk is 0.30 R (wanted: at least 1.50 R).",
        ),
        (
            {
                "plan__passed": False,
                "check__1__passed": False,
                "check__2__passed": False,
                "check__2__limit": None,
            },
            "plan",
            "(wanted: at least 1.50 R); close against its trend is unknown.",
        ),
        ({"plan__shares": 0}, "plan", "No position fits: the limit called “maximum weight” leaves 0 shares."),
        ({"plan__shares": 0}, "plan", "on trust, the other limits would allow 310 shares."),
        (
            {"check__2__passed": None},
            "plan",
            "Every condition of its checklist that is known is met; not known: close against its trend.",
        ),
        ({"plan__zone_low": None}, "plan", "The stop is $95.50."),
        (
            {"plan__side": "short", "plan__stop": 104.5},
            "invalidation",
            "A close above $104.50 would end the reason for the plan.",
        ),
        (
            {"strategy__1__signal": "flat"},
            "invalidation",
            "No strategy tested is long, so none of them supports it.",
        ),
        (
            {**NO_PLAN, **NO_SUPPORT},
            "invalidation",
            "a close above $106.00 would leave the nearest resistance behind.",
        ),
        (
            {**NO_PLAN, **NO_RESISTANCE},
            "invalidation",
            "a close below $96.00 would leave the nearest support behind.",
        ),
        (NO_PLAN, "objective", "There is no plan for this session."),
    ],
)
def test_what_is_said_follows_the_facts(changes, part, said):
    """Each turn of the facts has its own words."""
    assert said in _parts(_facts(**changes))[part]


@pytest.mark.parametrize(
    ("changes", "part", "unsaid"),
    [
        ({"plan__entry": 100.0}, "invalidation", "come back"),
        (NO_TEST, "invalidation", "strategy"),
        ({}, "context", "historical sample"),
        ({}, "context", "inside the zone"),
        ({"plan__passed": False}, "plan", "Every condition"),
        ({}, "plan", "on trust"),
        ({"plan__shares": 0, "plan__trusting_shares": 0}, "plan", "on trust"),
    ],
)
def test_what_is_not_so_is_not_said(changes, part, unsaid):
    """A sentence needs its reason."""
    assert unsaid not in _parts(_facts(**changes))[part]


@pytest.mark.parametrize("name", ["price.close", "price.session"])
def test_without_a_close_nothing_is_drafted(name):
    """There is nothing to write about, and the narrator says so."""
    with pytest.raises(NarrativeError, match="no last close"):
        draft(_facts(**{name: None}))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.none() for name in VALUES if name not in {"price.close", "price.session", "ticker"}
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            name: {
                bool: st.booleans(),
                int: st.integers(0, 10**9),
                float: st.floats(-1e9, 1e9),
                str: st.sampled_from(["long", "flat", "short", "x (y)", "a.b", "Sentence one."]),
            }[type(value)]
            for name, (value, _, _) in VALUES.items()
            if name not in {"ticker", "plan.context"}
        },
    ),
)
def test_whatever_the_facts_are_the_prose_is_clean(missing, changed):
    """Any facts missing, any values: the draft passes the check and reads as sentences."""
    facts = _facts(**changed, **{name: None for name in missing if name not in changed})
    for sentence in (s for part in draft(facts) for s in part.sentences):
        assert not re.search(r"  | [,.;:)]|\( |,,|\.\.|None|\bis and\b|\band and\b", sentence)
    assert "context" in _parts(facts)


def test_contradictory_facts_are_not_told():
    """A stop above the close of a long plan is no stop: the sentence about it is dropped."""
    assert "would end the reason" not in _parts(_facts(plan__stop=101.0))["invalidation"]


def test_no_facts_of_the_benchmark_are_invented():
    """Without a test, nothing is said of returns."""
    assert "returned" not in _parts(_facts(**NO_TEST))["context"]
