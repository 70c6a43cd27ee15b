"""The universe on one page: one row of facts for each ticker."""

from collections.abc import Mapping
from dataclasses import replace

from tickerbook.display.marks import title_of
from tickerbook.facts import Fact, Facts, Value

_COLUMNS = {  # column of the overview → fact of the ticker
    "session": "price.session",
    "close": "price.close",
    "change": "price.change",
    "closes": "price.closes",
    "support": "support.price",
    "support_distance": "support.distance",
    "resistance": "resistance.price",
    "resistance_distance": "resistance.distance",
    "passed": "plan.passed",
    "side": "plan.side",
    "entry": "plan.entry",
    "stop": "plan.stop",
    "shares": "plan.shares",
}


def market_facts(books: Mapping[str, Facts]) -> Facts:
    """Rows `row.N.…` in the order of the tickers, and what they come to, `market.…`.

    Args:
        books: ticker → merged facts of its `levels`, `backtest` and `sizing`. What is not there, or is of an
            older session than the ticker's price, is missing in its row.
    """
    books = {ticker: _of_one_session(book) for ticker, book in books.items()}
    known = [book for book in books.values() if book]
    sessions = [book.value("price.session") for book in known]
    counts = {
        "tickers": (len(books), "tickers"),
        "known": (len(known), "tickers with figures"),
        "held": (sum(bool(_held(book)) for book in known), "tickers that a strategy holds"),
        "passed": (sum(bool(book.value("plan.passed")) for book in known), "plans that pass every check"),
    }
    rows = [_row(f"row.{n}", ticker, book) for n, (ticker, book) in enumerate(books.items(), start=1)]
    return Facts(
        [
            Fact("market.session", max(sessions, default=None), "newest session", "date"),
            *[Fact(f"market.{name}", count, label, digits=0) for name, (count, label) in counts.items()],
            *[fact for row in rows for fact in row],
        ]
    )


def _of_one_session(book: Facts) -> Facts:
    """The facts of the session of the last price; none where there is no price."""
    session = book["price.session"].as_of if "price.session" in book else None
    return Facts(fact for fact in book.values() if session and fact.as_of == session)


def _row(name: str, ticker: str, book: Facts) -> list[Fact]:
    figures = [
        replace(book[source], name=f"{name}.{column}", notebook=None, cell=None)
        if source in book
        else Fact(f"{name}.{column}", None, source)
        for column, source in _COLUMNS.items()
    ]
    return [
        Fact(f"{name}.ticker", ticker, "ticker"),
        *figures,
        Fact(f"{name}.signal", _signal(book), f"{ticker}: decided at the last close"),
    ]


def _signal(book: Facts) -> Value:
    """What the strategies hold, in words; missing where none could be tested."""
    decided = [row for row in book.rows("strategy") if row["signal"].value is not None]
    return ", ".join(_held(book)) or ("flat" if decided else None)


def _held(book: Facts) -> list[str]:
    """The strategies with a position and its side: `moving-average cross long`."""
    rows = book.rows("strategy")
    return [
        f"{title_of(row)} {row['signal'].text}" for row in rows if row["signal"].value in {"long", "short"}
    ]
