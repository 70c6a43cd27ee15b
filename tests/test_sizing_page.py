"""docs/sizing.md says what the code does."""

import importlib.util
import re
import sys
import tomllib
from dataclasses import fields

import pytest

from tickerbook.research.sizing import Limits, size_position


@pytest.fixture(scope="module")
def text(root):
    """The page."""
    return (root / "docs/sizing.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def computed(root):
    """The module that computes its tables."""
    spec = importlib.util.spec_from_file_location("sizing_tables", root / "tests/benchmarks/sizing.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_that_are_computed(text, computed):
    """If this fails and the new numbers are right: python tests/benchmarks/sizing.py --write."""
    written = text.split(computed.BEGIN)[1].split(computed.END)[0]
    assert written.strip() == computed.tables().strip()


def test_every_parameter_that_is_named_exists(text):
    """Names in code style are fields of the limits, or tables of risk.toml."""
    known = {field.name for field in fields(Limits)}
    named = set(re.findall(r"`([a-z]+_[a-z_]+)(?: = [a-z]+)?`", text))
    assert named <= known
    assert {"risk_fraction", "require_edge", "max_cluster_heat"} <= named


def test_every_limit_is_explained(text):
    """Each row of the table of a plan has one here."""
    usual = {"entry": 50.0, "stop": 48.0, "equity": 1e5, "risk_fraction": 0.01, "volatility": 0.2}
    every = {"kelly": 1, "heat_left": 1, "cluster_left": 1, "volume": 1e6, "throttle": 1, "conviction": 1}
    caps = size_position(**usual, volatility_target=0.2, **every).caps
    explained = text.split("## The limits")[1].split("## What may go wrong")[0]
    assert re.findall(r"^\| ([a-zK][a-z -]+) \|", explained, re.MULTILINE)[1:] == [cap.method for cap in caps]


def test_its_example_can_be_copied(text):
    """Open positions and earnings are TOML."""
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert set(tomllib.loads(block)) == {"position", "earnings"}
