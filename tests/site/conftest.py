"""A toy project with the real page sources and look; synthetic runs to put into its store."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import toys

from tickerbook.settings import Settings, load_settings
from tickerbook.site.build import BuildResult, Renderer, build
from tickerbook.store import RunResult, RunStore


@pytest.fixture
def toy(make_project: Callable[..., Path], root: Path) -> Settings:
    """Three tickers and nothing run."""
    project = make_project(toys.UNIVERSE)
    shutil.copy(root / "_quarto.yml", project)
    generated = shutil.ignore_patterns("tickers", "_generated", "plotly.min.js")
    shutil.copytree(root / "reports", project / "reports", ignore=generated)
    return load_settings(project)


@pytest.fixture
def store(toy: Settings) -> RunStore:
    """The toy's run store, empty."""
    return RunStore(toy.runs)


@pytest.fixture
def put_good(store: RunStore) -> Callable[..., RunResult]:
    """Store good runs of all notebooks for a ticker; gives the report."""

    def put(ticker: str, *, report: str | None = None, session: Any = toys.SESSION) -> RunResult:
        for name in ("levels", "backtest", "sizing"):
            store.put(toys.toy_result(name, ticker, session=session), toys.notebook_text())
        facts = toys.toy_facts(session)
        result = toys.toy_result("report", ticker, facts=facts, session=session)
        store.put(result, report or toys.toy_report())
        store.put_narrative(result, toys.toy_narrative(facts))
        return result

    return put


@pytest.fixture(params=["pandoc", pytest.param("quarto", marks=pytest.mark.quarto)])
def renderer(request: pytest.FixtureRequest) -> Renderer:
    """Both renderers: pages of either must pass the same tests."""
    if request.param == "quarto" and shutil.which("quarto") is None:
        pytest.skip("there is no quarto command on this machine")
    return Renderer(request.param)


@pytest.fixture
def build_toy(toy: Settings, store: RunStore) -> Callable[..., BuildResult]:
    """Build the toy's site with the built-in renderer, or the one named."""

    def made(**options: Any) -> BuildResult:
        return build(toy, store, **{"renderer": Renderer.PANDOC, "now_at": toys.NOW_AT, **options})

    return made
