"""What tests of the market room share: tickers, raw frames, a lake, providers that do as told."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.lake import Lake
from tickerbook.market.lakefile import Origin
from tickerbook.market.providers import History
from tickerbook.market.raw import RAW
from tickerbook.settings import Ticker


@pytest.fixture
def now_at() -> datetime:
    """Two hours after the close of 2012-03-09, a Friday."""
    return datetime(2012, 3, 9, 23, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(tmp_path / "lake")


@pytest.fixture
def ticker() -> Callable[..., Ticker]:
    """A maker of tickers."""

    def make(symbol="AAPL", providers=("fake",), calendar="XNYS", currency="USD"):
        return Ticker(symbol=symbol, name=symbol, providers=providers, calendar=calendar, currency=currency)

    return make


@pytest.fixture
def raw() -> Callable[..., pd.DataFrame]:
    """A maker of raw frames: `raw({"2012-03-05": 10.0}, split={"2012-03-05": 2.0})`; all prices are the close."""

    def make(closes, **columns):
        index = pd.DatetimeIndex(list(closes), name="session").as_unit("ns")
        values = {name: list(closes.values()) for name in RAW[:4]}
        frame = pd.DataFrame(
            values | {"volume": 1000.0, "dividend": 0.0, "split": 1.0}, index=index, dtype="float64"
        )
        for column, changes in columns.items():
            for day, value in changes.items():
                frame.loc[pd.Timestamp(day), column] = value
        return frame[list(RAW)]

    return make


@pytest.fixture
def week(raw) -> pd.DataFrame:
    """The five sessions up to `now_at`."""
    return raw({f"2012-03-0{day}": float(day) for day in range(5, 10)})


@pytest.fixture
def origin() -> Callable[..., Origin]:
    """A maker of origins."""

    def make(day=9, provider="fake", calendar="XNYS", currency="USD"):
        return Origin(provider, f"{provider} 1.0", datetime(2012, 3, day, 23, tzinfo=UTC), calendar, currency)

    return make


class Fake:
    """A provider that gives the same frame for every ticker, or its own for some, and counts its calls."""

    def __init__(self, frame=None, own=(), currency=None, source="fake 1.0"):
        self.frame, self.own, self.currency, self.source = frame, dict(own), currency, source
        self.asked: list[tuple[str, date, date]] = []

    async def history(self, ticker, first, last, interval="1d"):  # noqa: ARG002 - part of the protocol
        self.asked.append((ticker.symbol, first, last))
        answer = self.own.get(ticker.symbol, self.frame)
        if isinstance(answer, BaseException):
            raise answer
        if answer is None:
            raise ProviderError(ProviderFault.NOT_FOUND, f"fake has no {ticker.symbol}.", "Ask for another.")
        return History(answer, self.source, self.currency)


@pytest.fixture
def fake() -> type[Fake]:
    """A provider that does as told."""
    return Fake


@pytest.fixture
def month() -> pd.DataFrame:
    """29 sessions up to `now_at` with prices and volumes as real ones move."""
    index = pd.bdate_range("2012-01-30", "2012-03-09", name="session").drop("2012-02-20").as_unit("ns")
    number = pd.Series(range(len(index)), index=index, dtype="float64")
    close = 50 + number * 0.1 + (number * 7 % 11) * 0.05
    columns = {"open": close - 0.1, "high": close + 0.3, "low": close - 0.4, "close": close}
    volume = 1_000_000 + (number * 13 % 17) * 10_000
    return pd.DataFrame(columns | {"volume": volume, "dividend": 0.0, "split": 1.0})[list(RAW)]
