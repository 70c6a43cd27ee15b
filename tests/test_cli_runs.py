"""The verbs about what ran: runs, runs show, runs prune, backup, restore, verify."""

import json
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
import typer

from tickerbook import cli, cli_runs
from tickerbook.facts import Facts
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger.leases import Runner
from tickerbook.runs.scratch import own_folder
from tickerbook.settings import load_settings
from tickerbook.store import Failure, Run, RunResult, RunStore

NOW_AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
COMMANDS = typer.main.get_command(cli_runs.app).commands


@pytest.fixture
def verb(monkeypatch, capsys):
    """A runner of commands: exit code, and what was printed on both streams with its white space folded."""
    monkeypatch.setattr(cli_runs, "now", lambda: NOW_AT)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["tickerbook", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, " ".join((printed.out + printed.err).split())

    return run


def result(ticker, days, status="ok"):
    """A run of a session, that many days after the first."""
    run = Run(
        "levels", ticker, date(2024, 1, 1) + timedelta(days), {}, f"{ticker}{days}".ljust(64, "0").lower()
    )
    failure = Failure("error", "NameError: x", "Mend it.", 4) if status == "failed" else None
    return RunResult(
        run, status, Facts(), 2.5, datetime(2024, 1, 1, 22, tzinfo=UTC) + timedelta(days), failure
    )


@pytest.fixture
def ran(project):
    """The project with three days of runs; on the last day MSFT failed."""
    settings = load_settings(project)
    ledger, store = Ledger(settings.ledger), RunStore(settings.runs)
    for days in range(3):
        batch = ledger.begin(result("AAPL", days).started_at, [("levels", "AAPL"), ("levels", "MSFT")])
        for one in (result("AAPL", days), result("MSFT", days, "failed" if days == 2 else "ok")):
            store.put(one, "{}")
            ledger.record(batch, one)
        ledger.end(batch, one.started_at, "finished")
    return settings


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_teaches(verb, name):
    """Every verb says what it does, and every option what it means."""
    code, printed = verb("runs", name, "--help")
    assert code == 0
    assert "For example" in printed
    assert all(param.help for param in COMMANDS[name].params)


@pytest.mark.usefixtures("ran")
def test_the_newest_runs_come_first(verb):
    """With their numbers and what failed."""
    code, printed = verb("runs")
    assert code == 0
    assert printed.index("2024-01-03 22:00") < printed.index("2024-01-02 22:00")
    assert "cell 4: NameError: x" in printed


@pytest.mark.usefixtures("ran")
def test_pages_go_on_where_the_last_ended(verb):
    """The way to the next page is told."""
    code, first = verb("runs", "--limit", "4")
    assert (code, "--before 3" in first) == (0, True)
    rows = json.loads(verb("runs", "--limit", "4", "--before", "3", "--json")[1])
    assert [row["id"] for row in rows] == [2, 1]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("--ticker", "AAPL"), [5, 3, 1]),
        (("--status", "failed"), [6]),
        (("--notebook", "levels", "--ticker", "MSFT", "--status", "ok"), [4, 2]),
        (("--ticker", "IBM"), []),
    ],
)
@pytest.mark.usefixtures("ran")
def test_runs_are_chosen(verb, words, numbers):
    """By ticker, notebook and status, in any combination; for programs as strict JSON."""
    code, printed = verb("runs", *words, "--json")
    assert (code, [row["id"] for row in json.loads(printed)]) == (0, numbers)


@pytest.mark.usefixtures("ran")
def test_a_mistyped_status_is_refused(verb):
    """With the nearest."""
    code, printed = verb("runs", "--status", "fialed")
    assert (code, "Did you mean failed?" in printed) == (2, True)


@pytest.mark.usefixtures("ran")
def test_a_run_tells_its_story(verb):
    """Every change with when and why, the way out, and where its notebook is."""
    code, printed = verb("runs", "show", "6")
    assert code == 0
    assert printed.index("queued") < printed.index("failed")
    assert "NameError: x Mend it." in printed
    assert ".failed/run.ipynb" in printed
    (row,) = json.loads(verb("runs", "show", "msft2", "--json")[1])
    assert [change["state"] for change in row["changes"]] == ["queued", "failed"]


@pytest.mark.usefixtures("ran")
def test_a_run_that_is_not_there_is_said(verb):
    """With the way to find one."""
    assert verb("runs", "show", "99")[0] == 2


def test_pruning_can_be_tried(verb, ran):
    """--dry-run says what would go, and nothing goes."""
    code, printed = verb("runs", "prune", "--keep", "1", "--dry-run")
    assert (code, "3 stored runs would be removed" in printed) == (0, True)
    assert len(RunStore(ran.runs).folders()) == 6
    code, printed = verb("runs", "prune", "--keep", "1")
    assert (code, "3 stored runs removed" in printed) == (0, True)
    assert len(RunStore(ran.runs).folders()) == 3  # of MSFT the last good one stays beside the failure
    assert verb("verify")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "no limit to prune by"),
        (("--disk", "much"), 2, "is no size"),
        (("--disk", "1kB"), 1, "more than the budget"),
        (("--keep", "0"), 2, "--keep"),
    ],
)
@pytest.mark.usefixtures("ran")
def test_limits_are_checked(verb, words, code, said):
    """What cannot be meant is refused; a budget that pages exceed is told."""
    told = verb("runs", "prune", *words)
    assert (told[0], said in told[1]) == (code, True)


def test_nothing_is_pruned_while_notebooks_run(verb, ran):
    """A run that is being made may use what is old."""
    with own_folder() as folder:
        runner = Runner(Ledger(ran.ledger), folder, lambda: NOW_AT)
        runner.join()
        code, printed = verb("runs", "prune", "--keep", "1")
        runner.leave()
    assert (code, "Notebooks are being run" in printed) == (1, True)
    assert len(RunStore(ran.runs).folders()) == 6


def test_backup_verify_restore(verb, ran, tmp_path):
    """There and back, with what each says."""
    code, printed = verb("backup", "b.tar.gz")
    assert (code, "6 runs of the ledger are in b.tar.gz" in printed) == (0, True)
    assert verb("restore", "b.tar.gz")[0] == 2
    (ran.project / "data").rename(tmp_path / "gone")
    assert verb("restore", "b.tar.gz")[0] == 0
    assert verb("verify") == (0, "✓ 6 stored runs, the ledger and the lake are whole.")


def test_verify_ends_with_1_where_something_is_wrong(verb, ran):
    """For scripts."""
    folder = RunStore(ran.runs).folders()[0]
    (folder / "facts.json").unlink()
    code, printed = verb("verify")
    assert (code, "✗" in printed, folder.name in printed) == (1, True, True)


def test_verify_tells_a_killed_run_as_lost(verb, ran):
    """Nothing stays running for ever, also when no other run is started."""
    ledger = Ledger(ran.ledger)
    with own_folder() as folder:
        runner = Runner(ledger, folder, lambda: NOW_AT)
        runner.join()
        ledger.begin(NOW_AT, [("levels", "AAPL")])
    assert verb("verify")[0] == 0
    assert Ledger(ran.ledger).page(1)[0].state == "interrupted"
