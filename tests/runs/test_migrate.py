"""Older ledgers become ledgers of this version: whole or not at all, with a backup; newer ones are refused."""

import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from tickerbook.errors import ConfigError, TornFileError
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger.migrate import upgrade
from tickerbook.runs.ledger.tables import TABLES, VERSION

FIRST = """
CREATE TABLE batches (id INTEGER PRIMARY KEY, started_at TIMESTAMP NOT NULL, ended_at TIMESTAMP, state VARCHAR NOT NULL);
CREATE TABLE outcomes (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches (id), ticker VARCHAR,
    notebook VARCHAR NOT NULL, session DATE NOT NULL, status VARCHAR NOT NULL, reused BOOLEAN NOT NULL,
    seconds FLOAT NOT NULL, failure VARCHAR, key VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL);
CREATE INDEX ix_outcomes_batch ON outcomes (batch);
CREATE INDEX ix_outcomes_key ON outcomes (key);
CREATE TABLE market_asks (id INTEGER PRIMARY KEY, ticker VARCHAR);
INSERT INTO market_asks VALUES (1, 'AAPL');
INSERT INTO batches VALUES (1, '2024-01-12 22:00:00', '2024-01-12 23:00:00', 'finished');
INSERT INTO batches VALUES (2, '2024-01-13 22:00:00', NULL, 'running');
INSERT INTO outcomes VALUES (1, 1, 'AAPL', 'levels', '2024-01-12', 'ok', true, 1.5, NULL, 'k1', '2024-01-12 22:00:01');
INSERT INTO outcomes VALUES (2, 2, 'AAPL', 'levels', '2024-01-12', 'failed', false, 2.5,
    '{"kind": "error", "message": "x", "remedy": "", "cell": 4}', 'k2', '2024-01-13 22:00:01');
INSERT INTO outcomes VALUES (3, 2, NULL, 'market', '2024-01-12', 'skipped', false, 0, NULL, 'k3', '2024-01-13 22:00:02')
"""
# Opens a ledger, and is killed at the n-th statement of its migration.
KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tickerbook.runs.ledger import Ledger
count = 0

@event.listens_for(Engine, "before_cursor_execute")
def before(*_):
    global count
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

Ledger(sys.argv[1])
"""


def make_old(url):
    """Make a ledger as the first version left it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in FIRST.split(";\n"):
            if url.startswith("postgresql"):  # what SQLAlchemy made of the same tables there
                statement = statement.replace("id INTEGER PRIMARY", "id SERIAL PRIMARY")  # noqa: PLW2901
                statement = statement.replace("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")  # noqa: PLW2901
            connection.execute(text(statement))
        for table in ("batches", "outcomes") if url.startswith("postgresql") else ():
            connection.execute(text(f"select setval('{table}_id_seq', max(id)) from {table}"))  # noqa: S608
    engine.dispose()


@pytest.fixture
def old(url, tmp_path):
    """URL of a ledger as the first version left it."""
    (tmp_path / "data").mkdir()
    make_old(url)
    return url


@pytest.fixture
def old_file(tmp_path):
    """The same as a file."""
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.executescript(FIRST + ";")
    connection.close()
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def told(url):
    """What a ledger says of its runs."""
    return [(r.id, r.batch, r.ticker, r.notebook, r.state, r.key, r.seconds) for r in Ledger(url).page()]


MOVED = [
    (3, 2, None, "market", "skipped", "k3", 0.0),
    (2, 2, "AAPL", "levels", "failed", "k2", 2.5),
    (1, 1, "AAPL", "levels", "unchanged", "k1", 1.5),
]


def test_outcomes_become_runs(old):
    """Nothing is lost; each has one change; a batch that was running then is over; other tables stay."""
    assert told(old) == MOVED
    ledger = Ledger(old)
    assert ledger.page()[1].failure.cell == 4
    assert ledger.page()[1].session == date(2024, 1, 12)
    assert [(c.run, c.state) for c in ledger.changes([1, 2, 3])] == [
        (1, "unchanged"),
        (2, "failed"),
        (3, "skipped"),
    ]
    with ledger.database.reading() as connection:
        assert connection.execute(text("select state from batches order by id")).scalars().all() == [
            "finished",
            "interrupted",
        ]
        assert connection.execute(text("select count(*) from market_asks")).scalar() == 1


def test_work_goes_on_in_a_migrated_ledger(old):
    """New runs have new numbers."""
    ledger = Ledger(old)
    ledger.begin(datetime(2024, 1, 14, tzinfo=UTC), [("levels", "AAPL")])
    assert ledger.page()[0].id == 4


def test_migrations_make_the_tables_of_this_version(url, tmp_path):
    """Whoever adds one raises VERSION; the tables are those that the program declares."""
    (tmp_path / "data").mkdir()
    engine = create_engine(url)
    with engine.begin() as connection:
        upgrade(connection, "0000")
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []
        assert connection.execute(text("select version_num from alembic_version")).scalar() == VERSION
    engine.dispose()


def test_a_backup_is_made_first(old_file, tmp_path):
    """The file as it was, beside it, readable by the program that wrote it."""
    Ledger(old_file)
    backup = tmp_path / f"ledger.db.before_{VERSION}"
    with sqlite3.connect(backup) as connection:
        assert connection.execute("select count(*) from outcomes").fetchone() == (3,)
    connection.close()
    backup.rename(tmp_path / "again.db")
    assert told(f"sqlite:///{tmp_path / 'again.db'}") == MOVED


def test_a_servers_backup_is_a_schema(server):
    """The old tables stay in it, with their rows."""
    url = server.new_database()
    make_old(url)
    engine = create_engine(url)
    Ledger(url)
    with engine.begin() as connection:
        assert sorted(inspect(connection).get_table_names(f"before_{VERSION}")) == ["batches", "outcomes"]
        assert connection.execute(text(f"select count(*) from before_{VERSION}.outcomes")).scalar() == 3  # noqa: S608 - our own name
    engine.dispose()


@pytest.mark.parametrize("statement", [6, 11, 16, 20])
def test_a_killed_migration_rolls_back(old_file, statement, tmp_path):
    """Wherever kill -9 comes, the old ledger stands, and the next start migrates it."""
    done = subprocess.run([sys.executable, "-c", KILLED, old_file, str(statement)], check=False)
    assert done.returncode == -9
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        assert connection.execute("select count(*) from outcomes").fetchone() == (3,)
    connection.close()
    assert told(old_file) == MOVED


def test_a_full_disk_leaves_the_old_ledger(old_file, tmp_path, monkeypatch):
    """There is no migration without its backup; when there is room, it works without a step by hand."""

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tickerbook.runs.ledger.migrate.whole_file", full)
    with pytest.raises(ConfigError, match="No space left"):
        Ledger(old_file)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.glob("*before*")] == []
    assert told(old_file) == MOVED


def test_a_newer_ledger_is_refused(url):
    """An older program changes nothing in it, and says what to do."""
    ledger = Ledger(url)
    ledger.database.write(
        lambda connection: connection.execute(text("update alembic_version set version_num = '9999'"))
    )
    with pytest.raises(ConfigError, match="version 9999") as raised:
        Ledger(url)
    assert "newer tickerbook" in raised.value.remedy


def test_another_programs_versions_are_no_ledger(tmp_path):
    """Many programs use Alembic."""
    path = Path(tmp_path / "other.db")
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "create table alembic_version (version_num text); insert into alembic_version values ('ae10');"
        )
    connection.close()
    with pytest.raises(TornFileError, match="another program"):
        Ledger(f"sqlite:///{path}")
