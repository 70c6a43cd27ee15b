"""Facts: what a reader sees of each unit, what counts as missing, and that nothing is lost on the way."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import DataError
from tickerbook.facts import MISSING, Fact, Facts
from tickerbook.files import dump_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_infinity=False) | st.text(ALPHABET := st.characters(codec="utf-8"))  # fmt: skip
FACTS = st.lists(
    st.builds(
        Fact,
        name=st.text(ALPHABET, min_size=1),
        value=SCALARS | st.lists(SCALARS, max_size=3).map(tuple),
        label=st.text(ALPHABET),
        unit=st.sampled_from(["", "USD", "CHF", "fraction", "sessions", "shares", "bps", "ATR", "R", "date"]),
        digits=st.none() | st.integers(0, 6),
        as_of=st.none() | st.dates(),
        notebook=st.none() | st.just("levels"),
        cell=st.none() | st.integers(0, 12),
    ),
    unique_by=lambda fact: fact.name,
).map(Facts)


def _fact(value, unit="", digits=None):
    return Fact("support.price", value, "Support", unit, digits)


@pytest.mark.parametrize(
    ("value", "unit", "digits", "text"),
    [
        (431.2, "USD", 2, "$431.20"),
        (1234567.891, "USD", None, "$1,234,567.89"),
        (-3.5, "USD", 2, "−$3.50"),
        (-0.001, "USD", 2, "$0.00"),
        (12.5, "EUR", None, "€12.50"),
        (12.5, "GBP", 1, "£12.5"),
        (12.6, "JPY", 0, "¥13"),
        (12.5, "CHF", 2, "12.50 CHF"),
        (0.05, "fraction", None, "5.0 %"),
        (-0.1234, "fraction", 2, "−12.34 %"),
        (-0.0001, "fraction", 1, "0.0 %"),
        (1, "fraction", 0, "100 %"),
        (12, "sessions", None, "12 sessions"),
        (1, "sessions", None, "1 session"),
        (0, "shares", None, "0 shares"),
        (1, "shares", 0, "1 share"),
        (10000, "shares", None, "10,000 shares"),
        (5.0, "bps", 0, "5 bps"),
        (1.26, "ATR", 1, "1.3 ATR"),
        (-1, "R", None, "−1 R"),
        (2.0, "R", 1, "2.0 R"),
        ("2013-03-01", "date", None, "2013-03-01"),
        ("pivots", "", None, "pivots"),
        (3, "", None, "3"),
        (0.5, "", None, "0.5"),
        (True, "", None, "yes"),
        (False, "", None, "no"),
        (None, "USD", 2, "–"),
        ((1, 2, 3), "", None, "3 values"),
    ],
)
def test_each_unit_reads_as_readers_expect(value, unit, digits, text):
    """Sign, grouping, decimals and unit stand as in print; one thing is singular."""
    assert _fact(value, unit, digits).text == text


@pytest.mark.parametrize(
    "value", [None, float("nan"), np.nan, np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT")], ids=repr
)
def test_missing_is_none_whoever_says_it(value):
    """Every library's way of saying "missing" is one value, shown as a dash; never zero."""
    fact = _fact(value, "USD")
    assert (fact.value, fact.text) == (None, MISSING)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (date(2013, 3, 1), "2013-03-01"),
        (datetime(2013, 3, 1, tzinfo=UTC), "2013-03-01"),
        (pd.Timestamp("2013-03-01"), "2013-03-01"),
        (np.datetime64("2013-03-01T00:00:00", "ns"), "2013-03-01"),
        ([1, float("nan"), None], (1, None, None)),
        (np.array([1.5, np.nan]), (1.5, None)),
    ],
    ids=repr,
)
def test_values_become_plain(value, plain):
    """Numbers and dates of numpy and pandas become what JSON knows, of the same kind."""
    kept = _fact(value).value
    assert (kept, type(kept)) == (plain, type(plain))


@pytest.mark.parametrize("value", [float("inf"), -np.inf, [1.0, float("inf")]], ids=repr)
def test_infinity_is_refused(value):
    """A division by zero is found where it happens; the fact is named."""
    with pytest.raises(DataError, match=r"'support\.price' is infinite"):
        _fact(value)


