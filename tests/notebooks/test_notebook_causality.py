"""Every notebook publishes the same without a future and with a wild one, by being in its folder."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
import tomlkit

from tickerbook.market.lake import Lake
from tickerbook.market.sourcing import fetch
from tickerbook.runs.certify import certify_notebooks
from tickerbook.settings import load_settings

pytestmark = pytest.mark.xdist_group("notebooks")  # one project is run once for all of them

ROOT = Path(__file__).parent.parent.parent
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
NOW = datetime(2013, 3, 4, 12, tzinfo=UTC)
UNIVERSE = 'title = "Causality"\nproviders = ["sample"]\ntickers = ["IBM"]\n'
FEW = ["buy_and_hold", "ma_cross"]  # strategies have certificates of their own
LOAD = "import tickerbook as tb\nbars = tb.load_bars(ticker, until=session)"
TOYS = {  # name → (needs, code that gives `value`)
    "all_bars": ((), "value = float(tb.load_bars(ticker).frame['close'].max())"),
    "newest_facts": (("honest",), "value = tb.load_facts('honest', ticker).value('honest.value')"),
    "their_facts": (("honest",), "value = tb.load_facts('honest', ticker, session).value('honest.value')"),
    "honest": ((), "value = float(bars.frame['close'].max())"),
    "other_prices": ((), "value = float(tb.load_bars('IBM', adjustment='split').frame['close'].iloc[0])"),
    "late": ((), "import pandas as pd\nvalue = 1.0"),
}


def _priced(folder):
    """Settings of a project, with real prices of one ticker."""
    (folder / "params" / "universe.toml").write_text(UNIVERSE, encoding="utf-8")
    settings = load_settings(folder)
    fetch(settings.tickers, Lake(settings.lake), now_at=NOW, on_done=lambda _: None)
    return settings


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The certificates of the notebooks of this project, by name."""
    folder = tmp_path_factory.mktemp("certify") / "project"
    shutil.copytree(ROOT / "params", folder / "params")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    path = folder / "params" / "strategies.toml"
    params = tomlkit.parse(path.read_text(encoding="utf-8"))
    params["backtest"]["strategies"] = FEW
    path.write_text(tomlkit.dumps(params), encoding="utf-8")
    return {one.name: one for one in certify_notebooks(_priced(folder), NAMES, clock=lambda: NOW)}


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """The certificates of small notebooks, most of which look ahead."""
    folder = tmp_path_factory.mktemp("toys") / "project"
    for part in ("params", "notebooks"):
        (folder / part).mkdir(parents=True)
    for name, (needs, code) in TOYS.items():
        _write(folder / "notebooks" / f"{name}.ipynb", name, needs, code)
    return {one.name: one for one in certify_notebooks(_priced(folder), list(TOYS), clock=lambda: NOW)}


def _write(path, name, needs, code):
    new = nbformat.v4
    day = "(pd.Timestamp(session) + pd.Timedelta(days=1)).date()" if name == "late" else "bars.session"
    published = f"tb.publish(tb.Facts([tb.Fact('{name}.value', value, 'a value', as_of={day})]))"
    cells = [
        new.new_raw_cell(f"---\ntitle: Toy\ntickerbook: {{over: ticker, needs: [{', '.join(needs)}]}}\n---"),
        new.new_code_cell(
            'ticker = "IBM"  # symbol\nsession = ""  # newest session', metadata={"tags": ["parameters"]}
        ),
        new.new_code_cell(f"{LOAD}\n{code}\n{published}"),
    ]
    nbformat.write(new.new_notebook(cells=cells), path)


@pytest.mark.parametrize("name", NAMES)
def test_no_notebook_looks_ahead(found, name):
    """Executed at a past close, it publishes what it would have published on the day."""
    assert found[name].breaches == ()
    assert found[name].passed


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("all_bars", "all_bars.value was"),
        ("newest_facts", "newest_facts.value was"),
        ("other_prices", "other_prices.value was"),
        ("late", "late.value is of"),
    ],
)
def test_a_notebook_that_looks_ahead_is_caught(toys, name, told):
    """All of the lake, the newest facts, prices in later shares, a fact of tomorrow: each is told."""
    assert any(told in breach for breach in toys[name].breaches)


@pytest.mark.parametrize("name", ["honest", "their_facts"])
def test_an_honest_notebook_is_not_accused(toys, name):
    """With `until=session` and facts of its session, nothing is found."""
    assert toys[name].breaches == ()
