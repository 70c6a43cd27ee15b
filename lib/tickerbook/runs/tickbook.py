"""The schedule's tables in the ledger's database: a row for each tick, and who leads.

A tick is claimed by inserting its row, whose key is unique: whoever comes second, comes for nothing. One
scheduler leads at a time. Its count of beats goes on while it lives; who waits measures with a steady clock
of its own how long the count has stood still, so that clocks on walls may be as wrong as they like.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from tickerbook.errors import TakenOverError, TickerbookError
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger.rows import utc
from tickerbook.runs.schedule import Settled, Tick, TickState

OPEN: tuple[TickState, ...] = ("waiting", "running", "interrupted")  # what a scheduler goes on with

_TABLES = MetaData()
_TICKS = Table(
    "schedule_ticks",
    _TABLES,
    Column("cadence", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("session", Date),
    Column("state", String, nullable=False),
    Column("catch_up", Boolean, nullable=False),
    Column("holder", String, nullable=False),
    Column("starts", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("note", String, nullable=False),
    Index("schedule_ticks_by_time", "starts_at"),
)
_SEEN = Table(
    "schedule_cadences",
    _TABLES,
    Column("name", String, primary_key=True),
    Column("seen_at", DateTime(timezone=True), nullable=False),
)
_LEADS = Table(
    "schedule_leader",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("holder", String, nullable=False),
    Column("beat", Integer, nullable=False),
)
_ONE = 1
_LOCK = 7_410_244  # of a server: any number that nobody else takes
_T = TypeVar("_T")


@dataclass(frozen=True)
class Leader:
    """Who leads, and how many signs of life it has given."""

    holder: str
    beat: int


@dataclass(frozen=True)
class TickRow:
    """A tick and what became of it.

    Attributes:
        holder: the scheduler that took it.
        starts: how often its work was begun.
        note: why, in words; may be empty.
    """

    tick: Tick
    state: TickState
    catch_up: bool
    holder: str
    starts: int
    started_at: datetime | None
    ended_at: datetime | None
    note: str

    @property
    def late(self) -> float | None:
        """Seconds from when it should have started until it did; None where it did not."""
        return (self.started_at - self.tick.starts_at).total_seconds() if self.started_at else None


class TickBook:
    """The rows, as one scheduler or somebody who looks sees them.

    Args:
        url: the ledger's.
        holder: a name for this scheduler, which no other ever has; empty for who only looks.

    Raises:
        ConfigError: as `Ledger`.
        TornFileError: as `Ledger`.
    """

    def __init__(self, url: str, holder: str = "") -> None:
        self.holder = holder
        self._database = Ledger(url).database
        self._database.write(_make_tables)

    # --- who leads ---

    def leader(self) -> Leader | None:
        """Who leads; None where nobody does."""
        with self._database.reading() as connection:
            row = connection.execute(select(_LEADS.c.holder, _LEADS.c.beat)).first()
        return Leader(*row) if row else None

    def lead(self, instead_of: Leader | None) -> bool:
        """Begin to lead, if nobody does but the one who is given up; whether that worked."""

        def work(connection: Connection) -> bool:
            row = connection.execute(select(_LEADS.c.holder, _LEADS.c.beat).with_for_update()).first()
            there = Leader(*row) if row else None
            if there is not None and there.holder == self.holder:  # done before the connection was lost
                return True
            if there != instead_of:
                return False
            if there is None:  # where another begins at this moment, one of both inserts fails
                connection.execute(insert(_LEADS).values(id=_ONE, holder=self.holder, beat=0))
            else:
                connection.execute(update(_LEADS).values(holder=self.holder, beat=0))
            return True

        try:
            return self._database.write(work)
        except TickerbookError as error:
            if isinstance(error.__cause__, IntegrityError):  # a server: another began at the same moment
                return False
            raise

    def beat(self) -> None:
        """Give a sign of life.

        Raises:
            TakenOverError: if another leads.
        """
        self._write(lambda connection: connection.execute(update(_LEADS).values(beat=_LEADS.c.beat + 1)))

    def leave(self) -> None:
        """Lead no longer."""
        mine = delete(_LEADS).where(_LEADS.c.holder == self.holder)
        self._database.write(lambda connection: connection.execute(mine))

    # --- ticks ---

    def seen(self, cadences: Iterable[str], now_at: datetime) -> dict[str, datetime]:
        """Up to when each cadence's ticks were looked after; a new cadence's are from now on."""
        names = list(cadences)

        def work(connection: Connection) -> dict[str, datetime]:
            rows = connection.execute(select(_SEEN.c.name, _SEEN.c.seen_at)).all()
            there = {name: utc(seen_at) for name, seen_at in rows}
            new = [{"name": name, "seen_at": utc(now_at)} for name in names if name not in there]
            if new:
                connection.execute(insert(_SEEN), new)
            return {name: there.get(name, utc(now_at)) for name in names}

        return self._write(work)

    def known(self, after: datetime) -> set[tuple[str, str]]:
        """Cadence and key of the ticks that start after an instant and have a row."""
        rows = select(_TICKS.c.cadence, _TICKS.c.key).where(_TICKS.c.starts_at > utc(after))
        with self._database.reading() as connection:
            return {(cadence, key) for cadence, key in connection.execute(rows)}

    def settle(self, settled: Sequence[Settled], seen: Mapping[str, datetime]) -> list[Tick]:
        """Write down what became of ticks, and up to when each cadence's were looked after.

        Returns:
            The ticks that are this scheduler's to do.
        """

        def work(connection: Connection) -> list[Tick]:
            for name, seen_at in seen.items():
                row = {"seen_at": utc(seen_at)}
                connection.execute(update(_SEEN).where(_SEEN.c.name == name).values(row))
            return [one.tick for one in settled if self._put(connection, one) and one.state == "waiting"]

        return self._write(work)

    def rewind(self, cadence: str, now_at: datetime) -> None:
        """The clock went back: what it had called missed may still come. What was run stays run."""
        future = (
            (_TICKS.c.cadence == cadence) & (_TICKS.c.state == "missed") & (_TICKS.c.due_at > utc(now_at))
        )

        def work(connection: Connection) -> None:
            connection.execute(delete(_TICKS).where(future))
            connection.execute(update(_SEEN).where(_SEEN.c.name == cadence).values(seen_at=utc(now_at)))

        self._write(work)

    def start(self, tick: Tick, at: datetime) -> None:
        """A tick's work begins."""
        self._change(tick, {"state": "running", "started_at": utc(at), "starts": _TICKS.c.starts + 1})

    def end(self, tick: Tick, state: TickState, at: datetime, note: str = "") -> None:
        """A tick's work has ended."""
        self._change(tick, {"state": state, "ended_at": utc(at), "note": note})

    # --- looking ---

    def rows(
        self, cadence: str | None = None, states: Sequence[TickState] = (), newest: int | None = None
    ) -> list[TickRow]:
        """Rows, newest first."""
        query = select(_TICKS).order_by(_TICKS.c.due_at.desc(), _TICKS.c.cadence).limit(newest)
        if cadence is not None:
            query = query.where(_TICKS.c.cadence == cadence)
        if states:
            query = query.where(_TICKS.c.state.in_(states))
        with self._database.reading() as connection:
            return [_row(row) for row in connection.execute(query).mappings()]

    def counts(self) -> dict[tuple[str, TickState], int]:
        """How many ticks each cadence has in each state."""
        query = select(_TICKS.c.cadence, _TICKS.c.state, func.count()).group_by(
            _TICKS.c.cadence, _TICKS.c.state
        )
        with self._database.reading() as connection:
            return {(cadence, state): count for cadence, state, count in connection.execute(query)}

    def last_success(self) -> dict[str, datetime]:
        """When each cadence's work last ended well."""
        query = select(_TICKS.c.cadence, func.max(_TICKS.c.ended_at)).where(_TICKS.c.state == "ok")
        with self._database.reading() as connection:
            rows = connection.execute(query.group_by(_TICKS.c.cadence)).all()
        return {cadence: utc(ended_at) for cadence, ended_at in rows}

    # --- how ---

    def _write(self, work: Callable[[Connection], _T]) -> _T:
        """One transaction, if this scheduler leads."""

        def fenced(connection: Connection) -> _T:
            if connection.execute(select(_LEADS.c.holder).with_for_update()).scalar() != self.holder:
                raise TakenOverError("Another scheduler leads now.", "It goes on with what is due.")
            return work(connection)

        return self._database.write(fenced)

    def _put(self, connection: Connection, one: Settled) -> bool:
        """Claim a tick, or one that its scheduler left unfinished; False where it came to its end before."""
        tick = one.tick
        told = {"state": one.state, "note": one.note, "holder": self.holder, "catch_up": one.catch_up}
        found = connection.execute(select(_TICKS.c.state).where(_is(tick))).scalar()
        if found is None:
            connection.execute(insert(_TICKS).values(**_named(tick), **told, starts=0))
        elif found in OPEN:
            connection.execute(update(_TICKS).where(_is(tick)).values(told))
        return found is None or found in OPEN

    def _change(self, tick: Tick, values: dict[str, Any]) -> None:
        mine = _is(tick) & (_TICKS.c.holder == self.holder)
        self._write(lambda connection: connection.execute(update(_TICKS).where(mine).values(values)))


def _make_tables(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _TABLES.create_all(connection)


def _is(tick: Tick) -> ColumnElement[bool]:
    return (_TICKS.c.cadence == tick.cadence) & (_TICKS.c.key == tick.key)


def _named(tick: Tick) -> dict[str, Any]:
    return {name: getattr(tick, name) for name in ("cadence", "key", "due_at", "starts_at", "session")}


def _row(row: RowMapping) -> TickRow:
    instants = {n: utc(row[n]) if row[n] else None for n in ("due_at", "starts_at", "started_at", "ended_at")}
    due_at, starts_at = instants["due_at"], instants["starts_at"]
    assert due_at is not None  # noqa: S101 - the table has no tick without
    assert starts_at is not None  # noqa: S101 - as above
    return TickRow(
        Tick(row["cadence"], row["key"], due_at, starts_at, row["session"]),
        row["state"],
        row["catch_up"],
        row["holder"],
        row["starts"],
        instants["started_at"],
        instants["ended_at"],
        row["note"],
    )
