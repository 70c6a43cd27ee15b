"""The law of strategies, held by every file in the folder, and what each strategy promises."""

import dataclasses
import sys
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from tickerbook.errors import ConfigError, StrategyError
from tickerbook.research.backtest import backtest
from tickerbook.research.costs import Costs
from tickerbook.research.ranges import ranges
from tickerbook.research.strategy import (
    checked_exposure,
    decide,
    family,
    strategy,
    strategy_name,
    strategy_names,
    strategy_parameters,
    strategy_title,
)

ALL = strategy_names()
ACTING = [name for name in ALL if name != "buy_and_hold"]
DEFAULTS = {"ma_cross": {"fast": 20, "slow": 100}, "donchian": {"entry": 55, "exit": 20}}


def sees_the_future(rule, bars, ends):
    """Sessions at which a rule would have decided otherwise with nothing, or poison, after them."""
    whole = rule.exposure(bars)
    changed = set()
    for end in ends:
        past = bars.frame.index[:end]
        poisoned = bars.frame.copy()
        poisoned.iloc[end:] *= np.where(np.arange(len(bars) - end) % 2, 0.1, 10)[:, None]
        for other in (bars.frame.iloc[:end], poisoned):
            said = rule.exposure(replace(bars, frame=other)).loc[past]
            changed |= set(past[said.to_numpy() != whole.loc[past].to_numpy()])
    return sorted(changed)


@dataclass(frozen=True)
class Rule:
    """A strategy made of whatever a test wants to be said."""

    says: object = None
    warmup: int = 0

    def exposure(self, bars):
        return self.says(bars.frame)


def cheat(frame):
    """Long today if tomorrow closes higher."""
    return (frame["close"].shift(-1) > frame["close"]).astype("float64")


def repaint(frame):
    """Marks the low of the whole time at its own bar."""
    return pd.Series(0.0, frame.index).mask(frame["low"] == frame["low"].min(), 1.0)


def on(frame, value=1.0):
    return pd.Series(value, frame.index)


@pytest.mark.parametrize("name", ACTING)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_strategy_sees_the_future(name, seed, make_walk):
    """What was decided is what would have been decided on the day, whatever came after."""
    rule = strategy(name)
    bars = make_walk(sessions=1000 if rule.warmup > 200 else 500, seed=seed)
    said = rule.exposure(bars)
    turns = np.flatnonzero(said.diff().fillna(0)) + 1  # just after each decision
    assert len(turns) > 2, "a strategy that never acts proves nothing"
    assert sees_the_future(rule, bars, sorted({1, rule.warmup, rule.warmup + 1, 333, *turns[:20]})) == []


@pytest.mark.parametrize("says", [cheat, repaint])
def test_a_planted_cheat_is_caught(says, make_walk):
    """The law's own test: looking one day ahead, or repainting, is seen."""
    assert sees_the_future(Rule(says), make_walk(sessions=100), range(20, 100, 7))


@pytest.mark.parametrize("name", ALL)
def test_every_strategy_keeps_to_the_protocol(name, make_walk):
    """Each says one number for each session, none in its warm-up, and its parameters have defaults."""
    rule = strategy(name)
    bars = make_walk(sessions=500)
    assert checked_exposure(rule, bars).index.equals(bars.frame.index)
    assert (rule.warmup > 0) == (name in ACTING)
    assert strategy_name(rule) == name
    assert strategy(name, **strategy_parameters(rule)) == rule


@pytest.mark.parametrize("name", ACTING)
@pytest.mark.parametrize("sessions", [1, 3, 10])
def test_no_strategy_decides_on_too_few_bars(name, sessions, make_walk):
    """Fewer sessions than the warm-up are no error: nothing is held."""
    assert (strategy(name).exposure(make_walk(sessions=sessions)) == 0).all()


