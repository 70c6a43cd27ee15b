"""The key of a run: everything that could change the outcome is in it, and nothing else."""

import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest

import tickerbook
from tickerbook.runs.key import Ingredients, dependencies_digest, read_library, versions
from tickerbook.runs.uses import modules_used

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
import os, sys
import tickerbook
for word in tickerbook.__all__:
    if not os.fork():  # each word in a process of its own
        getattr(tickerbook, word)
        print(word, *(name for name in sys.modules if name.split(".")[0] == "tickerbook"), flush=True)
        os._exit(0)
    os.wait()
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


CODE = ("import tickerbook as tb", "tb.find_levels(1)")


@pytest.fixture
def library(tmp_path):
    """A small library with a file in each room."""
    files = {
        "__init__.py": '_HOMES = {"find_levels": "research.levels", "publish": "display.publish"}',
        "bars.py": "from tickerbook.errors import X",
        "errors.py": "",
        "research/__init__.py": "",
        "research/levels/__init__.py": "from importlib import import_module\nfrom tickerbook.bars import Bars",
        "research/levels/pivots.py": "def f():\n    from tickerbook.research.level import Level",
        "research/level.py": "",
        "research/sizing.py": "",
        "display/publish.py": "",
        "market/sourcing.py": "",
        "cli.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n", encoding="utf-8")
    return tmp_path


def changed(library, name, *code):
    """Whether a file that is edited, or added, makes another digest for a notebook of that code."""
    before = read_library(library).digest(code or CODE)
    with (library / name).open("a", encoding="utf-8") as file:
        file.write("x = 2\n")
    return read_library(library).digest(code or CODE) != before


@pytest.mark.parametrize(
    "name",
    [
        "research/levels/__init__.py",
        "research/levels/pivots.py",
        "research/levels/new.py",
        "research/level.py",
        "bars.py",
        "errors.py",
    ],
)
def test_code_that_a_notebook_reaches_counts(library, name):
    """What it names, what that imports, inside functions too, and each file of a folder that is searched."""
    assert changed(library, name)


@pytest.mark.parametrize("name", ["research/sizing.py", "display/publish.py", "market/sourcing.py", "cli.py"])
def test_code_that_a_notebook_does_not_reach_does_not_count(library, name):
    """Another strategy's, the site's or a vendor's code is edited without running it again."""
    assert not changed(library, name)


@pytest.mark.parametrize(
    "code",
    [
        "from tickerbook.research import sizing",
        "from tickerbook.research.sizing import size",
        "import tickerbook.research.sizing",
        "def f():\n    import tickerbook.research.sizing as s",
        "%%time\nfrom tickerbook.research import sizing",
        "getattr(tb, 'trade_plan')",
        "words = dir(tickerbook)",
        "this is no Python",
    ],
)
def test_every_way_to_import_is_seen(library, code):
    """And where it cannot be said what is used, everything is."""
    assert changed(library, "research/sizing.py", code)


def test_words_of_the_vocabulary_lead_home(library):
    """`tb.publish` and `from tickerbook import publish` use the same file."""
    assert changed(library, "display/publish.py", "tb.publish()")
    assert changed(library, "display/publish.py", "from tickerbook import publish")


def test_moved_code_counts(library):
    """The same text under another name is another library."""
    before = read_library(library).digest(CODE)
    (library / "research/levels/pivots.py").rename(library / "research/levels/points.py")
    assert read_library(library).digest(CODE) != before


def test_no_module_that_a_word_loads_is_left_out(tmp_path):
    """Of the real library, whatever each word of the vocabulary really loads is in the digest of its use."""
    done = subprocess.run(
        [sys.executable, "-c", USED], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    sources = read_library().sources
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == len(tickerbook.__all__)
    for word, *loaded in lines:
        assert set(loaded) - modules_used([f"tb.{word}"], sources) <= {"tickerbook"}, word


def test_nothing_is_imported_by_name_unseen():
    """Modules that import by name are those that search a folder; how others would is not understood."""
    by_name = {
        name
        for name, source in read_library().sources.items()
        if b"import_module(" in source and b"__path__" not in source and b"__name__" not in source
    }
    assert by_name <= {"tickerbook.market.keys", "tickerbook.runs.zygote"}


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
