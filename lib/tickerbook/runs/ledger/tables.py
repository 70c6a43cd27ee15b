"""The ledger's tables. A change here needs a migration in `migrations/versions` and a new VERSION."""

from typing import Literal

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

State = Literal[
    "queued", "leased", "running", "ok", "failed", "skipped", "unchanged", "interrupted", "lost", "removed"
]
VERSION = "0002"  # of these tables, as the newest migration is called
VERSION_TABLE = "alembic_version"
MARKET = "market_"  # how the names of the vendors' scorecard's tables begin, which share the database

TABLES = MetaData()
RUNNERS = Table(  # processes that run notebooks, while they do; a number is never given twice
    "runners",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("host", String, nullable=False),
    Column("folder", String, nullable=False),
    Column("beat", Integer, nullable=False),
    Column("beaten_at", DateTime(timezone=True), nullable=False),
    sqlite_autoincrement=True,
)
BATCHES = Table(
    "batches",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("state", String, nullable=False),
    Column("runner", Integer),
)
RUNS = Table(
    "runs",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("batch", ForeignKey("batches.id"), nullable=False),
    Column("ticker", String, nullable=False),  # empty for the universe, since NULLs are never the same
    Column("notebook", String, nullable=False),
    Column("session", Date),
    Column("key", String, nullable=False),
    Column("state", String, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("seconds", Float, nullable=False),
    Column("failure", String),
    Index("runs_by_key", "key"),
    Index("runs_by_ticker", "ticker", "id"),
    Index("runs_by_state", "state", "id"),
    UniqueConstraint("batch", "notebook", "ticker", name="runs_once"),
    sqlite_autoincrement=True,
)
CHANGES = Table(
    "changes",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("state", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("why", String, nullable=False),
    UniqueConstraint("run", "state", "at", name="changes_once"),  # told again after a lost connection
    sqlite_autoincrement=True,
)
LEASES = Table(
    "leases",
    TABLES,
    Column("name", String, primary_key=True),
    Column("runner", ForeignKey("runners.id"), nullable=False),
    Column("run", Integer),
)
