"""The whole lake in SQL, and in one table.

Files are read whole and checked as everywhere, and their rows stay in memory until another file takes the
place of theirs; DuckDB answers from there. So it needs no file itself: it can read none, write nothing, and
reach no network. (It reads Parquet too, but opens a file more than once for one answer, and mixes old and new
where the file is replaced in between.)
"""

import os
import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb import StatementType

from tickerbook.errors import DataError, QueryError
from tickerbook.market.lake import DAILY, Lake, decoded_table, project_lake, reaching, symbol_of
from tickerbook.market.lakefile import TABLE, Log
from tickerbook.market.lakefolder import Folder, intervals
from tickerbook.market.lakewhen import earliest, instant
from tickerbook.settings import load_settings

_RELATIONS = """
CREATE TEMP VIEW vintages AS
    SELECT ticker, session, open, high, low, close, volume, dividend, split,
        known_at, if(known_until <= {then}, known_until, NULL) AS known_until
    FROM stored WHERE known_at <= {then};
CREATE TEMP VIEW traded AS
    SELECT ticker, session, open, high, low, close, volume, dividend, split FROM stored WHERE {known};
CREATE TEMP VIEW bars AS
    WITH happened AS (
        SELECT ticker, session, split FROM traded WHERE split < 1 OR split > 1
    ), factors AS (  -- of each stretch between two splits: the product of the later ones
        SELECT ticker, one.session AS until,
            lag(until, 1, DATE '0001-01-01') OVER (PARTITION BY ticker ORDER BY until) AS since,
            list_aggregate(list(later.split ORDER BY later.session DESC), 'product') AS factor
        FROM happened AS one JOIN happened AS later USING (ticker)
        WHERE one.session <= later.session
        GROUP BY ticker, one.session
    ), told AS (
        SELECT traded.*, coalesce(factor, 1) AS factor FROM traded
        LEFT JOIN factors ON traded.ticker = factors.ticker AND session >= since AND session < until
    )
    SELECT ticker, session,
        open / factor AS open, high / factor AS high, low / factor AS low, close / factor AS close,
        volume * factor AS volume, dividend / factor AS dividend, split
    FROM told;
"""
_SETTINGS = """
SET TimeZone = 'UTC';
SET temp_directory = '';
SET python_enable_replacements = false;
SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false;
SET enable_external_access = false;
SET lock_configuration = true;
"""
_REMEDY = (
    "There are bars and traded (ticker, session, open, high, low, close, volume, dividend, split), "
    "and vintages (the same with known_at, known_until)."
)


def sql(
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
    known_at: datetime | str | None = None,
) -> pd.DataFrame:
    """What DuckDB answers to a question over all daily bars of this project's lake.

    Three relations, each with ticker, session, open, high, low, close, volume, dividend, split:

        bars      what `load_bars` gives by default: in the units of each ticker's newest session
        traded    as traded
        vintages  as traded, every row that was ever learnt, with known_at and, where it was told otherwise
                  later, known_until; a row without prices says that the session was withdrawn

    A missing value is NULL. A damaged file is left out, with a warning that names it.

    Args:
        query: one question, such as "select ticker, max(close) from bars group by ticker".
        parameters: values for `?` or `$name` in it.
        known_at: answer with what was known then; as in `load_bars`.

    Raises:
        QueryError: if it is no question, or cannot be answered.
        DataError: if the lake cannot be reached.
        ConfigError: if `known_at` is no instant, or there is no project here.
    """
    return ask(project_lake(load_settings()), query, parameters, instant(known_at, "known_at"))


def ask(
    lake: Lake,
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
    known_at: datetime | None = None,
) -> pd.DataFrame:
    """As `sql`, of any lake."""
    folder = lake.folder(DAILY)
    with reaching(folder):
        stored = _stored(folder)
    connection = _database(os.getpid()).cursor()
    try:
        connection.register("stored", stored)
        connection.execute(_views(earliest(lake.known_at, known_at)))
        _check_question(connection, query)
        return connection.execute(query, parameters).df()
    except duckdb.Error as error:
        raise QueryError(f"{error}", _REMEDY) from error
    finally:
        connection.close()


def lake() -> pd.DataFrame:
    """What there is in this project's lake: a row for each ticker and interval.

    Columns: ticker, interval, first and last (sessions), sessions, restated (how often one was told otherwise
    later), provider, source, calendar, currency, known_at (when the newest row was learnt). A damaged file is
    left out, with a warning that names it.

    Raises:
        DataError: if the lake cannot be reached.
        ConfigError: if there is no project here.
    """
    return contents(project_lake(load_settings()))


