"""The universe as rows of facts."""

from datetime import date

from tickerbook.display.overview import market_facts
from tickerbook.facts import Fact, Facts

TODAY, BEFORE = date(2013, 3, 1), date(2013, 2, 28)


def book(close=431.2, *, passed=True, signals=("long", "flat"), planned=TODAY):
    """Facts of one ticker."""
    rows = [
        fact
        for n, signal in enumerate(signals, 1)
        for fact in (
            Fact(f"strategy.{n}.name", f"rule_{n}", "", as_of=TODAY),
            Fact(f"strategy.{n}.signal", signal, "", as_of=TODAY),
        )
    ]
    return Facts(
        [
            Fact("price.close", close, "last close", "USD", 2, TODAY, "levels", 8),
            Fact("price.session", TODAY, "last session", "date", as_of=TODAY),
            Fact("plan.passed", passed, "passed", as_of=planned),
            Fact("plan.shares", 12, "shares", "shares", 0, planned),
            *rows,
        ]
    )


def test_a_row_has_the_ticker_s_figures():
    """Figures keep value and unit, under the name of their row."""
    rows = market_facts({"AAPL": book(431.2), "MSFT": book(28.0)}).rows("row")
    assert [row["ticker"].value for row in rows] == ["AAPL", "MSFT"]
    assert rows[1]["close"].text == "$28.00"
    assert rows[1]["shares"].text == "12 shares"


def test_rows_are_facts_of_the_overview():
    """Who computed a figure for its ticker is not who publishes the row."""
    assert market_facts({"AAPL": book()})["row.1.close"].notebook is None


def test_a_ticker_without_facts_has_an_empty_row():
    """Its figures are missing, not zero, and it is counted among the tickers only."""
    facts = market_facts({"AAPL": book(), "FB": Facts()})
    assert facts["row.2.close"].value is None
    assert facts["row.2.signal"].value is None
    assert (facts.value("market.tickers"), facts.value("market.known")) == (2, 1)


def test_figures_of_an_older_session_are_missing():
    """Yesterday's plan does not stand beside today's price."""
    facts = market_facts({"AAPL": book(planned=BEFORE)})
    assert facts["row.1.shares"].value is None
    assert facts.value("market.passed") == 0


def test_signals_are_named_or_flat():
    """Strategies with a position are named with their side; none at all is flat; untested is missing."""
    books = {"A": book(signals=("long", "short")), "B": book(signals=("flat",)), "C": book(signals=(None,))}
    facts = market_facts(books)
    assert [facts[f"row.{n}.signal"].value for n in (1, 2, 3)] == ["rule 1 long, rule 2 short", "flat", None]


def test_counts_come_from_the_rows():
    """Passed plans and held tickers are counted."""
    facts = market_facts({"A": book(), "B": book(passed=False, signals=("flat",)), "C": book(passed=None)})
    assert facts.value("market.passed") == 1
    assert facts.value("market.held") == 2
    assert facts.value("market.session") == "2013-03-01"


def test_an_empty_universe_has_counts():
    """No ticker at all is no error."""
    facts = market_facts({})
    assert facts["market.tickers"].value == 0
    assert facts["market.session"].value is None
