"""A toy project with the real page sources and look; synthetic runs to put into its store."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import toys

from tickerbook.settings import Settings
from tickerbook.site.build import BuildResult, Renderer, build
from tickerbook.store import RunResult, RunStore

QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture
def toy(tmp_path: Path, root: Path) -> Settings:
    """Three tickers and nothing run."""
    return toys.toy_project(root, tmp_path / "project")


@pytest.fixture
def store(toy: Settings) -> RunStore:
    """The toy's run store, empty."""
    return RunStore(toy.runs)


@pytest.fixture
def put_good(store: RunStore) -> Callable[..., RunResult]:
    """Store good runs of all notebooks for a ticker; gives the report."""
    return partial(toys.put_good, store)


@pytest.fixture(scope="module", params=["pandoc", pytest.param("quarto", marks=pytest.mark.quarto)])
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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's browser; pages are opened without a network."""
    command = shutil.which("chromium")
    if command is None:
        pytest.skip("there is no chromium on this machine")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not needed where there is no browser

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=command, args=QUIET)
        yield browser
        browser.close()
