"""The ledger's database: transactions that wait for one another, and that a lost connection repeats."""

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.pool import QueuePool
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from tickerbook.errors import ConfigError, TornFileError

PATIENCE = 60  # seconds to wait for other processes that write
OUTAGE = 180  # seconds to wait for a server that is away
REMEDY = "Move it away; the next run makes a new one. Stored runs and pages do not hang on it."
_WRITABLE = "Make room, or let the folder be written; TICKERBOOK_LEDGER can name another place."
_URL = "TICKERBOOK_LEDGER takes an SQLAlchemy URL such as sqlite:////folder/ledger.db."
_SERVER = "pip install tickerbook[postgresql] brings what a ledger on PostgreSQL needs."
_READING = {"reading": True}
_T = TypeVar("_T")
_R = TypeVar("_R")


class Database:
    """A database by URL: SQLite, or a server such as PostgreSQL.

    Args:
        url: an SQLAlchemy URL.
        sleep: waits some seconds.

    Attributes:
        name: the URL without its password.
        engine: SQLAlchemy's.

    Raises:
        ConfigError: if the URL leads nowhere.
    """

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name = url
        self._sleep = sleep
        with self.translated():
            self.name = make_url(url).render_as_string()  # hides a password
            self.engine = _engine(url)
        weakref.finalize(self, self.engine.dispose)  # nothing is left open when it is no longer used

    @property
    def is_file(self) -> bool:
        """Whether it is an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    def write(self, work: Callable[[Connection], _T], *, patient: bool = True) -> _T:
        """What `work` gives in a transaction that no other write comes between, as a whole or not at all.

        Where the connection to a server is lost, it is done again: it must be harmless to do twice.

        Raises:
            ConfigError: if the database cannot be used.
            TornFileError: if it is damaged.
        """
        with self.translated():
            return self._patiently(self._once, work) if patient else self._once(work)

    @contextmanager
    def holding(self, check: Callable[[Connection], object]) -> Iterator[None]:
        """Keep what `check` has seen as it is until the block ends: others' writes to it wait.

        A server that lost the connection meanwhile held nothing, so it is asked once more afterwards. What
        the block raises comes out as it is.
        """
        with self.translated():
            connection = self._patiently(self._opened, check)
        try:
            yield
        finally:
            with suppress(SQLAlchemyError):
                connection.close()
        if not self.is_file:
            self.write(check)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database, and holds up nobody's writes."""
        with self.translated(), self._moment() as connection:
            yield connection

    def read(self, work: Callable[[Connection], _T]) -> _T:
        """What `work` reads at one moment; where a server is away, when it is back."""
        with self.translated():
            return self._patiently(self._read_once, work)

    @contextmanager
    def _moment(self) -> Iterator[Connection]:
        with self.engine.execution_options(**_READING).begin() as connection:
            if not self.is_file:
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield connection

    def _read_once(self, work: Callable[[Connection], _T]) -> _T:
        with self._moment() as connection:
            return work(connection)

    def _patiently(
        self, do: Callable[[Callable[[Connection], _T]], _R], work: Callable[[Connection], _T]
    ) -> _R:
        """Do it; where a server is away, do it again when it is back."""
        if self.is_file:
            return do(work)
        again = Retrying(
            retry=retry_if_exception_type((OperationalError, InterfaceError)),
            wait=wait_exponential(0.1, max=5),
            stop=stop_after_delay(OUTAGE),
            sleep=self._sleep,
            reraise=True,
        )
        return again(do, work)

    def _opened(self, check: Callable[[Connection], object]) -> Connection:
        """A connection in a transaction that has begun with `check`."""
        connection = self.engine.connect()
        try:
            connection.begin()
            check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _once(self, work: Callable[[Connection], _T]) -> _T:
        with self.engine.begin() as connection:
            return work(connection)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the library's errors into ours."""
        try:
            yield
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            remedy = f"{_URL} {_SERVER}" if isinstance(error, ImportError) else _URL
            raise ConfigError(f"The ledger {self.name} cannot be opened: {error}", remedy) from error
        except OSError as error:
            raise ConfigError(f"The ledger {self.name} cannot be opened: {error}.", _WRITABLE) from error
        except OperationalError as error:
            raise ConfigError(f"The ledger {self.name} cannot be used: {error.orig}.", _WRITABLE) from error
        except DatabaseError as error:
            raise TornFileError(f"The ledger {self.name} is damaged: {error.orig}.", REMEDY) from error


def _engine(url: str) -> Engine:
    """An engine that keeps a connection or two: the last one to leave an SQLite file writes it all anew."""
    engine = create_engine(url, poolclass=QueuePool, pool_size=2, max_overflow=-1)
    if engine.dialect.name != "sqlite":
        return engine
    if engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # survives a killed program, as WAL does
        connection.execute("PRAGMA foreign_keys = ON")

    def began(connection: Connection) -> None:
        # Else what first reads and then writes fails at once when another process wrote in between.
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine
