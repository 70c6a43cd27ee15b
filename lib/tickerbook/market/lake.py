"""The lake: prices as they were learnt, one Parquet file for each ticker and interval.

    data/lake/1d/AAPL.parquet    bars as traded and actions; a row for each session and each time it was told
    data/lake/1d/AAPL.lock       held while that file is written
    data/lake/1d/AAPL.parquet.torn    a damaged file, set aside by the next fetch

Rows are only added, and only where something is new: a row that a provider told otherwise later has a
successor with a later `known_at`; a row without a close says that the session is withdrawn. Every file is
whole, and checked on each read. Adjustment happens on reading. See docs/lake.md.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from tickerbook.bars import Adjustment, Bars
from tickerbook.errors import ConfigError, DataError, NoBarsError, SymbolError, TornFileError
from tickerbook.files import slug, unslug
from tickerbook.market.lakefile import EMPTY, Log, Origin, decode, decode_table, encode
from tickerbook.market.lakefolder import Draft, Folder, Local, intervals, open_folder
from tickerbook.market.lakelearn import Change, Written, check_index, learn
from tickerbook.market.lakewhen import earliest, instant
from tickerbook.market.raw import RAW, adjusted
from tickerbook.settings import Settings, check_symbol, load_settings
from tickerbook.trialbook import TrialBook

__all__ = ["Change", "Lake", "Origin", "Stored", "Written", "load_bars", "newest_known", "project_lake"]

DAILY = "1d"
AS_OF = "TICKERBOOK_AS_OF"


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
class Lake:
    """Stored prices.

    Attributes:
        root: a folder, or a URL that fsspec knows, such as "s3://bucket/lake".
        known_at: nothing that was learnt later is shown; None for all there is.
    """

    root: Path | str
    known_at: datetime | None = None

    def path(self, ticker: str, interval: str = DAILY) -> Path:
        """Where a ticker's file is, or would be, in a lake on this machine.

        Raises:
            SymbolError: if `ticker` is not a symbol.
            ConfigError: if the lake is elsewhere.
        """
        folder, name = self._file(ticker, interval)
        if isinstance(folder, Local):
            return folder.path(name)
        raise ConfigError(f"The lake is at {self.root}, not in a folder.", "Read it through tickerbook.")

    def tickers(self, interval: str = DAILY) -> tuple[str, ...]:
        """Symbols with a file, sorted. Files that are not named after a symbol are not the lake's."""
        folder = self.folder(interval)
        with reaching(folder):
            names = list(folder.identities())
        return tuple(sorted(symbol for name in names if (symbol := symbol_of(name))))

    def holds(self, ticker: str, interval: str = DAILY) -> bool:
        """Whether there is a file of a ticker, good or damaged."""
        folder, name = self._file(ticker, interval)
        with reaching(folder):
            return folder.has(name)

    def period(self, ticker: str) -> tuple[date, date] | None:
        """The first and the newest stored session; None where there is nothing, or nothing readable."""
        try:
            frame = self.read(ticker).frame
        except (NoBarsError, TornFileError):
            return None
        return frame.index[0].date(), frame.index[-1].date()

    def read(self, ticker: str, interval: str = DAILY, known_at: datetime | None = None) -> Stored:
        """What is stored for a ticker, as known at an instant (default: now, or the lake's `known_at`).

        Raises:
            SymbolError: if `ticker` is not a symbol.
            NoBarsError: if the lake has nothing, or knew nothing then.
            TornFileError: if the file is damaged or foreign.
            DataError: if it cannot be read.
        """
        then = earliest(self.known_at, known_at)
        log = self.log(ticker, interval)
        frame, origin = log.at(then), log.origin(then)
        if origin is None or frame.empty:
            raise _not_yet(ticker, log, then)
        return Stored(ticker, frame, origin)

    def log(self, ticker: str, interval: str = DAILY) -> Log:
        """All that was ever learnt of a ticker, whatever the lake's `known_at`; raises as `read`."""
        folder, name = self._file(ticker, interval)
        try:
            with reaching(folder, name):
                content = folder.read(name)
        except FileNotFoundError:
            raise _no_bars(ticker) from None
        return decoded(content, folder.where(name), ticker, interval)

    def write(self, ticker: str, frame: pd.DataFrame, origin: Origin, interval: str = DAILY) -> Written:
        """Add what a fetch taught; unchanged sessions are not written again.

        An answer that ends before what is stored changes nothing. Sessions that an answer of the same
        provider lacks are kept. Another provider (or currency, or calendar) replaces the history as a whole:
        two vendors' prices are not mixed, and what was known before stays readable by `known_at`. A damaged
        file is set aside.

        Args:
            ticker: the symbol.
            frame: raw frame; its index has naive days, or UTC instants where the interval is shorter.
            origin: where it comes from.
            interval: of the bars.

        Raises:
            SymbolError: if `ticker` is not a symbol.
            ConfigError: if this is the lake of another day (`known_at`).
            DataError: if the disk refuses; what was stored before is intact.
        """
        folder, name = self._file(ticker, interval)
        self.check_present()
        check_index(frame.index, interval)
        told = frame[list(RAW)]
        written = Written(0)

        def change(content: bytes | None) -> Draft:
            nonlocal written
            log, torn = EMPTY, False
            try:
                log = decoded(content, folder.where(name), ticker, interval) if content is not None else EMPTY
            except TornFileError:
                torn = True
            grown, written = learn(log, told, origin)
            return Draft(encode(grown, ticker, interval) if grown is not log else None, aside=torn)

        with _storing(folder, ticker):
            aside = folder.update(name, change)
        return replace(written, aside=aside)

    def bars(
        self,
        ticker: str,
        until: date | None = None,
        sessions: int | None = None,
        adjustment: Adjustment = "split",
        known_at: datetime | None = None,
    ) -> Bars:
        """Bars of a ticker, adjusted in the units of the newest session asked for.

        Args:
            ticker: the symbol.
            until: the newest session to use; None for the newest there is. Splits and dividends after it
                are not used.
            sessions: how many of the newest; None for all.
            adjustment: "none", "split" or "split_dividend"; see `market.raw.adjusted`.
            known_at: nothing that was learnt later is used; None for all that is known.

        Raises:
            SymbolError: if `ticker` is not a symbol.
            NoBarsError: if the lake has no bars for it, or none until then.
            TornFileError: if its file is damaged or foreign.
            DataError: if total returns are asked for, and not all dividends are known.
        """
        stored = self.read(ticker, known_at=known_at)
        raw = stored.frame if until is None else stored.frame.loc[: pd.Timestamp(until)]
        if raw.empty:
            first = stored.frame.index[0].date()
            raise _no_bars(ticker, f" until {until}; the first is of {first}")
        origin = stored.origin
        if adjustment == "split_dividend" and raw["dividend"].isna().any():
            raise _no_dividends(ticker, origin)
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

    def intervals(self) -> tuple[str, ...]:
        """Those that bars are stored of, such as "1d"."""
        return tuple(intervals(self.root))

    def folder(self, interval: str) -> Folder:
        """The files of one interval."""
        return open_folder(self.root, interval)

    def _file(self, ticker: str, interval: str) -> tuple[Folder, str]:
        return self.folder(interval), slug(check_symbol(ticker))

    def check_present(self) -> None:
        """Refuse to write the past.

        Raises:
            ConfigError: if this is the lake of another day (`known_at`).
        """
        if self.known_at is not None:
            raise ConfigError(
                f"This lake is shown as known at {self.known_at:%Y-%m-%d %H:%M %Z}, which is not written.",
                f"Fetch without --as-of, and without {AS_OF} in the environment.",
            )