@pytest.mark.parametrize("name", ALL)
def test_every_strategy_is_frozen(name):
    """A strategy does not change after it was made."""
    rule = strategy(name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(rule, dataclasses.fields(rule)[0].name, 1)


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name):
    """The usual lengths are the defaults."""
    assert DEFAULTS[name].items() <= strategy_parameters(strategy(name)).items()


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("ma_cros", {}, "Did you mean ma_cross?"),
        ("", {}, "no strategy named ''"),
        ("../ma_cross", {}, "no strategy named"),
        ("__init__", {}, "no strategy named"),
        ("ma_cross", {"fst": 10}, "Did you mean fast?"),
        ("ma_cross", {"fast": "10"}, "not of type int"),
        ("ma_cross", {"fast": 10.0}, "not of type int"),
        ("ma_cross", {"fast": True}, "not of type int"),
        ("ma_cross", {"fast": 100, "slow": 20}, "do not cross"),
        ("ma_cross", {"fast": 0}, "outside 1…250"),
        ("donchian", {"exit": 0}, "outside 1…500"),
        ("level_bounce", {"lookback": 10}, "no swing fits"),
        ("level_bounce", {"zone_atr": float("nan")}, "zone_atr = nan is outside"),
        ("level_bounce", {"stop_atr": 0}, "stop_atr = 0 is outside"),
    ],
)
def test_what_is_no_strategy_is_refused(name, parameters, said):
    """An unknown name or parameter names the nearest; a value that does not fit says why."""
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        strategy(name, **parameters)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (lambda f: on(f, 1.5), "outside −1…1"),
        (lambda f: on(f, np.inf), "outside −1…1"),
        (lambda f: on(f, np.nan), "not a number"),
        (lambda f: on(f).mask(f.index == f.index[7], np.nan), "2020-01-10"),
        (lambda f: on(f, "long"), "not a number"),
        (lambda f: on(f).iloc[:-1], "a series of 39 for 40 sessions"),
        (lambda f: on(f).reset_index(drop=True), "a series of 40"),
        (lambda f: on(f).iloc[::-1], "a series of 40"),
        (lambda f: on(f).to_numpy(), "a ndarray"),
        (lambda _: None, "a NoneType"),
    ],
)
def test_a_broken_strategy_is_named(says, told, make_walk):
    """What is no exposure for each session is refused, with the first session concerned."""
    with pytest.raises(StrategyError, match=told):
        checked_exposure(Rule(says), make_walk(sessions=40))


def test_deciding_during_the_warmup_is_refused(make_walk):
    """A strategy that claims to need ten sessions may not act on five."""
    with pytest.raises(StrategyError, match="before the warm-up is over"):
        checked_exposure(Rule(on, warmup=10), make_walk(sessions=40))


@pytest.mark.parametrize(
    "body", ["", "class A:\n exposure = 1\n", "@d\nclass A: exposure = 1\n@d\nclass B(A): pass\n"]
)
def test_a_file_without_one_strategy_is_named(body, monkeypatch):
    """A strategy's file defines one frozen dataclass, not none, two, or an ordinary class."""
    module = ModuleType("tickerbook.research.strategies.broken")
    exec("from dataclasses import dataclass as d\n" + body, vars(module))  # noqa: S102 - a file of our own making
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("tickerbook.research.strategy.strategy_names", lambda: ("broken",))
    with pytest.raises(StrategyError, match="frozen dataclass"):
        strategy("broken")


def test_a_strategy_of_a_notebook_is_called_by_its_class():
    """Outside the folder, the class's name is the name."""
    assert strategy_name(Rule(on)) == "Rule"


class TestMovingAverageCross:
    def test_crosses_decide(self, make_closes):
        """Long from the session whose fast average has crossed above, flat from the cross below."""
        bars = make_closes([5, 4, 3, 2, 3, 5, 6, 5, 3, 1, 1])
        said = strategy("ma_cross", fast=1, slow=3).exposure(bars)
        assert list(said) == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]

    def test_short_takes_the_other_side(self, make_closes):
        """With `short`, a cross below is a short position."""
        bars = make_closes([5, 4, 3, 2, 3, 5, 6, 5, 3, 1, 1])
        said = strategy("ma_cross", fast=1, slow=3, short=True).exposure(bars)
        assert list(said) == [0, 0, 0, 0, 1, 1, 1, -1, -1, -1, -1]

    def test_a_trend_that_was_there_is_not_joined(self, make_closes):
        """Without a cross seen, nothing is held."""
        assert (strategy("ma_cross", fast=1, slow=3).exposure(make_closes(range(1, 30))) == 0).all()

    def test_touching_is_no_cross(self, make_closes):
        """Averages that become equal and part the same way have not crossed; parting the other way they have."""
        rule = strategy("ma_cross", fast=1, slow=2, short=True)
        assert list(rule.exposure(make_closes([3, 2, 2, 1]))) == [0, 0, 0, 0]
        assert list(rule.exposure(make_closes([3, 2, 2, 3]))) == [0, 0, 0, 1]

    def test_a_flat_line_never_crosses(self, make_closes):
        """Rounding errors of the averages are no crosses."""
        closes = [0.1, 0.3, 0.2, *[0.7] * 60]
        said = strategy("ma_cross", fast=2, slow=5, short=True).exposure(make_closes(closes))
        assert (said.iloc[10:] == said.iloc[-1]).all()


