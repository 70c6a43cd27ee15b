"""Yahoo Finance, through yfinance: free, of nearly all exchanges, without a key and without a promise."""

import asyncio
import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import pandas as pd
import requests
import yfinance
from requests.adapters import HTTPAdapter
from yfinance.exceptions import YFDataException, YFPricesMissingError, YFRateLimitError

from tickerbook.bars import COLUMNS
from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.http import check_url, line
from tickerbook.market.providers import INTERVALS, Headline, History, Quote, not_served, permitted
from tickerbook.market.providers._frames import newest_first, not_empty, quoted, within
from tickerbook.market.raw import RAW, undo_splits
from tickerbook.sessions import time_zone
from tickerbook.settings import ProviderParams, Ticker

_COLUMNS = {name.capitalize(): name for name in RAW} | {"Dividends": "dividend", "Stock Splits": "split"}
_UNITED_STATES = {"XNYS", "XNAS", "XASE", "ARCX", "BATS"}
Told = TypeVar("Told")
_MOST_NEWS = 50
_NO_DATES = "Data doesn't exist"  # how Yahoo's own text begins when it knows the symbol and has no such dates


@dataclass(frozen=True)
class Yahoo:
    """Daily bars of Yahoo Finance, turned back into prices as traded.

    Yahoo's prices, volumes and dividends are adjusted for every split up to today, also without yfinance's
    `auto_adjust`. They are asked for until today, so that all those splits are in the answer, and are undone.
    Fund distributions that Yahoo lists as capital gains are not dividends here. yfinance gives a volume that
    Yahoo does not know as 0. Intraday bars reach back a month (1m), two (5m, 15m) or two years (1h).

    Attributes:
        params: how it is asked; `base_url`, or YAHOO_BASE_URL, takes the place of all of Yahoo's addresses.
    """

    params: ProviderParams = field(default_factory=ProviderParams)

    @cached_property
    def session(self) -> Any:
        """A session that asks another address; None for yfinance's own, which looks like a browser."""
        base = os.environ.get("YAHOO_BASE_URL", "").strip() or self.params.base_url
        if base is None:
            return None
        session = requests.Session()
        session.trust_env = False  # a proxy of the environment is meant for Yahoo's addresses
        session.mount("https://", _Elsewhere(str(check_url(base, "`base_url` of yahoo")).rstrip("/")))
        return session

    async def history(self, ticker: Ticker, first: date, last: date, interval: str = "1d") -> History:
        """Bars from Yahoo.

        Raises:
            ProviderError: of every kind.
        """
        if interval not in INTERVALS:
            raise not_served("Yahoo", ticker, interval)
        await permitted()
        frame, about = await self._told(
            ticker, lambda: self._ask(ticker, start=first.isoformat(), interval=interval)
        )
        frame = within(frame, first, last, time_zone(ticker.calendar))
        if interval != "1d":
            frame = frame[list(COLUMNS)]
        return History(not_empty(frame, ticker.symbol, "Yahoo"), _source(), about.get("currency"))

    async def quote(self, ticker: Ticker) -> Quote:
        """The latest price, which Yahoo delays by up to twenty minutes.

        Raises:
            ProviderError: of every kind.
        """
        await permitted()
        _, about = await self._told(ticker, lambda: self._ask(ticker, period="1d", interval="1d"))
        try:
            price, made_at = about["regularMarketPrice"], about["regularMarketTime"]
            at = made_at if isinstance(made_at, pd.Timestamp) else pd.to_datetime(made_at, unit="s", utc=True)
            return quoted(ticker, price, about.get("chartPreviousClose"), at.to_pydatetime(), _source())
        except (LookupError, TypeError, ValueError) as error:
            raise _translated(ticker.symbol, error) from error

    async def news(self, ticker: Ticker, first: date, last: date) -> tuple[Headline, ...]:
        """The newest headlines, as far as they are of these days.

        Raises:
            ProviderError: of every kind.
        """
        await permitted()
        found = await self._told(ticker, lambda: self._articles(ticker))
        return newest_first(one for one in found if first <= one.published_at.date() <= last)

    async def _told(self, ticker: Ticker, ask: Callable[[], Told]) -> Told:
        """What yfinance answers, asked in a thread, and its errors in our words."""
        _prepare()
        try:
            return await asyncio.to_thread(ask)
        except ProviderError:
            raise
        except Exception as error:  # yfinance passes on whatever its parts raise
            raise _translated(ticker.symbol, error) from error

    def _ask(self, ticker: Ticker, **options: str) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        symbol = yahoo_symbol(ticker)
        asked = yfinance.Ticker(symbol, session=self.session)
        # Without it yfinance asks for the time zone first, and calls every ticker delisted when that fails.
        asked._tz = time_zone(ticker.calendar)  # noqa: SLF001 - there is no public way
        table = asked.history(
            **options, auto_adjust=False, actions=True, keepna=True, timeout=self.params.timeout
        )
        about = asked.history_metadata
        if about.get("symbol", symbol) != symbol:
            raise ProviderError(
                ProviderFault.MALFORMED,
                f"Yahoo answered for {about['symbol']} when asked for {ticker.symbol}.",
                "Check the symbol on finance.yahoo.com.",
            )
        return undo_splits(_unordered(table, daily=options["interval"] == "1d")), about

    def _articles(self, ticker: Ticker) -> list[Headline]:
        asked = yfinance.Ticker(yahoo_symbol(ticker), session=self.session)
        return [
            Headline(
                title=one["title"],
                url=(one.get("canonicalUrl") or one["clickThroughUrl"])["url"],
                publisher=(one.get("provider") or {}).get("displayName", ""),
                published_at=datetime.fromisoformat(one["pubDate"]),
                summary=one.get("summary") or "",
            )
            for one in (article["content"] for article in asked.get_news(count=_MOST_NEWS))
        ]


