"""What a run is computed from, as it is on disk at this moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tickerbook.errors import NoBarsError, TornFileError
from tickerbook.files import digest
from tickerbook.market.lake import project_lake
from tickerbook.runs.key import Ingredients, Library, dependencies_digest, read_library
from tickerbook.runs.template import Template
from tickerbook.settings import Settings
from tickerbook.store import RunResult, RunStore
from tickerbook.trialbook import TrialBook


@dataclass(frozen=True)
class Prices:
    """What a run needs to know of a ticker's bars.

    Attributes:
        digest: of bars, dividends and splits as stored, since a notebook may ask for any adjustment.
    """

    source: str
    first: date
    session: date
    fetched_at: datetime
    digest: str


@dataclass(frozen=True)
class Around:
    """What all runs share: the library's code, and a digest of the packages."""

    library: Library
    dependencies: str


@dataclass(frozen=True)
class Work:
    """A template to run for a ticker, or over the universe.

    Attributes:
        ticker: None over the universe.
        tickers: whose prices are used: the ticker, or those of the universe that have what is needed.
        needs: the runs whose facts are used: names of notebooks with a ticker, or None for the universe.
        parameters: every parameter with its value.
        trials: the trial ledger, where the template uses it.
        peers: tickers whose prices are looked at beside its own: those of open positions.
    """

    template: Template
    ticker: str | None
    tickers: tuple[str, ...]
    needs: tuple[tuple[str, str | None], ...]
    session: date
    parameters: Mapping[str, Any]
    trials: TrialBook | None = None
    peers: tuple[str, ...] = ()


def read_prices(settings: Settings, ticker: str, until: date | None) -> Prices:
    """Digest and origin of the bars of a ticker.

    Raises:
        DataError: if there are none until then, or they cannot be used.
    """
    stored = project_lake(settings).read(ticker)
    raw = stored.frame if until is None else stored.frame.loc[: pd.Timestamp(until)]
    if raw.empty:
        first = stored.frame.index[0].date()
        raise NoBarsError(
            f"The lake has no bars for {ticker} until {until}; the first is of {first}.",
            "Take a later session.",
        )
    days = raw.index.to_numpy().astype("datetime64[D]")
    values = (raw[name].to_numpy().tobytes() for name in raw.columns)
    said = (stored.origin.source, stored.origin.calendar, stored.origin.currency, *raw.columns)
    return Prices(
        source=stored.origin.source,
        first=raw.index[0].date(),
        session=raw.index[-1].date(),
        fetched_at=stored.origin.fetched_at,
        digest=digest(*said, days.tobytes(), *values),
    )


def look_around(project: Path) -> Around:
    """The library's code and the digest of the packages, as they are now."""
    return Around(read_library(), dependencies_digest(project))


def stored(store: RunStore, key: str) -> RunResult | None:
    """The good result stored under a key; a damaged one counts as none, and the next run replaces it."""
    try:
        return store.get(key)
    except TornFileError:
        return None


def standing(
    store: RunStore, notebook: str, ticker: str | None, session: date, *, same_session: bool
) -> RunResult | None:
    """The newest attempt not after `session`, if it is good; None where it is not, or there is none.

    Args:
        store: where to look.
        notebook: the name of the notebook.
        ticker: None for a notebook over the universe.
        session: the newest to look at.
        same_session: whether only that very session counts.
    """
    try:
        result = store.latest(notebook, ticker, session)
    except TornFileError:  # as good as not there; the next run of that notebook replaces it
        return None
    if result is None or result.status != "ok" or (same_session and result.run.session != session):
        return None
    return result


def upstream(work: Work, store: RunStore) -> dict[str, str]:
    """Digests of the facts and trials that a piece of work uses; empty where they do not stand.

    A ticker takes from the universe what `load_facts` gives it: the newest good facts not after its session.
    """
    found = {"trials": work.trials.digest} if work.trials else {}
    for need, ticker in work.needs:
        if work.ticker and not ticker:
            result = _context(store, need, work.session)
        else:
            result = standing(store, need, ticker, work.session, same_session=work.ticker is not None)
        found[f"{need} {ticker or ''}".strip()] = result.facts.digest if result else ""
    return found


def _context(store: RunStore, notebook: str, session: date) -> RunResult | None:
    try:
        return store.latest_ok(notebook, None, session)
    except TornFileError:
        return None


def ingredients(work: Work, store: RunStore, around: Around, prices: Callable[[str], Prices]) -> Ingredients:
    """All that could change the outcome of a piece of work.

    Raises:
        DataError: if a ticker has no usable bars.
    """
    return Ingredients(
        notebook=work.template.name,
        ticker=work.ticker,
        session=work.session,
        parameters=work.parameters,
        code=digest(*work.template.code),
        bars=digest(*(part for one in (*work.tickers, *work.peers) for part in (one, prices(one).digest))),
        upstream=upstream(work, store),
        library=around.library.digest(work.template.code),
        dependencies=around.dependencies,
    )


def origin(work: Work, made_of: Ingredients, prices: Callable[[str], Prices]) -> dict[str, Any]:
    """Where the numbers of a run come from, for people and pages."""
    used = [prices(ticker) for ticker in work.tickers]
    return {
        "source": ", ".join(sorted({p.source for p in used})),
        "first": min((p.first for p in used), default=work.session).isoformat(),
        "last": max((p.session for p in used), default=work.session).isoformat(),
        "fetched_at": max((p.fetched_at.isoformat() for p in used), default=None),
        "tickers": list(work.tickers),
        "bars_digest": made_of.bars,
        "notebook_digest": made_of.code,
        "code_digest": made_of.library,
        "dependencies_digest": made_of.dependencies,
        "upstream": dict(made_of.upstream),
    }
