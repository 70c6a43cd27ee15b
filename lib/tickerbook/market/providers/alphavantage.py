"""Alpha Vantage: daily bars as traded, dividends, splits, end-of-day quotes and news of many exchanges."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from tickerbook.errors import ProviderFault
from tickerbook.market.http import Answer, Connection, Query, Vendor
from tickerbook.market.providers import Headline, History, Quote, not_served
from tickerbook.market.providers._frames import (
    bars,
    newest_first,
    not_empty,
    ratios,
    same_symbol,
    total,
    with_actions,
    within,
)
from tickerbook.sessions import time_zone
from tickerbook.settings import ProviderParams, Ticker

VENDOR = Vendor(
    name="Alpha Vantage",
    url="https://www.alphavantage.co",
    site="www.alphavantage.co",
    keys=("ALPHAVANTAGE_API_KEY",),
    parameter="apikey",
)
_INTERVALS = {"1h": "60min", "15m": "15min", "5m": "5min", "1m": "1min"}
_PRICES = {"open": "1. open", "high": "2. high", "low": "3. low", "close": "4. close"}
_PLAIN = _PRICES | {"volume": "5. volume"}
_ADJUSTED = _PRICES | {
    "volume": "6. volume",
    "dividend": "7. dividend amount",
    "split": "8. split coefficient",
}
_COMPACT = timedelta(days=120)  # surely within the newest 100 sessions, if it ends today
_UNITED_STATES = {"XNYS", "XNAS", "XASE", "ARCX", "BATS"}


_Series = dict[datetime, dict[str, float]]  # a bar's figures by their names, such as "1. open"


class _Meta(BaseModel):
    symbol: str = Field(alias="2. Symbol")


class _Told(BaseModel):
    meta: _Meta = Field(alias="Meta Data")


class _Split(BaseModel):
    effective_date: date
    split_factor: float = Field(gt=0)


class _Splits(BaseModel):
    symbol: str
    data: list[_Split]


class _Dividend(BaseModel):
    ex_dividend_date: date
    amount: float


class _Dividends(BaseModel):
    symbol: str
    data: list[_Dividend]


class _Price(BaseModel):
    symbol: str = Field(alias="01. symbol")
    price: float = Field(alias="05. price")
    day: date = Field(alias="07. latest trading day")
    before: float | None = Field(alias="08. previous close", default=None)


class _Article(BaseModel):
    title: str
    url: str
    time_published: str
    source: str = ""
    summary: str = ""


class _Articles(BaseModel):
    feed: list[_Article] = []


class Alphavantage:
    """Bars as traded, of which the free plan has the newest hundred.

    With `premium = true` in params/providers.toml a history is one request and complete; without it takes
    three (bars, splits, dividends) of the 25 a day that the free plan allows.
    """

    vendor = VENDOR

    def __init__(self, params: ProviderParams) -> None:
        self.params = params
        self.connection = Connection(VENDOR, params)

    async def history(self, ticker: Ticker, first: date, last: date, interval: str = "1d") -> History:
        """Bars and, for daily ones, actions.

        Raises:
            ProviderError: of every kind.
        """
        if interval == "1d":
            daily = self._adjusted if self.params.premium else self._daily
            frame = await daily(ticker, first, last)
        elif interval in _INTERVALS:
            frame = await self._intraday(ticker, first, last, _INTERVALS[interval])
        else:
            raise not_served(VENDOR.name, ticker, interval)
        return History(frame, "alphavantage")

    async def quote(self, ticker: Ticker) -> Quote:
        """The latest close; on paid plans the latest price.

        Raises:
            ProviderError: of every kind; NOT_FOUND for the empty answer that an unknown symbol gets.
        """
        answer = await self._ask(ticker, "GLOBAL_QUOTE")
        found = answer.data.get("Global Quote") if isinstance(answer.data, dict) else None
        if not found:
            raise self.connection.error(ProviderFault.NOT_FOUND, ticker.symbol, "does not have it")
        price = self.connection.shaped(ticker.symbol, _Price, found)
        self._check(ticker, price.symbol)
        return Quote(ticker.symbol, price.price, price.before or None, price.day, None, "alphavantage")

    async def news(self, ticker: Ticker, first: date, last: date) -> tuple[Headline, ...]:
        """Headlines, newest first.

        Raises:
            ProviderError: of every kind.
        """
        query: Query = {
            "function": "NEWS_SENTIMENT",
            "tickers": _symbol(ticker),
            "time_from": f"{first:%Y%m%d}T0000",
            "time_to": f"{last:%Y%m%d}T2359",
            "sort": "LATEST",
            "limit": 1000,
        }
        answer = await self.connection.get(ticker.symbol, "/query", query)
        found = self.connection.shaped(ticker.symbol, _Articles, answer.data).feed
        with self.connection.reading(ticker.symbol):
            times = [datetime.strptime(f"{one.time_published}+0000", "%Y%m%dT%H%M%S%z") for one in found]
        return newest_first(
            Headline(one.title, one.url, one.source, at, one.summary)
            for one, at in zip(found, times, strict=True)
        )

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        await self.connection.close()

    async def _daily(self, ticker: Ticker, first: date, last: date) -> pd.DataFrame:
        """What the free plan has. Its newest hundred sessions are not asked for again to be more."""
        series = await self._series(ticker, "TIME_SERIES_DAILY", "Time Series (Daily)", outputsize="compact")
        frame = not_empty(within(self._frame(ticker, series), first, last), ticker.symbol, VENDOR.name)
        splits, dividends = await self._splits(ticker), await self._dividends(ticker)
        begin, end = frame.index[0].date(), frame.index[-1].date()
        paid = {day: amount for day, amount in dividends.items() if begin <= day <= end}
        # Whether these amounts are adjusted for splits is not documented: after a split nobody can tell.
        unclear = any(day > min(paid) for day in splits) if paid else False
        return with_actions(frame, splits=splits, dividends=None if unclear else paid)

    async def _adjusted(self, ticker: Ticker, first: date, last: date) -> pd.DataFrame:
        """What paid plans have: dividends and splits stand beside the bars."""
        name, key = "TIME_SERIES_DAILY_ADJUSTED", "Time Series (Daily)"
        size = "compact" if last - first < _COMPACT else "full"
        series = await self._series(ticker, name, key, outputsize=size)
        if size == "compact" and min(series).date() > first:
            series = await self._series(ticker, name, key, outputsize="full")
        frame = self._frame(ticker, series, _ADJUSTED)
        return not_empty(within(frame, first, last), ticker.symbol, VENDOR.name)

    async def _intraday(self, ticker: Ticker, first: date, last: date, interval: str) -> pd.DataFrame:
        """Bars of regular hours, of the newest month."""
        function, key = "TIME_SERIES_INTRADAY", f"Time Series ({interval})"
        options = {"interval": interval, "adjusted": "false", "extended_hours": "false", "outputsize": "full"}
        series = await self._series(ticker, function, key, **options)
        zone = time_zone(ticker.calendar)
        frame = within(self._frame(ticker, series, zone=zone), first, last, zone)
        return not_empty(frame, ticker.symbol, VENDOR.name)

    async def _series(self, ticker: Ticker, function: str, key: str, **options: str) -> _Series:
        answer = await self._ask(ticker, function, **options)
        if answer.data == {}:
            raise self.connection.error(ProviderFault.EMPTY, ticker.symbol, "gave no bars for it")
        self._check(ticker, self.connection.shaped(ticker.symbol, _Told, answer.data).meta.symbol)
        series = self.connection.shaped(ticker.symbol, _Series, answer.data.get(key))
        if not series:
            raise self.connection.error(ProviderFault.EMPTY, ticker.symbol, "gave no bars for it")
        return series

    async def _splits(self, ticker: Ticker) -> dict[date, float]:
        answer = await self._ask(ticker, "SPLITS")
        found = self.connection.shaped(ticker.symbol, _Splits, answer.data)
        self._check(ticker, found.symbol)
        return ratios([(row.effective_date, row.split_factor) for row in found.data])

    async def _dividends(self, ticker: Ticker) -> dict[date, float]:
        answer = await self._ask(ticker, "DIVIDENDS")
        found = self.connection.shaped(ticker.symbol, _Dividends, answer.data)
        self._check(ticker, found.symbol)
        return total([(row.ex_dividend_date, row.amount) for row in found.data])

    async def _ask(self, ticker: Ticker, function: str, **options: str) -> Answer:
        query = {"function": function, "symbol": _symbol(ticker), **options}
        return await self.connection.get(ticker.symbol, "/query", query)

    def _check(self, ticker: Ticker, told: str) -> None:
        if not same_symbol(told, ticker.symbol):
            what = f"answered for {told} when asked for {ticker.symbol}"
            raise self.connection.error(ProviderFault.MALFORMED, ticker.symbol, what)

    def _frame(
        self, ticker: Ticker, series: _Series, names: Mapping[str, str] = _PLAIN, zone: str = ""
    ) -> pd.DataFrame:
        """Bars of sessions, or of instants where the times are of a zone; `names`: our column → theirs."""
        with self.connection.reading(ticker.symbol):
            index = pd.DatetimeIndex(list(series))
            if zone:
                index = index.tz_localize(zone).tz_convert("UTC")
            rows = np.array([[bar[name] for name in names.values()] for bar in series.values()])
            told = dict(zip(names, rows.T, strict=True))
            if "split" in told and not (told["split"] > 0).all():
                raise ValueError("a split of nothing")
        return bars(told, index)


def _symbol(ticker: Ticker) -> str:
    """A symbol as Alpha Vantage writes it: on United States exchanges a share class follows a dash."""
    return ticker.symbol.replace(".", "-") if ticker.calendar in _UNITED_STATES else ticker.symbol
