"""Page sources made from records."""

from dataclasses import replace

import nbformat
import pytest
import toys

from tickerbook.market.lake import Lake
from tickerbook.settings import load_settings
from tickerbook.site import api, pages
from tickerbook.site.views import view_ticker


@pytest.fixture
def record(toy, store, put_good):
    """AAPL's record after good runs."""
    put_good("AAPL")
    return api.ticker_record(view_ticker(toy.tickers[0], store, Lake(toy.lake), toys.NOW_AT))


def cells(text):
    """The cells of a page source."""
    return [cell.source for cell in nbformat.reads(text, as_version=4).cells]


def test_a_page_is_a_valid_notebook_without_code(record):
    """Quarto reads it through nbformat; no kernel has anything to do."""
    book = nbformat.reads(pages.ticker_page(record, toys.toy_report()), as_version=4)
    nbformat.validate(book)
    assert {cell.cell_type for cell in book.cells} == {"raw", "markdown"}


def test_equal_records_give_equal_pages(record):
    """So that only what changed is written again."""
    assert pages.ticker_page(record, toys.toy_report()) == pages.ticker_page(record, toys.toy_report())


def test_every_part_is_a_block(record):
    """No text of data stands in a source as Markdown."""
    front, *parts = cells(pages.ticker_page(record, toys.toy_report()))
    assert front == '---\npagetitle: "AAPL"\n---'
    assert all(part.startswith("```{=html}\n") and part.count("\n") <= 3 for part in parts)


def test_a_symbol_is_a_title_to_markdown(record):
    """`^GSPC` does not begin a superscript."""
    assert (
        cells(pages.ticker_page({**record, "ticker": "^GSPC"}, None))[0] == '---\npagetitle: "\\\\^GSPC"\n---'
    )


def test_figures_of_prose_name_their_facts(record):
    """The narrative's slots are marked; its other words are not."""
    text = pages.ticker_page(record, toys.toy_report())
    assert 'The close of <span data-fact=\\"price.session\\">2026-11-19</span> was' in text


def test_prose_that_does_not_fit_its_slots_is_told_as_checked(record):
    """The text that the check has seen is what a reader sees."""
    sentence = record["narrative"]["parts"][0]["sentences"][0]
    sentence["text"] = "Something <else> was checked."
    text = pages.ticker_page(record, toys.toy_report())
    assert "Something &lt;else&gt; was checked." in text
    assert "The close of" not in text


def test_the_foot_says_how_it_was_computed(record):
    """Data, code, parameters and versions of every notebook, and where to find all of it."""
    text = " ".join(cells(pages.ticker_page(record, toys.toy_report())))
    for piece in (
        "prices from",
        "zone_atr = 0.25",
        "numpy 2.4.1",
        "../api/v1/tickers/AAPL.json",
        "../notebooks/AAPL/sizing.ipynb",
    ):
        assert piece in text


def test_a_page_says_that_nothing_ran(toy, store):
    """And what to do about it: without prices, fetch; with prices, run."""
    record = api.ticker_record(view_ticker(toy.tickers[0], store, Lake(toy.lake), toys.NOW_AT))
    assert "tickerbook fetch AAPL" in pages.ticker_page(record, None)
    assert "tickerbook run AAPL" in pages.ticker_page({**record, "priced": True}, None)


def test_home_has_a_row_for_every_ticker(record):
    """Close, levels, signals, plan and freshness, each figure named."""
    text = pages.home_include([record], "Toy", "2026-11-20 12:00 UTC")
    for piece in (
        '<a href="tickers/AAPL.html">AAPL</a>',
        '<span data-fact="support.price">$421.50</span>',
        '<span data-fact="strategy.1.signal">long</span>',
        "✓ passes",
        '<span class="badge fresh" data-until="2026-11-21">2026-11-19</span>',
    ):
        assert piece in text


def test_missing_figures_are_dashes(record):
    """Nothing is zero because it is not known."""
    text = pages.home_include([record], "Toy", "")
    assert (
        '<td class="number zone" data-label="Resistance"><span data-fact="resistance.price">–</span></td>'
        in text
    )


def test_home_draws_the_newest_closes(record):
    """From the series that the levels publish; with a gap left out."""
    record["facts"]["price.closes"] = {**record["facts"]["equity.benchmark"], "value": [1.0, None, 3.0, 2.0]}
    assert '<polyline points="1.0,22.0 48.0,2.0 95.0,12.0">' in pages.home_include([record], "Toy", "")


def test_home_names_who_is_in_trouble(record):
    """Before the table, with the reason and what is shown instead."""
    failure = {
        "notebook": "levels",
        "status": "failed",
        "cell": 4,
        "message": "boom",
        "session": "2026-11-20",
    }
    text = pages.home_include([{**record, "status": "failed", "failures": [failure]}], "Toy", "")
    assert "levels failed in cell 4: boom" in text
    assert "The page shows the close of 2026-11-19." in text


def test_tickers_in_the_market_s_tables_lead_to_their_pages():
    """Those of the universe; another text is left alone."""
    row = '<td><span data-fact="row.1.ticker">^GSPC</span></td><td><span data-fact="row.2.ticker">GONE</span></td>'
    table = toys.code_cell({"text/html": f"<table><tr>{row}</tr></table>"}, tags=["hide-code"])
    text = pages.universe_include(toys.toy_result("market", None), toys.notebook_text(table), (), {"^GSPC"})
    assert '<a href="tickers/_5EGSPC.html"><span data-fact="row.1.ticker">^GSPC</span></a>' in text
    assert '<td><span data-fact="row.2.ticker">GONE</span></td>' in text


def test_market_says_whose_prices_and_who_is_missing():
    """A reader sees the source, and which tickers of the universe the page says nothing of."""
    result = toys.toy_result("market", None)
    run = replace(result.run, parameters={"tickers": ["AAPL", "GONE"]})
    text = pages.universe_include(replace(result, run=run), toys.notebook_text(), (), ["AAPL", "IBM", "MSFT"])
    assert "to the close of 2026-11-19, from synthetic prices" in text
    assert "Without figures here: IBM, MSFT." in text


def test_runs_name_the_tickers_without_prices(record):
    """No run is stored for them, yet they are not forgotten."""
    text = pages.runs_include([], [record, {**record, "ticker": "IBM", "priced": False}], "")
    assert "There are no prices yet" in text
    assert ">IBM</a>: nothing could run." in text


def test_only_changed_sources_are_written(toy):
    """A renderer that looks at times sees what changed; tickers that are gone lose their source."""
    reports = toy.project / "reports"
    pages.write_sources(reports, {"tickers/A.ipynb": "1", "tickers/B.ipynb": "1"})
    before = (reports / "tickers/A.ipynb").stat().st_mtime_ns
    pages.write_sources(reports, {"tickers/A.ipynb": "1"}, keep={"tickers/C.html"})
    assert (reports / "tickers/A.ipynb").stat().st_mtime_ns == before
    assert not (reports / "tickers/B.ipynb").exists()


def test_the_same_name_for_page_and_source(toy):
    """A symbol's page is where its record says."""
    settings = load_settings(toy.project)
    for ticker in settings.tickers:
        assert pages.ticker_source(ticker.symbol).replace(".ipynb", ".html") == api.ticker_page(ticker.symbol)
