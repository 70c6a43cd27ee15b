"""A project whose notebooks have run on real sample prices, once for all tests of this folder."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tickerbook.market.lake import Lake
from tickerbook.market.sourcing import fetch
from tickerbook.runs.runner import run_all
from tickerbook.settings import load_settings
from tickerbook.store import RunStore

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2013, 3, 4, 12, tzinfo=UTC)
UNIVERSE = """\
title = "Notebook tests"
providers = ["sample"]
tickers = ["FB", "IBM"]
"""


@pytest.fixture(scope="session")
def ran(tmp_path_factory):
    """A project of two tickers, one of them with less than a year of prices, after a scheduled run."""
    project = tmp_path_factory.mktemp("ran") / "project"
    shutil.copytree(ROOT / "params", project / "params")
    shutil.copytree(ROOT / "notebooks", project / "notebooks", ignore=shutil.ignore_patterns(".*"))
    (project / "params" / "universe.toml").write_text(UNIVERSE, encoding="utf-8")
    settings = load_settings(project)
    fetch(settings.tickers, Lake(settings.lake), now_at=NOW, on_done=lambda _: None)
    results = run_all(settings, ["FB", "IBM"], clock=lambda: NOW)
    return settings, results, RunStore(settings.runs)
