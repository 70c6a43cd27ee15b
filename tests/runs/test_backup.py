"""Backup, restore and verify: everything comes back as it was; what is damaged is told."""

import tarfile
import threading
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest
from books import book

from tickerbook.errors import ConfigError, TornFileError
from tickerbook.market.lake import Lake
from tickerbook.market.scorecard import Ask, Scorecard
from tickerbook.runs.backup import back_up, restore
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.verify import problems
from tickerbook.settings import load_settings
from tickerbook.store import Failure

NOW = datetime(2024, 1, 17, 12, 0, tzinfo=UTC)
ASK = Ask(datetime(2024, 1, 16, tzinfo=UTC), "AAPL", "sample", "delivered", 0.5, rows=5)


@pytest.fixture
def run_desk(desk, kernels):
    """A project with runs of two tickers, of which one failed, and a scorecard."""
    book(desk.project, "levels")
    kernels.answers["levels"] = lambda p: (
        {"value": 1} if p["ticker"] == "AAPL" else Failure("error", "x", "", 2)
    )
    desk.run()
    Scorecard(desk.settings.ledger).record([ASK])
    return desk


@pytest.fixture
def empty(run_desk, tmp_path):
    """The same project on another machine: params and notebooks, no data."""
    for folder in ("params", "notebooks"):
        (tmp_path / "other" / folder).mkdir(parents=True)
        for path in (run_desk.project / folder).iterdir():
            (tmp_path / "other" / folder / path.name).write_bytes(path.read_bytes())
    return type(run_desk)(tmp_path / "other")


def files(settings):
    """Name → content of runs and prices."""
    roots = (settings.runs, settings.lake)
    return {
        path.relative_to(settings.project): path.read_bytes()
        for root in roots
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def found(settings):
    """What `verify` says."""
    return list(problems(settings, Ledger(settings.ledger)))


def test_what_was_backed_up_comes_back(run_desk, empty, tmp_path):
    """Files to the byte, rows of the ledger and of the scorecard; nothing runs again."""
    ledger = Ledger(run_desk.settings.ledger)
    made = back_up(run_desk.settings, ledger, tmp_path / "b.tar.gz", NOW)
    assert restore(empty.settings, tmp_path / "b.tar.gz", NOW) == made
    back = Ledger(empty.settings.ledger)
    assert files(empty.settings) == files(run_desk.settings)
    assert back.page() == ledger.page()
    assert back.changes([1, 2]) == ledger.changes([1, 2])
    assert [score.asked for score in Scorecard(empty.settings.ledger).scores(ASK.asked_at)] == [1]
    assert found(empty.settings) == []
    assert empty.run("AAPL")["levels", "AAPL"].reused


def test_a_ledger_moves_between_databases(run_desk, empty, tmp_path, server, monkeypatch):
    """From a file to a server and back; new rows have new numbers there."""
    ledger = Ledger(run_desk.settings.ledger)
    back_up(run_desk.settings, ledger, tmp_path / "b.tar.gz", NOW)
    monkeypatch.setenv("TICKERBOOK_LEDGER", server.new_database())
    restore(empty.settings, tmp_path / "b.tar.gz", NOW)
    served = Ledger(empty.settings.ledger)
    assert served.page() == ledger.page()
    served.end(served.begin(NOW, [("levels", "IBM")]), NOW, "finished")
    assert served.page()[0].id == 3
    Scorecard(empty.settings.ledger).record([replace(ASK, rows=6)])
    back_up(empty.settings, served, tmp_path / "c.tar.gz", NOW)
    monkeypatch.delenv("TICKERBOOK_LEDGER")
    again = load_settings(empty.project)
    for name in ("runs", "lake"):
        (again.project / "data" / name).rename(tmp_path / name)
    restore(again, tmp_path / "c.tar.gz", NOW)
    assert Ledger(again.ledger).page() == served.page()
    assert [score.asked for score in Scorecard(again.ledger).scores(ASK.asked_at)] == [2]


def test_a_backup_while_two_write_is_consistent(run_desk, empty, tmp_path):
    """Whatever the ledger names is there, whole, and the ledger is of one moment."""
    stop = threading.Event()

    def write(ticker):
        number = 0
        while not stop.is_set():
            number += 1
            type(run_desk)(run_desk.project).run(ticker, overrides={"levels": {"n": number}}, workers=1)

    writers = [threading.Thread(target=write, args=(ticker,)) for ticker in ("AAPL", "MSFT")]
    for writer in writers:
        writer.start()
    ledger = Ledger(run_desk.settings.ledger)
    try:
        made = back_up(run_desk.settings, ledger, tmp_path / "b.tar.gz", NOW)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    restore(empty.settings, tmp_path / "b.tar.gz", NOW)
    back = Ledger(empty.settings.ledger)
    assert found(empty.settings) == []
    assert len(back.page(1000)) == made.runs
    before = [c for c in ledger.changes(range(1, 1000)) if c.why != "the backup was made while it ran"]
    told = [c for c in back.changes(range(1, 1000)) if c.why != "the backup was made while it ran"]
    assert [c for c in before if c in told] == told
    with back.database.reading() as connection:
        assert "running" not in connection.exec_driver_sql("select state from batches").scalars().all()


def test_data_is_never_overwritten(run_desk, tmp_path):
    """A project that has data keeps it."""
    back_up(run_desk.settings, Ledger(run_desk.settings.ledger), tmp_path / "b.tar.gz", NOW)
    with pytest.raises(ConfigError, match="data in this project already"):
        restore(run_desk.settings, tmp_path / "b.tar.gz", NOW)


def rewritten(file, change):
    """The archive again, with what `change` makes of each member's name and content."""
    with tarfile.open(file) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar if member.isfile()]
    with tarfile.open(file, "w:gz") as tar:
        for name, content in (change(*member) for member in members):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, BytesIO(content))


