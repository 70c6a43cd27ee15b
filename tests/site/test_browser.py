"""Pages in a real browser: opened as files, offline, in light and dark, on a phone and on paper."""

from datetime import UTC, datetime

import pytest
import toys
from test_hostile import hostile_report

from tickerbook.site.build import build
from tickerbook.store import Failure, RunStore

pytestmark = pytest.mark.browser
PAGES = ("index", "levels", "market", "methods", "runs", "tickers/AAPL", "tickers/BRK.B", "tickers/_5EGSPC")
TABS = """\
---
title: Tabs
---

::: {.panel-tabset}

## First

One.

## Second

Two.

:::
"""


@pytest.fixture(scope="module")
def site(renderer, tmp_path_factory, root):
    """A good ticker, a hostile one that failed, one without anything, and a page of tabs."""
    settings = toys.toy_project(root, tmp_path_factory.mktemp("browser") / "p")
    (settings.project / "reports/tabs.qmd").write_text(TABS)
    store = RunStore(settings.runs)
    toys.put_good(store, "AAPL")
    toys.put_good(store, "BRK.B", report=hostile_report())
    failure = Failure("error", "<img src=x onerror=alert(1)>" + "long" * 60, "x", 4)
    store.put(toys.toy_result("levels", "BRK.B", status="failed", failure=failure), "{}")
    build(settings, store, renderer=renderer, now_at=toys.NOW_AT)
    return settings.site


@pytest.fixture
def visit(chromium, site):
    """Opens pages of the site, and in the end no page may have complained or asked for anything else."""
    faults, contexts = [], []

    def opened(name, *, scheme="light", width=1200, now_at=toys.NOW_AT, **options):
        context = chromium.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 800}, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.clock.set_fixed_time(now_at)
        page.on("console", lambda message: faults.append(f"{name} says {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"{name} throws {error}"))
        page.on("dialog", lambda dialog: faults.append(f"{name} opens {dialog.message}"))
        page.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or faults.append(asked.url))
        page.on("requestfailed", lambda asked: faults.append(f"{name} misses {asked.url}"))
        page.goto((site / f"{name}.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1200)])
def test_no_page_complains_or_scrolls_sideways(visit, scheme, width):
    """No console message, no request but to the site's own files, no dialog; a phone needs no sideways scrolling."""
    for name in PAGES:
        page = visit(name, scheme=scheme, width=width)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, name


def colours(page):
    """Background and text of a page."""
    look = "getComputedStyle(document.body)"
    return page.evaluate(f"[{look}.backgroundColor, {look}.color]")


def test_light_and_dark_follow_the_system(visit):
    """Without a choice of the reader's own."""
    assert colours(visit("index"))[0] == "rgb(255, 255, 255)"
    assert colours(visit("index", scheme="dark"))[0] == "rgb(17, 21, 26)"


def test_the_reader_can_switch(visit):
    """And the choice is remembered on every page."""
    page = visit("index")
    page.get_by_role("button", name="Dark").click()
    dark = colours(visit("index", scheme="dark"))
    assert colours(page) == dark
    page.get_by_role("link", name="AAPL").first.click()
    page.wait_for_url("**/tickers/AAPL.html")
    assert colours(page) == dark
    page.get_by_role("button", name="Light").click()
    assert colours(page) != dark


def test_a_chart_is_drawn_before_any_script(visit):
    """Without script everything is there to read; nothing offers what cannot work."""
    page = visit("tickers/AAPL", java_script_enabled=False)
    assert page.locator("figure.chart svg path").first.is_visible()
    assert page.locator(".chart-open").first.is_hidden()
    assert page.get_by_text("How this was computed").is_visible()


def test_a_chart_becomes_interactive_on_demand(visit):
    """The one plotly of the site is loaded when a reader asks, and not before."""
    page = visit("tickers/AAPL")
    assert page.evaluate("typeof Plotly") == "undefined"
    page.get_by_role("button", name="Interactive chart").click()
    page.locator(".chart-live .main-svg .scatterlayer path.js-line").first.wait_for()
    assert page.locator(".chart-drawing").first.is_hidden()
    page.get_by_role("button", name="Back to the drawing").click()
    assert page.locator(".chart-drawing").first.is_visible()


def test_a_hostile_chart_runs_nothing(visit):
    """Names of traces are text."""
    page = visit("tickers/BRK.B")
    page.get_by_role("button", name="Interactive chart").click()
    page.locator(".chart-live .main-svg").first.wait_for()


def test_the_policy_refuses_scripts_of_data(chromium, site):
    """Even if markup came through, the page's own policy would not run it."""
    page = chromium.new_page()
    page.goto((site / "tickers/AAPL.html").as_uri())
    ran = page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            const asked = new Promise((done) => addEventListener("securitypolicyviolation", () => done("refused")));
            document.body.append(script);
            return window.ran ? "ran" : asked;
        }"""
    )
    page.close()
    assert ran == "refused"


def test_a_page_that_lay_for_long_does_not_look_fresh(visit):
    """The reader's own clock decides."""
    badge = ".badge"
    assert visit("tickers/AAPL").locator(badge).first.get_attribute("class") == "badge fresh"
    later = visit("tickers/AAPL", now_at=datetime(2026, 11, 22, tzinfo=UTC)).locator(badge).first
    assert later.get_attribute("class") == "badge late"
    assert later.inner_text() == "close of 2026-11-19, newer prices exist since"


def test_tabs_work_by_keyboard(visit):
    """One panel at a time; arrows move."""
    page = visit("tabs")
    assert page.get_by_text("One.").is_visible()
    assert page.get_by_text("Two.").is_hidden()
    page.get_by_role("tab", name="First").press("ArrowRight")
    assert page.get_by_role("tab", name="Second", selected=True).is_visible()
    assert page.get_by_text("Two.").is_visible()


def test_paper_shows_content_only(visit):
    """No navigation, no buttons, black on white."""
    page = visit("tickers/AAPL", scheme="dark")
    page.emulate_media(media="print")
    assert page.locator(".site-head").is_hidden()
    assert page.locator(".chart-open").first.is_hidden()
    assert colours(page)[0] == "rgb(255, 255, 255)"


def test_a_long_word_of_data_does_not_widen_a_phone(visit):
    """A message of two hundred letters is broken."""
    page = visit("tickers/BRK.B", width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
