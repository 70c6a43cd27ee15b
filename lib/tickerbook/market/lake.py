"""The lake: prices as they were learnt, one Parquet file for each ticker and interval.

    data/lake/1d/AAPL.parquet    raw bars and actions; a row for each session and each time it was learnt
    data/lake/1d/AAPL.lock       held while that file is written
    data/lake/1d/AAPL.parquet.torn    a damaged file, set aside by the next fetch

Rows are only added. A row that a provider told otherwise later has a successor with a later `known_at`; a row
without prices says that the session is withdrawn. The file's metadata name every fetch that taught something,
and a digest of the content, checked on each read. Adjustment happens on reading.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from tickerbook.bars import Adjustment, Bars
from tickerbook.errors import ConfigError, DataError, NoBarsError, TornFileError
from tickerbook.files import slug, unslug
from tickerbook.market.lakefile import Origin, empty_log, read_log, set_aside, write_log
from tickerbook.market.raw import RAW, adjusted
from tickerbook.settings import check_symbol, load_settings

DAILY = "1d"
_PATIENCE = 60.0  # seconds to wait for another program that writes the same file
_SAME = 1e-6  # relative: Yahoo's prices carry single precision; a tick is larger


@dataclass(frozen=True, eq=False)
class Stored:
    """What the lake knows of one ticker.

    Attributes:
        ticker: the symbol.
        frame: raw frame (see `market.raw`) as known now, or at the instant asked for.
        origin: the newest fetch that taught something.
    """

    ticker: str
    frame: pd.DataFrame = field(repr=False)
    origin: Origin

    @property
    def session(self) -> date:
        """The newest session."""
        return self.frame.index[-1].date()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Written:
    """What a write changed.

    Attributes:
        rows: sessions in the lake afterwards.
        new: sessions that were not there before.
        restated: sessions that were there with other values.
        withdrawn: sessions that another provider's history replaced by nothing.
        missing: stored sessions that the same provider no longer gave; they are kept.
        older: whether the answer ended before what is stored; nothing is changed then.
        aside: where a damaged file was put.
    """

    rows: int
    new: int = 0
    restated: int = 0
    withdrawn: int = 0
    missing: int = 0
    older: bool = False
    aside: Path | None = None


@dataclass(frozen=True)
class Lake:
    """Stored prices under `root` (data/lake of a project)."""

    root: Path

    def path(self, ticker: str, interval: str = DAILY) -> Path:
        """Where a ticker's file is, or would be.

        Raises:
            SymbolError: if `ticker` is not a symbol.
        """
        return self.root / interval / f"{slug(check_symbol(ticker))}.parquet"

    def tickers(self, interval: str = DAILY) -> tuple[str, ...]:
        """Symbols with a file, sorted."""
        return tuple(sorted(unslug(path.stem) for path in (self.root / interval).glob("*.parquet")))

    def period(self, ticker: str) -> tuple[date, date] | None:
        """The first and the newest stored session; None where there is nothing, or nothing readable."""
        try:
            frame = self.read(ticker).frame
        except (NoBarsError, TornFileError):
            return None
        return frame.index[0].date(), frame.index[-1].date()

    def read(self, ticker: str, interval: str = DAILY, known_at: datetime | None = None) -> Stored:
        """What is stored for a ticker, as known at an instant (default: now).

        Raises:
            SymbolError: if `ticker` is not a symbol.
            NoBarsError: if the lake has nothing, or knew nothing then.
            TornFileError: if the file is damaged or foreign.
            DataError: if it cannot be read.
        """
        log, origins = read_log(self.path(ticker, interval), ticker, interval)
        frame = _view(log if known_at is None else log[log["known_at"] <= known_at])
        if frame.empty:
            raise _no_bars(ticker, f" as known at {known_at:%Y-%m-%d %H:%M %Z}" if known_at else "")
        known = [origin for origin in origins if known_at is None or origin.fetched_at <= known_at]
        return Stored(ticker, frame, known[-1])

    def write(self, ticker: str, frame: pd.DataFrame, origin: Origin, interval: str = DAILY) -> Written:
        """Add what a fetch taught; unchanged sessions are not written again.

        An answer that ends before what is stored changes nothing. Sessions that an answer of the same
        provider lacks are kept. Another provider (or currency, or calendar) replaces the history as a whole:
        two vendors' prices are not mixed, and what was known before stays readable by `known_at`. A damaged
        file is set aside.

        Raises:
            SymbolError: if `ticker` is not a symbol.
            DataError: if the disk refuses; what was stored before is intact.
        """
        path = self.path(ticker, interval)
        with _writing(path, ticker):
            log, origins, aside = _before(path, ticker, interval)
            known, told = _view(log), frame[list(RAW)]
            if len(known) and told.index[-1] < known.index[-1]:
                return Written(len(known), older=True)
            same = not origins or origins[-1].agrees(origin)
            learnt, written = _learnt(known, told, same=same)
            if len(learnt) or not same:
                learnt.insert(0, "known_at", pd.Timestamp(origin.fetched_at).tz_convert("UTC").as_unit("us"))
                grown = pd.concat([log, learnt]).sort_index(kind="stable") if len(log) else learnt
                write_log(path, ticker, interval, grown, (*origins, origin))
            return replace(written, aside=aside)

    def bars(
        self,
        ticker: str,
        until: date | None = None,
        sessions: int | None = None,
        adjustment: Adjustment = "split",
    ) -> Bars:
        """Bars of a ticker, adjusted in the units of the newest session asked for.

        Args:
            ticker: the symbol.
            until: the newest session to use; None for the newest there is. Splits and dividends after it
                are not used.
            sessions: how many of the newest; None for all.
            adjustment: "none", "split" or "split_dividend"; see `market.raw.adjusted`.

        Raises:
            SymbolError: if `ticker` is not a symbol.
            NoBarsError: if the lake has no bars for it, or none until then.
            TornFileError: if its file is damaged or foreign.
        """
        stored = self.read(ticker)
        raw = stored.frame if until is None else stored.frame.loc[: pd.Timestamp(until)]
        if raw.empty:
            first = stored.frame.index[0].date()
            raise _no_bars(ticker, f" until {until}; the first is of {first}")
        origin = stored.origin
        bars = Bars(
            frame=adjusted(raw, adjustment),
            ticker=ticker,
            calendar=origin.calendar,
            currency=origin.currency,
            adjustment=adjustment,
            source=origin.source,
            fetched_at=origin.fetched_at,
        )
        return bars if sessions is None else bars.last(sessions)


def load_bars(
    ticker: str,
    until: date | str | None = None,
    sessions: int | None = None,
    adjustment: Adjustment = "split",
) -> Bars:
    """Bars of a ticker from this project's lake, oldest first.

    Prices and volume are in the units of the newest session asked for: later splits are not known yet.

    Args:
        ticker: the symbol, such as "AAPL".
        until: the newest session to use, a date or an ISO date; None or "" for the newest there is.
        sessions: how many of the newest; None for all.
        adjustment: "split" (default), "none" for prices as traded, "split_dividend" for total return.

    Raises:
        SymbolError: if `ticker` is not a symbol.
        NoBarsError: if the lake has no bars for it, or none until then.
        TornFileError: if its file is damaged or foreign.
        ConfigError: if an argument does not fit, or there is no project here.
    """
    if sessions is not None and sessions < 1:
        raise ConfigError(
            f"sessions={sessions!r} is not a number of bars.", "Give 1 or more, or None for all."
        )
    if adjustment not in get_args(Adjustment):
        raise ConfigError(
            f"adjustment={adjustment!r} does not exist.", f"There are {', '.join(get_args(Adjustment))}."
        )
    return Lake(load_settings().lake).bars(ticker, _day(until), sessions, adjustment)


def _day(until: date | str | None) -> date | None:
    if isinstance(until, datetime):
        return until.date()
    if isinstance(until, date) or until is None:
        return until
    try:
        return date.fromisoformat(until) if until else None
    except ValueError:
        raise ConfigError(f"until={until!r} is not a date.", 'Write it like "2013-03-01".') from None


def _no_bars(ticker: str, when: str = "") -> NoBarsError:
    return NoBarsError(f"The lake has no bars for {ticker}{when}.", f"Run `tickerbook fetch {ticker}`.")


def _view(log: pd.DataFrame) -> pd.DataFrame:
    """The raw frame that a log amounts to: the newest row of each session, withdrawn sessions left out."""
    if not log.index.is_unique:
        log = log[~log.index.duplicated(keep="last")]
    return log.loc[log["close"].notna(), list(RAW)]


def _before(path: Path, ticker: str, interval: str) -> tuple[pd.DataFrame, tuple[Origin, ...], Path | None]:
    """The log and origins before a write, and where a damaged file was put."""
    try:
        return *read_log(path, ticker, interval), None
    except NoBarsError:
        return empty_log(), (), None
    except TornFileError:
        return empty_log(), (), set_aside(path)


def _learnt(known: pd.DataFrame, told: pd.DataFrame, *, same: bool) -> tuple[pd.DataFrame, Written]:
    """Rows to add to a log, and how they count. `same`: from the provider that told the rest."""
    new = told.index.difference(known.index)
    both = told.index.intersection(known.index)
    gone = known.index.difference(told.index)
    equal = np.isclose(told.loc[both], known.loc[both], rtol=_SAME, atol=0.0, equal_nan=True).all(axis=1)
    restated = both[~equal]
    withdrawn = gone[:0] if same else gone
    learnt = told.reindex(new.union(restated).union(withdrawn)).rename_axis("session")
    written = Written(
        rows=len(known) + len(new) - len(withdrawn),
        new=len(new),
        restated=len(restated),
        withdrawn=len(withdrawn),
        missing=len(gone) - len(withdrawn),
    )
    return learnt, written


@contextmanager
def _writing(path: Path, ticker: str) -> Iterator[None]:
    """Hold a ticker's lock; say in words what the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=_PATIENCE):
            yield
    except Timeout as error:
        raise DataError(
            f"{ticker} is being written by another program for more than {_PATIENCE:.0f} seconds.",
            f"Wait for it, then run `tickerbook fetch {ticker}`.",
        ) from error
    except OSError as error:
        raise DataError(
            f"{ticker} could not be stored in {path.parent}: {error.strerror or error}.",
            f"Make room or let the folder be written, then run `tickerbook fetch {ticker}`; "
            "what was stored before is intact.",
        ) from error
