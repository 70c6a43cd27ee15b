"""From vendors into the lake: many tickers at once, one outcome each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import AsyncFileLock, Timeout

from tickerbook.errors import DataError, NoBarsError, ProviderError, TickerbookError, TornFileError
from tickerbook.files import slug
from tickerbook.market.answers import Answer, Case, source
from tickerbook.market.asking import Bounds, Desk
from tickerbook.market.background import Background
from tickerbook.market.circuits import Circuits
from tickerbook.market.lake import Lake, Stored, Written
from tickerbook.market.lakefile import Origin
from tickerbook.market.limits import Limits, duration
from tickerbook.market.memory import Memory
from tickerbook.market.providers import Provider, close, provider
from tickerbook.market.quarantine import Quarantine
from tickerbook.market.results import FetchResult, changed, reasons, remarks, repaired, set_aside
from tickerbook.market.scorecard import Noted, Restated, Scorecard, Spread
from tickerbook.market.spans import first_to_ask, holes, merged
from tickerbook.market.unanswered import Unanswered
from tickerbook.sessions import FIRST, last_completed
from tickerbook.settings import ProviderParams, Ticker

__all__ = ["Bounds", "FetchResult", "fetch", "fetch_all", "prefetch"]

_TICKERS = 256  # under way at once; each has its stored history in memory
_DISK = 2  # threads that read, judge and write: mostly Python, so that more only get in each other's way
_GRACE = timedelta(hours=3)  # after a session's close, in which vendors may still lack it
_USUAL = Bounds()


def fetch(
    tickers: Sequence[Ticker],
    lake: Lake,
    *,
    now_at: datetime,
    on_done: Callable[[FetchResult], None] = lambda _: None,
    params: Mapping[str, ProviderParams] | None = None,
    data: Path | None = None,
    ledger: str | None = None,
    bounds: Bounds = _USUAL,
    named: Callable[[str], Provider] | None = None,
) -> list[FetchResult]:
    """Bring the lake up to the last session completed at `now_at`.

    Nobody is asked for a ticker whose sessions are all stored; else for the missing ones and some before
    them. Each ticker's providers are asked in the order written until one delivers bars that pass the quality
    gate; none that is not listed is ever asked. One ticker's failure stops nothing, and an interrupt, or the
    end of the program by force, loses nothing that was finished.

    Args:
        tickers: what to fetch.
        lake: where to store it.
        now_at: the present instant, aware.
        on_done: called in the calling thread with each outcome as it comes.
        params: how each provider is asked (`Settings.providers`).
        data: folder (data/ of a project) of what is remembered from one program to the next: limits.db,
            quarantine/ and fetching/. None to remember nothing.
        ledger: SQLAlchemy URL of the database for the vendors' scorecard; None for none.
        bounds: how long things may take.
        named: gives the provider of a name; by default those in `market.providers`.

    Returns:
        Outcomes in the order of `tickers`.

    Raises:
        ConfigError: for an unknown provider or calendar, before anybody is asked.
        DataError: if `data` or `ledger` cannot be used.
    """
    given = {"params": params, "data": data, "ledger": ledger, "bounds": bounds, "named": named}
    return asyncio.run(fetch_all(tickers, lake, now_at=now_at, on_done=on_done, **given))  # type: ignore[arg-type]


def prefetch(
    tickers: Sequence[Ticker], lake: Lake, *, looked_at: Sequence[str] = (), **given: Any
) -> list[FetchResult]:
    """Fetch what a coming run will need, so that it waits for no vendor.

    Args:
        tickers: the run's tickers, and those that readers look at.
        lake: where to store it.
        looked_at: symbols that are looked at most; they come first, for the case that a vendor's quota does
            not suffice for all.
        **given: as for `fetch`.

    Returns:
        Outcomes in the order asked.

    Raises:
        ConfigError: as `fetch`.
        DataError: as `fetch`.
    """
    rank = {symbol: place for place, symbol in enumerate(looked_at)}
    first = sorted(tickers, key=lambda ticker: rank.get(ticker.symbol, len(rank)))
    return fetch(first, lake, **given)


async def fetch_all(
    tickers: Sequence[Ticker],
    lake: Lake,
    *,
    now_at: datetime,
    on_done: Callable[[FetchResult], None] = lambda _: None,
    params: Mapping[str, ProviderParams] | None = None,
    data: Path | None = None,
    ledger: str | None = None,
    bounds: Bounds = _USUAL,
    named: Callable[[str], Provider] | None = None,
) -> list[FetchResult]:
    """`fetch`, for who has an event loop already."""
    told = params or {}
    made = named or (lambda name: provider(name, told.get(name)))
    providers = {
        name: made(name) for name in dict.fromkeys(n for ticker in tickers for n in ticker.providers)
    }
    due = {name: last_completed(name, now_at) for name in {ticker.calendar: None for ticker in tickers}}
    fresh = {calendar: last_completed(calendar, now_at - _GRACE) for calendar in due}
    scorecard = Scorecard(ledger) if ledger else None
    memory = Memory(data / "limits.db" if data else None)
    loop, epoch = asyncio.get_running_loop(), now_at.timestamp() - asyncio.get_running_loop().time()
    loop.set_default_executor(Background())
    desk = Desk(providers, told, Limits(memory), Circuits(memory), lambda: epoch + loop.time(), bounds)
    with ThreadPoolExecutor(_DISK, thread_name_prefix="lake") as disk:
        work = _Fetch(lake, desk, disk, Unanswered(memory), due, fresh, data, loop.time() + bounds.fetch)
        try:
            return await work.run(tickers, on_done)
        finally:
            await close(providers.values())
            memory.close()
            if scorecard:
                await work.apart(scorecard.record, desk.asks, work.noted, work.spreads, work.restated)


@dataclass(eq=False)
class _Fetch:
    """One fetch under way."""

    lake: Lake
    desk: Desk
    disk: ThreadPoolExecutor
    unanswered: Unanswered
    due: Mapping[str, date]
    fresh: Mapping[str, date]
    data: Path | None
    deadline: float
    noted: list[Noted] = field(default_factory=list)
    spreads: list[Spread] = field(default_factory=list)
    restated: list[Restated] = field(default_factory=list)

    async def run(
        self, tickers: Sequence[Ticker], on_done: Callable[[FetchResult], None]
    ) -> list[FetchResult]:
        """Every outcome, in the order of the tickers; what is not done in time has failed."""
        places = asyncio.Semaphore(_TICKERS)
        tasks = [asyncio.create_task(self._placed(ticker, places)) for ticker in tickers]
        try:
            waiting = set(tasks)
            while waiting and (left := self._left()) > 0:
                done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    on_done(task.result())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        results = []
        for ticker, task in zip(tickers, tasks, strict=True):
            results.append(self._late(ticker) if task.cancelled() else task.result())
            if task.cancelled():
                on_done(results[-1])
        return results

    async def apart(self, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do what reads, computes or writes in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.disk, partial(work, *given, **named))

    def _left(self) -> float:
        """Seconds until everything must be done."""
        return self.deadline - asyncio.get_running_loop().time()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.desk.clock(), UTC)

    async def _placed(self, ticker: Ticker, places: asyncio.Semaphore) -> FetchResult:
        """The outcome for one ticker; raises nothing but its own cancellation."""
        async with places:
            began = self.desk.clock()
            try:
                result = await self._outcome(ticker)
            except TickerbookError as error:
                result = _failed(ticker, error.message, error.remedy)
            except OSError as error:
                what = f"{ticker.symbol} could not be stored: {error.strerror or error}."
                result = _failed(ticker, what, "Make room, or let the folder be written; then fetch again.")
            except Exception as error:  # noqa: BLE001 - one ticker's failure, even a mistake of ours, stops no other
                what = f"{ticker.symbol}: {type(error).__name__}: {error}"
                result = _failed(ticker, what, "This is a mistake in tickerbook; please report it.")
            if result.status == "failed":
                result = await self.apart(_with_stored, result, self.lake)
            return replace(result, seconds=self.desk.clock() - began)

    async def _outcome(self, ticker: Ticker) -> FetchResult:
        stored = await self.apart(_read, self.lake, ticker.symbol)
        first = self._first(ticker, stored)
        if stored is not None and first is None:
            return _ok(stored, "up to date, nobody was asked")
        async with self._alone(ticker) as waited:
            if waited:
                stored = await self.apart(_read, self.lake, ticker.symbol)
                first = self._first(ticker, stored)
            if stored is not None and first is None:
                return _ok(stored, "another program fetched it meanwhile")
            due, fresh = self.due[ticker.calendar], self.fresh[ticker.calendar]
            return await self._sourced(Case(ticker, stored, first or FIRST, due, fresh))

    def _first(self, ticker: Ticker, stored: Stored | None) -> date | None:
        """The first session worth asking for; None where nothing is missing."""
        if stored is None:
            return FIRST
        origin = stored.origin
        if (origin.calendar, origin.currency) != (ticker.calendar, ticker.currency):
            return FIRST
        known = self.unanswered.sessions(ticker.symbol, self.desk.clock())
        return first_to_ask(stored, ticker, self.due[ticker.calendar], known)

    @asynccontextmanager
    async def _alone(self, ticker: Ticker) -> AsyncIterator[bool]:
        """Keep other programs from fetching the same ticker; gives whether one had to be waited for."""
        if self.data is None:
            yield False
            return
        folder = self.data / "fetching"
        folder.mkdir(parents=True, exist_ok=True)
        lock = AsyncFileLock(folder / f"{slug(ticker.symbol)}.lock", run_in_executor=False, poll_interval=0.2)
        waited = False
        try:
            await lock.acquire(blocking=False)
        except Timeout:
            waited = True
            await lock.acquire(timeout=max(self._left(), 0.0))
        try:
            yield waited
        finally:
            await lock.release()

    async def _sourced(self, case: Case) -> FetchResult:
        """Ask, store, and tell."""
        try:
            answer = await source(case, self.desk, self._left(), self.apart)
        except ProviderError as error:
            await self._refuse(case)
            result = _failed(case.ticker, error.message, error.remedy)
            refused = sum(len(delivered) for delivered, _ in case.refused.values())
            return replace(result, why=reasons(case), quarantined=refused)
        written = await self.apart(self._write, case, answer)
        self._remember(case, answer, written)
        return _stored(case, answer, written)

    def _write(self, case: Case, answer: Answer) -> Written:
        """Store an answer. A part of a history is only added to the history that it was asked for."""
        symbol, frame, source = case.ticker.symbol, answer.frame, _said(answer)
        if case.stored is not None and answer.first > FIRST:
            before = (
                case.stored if self.data else _read(self.lake, symbol)
            )  # with data, nobody else writes it
            if before is None or before.origin != case.stored.origin:
                raise DataError(
                    f"{symbol} was changed by another program meanwhile.",
                    f"Run `tickerbook fetch {symbol}` again.",
                )
            frame = merged(answer.frame, before.frame, restate=_preferred(case, answer))
            source = _both(source, answer, before)
        origin = Origin(answer.provider, source, self._now(), case.ticker.calendar, case.ticker.currency)
        written = self.lake.write(symbol, frame, origin)
        if self.data is not None:
            Quarantine(self.data / "quarantine").lift(symbol)
        return written

    async def _refuse(self, case: Case) -> None:
        """Put a ticker into quarantine if what came for it failed the gate."""
        for name, (_, findings) in case.refused.items():
            self._note(case, name, findings)
        if self.data is None or not case.refused:
            return
        name = next(iter(case.refused))
        delivered, findings = case.refused[name]
        session = case.stored.session if case.stored else None
        put = Quarantine(self.data / "quarantine").put
        await self.apart(put, case.ticker.symbol, name, findings, delivered, at=self._now(), session=session)

    def _remember(self, case: Case, answer: Answer, written: Written) -> None:
        """Which sessions nobody has, what the gate found, how far vendors are apart."""
        symbol, index = case.ticker.symbol, answer.frame.index
        if case.stored is not None and not written.withdrawn:
            index = index.union(case.stored.frame.index)
        self.unanswered.note(symbol, holes(index, case.ticker.calendar, answer.first), self.desk.clock())
        for name, (_, findings) in case.refused.items():
            self._note(case, name, findings)
        self._note(case, answer.provider, answer.findings)
        self.spreads += _spreads(symbol, answer, self._now())
        self.restated += _restated(symbol, answer, written, self._now())

    def _note(self, case: Case, name: str, findings: Sequence[Any]) -> None:
        """Keep findings for the ledger, those about sessions left out that were stored and judged before."""
        told = [finding for finding in findings if finding.severity != "info"]
        if not told:
            return
        known = set(case.stored.frame.index.date) if case.stored else set()
        self.noted += [
            Noted(case.ticker.symbol, name, self._now(), finding)
            for finding in told
            if finding.check.startswith("history.") or not finding.sessions or set(finding.sessions) - known
        ]

    def _late(self, ticker: Ticker) -> FetchResult:
        took = duration(self.desk.bounds.fetch)
        what = f"{ticker.symbol}: not done after {took}."
        return _with_stored(_failed(ticker, what, "Fetch again; what is done is kept."), self.lake)


def _read(lake: Lake, symbol: str) -> Stored | None:
    """What can be read of a ticker."""
    try:
        return lake.read(symbol)
    except (NoBarsError, TornFileError):
        return None


def _ok(stored: Stored, message: str) -> FetchResult:
    name = stored.origin.provider
    return FetchResult(stored.ticker, "ok", name, len(stored.frame), 0, stored.session, message, "", 0.0)


def _stored(case: Case, answer: Answer, written: Written) -> FetchResult:
    """The outcome after a write."""
    known = case.stored.session if case.stored and not written.withdrawn else answer.newest
    others = [e.message.rstrip(".") for name, e in case.refusals.items() if name != answer.provider]
    late = [f"ends at {answer.newest}, {case.due} is due"] if answer.newest < case.due else []
    unknown = [f"{answer.provider} does not tell {name}s" for name in answer.unknown]
    said = [
        *others,
        changed(written, case, answer),
        *map(str, written.changes[:1]),
        *late,
        *remarks(answer.findings),
        *unknown,
        *_compared(case, answer),
    ]
    return FetchResult(
        ticker=case.ticker.symbol,
        status="ok",
        provider=answer.provider,
        rows=written.rows,
        new_rows=written.new,
        session=max(known, answer.newest),
        message="; ".join(said),
        remedy="",
        seconds=0.0,
        why=reasons(case, answer.provider) or "first choice",
        restated=written.restated,
        repaired=repaired(answer.findings),
        quarantined=set_aside(answer.findings),
    )


def _failed(ticker: Ticker, message: str, remedy: str) -> FetchResult:
    return FetchResult(ticker.symbol, "failed", ", ".join(ticker.providers), 0, 0, None, message, remedy, 0.0)


def _with_stored(failed: FetchResult, lake: Lake) -> FetchResult:
    """A failure, with what the lake still has."""
    try:
        stored = lake.read(failed.ticker)
    except DataError:
        return failed
    return replace(failed, rows=len(stored.frame), session=stored.session)


def _preferred(case: Case, answer: Answer) -> bool:
    """Whether a vendor is at least as much preferred as the one who told what is stored."""
    order, before = case.ticker.providers, case.stored.origin.provider if case.stored else ""
    return before not in order or order.index(answer.provider) <= order.index(before)


def _both(source: str, answer: Answer, before: Stored) -> str:
    """The source of a history that another vendor continues."""
    if before.origin.provider == answer.provider:
        return source
    return f"{source}; before, {before.origin.source.split('; before, ')[0]}"


def _said(answer: Answer) -> str:
    """The source, and who agrees."""
    if answer.agreement is None:
        return answer.source
    others = sorted(set(",".join(answer.agreement.vendors).split(",")) - {answer.provider})
    return f"{answer.source}, compared with {', '.join(others)}" if others else answer.source


def _compared(case: Case, answer: Answer) -> list[str]:
    """What came of a quorum, in words."""
    if case.ticker.quorum == 1:
        return []
    if len(case.good) < case.ticker.quorum or answer.agreement is None:
        return [f"only {len(case.good)} of {case.ticker.quorum} vendors could be compared"]
    told, disputed = answer.agreement, int(answer.agreement.disputed.sum())
    elsewhere = int((told.taken_from != answer.provider).sum())
    counts = {"in dispute between vendors": disputed, f"taken from others than {answer.provider}": elsewhere}
    widest = f"vendors are at most {told.spread.max():.2%} apart" if told.spread.notna().any() else ""
    return [*(f"{n:,} session{'' if n == 1 else 's'} {what}" for what, n in counts.items() if n), widest]


def _restated(symbol: str, answer: Answer, written: Written, learnt_at: datetime) -> list[Restated]:
    """What a write changed of what was known, for the ledger."""
    return [
        Restated(
            learnt_at,
            symbol,
            answer.provider,
            change.column,
            change.sessions,
            change.session,
            None if isnan(change.before) else change.before,
            None if isnan(change.after) else change.after,
        )
        for change in written.changes
    ]


def _spreads(symbol: str, answer: Answer, compared_at: datetime) -> list[Spread]:
    """How far vendors are apart in each session that several have."""
    if answer.agreement is None:
        return []
    told = pd.DataFrame(
        {
            "vendors": answer.agreement.vendors,
            "taken_from": answer.agreement.taken_from,
            "spread": answer.agreement.spread,
            "disputed": answer.agreement.disputed,
        }
    ).dropna(subset="spread")
    return [
        Spread(
            symbol, day.date(), compared_at, row.vendors, row.taken_from, float(row.spread), int(row.disputed)
        )
        for day, row in zip(told.index, told.itertuples(), strict=True)
    ]
