"""Live prices from Yahoo Finance, through yfinance."""

import asyncio
import atexit
import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import pandas as pd
import yfinance
from yfinance.exceptions import YFDataException, YFPricesMissingError, YFRateLimitError

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.providers import History, not_served, permitted
from tickerbook.market.raw import RAW, undo_splits
from tickerbook.sessions import time_zone
from tickerbook.settings import ProviderParams, Ticker

_COLUMNS = {name.capitalize(): name for name in RAW} | {"Dividends": "dividend", "Stock Splits": "split"}
_UNITED_STATES = {"XNYS", "XNAS", "XASE", "ARCX", "BATS"}
_NO_DATES = "Data doesn't exist"  # how Yahoo's own text begins when it knows the symbol and has no such dates


@dataclass(frozen=True)
class Yahoo:
    """Daily bars of Yahoo Finance, turned back into prices as traded.

    Yahoo's prices, volumes and dividends are adjusted for every split up to today, also without yfinance's
    `auto_adjust`. They are asked for until today, so that all those splits are in the answer, and are undone.
    Fund distributions that Yahoo lists as capital gains are not dividends here. yfinance gives a volume that
    Yahoo does not know as 0.

    Attributes:
        params: how it is asked.
        session: a `requests` or `curl_cffi` session to use instead of yfinance's own, for a proxy or a test.
    """

    params: ProviderParams = field(default_factory=ProviderParams)
    session: Any = None

    async def history(self, ticker: Ticker, first: date, last: date, interval: str = "1d") -> History:
        """Bars from Yahoo.

        Raises:
            ProviderError: of every kind.
        """
        if interval != "1d":
            raise not_served("Yahoo", ticker, interval)
        await permitted()
        return await asyncio.to_thread(self._history, ticker, first, last)

    def _history(self, ticker: Ticker, first: date, last: date) -> History:
        _prepare()
        symbol = yahoo_symbol(ticker)
        try:
            table, about = self._ask(symbol, time_zone(ticker.calendar), first)
            raw = undo_splits(_unordered(table))
        except Exception as error:  # yfinance passes on whatever its parts raise
            raise _translated(ticker.symbol, error) from error
        if about.get("symbol", symbol) != symbol:
            raise ProviderError(
                ProviderFault.MALFORMED,
                f"Yahoo answered for {about['symbol']} when asked for {ticker.symbol}.",
                "Check the symbol on finance.yahoo.com.",
            )
        source = f"yahoo (yfinance {version('yfinance')})"
        return History(raw.loc[raw.index <= pd.Timestamp(last)], source, about.get("currency"))

    def _ask(self, symbol: str, zone: str, first: date) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        asked = yfinance.Ticker(symbol, session=self.session)
        # Without it yfinance asks for the time zone first, and calls every ticker delisted when that fails.
        asked._tz = zone  # noqa: SLF001 - there is no public way
        table = asked.history(
            start=first.isoformat(), auto_adjust=False, actions=True, keepna=True, timeout=self.params.timeout
        )
        return table, asked.history_metadata


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


def _unordered(table: pd.DataFrame) -> pd.DataFrame:
    """Yfinance's frame under our names; dates in the exchange's time zone."""
    frame = table.rename(columns=_COLUMNS)[list(RAW)].astype("float64")
    frame["split"] = frame["split"].replace(0.0, 1.0)
    frame.index = pd.DatetimeIndex(table.index.tz_localize(None)).normalize()
    return frame


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
            f"Yahoo does not have it: {reason}.",
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
    return ProviderFault.MALFORMED, f"Yahoo's answer cannot be read ({type(error).__name__}: {error}).", again