@pytest.mark.parametrize("damage", ["cut", "changed", "nothing", "foreign", "outside"])
def test_a_damaged_backup_is_refused_whole(run_desk, empty, tmp_path, damage):
    """Nothing is in place before all is found to be as it was."""
    file = tmp_path / "b.tar.gz"
    back_up(run_desk.settings, Ledger(run_desk.settings.ledger), file, NOW)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif damage == "nothing":
        file.unlink()
    elif damage == "foreign":
        file.write_bytes(b"no tar at all" * 100)
    elif damage == "outside":
        rewritten(file, lambda name, content: (f"../{name}", content))
    else:
        rewritten(file, lambda name, content: (name, b"{}" if name.endswith("facts.json") else content))
    with pytest.raises(ConfigError if damage == "nothing" else TornFileError):
        restore(empty.settings, file, NOW)
    assert not empty.settings.runs.exists()
    assert not (tmp_path / "runs").exists()
    assert Ledger(empty.settings.ledger).page() == []


# --- verify ---


def test_a_whole_project_is_whole(run_desk):
    """Nothing is said of good and failed runs."""
    assert found(run_desk.settings) == []


def test_a_changed_file_is_told(run_desk):
    """One digit in a stored fact, which is still JSON."""
    key = run_desk.store.latest_ok("levels", "AAPL").run.key
    path = run_desk.store.folder(key) / "facts.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"value": 1', '"value": 2'), encoding="utf-8")
    assert found(run_desk.settings) == [f"The stored run {key} was changed after it was stored."]


def test_a_torn_file_is_told(run_desk):
    """Half a notebook's record."""
    key = run_desk.store.latest_ok("levels", "AAPL").run.key
    path = run_desk.store.folder(key) / "run.json"
    path.write_text(path.read_text(encoding="utf-8")[:20], encoding="utf-8")
    (told,) = found(run_desk.settings)
    assert "cannot be read" in told


def test_a_missing_run_is_told(run_desk):
    """By what points to it, and by the ledger."""
    key = run_desk.store.latest_ok("levels", "AAPL").run.key
    run_desk.store.folder(key).rename(run_desk.project / "elsewhere")
    told = found(run_desk.settings)
    assert len(told) == 2
    assert all(key in line and "not stored" in line for line in told)


def test_a_damaged_price_file_is_told(run_desk):
    """Its seal is looked at."""
    path = Lake(run_desk.settings.lake).path("MSFT")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (told,) = found(run_desk.settings)
    assert "MSFT" in told