class TestDonchianBreakout:
    def test_channels_decide(self, make_closes):
        """In on a close above the highest high before it, out on a close below the lowest low before it."""
        bars = make_closes([5, 6, 5, 6, 7, 8, 7, 6, 9])
        assert list(strategy("donchian", entry=3, exit=2).exposure(bars)) == [0, 0, 0, 0, 1, 1, 1, 0, 1]

    def test_equalling_the_channel_is_no_breakout(self, make_closes):
        """The close must be beyond, not at, the channel."""
        assert (strategy("donchian", entry=3, exit=2).exposure(make_closes([5, 6, 5, 6, 6, 6])) == 0).all()


class TestLevelBounce:
    @pytest.fixture
    def bounce(self, make_closes):
        """Highs of 120 and 112, lows of 100 and 100.2, the latter at row 20 and known one session later."""
        legs = [(110, 120, 5), (118, 100, 6), (102, 112, 5), (110, 100.2, 5)]
        path = np.concatenate([np.linspace(*leg) for leg in legs])

        def bars(*after):
            closes = np.array([*path, *after])
            opens = closes - np.diff(closes, prepend=closes[0]) / 2  # half a gap, so that turns are swings
            return make_closes(closes, opens)

        return bars

    @pytest.fixture
    def rule(self):
        return strategy("level_bounce", span=1, lookback=20, touches=2, hold=4)

    def test_a_bounce_is_bought(self, bounce, rule):
        """Down to two known swing lows and a close above them: long."""
        said = rule.exposure(bounce(102, 103, 104))
        assert list(said.iloc[20:]) == [0, 1, 1, 1]

    def test_one_swing_low_is_no_support(self, bounce, rule):
        """With more touches asked for than there are, nothing is bought."""
        assert (replace(rule, touches=5).exposure(bounce(102, 103, 104)) == 0).all()

    def test_old_swing_lows_do_not_count(self, bounce, rule):
        """The first low is eleven sessions old: beyond a lookback of ten."""
        assert (replace(rule, lookback=10).exposure(bounce(102, 103, 104)) == 0).all()
        assert (replace(rule, lookback=11).exposure(bounce(102, 103, 104)) != 0).any()

    def test_falling_through_is_no_bounce(self, bounce, rule):
        """A close below the support is not bought, even after a rise: it must be above every low."""
        assert (rule.exposure(bounce(98, 99.8)) == 0).all()
        assert (rule.exposure(bounce(99, 95, 94)) == 0).all()

    def test_the_stop_ends_it(self, bounce, rule):
        """Touching the stop is the end."""
        assert list(rule.exposure(bounce(102, 90, 89)).iloc[21:]) == [1, 0, 0]

    def test_resistance_ends_it(self, bounce, rule):
        """Trading beyond the nearest swing high is the end; touching it is not."""
        assert list(rule.exposure(bounce(102, 105, 112.1)).iloc[21:]) == [1, 1, 0]
        assert list(rule.exposure(bounce(102, 105, 112)).iloc[21:]) == [1, 1, 1]

    def test_time_ends_it(self, bounce, rule):
        """After `hold` sessions it is over."""
        assert list(rule.exposure(bounce(102, 102.1, 102, 102.1, 102, 102)).iloc[21:]) == [1, 1, 1, 1, 0, 0]

    def test_a_near_target_is_not_worth_it(self, bounce, rule):
        """The bounce is left alone where resistance is nearer than the risk allows."""
        assert (replace(rule, reward_risk=50.0).exposure(bounce(102, 103)) == 0).all()


class TestRanges:
    @pytest.mark.parametrize("name", ALL)
    def test_every_number_has_a_range(self, name):
        """What is tried, and the default, are in it; the default is among what is tried."""
        rule = strategy(name)
        known = ranges(type(rule))
        numbers = {k for k, v in strategy_parameters(rule).items() if not isinstance(v, bool)}
        assert set(known) == numbers
        for key, allowed in known.items():
            assert all(allowed.low <= value <= allowed.high for value in allowed.tried)
            assert not allowed.tried or getattr(rule, key) in allowed.tried
        assert rule in family(name)

    @pytest.mark.parametrize("name", ALL)
    def test_outside_its_range_nothing_is_made(self, name):
        """Below the low and above the high, by name."""
        for key, allowed in ranges(type(strategy(name))).items():
            kind = type(getattr(strategy(name), key))
            for value in (kind(allowed.low) - 1, kind(allowed.high) + 1):
                with pytest.raises(ConfigError, match=f"{key} = .* is outside"):
                    strategy(name, **{key: value})

    def test_titles_are_for_readers(self):
        """No file names on pages; a strategy of a notebook is called by its class."""
        titles = [strategy_title(strategy(name)) for name in ALL]
        assert len(set(titles)) == len(titles)
        assert not any("_" in title for title in titles)
        assert strategy_title(Rule(on)) == "Rule"


