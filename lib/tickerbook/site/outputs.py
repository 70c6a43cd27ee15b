"""From an executed notebook to the HTML of a page: outputs and prose, in the order of the cells."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import yaml

from tickerbook.facts import MIME
from tickerbook.site import notebooks
from tickerbook.site.clean import clean_html, clean_markdown, clean_svg, data_script, literal, picture
from tickerbook.site.notebooks import text_of

PLOTLY, SVG = "application/vnd.plotly.v1+json", "image/svg+xml"
NARRATIVE = "narrative"  # the tag of the cell behind which the prose stands
_DROPPED = {"parameters", "injected-parameters", "remove-cell", "hide-cell"}
_CODE_HIDDEN = {"hide-code", "hide-input", "remove-input", "hide_input", "remove_input"}
_OUTPUT_HIDDEN = {"hide-output", "remove-output"}
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*\Z", re.DOTALL)


def page_parts(notebook: str, narrative: str = "") -> list[str]:
    """The parts of a page, as safe HTML.

    Left out: parameters, cells and code tagged as hidden, what was written to stderr, tracebacks.

    Args:
        notebook: text of the executed .ipynb.
        narrative: safe HTML that takes its place behind the cell tagged `narrative`.

    Raises:
        SiteError: if it is not a notebook.
    """
    cells = notebooks.read(notebook)["cells"]
    echo = _echoes(cells)
    return [part for cell in cells for part in _parts(cell, narrative, echo=echo) if part]


def _echoes(cells: list[Any]) -> bool:
    """Whether the notebook's front matter lets code be seen; it does unless it says `echo: false`."""
    front = _FRONT.match(text_of(cells[0]["source"])) if cells and cells[0]["cell_type"] == "raw" else None
    if not front:
        return True
    try:
        given = yaml.safe_load(front[1])
    except yaml.YAMLError:
        return True
    given = given if isinstance(given, dict) else {}
    execute = given.get("execute")
    return (execute if isinstance(execute, dict) else given).get("echo") is not False


def _parts(cell: Any, narrative: str, *, echo: bool) -> Iterator[str]:
    tags = set(cell["metadata"].get("tags", []))
    if cell["cell_type"] == "raw" or tags & _DROPPED:
        return
    if cell["cell_type"] == "markdown":
        yield clean_markdown(text_of(cell["source"]))
    else:
        yield _code(cell) if echo and not tags & _CODE_HIDDEN else ""
        yield from () if tags & _OUTPUT_HIDDEN else map(_output, cell["outputs"])
    if NARRATIVE in tags:
        yield narrative


def _code(cell: Any) -> str:
    code = escape(text_of(cell["source"]))
    if cell["metadata"].get("jupyter", {}).get("source_hidden") or not code.strip():
        return ""
    return f'<details class="code"><summary>Code</summary><pre><code>{code}</code></pre></details>'


def _output(output: Any) -> str:
    if output["output_type"] == "stream":
        text = text_of(output["text"])
        return literal(text) if output["name"] == "stdout" and text.strip() else ""
    return _rich(output["data"]) if output["output_type"] in {"display_data", "execute_result"} else ""


def _rich(data: Mapping[str, Any]) -> str:
    """The best form of a rich output that a page can show."""
    if SVG in data:
        drawing = clean_svg(text_of(data[SVG]))
        return (
            _chart(drawing, data[PLOTLY]) if PLOTLY in data else f'<figure class="drawing">{drawing}</figure>'
        )
    if "text/html" in data:
        return clean_html(text_of(data["text/html"]))
    if "text/markdown" in data:
        return clean_markdown(text_of(data["text/markdown"]))
    for mime in _PICTURES:
        if mime in data:
            return picture(mime, text_of(data[mime]), "picture from the notebook")
    if MIME in data:
        return ""  # facts published without a face
    for mime in ("text/latex", "text/plain"):
        if mime in data:
            return literal(text_of(data[mime]))
    return literal(f"({', '.join(data)} cannot be shown on a page)") if data else ""


def _chart(drawing: str, figure: Any) -> str:
    """A drawing for the first look, and the figure for whoever asks for it."""
    return (
        f'<figure class="chart"><div class="chart-drawing">{drawing}</div>'
        '<button class="chart-open" type="button" hidden>Interactive chart</button>'
        f"{data_script(figure)}</figure>"
    )
