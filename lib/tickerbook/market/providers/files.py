"""Your own files: a folder of CSV or Parquet files, one for each ticker."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tickerbook.bars import COLUMNS
from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.providers import INTERVALS, History, not_served
from tickerbook.market.providers._frames import not_empty, same_symbol, within
from tickerbook.market.providers._table import (
    RefusedError,
    check_columns,
    days,
    decoded,
    numbers,
    placed,
    read_text,
    split_ratios,
)
from tickerbook.market.raw import ACTIONS, undo_splits
from tickerbook.sessions import time_zone
from tickerbook.settings import ProviderParams, Ticker, find_project

_ENDINGS = (".csv", ".txt", ".tsv", ".parquet")


@dataclass(frozen=True)
class Files:
    """Prices of files named after their ticker (AAPL.csv), as they stand there.

    `folder`, `columns` and `adjustment` of [files] in params/providers.toml say where they are, what their
    columns mean and what their prices are. Bars of an interval shorter than a day are in a folder named after
    it (5m/AAPL.csv). A file is taken whole or refused.

    Attributes:
        params: how they are read.
    """

    params: ProviderParams = field(default_factory=ProviderParams)

    def __post_init__(self) -> None:
        check_columns(self.params.columns)

    async def history(self, ticker: Ticker, first: date, last: date, interval: str = "1d") -> History:
        """Bars of the ticker's file; actions where it has columns for them.

        Raises:
            ProviderError: NOT_FOUND without a file, MALFORMED for one that cannot be right, EMPTY where it
                has nothing of these sessions.
        """
        if interval not in INTERVALS:
            raise not_served("Files", ticker, interval)
        return await asyncio.to_thread(self._history, ticker, first, last, interval)

    def _history(self, ticker: Ticker, first: date, last: date, interval: str) -> History:
        folder = (self.params.project or find_project()) / Path(self.params.folder).expanduser()
        path = _path(folder if interval == "1d" else folder / interval, ticker)
        try:
            frame = self._read(path, ticker)
            frame = _placed_in_time(frame, ticker, daily=interval == "1d")
            if interval != "1d":
                frame = frame[list(COLUMNS)]
            elif self.params.adjustment == "split":
                frame = _undone(frame)
        except RefusedError as error:
            raise ProviderError(
                ProviderFault.MALFORMED,
                f"{ticker.symbol}: {path.name} is not taken: {error}.",
                f"Put {path} right; docs/providers.md says what a file may look like.",
            ) from None
        except OSError as error:
            raise ProviderError(
                ProviderFault.UNREACHABLE,
                f"{ticker.symbol}: {path.name} cannot be read: {error.strerror or type(error).__name__}.",
                f"Make {path} a file that you may read.",
            ) from error
        frame = within(frame, first, last, time_zone(ticker.calendar))
        return History(not_empty(frame, ticker.symbol, path.name), f"files ({path.name})")

    def _read(self, path: Path, ticker: Ticker) -> pd.DataFrame:
        if path.suffix.lower() == ".parquet":
            return _from_parquet(path, self.params, ticker)
        text = read_text(decoded(path.read_bytes()), self.params.columns)
        at = placed(text.header, self.params.columns)
        if "symbol" in at:
            _check_symbols([row[at["symbol"]] for row in text.rows], ticker)
        frame = pd.DataFrame({name: numbers(text, at[name]) for name in COLUMNS if name in at})
        if "dividend" in at:
            frame["dividend"] = np.nan_to_num(numbers(text, at["dividend"]), nan=0.0)
        if "split" in at:
            frame["split"] = split_ratios(text, at["split"])
        return frame.set_index(days(text, at["date"]))


def _path(folder: Path, ticker: Ticker) -> Path:
    """The ticker's file; capitals in its name do not matter."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS)
    except OSError:
        found = []
    own = [path for path in found if path.stem.upper() == ticker.symbol]
    if len(own) == 1:
        return own[0]
    what = f"there are {' and '.join(path.name for path in own)}" if own else "there is no file for it"
    raise ProviderError(
        ProviderFault.MALFORMED if own else ProviderFault.NOT_FOUND,
        f"{ticker.symbol}: {what} in {folder}.",
        "Keep one." if own else f"Put {ticker.symbol}.csv or {ticker.symbol}.parquet there, or set `folder`.",
    )


def _from_parquet(path: Path, params: ProviderParams, ticker: Ticker) -> pd.DataFrame:
    frame = _parquet(path)
    names = [str(name) for name in frame.columns]
    at = placed(names, params.columns)
    if frame.empty:
        raise RefusedError("it has columns and no rows")
    if "symbol" in at:
        _check_symbols(frame.iloc[:, at["symbol"]].astype("str").tolist(), ticker)
    index = pd.to_datetime(frame.iloc[:, at["date"]], errors="coerce")
    if index.isna().any():
        raise RefusedError(f"row {int(index.isna().to_numpy().argmax()) + 1} has no date")
    wanted = [name for name in (*COLUMNS, *ACTIONS) if name in at]
    found = {name: _numeric(frame.iloc[:, at[name]], names[at[name]]) for name in wanted}
    filled = {name: none for name, none in ACTIONS.items() if name in found}
    return pd.DataFrame(found).fillna(filled).replace({"split": 0.0}, 1.0).set_index(pd.DatetimeIndex(index))


def _parquet(path: Path) -> pd.DataFrame:
    """The file with its index as a column."""
    try:
        table = pq.ParquetFile(path).read()
        if len(set(table.column_names)) < len(table.column_names):
            raise RefusedError("it has a column twice")
        frame = table.to_pandas()
    except (pa.ArrowException, pa.ArrowInvalid) as error:
        raise RefusedError(f"it is not a Parquet file that can be read ({type(error).__name__})") from error
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def _numeric(values: pd.Series, name: str) -> pd.Series:
    try:
        return pd.to_numeric(values).astype("float64")
    except (ValueError, TypeError) as error:
        raise RefusedError(f"its column {name!r} has something that is not a number") from error


def _check_symbols(told: list[str], ticker: Ticker) -> None:
    for symbol in sorted(set(told)):
        if not same_symbol(symbol, ticker.symbol):
            raise RefusedError(f"it has rows of {symbol}")


def _placed_in_time(frame: pd.DataFrame, ticker: Ticker, *, daily: bool) -> pd.DataFrame:
    """Rows by session or by instant, ascending; a naive time is one of the exchange."""
    index, zone = pd.DatetimeIndex(frame.index), time_zone(ticker.calendar)
    try:
        if daily:
            index = (index.tz_convert(zone).tz_localize(None) if index.tz else index).normalize()
        else:
            index = index.tz_convert("UTC") if index.tz else index.tz_localize(zone).tz_convert("UTC")
        index = index.as_unit("ns").rename("session" if daily else "began_at")
    except (ValueError, OverflowError) as error:
        raise RefusedError(f"it has a time that does not exist in {zone}") from error
    whole = frame if "volume" in frame else frame.assign(volume=np.nan)
    order = [name for name in (*COLUMNS, *ACTIONS) if name in whole]
    return whole.set_index(index)[order].astype("float64").sort_index(kind="stable")


def _undone(frame: pd.DataFrame) -> pd.DataFrame:
    if "split" not in frame:
        raise RefusedError("its prices are adjusted for splits, but it has no column of splits to undo them")
    if "dividend" in frame:
        return undo_splits(frame)
    return undo_splits(frame.assign(dividend=0.0)).drop(columns="dividend")
