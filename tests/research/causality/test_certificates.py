"""Every indicator, level method and strategy has a certificate, by being in its folder."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zoo_rules

from tickerbook.certificates import Audit, Certificate, certificate_facts
from tickerbook.errors import ConfigError
from tickerbook.research import indicators
from tickerbook.research.causality import certifiable, certify
from tickerbook.research.causality.cuts import cuts
from tickerbook.research.causality.futures import OF_BARS, OF_SERIES, changed
from tickerbook.research.causality.histories import bars_of, histories

RESEARCH = Path(indicators.__file__).parent
ALL = certifiable()


@pytest.mark.parametrize(("kind", "name"), ALL, ids=[f"{kind}: {name}" for kind, name in ALL])
def test_nothing_here_looks_ahead(kind, name, real):
    """Everything passes, on made-up and on real prices, and was really looked at."""
    found = certify(name, real)
    assert found.breaches == ()
    assert found.passed
    assert (found.kind, found.name) == (kind, name)
    assert found.cuts >= 40


@pytest.mark.parametrize(("kind", "folder"), [("level method", "levels"), ("strategy", "strategies")])
def test_files_are_found_by_being_there(kind, folder):
    """A file more is a certificate more."""
    there = {path.stem for path in (RESEARCH / folder).glob("*.py")} - {"__init__"}
    assert {name for one, name in ALL if one == kind} == there


def test_only_the_swings_may_mark_a_bar_later():
    """They are the two that say so; what acts on them waits."""
    assert certify("swing_highs").passed
    assert not certify(lambda frame: indicators.swing_highs(frame["high"], 5)).passed


@dataclass(frozen=True)
class Early:
    """Decides on the first session, and claims to need ten."""

    warmup = 10

    def exposure(self, bars):
        return pd.Series(1.0, bars.frame.index)


def test_a_strategy_that_breaks_its_contract_has_no_certificate():
    """Deciding in the warm-up is a broken timestamp."""
    found = certify(Early())
    assert not found.passed
    assert any("before the warm-up is over" in told for told in found.breaches)


def test_what_raises_has_no_certificate():
    """An error is a finding, told with its text."""

    def broken(frame):
        return frame["nothing"]

    assert any("KeyError: 'nothing'" in told for told in certify(broken).breaches)


def test_a_strategy_that_raises_by_what_comes_after_has_no_certificate():
    """That it does not decide tells of the future, too; only a refusal of bars tells nothing."""

    def frightened(frame):
        if frame["close"].max() > 40 * frame["close"].min():
            raise ValueError("too wild")
        return (frame["close"] > frame["open"]).astype("float64")

    found = certify(zoo_rules.Rule(frightened))
    assert any("raised ValueError: too wild" in told for told in found.breaches)
    assert {audit.name for audit in found.checks if not audit.passed} == {"poisoned future"}


def test_what_gives_another_number_of_rows_has_no_certificate():
    """A value stands at each session, or nobody knows when it was known."""
    assert any("rows for" in told for told in certify(lambda frame: frame["close"].dropna()[::2]).breaches)


def test_what_changes_its_bars_has_no_certificate():
    """Who writes into the bars changes what the next one sees."""

    def writing(frame):
        frame.iloc[0, 0] = 1.0
        return frame["close"]

    assert any("changes the bars" in told for told in certify(writing).breaches)


def test_an_unknown_name_names_the_nearest():
    """With what there is."""
    with pytest.raises(ConfigError, match="Did you mean ma_cross"):
        certify("ma_cros")


def test_a_parameter_nobody_can_fill_is_refused():
    """With the way out."""
    with pytest.raises(ConfigError, match="what is its parameter 'depth'"):
        certify(lambda frame, depth: frame["close"] * depth)


def test_certificates_are_the_same_each_time():
    """Two runs tell the same; seconds only where somebody measures."""
    one = certify("sma")
    assert one == certify("sma")
    assert one.seconds is None
    assert certify("true_range", timer=time.perf_counter).seconds > 0


def test_without_a_look_nothing_is_passed():
    """No question asked, or no cut made, is no certificate."""
    good = Audit("prefix replay", passed=True, told="")
    assert not Certificate("x", "indicator", (), 10).passed
    assert not Certificate("x", "indicator", (good,), 0).passed
    assert Certificate("x", "indicator", (good,), 1).passed


def test_facts_tell_what_was_found():
    """A row for each certificate; how long it took is no fact."""
    bad = Audit("known", passed=False, told="low is early")
    facts = certificate_facts([Certificate("a", "level method", (bad,), 3, 0.5), certify("buy_and_hold")])
    first, second = facts.rows("certificate")
    assert {name: fact.value for name, fact in first.items()} == {
        "name": "a",
        "kind": "level method",
        "passed": False,
        "checks": 1,
        "cuts": 3,
        "breach": "known: low is early",
    }
    assert (second["name"].value, second["passed"].value) == ("buy_and_hold", True)
    assert second["breach"].text == "–"


@pytest.mark.parametrize("name", histories(60))
def test_made_up_histories_are_bars(name):
    """They satisfy what bars promise, and a high is a high."""
    frame = histories(520)[name]
    assert len(bars_of(frame)) == 520
    assert (frame["high"] >= frame[["open", "close"]].max(axis=1)).all()
    assert (frame["low"] <= frame[["open", "close"]].min(axis=1)).all()
    assert (frame["low"] > 0).all()


@pytest.mark.parametrize("future", [*OF_BARS, *OF_SERIES], ids=lambda future: future.__name__)
def test_other_futures_leave_the_past_alone(future):
    """Up to the cut nothing differs, after it something does, and bars take it where they are to."""
    frame = histories(120)["walk"]
    other = changed(frame, 70, future, np.random.default_rng(1))
    pd.testing.assert_frame_equal(other.iloc[:71], frame.iloc[:71])
    assert not other.iloc[71:].equals(frame.iloc[71:])
    if future in OF_BARS:
        assert len(bars_of(other)) == 120


def test_cuts_lie_where_it_shows():
    """Among them: before the largest move, at the largest change of the output, at the end of a year."""
    frame = histories(420)["storms"]
    output = np.where(np.arange(len(frame)) == 200, 9.0, 0.0)[:, None]
    rows = cuts(frame, output, np.random.default_rng(1))
    largest = int(np.abs(np.diff(np.log(frame["close"]))).argmax())
    years = np.flatnonzero(np.diff(frame.index.year))
    assert {largest, 200, int(years[0])} <= set(rows)
    assert rows == sorted(set(rows))
