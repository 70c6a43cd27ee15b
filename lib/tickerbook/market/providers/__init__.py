"""One file for each provider of prices; the file's name is the provider's name.

A provider is one class, named like its file with a capital (`yahoo.py` has `Yahoo`), that fulfils `Provider`
and is made with its `ProviderParams`. Where the vendor has them it also fulfils `Quotes` and `News`; where it
keeps connections it fulfils `Closing`. Two that share one quota have the same `account`.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

import pandas as pd

from tickerbook.errors import ConfigError, ProviderError, ProviderFault
from tickerbook.market.raw import ACTIONS
from tickerbook.settings import ProviderParams, Ticker, nearest

permit: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("permit", default=None)
"""Awaited before every request to a vendor, of which one history may need several. Who limits the rate sets
it around a call: `permit.set(limiter.acquire)`. Providers without a network never await it."""


@dataclass(frozen=True, eq=False)
class History:
    """What a provider delivered.

    Attributes:
        frame: columns `RAW` (see `market.raw`): prices as traded and actions. The column of an action that
            the provider does not know (`actions`) is absent: that is not the same as "there was none". The
            index has naive dates, or UTC instants of the bars' beginnings where the interval is shorter than
            a day, and may still be unordered or have repeats and rows without prices: quality decides on
            them.
        source: the provider as a reader would name it, with the version of what was read or used.
        currency: ISO 4217 code the provider states; None where it states none.
    """

    frame: pd.DataFrame = field(repr=False)
    source: str
    currency: str | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """Which of dividend and split the provider knows."""
        return tuple(name for name in ACTIONS if name in self.frame)


@dataclass(frozen=True)
class Quote:
    """The latest price a provider knows.

    Attributes:
        ticker: the symbol.
        price: currency a share.
        previous_close: of the session before; None where unknown.
        session: the session in which that price was made.
        quoted_at: when, UTC; None where the provider tells only the session.
        source: the provider as a reader would name it.
    """

    ticker: str
    price: float
    previous_close: float | None
    session: date
    quoted_at: datetime | None
    source: str


@dataclass(frozen=True)
class Headline:
    """One piece of news, as its publisher wrote it: hostile text until a page has cleaned it.

    Attributes:
        title: the headline.
        url: where it stands, http or https.
        publisher: whose it is.
        published_at: UTC.
        summary: the provider's; may be empty.
    """

    title: str
    url: str
    publisher: str
    published_at: datetime
    summary: str = ""


class Provider(Protocol):
    """Where prices come from."""

    async def history(self, ticker: Ticker, first: date, last: date, interval: str = "1d") -> History:
        """Bars of the sessions from `first` to `last`, both included, as far as there are any.

        Several calls may be under way at once. Blocking work goes through `asyncio.to_thread`.

        Args:
            ticker: whose bars.
            first: first session.
            last: last session.
            interval: one of `INTERVALS`.

        Raises:
            ProviderError: in every other case; `kind` says how it failed.
        """
        ...


@runtime_checkable
class Quotes(Protocol):
    """A provider that knows latest prices."""

    async def quote(self, ticker: Ticker) -> Quote:
        """The latest price.

        Raises:
            ProviderError: where there is none; `kind` says how it failed.
        """
        ...


@runtime_checkable
class News(Protocol):
    """A provider that knows headlines."""

    async def news(self, ticker: Ticker, first: date, last: date) -> tuple[Headline, ...]:
        """Headlines about a ticker from `first` to `last`, newest first; none is an answer.

        Raises:
            ProviderError: in every other case; `kind` says how it failed.
        """
        ...


@runtime_checkable
class Closing(Protocol):
    """A provider that keeps connections."""

    async def close(self) -> None:
        """Close the connections made in the running event loop; it may be asked again afterwards."""
        ...


INTERVALS = ("1d", "1h", "15m", "5m", "1m")


async def permitted() -> None:
    """Wait until a request may be made."""
    if wait := permit.get():
        await wait()


def account(name: str, one: object) -> str:
    """The name under which a provider's requests are counted: its `account` where it shares a quota."""
    return str(getattr(one, "account", name))


def not_served(who: str, ticker: Ticker, interval: str) -> ProviderError:
    """The error for an interval that a provider does not have."""
    return ProviderError(
        ProviderFault.NOT_ENTITLED,
        f"{ticker.symbol}: {who} does not serve bars of {interval!r}.",
        "Ask for daily bars (1d), or see docs/providers.md for who serves which intervals.",
    )


async def close(providers: Iterable[Provider]) -> None:
    """Close what providers keep open. To be awaited in the event loop they were asked in."""
    for one in providers:
        if isinstance(one, Closing):
            await one.close()


def provider(name: str, params: ProviderParams | None = None) -> Provider:
    """The provider of that name.

    Args:
        name: the name of its file.
        params: how it is asked, from `Settings.providers`; by default as written in its documentation.

    Raises:
        ConfigError: if there is none; names the nearest.
    """
    known = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    if name not in known:
        raise ConfigError(
            f"There is no provider named {name!r}.{nearest(name, known)}",
            f"`providers` in params/universe.toml takes {', '.join(known)}.",
        )
    module = import_module(f"{__name__}.{name}")
    return cast("Provider", getattr(module, name.capitalize())(params or ProviderParams()))
