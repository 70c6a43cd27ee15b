"""docs/backtests.md says what the code does."""

import importlib.util
import re
import sys
from dataclasses import fields

import pytest

from tickerbook.research.backtest import backtest_facts, compare
from tickerbook.research.backtest_result import Schedule
from tickerbook.research.costs import LIQUIDITY_SESSIONS, Costs
from tickerbook.research.intervals import LEVEL, REPETITIONS
from tickerbook.sessions import sessions_a_year


@pytest.fixture(scope="module")
def text(root):
    """The page."""
    return (root / "docs/backtests.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def computed(root):
    """The module that computes its tables."""
    spec = importlib.util.spec_from_file_location("backtest_tables", root / "tests/benchmarks/backtests.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_that_are_computed(text, computed):
    """If this fails and the new numbers are right: python tests/benchmarks/backtests.py --write.

    The means over all tickers take too long to compute here; whatever changes them changes these two.
    """
    bars = computed.sample()
    facts = backtest_facts(compare(bars[computed.SHOWN], None, computed.COSTS), bars[computed.SHOWN])
    written = text.split(computed.BEGIN)[1].split(computed.END)[0]
    for section in (computed.shown(facts), computed.impacts(bars)):
        assert "\n".join(section) in written


def test_parameters_that_are_named_exist(text):
    """Names in code style are fields of costs and schedule."""
    known = {field.name for kind in (Costs, Schedule) for field in fields(kind)}
    assert known <= set(re.findall(r"`([a-z_]+)(?: = 0)?`", text))


def test_figures_in_the_prose_are_those_of_the_code(text):
    """Sessions, samples and levels."""
    words = " ".join(text.split())
    for said in (
        f"both of the {LIQUIDITY_SESSIONS} sessions before the order",
        f"draws {REPETITIONS} histories",
        f"{LEVEL:.0%} of their figures".replace("%", " %"),
        f"{sessions_a_year('XNYS')} in New York, {sessions_a_year('24/7')} for what never closes",
    ):
        assert said in words


def test_the_measured_promises_are_kept(text):
    """The table of seconds says that they are, as measured when it was written."""
    to_bare, most, to_loop, least = map(
        float,
        re.search(
            r"takes ([\d.]+) times .* at most ([\d.]+)\), and the loop ([\d.]+) times .* at least ([\d.]+)\)",
            text,
        ).groups(),
    )
    assert to_bare <= most
    assert to_loop >= least
