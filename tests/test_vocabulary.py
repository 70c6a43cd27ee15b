"""The notebook author's vocabulary."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tickerbook as tb

LIB = Path(tb.__file__).parent


def test_vocabulary_is_small_and_sorted():
    """A notebook's author learns under twenty names."""
    assert len(tb.__all__) < 20
    assert list(tb.__all__) == sorted(set(tb.__all__))


@pytest.mark.parametrize("name", tb.__all__)
def test_every_name_is_there_and_documented(name):
    """Each name loads, is what its home calls so, and says what it is."""
    thing = getattr(tb, name)
    assert thing.__name__ == name
    assert thing.__doc__


def test_type_checkers_see_the_same_names():
    """What is imported for type checkers is what is loaded when used."""
    tree = ast.parse((LIB / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module.removeprefix("tickerbook.") for node in block.body for alias in node.names
    }
    assert seen == tb._HOMES
    assert set(seen) == set(tb.__all__)


def test_unknown_name_is_an_attribute_error():
    """A misspelt name is refused, with the names there are."""
    with pytest.raises(AttributeError, match="load_bars"):
        tb.load_bar  # noqa: B018 - the look-up is what fails


def test_names_complete_in_the_editor():
    """`dir` gives the vocabulary and nothing else."""
    assert dir(tb) == sorted(tb.__all__)


def test_import_is_quick_because_nothing_heavy_is_loaded():
    """`import tickerbook` loads neither pandas nor anything else that takes time."""
    code = "import sys, tickerbook, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"pandas", "numpy", "scipy", "plotly", "vectorbt", "IPython", "pydantic"}


def test_charts_and_levels_do_without_the_backtester():
    """A notebook that draws levels does not pay for vectorbt, nor for plotly."""
    code = "import sys, tickerbook as tb, json; tb.find_levels, tb.chart_levels, tb.load_bars, tb.publish, tb.compare; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & {"vectorbt", "plotly"}
