"""Polygon.io, which has called itself Massive since 2025: United States stocks and funds, as traded."""

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.http import Connection, Query, Vendor
from tickerbook.market.providers import Headline, History, Quote, not_served
from tickerbook.market.providers._frames import (
    bars,
    newest_first,
    not_empty,
    quoted,
    ratios,
    same_symbol,
    total,
    with_actions,
    within,
)
from tickerbook.sessions import time_zone
from tickerbook.settings import ProviderParams, Ticker

VENDOR = Vendor(
    name="Polygon",
    url="https://api.polygon.io",
    site="massive.com",
    keys=("POLYGON_API_KEY", "MASSIVE_API_KEY"),
    header="Authorization",
    prefix="Bearer ",
)
_SPANS = {"1d": "1/day", "1h": "1/hour", "15m": "15/minute", "5m": "5/minute", "1m": "1/minute"}
_MOST_PAGES = 200


class _Page(BaseModel):
    ticker: str = ""
    adjusted: bool | None = None
    results: list[dict[str, Any]] = []
    next_url: str = ""


class _Bar(BaseModel):
    t: int
    o: float
    h: float
    l: float  # noqa: E741 - the vendor's name
    c: float
    v: float


class _Split(BaseModel):
    ticker: str
    execution_date: date
    split_from: float = Field(gt=0)
    split_to: float = Field(gt=0)


class _Dividend(BaseModel):
    ticker: str
    ex_dividend_date: date
    cash_amount: float
    currency: str = ""


class _Trade(BaseModel):
    p: float
    t: int


class _Day(BaseModel):
    c: float | None = None


