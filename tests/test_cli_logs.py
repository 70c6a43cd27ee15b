"""The log: lines that programs read, without a secret, in files that do not grow for ever."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tickerbook import cli_logs
from tickerbook.cli_logs import open_log
from tickerbook.settings import load_settings

AT = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)


@pytest.fixture
def log(project):
    """A maker of logs of a project."""

    def make(at=AT, verb="run"):
        return open_log(load_settings(project), lambda: at, verb)

    return make


def lines(project):
    files = sorted((project / "data" / "logs").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_line_says_when_what_and_whose(project, log, monkeypatch):
    """Instant, level, event, facts, the verb, the invocation and the tick it worked for."""
    monkeypatch.setenv("TICKERBOOK_TICK", "close@2026-11-20")
    one = log()
    one.info("run finished", ticker="NAN", seconds=1.5)
    one.warning("odd", ticker="AAPL")
    first, second = lines(project)
    assert (first["at"], first["level"], first["event"]) == (
        "2026-11-20T21:30:00.000+00:00",
        "info",
        "run finished",
    )
    assert (first["ticker"], first["seconds"], first["verb"], first["tick"]) == (
        "NAN",
        1.5,
        "run",
        "close@2026-11-20",
    )
    assert (second["level"], second["invocation"]) == ("warning", first["invocation"])


def test_no_secret_is_written(project, log, monkeypatch):
    """From the environment, .env and the ledger's address; also as an address writes it."""
    monkeypatch.setenv("POLYGON_API_KEY", "canary-1+x")
    monkeypatch.setenv("TICKERBOOK_LEDGER", "postgresql://user:canary-3@host/db")
    (project / ".env").write_text("FINNHUB_API_KEY=canary-2\n", encoding="utf-8")
    log().warning("failed", url="https://x/?k=canary-1%2Bx", text="canary-2", where="user:canary-3@host")
    text = (project / "data" / "logs" / "2026-11-20.jsonl").read_text(encoding="utf-8")
    assert "canary" not in text
    assert text.count("[key]") == 3


def test_files_are_of_days_and_old_ones_go(project, log, monkeypatch):
    """As many as are kept, the newest; only their owner reads them."""
    monkeypatch.setattr(cli_logs, "KEPT", 3)
    for day in range(6):
        log(AT + timedelta(days=day)).info("x")
    folder = project / "data" / "logs"
    assert sorted(p.name for p in folder.iterdir()) == [f"2026-11-{d}.jsonl" for d in (23, 24, 25)]
    assert {p.stat().st_mode & 0o077 for p in folder.iterdir()} == {0}


def test_a_day_with_much_to_say_has_several_files(project, log, monkeypatch):
    """A file has its largest size."""
    monkeypatch.setattr(cli_logs, "LARGEST", 200)
    for _ in range(4):
        log().info("x" * 100)
    names = sorted(p.name for p in (project / "data" / "logs").iterdir())
    assert names == [f"2026-11-20{part}.jsonl" for part in (".002", ".003", ".004", "")]
    assert len(lines(project)) == 4


def test_to_the_error_stream(project, log, monkeypatch, capsys):
    """As containers want it; nothing in files."""
    monkeypatch.setenv("TICKERBOOK_LOG", "stderr")
    log().info("x")
    assert json.loads(capsys.readouterr().err)["event"] == "x"
    assert not (project / "data").exists()


def test_off(project, log, monkeypatch, capsys):
    """Nothing anywhere."""
    monkeypatch.setenv("TICKERBOOK_LOG", "off")
    log().info("x")
    assert capsys.readouterr().err == ""
    assert not (project / "data").exists()


def test_a_disk_that_refuses_stops_nothing(project, log):
    """What is logged is worth less than what is done."""
    (project / "data").mkdir()
    (project / "data" / "logs").write_text("a file where the folder should be", encoding="utf-8")
    log().info("x")


@pytest.mark.parametrize("text", ["two\nlines", "\udc80", '"quotes" {"event": "forged"}'])
def test_hostile_text_stays_in_its_line(project, log, text):
    """One event is one line of JSON."""
    log().info("x", text=text)
    (line,) = lines(project)
    assert line["event"] == "x"
