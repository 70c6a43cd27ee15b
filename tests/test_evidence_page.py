"""What docs/backtests.md says of skill, luck and gates is what the code does."""

import importlib.util
import sys
import tomllib
from dataclasses import replace

import pytest

from tickerbook.research.backtest import backtest_facts, compare
from tickerbook.research.validation.clusters import ALIKE


@pytest.fixture(scope="module")
def text(root):
    """The page."""
    return (root / "docs/backtests.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def computed(root):
    """The module that computes its tables of evidence."""
    folder = root / "tests/benchmarks"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        spec = importlib.util.spec_from_file_location("evidence_tables", folder / "evidence.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        yield module


def test_the_table_of_one_ticker_is_the_one_that_is_computed(text, computed):
    """If this fails and the new numbers are right: python tests/benchmarks/evidence.py --write.

    All tickers take too long to compute here; whatever changes their table changes this one.
    """
    trials = []
    bars = replace(computed.sample()[computed.ALONE], witness=trials.append)
    books = {computed.ALONE: backtest_facts(compare(bars, None, computed.COSTS), bars)}
    written = text.split(computed.BEGIN)[1].split(computed.END)[0]
    assert "\n".join(computed.shown(f"{computed.ALONE} alone", computed.gathered(books, trials))) in written


def test_figures_in_the_prose_are_those_of_params(root, text):
    """Holdout, threshold and the least stage, as delivered."""
    stages = tomllib.loads((root / "params/strategies.toml").read_text(encoding="utf-8"))["strategies"]
    gate = tomllib.loads((root / "params/gates.toml").read_text(encoding="utf-8"))["paper"]
    words = " ".join(text.split())
    assert f"the newest {stages['holdout']} sessions of it" in words
    assert f"as delivered that is `{stages['stage']}`" in words
    allowed = f"{1 - gate['deflated_sharpe']:.0%}".replace("%", " %")
    assert f"the {allowed} that a deflated Sharpe ratio of {gate['deflated_sharpe']:.2f} allows" in words


def test_alike_is_what_the_page_says(text):
    """Monthly returns that correlate by half are one idea."""
    assert ALIKE == 0.5
    assert "correlate by half or more are one" in " ".join(text.split())
