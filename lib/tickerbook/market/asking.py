"""Asking one vendor: at the pace it allows, again where that helps, and never for longer than it may take."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from tickerbook.errors import DataError, ProviderError, ProviderFault
from tickerbook.market.circuits import Circuits
from tickerbook.market.limits import Limits, rates
from tickerbook.market.providers import History, Provider, account, permit
from tickerbook.market.scorecard import DELIVERED, Ask
from tickerbook.sessions import sessions_between
from tickerbook.settings import ProviderParams, Ticker

_PASSING = {ProviderFault.UNREACHABLE, ProviderFault.RATE_LIMITED, ProviderFault.MALFORMED}
_LONGEST_PAUSE = 16  # times the first


@dataclass(frozen=True)
class Bounds:
    """How long things may take, in seconds, and how many at once.

    Attributes:
        short: a wait that is shorter is worth it while others could be asked.
        requests: times a vendor's timeout that one question, of which some need several requests, may take.
        attempts: how often one vendor is asked the same.
        pause: between the first two attempts, where the vendor tells nothing; each further one is twice as
            long, and some chance is added.
        ticker: for one ticker, waiting for our turn left out.
        fetch: for everything.
        at_once: questions under way at one vendor.
    """

    short: float = 20.0
    requests: float = 6.0
    attempts: int = 3
    pause: float = 0.5
    ticker: float = 240.0
    fetch: float = 3600.0
    at_once: int = 32


@dataclass(frozen=True)
class Question:
    """Bars of a ticker from `first` to `last`, of which `last` is due."""

    ticker: Ticker
    first: date
    last: date


@dataclass(frozen=True, eq=False)
class Desk:
    """Asks vendors, within one event loop.

    Attributes:
        providers: by name.
        params: how each is asked; defaults where it is not there.
        limits: who keeps count of requests.
        circuits: who is left alone.
        clock: seconds since 1970.
        bounds: how long things may take.
        asks: what became of each question, as they come.
    """

    providers: Mapping[str, Provider]
    params: Mapping[str, ProviderParams]
    limits: Limits
    circuits: Circuits
    clock: Callable[[], float]
    bounds: Bounds = field(default_factory=Bounds)
    asks: list[Ask] = field(default_factory=list)
    _lines: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    async def ask(
        self, name: str, question: Question, *, patience: float, budget: asyncio.Timeout
    ) -> History:
        """A vendor's answer.

        A failure that may pass is followed by another attempt: after as long as the vendor says, if that is
        not longer than `patience` seconds, else after a growing time with some chance in it.

        Args:
            name: whom to ask.
            question: what.
            patience: longest wait for our turn, or told by the vendor, that is acceptable.
            budget: the ticker's time; it stands still while we wait for our turn.

        Raises:
            ProviderError: if it does not deliver.
            DataError: if requests cannot be counted.
        """
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self.bounds.attempts),
            retry=retry_if_exception(partial(_worth_another, patience=patience)),
            wait=partial(_pause, self.bounds.pause),
            sleep=partial(_sleep, budget),
            reraise=True,
        )
        return await retrying(self._attempt, name, question, patience, budget)

    async def probe(self, name: str, question: Question) -> History:
        """A vendor's answer to one attempt without a wait, also while its circuit is open: to find out.

        Raises:
            ProviderError: if it does not deliver.
            DataError: if requests cannot be counted.
        """
        async with asyncio.timeout(None) as budget:
            return await self._once(name, question, 0.0, budget)

    async def _attempt(
        self, name: str, question: Question, patience: float, budget: asyncio.Timeout
    ) -> History:
        line = self._lines.setdefault(name, asyncio.Semaphore(self.bounds.at_once))
        async with _paused(budget):
            await line.acquire()
        try:
            self.circuits.admit(name, self.clock())
            return await self._once(name, question, patience, budget)
        finally:
            line.release()

    async def _once(self, name: str, question: Question, patience: float, budget: asyncio.Timeout) -> History:
        """One attempt, counted and timed."""
        pace = _Pace(self, name, patience, budget)
        began = self.clock()
        try:
            history = await self._bounded(name, question, pace)
        except ProviderError as error:
            if error is not pace.refusal:
                self.circuits.failed(name, error, self.clock())
            self._note(name, question, began, pace, error=error)
            raise
        self.circuits.served(name, self.clock())
        self._note(name, question, began, pace, history=history)
        return history

    async def _bounded(self, name: str, question: Question, pace: "_Pace") -> History:
        """The provider's answer, or ProviderError, whatever it does."""
        seconds = self.bounds.requests * self.params.get(name, ProviderParams()).timeout
        symbol, token = question.ticker.symbol, permit.set(pace)
        try:
            async with asyncio.timeout(seconds) as pace.call:
                return await self.providers[name].history(question.ticker, question.first, question.last)
        except TimeoutError as error:
            raise ProviderError(
                ProviderFault.UNREACHABLE,
                f"{symbol}: {name} did not answer within {seconds:g} seconds.",
                f"Try again later, or raise `timeout` in [{name}] of params/providers.toml.",
            ) from error
        except (ProviderError, DataError):
            raise
        except Exception as error:  # one vendor's oddity must not stop the others
            # Its text may hold anything the vendor sent, a key among it; where it happened says enough.
            raise ProviderError(
                ProviderFault.MALFORMED,
                f"{symbol}: {name} stumbled over the answer ({type(error).__name__} in {_place(error)}).",
                "This is a mistake in tickerbook; please report it.",
            ) from error
        finally:
            permit.reset(token)

    def _note(
        self,
        name: str,
        question: Question,
        began: float,
        pace: "_Pace",
        *,
        history: History | None = None,
        error: ProviderError | None = None,
    ) -> None:
        rows = 0 if history is None else len(history.frame)
        newest = history.frame.index.max().date() if history is not None and rows else None
        behind = None
        if newest is not None:
            behind = int(
                (sessions_between(question.ticker.calendar, newest, question.last).date > newest).sum()
            )
        self.asks.append(
            Ask(
                asked_at=datetime.fromtimestamp(began, UTC),
                ticker=question.ticker.symbol,
                provider=name,
                outcome=error.kind if error else DELIVERED,
                seconds=max(self.clock() - began - pace.waited, 0.0),
                rows=rows,
                behind=behind,
                message=error.message if error else "",
            )
        )