def contents(lake: Lake) -> pd.DataFrame:
    """As `lake`, of any lake."""
    with reaching(lake.folder("")):
        folders = {interval: lake.folder(interval) for interval in intervals(lake.root)}
        there = [(i, symbol) for i, f in folders.items() for symbol in _symbols(f, f.identities()).values()]
    rows = []
    for interval, symbol in there:
        try:
            rows.append(_row(symbol, interval, lake.log(symbol, interval), lake.known_at))
        except DataError as error:
            _leave_out(error.message)
    return pd.DataFrame([row for row in rows if row], columns=list(_COLUMNS)).astype(_COLUMNS)


_COLUMNS = {
    "ticker": "str",
    "interval": "str",
    "first": "datetime64[us]",
    "last": "datetime64[us]",
    "sessions": "int64",
    "restated": "int64",
    "provider": "str",
    "source": "str",
    "calendar": "str",
    "currency": "str",
    "known_at": "datetime64[us, UTC]",
}


def _row(symbol: str, interval: str, log: Log, then: datetime | None) -> dict[str, Any]:
    """What `lake` says of one file; nothing where nothing was known yet."""
    frame, origin = log.at(then), log.origin(then)
    if origin is None or frame.empty:
        return {}
    days = frame.index.tz_localize(None).normalize()
    return {
        "ticker": symbol,
        "interval": interval,
        "first": days[0],
        "last": days[-1],
        "sessions": days.nunique(),
        "restated": log.restated(then),
        "provider": origin.provider,
        "source": origin.source,
        "calendar": origin.calendar,
        "currency": origin.currency,
        "known_at": origin.fetched_at,
    }


_kept: dict[tuple[str, str], tuple[Hashable, pa.Table]] = {}  # place and name → which file it was, its rows


def _stored(folder: Folder) -> pa.Table:
    """The rows of all files that are whole; only what is another file than the last time is read."""
    place = folder.where()
    there = folder.identities()
    symbols = _symbols(folder, there)
    for key in [key for key in _kept if key[0] == place and _kept[key][0] != there.get(key[1])]:
        _kept.pop(key, None)
    for name, content in folder.read_many([name for name in symbols if (place, name) not in _kept]):
        try:
            table = decoded_table(_readable(content), folder.where(name), symbols[name])
            _kept[place, name] = there[name], table
        except FileNotFoundError:  # set aside meanwhile
            continue
        except (OSError, DataError) as error:
            _leave_out(error.message if isinstance(error, DataError) else f"{folder.where(name)}: {error}.")
    found = [one[1] for name in symbols if (one := _kept.get((place, name)))]
    return pa.concat_tables([TABLE.empty_table(), *found])


def _readable(content: bytes | OSError) -> bytes:
    if isinstance(content, OSError):
        raise content
    return content


def _symbols(folder: Folder, names: Iterable[str]) -> dict[str, str]:
    """Name → symbol of the files that are named after one; another file is left out."""
    symbols = {name: symbol_of(name) for name in names}
    for name in [name for name, symbol in symbols.items() if not symbol]:
        _leave_out(f"{folder.where(name)} is not named after a ticker, so it is not the lake's.")
    return {name: symbol for name, symbol in symbols.items() if symbol}


def _leave_out(problem: str) -> None:
    """Warn each time: a table that lacks a ticker must not look complete the second time."""
    warnings.warn_explicit(f"Left out: {problem}", UserWarning, "tickerbook", 0)


@cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    """An empty database that reaches no file and no address, one for each process: forks cannot share."""
    database = duckdb.connect()
    database.execute(_SETTINGS)
    return database


def _views(then: datetime | None) -> str:
    """SQL that makes the relations of the registered table."""
    moment = f"TIMESTAMPTZ '{then.isoformat()}'" if then else "TIMESTAMPTZ 'infinity'"
    known = f"known_at <= {moment} AND (known_until IS NULL OR known_until > {moment})"
    return _RELATIONS.format(
        then=moment, known=f"{known if then else 'known_until IS NULL'} AND close IS NOT NULL"
    )


def _check_question(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """One question, and nothing but a question.

    Raises:
        QueryError: for anything else.
    """
    statements = connection.extract_statements(query)
    kinds = [statement.type for statement in statements]
    pivot = kinds == [StatementType.MULTI] and query.lstrip().lower().startswith("pivot")
    if kinds != [StatementType.SELECT] and not pivot:
        what = ", ".join(kind.name for kind in kinds) or "nothing"
        raise QueryError(
            f"One question is answered at a time, and nothing is changed; this is {what}.", _REMEDY
        )