@pytest.mark.parametrize("value", [Decimal(1), {"a": 1}, object, b"x", [[1]], 1j, pd.Series([1])], ids=repr)
def test_foreign_values_are_refused(value):
    """What JSON does not know is no fact; the message says what a fact may be."""
    with pytest.raises(DataError, match="A fact is a number, text, date"):
        _fact(value)


def test_a_name_belongs_to_one_fact():
    """Two facts of one name are a mistake, also when two sets are merged."""
    with pytest.raises(DataError, match=r"'support\.price'"):
        Facts([_fact(1), _fact(2)])
    with pytest.raises(DataError, match="Publish each name once"):
        Facts([_fact(1)]) | Facts([_fact(1)])


def test_merged_facts_keep_their_order():
    """The facts of the left come first."""
    assert list(Facts([Fact("b", 1, "")]) | Facts([Fact("a", 2, "")])) == ["b", "a"]


def test_value_of_an_absent_or_missing_fact_is_the_default():
    """Absent and missing are treated alike, zero and no are values."""
    facts = Facts([Fact("zero", 0, ""), Fact("no", False, ""), Fact("gone", None, "")])
    assert [facts.value(name, "?") for name in ("zero", "no", "gone", "absent")] == [0, False, "?", "?"]


def test_rows_are_tables_by_rising_number():
    """`group.number.column` makes rows; other names are left out."""
    facts = Facts(
        Fact(name, 1, "")
        for name in (
            "level.10.price",
            "level.2.price",
            "level.2.side",
            "level.count",
            "level.²",
            "level.².x",
            "x.1.y",
        )
    )
    rows = facts.rows("level")
    assert [list(row) for row in rows] == [["price", "side"], ["price"]]
    assert rows[1]["price"].name == "level.10.price"


def test_publishing_marks_only_own_facts():
    """Facts taken over from another notebook keep saying where they were computed."""
    facts = Facts([Fact("a", 1, ""), Fact("b", 1, "", notebook="levels", cell=3)]).published("report", 5)
    assert [(fact.notebook, fact.cell) for fact in facts.values()] == [("report", 5), ("levels", 3)]


@given(FACTS)
def test_facts_come_back_from_json(facts):
    """What is stored is what was published, through strict JSON text with sorted keys."""
    back = Facts.from_json(json.loads(dump_json(facts.to_json())))
    assert back == facts
    assert back.digest == facts.digest


@given(FACTS)
def test_who_published_is_not_in_the_digest(facts):
    """The same facts from another cell are the same facts."""
    elsewhere = Facts.from_json({n: {**e, "notebook": "x", "cell": 99} for n, e in facts.to_json().items()})
    assert elsewhere.digest == facts.digest


@pytest.mark.parametrize(
    "other",
    [
        Fact("b", 1, "A", "USD", 2),
        Fact("a", 1.5, "A", "USD", 2),
        Fact("a", None, "A", "USD", 2),
        Fact("a", 1, "B", "USD", 2),
        Fact("a", 1, "A", "EUR", 2),
        Fact("a", 1, "A", "USD", 3),
        Fact("a", 1, "A", "USD", 2, date(2013, 3, 1)),
    ],
)
def test_anything_a_reader_could_see_is_in_the_digest(other):
    """Name, value, label, unit, decimals and session each count."""
    assert Facts([other]).digest != Facts([Fact("a", 1, "A", "USD", 2)]).digest


@pytest.mark.parametrize(
    "stored",
    [
        [],
        {"a": 1},
        {"a": {}},
        {"a": {"value": 1}},
        {"a": {**Fact("a", 1, "").to_json(), "as_of": "yesterday"}},
        {"a": {**Fact("a", 1, "").to_json(), "value": {"b": 1}}},
        {"a": {**Fact("a", 1, "").to_json(), "value": float("inf")}},
    ],
    ids=repr,
)
def test_what_is_no_set_of_facts_is_refused(stored):
    """A foreign or damaged file does not become facts."""
    with pytest.raises(DataError):
        Facts.from_json(stored)