class _State(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    ticker: str
    trade: _Trade = Field(alias="lastTrade")
    before: _Day = Field(alias="prevDay", default=_Day())


class _Snapshot(BaseModel):
    ticker: _State


class _Publisher(BaseModel):
    name: str = ""


class _Article(BaseModel):
    title: str
    article_url: str
    published_utc: AwareDatetime
    description: str = ""
    publisher: _Publisher = _Publisher()


class _Articles(BaseModel):
    results: list[_Article] = []


class Polygon:
    """Bars of all United States exchanges as traded, dividends as declared, splits, quotes and news.

    A history takes three requests. On the free plan it begins two years ago: what is asked for before is not
    there.
    """

    vendor = VENDOR
    account = "polygon"  # also of `massive`: one key, one quota

    def __init__(self, params: ProviderParams) -> None:
        self.connection = Connection(self.vendor, params)
        self._source = self.vendor.name.lower()

    async def history(self, ticker: Ticker, first: date, last: date, interval: str = "1d") -> History:
        """Bars and, for daily ones, the actions that the plan has.

        Raises:
            ProviderError: of every kind.
        """
        if interval not in _SPANS:
            raise not_served(self.vendor.name, ticker, interval)
        rows = await self._bars(ticker, first, last, interval)
        with self.connection.reading(ticker.symbol):
            frame = within(_frame(rows, interval, ticker), first, last, time_zone(ticker.calendar))
        not_empty(frame, ticker.symbol, self.vendor.name)
        if interval == "1d":
            splits = await self._splits(ticker, first, last)
            dividends = await self._dividends(ticker, first, last)
            frame = with_actions(frame, splits=splits, dividends=dividends)
        return History(frame, self._source)

    async def quote(self, ticker: Ticker) -> Quote:
        """The last trade; not on the free plan.

        Raises:
            ProviderError: of every kind.
        """
        path = f"/v2/snapshot/locale/us/markets/stocks/tickers/{ticker.symbol}"
        answer = await self.connection.get(ticker.symbol, path)
        state = self.connection.shaped(ticker.symbol, _Snapshot, answer.data).ticker
        self._check(ticker, [state.ticker])
        with self.connection.reading(ticker.symbol):
            made_at = datetime.fromtimestamp(state.trade.t / 1e9, UTC)
            return quoted(ticker, state.trade.p, state.before.c, made_at, self._source)

    async def news(self, ticker: Ticker, first: date, last: date) -> tuple[Headline, ...]:
        """The newest thousand headlines, newest first.

        Raises:
            ProviderError: of every kind.
        """
        query: Query = {
            "ticker": ticker.symbol,
            "published_utc.gte": f"{first}T00:00:00Z",
            "published_utc.lte": f"{last}T23:59:59Z",
            "order": "desc",
            "limit": 1000,
        }
        answer = await self.connection.get(ticker.symbol, "/v2/reference/news", query)
        found = self.connection.shaped(ticker.symbol, _Articles, answer.data).results
        return newest_first(
            Headline(one.title, one.article_url, one.publisher.name, one.published_utc, one.description)
            for one in found
        )

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        await self.connection.close()

    async def _bars(self, ticker: Ticker, first: date, last: date, interval: str) -> list[_Bar]:
        path = f"/v2/aggs/ticker/{ticker.symbol}/range/{_SPANS[interval]}/{first}/{last}"
        query: Query = {"adjusted": "false", "sort": "asc", "limit": 50_000}
        rows = await self._rows(ticker, path, query)
        if not rows:
            await self.connection.get(ticker.symbol, f"/v3/reference/tickers/{ticker.symbol}")  # NOT_FOUND
        return self.connection.shaped(ticker.symbol, list[_Bar], rows)

    async def _splits(self, ticker: Ticker, first: date, last: date) -> dict[date, float] | None:
        rows = await self._actions(ticker, "/stocks/v1/splits", "execution_date", first, last)
        if rows is None:
            return None
        found = self.connection.shaped(ticker.symbol, list[_Split], rows)
        self._check(ticker, [row.ticker for row in found])
        return ratios([(row.execution_date, row.split_to / row.split_from) for row in found])

    async def _dividends(self, ticker: Ticker, first: date, last: date) -> dict[date, float] | None:
        """Dividends as declared; None also where one is in another currency than the prices."""
        rows = await self._actions(ticker, "/stocks/v1/dividends", "ex_dividend_date", first, last)
        if rows is None:
            return None
        found = self.connection.shaped(ticker.symbol, list[_Dividend], rows)
        self._check(ticker, [row.ticker for row in found])
        if any(row.currency.upper() not in {"", ticker.currency} for row in found):
            return None
        return total([(row.ex_dividend_date, row.cash_amount) for row in found])

    async def _actions(
        self, ticker: Ticker, path: str, day: str, first: date, last: date
    ) -> list[dict[str, Any]] | None:
        """Rows of an endpoint; None where the plan does not have it."""
        query: Query = {
            "ticker": ticker.symbol,
            f"{day}.gte": f"{first}",
            f"{day}.lte": f"{last}",
            "limit": 5000,
        }
        try:
            return await self._rows(ticker, path, query)
        except ProviderError as error:
            if error.kind is ProviderFault.NOT_ENTITLED:
                return None
            raise

    async def _rows(self, ticker: Ticker, path: str, query: Query) -> list[dict[str, Any]]:
        """Rows of all pages, each asked once and at the vendor's own address; there is an end to them."""
        about, rows, seen = ticker.symbol, list[dict[str, Any]](), set[str]()
        while path not in seen and len(seen) < _MOST_PAGES:
            seen.add(path)
            answer = await self.connection.get(about, path, query)
            page = self.connection.shaped(about, _Page, answer.data)
            self._check(ticker, [page.ticker] if page.ticker else [])
            if page.adjusted:
                what = "sent adjusted bars when asked for bars as traded"
                raise self.connection.error(ProviderFault.MALFORMED, about, what)
            rows += page.results
            if not page.next_url:
                return rows
            path, query = self.connection.next_page(about, page.next_url), {}
        raise self.connection.error(ProviderFault.MALFORMED, about, "sends pages without end")

    def _check(self, ticker: Ticker, told: list[str]) -> None:
        for symbol in told:
            if not same_symbol(symbol, ticker.symbol):
                what = f"answered for {symbol} when asked for {ticker.symbol}"
                raise self.connection.error(ProviderFault.MALFORMED, ticker.symbol, what)


def _frame(found: list[_Bar], interval: str, ticker: Ticker) -> pd.DataFrame:
    """Bars; daily ones are stamped with midnight in New York of their session."""
    index = pd.to_datetime([row.t for row in found], unit="ms", utc=True)
    if interval == "1d":
        index = index.tz_convert(time_zone(ticker.calendar)).tz_localize(None).normalize()
    columns = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
    return bars({name: [getattr(row, short) for row in found] for name, short in columns.items()}, index)
