"""Is each vendor well: key there, reachable, quota left, what failed last."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tickerbook.errors import ConfigError, ProviderError, ProviderFault
from tickerbook.market.asking import Desk, Question
from tickerbook.market.background import Background
from tickerbook.market.circuits import Circuits
from tickerbook.market.http import Connection
from tickerbook.market.keys import find_key
from tickerbook.market.limits import DAY, Limits, rates
from tickerbook.market.memory import Memory
from tickerbook.market.providers import Provider, account, close, provider
from tickerbook.market.scorecard import Score, Scorecard
from tickerbook.sessions import last_completed
from tickerbook.settings import ProviderParams, Ticker

_WEEK = timedelta(days=7)  # asked for: enough for a session or two, and little to send
_LOOK_BACK = timedelta(days=30)
_UNITS = {1.0: "a second", 60.0: "a minute", DAY: "a day"}
_MISSING = "missing"


@dataclass(frozen=True)
class Diagnosis:
    """How one vendor does.

    Attributes:
        provider: its name.
        used: whether a ticker names it.
        key: "not needed", "missing", or where it was found and under which name; never the key.
        reachable: whether it answered now, be it with a refusal; None where it was not asked.
        answer: what it answered, or why it was not asked.
        remedy: what to do about it; empty where nothing needs to be done.
        quota: what our limits still allow; empty where params/providers.toml sets none.
        score: what became of the questions of the last 30 days; None where there were none.
    """

    provider: str
    used: bool
    key: str
    reachable: bool | None
    answer: str
    remedy: str
    quota: str
    score: Score | None

    @property
    def well(self) -> bool:
        """Whether nothing needs to be done: it delivers, or nobody wants it to."""
        return not self.used or not self.remedy


def diagnose(
    tickers: Sequence[Ticker],
    *,
    now_at: datetime,
    params: Mapping[str, ProviderParams],
    data: Path | None = None,
    ledger: str | None = None,
    named: Callable[[str], Provider] | None = None,
) -> list[Diagnosis]:
    """Ask each vendor that a ticker names, once, for the last week of the first such ticker.

    That counts as the requests it takes; where the quota is used up nobody is asked. A vendor that was left
    alone after failures is asked all the same, and taken back if it delivers.

    Args:
        tickers: the universe.
        now_at: the present instant, aware.
        params: every provider there is (`Settings.providers`).
        data: folder of limits.db (data/ of a project); None to know of no earlier requests.
        ledger: SQLAlchemy URL of the scorecard's database; None to know of no earlier failures.
        named: gives the provider of a name; by default those in `market.providers`.

    Raises:
        ConfigError: for an unknown calendar.
        DataError: if `data` or `ledger` cannot be used.
    """
    return asyncio.run(
        _all(tickers, now_at, params, data, ledger, named or (lambda name: provider(name, params[name])))
    )


async def _all(
    tickers: Sequence[Ticker],
    now_at: datetime,
    params: Mapping[str, ProviderParams],
    data: Path | None,
    ledger: str | None,
    named: Callable[[str], Provider],
) -> list[Diagnosis]:
    loop, epoch = asyncio.get_running_loop(), now_at.timestamp() - asyncio.get_running_loop().time()
    loop.set_default_executor(Background())
    memory = Memory(data / "limits.db" if data else None)
    providers: dict[str, Provider] = {}
    desk = Desk(providers, params, Limits(memory), Circuits(memory), lambda: epoch + loop.time())
    scorecard = Scorecard(ledger) if ledger else None
    try:
        scores = scorecard.scores(now_at - _LOOK_BACK) if scorecard else []
        scored = {score.provider: score for score in scores}
        first = {name: ticker for ticker in reversed(tickers) for name in ticker.providers}
        work = [_one(name, first.get(name), desk, named, now_at, scored.get(name)) for name in params]
        return list(await asyncio.gather(*work))
    finally:
        await close(providers.values())
        memory.close()
        if scorecard:
            scorecard.record(desk.asks)


async def _one(
    name: str,
    ticker: Ticker | None,
    desk: Desk,
    named: Callable[[str], Provider],
    now_at: datetime,
    score: Score | None,
) -> Diagnosis:
    """One vendor."""
    key, allowed, counted = "unknown", rates(desk.params[name]), name
    try:
        desk.providers[name] = named(name)  # type: ignore[index]  # our own dictionary, filled as we go
        counted = account(name, desk.providers[name])
        key = _key(desk.providers[name])
        if ticker is None:
            reachable, answer, remedy = None, "not asked: no ticker names it", ""
        elif key == _MISSING or 0 not in desk.limits.left(counted, allowed, desk.clock()).values():
            reachable, answer, remedy = await _asked(name, ticker, desk, now_at)
            reachable = None if key == _MISSING else reachable
        else:
            reachable, answer, remedy = (
                None,
                "not asked: its quota is used up",
                "Wait, or name more providers.",
            )
    except ConfigError as error:
        reachable, answer, remedy = None, error.message, error.remedy
    quota = ", ".join(
        f"{number:,} of {rate.count:,} {_UNITS.get(rate.seconds, f'in {rate.seconds:g} s')}"
        for rate, number in desk.limits.left(counted, allowed, desk.clock()).items()
    )
    return Diagnosis(name, ticker is not None, key, reachable, answer, remedy, quota, score)


async def _asked(name: str, ticker: Ticker, desk: Desk, now_at: datetime) -> tuple[bool, str, str]:
    """Whether a vendor answers, what, and what to do."""
    due = last_completed(ticker.calendar, now_at)
    began = desk.clock()
    try:
        history = await desk.probe(name, Question(ticker, due - _WEEK, due))
    except ProviderError as error:
        remedy = (
            "" if error.kind is ProviderFault.EMPTY else error.remedy
        )  # it is well, and has nothing so new
        return error.kind is not ProviderFault.UNREACHABLE, error.message, remedy
    newest = history.frame.index.max().date()
    return True, f"{ticker.symbol} up to {newest}, in {desk.clock() - began:.1f} s", ""


def _key(vendor: Provider) -> str:
    """Where a vendor's key is."""
    connection = getattr(vendor, "connection", None)
    if not isinstance(connection, Connection):
        return "not needed"
    found = find_key(connection.vendor.keys, connection.params.project)
    return f"{found.name} in {found.place}" if found else _MISSING
