"""Copying a ledger into another database: all its tables, also those that others keep in it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Integer, MetaData, Table, func, insert, select, true

from tickerbook.runs.ledger.book import end_batches
from tickerbook.runs.ledger.rows import utc
from tickerbook.runs.ledger.tables import LEASES, RUNNERS, VERSION_TABLE

_PASSING = {VERSION_TABLE, RUNNERS.name, LEASES.name}  # of a moment, or made with the tables
_ROWS = 1000


def transfer(source: Connection, target: Connection, at: datetime) -> None:
    """Fill an empty ledger with what another has. What was going on there is told as interrupted.

    Args:
        source: in a transaction that sees one moment.
        target: of a ledger whose tables are there.
        at: the present instant.
    """
    tables = MetaData()
    tables.reflect(source, only=lambda name, _: name not in _PASSING, resolve_fks=False)
    for table in tables.sorted_tables:
        _generalise(table)
        table.create(target, checkfirst=True)
        for rows in source.execute(select(table)).mappings().partitions(_ROWS):
            target.execute(insert(table), [_plain(row) for row in rows])
        _continue_numbers(table, target)
    end_batches(target, true(), at, "interrupted", "lost", "the backup was made while it ran")


def _generalise(table: Table) -> None:
    """Let each column have a type that every database knows; instants are in UTC and say so."""
    for column in table.columns:
        general = column.type.as_generic()
        column.type = DateTime(timezone=True) if isinstance(general, DateTime) else general
        column.server_default = None  # numbers are the target's to give


def _plain(row: Any) -> dict[str, Any]:
    return {name: utc(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _continue_numbers(table: Table, target: Connection) -> None:
    """Let a server give numbers from behind those that came along."""
    if target.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        if isinstance(column.type, Integer) and len(table.primary_key.columns) == 1:
            last = target.execute(select(func.max(column))).scalar()
            named = func.pg_get_serial_sequence(table.name, column.name)
            if last and target.execute(select(named)).scalar():
                target.execute(select(func.setval(named, last)))
