"""From providers into the lake: many tickers at once, one outcome each."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from tickerbook.errors import (
    DataError,
    NoBarsError,
    ProviderError,
    ProviderFault,
    TickerbookError,
    TornFileError,
)
from tickerbook.market.lake import Lake, Stored, Written
from tickerbook.market.lakefile import Origin
from tickerbook.market.providers import History, Provider, close, provider
from tickerbook.market.quality import check
from tickerbook.market.raw import RAW
from tickerbook.sessions import FIRST, last_completed
from tickerbook.settings import Ticker

_AT_ONCE = 8  # requests wait for the network, not for this machine


@dataclass(frozen=True)
class FetchResult:
    """What became of one ticker.

    Attributes:
        ticker: the symbol.
        status: "ok" also where nothing was new.
        provider: whose prices the lake has now; after a failure those who were asked.
        rows: sessions in the lake now.
        new_rows: sessions added.
        session: the newest session in the lake now; None where there is none.
        message: what happened, in one line.
        remedy: what to do, after a failure.
        seconds: how long it took.
    """

    ticker: str
    status: Literal["ok", "failed"]
    provider: str
    rows: int
    new_rows: int
    session: date | None
    message: str
    remedy: str
    seconds: float


def fetch(
    tickers: Sequence[Ticker],
    lake: Lake,
    *,
    now_at: datetime,
    on_done: Callable[[FetchResult], None] = lambda _: None,
    named: Callable[[str], Provider] = provider,
) -> list[FetchResult]:
    """Bring the lake up to the last session completed at `now_at`.

    Nobody is asked for a ticker whose last completed session is stored. Each ticker's providers are asked in
    the order written until one delivers; none that is not listed is ever asked. One ticker's failure stops
    nothing, and an interrupt loses nothing that was finished.

    Args:
        tickers: what to fetch.
        lake: where to store it.
        now_at: the present instant, aware.
        on_done: called in the calling thread with each outcome as it comes.
        named: gives the provider of a name.

    Returns:
        Outcomes in the order of `tickers`.

    Raises:
        ConfigError: for an unknown provider or calendar, before anybody is asked.
    """
    providers = {name: named(name) for ticker in tickers for name in ticker.providers}
    due = {ticker.calendar: last_completed(ticker.calendar, now_at) for ticker in tickers}
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch")
    try:
        futures = [
            pool.submit(_fetch_one, ticker, lake, providers, due[ticker.calendar], now_at)
            for ticker in tickers
        ]
        for future in as_completed(futures):
            on_done(future.result())
        return [future.result() for future in futures]
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch_one(
    ticker: Ticker, lake: Lake, providers: Mapping[str, Provider], due: date, now_at: datetime
) -> FetchResult:
    """The outcome for one ticker; never raises."""
    started = time.perf_counter()
    try:
        result = _outcome(ticker, lake, providers, due, now_at)
    except TickerbookError as error:
        result = _failed(ticker, lake, error.message, error.remedy)
    except Exception as error:  # noqa: BLE001 - one ticker's failure, even a mistake of ours, stops no other
        what = f"{ticker.symbol}: {type(error).__name__}: {error}"
        result = _failed(ticker, lake, what, "This is a mistake in tickerbook; please report it.")
    return replace(result, seconds=time.perf_counter() - started)


def _outcome(
    ticker: Ticker, lake: Lake, providers: Mapping[str, Provider], due: date, now_at: datetime
) -> FetchResult:
    try:
        stored = lake.read(ticker.symbol)
    except (NoBarsError, TornFileError):
        stored = None
    if stored is not None and _is_current(stored, ticker, due):
        return _ok(stored, message="up to date, nobody was asked")
    history, name, said = _first_answer(ticker, providers, due)
    checked = check(history.frame, ticker.calendar, due)
    if checked.frame.empty:
        raise ProviderError(
            ProviderFault.EMPTY,
            f"{ticker.symbol}: {name} delivered no usable bar ({', '.join(checked.notes) or 'no rows'}).",
            "Look at the symbol and calendar in params/universe.toml, or name another provider.",
        )
    origin = Origin(name, history.source, now_at, ticker.calendar, ticker.currency)
    written = lake.write(ticker.symbol, checked.frame, origin)
    message = "; ".join([*said, _summary(written, name), *checked.notes])
    return replace(_ok(lake.read(ticker.symbol), message=message), new_rows=written.new)


def _is_current(stored: Stored, ticker: Ticker, due: date) -> bool:
    """Whether nothing can be new, and params/ still say what the stored bars say of themselves."""
    same = (stored.origin.calendar, stored.origin.currency) == (ticker.calendar, ticker.currency)
    return same and stored.session >= due


def _first_answer(
    ticker: Ticker, providers: Mapping[str, Provider], due: date
) -> tuple[History, str, list[str]]:
    """The first provider's bars, its name, and why those before it did not deliver."""
    errors: list[ProviderError] = []
    for name in ticker.providers:
        try:
            history = asyncio.run(_asked(providers[name], ticker, due))
            _check_currency(ticker, name, history)
        except ProviderError as error:
            errors.append(error)
        else:
            return history, name, [error.message.rstrip(".") for error in errors]
    first, *others = errors
    raise ProviderError(first.kind, " ".join(e.message for e in errors), first.remedy) if others else first


async def _asked(provider: Provider, ticker: Ticker, due: date) -> History:
    """A provider's bars; an action it does not know is NaN."""
    try:
        history = await provider.history(ticker, FIRST, due)
    finally:
        await close([provider])
    return replace(history, frame=history.frame.reindex(columns=list(RAW)))


def _check_currency(ticker: Ticker, name: str, history: History) -> None:
    if history.currency not in (None, ticker.currency):
        raise ProviderError(
            ProviderFault.MALFORMED,
            f"{ticker.symbol}: {name} quotes it in {history.currency}, params/ say {ticker.currency}.",
            f'Write currency = "{history.currency}" in [ticker.{ticker.symbol}] of params/universe.toml.',
        )


def _summary(written: Written, name: str) -> str:
    """What a write changed, in words."""
    if written.older:
        return f"the answer of {name} ends before what is stored, which was kept as it is"
    counts = {
        "new": written.new,
        "restated": written.restated,
        "withdrawn with the former provider": written.withdrawn,
        f"kept that {name} no longer has": written.missing,
    }
    found = ", ".join(
        f"{count:,} session{'' if count == 1 else 's'} {what}" for what, count in counts.items() if count
    )
    aside = f"; a damaged file was set aside as {written.aside.name}" if written.aside else ""
    return (found or "nothing new") + aside


def _ok(stored: Stored, message: str) -> FetchResult:
    provider = stored.origin.provider
    return FetchResult(stored.ticker, "ok", provider, len(stored.frame), 0, stored.session, message, "", 0.0)


def _failed(ticker: Ticker, lake: Lake, message: str, remedy: str) -> FetchResult:
    """A failure, with what the lake still has."""
    asked = ", ".join(ticker.providers)
    failed = FetchResult(ticker.symbol, "failed", asked, 0, 0, None, message, remedy, 0.0)
    try:
        stored = lake.read(ticker.symbol)
    except DataError:
        return failed
    return replace(failed, rows=len(stored.frame), session=stored.session)
