"""The ledger: every outcome is a row, whoever writes at the same time; a foreign file is refused."""

import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine, text

from tickerbook.errors import ConfigError, TornFileError
from tickerbook.facts import Facts
from tickerbook.runs.ledger import Ledger
from tickerbook.store import Failure, Run, RunResult

STARTED_AT = datetime(2024, 1, 12, 22, 0, 0, 123456, tzinfo=UTC)
RESULT = RunResult(
    run=Run("levels", "AAPL", date(2024, 1, 12), {"ticker": "AAPL"}, "k1"),
    status="ok",
    facts=Facts(),
    seconds=1.25,
    started_at=STARTED_AT,
)
FAILURE = Failure("error", "NameError: x", "Mend it.", 4)
WRITER = """
import sys
from datetime import UTC, date, datetime
from tickerbook.facts import Facts
from tickerbook.runs.ledger import Ledger
from tickerbook.store import Run, RunResult
ledger = Ledger(sys.argv[1])
at = datetime(2024, 1, 12, tzinfo=UTC)
batch = ledger.begin(at)
for number in range(int(sys.argv[2])):
    run = Run(f"levels{number}", "AAPL", date(2024, 1, 12), {}, f"{batch}-{number}")
    ledger.record(batch, RunResult(run, "ok", Facts(), 1.0, at))
ledger.end(batch, at, "finished")
"""


@pytest.fixture
def file(tmp_path):
    """A ledger that is going to be a file."""
    return f"sqlite:///{tmp_path / 'data' / 'ledger.db'}"


def rows(url, query):
    """What the database really has."""
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(text(query))
        found = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return found


def test_a_new_ledger_is_empty(url):
    """Where nothing has run there is no row, and no error."""
    assert Ledger(url).last_batch() == []


def test_an_outcome_comes_back(url):
    """Every column survives, from another connection too."""
    ledger = Ledger(url)
    batch = ledger.begin(STARTED_AT)
    ledger.record(batch, replace(RESULT, reused=True))
    (row,) = Ledger(url).last_batch()
    assert (row.batch, row.ticker, row.notebook, row.session) == (batch, "AAPL", "levels", date(2024, 1, 12))
    assert (row.status, row.reused, row.seconds, row.failure, row.key) == ("ok", True, 1.25, None, "k1")
    assert row.started_at == STARTED_AT
    assert row.problem == ""


def test_a_failure_comes_back_whole(url):
    """Kind, message, remedy and cell; in one line for tables."""
    ledger = Ledger(url)
    ledger.record(ledger.begin(STARTED_AT), replace(RESULT, status="failed", failure=FAILURE))
    (row,) = ledger.last_batch()
    assert row.failure == FAILURE
    assert row.problem == "cell 4: NameError: x"


def test_the_universe_has_no_ticker(url):
    """None stays None."""
    ledger = Ledger(url)
    ledger.record(ledger.begin(STARTED_AT), replace(RESULT, run=replace(RESULT.run, ticker=None)))
    assert ledger.last_batch()[0].ticker is None


@pytest.mark.parametrize("ticker", ["NAN", "NULL", "0700", "1E5", "TRUE"])
def test_tickers_stay_texts(url, ticker):
    """A database makes nothing else of them."""
    ledger = Ledger(url)
    ledger.record(ledger.begin(STARTED_AT), replace(RESULT, run=replace(RESULT.run, ticker=ticker)))
    assert ledger.last_batch()[0].ticker == ticker


def test_instants_are_kept_in_utc(url):
    """An instant of another zone is the same instant."""
    ledger = Ledger(url)
    here = STARTED_AT.astimezone(timezone(timedelta(hours=-5)))
    ledger.record(ledger.begin(here), replace(RESULT, started_at=here))
    assert ledger.last_batch()[0].started_at == STARTED_AT
    assert ledger.last_batch()[0].to_json()["started_at"].endswith("+00:00")


def test_the_last_batch_is_the_newest(url):
    """Rows of earlier batches stay, and are not shown as the last."""
    ledger = Ledger(url)
    ledger.record(ledger.begin(STARTED_AT), RESULT)
    second = ledger.begin(STARTED_AT)
    ledger.record(second, replace(RESULT, run=replace(RESULT.run, key="k2")))
    ledger.record(second, replace(RESULT, run=replace(RESULT.run, ticker="IBM", key="k3")))
    assert [row.key for row in ledger.last_batch()] == ["k2", "k3"]
    assert rows(url, "select count(*) from runs") == [(3,)]


