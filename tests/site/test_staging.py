"""The project that a renderer sees."""

import pytest

from tickerbook.errors import SiteError
from tickerbook.site.staging import page_name, stage


@pytest.fixture
def staged(toy):
    """The toy, staged, with pages of two tickers."""
    for name in ("tickers/AAPL.ipynb", "tickers/_5EGSPC.ipynb", "_generated/home.md", "_draft.qmd"):
        path = toy.project / "reports" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    return stage(toy.project, toy.project / "data" / "site")


def test_reports_is_the_root(staged):
    """So that pages are at /tickers/AAPL.html."""
    assert {"index.qmd", "tickers/AAPL.ipynb", "tickers/_5EGSPC.ipynb"} <= set(staged.sources)
    assert staged.config["filters"] == ["look/filter.lua"]
    assert staged.config["format"]["html"]["template"] == "look/template.html"


def test_includes_and_drafts_are_no_pages(staged):
    """Names that begin with `_` are not rendered by themselves."""
    assert not [source for source in staged.sources if source.startswith("_")]


def test_the_look_comes_along(staged):
    """Style, scripts and icon stand in the site as they are."""
    assert {"look/style.css", "look/script.js", "look/theme.js", "look/icon.svg"} <= set(staged.resources)


def test_a_stage_is_laid_out_anew(toy, staged):
    """Nothing of an earlier build is left in it."""
    (staged.folder / "left.qmd").write_text("x")
    assert "left.qmd" not in stage(toy.project, staged.folder).sources


def test_a_page_has_its_source_s_name():
    """Only the last ending is replaced."""
    assert page_name("tickers/BRK.B.ipynb") == "tickers/BRK.B.html"


@pytest.mark.parametrize("text", ["project: [", "- a", "format: html"])
def test_a_broken_configuration_is_named(toy, text):
    """The error says which file."""
    (toy.project / "_quarto.yml").write_text(text)
    with pytest.raises(SiteError, match=r"_quarto\.yml"):
        stage(toy.project, toy.project / "data" / "site")
