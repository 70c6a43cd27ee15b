"""The real notebooks on real prices, from fetching to the page: the whole path once, for the shortest history."""

import shutil

import pytest
import toys
from reading import live, numbers, proven, read, record

from tickerbook.market.lake import Lake
from tickerbook.market.sourcing import fetch
from tickerbook.narrative.narrate import narrate
from tickerbook.runs.runner import run_all
from tickerbook.site.build import Renderer, build
from tickerbook.store import RunStore

UNIVERSE = 'title = "Sample"\nproviders = ["sample"]\ntickers = ["FB"]\n'


@pytest.fixture(scope="module")
def settings(tmp_path_factory, root):
    """A project whose every stage has run, up to the site."""
    project = tmp_path_factory.mktemp("real") / "p"
    settings = toys.toy_project(root, project, UNIVERSE)
    shutil.copytree(root / "notebooks", project / "notebooks", dirs_exist_ok=True)
    fetch(settings.tickers, Lake(settings.lake), now_at=toys.NOW_AT)
    results = run_all(settings, ["FB"], clock=lambda: toys.NOW_AT)
    assert [(r.run.notebook, r.failure) for r in results if r.status != "ok"] == []
    store = RunStore(settings.runs)
    narrate(store, "FB")
    result = build(settings, store, renderer=Renderer.PANDOC, now_at=toys.NOW_AT)
    assert result.failures == {}
    return settings


@pytest.fixture(scope="module")
def page(settings):
    """The ticker's finished page."""
    return read(settings.site / "tickers/FB.html")


def test_every_number_of_the_page_is_in_its_record(settings, page):
    """Tables, charts' labels, prose, foot."""
    found = numbers(page.main)
    assert len(found) > 100
    assert found - proven(record(settings.site, "FB")) == set()


def test_every_marked_figure_is_its_fact(settings, page):
    """Text for text."""
    facts = record(settings.site, "FB")["facts"]
    marked = [(name, text) for name, text in page.facts if text]
    assert len(marked) > 100
    assert [(name, text) for name, text in marked if facts[name]["text"] != text] == []


def test_the_page_has_everything_a_reader_needs(page):
    """Verdict, prose, chart, levels, backtest, plan, and how it was computed."""
    for text in ("Nearest support", "Objective", "Levels", "Backtest", "Holding, a year", "Trade plan"):
        assert text in page.main
    for notebook in ("levels", "backtest", "sizing", "report"):
        assert ("a", {"href": f"../notebooks/FB/{notebook}.ipynb"}) in page.elements
    assert [given["class"] for tag, given in page.elements if tag == "figure"] == ["chart", "chart"]
    assert "import tickerbook" not in page.main
    assert live(page) == []


def test_sample_prices_show_their_period(settings, page):
    """On the page and at home, and never as fresh."""
    assert "sample prices, 2012-05-18 to 2013-03-01" in page.main
    assert "2013-03-01 sample" in " ".join(read(settings.site / "index.html").main.split())
    badges = {
        given.get("class") for tag, given in page.elements if given.get("class", "").startswith("badge")
    }
    assert badges == {"badge historical"}


def test_the_market_leads_to_the_ticker(settings):
    """The universe's table has links."""
    market = read(settings.site / "market.html")
    assert ("a", {"href": "tickers/FB.html"}) in market.elements


@pytest.mark.browser
def test_every_chart_becomes_interactive(settings, chromium):
    """Plotly draws what the notebooks made, under the page's policy, without a word on the console."""
    said = []
    page = chromium.new_page(viewport={"width": 360, "height": 800}, offline=True)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((settings.site / "tickers/FB.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    buttons = page.locator(".chart-open")
    for number in range(buttons.count()):
        buttons.nth(number).click()
        page.locator(".chart-live").nth(number).locator(".main-svg").first.wait_for()
    assert page.locator(".chart-live .boxlayer path").count() > 100
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()
    assert said == []


@pytest.mark.quarto
def test_quarto_gives_the_same_pages(settings, page):
    """Word for word and element for element."""
    if shutil.which("quarto") is None:
        pytest.skip("there is no quarto command on this machine")
    store = RunStore(settings.runs)
    build(settings, store, renderer=Renderer.QUARTO, now_at=toys.NOW_AT)
    other = read(settings.site / "tickers/FB.html")
    assert other.main.split() == page.main.split()
    assert [tag for tag, _ in other.elements] == [tag for tag, _ in page.elements]
