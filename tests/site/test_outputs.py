"""What of an executed notebook comes to a page."""

import nbformat
import pytest
import toys
from toys import code_cell, notebook_text

from tickerbook.errors import SiteError
from tickerbook.facts import MIME
from tickerbook.site import notebooks
from tickerbook.site.outputs import page_parts


def page(*cells, narrative="", front="title: x"):
    """The parts of a page of these cells, as one text."""
    return "\n".join(page_parts(notebook_text(*cells, front=front), narrative))


def test_parameters_are_not_on_the_page():
    """Neither the declared nor the injected parameters; the foot tells them."""
    assert "ticker =" not in page()


@pytest.mark.parametrize("tag", ["remove-cell", "hide-cell"])
def test_a_hidden_cell_is_not_on_the_page(tag):
    """Neither its code nor its output."""
    assert "secret" not in page(code_cell({"text/plain": "secret"}, tags=[tag], source="secret = 1"))


@pytest.mark.parametrize("tag", ["hide-code", "hide-input", "remove-input"])
def test_hidden_code_leaves_its_output(tag):
    """Readers see results; the executed notebook has the code."""
    text = page(code_cell({"text/plain": "result"}, tags=[tag], source="secret = 1"))
    assert "result" in text
    assert "secret" not in text


def test_a_notebook_can_hide_all_its_code():
    """`echo: false` in the front matter, as Quarto knows it."""
    assert "secret" not in page(code_cell(source="secret = 1"), front="title: x\nexecute:\n  echo: false")
    assert "secret" in page(code_cell(source="secret = 1"), front="title: x")


def test_visible_code_is_folded():
    """It is there for whoever wants it."""
    assert '<details class="code"><summary>Code</summary><pre><code>a &lt; b</code>' in page(
        code_cell(source="a < b")
    )


def test_errors_and_warnings_are_not_on_the_page():
    """stderr and tracebacks tell of the machine, not of the market."""
    cell = code_cell(tags=["hide-code"])
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="/home/me warning"),
        nbformat.v4.new_output("error", ename="E", evalue="/home/me", traceback=["/home/me"]),
        nbformat.v4.new_output("stream", name="stdout", text="printed"),
    ]
    assert "/home/me" not in page(cell)
    assert "printed" in page(cell)


def test_a_chart_is_a_drawing_first():
    """The figure waits, as data, for the reader to ask."""
    text = page(code_cell({"image/svg+xml": toys.SVG, "application/vnd.plotly.v1+json": toys.FIGURE}))
    assert text.index("<svg") < text.index('<button class="chart-open"') < text.index("application/json")


def test_hidden_facts_have_no_face():
    """Facts published without a table leave nothing on the page."""
    assert (
        page_parts(
            notebook_text(code_cell({MIME: {"facts": {}}, "text/plain": "17 facts"}, tags=["hide-code"]))
        )[1:]
        == []
    )


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"text/html": "<b>html</b>", "text/markdown": "no", "text/plain": "no"}, "<b>html</b>"),
        ({"text/markdown": "*md*", "text/plain": "no"}, "<em>md</em>"),
        ({"text/plain": "plain <b>"}, "plain &lt;b&gt;"),
        ({"text/latex": "$x$", "text/plain": "no"}, "$x$"),
        ({"image/png": "iVBORw0KGgo=", "text/plain": "no"}, "data:image/png;base64,iVBORw0KGgo="),
        ({"application/javascript": "alert(1)"}, "application/javascript cannot be shown"),
    ],
)
def test_the_best_form_is_shown(data, shown):
    """One form of a rich output, the best that a page can show."""
    text = page(code_cell(data, tags=["hide-code"]))
    assert shown in text
    assert "no" not in text.replace("cannot", "").split()


def test_prose_stands_at_its_cell():
    """The narrative follows the cell that asks for it."""
    cell = nbformat.v4.new_markdown_cell("before", metadata={"tags": ["narrative"]})
    text = page(cell, nbformat.v4.new_markdown_cell("after"), narrative="<p>prose</p>")
    assert text.index("before") < text.index("prose") < text.index("after")


def test_what_is_no_notebook_is_refused():
    """Half a file is an error that says so."""
    with pytest.raises(SiteError, match="cannot be read"):
        page_parts(toys.toy_report()[:200])


def test_evidence_does_not_tell_paths():
    """The published notebook is the executed one without the paths of the machine."""
    public = notebooks.public(toys.toy_report())
    assert "/somewhere/secret" in toys.toy_report()
    assert "/somewhere/secret" not in public
    assert "$421.50" in public
