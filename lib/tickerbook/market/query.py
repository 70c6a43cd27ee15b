"""The whole lake in SQL, and in one table.

DuckDB reads the Parquet files where they are. It can read nothing else, write nothing, and reach no network;
nothing of it is left open afterwards.
"""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb import StatementType

from tickerbook.errors import DataError, QueryError
from tickerbook.files import slug
from tickerbook.market.lake import DAILY, Lake, checked, project_lake, reaching, symbol_of
from tickerbook.market.lakefile import SCHEMA, Log, has_splits
from tickerbook.market.lakefolder import Folder, Local, intervals
from tickerbook.market.lakewhen import earliest, instant
from tickerbook.settings import load_settings

_RELATIONS = {
    "vintages": """
        SELECT ticker, session, open, high, low, close, volume, dividend, split,
            known_at, if(known_until <= {then}, known_until, NULL) AS known_until
        FROM {stored} WHERE known_at <= {then}""",
    "traded": """
        SELECT ticker, session, open, high, low, close, volume, dividend, split
        FROM {stored} WHERE {known}""",
    "bars": """
        WITH happened AS (
            SELECT ticker, session, split FROM {split} WHERE {known} AND (split < 1 OR split > 1)
        ), factors AS (  -- of each stretch between two splits: the product of the later ones
            SELECT ticker, one.session AS until,
                lag(until, 1, DATE '0001-01-01') OVER (PARTITION BY ticker ORDER BY until) AS since,
                list_aggregate(list(later.split ORDER BY later.session DESC), 'product') AS factor
            FROM happened AS one JOIN happened AS later USING (ticker)
            WHERE one.session <= later.session
            GROUP BY ticker, one.session
        ), traded AS (
            SELECT stored.*, coalesce(factor, 1) AS factor
            FROM (FROM {stored} WHERE {known}) AS stored
            LEFT JOIN factors ON stored.ticker = factors.ticker AND session >= since AND session < until
        )
        SELECT ticker, session,
            open / factor AS open, high / factor AS high, low / factor AS low, close / factor AS close,
            volume * factor AS volume, dividend / factor AS dividend, split
        FROM traded""",
}
_SETTINGS = """
SET TimeZone = 'UTC';
SET temp_directory = '';
SET python_enable_replacements = false;
SET enable_external_file_cache = false;
SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false;
SET allowed_directories = [{folder}];
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
    asked = (query, parameters, earliest(lake.known_at, known_at))
    with reaching(folder):
        if isinstance(folder, Local):
            with suppress(_ReplacedError):
                return _answer(_on_disk(folder), *asked)
        return _answer(_in_memory(folder), *asked)


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
        there = [(i, symbol) for i in intervals(lake.root) for symbol in _symbols(lake.folder(i))]
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


class _ReplacedError(Exception):
    """A file was replaced while DuckDB read it, which opens it more than once and may mix old and new."""


@dataclass(frozen=True)
class _Source:
    """Where the rows are.

    Attributes:
        stored: SQL that names all rows.
        split: SQL that names the rows of the files that have splits.
        tables: what is in memory, by name.
        folder: what DuckDB may read; empty for nothing.
        files: path of each file that is read → which of those that had this name it is.
    """

    stored: str
    split: str
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    folder: str = ""
    files: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def is_replaced(self) -> bool:
        """Whether a file is another one by now, or gone."""
        return any(_identity(path) != seen for path, seen in self.files.items())


def _answer(source: _Source, query: str, parameters: Any, then: datetime | None) -> pd.DataFrame:
    """DuckDB's answer.

    Raises:
        QueryError: if there is none.
        _ReplacedError: if it may be wrong, or wrongly missing.
    """
    connection = _database(os.getpid(), source.folder).cursor()
    try:
        for name, table in source.tables.items():
            connection.register(name, table)
        connection.execute(_views(source, then, query))
        _check_question(connection, query)
        answer = connection.execute(query, parameters).df()
    except duckdb.Error as error:
        if source.is_replaced():
            raise _ReplacedError from error
        raise QueryError(f"{error}", _REMEDY) from error
    finally:
        connection.close()
    if source.is_replaced():
        raise _ReplacedError
    return answer


def _on_disk(folder: Local) -> _Source:
    """The files of a folder that are whole, for DuckDB to read them."""
    files, with_splits = {}, []
    place = f"{folder.folder.resolve()}{os.sep}"
    for symbol in _symbols(folder):
        path = f"{place}{slug(symbol)}.parquet"
        seen = _identity(path)
        try:
            splits = _good(path, symbol, seen)
        except FileNotFoundError:
            continue
        except (OSError, DataError) as error:
            _leave_out(error.message if isinstance(error, DataError) else f"{path} cannot be read: {error}.")
            continue
        files[path] = seen
        if splits:
            with_splits.append(path)
    if not files:
        return _Source("stored", "stored", {"stored": SCHEMA.empty_table()})
    return _Source(_read(files), _read(with_splits or list(files)[:1]), folder=place, files=files)


def _in_memory(folder: Folder) -> _Source:
    """The files of a folder that are whole, each read once."""
    tables = [SCHEMA.empty_table()]
    for name, content in folder.read_all():
        if isinstance(content, OSError):
            if not isinstance(content, FileNotFoundError):  # else it was set aside meanwhile
                _leave_out(f"{folder.where(name)} cannot be read: {content}.")
            continue
        try:
            tables.append(checked(content, folder.where(name), symbol_of(name)).read(SCHEMA.names))
        except DataError as error:
            _leave_out(error.message)
    return _Source("stored", "stored", {"stored": pa.concat_tables(tables)})


def _read(paths: Iterable[str]) -> str:
    return f"read_parquet([{', '.join(_quoted(path) for path in paths)}], hive_partitioning = false)"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identity(path: str) -> tuple[int, ...]:
    """Tells a file from one that took its place; empty where there is none."""
    try:
        seen = os.stat(path)  # noqa: PTH116 - a tenth of the time of Path.stat, for each file and question
    except OSError:
        return ()
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


@lru_cache(maxsize=100_000)
def _good(path: str, symbol: str, _seen: tuple[int, ...]) -> bool:
    """Whether there may be splits in a file that is whole; looked at once as long as nobody writes it."""
    return has_splits(checked(Path(path).read_bytes(), path, symbol))


def _symbols(folder: Folder) -> list[str]:
    """Symbols that have a file; a file that is not named after one is left out."""
    symbols = []
    for name in folder.names():
        symbol = symbol_of(name)
        if symbol:
            symbols.append(symbol)
        else:
            _leave_out(f"{folder.where(name)} is not named after a ticker, so it is not the lake's.")
    return symbols


def _leave_out(problem: str) -> None:
    """Warn each time: a table that lacks a ticker must not look complete the second time."""
    warnings.warn_explicit(f"Left out: {problem}", UserWarning, "tickerbook", 0)


@cache
def _database(_process: int, folder: str) -> duckdb.DuckDBPyConnection:
    """An empty database that can read a folder and nothing else, one for each process: forks cannot share."""
    database = duckdb.connect()
    database.execute(_SETTINGS.format(folder=_quoted(folder) if folder else ""))
    return database


def _views(source: _Source, then: datetime | None, query: str) -> str:
    """SQL that makes the relations: those that a question names, or all. Each costs milliseconds."""
    moment = f"TIMESTAMPTZ '{then.isoformat()}'" if then else "TIMESTAMPTZ 'infinity'"
    known = f"known_at <= {moment} AND (known_until IS NULL OR known_until > {moment})"
    known = f"{known if then else 'known_until IS NULL'} AND close IS NOT NULL"
    named = [name for name in _RELATIONS if name in query.lower()] or list(_RELATIONS)
    given = {"stored": source.stored, "split": source.split, "then": moment, "known": known}
    return "".join(f"CREATE TEMP VIEW {name} AS {_RELATIONS[name].format(**given)};" for name in named)


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
