"""The key of a run: everything that could change the outcome is in it, and nothing else."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tickerbook.runs.key import ROOT, Ingredients, dependencies_digest, library_digest, versions

MADE_OF = Ingredients(
    notebook="sizing",
    ticker="AAPL",
    session=date(2024, 1, 12),
    parameters={"ticker": "AAPL", "risk_fraction": 0.01},
    code="c",
    bars="b",
    upstream={"levels AAPL": "u"},
    library="l",
    dependencies="d",
)
USED = """
import sys, importlib, pkgutil
import tickerbook
from tickerbook.market.lake import load_bars
for name in tickerbook.__all__:
    getattr(tickerbook, name)
for room in ("research", "display"):
    package = importlib.import_module(f"tickerbook.{room}")
    for module in pkgutil.walk_packages(package.__path__, f"tickerbook.{room}."):
        importlib.import_module(module.name)
print(*(m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "tickerbook" and m.__file__), sep="\\n")
"""


def test_the_same_ingredients_have_the_same_key():
    """The order in which parameters were given does not matter."""
    turned = replace(MADE_OF, parameters=dict(reversed(MADE_OF.parameters.items())))
    assert turned.key == MADE_OF.key
    assert len(MADE_OF.key) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"notebook": "report"},
        {"ticker": "MSFT"},
        {"ticker": None},
        {"session": date(2024, 1, 11)},
        {"parameters": {"ticker": "AAPL", "risk_fraction": 0.02}},
        {"parameters": {"ticker": "AAPL"}},
        {"code": "x"},
        {"bars": "x"},
        {"upstream": {"levels AAPL": "x"}},
        {"upstream": {}},
        {"library": "x"},
        {"dependencies": "x"},
    ],
    ids=str,
)
def test_every_ingredient_is_in_the_key(change):
    """Whatever changes, the key does."""
    assert replace(MADE_OF, **change).key != MADE_OF.key


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_equals_nothing_has_no_key(value):
    """NaN is refused: a run with it could never be found again."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        _ = replace(MADE_OF, parameters={"x": value}).key


@pytest.fixture
def library(tmp_path):
    """A small library with a file in each room."""
    names = [
        "bars.py",
        "research/levels/pivots.py",
        "display/charts.py",
        "market/lake.py",
        "market/providers/yahoo.py",
    ]
    names += [
        "market/sourcing.py",
        "runs/key.py",
        "narrative/plain.py",
        "site/build.py",
        "cli.py",
        "__init__.py",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "bars.py",
        "research/levels/pivots.py",
        "display/charts.py",
        "market/lake.py",
        "__init__.py",
        "research/new.py",
    ],
)
def test_code_that_a_notebook_can_import_counts(library, name):
    """A helper edited, or a file added, makes another digest."""
    before = library_digest(library)
    (library / name).write_text("x = 2\n", encoding="utf-8")
    assert library_digest(library) != before


@pytest.mark.parametrize(
    "name",
    [
        "market/providers/yahoo.py",
        "market/sourcing.py",
        "runs/key.py",
        "narrative/plain.py",
        "site/build.py",
        "cli.py",
    ],
)
def test_code_that_no_notebook_can_import_does_not_count(library, name):
    """The site's or the runner's code can be edited without running anything again."""
    before = library_digest(library)
    (library / name).write_text("x = 2\n", encoding="utf-8")
    assert library_digest(library) == before


def test_moved_code_counts(library):
    """The same text under another name is another library."""
    before = library_digest(library)
    (library / "bars.py").rename(library / "rods.py")
    assert library_digest(library) != before


def test_no_module_that_a_notebook_imports_is_left_out(tmp_path):
    """Of the real library, whatever `import tickerbook` reaches changes the digest when it is edited."""
    done = subprocess.run(
        [sys.executable, "-c", USED], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    used = [Path(line).relative_to(ROOT) for line in done.stdout.splitlines()]
    assert len(used) > 20
    for path in used:
        copy = tmp_path / "lib" / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("x = 1\n", encoding="utf-8")
        before = library_digest(tmp_path / "lib")
        copy.write_text("x = 2\n", encoding="utf-8")
        assert library_digest(tmp_path / "lib") != before, f"{path} is not in the key"


def test_a_pin_counts(tmp_path):
    """Another version in requirements.lock makes another digest; so does having the file at all."""
    bare = dependencies_digest(tmp_path)
    (tmp_path / "requirements.lock").write_text("numpy==2.4.6\n", encoding="utf-8")
    pinned = dependencies_digest(tmp_path)
    (tmp_path / "requirements.lock").write_text("numpy==2.4.7\n", encoding="utf-8")
    assert len({bare, pinned, dependencies_digest(tmp_path)}) == 3


def test_an_installed_version_counts(tmp_path, monkeypatch):
    """Without a lock, what is installed counts."""
    before = dependencies_digest(tmp_path)
    monkeypatch.setattr("tickerbook.runs.key.version", lambda _name: "0")
    assert dependencies_digest(tmp_path) != before


def test_versions_leave_out_what_is_not_installed():
    """A package that is not there is not an error."""
    assert list(versions(("numpy", "no-such-package"))) == ["numpy"]