class _Pace:
    """Awaited by a provider before each request; gives it a place in time."""

    def __init__(self, desk: Desk, name: str, patience: float, budget: asyncio.Timeout) -> None:
        self._desk, self._patience, self._budget = desk, patience, budget
        self._account = account(name, desk.providers[name])
        self._rates = rates(desk.params.get(name, ProviderParams()))
        self.call = budget
        self.refusal: ProviderError | None = None
        self.waited = 0.0

    async def __call__(self) -> None:
        try:
            wait = self._desk.limits.reserve(self._account, self._rates, self._desk.clock(), self._patience)
        except ProviderError as error:
            self.refusal = error
            raise
        if wait > 0:
            self.waited += wait
            async with _paused(self._budget), _paused(self.call):
                await asyncio.sleep(wait)


@asynccontextmanager
async def _paused(budget: asyncio.Timeout) -> AsyncIterator[None]:
    """Let a timeout stand still."""
    loop, when = asyncio.get_running_loop(), budget.when()
    left = None if when is None else when - loop.time()
    budget.reschedule(None)
    try:
        yield
    finally:
        if not budget.expired():
            budget.reschedule(None if left is None else loop.time() + left)


def _worth_another(error: BaseException, *, patience: float) -> bool:
    return (
        isinstance(error, ProviderError)
        and error.kind in _PASSING
        and (error.retry_after is None or error.retry_after <= patience)
    )


def _pause(first: float, state: RetryCallState) -> float:
    """As long as was told, else growing."""
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after if isinstance(error, ProviderError) else None
    growing = wait_exponential_jitter(multiplier=first, max=_LONGEST_PAUSE * first, jitter=first)
    return growing(state) if told is None else told


async def _sleep(budget: asyncio.Timeout, seconds: float) -> None:
    async with _paused(budget):
        await asyncio.sleep(seconds)


def _place(error: Exception) -> str:
    """Where an error was raised: `yahoo.py:81`."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