class _Elsewhere(HTTPAdapter):
    """Sends every request, whatever its host, to one address."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        parts = urlsplit(request.url)
        request.url = self._base + urlunsplit(("", "", parts.path, parts.query, ""))
        return super().send(request, *args, **options)


def _source() -> str:
    return f"yahoo (yfinance {version('yfinance')})"


def yahoo_symbol(ticker: Ticker) -> str:
    """A symbol as Yahoo writes it: on United States exchanges a share class follows a dash (BRK-B)."""
    return ticker.symbol.replace(".", "-") if ticker.calendar in _UNITED_STATES else ticker.symbol


@lru_cache(maxsize=1)
def _prepare() -> None:
    """Let yfinance raise its errors instead of logging them, and leave nothing in the user's home."""
    yfinance.config.debug.hide_exceptions = False
    logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
    folder = tempfile.mkdtemp(prefix="tickerbook-yfinance-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yfinance.set_tz_cache_location(folder)


def _unordered(table: pd.DataFrame, *, daily: bool) -> pd.DataFrame:
    """Yfinance's frame under our names; dates in the exchange's time zone, or instants."""
    frame = table.rename(columns=_COLUMNS)[list(RAW)].astype("float64")
    frame["split"] = frame["split"].replace(0.0, 1.0)
    index = pd.DatetimeIndex(table.index).as_unit("ns")
    frame.index = index.tz_localize(None).normalize() if daily else index.tz_convert("UTC")
    return frame.rename_axis("session" if daily else "began_at")


def _translated(symbol: str, error: Exception) -> ProviderError:
    """Yfinance's error in our words."""
    kind, what, remedy = _diagnosis(error)
    return ProviderError(kind, f"{symbol}: {what}", remedy)


def _diagnosis(error: Exception) -> tuple[ProviderFault, str, str]:
    again = "Try again later, or name another provider in params/universe.toml."
    if isinstance(error, YFRateLimitError):
        return ProviderFault.RATE_LIMITED, "Yahoo refuses more requests for now.", again
    if isinstance(error, YFPricesMissingError):
        reason = error.yahoo_reason
        if reason is None or reason.startswith(_NO_DATES):
            return ProviderFault.EMPTY, "Yahoo gave no daily bars for it.", again
        return (
            ProviderFault.NOT_FOUND,
            f"Yahoo does not have it: {line(reason)}.",
            "Check how Yahoo writes the symbol on finance.yahoo.com, or remove it from params/universe.toml.",
        )
    if isinstance(error, YFDataException):
        return ProviderFault.UNREACHABLE, "Yahoo Finance is down.", again
    if isinstance(error, OSError) and not isinstance(error, ValueError):  # JSON errors of requests are both
        return (
            ProviderFault.UNREACHABLE,
            f"Yahoo cannot be reached ({type(error).__name__}).",
            "Check the connection; prices already in the lake stay usable.",
        )
    what = f"Yahoo's answer cannot be read ({type(error).__name__}: {line(str(error))})."
    return ProviderFault.MALFORMED, what, again
