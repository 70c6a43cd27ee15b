"""Every number that a reader meets on a ticker's page stands in the record for programs."""

import nbformat
import pytest
import toys
from reading import numbers, proven, read, record

from tickerbook.site.build import build
from tickerbook.store import Failure, RunStore


@pytest.fixture(scope="module")
def site(renderer, tmp_path_factory, root):
    """A good ticker, one whose newest session failed, one without anything."""
    settings = toys.toy_project(root, tmp_path_factory.mktemp("numbers") / "p")
    store = RunStore(settings.runs)
    for symbol in ("AAPL", "BRK.B"):
        toys.put_good(store, symbol)
    failure = Failure("error", "IndexError: 17 is out of range", "Mend line 23.", 4)
    late = toys.date(2026, 11, 20)
    store.put(toys.toy_result("levels", "BRK.B", status="failed", session=late, failure=failure), "{}")
    build(settings, store, renderer=renderer, now_at=toys.NOW_AT)
    return settings.site


@pytest.mark.parametrize("slug", ["AAPL", "BRK.B", "_5EGSPC"])
def test_every_number_is_in_the_record(site, slug):
    """Dates, versions, seconds and cells included."""
    assert numbers(read(site / f"tickers/{slug}.html").main) - proven(record(site, slug)) == set()


def test_every_marked_figure_is_its_fact(site):
    """Text for text, on the ticker's page."""
    facts = record(site, "AAPL")["facts"]
    marked = read(site / "tickers/AAPL.html").facts
    assert len(marked) >= 4
    assert [(name, text) for name, text in marked if facts[name]["text"] != text] == []


def test_home_shows_the_same_figures(site):
    """Each row's figures are those of the ticker's record."""
    known = {fact["text"] for slug in ("AAPL", "BRK.B") for fact in record(site, slug)["facts"].values()}
    assert [text for _, text in read(site / "index.html").facts if text not in known] == []


def test_a_number_of_nobody_is_found(toy, put_good, build_toy):
    """The reader above sees a figure that no fact holds, in prose as in a table."""
    rogue = toys.notebook_text(
        nbformat.v4.new_markdown_cell("It rose 12.75 %."),
        toys.code_cell({"text/html": "<p>on 3 Mar 2013</p>"}),
    )
    put_good("AAPL", report=rogue)
    build_toy()
    page, known = read(toy.site / "tickers/AAPL.html").main, proven(record(toy.site, "AAPL"))
    assert numbers(page) - known == {"12.75", "2013-03-03"}