def project_lake(settings: Settings) -> Lake:
    """The lake of a project: as known at the instant in TICKERBOOK_AS_OF, where that is set.

    Raises:
        ConfigError: if that is no instant.
    """
    return Lake(settings.lake, instant(os.environ.get(AS_OF), AS_OF))


def newest_known(lake: Lake, ticker: str) -> date | None:
    """The newest session that a lake of another day knew of a ticker; None where it is today's lake.

    What was computed from later sessions did not exist then. Where nothing was known, no session is old
    enough.
    """
    if lake.known_at is None:
        return None
    period = lake.period(ticker)
    return period[1] if period else date.min


def load_bars(
    ticker: str,
    until: date | str | None = None,
    sessions: int | None = None,
    adjustment: Adjustment = "split",
    known_at: date | str | None = None,
) -> Bars:
    """Bars of a ticker from this project's lake, oldest first.

    Prices and volume are in the units of the newest session asked for: later splits are not known yet.
    Every backtest on these bars is counted in the project's trial ledger.

    Args:
        ticker: the symbol, such as "AAPL".
        until: the newest session to use, a date or an ISO date; None or "" for the newest there is.
        sessions: how many of the newest; None for all.
        adjustment: "split" (default), "none" for prices as traded, "split_dividend" for total return.
        known_at: give exactly what was known then: an instant ("2026-03-04T22:00Z", or a datetime with a time
            zone) or a day, which means its end in UTC. None or "" for all that is known. A command that was
            started with --as-of (TICKERBOOK_AS_OF) shows nothing that was learnt later.

    Raises:
        SymbolError: if `ticker` is not a symbol.
        NoBarsError: if the lake has no bars for it, or none until then.
        TornFileError: if its file is damaged or foreign.
        DataError: if total returns are asked for, and not all dividends are known.
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
    settings = load_settings()
    bars = project_lake(settings).bars(
        ticker, _day(until), sessions, adjustment, instant(known_at, "known_at")
    )
    return replace(bars, witness=TrialBook(settings.trials).add)


def decoded_table(content: bytes, where: str, ticker: str) -> Any:
    """The log in a file of daily bars, as an Arrow table; raises as `decoded`."""
    with _reading(where, ticker):
        return decode_table(content, ticker)


def decoded(content: bytes, where: str, ticker: str, interval: str = DAILY) -> Log:
    """The log in a file.

    Raises:
        TornFileError: if it is damaged, foreign, or another ticker's.
        DataError: if a later tickerbook wrote it.
    """
    with _reading(where, ticker):
        return decode(content, ticker, interval)


@cache
def symbol_of(name: str) -> str:
    """The symbol whose file is called `name`; empty where that is none."""
    try:
        symbol = check_symbol(unslug(name))
    except SymbolError:
        return ""
    return symbol if slug(symbol) == name else ""


def _day(until: date | str | None) -> date | None:
    if isinstance(until, datetime):
        return until.date()
    if isinstance(until, date) or until is None:
        return until
    try:
        return date.fromisoformat(until) if until else None
    except ValueError:
        raise ConfigError(f"until={until!r} is not a date.", 'Write it like "2013-03-01".') from None


def _fetch(ticker: str) -> str:
    return f"Run `tickerbook fetch {ticker}`."


def _no_bars(ticker: str, when: str = "") -> NoBarsError:
    return NoBarsError(f"The lake has no bars for {ticker}{when}.", _fetch(ticker))


def _no_dividends(ticker: str, origin: Origin) -> DataError:
    return DataError(
        f"{ticker}: {origin.provider} does not tell all dividends, so there are no total returns.",
        'Take adjustment="split", or name a provider that has dividends in params/universe.toml.',
    )


def _not_yet(ticker: str, log: Log, then: datetime | None) -> NoBarsError:
    """Nothing was known of a ticker at an instant."""
    if then is None or not log.origins:
        return _no_bars(ticker)
    first = log.origins[0].fetched_at
    return NoBarsError(
        f"The lake has no bars for {ticker} as known at {then:%Y-%m-%d %H:%M %Z}.",
        f"It learnt the first at {first:%Y-%m-%d %H:%M %Z}; ask for a later instant.",
    )


@contextmanager
def reaching(folder: Folder, name: str = "") -> Iterator[None]:
    """Say in words why a folder, or a file that is there, cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(
            f"{folder.where(name)} cannot be read: {error.strerror or error}.",
            "Let this user read it, and look whether it can be reached.",
        ) from error


@contextmanager
def _reading(where: str, ticker: str) -> Iterator[None]:
    """Say in words what is wrong with a file."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # a damaged file makes Arrow and JSON raise nearly anything
        raise TornFileError(f"{where} is damaged, or not the lake's: {error!r}.", _fetch(ticker)) from error


@contextmanager
def _storing(folder: Folder, ticker: str) -> Iterator[None]:
    """Say in words what the storage refuses."""
    try:
        yield
    except TimeoutError as error:
        raise DataError(
            f"{ticker} is being written by another program for more than a minute.",
            f"Wait for it, then run `tickerbook fetch {ticker}`.",
        ) from error
    except OSError as error:
        raise DataError(
            f"{ticker} could not be stored in {folder.where()}: {error.strerror or error}.",
            f"Make room or let the folder be written, then run `tickerbook fetch {ticker}`; "
            "what was stored before is intact.",
        ) from error
