"""Templates: what a notebook says of itself is read; what cannot be run is refused before anything starts."""

import json

import pytest
from books import PARAMETERS, book, cells, front, write_book

from tickerbook.errors import NotebookError, ParameterError
from tickerbook.runs.template import check_parameters, load_templates, parse_parameter


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "notebooks").mkdir()
    return tmp_path / "notebooks"


def refused(folder, *made):
    """The error that a notebook of these cells makes."""
    write_book(folder, "odd", list(made))
    with pytest.raises(NotebookError) as raised:
        load_templates(folder)
    assert "notebooks/odd.ipynb" in raised.value.message
    assert raised.value.remedy
    return raised.value


def test_a_notebook_says_what_it_is(folder):
    """Front matter, parameters and code of a template are read; its text is kept as it was."""
    head = "---\ntitle: Where are the levels?\nformat: html\ntickerbook: {over: ticker}\n---"
    path = write_book(folder, "levels", cells("1 + 1", head=head, parameters='ticker = "AAPL"  # symbol'))
    (template,) = load_templates(folder)
    assert (template.name, template.path, template.title) == ("levels", path, "Where are the levels?")
    assert (template.over, template.needs) == ("ticker", ())
    assert [(p.name, p.default, p.comment) for p in template.parameters] == [("ticker", "AAPL", "symbol")]
    assert template.code == ('ticker = "AAPL"  # symbol', "1 + 1")
    assert template.text == path.read_text(encoding="utf-8")
    assert template.declares("ticker")
    assert not template.declares("session")


def test_templates_come_behind_what_they_need(folder):
    """The order is that in which they run."""
    book(folder.parent, "a_report", needs=("levels", "sizing"))
    book(folder.parent, "levels")
    book(folder.parent, "sizing", needs=("levels",))
    book(folder.parent, "market", over="universe", needs=("a_report",))
    assert [t.name for t in load_templates(folder)] == ["levels", "sizing", "a_report", "market"]


def test_a_folder_without_notebooks_has_no_templates(folder):
    """An empty project, or one without the folder, is not an error."""
    assert load_templates(folder) == load_templates(folder / "nowhere") == ()


def test_scratch_and_hidden_notebooks_are_no_templates(folder):
    """What lies in a folder below, or is hidden, is nobody's business."""
    for place in ("scratch", ".ipynb_checkpoints"):
        (folder / place).mkdir()
        (folder / place / "x.ipynb").write_text("no notebook", encoding="utf-8")
    (folder / ".~levels.ipynb").write_text("", encoding="utf-8")
    assert load_templates(folder) == ()


def test_a_circle_of_needs_is_refused(folder):
    """Notebooks that wait for each other would never run."""
    book(folder.parent, "a", needs=("b",))
    book(folder.parent, "b", needs=("a",))
    with pytest.raises(NotebookError, match=r"circle: . → . → ."):
        load_templates(folder)


def test_an_unknown_need_is_refused_with_the_nearest(folder):
    """A misspelt need names what was meant."""
    book(folder.parent, "levels")
    book(folder.parent, "sizing", needs=("level",))
    with pytest.raises(NotebookError, match=r"sizing.ipynb needs 'level'.*Did you mean levels"):
        load_templates(folder)


def test_a_ticker_may_need_the_universe(folder):
    """What all tickers together have shown stands before what uses it for one of them."""
    book(folder.parent, "levels")
    book(folder.parent, "odds", over="universe", needs=("levels",))
    book(folder.parent, "a_plan", needs=("odds",))
    assert [t.name for t in load_templates(folder)] == ["levels", "odds", "a_plan"]


@pytest.mark.parametrize("said", ["over: ticker, needs: []", "over: universe, needs: [levels]"])
def test_without_prices_there_is_nothing_to_be_about(folder, said):
    """A ticker's notebook, or one that uses another's facts, hangs on prices."""
    book(folder.parent, "levels")
    head = f"---\ntitle: T\ntickerbook: {{{said}, prices: false}}\n---"
    write_book(folder, "proofs", cells("1", head=head))
    with pytest.raises(NotebookError, match="uses no prices"):
        load_templates(folder)


