"""Out-of-sample results of a strategy over the whole universe, pooled from the facts of each ticker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from statistics import fmean, median
from typing import Any

import pandas as pd

from tickerbook.errors import DataError
from tickerbook.facts import Fact, Facts
from tickerbook.research.metrics import SESSIONS_A_YEAR


@dataclass(frozen=True, eq=False)
class Pool:
    """What a strategy made out of sample if it had an equal share of every ticker each session.

    Attributes:
        strategy: its name.
        title: what readers call it.
        returns: one a session, the mean over the tickers that have one; ascending.
        tickers: how many tickers have any.
        trades: closed out-of-sample trades of all of them; None where it is not known.
        break_even_bps: what a fill may cost until the edge is gone, in basis points, the median over the
            tickers; None where it is not known of any.
        exposure: mean share of the equity that was held, the mean over the tickers; None likewise.
        year: sessions a year, the most of any ticker's exchange: the returns are of the sessions of all.
    """

    strategy: str
    title: str
    returns: pd.Series = field(repr=False)
    tickers: int
    trades: int | None
    break_even_bps: float | None
    exposure: float | None
    year: int = SESSIONS_A_YEAR


def pool(books: Mapping[str, Facts], strategy: str, until: date) -> Pool:
    """Pool a strategy's out-of-sample returns up to a day.

    Args:
        books: ticker → facts of its `backtest`: `oos.sessions`, `oos.<strategy>`, `strategy.N.…`.
        strategy: its name.
        until: the last day that counts.

    Raises:
        DataError: if a ticker's sessions and returns do not fit together.
    """
    series = {ticker: _returns(ticker, book, strategy) for ticker, book in books.items()}
    told = (_row(book, strategy) for book in books.values())
    title = next((str(_value(row, "title")) for row in told if row and _value(row, "title")), strategy)
    known = {ticker: found for ticker, found in series.items() if found is not None and len(found)}
    if not known:
        nothing = pd.Series(index=pd.DatetimeIndex([]), dtype="float64")
        return Pool(strategy, title, nothing, 0, None, None, None)
    returns = pd.concat(known, axis=1).mean(axis=1).sort_index().loc[: pd.Timestamp(until)]
    rows = [row for ticker in known if (row := _row(books[ticker], strategy))]
    trades = [_value(row, "oos_trades") for row in rows]
    held = [share for row in rows if (share := _value(row, "oos_exposure")) is not None]
    bearable = [_value(row, "break_even_bps") for row in rows if "break_even_bps" in row]
    return Pool(
        strategy,
        title,
        returns.dropna(),
        len(known),
        sum(trades) if trades and None not in trades else None,
        # an edge that is gone without costs bears none
        float(median(bps or 0.0 for bps in bearable)) if bearable else None,
        fmean(held) if held else None,
        max(int(books[ticker].value("test.sessions_a_year") or SESSIONS_A_YEAR) for ticker in known),
    )


def strategies_of(books: Mapping[str, Facts]) -> tuple[str, ...]:
    """Every strategy that was tested on any ticker, sorted."""
    return tuple(sorted({_value(row, "name") for book in books.values() for row in book.rows("strategy")}))


def _returns(ticker: str, book: Facts, strategy: str) -> pd.Series | None:
    sessions, values = book.value("oos.sessions"), book.value(f"oos.{strategy}")
    if sessions is None or values is None:
        return None
    if len(sessions) != len(values):
        raise DataError(
            f"{ticker}: {len(values)} out-of-sample returns of {strategy} for {len(sessions)} sessions.",
            f"Run `tickerbook run {ticker} --notebook backtest --force`.",
        )
    return pd.Series(values, pd.DatetimeIndex(pd.to_datetime(list(sessions))), dtype="float64").dropna()


def _row(book: Facts, strategy: str) -> dict[str, Fact] | None:
    """The first row of a strategy."""
    return next((row for row in book.rows("strategy") if _value(row, "name") == strategy), None)


def _value(row: Mapping[str, Fact], column: str) -> Any:
    return row[column].value if column in row else None
