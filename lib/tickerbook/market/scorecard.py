"""How each vendor does: who delivered how fast, what failed and why, what was found in what it sent.

Tables of the ledger's database, beside those of the runs. They are written after the prices are stored,
and nothing is computed from them: they are for looking at.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

import pandas as pd
from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    select,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tickerbook.errors import ConfigError, DataError
from tickerbook.files import digest, dump_json
from tickerbook.market.checks import Finding

DELIVERED = "delivered"
_KEPT = timedelta(days=400)
_PATIENCE = 60  # seconds to wait for other programs that write
_FEW = 2  # values below which there is no percentile

_TABLES = MetaData()
_ASKS = Table(
    "market_asks",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("ticker", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("behind", Integer),
    Column("message", String, nullable=False),
    Index("market_asks_by_time", "provider", "asked_at"),
)
_FINDINGS = Table(
    "market_findings",
    _TABLES,
    Column("key", String, primary_key=True),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("ticker", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("check", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("sessions", String, nullable=False),
    Column("message", String, nullable=False),
    Column("before", String),
    Column("after", String),
)
_RESTATED = Table(
    "market_restatements",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("learnt_at", DateTime(timezone=True), nullable=False),
    Column("ticker", String, nullable=False, index=True),
    Column("provider", String, nullable=False),
    Column("column", String, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("session", Date, nullable=False),
    Column("before", Float),
    Column("after", Float),
)
_SPREADS = Table(
    "market_spreads",
    _TABLES,
    Column("ticker", String, primary_key=True),
    Column("session", Date, primary_key=True),
    Column("compared_at", DateTime(timezone=True), nullable=False),
    Column("providers", String, nullable=False),
    Column("taken_from", String, nullable=False),
    Column("spread", Float, nullable=False),
    Column("disputed", Integer, nullable=False),
)


@dataclass(frozen=True)
class Ask:
    """One question to a vendor.

    Attributes:
        asked_at: when (UTC).
        ticker: for which ticker.
        provider: whom.
        outcome: `DELIVERED`, or the kind of failure.
        seconds: how long the answer took, waiting for our own limits left out.
        rows: how many rows came.
        behind: how many sessions the newest row is behind the one that is due; None where no row came.
        message: what failed; empty where nothing did.
    """

    asked_at: datetime
    ticker: str
    provider: str
    outcome: str
    seconds: float
    rows: int = 0
    behind: int | None = None
    message: str = ""


@dataclass(frozen=True)
class Spread:
    """One session as several vendors have it.

    Attributes:
        ticker: the symbol.
        session: which.
        compared_at: when (UTC).
        providers: those that have it, with commas.
        taken_from: whose row was stored.
        spread: largest difference between them over open, high, low and close, as a fraction of the median.
        disputed: 1 where no two of them agree.
    """

    ticker: str
    session: date
    compared_at: datetime
    providers: str
    taken_from: str
    spread: float
    disputed: int


@dataclass(frozen=True)
class Restated:
    """What a vendor told otherwise than before, in one column. The lake has both.

    Attributes:
        learnt_at: when it was learnt (UTC).
        ticker: the symbol.
        provider: who told it.
        column: which column.
        sessions: how many of its values changed.
        session: where it changed the most.
        before: what was known of that session; None where nothing was.
        after: what is known now; None where that is nothing.
    """

    learnt_at: datetime
    ticker: str
    provider: str
    column: str
    sessions: int
    session: date
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Noted:
    """A finding of the gate, with where and when it was made."""

    ticker: str
    provider: str
    found_at: datetime
    finding: Finding = field(repr=False)

    def row(self) -> dict[str, Any]:
        """As it is stored; `key` is the same for the same finding of another day."""
        found = self.finding
        told = {
            "ticker": self.ticker,
            "provider": self.provider,
            "check": found.check,
            "severity": found.severity,
            "sessions": ",".join(day.isoformat() for day in found.sessions),
            "message": found.message,
            "before": _values(found, found.before),
            "after": _values(found, found.after),
        }
        return told | {"key": digest(dump_json(told)), "found_at": self.found_at.astimezone(UTC)}


@dataclass(frozen=True)
class Score:
    """What became of the questions to one vendor.

    Attributes:
        provider: its name.
        asked: how many.
        delivered: how many were answered with bars.
        failures: kind → how many.
        median_seconds: of the answers with bars; None where there is none.
        slow_seconds: which 19 of 20 answers took at most; None where there are fewer than two.
        behind: mean of how many sessions the newest bar was late; None where there is none.
        compared: sessions that were compared with other vendors'.
        disagreements: those of them where the vendors did not agree.
        last_failure: the newest question that failed; None where none did.
    """

    provider: str
    asked: int
    delivered: int
    failures: dict[str, int]
    median_seconds: float | None
    slow_seconds: float | None
    behind: float | None
    compared: int
    disagreements: int
    last_failure: Ask | None


class Scorecard:
    """The tables, in a database that SQLAlchemy speaks to.

    Args:
        url: the ledger's URL.

    Raises:
        ConfigError: if that is no URL, or its database needs a driver that is not there.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = _engine(url)
        except (ArgumentError, NoSuchModuleError, ImportError, OSError) as error:
            raise ConfigError(
                f"The ledger cannot be opened: {error}.",
                "TICKERBOOK_LEDGER takes an SQLAlchemy URL such as sqlite:////folder/ledger.db.",
            ) from error

    def record(
        self,
        asks: Sequence[Ask] = (),
        noted: Sequence[Noted] = (),
        spreads: Sequence[Spread] = (),
        restated: Sequence[Restated] = (),
    ) -> None:
        """Add what happened; findings that are there already are not added again, spreads are replaced.

        Raises:
            DataError: if the database cannot be written.
        """
        if not (asks or noted or spreads or restated):
            return
        with self._writing() as connection:
            if asks:
                connection.execute(_ASKS.insert(), [_plain(ask) for ask in asks])
                oldest = max(ask.asked_at for ask in asks) - _KEPT
                connection.execute(delete(_ASKS).where(_ASKS.c.asked_at < oldest.astimezone(UTC)))
            _add_new(connection, {row["key"]: row for row in (one.row() for one in noted)})
            for spread in spreads:
                known = (_SPREADS.c.ticker == spread.ticker) & (_SPREADS.c.session == spread.session)
                connection.execute(delete(_SPREADS).where(known))
            if restated:
                connection.execute(_RESTATED.insert(), [asdict(one) for one in restated])
            if spreads:
                connection.execute(_SPREADS.insert(), [asdict(spread) for spread in spreads])

    def scores(self, since: datetime) -> list[Score]:
        """Each vendor that was asked since then, in alphabetical order.

        Raises:
            DataError: if the database cannot be read.
        """
        with self._writing() as connection:
            found = select(_ASKS).where(_ASKS.c.asked_at >= since.astimezone(UTC)).order_by(_ASKS.c.asked_at)
            asks = [_ask(dict(row)) for row in connection.execute(found).mappings()]
            told = connection.execute(select(_SPREADS.c.providers, _SPREADS.c.disputed)).all()
        names = sorted({ask.provider for ask in asks})
        return [_score(name, [ask for ask in asks if ask.provider == name], told) for name in names]

    def counts(self) -> dict[tuple[str, str], int]:
        """How many questions to each provider had each outcome.

        Raises:
            DataError: if the database cannot be read.
        """
        counted = select(_ASKS.c.provider, _ASKS.c.outcome, func.count())
        with self._writing() as connection:
            rows = connection.execute(counted.group_by(_ASKS.c.provider, _ASKS.c.outcome)).all()
        return {(provider, outcome): count for provider, outcome, count in rows}

    def findings(self, ticker: str) -> pd.DataFrame:
        """Everything the gate found in a ticker's prices, oldest first: columns as in the table.

        Raises:
            DataError: if the database cannot be read.
        """
        found = select(_FINDINGS).where(_FINDINGS.c.ticker == ticker).order_by(_FINDINGS.c.found_at)
        with self._writing() as connection:
            rows = connection.execute(found).mappings().all()
        return pd.DataFrame([dict(row) for row in rows], columns=_FINDINGS.c.keys()).drop(columns="key")

    def restatements(self, ticker: str) -> list[Restated]:
        """What was told otherwise than before of a ticker, oldest first.

        Raises:
            DataError: if the database cannot be read.
        """
        found = select(_RESTATED).where(_RESTATED.c.ticker == ticker).order_by(_RESTATED.c.id)
        with self._writing() as connection:
            rows = [dict(row) for row in connection.execute(found).mappings()]
        return [
            Restated(
                **({name: row[name] for name in row if name != "id"} | {"learnt_at": _utc(row["learnt_at"])})
            )
            for row in rows
        ]

    def spreads(self, ticker: str) -> list[Spread]:
        """How far vendors were apart in each compared session of a ticker, oldest first.

        Raises:
            DataError: if the database cannot be read.
        """
        found = select(_SPREADS).where(_SPREADS.c.ticker == ticker).order_by(_SPREADS.c.session)
        with self._writing() as connection:
            rows = connection.execute(found).mappings().all()
        return [Spread(**(dict(row) | {"compared_at": _utc(row["compared_at"])})) for row in rows]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction; the tables are made where there are none."""
        try:
            with self._engine.begin() as connection:
                _TABLES.create_all(connection)
                yield connection
        except (SQLAlchemyError, OSError) as error:
            reason = getattr(error, "orig", None) or error
            raise DataError(
                f"What vendors delivered cannot be noted in the ledger: {reason}.",
                "Prices are stored all the same. Make room, or let the ledger be written.",
            ) from error


def _engine(url: str) -> Engine:
    """An engine whose connections last as long as a transaction, as the ledger's."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name != "sqlite":
        return engine
    if engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000}")
        connection.execute("PRAGMA journal_mode = WAL")

    def began(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # what reads and then writes must not be overtaken

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine


def _add_new(connection: Connection, rows: dict[str, dict[str, Any]]) -> None:
    """Insert findings whose key is not there yet."""
    tickers = {row["ticker"] for row in rows.values()}
    known: set[str] = set()
    for ticker in tickers:
        query = select(_FINDINGS.c.key).where(_FINDINGS.c.ticker == ticker)
        known.update(connection.execute(query).scalars())
    new = [row for key, row in rows.items() if key not in known]
    if new:
        connection.execute(_FINDINGS.insert(), new)


def _values(finding: Finding, frame: pd.DataFrame | None) -> str | None:
    """Delivered or repaired values as JSON; of restated rows the lake itself keeps both."""
    if frame is None or finding.check.startswith("history."):
        return None
    table = json.loads(frame.reset_index().to_json(orient="split", date_format="iso", double_precision=15))
    return json.dumps({"columns": table["columns"], "rows": table["data"]})


def _plain(ask: Ask) -> dict[str, Any]:
    return asdict(ask) | {"asked_at": ask.asked_at.astimezone(UTC), "outcome": str(ask.outcome)}


def _ask(row: dict[str, Any]) -> Ask:
    del row["id"]
    return Ask(**(row | {"asked_at": _utc(row["asked_at"])}))


def _utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)  # SQLite knows no time zones


def _score(name: str, asks: Sequence[Ask], spreads: Iterable[Any]) -> Score:
    good = [ask for ask in asks if ask.outcome == DELIVERED]
    bad = [ask for ask in asks if ask.outcome != DELIVERED]
    seconds = [ask.seconds for ask in good]
    late = [ask.behind for ask in good if ask.behind is not None]
    mine = [disputed for providers, disputed in spreads if name in providers.split(",")]
    return Score(
        provider=name,
        asked=len(asks),
        delivered=len(good),
        failures=dict(Counter(ask.outcome for ask in bad)),
        median_seconds=median(seconds) if seconds else None,
        slow_seconds=quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) >= _FEW else None,
        behind=mean(late) if late else None,
        compared=len(mine),
        disagreements=sum(mine),
        last_failure=bad[-1] if bad else None,
    )