@pytest.mark.parametrize("name", [n for n in ALL if hasattr(type(strategy(n)), "exposures")])
def test_many_at_once_are_what_each_is_alone(name, make_walk):
    """A column of the vectorised exposures is the exposure of its rule."""
    bars = make_walk(sessions=600, seed=3)
    rules = family(name)
    said = decide(rules, bars).exposures
    for column, rule in enumerate(rules):
        assert list(said[:, column]) == list(rule.exposure(bars))


@pytest.mark.parametrize("name", [n for n in ALL if hasattr(type(strategy(n)), "exits")])
def test_exits_do_not_see_the_future(name, make_walk):
    """Stops and targets of a shorter history are those of the longer one."""
    bars, rule = make_walk(sessions=500), strategy(name)
    whole = rule.exits(bars)
    for end in (150, 220, 333, 410):
        pd.testing.assert_frame_equal(rule.exits(bars.until(bars.frame.index[end])), whole.iloc[: end + 1])


@pytest.mark.parametrize("name", [n for n in ALL if hasattr(type(strategy(n)), "exits")])
def test_a_position_has_its_stop_below_and_its_target_above(name, make_walk):
    """While it is held there is a stop below the entry's close; without a position there is none."""
    bars, rule = make_walk(sessions=800, seed=2), strategy(name)
    held, exits = rule.exposure(bars) == 1, rule.exits(bars)
    begun = held & ~held.shift(fill_value=False)
    assert begun.sum() > 2
    assert (exits["stop"][begun] < bars.frame["close"][begun]).all()
    assert not (exits["target"][begun] <= bars.frame["close"][begun]).any()
    assert exits["stop"].notna().equals(held)


@pytest.mark.parametrize("name", ACTING)
def test_constant_prices_decide_nothing(name, make_closes):
    """A line that never moves has no cross, no channel, no swing and no trend."""
    assert (strategy(name).exposure(make_closes([50.0] * 600)) == 0).all()


class TestRsiReversion:
    def test_weakness_is_bought_and_recovery_sold(self, make_closes):
        """In after a fall, out after the rise."""
        closes = [100, 101, 102, 95, 90, 85, 84, 90, 99, 108, 110]
        said = strategy("rsi_reversion", period=2, low=20.0, high=70.0).exposure(make_closes(closes))
        assert list(said) == [0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0]


class TestTimeSeriesMomentum:
    def test_side_and_size(self, make_walk):
        """Where the past return is positive: target over measured volatility, at most one; decided monthly."""
        bars = make_walk(sessions=300, seed=2)
        rule = strategy("time_series_momentum", lookback=60, window=20, volatility=0.1)
        close = bars.frame["close"]
        risen = close > close.shift(60)
        size = (0.1 / (close.pct_change().rolling(20).std() * 252**0.5)).clip(upper=1)
        months = pd.Series(close.index.to_period("M"), close.index)
        review = months.ne(months.shift()) & (np.arange(300) >= 60)
        expected = (size * risen).where(review).ffill().fillna(0.0)
        np.testing.assert_allclose(rule.exposure(bars), expected)

    def test_short_takes_the_other_side(self, make_closes):
        """With `short`, what has fallen is sold."""
        bars = make_closes(list(np.linspace(100, 60, 120) + np.sin(np.arange(120))))
        rule = strategy("time_series_momentum", lookback=20, window=20, short=True)
        assert rule.exposure(bars).iloc[-1] < 0
        assert (replace(rule, short=False).exposure(bars) == 0).all()


class TestLevelBreakout:
    def test_a_breakout_is_bought(self, make_closes):
        """Two highs near 112, and a close above both; the stop is below the lower one."""
        legs = [(100, 112, 6), (110, 102, 5), (104, 111.8, 5), (110, 103, 5), (105, 115, 6)]
        path = np.concatenate([np.linspace(*leg) for leg in legs])
        opens = path - np.diff(path, prepend=path[0]) / 2
        bars = make_closes(path, opens)
        rule = strategy("level_breakout", span=1, lookback=20, touches=2, zone_atr=1.0, stop_atr=0.5)
        said, exits = rule.exposure(bars), rule.exits(bars)
        first = said.ne(0).idxmax()
        assert bars.frame["close"].loc[first] > 112 >= bars.frame["close"].shift().loc[first]
        assert exits["stop"].loc[first] < 111.8
        assert exits["target"].loc[first] > bars.frame["close"].loc[first]


class TestBuyAndHold:
    def test_is_the_benchmark(self, make_walk):
        """The strategy is what every other is compared with, to the last digit."""
        result = backtest(make_walk(), strategy("buy_and_hold"), Costs(5, 5))
        pd.testing.assert_series_equal(result.equity, result.benchmark, check_names=False)
