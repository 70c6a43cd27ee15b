"""Both renderers, held to the same features of hand-written pages."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from reading import live, read

from tickerbook.errors import SiteError
from tickerbook.site import quarto
from tickerbook.site.renderers import Renderer, choose
from tickerbook.site.staging import stage

PAGE = """\
---
title: A page
nav: 9
nav-title: Tried
---

{{< include _parts/part.md >}}

::: {.callout-warning title="Mind"}
Inside a callout.
:::

::: {.callout-note collapse="true"}
## Folded

Inside a fold.
:::

::: {.panel-tabset}

## First

One.

## Second

Two.

:::

:::: {.columns}

::: {.column width="60%"}
Left.
:::

::: {.column width="40%"}
Right.
:::

::::

[Methods](methods.qmd#x), $x^2$

| a | b |
|--:|---|
| 1 | 2 |

```python
x = 1
```
"""


@pytest.fixture(scope="module", params=["pandoc", pytest.param("quarto", marks=pytest.mark.quarto)])
def rendered(request, tmp_path_factory, root):
    """A small project, rendered once by each renderer: the folder of its pages, and the failures."""
    if request.param == "quarto" and shutil.which("quarto") is None:
        pytest.skip("there is no quarto command on this machine")
    project = tmp_path_factory.mktemp("rendered")
    shutil.copy(root / "_quarto.yml", project)
    shutil.copytree(root / "reports/look", project / "reports/look")
    (project / "reports/_parts").mkdir()
    pages = {
        "tried.qmd": PAGE,
        "broken.qmd": "{{< include _parts/missing.md >}}\n",
        "methods.qmd": "---\ntitle: Methods\nnav: 3\n---\n\nx\n",
        "_parts/part.md": "An included part.\n",
    }
    for name, text in pages.items():
        (project / "reports" / name).write_text(text)
    staged = stage(project, project / "data/site")
    return staged.output, choose(Renderer(request.param))[1](staged)


@pytest.fixture
def page(rendered):
    """The finished page."""
    return read(rendered[0] / "tried.html")


def test_title_and_navigation(page):
    """The title is the heading; the page names its own place in the navigation and is marked there."""
    assert ("h1", {}) in page.elements
    assert [tag for tag, _ in page.elements].count("h1") == 1
    assert ("a", {"href": "./tried.html", "aria-current": "page"}) in page.elements
    assert "A page" in page.main
    assert "Tried" in page.seen


def test_an_include_is_put_in(page):
    """Parts can be shared and generated."""
    assert "An included part." in page.main
    assert "include" not in page.main.replace("included", "")


def test_callouts(page):
    """With their title, or folded with the first heading as title."""
    assert ("aside", {"class": "callout callout-warning"}) in page.elements
    assert ("details", {"class": "callout callout-note"}) in page.elements
    assert ("summary", {"class": "callout-title"}) in page.elements
    for text in ("Mind", "Inside a callout.", "Folded", "Inside a fold."):
        assert text in page.main


def test_tabs_are_sections_until_a_script_makes_them_tabs(page):
    """Each under its title."""
    assert page.elements.count(("section", {"class": "tab"})) == 2
    assert page.elements.count(("h3", {"class": "tab-title"})) == 2
    assert (
        page.main.index("First")
        < page.main.index("One.")
        < page.main.index("Second")
        < page.main.index("Two.")
    )


def test_columns(page):
    """Side by side, with their widths."""
    widths = [
        given.get("style", "").rstrip(";") for tag, given in page.elements if given.get("class") == "column"
    ]
    assert [width.replace(" ", "") for width in widths] == ["width:60%", "width:40%"]


def test_links_to_sources_lead_to_pages(page):
    """As they are written for Quarto."""
    links = {given.get("href", "").removeprefix("./") for tag, given in page.elements if tag == "a"}
    assert {"methods.html#x"} <= links


def test_mathematics_needs_no_script(page):
    """MathML, from no other server."""
    assert any(tag == "math" for tag, _ in page.elements)


def test_a_page_loads_its_own_look_only(page):
    """One sheet and two scripts."""
    loaded = [
        given.get("src") or given.get("href") for tag, given in page.elements if tag in {"script", "link"}
    ]
    assert sorted(loaded) == ["./look/icon.svg", "./look/script.js", "./look/style.css", "./look/theme.js"]
    assert live(page) == []


def test_one_broken_page_does_not_stop_the_others(rendered):
    """It is named with the reason."""
    folder, failures = rendered
    assert list(failures) == ["broken.qmd"]
    assert "missing.md" in failures["broken.qmd"]
    assert (folder / "methods.html").is_file()


def test_quarto_is_taken_where_it_is(monkeypatch):
    """`auto` takes Quarto if its command is found, else pandoc."""
    monkeypatch.setattr(shutil, "which", lambda _: "/opt/quarto")
    assert choose(Renderer.AUTO)[0] is Renderer.QUARTO
    assert choose(Renderer.PANDOC)[0] is Renderer.PANDOC
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert choose(Renderer.AUTO)[0] is Renderer.PANDOC


def test_a_missing_quarto_is_named(monkeypatch):
    """Asked for and not there: an error with the way out."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SiteError, match="no quarto command") as error:
        choose(Renderer.QUARTO)
    assert "--renderer pandoc" in error.value.remedy


def fake_quarto(tmp_path, script):
    """A command in Quarto's place."""
    path = tmp_path / "quarto"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_quarto_that_is_killed_is_an_error(toy, tmp_path):
    """Whatever ends it, the build ends with what is known."""
    staged = stage(toy.project, toy.project / "data" / "site")
    with pytest.raises(SiteError, match="ended with code 137: out of memory"):
        quarto.render(staged, fake_quarto(tmp_path, "echo out of memory; exit 137"))


def test_a_quarto_that_hangs_is_ended(toy, tmp_path, monkeypatch):
    """With everything that it started."""
    monkeypatch.setattr(quarto, "TIMEOUT", 0.5)
    staged = stage(toy.project, toy.project / "data" / "site")
    with pytest.raises(SiteError, match="did not finish"):
        quarto.render(staged, fake_quarto(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; wait"))
    state = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    assert not state.is_file() or state.read_text().split()[2] == "Z"


def test_quarto_sees_nothing_of_our_environment(toy, tmp_path, monkeypatch):
    """No key and no home can be published."""
    monkeypatch.setenv("SECRET_KEY", "canary")
    staged = stage(toy.project, toy.project / "data" / "site")
    quarto.render(staged, fake_quarto(tmp_path, f"env > {tmp_path}/env"))
    assert "canary" not in (tmp_path / "env").read_text()
    assert f"HOME={os.environ['HOME']}" not in (tmp_path / "env").read_text()


def test_an_include_does_not_leave_the_pages(toy):
    """The built-in renderer includes files of reports/ only."""
    (toy.project / "reports" / "x.qmd").write_text("{{< include ../params/universe.toml >}}\n")
    staged = stage(toy.project, toy.project / "data" / "site")
    failures = choose(Renderer.PANDOC)[1](staged)
    assert "outside reports/" in failures["x.qmd"]


def test_an_include_of_itself_ends(toy):
    """A circle is an error, not a hang."""
    (toy.project / "reports" / "x.qmd").write_text("{{< include x.qmd >}}\n")
    staged = stage(toy.project, toy.project / "data" / "site")
    assert "includes itself" in choose(Renderer.PANDOC)[1](staged)["x.qmd"]


@pytest.mark.quarto
def test_quarto_works_by_hand_at_the_top(toy, put_good, build_toy):
    """`quarto render` in a project that was built once, into data/preview; the published site is untouched."""
    command = shutil.which("quarto")
    if command is None:
        pytest.skip("there is no quarto command on this machine")
    put_good("AAPL")
    build_toy()
    before = (toy.site / "index.html").stat().st_mtime_ns
    done = subprocess.run([command, "render"], cwd=toy.project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    preview = toy.project / "data/preview/reports"
    assert "$421.50" in read(preview / "tickers/AAPL.html").main
    assert "Toy universe" in read(preview / "index.html").main
    for page in preview.rglob("*.html"):
        for tag, given in read(page).elements:
            if tag == "link" or (tag == "script" and "src" in given):
                assert (page.parent / (given.get("src") or given["href"])).is_file(), page
    assert (toy.site / "index.html").stat().st_mtime_ns == before
