"""The ledger: what ran when and what became of it, in any database that SQLAlchemy speaks to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool

from tickerbook.errors import ConfigError, TornFileError
from tickerbook.store import Failure, RunResult, Status

PATIENCE = 60  # seconds to wait for other processes that write
_WRITABLE = "Make room, or let the folder be written; TICKERBOOK_LEDGER can name another place."

_TABLES = MetaData()
_BATCHES = Table(
    "batches",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("state", String, nullable=False),
)
_OUTCOMES = Table(
    "outcomes",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("batch", ForeignKey("batches.id"), nullable=False, index=True),
    Column("ticker", String),
    Column("notebook", String, nullable=False),
    Column("session", Date, nullable=False),
    Column("status", String, nullable=False),
    Column("reused", Boolean, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("failure", String),
    Column("key", String, nullable=False, index=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
)
_MARKET = "market_"  # how the names of the vendors' scorecard's tables begin, which share the database
_REMEDY = "Move it away; the next run makes a new one. Stored runs and pages do not hang on it."


@dataclass(frozen=True)
class Outcome:
    """A row: what became of one run in one batch.

    Attributes:
        ticker: None for a notebook over the universe.
        session: the session it was for.
    """

    batch: int
    ticker: str | None
    notebook: str
    session: date
    status: Status
    reused: bool
    seconds: float
    failure: Failure | None
    key: str
    started_at: datetime

    @property
    def problem(self) -> str:
        """What failed and why, in one line; empty where nothing did."""
        if self.failure is None:
            return ""
        cell = "" if self.failure.cell is None else f"cell {self.failure.cell}: "
        return cell + self.failure.message

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON knows it."""
        instants = {"session": self.session.isoformat(), "started_at": self.started_at.isoformat()}
        return asdict(self) | instants


class Ledger:
    """Batches and the outcomes of their runs. Several processes may write at once.

    Args:
        url: an SQLAlchemy URL, such as sqlite:///data/ledger.db.

    Raises:
        ConfigError: if the URL leads nowhere.
        TornFileError: if there is a file that is not a ledger, or a damaged one.
    """

    def __init__(self, url: str) -> None:
        self._name = url
        with self._translated():
            self._name = make_url(url).render_as_string()  # hides a password
            self._engine = _engine(url)
            with self._engine.begin() as connection:
                self._prepare(connection)

    def begin(self, started_at: datetime) -> int:
        """Open a batch and give its number."""
        row = {"started_at": started_at.astimezone(UTC), "state": "running"}
        with self._writing() as connection:
            key = connection.execute(_BATCHES.insert().values(row)).inserted_primary_key
        return int(key[0])  # type: ignore[index]  # an insert of one row has one

    def record(self, batch: int, result: RunResult) -> None:
        """Add what became of a run."""
        row = {
            "batch": batch,
            "ticker": result.run.ticker,
            "notebook": result.run.notebook,
            "session": result.run.session,
            "status": result.status,
            "reused": result.reused,
            "seconds": result.seconds,
            "failure": json.dumps(asdict(result.failure)) if result.failure else None,
            "key": result.run.key,
            "started_at": result.started_at.astimezone(UTC),
        }
        with self._writing() as connection:
            connection.execute(_OUTCOMES.insert().values(row))

    def end(self, batch: int, ended_at: datetime, state: Literal["finished", "interrupted"]) -> None:
        """Close a batch. One that was killed stays open: its state says "running" and it has no end."""
        row = {"ended_at": ended_at.astimezone(UTC), "state": state}
        with self._writing() as connection:
            connection.execute(_BATCHES.update().where(_BATCHES.c.id == batch).values(row))

    def last_batch(self) -> list[Outcome]:
        """Outcomes of the newest batch, in the order they were recorded; empty where nothing has run."""
        newest = select(func.max(_BATCHES.c.id)).scalar_subquery()
        chosen = select(_OUTCOMES).where(_OUTCOMES.c.batch == newest).order_by(_OUTCOMES.c.id)
        with self._writing() as connection:
            return [_outcome(dict(row)) for row in connection.execute(chosen).mappings()]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the library's errors into ours."""
        try:
            yield
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise ConfigError(
                f"The ledger {self._name} cannot be opened: {error}",
                "TICKERBOOK_LEDGER takes an SQLAlchemy URL such as sqlite:////folder/ledger.db.",
            ) from error
        except OSError as error:
            raise ConfigError(f"The ledger {self._name} cannot be opened: {error}.", _WRITABLE) from error
        except OperationalError as error:
            raise ConfigError(f"The ledger {self._name} cannot be used: {error.orig}.", _WRITABLE) from error
        except DatabaseError as error:
            raise TornFileError(f"The ledger {self._name} is damaged: {error.orig}.", _REMEDY) from error

    def _prepare(self, connection: Connection) -> None:
        """Make the tables where there are none; refuse a file of somebody else."""
        looked = inspect(connection)
        there = set(looked.get_table_names())
        own = {name for name in there if not name.startswith(_MARKET)}
        if connection.dialect.name == "sqlite" and own and not own.issuperset(_TABLES.tables):
            raise TornFileError(f"{self._name} is a database of another program.", _REMEDY)
        for table in _TABLES.tables.values():
            if table.name in there:
                missing = {c.name for c in table.columns} - {
                    c["name"] for c in looked.get_columns(table.name)
                }
                if missing:
                    raise TornFileError(f"The ledger {self._name} is of another version.", _REMEDY)
        _TABLES.create_all(connection)


def _engine(url: str) -> Engine:
    """An engine whose connections last as long as a transaction, so that nothing is left open."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name != "sqlite":
        return engine
    if engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")

    def began(connection: Connection) -> None:
        # Else what first reads and then writes fails at once when another process wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine


def _outcome(row: dict[str, Any]) -> Outcome:
    del row["id"]
    row["failure"] = Failure(**json.loads(row["failure"])) if row["failure"] else None
    if row["started_at"].tzinfo is None:  # SQLite knows no time zones; we store UTC
        row["started_at"] = row["started_at"].replace(tzinfo=UTC)
    return Outcome(**row)
