"""One ticker's way through its vendors: the first whose bars pass the gate, and why not those before it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.asking import Desk, Question
from tickerbook.market.gate import Context, Finding, Verdict, judge
from tickerbook.market.lake import Stored
from tickerbook.market.providers import History
from tickerbook.market.quorum import Agreement, agree
from tickerbook.market.raw import ACTIONS, PRICES, RAW
from tickerbook.market.spans import agrees, reaches_back
from tickerbook.sessions import FIRST
from tickerbook.settings import Ticker

_NEWEST = 5  # newest sessions in which a doubt is worth another vendor's opinion
_DOUBTS = ("outliers.spike", "outliers.wick", "outliers.step")
_RESCALED = "history.scale"  # prices as traded never change scale: units or splits are wrong
_SHORTER = pd.Timedelta(days=30)  # by which a history may begin later than the one it takes the place of
_AGAIN = "Look at what was delivered in data/quarantine, then try again or name another provider."

Apart = Callable[..., Awaitable[Verdict]]
"""Runs a function in a thread, so that others are served meanwhile."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What one vendor has, as the gate let it pass.

    Attributes:
        provider: who.
        source: the same for a reader.
        first: the session from which on it was asked.
        delivered: as it came.
        frame: raw frame, every column of `RAW`; an action that nobody told is NaN.
        findings: what the gate found.
        unknown: actions that the vendor does not tell.
        agreement: what several vendors amount to, where several were asked.
    """

    provider: str
    source: str
    first: date
    delivered: pd.DataFrame = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...] = ()
    agreement: Agreement | None = None

    @property
    def newest(self) -> date:
        """The newest session."""
        return self.frame.index[-1].date()  # type: ignore[no-any-return]


@dataclass(eq=False)
class Case:
    """One ticker while its vendors are asked.

    Attributes:
        ticker: whose bars.
        stored: what the lake has of it; None where nothing that can be used.
        first: the first session that is of use.
        due: the last completed session.
        fresh: the session that every vendor must have by now; older answers are stale.
        refusals: vendor → why it was of no use.
        refused: vendor → what it delivered and why the gate refused it.
        answers: what passed the gate.
    """

    ticker: Ticker
    stored: Stored | None
    first: date
    due: date
    fresh: date
    refusals: dict[str, ProviderError] = field(default_factory=dict)
    refused: dict[str, tuple[pd.DataFrame, tuple[Finding, ...]]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def anew(self) -> bool:
        """Whether what is stored is of another exchange or currency than params/ name."""
        told = (self.ticker.calendar, self.ticker.currency)
        return self.stored is not None and told != (self.stored.origin.calendar, self.stored.origin.currency)

    @property
    def good(self) -> list[Answer]:
        """Answers that are not stale, the preferred one first."""
        return [self.answers[name] for name in self.ticker.providers if self._good(name)]

    def _good(self, name: str) -> bool:
        return name in self.answers and self.answers[name].newest >= self.fresh

    def waiting(self, patience: float) -> list[str]:
        """Vendors that would be asked after a wait of at most so many seconds."""
        return [
            name
            for name in self.ticker.providers
            if name in self.refusals
            and self.refusals[name].kind is ProviderFault.RATE_LIMITED
            and (self.refusals[name].retry_after or patience + 1) <= patience
        ]

    def best(self) -> Answer:
        """The preferred good answer, else the newest of the stale ones.

        Raises:
            ProviderError: if nobody delivered; says so of each.
        """
        if self.good:
            return self.good[0]
        if self.answers:
            return max(self.answers.values(), key=lambda answer: answer.newest)
        errors = [self.refusals[name] for name in self.ticker.providers if name in self.refusals]
        if len(errors) == 1:
            raise errors[0]
        raise ProviderError(errors[0].kind, " ".join(error.message for error in errors), errors[0].remedy)


async def source(case: Case, desk: Desk, patience: float, apart: Apart) -> Answer:
    """Ask a case's vendors in the order written until one delivers bars that pass the gate.

    A vendor whose turn, or whose leave to ask again, is far off is passed over; only where nobody else
    delivers is it waited for, up to `patience` seconds. Stale bars are taken where nobody has newer ones.
    Where the ticker wants a quorum, so many vendors are asked and must agree.

    Raises:
        ProviderError: if nobody delivers.
    """
    try:
        async with asyncio.timeout(desk.bounds.ticker) as budget:
            await _try(
                case, desk, list(case.ticker.providers), min(desk.bounds.short, patience), budget, apart
            )
            if not case.good:
                await _try(case, desk, case.waiting(patience), patience, budget, apart)
            if case.good:
                return await _second_opinion(case, desk, budget, apart)
            return case.best()
    except TimeoutError as error:
        raise ProviderError(
            ProviderFault.UNREACHABLE,
            f"{case.ticker.symbol}: its vendors took longer than {desk.bounds.ticker:g} seconds.",
            "Try again later, or name other providers.",
        ) from error


async def _try(
    case: Case, desk: Desk, names: list[str], patience: float, budget: asyncio.Timeout, apart: Apart
) -> None:
    """Ask these vendors in turn until enough delivered."""
    for name in names:
        if len(case.good) >= case.ticker.quorum:
            return
        try:
            case.answers[name] = await _answer(case, desk, name, patience, budget, apart)
        except ProviderError as error:
            case.refusals[name] = error
        else:
            case.refusals.pop(name, None)
            if case.answers[name].newest < case.fresh:
                case.refusals[name] = _stale(case, name)


async def _answer(
    case: Case, desk: Desk, name: str, patience: float, budget: asyncio.Timeout, apart: Apart
) -> Answer:
    """One vendor's bars, past the gate: what is missing if that fits what is stored, else everything."""
    first = case.first
    history = await _ask(case, desk, name, first, patience, budget)
    if first > FIRST and not _fits(case, name, history.frame):
        first = FIRST
        history = await _ask(case, desk, name, first, patience, budget)
    verdict = await apart(judge, history.frame, context(case, first))
    return _passed(case, name, first, history, verdict)


