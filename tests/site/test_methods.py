"""The methods page is hand written; what it says is held against the code."""

import ast
import inspect
import json
import pkgutil
import re

import pytest

from tickerbook.research import levels, strategies
from tickerbook.research.backtest_result import Schedule
from tickerbook.research.confluence import PER_SIDE
from tickerbook.research.conviction import CHANCE, FULL_EDGE, SURE
from tickerbook.research.costs import LIQUIDITY_SESSIONS
from tickerbook.research.desk import VOLUME_SESSIONS
from tickerbook.research.intervals import LEVEL, REPETITIONS
from tickerbook.research.level import ATR_PERIOD, LOOKBACK
from tickerbook.research.levels import clusters, find_levels, profile, round_numbers, swings
from tickerbook.research.metrics import SESSIONS_A_YEAR
from tickerbook.research.plan import TARGETS
from tickerbook.research.pretrade import NEWEST
from tickerbook.research.race import HORIZON
from tickerbook.research.sizing import Limits
from tickerbook.research.strategy import strategy, strategy_title

HEADINGS = {  # method's file → its heading on the page
    "clusters": "Clusters of swings",
    "density": "Density peaks",
    "gaps": "Gaps",
    "pivots": "Pivot points",
    "prior": "Prior day, week, month and year",
    "profile": "Volume profile",
    "round_numbers": "Round numbers",
    "swings": "Swing highs and lows",
    "vwap": "Anchored VWAP",
    "zigzag": "Zigzag",
}
WORDS = {0.25: "a quarter of an ATR", 0.5: "half an ATR"}


@pytest.fixture(scope="module")
def text(root):
    """The page as one line of words."""
    return " ".join((root / "reports/methods.qmd").read_text(encoding="utf-8").split())


def default(function, name):
    """A parameter's default."""
    return inspect.signature(function).parameters[name].default


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(levels.__path__)])
def test_every_method_of_levels_is_told(text, name):
    """Whoever adds a method tells readers what it does."""
    assert f"### {HEADINGS[name]} " in text


@pytest.mark.parametrize("name", [m.name for m in pkgutil.iter_modules(strategies.__path__)])
def test_every_strategy_is_told(text, name):
    """By the name that pages show."""
    assert f"### {strategy_title(strategy(name))} " in text


def test_levels_are_told_with_their_defaults(text):
    """Zone, swings, clusters, profile, lookback."""
    span = default(find_levels, "swing_span")
    for said in (
        f"{WORDS[default(find_levels, 'zone_atr')]} to each side",
        f"the highs of the {span} sessions on each side",
        f"it is known {span} sessions later",
        f"no more than {WORDS[default(find_levels, 'cluster_atr')]} apart",
        f"newest {default(find_levels, 'profile_sessions')} sessions",
        f"{default(find_levels, 'value_area'):.0%} of the volume".replace("%", " %"),
        f"over {profile.BINS} price bins",
        f"look back {LOOKBACK} sessions",
        f"The {swings.KEPT} nearest on each side",
        f"The {round_numbers.KEPT} nearest on each side",
        f"at least {default(find_levels, 'zigzag_atr'):g} ATR below it",
        f"the {PER_SIDE} nearest on each side of the close are shown",
        f"every {clusters.HALF_LIFE} sessions of its age",
        f"within {HORIZON} sessions; then",
        f"over {ATR_PERIOD} sessions",
    ):
        assert said in text


