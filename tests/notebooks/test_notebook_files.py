"""The notebooks as files: what every one of them keeps to."""

import ast
import json
import tomllib
from pathlib import Path

import pytest
import yaml

from tickerbook.runs.template import load_templates

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
MOST_CELLS = 14
CLOCKS = {"now", "today", "utcnow", "time", "time_ns", "datetime", "perf_counter", "monotonic"}


def cells(name):
    """The cells of a notebook; sources as text."""
    book = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [{**cell, "source": "".join(cell["source"])} for cell in book["cells"]]


def code(name):
    """The syntax of all code cells of a notebook."""
    return ast.parse("\n".join(cell["source"] for cell in cells(name) if cell["cell_type"] == "code"))


def tagged(name, tag):
    """The cells with a tag."""
    return [cell for cell in cells(name) if tag in cell["metadata"].get("tags", [])]


@pytest.fixture(scope="module")
def templates():
    """The notebooks, as the runner reads them."""
    return {template.name: template for template in load_templates(NOTEBOOKS)}


def test_the_five_notebooks_are_there():
    """One question each."""
    assert set(NAMES) >= {"levels", "backtest", "sizing", "report", "market"}


def test_needs_are_what_the_notebooks_load(templates):
    """Front matter names the notebooks whose facts are used, no more and no less."""
    needs = {name: set(template.needs) for name, template in templates.items()}
    assert needs["levels"] == needs["backtest"] == set()
    assert needs["sizing"] == {"levels", "backtest", "odds", "strategies"}
    assert needs["report"] == needs["market"] == {"levels", "backtest", "strategies", "sizing"}
    assert needs["strategies"] == {"backtest", "certificates"}
    assert [name for name, template in templates.items() if template.trials] == ["strategies"]
    over_all = {name for name, template in templates.items() if template.over == "universe"}
    assert over_all - {"odds"} == {"certificates", "market", "strategies"}
    assert [name for name, template in templates.items() if not template.prices] == ["certificates"]


@pytest.mark.parametrize("name", NAMES)
def test_front_matter_comes_first(name):
    """The first cell is raw YAML with a title and what the notebook is run over."""
    first = cells(name)[0]
    assert first["cell_type"] == "raw"
    front = yaml.safe_load(first["source"].strip().strip("-"))
    assert front["title"]
    assert front["tickerbook"]["over"] in {"ticker", "universe"}


@pytest.mark.parametrize("name", NAMES)
def test_a_question_comes_second(name):
    """The second cell asks, in bold, what the notebook answers."""
    second = cells(name)[1]
    assert second["cell_type"] == "markdown"
    assert second["source"].split("\n")[0].endswith("?**")


@pytest.mark.parametrize("name", NAMES)
def test_parameters_say_what_they_mean(name, templates):
    """There is one parameters cell, and every line of it has a comment."""
    (cell,) = tagged(name, "parameters")
    assert all("  # " in line for line in cell["source"].splitlines())
    assert all(len(parameter.comment) > 10 for parameter in templates[name].parameters)


@pytest.mark.parametrize("name", NAMES)
def test_common_parameters_are_called_the_same(name, templates):
    """Each notebook takes a session, and a ticker or tickers; one without prices takes neither."""
    declared = {parameter.name for parameter in templates[name].parameters}
    common = {"session", "tickers" if templates[name].over == "universe" else "ticker"}
    assert declared & common == (common if templates[name].prices else set())


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_short(name):
    """A notebook is read at one go."""
    assert len(cells(name)) <= MOST_CELLS


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_define_nothing(name):
    """The mathematics is in the library: no function, class or lambda."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert [node for node in ast.walk(code(name)) if isinstance(node, kinds)] == []


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_do_not_look_at_the_clock(name):
    """Nothing in a notebook depends on when it runs."""
    tree = code(name)
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not (used | imported) & CLOCKS
    assert "fetched_at" not in used


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_stored_without_outputs(name):
    """What is committed is what the author wrote."""
    for cell in cells(name):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_use_the_project_s_kernel(name):
    """JupyterLab opens each with the kernel that has tickerbook."""
    book = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert book["metadata"]["kernelspec"]["name"] == "tickerbook"


@pytest.mark.parametrize("name", NAMES)
def test_prose_has_no_figures(name):
    """Numbers a reader meets are facts; what is written by hand has none."""
    prose = [cell["source"] for cell in cells(name) if cell["cell_type"] == "markdown"]
    words = [part for text in prose for part in text.split("`")[0::2]]  # code in prose may have some
    assert not any(character.isdigit() for text in words for character in text)


def test_report_hides_its_code():
    """Readers see what the report shows, not how."""
    shown = [cell for cell in cells("report") if cell["cell_type"] == "code"]
    assert all({"hide-code", "parameters"} & set(cell["metadata"]["tags"]) for cell in shown)


def test_report_has_its_sections_in_order():
    """Key figures, the place of the narrative, then chart, levels, backtest, plan."""
    marks = [
        "narrative" if "narrative" in cell["metadata"].get("tags", []) else cell["source"].split("\n")[0]
        for cell in cells("report")
        if cell["cell_type"] == "markdown"
    ]
    assert marks[1:] == ["narrative", "## Chart", "## Levels", "## Backtest", "## Trade plan"]


def test_place_of_the_narrative_is_empty():
    """The site puts the prose there."""
    (cell,) = tagged("report", "narrative")
    assert cell["cell_type"] == "markdown"
    assert cell["source"] == ""


@pytest.mark.parametrize(
    ("file", "name"),
    [("risk.toml", "sizing"), ("strategies.toml", "backtest"), ("strategies.toml", "strategies")],
)
def test_params_are_the_defaults(file, name, templates):
    """What a schedule runs and what an analyst runs by hand begin with the same values."""
    values = tomllib.loads((NOTEBOOKS.parent / "params" / file).read_text(encoding="utf-8"))[name]
    defaults = {parameter.name: parameter.default for parameter in templates[name].parameters}
    elsewhere = {
        "ticker",
        "tickers",
        "session",
        "positions",
        "earnings",
    }  # set by the run, or by tables of their own
    assert values == {key: value for key, value in defaults.items() if key not in elsewhere}


@pytest.mark.parametrize("file", ["risk.toml", "strategies.toml"])
def test_params_say_what_they_mean(file):
    """Every value in the shipped files has a comment beside it."""
    lines = (NOTEBOOKS.parent / "params" / file).read_text(encoding="utf-8").splitlines()
    assert all("  # " in line for line in lines if " = " in line and not line.startswith("#"))
