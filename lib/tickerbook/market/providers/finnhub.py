"""Finnhub: candles (on paid plans), latest prices and company news of many exchanges."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, Field

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.http import Connection, Query, Vendor
from tickerbook.market.providers import Headline, History, Quote, not_served
from tickerbook.market.providers._frames import (
    as_traded,
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
    name="Finnhub",
    url="https://finnhub.io/api/v1",
    site="finnhub.io",
    keys=("FINNHUB_API_KEY",),
    header="X-Finnhub-Token",
)
_RESOLUTIONS = {"1d": "D", "1h": "60", "15m": "15", "5m": "5", "1m": "1"}
_MONTH = timedelta(days=30)  # of intraday bars come at a time
_MOST_MONTHS = 24


class _Candles(BaseModel):
    s: Literal["ok", "no_data"]
    t: list[int] = []
    o: list[float | None] = []
    h: list[float | None] = []
    l: list[float | None] = []  # noqa: E741 - the vendor's name
    c: list[float | None] = []
    v: list[float | None] = []


class _Split(BaseModel):
    symbol: str
    date: date
    fromFactor: float = Field(gt=0)  # noqa: N815 - the vendor's name
    toFactor: float = Field(gt=0)  # noqa: N815 - the vendor's name


class _Dividend(BaseModel):
    symbol: str
    date: date
    amount: float
    currency: str = ""


class _Price(BaseModel):
    c: float
    pc: float | None = None
    t: int


class _Article(BaseModel):
    datetime: int
    headline: str
    url: str
    source: str = ""
    summary: str = ""


class Finnhub:
    """Candles turned back into prices as traded, dividends as declared, splits, quotes and news.

    Finnhub's daily candles are adjusted for every split up to the day they are asked for; so the splits are
    asked for too, and undone. Without them there is no history: nobody could say what its prices mean.
    Intraday candles are as traded.
    """

    vendor = VENDOR

    def __init__(self, params: ProviderParams) -> None:
        self.connection = Connection(VENDOR, params)

    async def history(self, ticker: Ticker, first: date, last: date, interval: str = "1d") -> History:
        """Bars and, for daily ones, the actions that the plan has.

        Raises:
            ProviderError: of every kind.
        """
        if interval not in _RESOLUTIONS:
            raise not_served(VENDOR.name, ticker, interval)
        if interval == "1d":
            return History(await self._daily(ticker, first, last), "finnhub")
        return History(await self._intraday(ticker, first, last, interval), "finnhub")

    async def quote(self, ticker: Ticker) -> Quote:
        """The latest price.

        Raises:
            ProviderError: of every kind; NOT_FOUND for the zeros that an unknown symbol gets.
        """
        answer = await self.connection.get(ticker.symbol, "/quote", {"symbol": ticker.symbol})
        price = self.connection.shaped(ticker.symbol, _Price, answer.data)
        if not price.t:
            raise self.connection.error(ProviderFault.NOT_FOUND, ticker.symbol, "does not have it")
        with self.connection.reading(ticker.symbol):
            return quoted(ticker, price.c, price.pc, datetime.fromtimestamp(price.t, UTC), "finnhub")

    async def news(self, ticker: Ticker, first: date, last: date) -> tuple[Headline, ...]:
        """Headlines, newest first.

        Raises:
            ProviderError: of every kind.
        """
        rows = await self._list(ticker, "/company-news", first, last)
        found = self.connection.shaped(ticker.symbol, list[_Article], rows)
        with self.connection.reading(ticker.symbol):
            times = [datetime.fromtimestamp(one.datetime, UTC) for one in found]
        return newest_first(
            Headline(one.headline, one.url, one.source, at, one.summary)
            for one, at in zip(found, times, strict=True)
        )

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        await self.connection.close()

    async def _daily(self, ticker: Ticker, first: date, last: date) -> pd.DataFrame:
        candles, told_at = await self._candles(ticker, first, last, "D")
        if candles.s == "no_data":
            await self.quote(ticker)  # NOT_FOUND where the symbol is unknown
        with self.connection.reading(ticker.symbol):
            index = pd.to_datetime(candles.t, unit="s").normalize()  # 00:00 UTC of the session
            frame = within(_frame(candles, index), first, last)
        not_empty(frame, ticker.symbol, VENDOR.name)
        today = told_at.astimezone(UTC).date() if told_at else last
        splits = await self._splits(ticker, first, max(today, last))
        raw = as_traded(frame, splits)
        dividends = await self._dividends(ticker, first, last)
        return with_actions(raw, splits=splits, dividends=dividends)

    async def _intraday(self, ticker: Ticker, first: date, last: date, interval: str) -> pd.DataFrame:
        """Month by month, backwards until a month has nothing."""
        parts, until = list[pd.DataFrame](), last
        while until >= first and len(parts) < _MOST_MONTHS:
            begin = max(first, until - _MONTH)
            candles, _ = await self._candles(ticker, begin, until, _RESOLUTIONS[interval])
            if candles.s == "no_data":
                break
            with self.connection.reading(ticker.symbol):
                parts.append(_frame(candles, pd.to_datetime(candles.t, unit="s", utc=True)))
            until = begin - timedelta(days=1)
        if not parts:
            await self.quote(ticker)
            parts.append(_frame(_Candles(s="no_data"), pd.DatetimeIndex([], tz="UTC")))
        frame = within(pd.concat(parts).sort_index(kind="stable"), first, last, time_zone(ticker.calendar))
        return not_empty(frame, ticker.symbol, VENDOR.name)

    async def _candles(
        self, ticker: Ticker, first: date, last: date, resolution: str
    ) -> tuple[_Candles, datetime | None]:
        query: Query = {
            "symbol": ticker.symbol,
            "resolution": resolution,
            "from": _seconds(first, time.min),
            "to": _seconds(last, time.max),
        }
        answer = await self.connection.get(ticker.symbol, "/stock/candle", query)
        candles = self.connection.shaped(ticker.symbol, _Candles, answer.data)
        if len({len(getattr(candles, name)) for name in "tohlcv"}) != 1:
            what = "sent columns of unequal length"
            raise self.connection.error(ProviderFault.MALFORMED, ticker.symbol, what)
        return candles, answer.told_at

    async def _splits(self, ticker: Ticker, first: date, until: date) -> dict[date, float]:
        try:
            rows = await self._list(ticker, "/stock/split", first, until)
        except ProviderError as error:
            if error.kind is not ProviderFault.NOT_ENTITLED:
                raise
            what = "has candles on your plan but not the splits they are adjusted for"
            raise self.connection.error(ProviderFault.NOT_ENTITLED, ticker.symbol, what) from error
        found = self.connection.shaped(ticker.symbol, list[_Split], rows)
        self._check(ticker, [row.symbol for row in found])
        return ratios([(row.date, row.toFactor / row.fromFactor) for row in found])

    async def _dividends(self, ticker: Ticker, first: date, last: date) -> dict[date, float] | None:
        """Dividends as declared; None where the plan has none, or one is in another currency."""
        try:
            rows = await self._list(ticker, "/stock/dividend", first, last)
        except ProviderError as error:
            if error.kind is ProviderFault.NOT_ENTITLED:
                return None
            raise
        found = self.connection.shaped(ticker.symbol, list[_Dividend], rows)
        self._check(ticker, [row.symbol for row in found])
        if any(row.currency.upper() not in {"", ticker.currency} for row in found):
            return None
        return total([(row.date, row.amount) for row in found])

    async def _list(self, ticker: Ticker, path: str, first: date, last: date) -> Any:
        query = {"symbol": ticker.symbol, "from": first.isoformat(), "to": last.isoformat()}
        return (await self.connection.get(ticker.symbol, path, query)).data

    def _check(self, ticker: Ticker, told: list[str]) -> None:
        for symbol in told:
            if not same_symbol(symbol, ticker.symbol):
                what = f"answered for {symbol} when asked for {ticker.symbol}"
                raise self.connection.error(ProviderFault.MALFORMED, ticker.symbol, what)


def _frame(candles: _Candles, index: pd.DatetimeIndex) -> pd.DataFrame:
    columns = {
        "open": candles.o,
        "high": candles.h,
        "low": candles.l,
        "close": candles.c,
        "volume": candles.v,
    }
    return bars(columns, index)


def _seconds(day: date, at: time) -> int:
    return int(datetime.combine(day, at, UTC).timestamp())