def test_strategies_are_told_with_their_defaults(text):
    """Lengths of averages, channels and trades."""
    cross, donchian, bounce = (strategy(name) for name in ("ma_cross", "donchian", "level_bounce"))
    rsi, momentum, breakout = (
        strategy(name) for name in ("rsi_reversion", "time_series_momentum", "level_breakout")
    )
    for said in (
        f"over {cross.fast} and {cross.slow} sessions",
        f"highest high of the {donchian.entry} sessions",
        f"lowest low of the {donchian.exit} sessions",
        f"index of {rsi.period} sessions below {rsi.low:.0f}, until one with it above {rsi.high:.0f}",
        f"risen over {momentum.lookback} sessions",
        f"volatility {momentum.volatility:.0%} a year".replace("%", " %"),
        f"at least {breakout.touches} swing highs of the last {breakout.lookback} sessions",
        f"within {WORDS[breakout.zone_atr]} of the lowest",
        f"rests {breakout.stop_atr:.0f} ATR below the lowest",
        f"target is {breakout.reward_risk:.0f} times as far",
        f"or after {breakout.hold} sessions",
        f"at least {bounce.touches} swing lows of the last {bounce.lookback} sessions",
        f"within {WORDS[bounce.zone_atr]} of the session's low",
        f"rests {WORDS[bounce.stop_atr]} below",
        f"or after {bounce.hold} sessions",
        f"({SESSIONS_A_YEAR} in New York)",
        f"but for the newest {Schedule().gap}",
        f"draws {REPETITIONS} histories",
        f"{LEVEL:.0%} of their figures".replace("%", " %"),
        f"the {LIQUIDITY_SESSIONS} sessions before",
    ):
        assert said in text
    assert bounce.reward_risk == 1.0  # "at least as far above the close as the stop is below it"


def test_the_plan_is_told_with_its_limits(text):
    """Size, stop, targets and checks."""
    limit = {name: p.default for name, p in inspect.signature(Limits).parameters.items()}
    assert limit["min_touches"] == 2  # "at least twice"
    assert limit["kelly_fraction"] == 0.5  # "half of Kelly's fraction"
    assert limit["max_missing_sessions"] == 0  # "none of"
    for said in (
        f"{limit['risk_fraction']:.0%} of the equity over the risk of a share",
        f"{limit['volatility_target']:.0%} of the equity over the entry times",
        f"({limit['volatility_sessions']} sessions)",
        f"{limit['max_weight']:.0%} of the equity over the entry",
        f"{limit['max_heat']:.0%} of the equity, less what open positions",
        f"{limit['max_cluster_heat']:.0%} of the equity, less what open positions that move with",
        f"{limit['max_volume_share']:.0%} of the mean volume of {VOLUME_SESSIONS} sessions",
        f"a drawdown of {limit['max_drawdown']:.0%}",
        f"back at {limit['rearm_drawdown']:.0%}",
        f"{limit['correlation_sessions']} sessions",
        f"is {WORDS[limit['stop_atr']]} below the zone",
        f"up to {TARGETS} resistance zones at least {limit['min_target_atr']:.0f} ATR above the entry",
        f"at least {limit['min_reward_risk']} R",
        f"at most {limit['max_entry_atr']:.0f} ATR",
        f"at most {limit['max_spread_risk']:.0%} of the risk",
        f"at least {limit['earnings_sessions']} sessions",
        f"none of the newest {NEWEST}",
        f"its mean of {limit['trend_sessions']} sessions",
        f"at least {limit['min_sessions']} sessions of prices",
        f"{FULL_EDGE:.0%} counts in full",
        f"{CHANCE:.0%} counts nothing, {SURE:.0%} in full",
    ):
        assert said.replace("%", " %") in text


def test_the_notebooks_have_the_same_defaults(root):
    """What the page calls defaults is what a run uses where params/ say nothing else."""
    for notebook, function in (("levels", find_levels), ("sizing", Limits)):
        book = json.loads((root / f"notebooks/{notebook}.ipynb").read_text(encoding="utf-8"))
        cell = next(c for c in book["cells"] if "parameters" in c["metadata"].get("tags", []))
        for line in ast.parse("".join(cell["source"])).body:
            name = ast.unparse(line.targets[0] if isinstance(line, ast.Assign) else line.target)
            known = inspect.signature(function).parameters.get(name)
            if known is not None and known.default is not inspect.Parameter.empty:
                assert ast.literal_eval(line.value) == known.default, f"{notebook}: {name}"


def test_costs_are_those_of_params(text, root):
    """Commission and spread as the project comes."""
    params = (root / "params/strategies.toml").read_text(encoding="utf-8")
    costs = {float(found) for found in re.findall(r"(?:commission|half_spread)_bps = ([\d.]+)", params)}
    assert costs == {5.0}
    assert "commission and half the spread, 5 basis points each" in text