def _fits(case: Case, name: str, told: pd.DataFrame) -> bool:
    """Whether bars can be added to what is stored."""
    if case.stored is None:
        return False
    if case.stored.origin.provider == name:
        return not reaches_back(told, case.stored.frame)
    return agrees(told, case.stored.frame)


async def _ask(
    case: Case, desk: Desk, name: str, first: date, patience: float, budget: asyncio.Timeout
) -> History:
    question = Question(case.ticker, first, case.due)
    history = await desk.ask(name, question, patience=patience, budget=budget)
    if history.currency not in (None, case.ticker.currency):
        symbol, told = case.ticker.symbol, history.currency
        raise ProviderError(
            ProviderFault.MALFORMED,
            f"{symbol}: {name} quotes it in {told}, params/ say {case.ticker.currency}.",
            f'Write currency = "{told}" in [ticker.{symbol}] of params/universe.toml.',
        )
    if not np.logical_and.reduce([history.frame[name].notna() for name in PRICES]).any():
        raise ProviderError(
            ProviderFault.EMPTY,
            f"{case.ticker.symbol}: {name} delivered no usable bar.",
            "Look at the symbol and calendar in params/universe.toml, or name another provider.",
        )
    return history


def context(case: Case, first: date, second: pd.DataFrame | None = None) -> Context:
    """What a case's bars from `first` on are judged by."""
    known = case.stored.frame.loc[pd.Timestamp(first) :] if case.stored and not case.anew else None
    return Context(case.ticker.calendar, adjustment="none", last=case.due, stored=known, second=second)


def _passed(case: Case, name: str, first: date, history: History, verdict: Verdict) -> Answer:
    """The answer that the gate lets pass.

    Raises:
        ProviderError: FAILED_QUALITY where it does not.
    """
    grave = [f for f in verdict.findings if f.severity == "fatal" or f.check == _RESCALED]
    if verdict.frame is None or grave:
        case.refused[name] = (history.frame, tuple(grave))
        message = (
            f"{case.ticker.symbol}: {name} failed the quality gate: {' '.join(f.message for f in grave)}"
        )
        raise ProviderError(ProviderFault.FAILED_QUALITY, message, _AGAIN)
    _check_length(case, name, verdict.frame, first)
    unknown = tuple(column for column in ACTIONS if column not in history.frame)
    frame = _complete(verdict.frame, case.stored)
    return Answer(name, history.source, first, history.frame, frame, verdict.findings, unknown)


def _check_length(case: Case, name: str, frame: pd.DataFrame, first: date) -> None:
    """Refuse another vendor's history that neither fits what is stored nor reaches back as far."""
    if case.stored is None or case.anew or first > FIRST or case.stored.origin.provider == name:
        return
    begins, stored, teller = frame.index[0], case.stored.frame.index[0], case.stored.origin.provider
    if begins > stored + _SHORTER:
        raise ProviderError(
            ProviderFault.FAILED_QUALITY,
            f"{case.ticker.symbol}: the bars of {name} differ from the stored ones of {teller}, and begin "
            f"only at {begins:%Y-%m-%d} instead of {stored:%Y-%m-%d}.",
            _AGAIN,
        )


def _complete(frame: pd.DataFrame, stored: Stored | None) -> pd.DataFrame:
    """All columns: an action that was not told is as stored, else unknown: that is not none."""
    told = frame if tuple(frame.columns) == RAW else frame.reindex(columns=list(RAW)).astype("float64")
    told = told.set_axis(told.index.as_unit("ns").rename("session"))
    for name in ACTIONS:
        if stored is not None and told[name].isna().any():
            told = told.assign(**{name: told[name].fillna(stored.frame[name].reindex(told.index))})
    return told


async def _second_opinion(case: Case, desk: Desk, budget: asyncio.Timeout, apart: Apart) -> Answer:
    """The best answer, judged with another vendor's bars beside it where there are any, or in doubt."""
    best = case.best()
    others = [answer for answer in case.good if answer is not best]
    if not others and _doubtful(best):
        await _ask_another(case, desk, budget, apart)
        others = [answer for answer in case.good if answer is not best]
    if not others:
        return best
    verdict = await apart(judge, best.delivered, context(case, best.first, others[0].frame))
    best = _passed(case, best.provider, best.first, History(best.delivered, best.source), verdict)
    if case.ticker.quorum == 1:
        return best
    frames = {one.provider: one.frame.loc[pd.Timestamp(best.first) :] for one in (best, *others)}
    agreement = agree(frames)
    return replace(best, frame=agreement.frame, agreement=agreement)


async def _ask_another(case: Case, desk: Desk, budget: asyncio.Timeout, apart: Apart) -> None:
    for name in case.ticker.providers:
        if name in case.answers or name in case.refusals:
            continue
        try:
            case.answers[name] = await _answer(case, desk, name, desk.bounds.short, budget, apart)
        except ProviderError:
            continue
        return


def _doubtful(answer: Answer) -> bool:
    """Whether something in the newest sessions jumps, and nothing speaks for it."""
    newest = set(answer.frame.index[-_NEWEST:].date)
    return any(f.check in _DOUBTS and newest.intersection(f.sessions) for f in answer.findings)


def _stale(case: Case, name: str) -> ProviderError:
    newest = case.answers[name].newest
    return ProviderError(
        ProviderFault.STALE,
        f"{case.ticker.symbol}: the newest session of {name} is {newest}, {case.fresh} is due.",
        "Try again later, or name another provider.",
    )
