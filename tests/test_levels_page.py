"""docs/levels.md says what the code does."""

import importlib.util
import sys

import pytest

from tickerbook.research.frozen import PLACEBOS
from tickerbook.research.league import LEAST, LEAST_CELL, LEAST_QUARTERS
from tickerbook.research.race import HORIZON
from tickerbook.research.study import STEP, TREND

WORDS = {8: "eight", 10: "tenth"}


@pytest.fixture(scope="module")
def text(root):
    """The page."""
    return (root / "docs/levels.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def computed(root):
    """The module that measures its tables."""
    spec = importlib.util.spec_from_file_location("level_tables", root / "tests/benchmarks/levels.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_that_are_measured(text, computed):
    """If this fails and the new numbers are right: python tests/benchmarks/levels.py --write."""
    written = text.split(computed.BEGIN)[1].split(computed.END)[0]
    assert written.strip() == computed.tables().strip()


def test_figures_in_the_prose_are_those_of_the_code(text):
    """Steps, horizon, placebos and thresholds."""
    words = " ".join(text.split())
    for said in (
        f"every {WORDS[STEP]} session",
        f"watched for {HORIZON} sessions",
        f"{WORDS[PLACEBOS]} more prices",
        f"its mean of {TREND} sessions",
        f"below {LEAST} touches or {LEAST_QUARTERS} quarters",
        f"none below {LEAST_CELL} touches",
    ):
        assert said in words
