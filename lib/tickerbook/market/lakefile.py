"""One file of the lake: a log of what was learnt of a ticker, sealed by a digest.

A Parquet file with a row for each session and each time it was told, in the order learnt. A row without a
close says that the session is withdrawn. The file's metadata name the ticker, the interval and the origins;
its seal is the SHA-256 of the whole file with zeros where the seal stands: no byte changes unnoticed.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tickerbook.errors import DataError
from tickerbook.files import dump_json
from tickerbook.market.raw import RAW

_FORMAT = 2
_ABOUT = "tickerbook"
_SEAL = b"tickerbook-sha256:"
_BLANK = b"0" * 64
_INSTANT = pa.timestamp("us", "UTC")
_MICROSECONDS = np.dtype("datetime64[us]")
_NEVER = np.datetime64("NaT", "us")
_NAMES = ("known_at", "known_until", *RAW)
_COLUMNS = pd.Index(RAW)
SCHEMA = pa.schema(  # of daily bars
    [
        ("ticker", pa.string()),
        ("session", pa.date32()),
        ("known_at", _INSTANT),
        ("known_until", _INSTANT),
        *((name, pa.float64()) for name in RAW),
    ]
)
TABLE = SCHEMA.set(0, pa.field("ticker", pa.dictionary(pa.int32(), pa.string())))
_CLOSE = RAW.index("close")


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


@dataclass(frozen=True, eq=False)
class Log:
    """All that was ever learnt of one ticker.

    Attributes:
        index: of each row the session, or the bar's beginning (UTC) where the interval is shorter than a day;
            ascending, rows of one session in the order learnt.
        known_at: when each row was learnt (UTC, microseconds).
        known_until: when its successor was learnt; NaT where it has none.
        figures: float64, columns `RAW`.
        origins: oldest first, one for each change of provider, source, calendar or currency; `fetched_at` is
            when that was first so.
    """

    index: pd.DatetimeIndex
    known_at: Any
    known_until: Any
    figures: Any
    origins: tuple[Origin, ...] = ()

    def at(self, instant: datetime | None = None) -> pd.DataFrame:
        """The raw frame as known at an instant; by default all that is known."""
        known = np.isnat(self.known_until)
        if instant is not None:
            then = _microseconds(instant)
            known = (self.known_at <= then) & (known | (self.known_until > then))
        known &= ~np.isnan(self.figures[:, _CLOSE])
        if known.all():
            return pd.DataFrame(self.figures, self.index, _COLUMNS, copy=False)
        return pd.DataFrame(self.figures[known], self.index[known], _COLUMNS, copy=False)

    def origin(self, instant: datetime | None = None) -> Origin | None:
        """The newest fetch that taught something until an instant; None where nothing was known yet."""
        began = np.array([_microseconds(origin.fetched_at) for origin in self.origins], _MICROSECONDS)
        taught = np.concatenate([began, self.known_at])
        if instant is not None:
            began, taught = (times[times <= _microseconds(instant)] for times in (began, taught))
        if not len(began):
            return None
        return replace(self.origins[len(began) - 1], fetched_at=_datetime(taught.max()))

    def restated(self, instant: datetime | None = None) -> int:
        """How many rows had a successor at an instant."""
        ended = self.known_until[~np.isnat(self.known_until)]
        return len(ended) if instant is None else int((ended <= _microseconds(instant)).sum())

    def grown(self, rows: pd.DataFrame, origin: Origin) -> "Log":
        """This log and what a fetch taught: successors of rows it has, and new ones.

        Each write has an instant of its own, later than all before, also where a clock was set back: what was
        known at an instant never changes afterwards.
        """
        before = self.origin()
        instant = _microseconds(origin.fetched_at)
        if before is not None:
            instant = max(instant, _microseconds(before.fetched_at) + np.timedelta64(1, "us"))
        ended = np.isnat(self.known_until) & self.index.isin(rows.index)
        index = self.index.append(rows.index) if len(self.index) else rows.index
        order = np.argsort(index.asi8, kind="stable")
        now = replace(origin, fetched_at=_datetime(instant))
        changed = before is None or replace(before, fetched_at=now.fetched_at) != now
        return Log(
            index[order],
            np.concatenate([self.known_at, np.full(len(rows), instant)])[order],
            np.concatenate([np.where(ended, instant, self.known_until), np.full(len(rows), _NEVER)])[order],
            np.concatenate([self.figures, rows[list(RAW)].to_numpy(dtype="float64")])[order],
            (*self.origins, now) if changed else self.origins,
        )


EMPTY = Log(
    pd.DatetimeIndex([], name="session"),
    np.empty(0, _MICROSECONDS),
    np.empty(0, _MICROSECONDS),
    np.empty((0, len(RAW))),
)


def is_daily(interval: str) -> bool:
    """Whether bars of an interval stand for sessions, not for minutes or hours of one."""
    return interval[-1:] not in {"m", "h"}


def encode(log: Log, ticker: str, interval: str) -> bytes:
    """The file of a log."""
    rows = len(log.index)
    days = (
        log.index.tz_localize(None)
        .to_numpy()
        .astype("datetime64[D]" if is_daily(interval) else _MICROSECONDS)
    )
    columns = [
        pa.array([ticker] * rows, pa.string()),
        pa.array(days),
        pa.array(log.known_at),
        pa.array(log.known_until),
        *(pa.array(log.figures[:, number], from_pandas=True) for number in range(len(RAW))),
    ]
    schema = SCHEMA if is_daily(interval) else SCHEMA.set(1, pa.field("session", _INSTANT))
    table = pa.Table.from_arrays(
        [c.cast(t) for c, t in zip(columns, schema.types, strict=True)], schema=schema
    )
    told = [asdict(origin) | {"fetched_at": origin.fetched_at.isoformat()} for origin in log.origins]
    about = {"format": _FORMAT, "ticker": ticker, "interval": interval, "adjustment": "none", "origins": told}
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_ABOUT: dump_json(about), _ABOUT + ".seal": (_SEAL + _BLANK).decode()})
    return _sealed(sink.getvalue().to_pybytes())


def decode(content: bytes, ticker: str, interval: str) -> Log:
    """The log in a file.

    Raises:
        Exception: if it is damaged, foreign or another ticker's; Arrow and JSON raise nearly anything then.
        DataError: if a later tickerbook wrote it.
    """
    file = _checked(content, ticker, interval)
    table = file.read(["session", *_NAMES], use_threads=False)
    values = np.empty((len(RAW), table.num_rows))
    for number, name in enumerate(RAW):
        values[number] = table[name].to_numpy()
    index = pd.DatetimeIndex(table["session"].to_numpy(), name="session").as_unit("ns")
    return Log(
        index if is_daily(interval) else index.tz_localize("UTC"),
        table["known_at"].to_numpy(),
        table["known_until"].to_numpy(),
        values.T,
        tuple(
            Origin(**origin | {"fetched_at": datetime.fromisoformat(origin["fetched_at"])})
            for origin in _about(file)["origins"]
        ),
    )


def decode_table(content: bytes, ticker: str) -> pa.Table:
    """All rows in a file of daily bars, columns `TABLE`; raises as `decode`."""
    return _checked(content, ticker, "1d").read(TABLE.names, use_threads=False)


def _checked(content: bytes, ticker: str, interval: str) -> pq.ParquetFile:
    """A file whose seal is whole and that holds what its name says; raises as `decode`."""
    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=["ticker"])
    about = _about(file)
    if about["format"] > _FORMAT:
        raise DataError(f"The bars of {ticker} were stored by a later tickerbook.", "Update tickerbook.")
    place = content.rindex(_SEAL) + len(_SEAL)
    if _seal(content, place) != content[place : place + len(_BLANK)]:
        raise ValueError("its content does not match its digest")
    if (about["ticker"], about["interval"]) != (ticker, interval):
        raise ValueError(f"it holds {about['ticker']} ({about['interval']})")
    return file


def _about(file: pq.ParquetFile) -> dict[str, Any]:
    """What a file says of itself."""
    about: dict[str, Any] = json.loads(file.metadata.metadata[_ABOUT.encode()])
    return about


def _sealed(content: bytes) -> bytes:
    place = content.rindex(_SEAL) + len(_SEAL)
    return content[:place] + _seal(content, place) + content[place + len(_BLANK) :]


def _seal(content: bytes, place: int) -> bytes:
    """SHA-256 of a file with zeros where its seal stands, as 64 hex digits."""
    view = memoryview(content)
    total = hashlib.sha256(view[:place])
    total.update(_BLANK)
    total.update(view[place + len(_BLANK) :])
    return total.hexdigest().encode()


def _microseconds(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "us")


def _datetime(instant: np.datetime64) -> datetime:
    return instant.astype(datetime).replace(tzinfo=UTC)  # type: ignore[no-any-return]  # numpy: object or int