def test_without_a_parameters_cell_it_is_refused(folder):
    """The error says which cell to tag how."""
    error = refused(folder, *cells(head=front(), parameters=None))
    assert "no cell tagged `parameters`" in error.message
    assert "Tag one code cell" in error.remedy


def test_with_two_parameters_cells_it_is_refused(folder):
    """Which one counts must not be a guess."""
    twice = cells(head=front()) + cells(head=None)[1:]
    assert "2 cells tagged" in refused(folder, *twice).message


def test_a_tagged_markdown_cell_is_no_parameters_cell(folder):
    """Only code can assign."""
    made = cells(head=front(), parameters=None)
    made[1]["metadata"]["tags"] = ["parameters"]
    assert "no cell tagged" in refused(folder, *made).message


def test_a_default_that_is_computed_is_refused(folder):
    """What the parameters cell cannot say, the error says with the notebook's name."""
    assert "not a literal" in refused(folder, *cells(head=front(), parameters="n = f()")).message


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (None, "no front matter"),
        ("title: Toy", "no front matter"),
        ("---\ntitle: Toy\n---", "tickerbook"),
        ("---\ntickerbook: {over: ticker}\n---", "title"),
        ("---\ntitle: 2024\ntickerbook: {over: ticker}\n---", "title"),
        ("---\ntitle: Toy\ntickerbook: {over: sector}\n---", "over"),
        ("---\ntitle: Toy\ntickerbook: {over: ticker, need: [a]}\n---", "need"),
        ("---\ntitle: Toy\ntickerbook: {over: ticker, needs: levels}\n---", "needs"),
        ("---\ntitle: Toy\ntickerbook: {over: ticker, needs: [on]}\n---", "needs"),
        ("---\ntitle: Toy\ntickerbook: ticker\n---", "tickerbook"),
        ("---\n- a\n---", "dictionary"),
        ("---\ntitle: [Toy\n---", "expected"),
        ("---\ntitle: Toy\ntitle: Two\ntickerbook: {over: ticker}\n---", "'title' stands there twice"),
        ("---\na: &x [1]\nb: *x\ntitle: Toy\ntickerbook: {over: ticker}\n---", "another part of itself"),
        ("---\ntitle: !!python/object/apply:os.getcwd []\ntickerbook: {over: ticker}\n---", "python"),
    ],
)
def test_front_matter_that_does_not_fit_is_refused(folder, head, problem):
    """The error says what is wrong with it and how it is written."""
    error = refused(folder, *cells(head=head))
    assert problem in error.message
    assert "over: ticker" in error.remedy


def test_front_matter_stands_first(folder):
    """A raw cell further down is something else."""
    made = cells(head=front())
    assert "no front matter" in refused(folder, made[1], made[0], *made[2:]).message


@pytest.mark.parametrize("content", ["", "not json", "[]", "3", '{"nbformat": 4}', "\x00"])
def test_a_file_that_is_no_notebook_is_refused(folder, content):
    """A damaged notebook is named, with what to do."""
    (folder / "odd.ipynb").write_text(content, encoding="utf-8")
    with pytest.raises(NotebookError, match=r"notebooks/odd\.ipynb") as raised:
        load_templates(folder)
    assert "JupyterLab" in raised.value.remedy


def test_a_file_that_is_no_text_is_refused(folder):
    """So is one in another encoding."""
    (folder / "odd.ipynb").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NotebookError, match=r"notebooks/odd\.ipynb"):
        load_templates(folder)


def test_notebooks_of_older_editors_are_read(folder):
    """Cells without an id, as they were before 2020, are no reason to stop or to warn."""
    path = write_book(folder, "levels", cells(head=front()))
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        del cell["id"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert load_templates(folder)[0].name == "levels"


def test_parameters_are_checked_against_the_cell(folder):
    """A template's own parameters, defaults filled in; errors say which notebook."""
    book(folder.parent, "levels", parameters=PARAMETERS)
    (template,) = load_templates(folder)
    assert check_parameters(template, {"n": 7}) == {"ticker": "AAPL", "session": "", "n": 7, "x": 0.5}
    assert parse_parameter(template, "ticker=0700") == ("ticker", "0700")
    with pytest.raises(ParameterError, match=r"levels: there is no parameter 'tickr'\. Did you mean ticker"):
        check_parameters(template, {"tickr": "AAPL"})