def test_a_batch_says_how_it_ended(url):
    """One that was killed stays open."""
    ledger = Ledger(url)
    ledger.end(ledger.begin(STARTED_AT), STARTED_AT, "finished")
    ledger.end(ledger.begin(STARTED_AT), STARTED_AT, "interrupted")
    ledger.begin(STARTED_AT)
    states = rows(url, "select state, ended_at is null from batches order by id")
    assert states == [("finished", False), ("interrupted", False), ("running", True)]


def test_a_row_is_strict_json(url):
    """Programs read it from `status --json`."""
    ledger = Ledger(url)
    ledger.record(ledger.begin(STARTED_AT), replace(RESULT, status="failed", failure=FAILURE))
    told = json.loads(json.dumps(ledger.last_batch()[0].to_json(), allow_nan=False))
    assert (told["session"], told["failure"]["kind"], told["ticker"]) == ("2024-01-12", "error", "AAPL")


def test_processes_that_write_at_once_lose_nothing(file):
    """Three processes make the file together and write 50 rows each: none is locked out, no row is lost."""
    command = [sys.executable, "-W", "error", "-c", WRITER, file, "50"]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(w.communicate()[1], w.returncode) for w in writers] == [("", 0)] * 3
    assert rows(file, "select count(*), count(distinct key), count(distinct batch) from runs") == [
        (150, 150, 3)
    ]
    assert rows(file, "select count(*) from changes where state = 'ok'") == [(150,)]


def test_writers_at_once_lose_nothing(url):
    """Eight ledgers are opened on one database at once, with 40 changes each: all are there, in order."""

    def write(number):
        ledger = Ledger(url)
        batch = ledger.begin(STARTED_AT, [(f"n{n}", "AAPL") for n in range(10)])
        for run in ledger.runs_of(batch).values():
            for state in ("leased", "running", "ok"):
                ledger.change(run, state, STARTED_AT, f"by {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert rows(url, "select count(*), count(distinct run) from changes") == [(320, 80)]
    assert rows(url, "select count(*) from runs where state = 'ok'") == [(80,)]


def test_a_writer_waits_for_another(file, monkeypatch):
    """While somebody holds the file, one waits; the patience has an end that is told."""
    monkeypatch.setattr("tickerbook.runs.ledger.database.PATIENCE", 0)
    ledger = Ledger(file)
    holder = sqlite3.connect(file.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(ConfigError, match="locked"):
        ledger.begin(STARTED_AT)
    holder.execute("COMMIT")
    holder.close()
    assert ledger.begin(STARTED_AT) == 1


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be read as one" * 30, b"\x00" * 4096]
)
def test_a_file_that_is_no_database_is_refused(file, tmp_path, content):
    """It is left as it is, and the error says what to do with it."""
    path = tmp_path / "data" / "ledger.db"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(TornFileError, match="ledger") as raised:
        Ledger(file).last_batch()
    assert "Move it away" in raised.value.remedy
    assert path.read_bytes() == content


def test_a_torn_ledger_is_said(file, tmp_path):
    """A file cut in half is an error of ours, with the way out."""
    ledger = Ledger(file)
    batch = ledger.begin(STARTED_AT)
    for number in range(50):
        ledger.record(batch, replace(RESULT, run=replace(RESULT.run, notebook=f"n{number}")))
    ledger.database.engine.dispose()
    path = tmp_path / "data" / "ledger.db"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(TornFileError, match="damaged"):
        Ledger(file).last_batch()


def test_a_database_of_another_program_is_refused(file, tmp_path):
    """Nothing is added to somebody else's file."""
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "ledger.db") as other:
        other.execute("create table songs (name text)")
    other.close()
    with pytest.raises(TornFileError, match="another program"):
        Ledger(file)
    assert rows(file, "select name from sqlite_master") == [("songs",)]


def test_the_scorecard_of_vendors_may_be_there_first(file, tmp_path):
    """Prices are fetched before anything runs, and noted in the same database."""
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "ledger.db") as other:
        other.execute("create table market_asks (id integer)")
    other.close()
    assert Ledger(file).last_batch() == []


@pytest.mark.parametrize(
    "bad", ["nonsense", "nosuch://x/y", "sqlite:////proc/nowhere/ledger.db", "sqlite:////"], ids=str
)
def test_a_url_that_leads_nowhere_is_wrong_configuration(bad):
    """The error names the URL and how to write one."""
    with pytest.raises(ConfigError, match="ledger") as raised:
        Ledger(bad)
    assert "TICKERBOOK_LEDGER" in raised.value.remedy


def test_a_password_is_not_shown(tmp_path):
    """Errors go to screens and logs."""
    with pytest.raises(ConfigError) as raised:
        Ledger(f"sqlite://user:hunter2@host/{tmp_path}")
    assert "hunter2" not in str(raised.value)
