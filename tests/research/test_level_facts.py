"""Levels as facts, and back."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from tickerbook.bars import Bars
from tickerbook.errors import DataError
from tickerbook.facts import Facts
from tickerbook.research.levels import Level, find_levels, level_facts, levels_from_facts

COLUMNS = {
    "price",
    "low",
    "high",
    "side",
    "method",
    "formed",
    "known",
    "touches",
    "distance",
    "distance_atr",
    "family",
    "kind",
    "families",
}
SUPPORT = Level(95.0, 94.0, 96.0, "support", "prior week low", date(2018, 1, 5), date(2018, 1, 9), 2)
RESISTANCE = Level(
    108.0, 107.0, 109.0, "resistance", "swing high and low", date(2017, 3, 1), date(2017, 3, 8), 0
)


def bars(closes, *, half_range=1.0):
    """Bars at the given closes, sessions ending 2018-02-02; the true range is twice `half_range` if they stand still."""
    frame = pd.DataFrame({"close": [float(close) for close in closes]})
    frame.index = pd.bdate_range(end="2018-02-02", periods=len(closes), name="session")
    frame = frame.assign(
        open=frame["close"], high=frame["close"] + half_range, low=frame["close"] - half_range, volume=1.0
    )
    columns = ["open", "high", "low", "close", "volume"]
    return Bars(frame[columns], "TEST", "XNYS", "USD", "split", "a source", datetime(2018, 2, 3, tzinfo=UTC))


def test_levels_come_back_as_they_were():
    """Facts, stored as JSON and read again, give equal levels in the same order."""
    history = bars([100 + (row * 7) % 13 for row in range(150)])
    levels = find_levels(history)
    stored = Facts.from_json(level_facts(levels, history).to_json())
    assert levels
    assert levels_from_facts(stored) == levels


def test_each_level_is_a_row_with_every_column():
    """Numbered from 1 in the order given."""
    facts = level_facts([RESISTANCE, SUPPORT], bars([100] * 20))
    assert [set(row) for row in facts.rows("level")] == [COLUMNS, COLUMNS]
    assert facts.value("level.1.price") == 108.0
    assert facts["level.2.method"].text == "prior week low"
    assert facts["level.2.formed"].text == "2018-01-05"


def test_the_last_price_is_told_with_its_change_and_origin():
    """98 to 100 is 2.0 %; the ATR of a range of 2 is $2.00."""
    facts = level_facts([], bars([98] * 18 + [98, 100], half_range=1.0))
    assert facts["price.close"].text == "$100.00"
    assert facts["price.change"].text == "2.0 %"
    assert facts["price.session"].text == "2018-02-02"
    assert facts["price.sessions"].text == "20 sessions"
    assert facts["price.source"].text == "a source"
    assert facts.value("price.first") == bars([98] * 20).first.isoformat()
    assert {fact.as_of for fact in facts.values()} == {date(2018, 2, 2)}


def test_distances_are_from_the_close_and_never_negative():
    """From 100 with an ATR of 2: support at 95 is 5 % and 2.5 ATR away, resistance at 108 8 % and 4 ATR."""
    facts = level_facts([RESISTANCE, SUPPORT], bars([100] * 20))
    assert facts.value("support.distance") == pytest.approx(0.05)
    assert facts.value("support.distance_atr") == pytest.approx(2.5)
    assert facts["resistance.distance"].text == "8.0 %"
    assert facts["resistance.distance_atr"].text == "4.0 ATR"
    assert facts.value("level.2.distance") == facts.value("support.distance")
    assert facts.value("resistance.method") == "swing high and low"


def test_what_does_not_exist_is_missing_not_zero():
    """No resistance, no range: every fact is there, without a value."""
    facts = level_facts([SUPPORT], bars([100] * 20, half_range=0.0))
    assert {facts[f"resistance.{part}"].value for part in ("price", "low", "high", "method", "distance")} == {
        None
    }
    assert facts["support.distance_atr"].value is None
    assert facts["price.atr"].value == 0.0
    assert level_facts([], bars([100]))["price.change"].value is None
    assert level_facts([], bars([100]))["price.atr"].value is None


def test_a_price_below_one_is_shown_with_four_decimals():
    """Cents would hide the level."""
    facts = level_facts([], bars([0.1234] * 20, half_range=0.01))
    assert facts["price.close"].text == "$0.1234"


def test_facts_without_levels_give_none():
    """Nothing was found, which is an answer."""
    assert levels_from_facts(level_facts([], bars([100] * 20))) == ()


def test_an_incomplete_row_is_refused():
    """A level without its zone is not guessed."""
    facts = level_facts([SUPPORT], bars([100] * 20))
    broken = Facts(fact for name, fact in facts.items() if name != "level.1.low")
    with pytest.raises(DataError, match="incomplete or damaged"):
        levels_from_facts(broken)
