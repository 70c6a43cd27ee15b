"""The parameters cell is the signature: what it declares is read, everything else is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import NotebookError, ParameterError
from tickerbook.runs.parameters import Parameter, check_values, parse_value, read_parameters

CELL = """\
# What the notebook is about.
ticker = "AAPL"  # symbol
session = ""

zone_atr: float = 1  # half width, ATR
shift = -0.5
days = 120  # sessions # of them
flag = True
methods = [  # which
    "prior",
    "pivots",
]  # by name
weights = [1, 0.5]
names: list[str] = []
stop: float | None = None  # currency a share
"""
DECLARED = read_parameters(CELL, "levels")


def test_a_cell_declares_names_types_defaults_and_meanings():
    """Each assignment is a parameter, typed by annotation or default, with the comment of its last line."""
    assert list(DECLARED) == [
        Parameter("ticker", "str", "AAPL", "symbol"),
        Parameter("session", "str", "", ""),
        Parameter("zone_atr", "float", 1.0, "half width, ATR"),
        Parameter("shift", "float", -0.5, ""),
        Parameter("days", "int", 120, "sessions # of them"),
        Parameter("flag", "bool", True, ""),
        Parameter("methods", "list[str]", ["prior", "pivots"], "by name"),
        Parameter("weights", "list[float]", [1.0, 0.5], ""),
        Parameter("names", "list[str]", [], ""),
        Parameter("stop", "float | None", None, "currency a share"),
    ]


def test_an_empty_cell_declares_nothing():
    """A notebook may have no parameter of its own."""
    assert read_parameters("# nothing to choose\n", "levels") == ()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("n = 1 + m", "not a literal"),
        ("n = int('3')", "not a literal"),
        ("n = {[]: 1}", "not a literal"),
        ("n = -x", "not a literal"),
        ("a, b = 1, 2", "not an assignment"),
        ("a = b = 1", "not an assignment"),
        ("n += 1", "not an assignment"),
        ("x.n = 1", "not an assignment"),
        ("import os", "not an assignment"),
        ("print(1)", "not an assignment"),
        ("n: int", "not an assignment"),
        ("%matplotlib inline", "not Python"),
        ("n = ", "not Python"),
        ("n = 1\nn = 2", "n is assigned twice"),
        ("n = []", "type of n"),
        ("n = None", "type of n"),
        ("n = {}", "type of n"),
        ("n = (1, 2)", "type of n"),
        ("n = [1, 'a']", "type of n"),
        ("n = [[1]]", "type of n"),
        ("n = b'x'", "type of n"),
        ("n: dict = {}", "type of n"),
        ("n: Path = 'x'", "type of n"),
        ("n: int = 1.5", "not a whole number"),
        ("n: int = True", "not a whole number"),
        ("n: list[int] = ['a']", "not a list of whole numbers"),
        ("n = 1e999", "not a number"),
    ],
)
def test_any_other_line_is_refused(source, problem):
    """The error names the notebook and what is wrong, and shows the way out."""
    with pytest.raises(NotebookError, match=problem) as raised:
        read_parameters(source, "notebooks/levels.ipynb")
    assert "notebooks/levels.ipynb" in raised.value.message
    assert raised.value.remedy


def test_values_are_the_given_and_else_the_defaults():
    """What is not given keeps its default; what is given is there."""
    values = check_values(DECLARED, {"days": 60, "stop": 12.5}, "levels")
    assert (values["days"], values["stop"], values["ticker"]) == (60, 12.5, "AAPL")
    assert list(values) == [p.name for p in DECLARED]


def test_a_whole_number_is_taken_for_a_number():
    """1 where 1.0 is meant becomes 1.0, so that both have one key."""
    value = check_values(DECLARED, {"zone_atr": 1}, "levels")["zone_atr"]
    assert (value, type(value)) == (1.0, float)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("days", True),
        ("days", 1.0),
        ("days", "120"),
        ("days", None),
        ("zone_atr", "0.5"),
        ("zone_atr", True),
        ("zone_atr", math.nan),
        ("zone_atr", -math.inf),
        ("zone_atr", 10**400),
        ("zone_atr", np.float64(1)),
        ("flag", 1),
        ("flag", np.True_),
        ("ticker", 700),
        ("ticker", None),
        ("methods", "prior"),
        ("methods", ["prior", 1]),
        ("weights", [1, math.nan]),
        ("weights", {"a": 1}),
    ],
)
def test_another_type_is_refused(name, value):
    """Nothing is converted but a whole number to a number; the error names the parameter."""
    with pytest.raises(ParameterError, match=rf"levels: {name} takes"):
        check_values(DECLARED, {name: value}, "levels")


def test_an_unknown_name_is_refused_with_the_nearest():
    """A misspelt parameter is an error, never silence."""
    with pytest.raises(ParameterError, match=r"zone_art.*Did you mean zone_atr"):
        check_values(DECLARED, {"zone_art": 1.0}, "levels")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ticker=NAN", "NAN"),
        ("ticker=ON", "ON"),
        ("ticker=0700", "0700"),
        ("ticker=1E5", "1E5"),
        ("ticker=000001", "000001"),
        ("ticker=true", "true"),
        ("ticker=None", "None"),
        ("ticker=a=b", "a=b"),
        ("ticker=", ""),
        ("zone_atr=1e-3", 0.001),
        ("zone_atr=2", 2.0),
        ("days=60", 60),
        ("days=-1", -1),
        ("flag=False", False),
        ("methods=prior,swings", ["prior", "swings"]),
        ("methods=0700", ["0700"]),
        ("weights=1, 2.5", [1.0, 2.5]),
        ("names=", []),
        ("stop=", None),
        ("stop=3", 3.0),
        (" days =7", 7),
    ],
)
def test_a_text_is_typed_by_the_cell(text, expected):
    """`name=value` becomes what the cell declares, and never what the value looks like."""
    _, value = parse_value(DECLARED, text, "levels")
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    "text",
    [
        "days=1e5",
        "days=",
        "days=1.0",
        "zone_atr=nan",
        "zone_atr=inf",
        "zone_atr=wide",
        "flag=1",
        "weights=1,,2",
    ],
)
def test_a_text_of_another_type_is_refused(text):
    """The error shows the parameter, what it takes and what was given."""
    with pytest.raises(ParameterError, match=text.partition("=")[0]):
        parse_value(DECLARED, text, "levels")


@pytest.mark.parametrize("text", ["days", "", "no_such=1", "=1"])
def test_a_text_without_a_known_name_is_refused(text):
    """A parameter needs a name that the cell has, and a value."""
    with pytest.raises(ParameterError):
        parse_value(DECLARED, text, "levels")


def test_a_refused_value_is_shown_in_short():
    """A page of text given by mistake does not fill the screen."""
    with pytest.raises(ParameterError) as raised:
        parse_value(DECLARED, "days=" + "9" * 5000 + "x", "levels")
    assert len(raised.value.message) < 200


@given(st.text())
def test_any_text_arrives_unchanged(text):
    """A text parameter takes every text, to the letter."""
    assert parse_value(DECLARED, f"ticker={text}", "levels") == ("ticker", text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_arrives_unchanged(number):
    """A number written by Python is read back to the last bit."""
    assert parse_value(DECLARED, f"zone_atr={number!r}", "levels") == ("zone_atr", number)
