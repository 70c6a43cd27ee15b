"""Bringing a ledger to the version of this program: as a whole or not at all, and with a backup first."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from tickerbook.errors import ConfigError, TornFileError
from tickerbook.files import whole_file
from tickerbook.runs.ledger.database import REMEDY, Database
from tickerbook.runs.ledger.tables import MARKET, TABLES, VERSION, VERSION_TABLE

_FIRST = ("0001", {"batches", "outcomes"})  # the version that did not say its name, and its tables
_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_410_243  # of a server: any number that nobody else takes


def prepare(database: Database) -> None:
    """Make the tables where there are none, and bring old ones up to date.

    Raises:
        ConfigError: if the ledger was written by a newer tickerbook.
        TornFileError: if it is a database of another program.
    """
    if database.write(lambda connection: _version(connection, database.name), patient=False) != VERSION:
        database.write(lambda connection: _bring_up(connection, database))


def _version(connection: Connection, name: str) -> str | None:
    """The version of the tables that are there; None where there are none."""
    there = _own(connection)
    if VERSION_TABLE in there:
        version = str(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar())  # noqa: S608 - a constant
        return _known(version, name)
    if there >= _FIRST[1]:
        return _FIRST[0]
    if there and connection.dialect.name == "sqlite":
        raise TornFileError(f"{name} is a database of another program.", REMEDY)
    return None


def _own(connection: Connection) -> set[str]:
    return {name for name in inspect(connection).get_table_names() if not name.startswith(MARKET)}


def _known(version: str, name: str) -> str:
    if not version.isdecimal():
        raise TornFileError(f"{name} is a database of another program.", REMEDY)
    if int(version) > int(VERSION):
        raise ConfigError(
            f"The ledger {name} is of version {version}; this tickerbook knows up to {VERSION}.",
            "Use the newer tickerbook that wrote it, or another ledger: TICKERBOOK_LEDGER names it.",
        )
    return version


def _bring_up(connection: Connection, database: Database) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    version = _version(connection, database.name)  # another process may have been faster
    if version is None:
        TABLES.create_all(connection)
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:version)"), {"version": VERSION})  # noqa: S608 - a constant
    elif version != VERSION:
        _back_up(connection, database)
        upgrade(connection, version)


def upgrade(connection: Connection, version: str, to: str = "head") -> None:
    """Let Alembic change the tables of a version, in the transaction that is open."""
    from alembic import command  # noqa: PLC0415 - costs 0.3 s, and is seldom needed
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if version == _FIRST[0]:
        command.stamp(config, version)
    command.upgrade(config, to)


def _back_up(connection: Connection, database: Database) -> None:
    """Keep the old tables: beside the file, or on a server in a schema of their own."""
    name = f"before_{VERSION}"
    if not database.is_file:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {name}"))
        for table in _own(connection):
            connection.execute(text(f"CREATE TABLE {name}.{table} AS TABLE {table}"))
        return
    path = Path(str(database.engine.url.database))
    backup = path.with_name(f"{path.name}.{name}")
    for left in path.parent.glob(f".{backup.name}.*.part"):  # of one that was killed: only we are here now
        left.unlink()
    with whole_file(backup) as part, database.engine.connect() as other:
        # Another connection sees what was committed: the ledger as it was, while we hold the others off.
        driver: Any = other.connection.driver_connection
        driver.execute("VACUUM INTO ?", (str(part),))
