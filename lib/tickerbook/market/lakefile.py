"""One file of the lake: its rows, its origins, its digest.

A log is a frame with `known_at` (UTC) and the columns of a raw frame; its index `session` may repeat, in the
order learnt.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tickerbook.errors import DataError, NoBarsError, TornFileError
from tickerbook.files import digest, dump_json, whole_file
from tickerbook.market.raw import RAW

_KEY = b"tickerbook"
_FORMAT = 1
_SCHEMA = pa.schema(
    [
        ("session", pa.date32()),
        ("known_at", pa.timestamp("us", "UTC")),
        *((name, pa.float64()) for name in RAW),
    ]
)


@dataclass(frozen=True)
class Origin:
    """Where a fetch got its bars.

    Attributes:
        provider: its name in params/.
        source: the provider, as a reader would name it.
        fetched_at: when it was asked (UTC).
        calendar: ISO 10383 code of the exchange.
        currency: ISO 4217 code of the prices.
    """

    provider: str
    source: str
    fetched_at: datetime
    calendar: str
    currency: str

    def agrees(self, other: "Origin") -> bool:
        """Whether bars of both may stand in one history: same provider, calendar and currency."""
        mine = (self.provider, self.calendar, self.currency)
        return mine == (other.provider, other.calendar, other.currency)


def empty_log() -> pd.DataFrame:
    """A log without rows."""
    return _frame(_SCHEMA.empty_table())


def _frame(table: pa.Table) -> pd.DataFrame:
    """The log in a table."""
    columns = {name: table[name].to_numpy() for name in RAW}
    index = pd.DatetimeIndex(table["session"].to_numpy(), name="session").as_unit("ns")
    known_at = pd.DatetimeIndex(table["known_at"].to_numpy(), tz="UTC")
    return pd.DataFrame({"known_at": known_at, **columns}, index=index)


def _table(log: pd.DataFrame) -> pa.Table:
    """The table of a log; NaN stays NaN."""
    columns = [
        pa.array(log.index.to_numpy().astype("datetime64[D]"), _SCHEMA.field("session").type),
        pa.array(log["known_at"].dt.tz_localize(None).to_numpy(), _SCHEMA.field("known_at").type),
        *(pa.array(log[name].to_numpy(dtype="<f8"), from_pandas=False) for name in RAW),
    ]
    return pa.Table.from_arrays(columns, schema=_SCHEMA)


def _digest(table: pa.Table, about: dict[str, Any]) -> str:
    """SHA-256 over a table's values and what its metadata say."""
    columns = (np.ascontiguousarray(table[name].to_numpy()).tobytes() for name in _SCHEMA.names)
    return digest(dump_json(about), *columns)


def write_log(path: Path, ticker: str, interval: str, log: pd.DataFrame, origins: tuple[Origin, ...]) -> None:
    """Write a log with its origins (oldest first), whole or not at all.

    Raises:
        OSError: if the disk refuses.
    """
    table = _table(log)
    told = [asdict(origin) | {"fetched_at": origin.fetched_at.isoformat()} for origin in origins]
    about = {"format": _FORMAT, "ticker": ticker, "interval": interval, "adjustment": "none", "origins": told}
    metadata = about | {"digest": _digest(table, about)}
    with whole_file(path) as part:
        pq.write_table(table.replace_schema_metadata({_KEY: dump_json(metadata)}), part)


def read_log(path: Path, ticker: str, interval: str) -> tuple[pd.DataFrame, tuple[Origin, ...]]:
    """The log and origins in a file.

    Raises:
        NoBarsError: if there is no file.
        TornFileError: if it is damaged, foreign, or another ticker's.
        DataError: if it cannot be read, or a later tickerbook wrote it.
    """
    fetch = f"Run `tickerbook fetch {ticker}`."
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NoBarsError(f"The lake has no bars for {ticker}.", fetch) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.", "Let this user read it.") from error
    try:
        return _parse(content, ticker, interval)
    except DataError:
        raise
    except Exception as error:  # a damaged file makes Arrow and JSON raise nearly anything
        raise TornFileError(f"{path} is damaged, or not the lake's: {error!r}.", fetch) from error


def _parse(content: bytes, ticker: str, interval: str) -> tuple[pd.DataFrame, tuple[Origin, ...]]:
    table = pq.read_table(pa.BufferReader(content))
    about = json.loads((table.schema.metadata or {})[_KEY])
    if about["format"] > _FORMAT:
        raise DataError(f"The bars of {ticker} were stored by a later tickerbook.", "Update tickerbook.")
    told = about.pop("digest")
    if not table.schema.equals(_SCHEMA) or told != _digest(table, about):
        raise ValueError("its content does not match its digest")
    if (about["ticker"], about["interval"]) != (ticker, interval):
        raise ValueError(f"it holds {about['ticker']} ({about['interval']})")
    times = (
        origin | {"fetched_at": datetime.fromisoformat(origin["fetched_at"])} for origin in about["origins"]
    )
    return _frame(table), tuple(Origin(**origin) for origin in times)


def set_aside(path: Path) -> Path:
    """Rename a damaged file to the first free name ending in .torn."""
    number = 0
    while True:
        aside = path.with_name(f"{path.name}{f'.{number}' if number else ''}.torn")
        if not aside.exists():
            return path.rename(aside)
        number += 1
