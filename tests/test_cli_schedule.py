"""`tickerbook schedule`, as an operator sees it: what is told, what is exported, how it ends."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tickerbook import cli, cli_schedule
from tickerbook.cli_export import Target, exported, github_times
from tickerbook.runs.schedule import Settled, ticks_between
from tickerbook.runs.tickbook import TickBook
from tickerbook.settings import load_settings

NOW_AT = datetime(2026, 11, 20, 21, 40, tzinfo=UTC)  # ten minutes after Friday's tick
CLOSE = '[cadence.close]\nwhen = "30 min after XNYS close"\n'
BOOKS = (
    CLOSE
    + '[cadence.early]\nwhen = "15 min before XLON open"\ndoes = "prefetch"\njitter = "3 min"\n'
    + '[cadence.night]\nwhen = "cron 30 1 * * mon-fri"\nzone = "America/New_York"\ntickers = ["AAPL"]\n'
)


@pytest.fixture
def scheduled(project):
    """A project with three cadences."""
    (project / "params" / "schedule.toml").write_text(BOOKS, encoding="utf-8")
    return project


@pytest.fixture
def verb(monkeypatch, capsys):
    """A runner of commands: exit code, and what was printed on both streams."""
    monkeypatch.setattr(cli_schedule, "now", lambda: NOW_AT)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["tickerbook", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    return run


def left_behind(project, cadence, states):
    """The newest ticks of a cadence before now, each with a state, as a scheduler that is gone left them."""
    settings = load_settings(project)
    book = TickBook(settings.ledger, "gone")
    assert book.lead(None)
    (one,) = (one for one in settings.cadences if one.name == cadence)
    ticks = ticks_between(one, NOW_AT - timedelta(days=20), NOW_AT, len(states))
    book.seen([one.name for one in settings.cadences], NOW_AT)
    book.settle([Settled(tick, state) for tick, state in zip(ticks, states, strict=True)], {cadence: NOW_AT})
    book.leave()
    return ticks


def test_without_a_cadence_it_says_how_one_is_written(project, verb):
    """Exit code 2, with an example."""
    assert project.is_dir()
    code, printed = verb("schedule")
    assert code == 2
    assert "params/schedule.toml has no cadence" in printed
    assert 'when = "30 min after XNYS close"' in printed


def test_a_calendar_that_there_is_not(project, verb):
    """Told before anything is scheduled."""
    (project / "params" / "schedule.toml").write_text(CLOSE.replace("XNYS", "XMARS"), encoding="utf-8")
    code, printed = verb("schedule", "list")
    assert code == 2
    assert "There is no exchange calendar named 'XMARS'" in printed


def test_list_shows_what_comes_and_what_was(scheduled, verb):
    """Next tick with its session, last outcomes, the list of missed ones."""
    left_behind(scheduled, "close", ["ok", "missed", "failed"])
    code, printed = verb("schedule", "list")
    assert code == 0
    coming = next(line for line in printed.splitlines() if "30 min after XNYS close" in line)
    assert "2026-11-23" in coming
    assert "Missed of close: 2026-11-19." in printed
    assert [word in printed for word in ("failed", "prefetch", "update AAPL")] == [True] * 3
    assert "No scheduler runs now" in printed


def test_once_works_off_what_was_left(scheduled, verb, monkeypatch):
    """As the verb that a person would type, for the tick's session; the exit code says whether all went well."""
    left_behind(scheduled, "close", ["interrupted"])
    begun = []

    class Done:
        def __init__(self, words, tick, _env):
            begun.append((words, tick))

        def poll(self):
            return "" if len(begun) == 1 else "something failed"

    monkeypatch.setattr(cli_schedule, "CommandJob", Done)
    code, printed = verb("schedule", "--once")
    words = ["update", "--project", str(scheduled), "--session", "2026-11-20"]
    assert (code, begun) == (0, [(words, "close@2026-11-20")])
    assert "close 2026-11-20 ok" in printed
    left_behind(scheduled, "night", ["waiting"])
    assert verb("schedule", "--once", "--quiet")[0] == 1
    assert begun[1] == (["update", "AAPL", "--project", str(scheduled), "--quiet"], "night@2026-11-20T06:30Z")


def test_json_tells_each_event_in_a_line(scheduled, verb):
    """For programs; the log has the same."""
    code, printed = verb("schedule", "--once", "--json")
    told = [json.loads(line) for line in printed.splitlines()]
    assert (code, told[0]["event"], told[0]["cadences"]) == (
        0,
        "schedule: leading",
        ["close", "early", "night"],
    )
    (log,) = (scheduled / "data" / "logs").iterdir()
    assert json.loads(log.read_text(encoding="utf-8").splitlines()[0])["event"] == "schedule: leading"


def test_the_unit_of_systemd_is_whole(scheduled):
    """systemd's own check, where it is installed, and what an operator counts on."""
    made = exported(Target.SYSTEMD, load_settings(scheduled), Path(sys.executable), NOW_AT)
    for line in (
        "KillMode=mixed",
        "TimeoutStopSec=20",
        "Restart=on-failure",
        f"WorkingDirectory={scheduled}",
    ):
        assert line in made.text.splitlines()
    if not shutil.which("systemd-analyze"):
        return
    unit = scheduled / "tickerbook.service"
    unit.write_text(made.text, encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert "tickerbook.service" not in done.stderr, done.stderr


def test_the_line_of_cron_is_a_command(scheduled, tmp_path):
    """Five fields, then what a shell understands, also where folders have spaces and percent signs."""
    odd = tmp_path / "my 100% book"
    shutil.copytree(scheduled, odd)
    made = exported(Target.CRON, load_settings(odd), Path("/opt/a b/tickerbook"), NOW_AT)
    (line,) = (line for line in made.text.splitlines() if not line.startswith("#"))
    fields = line.split(maxsplit=5)
    assert fields[:5] == ["*/5", "*", "*", "*", "*"]
    assert "%" not in fields[5].replace("\\%", "")
    words = shlex.split(fields[5].replace("\\%", "%"))
    assert words == ["/opt/a b/tickerbook", "schedule", "--once", "--quiet", "--project", str(odd)]


@pytest.fixture
def workflow(scheduled):
    """The workflow of GitHub, as YAML."""
    return yaml.safe_load(exported(Target.GITHUB, load_settings(scheduled), Path("t"), NOW_AT).text)


def test_the_workflow_works_and_publishes(workflow):
    """Environment, work, pages with the rights that they need; every step of shell parses."""
    update, publish = workflow["jobs"]["update"], workflow["jobs"]["publish"]
    used = [step.get("uses", "").partition("@")[0] for job in (update, publish) for step in job["steps"]]
    assert {"actions/checkout", "actions/upload-pages-artifact", "actions/deploy-pages"} <= set(used)
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert (workflow["permissions"], publish["needs"]) == ({"contents": "read"}, "update")
    for step in update["steps"]:
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_the_workflow_saves_what_it_restores(workflow):
    """The ledger is what makes each tick happen once."""
    steps = {
        step["uses"].partition("@")[0]: step for step in workflow["jobs"]["update"]["steps"] if "uses" in step
    }
    saved, restored = (steps[f"actions/cache/{what}"]["with"] for what in ("save", "restore"))
    assert (saved["path"], saved["key"]) == (restored["path"], restored["key"]) == ("data", saved["key"])
    assert steps["actions/cache/save"]["if"] == "always()"


def test_github_calls_after_every_tick_of_a_year(scheduled):
    """Half days, summer and winter: each tick is followed by a call within minutes, on its weekday."""
    settings = load_settings(scheduled)
    calls = set()
    for cron in github_times(settings, NOW_AT):
        minute, hour, _, _, days = cron.split()
        calls |= {(int(day), int(hour) * 60 + int(minute)) for day in days.split(",")}
    for cadence in settings.cadences:
        for tick in ticks_between(cadence, NOW_AT, NOW_AT + timedelta(days=365)):
            at = tick.starts_at
            minutes = at.hour * 60 + at.minute + (at.second > 0)
            assert any(day == at.isoweekday() % 7 and 0 <= call - minutes <= 8 for day, call in calls), tick


def test_what_comes_all_day_is_one_call(project):
    """Not three hundred lines."""
    text = '[cadence.often]\nwhen = "cron */5 * * * *"\nzone = "UTC"\n'
    (project / "params" / "schedule.toml").write_text(text, encoding="utf-8")
    assert github_times(load_settings(project), NOW_AT) == ["*/10 * * * *"]


def test_export_writes_and_says_what_to_do(scheduled, verb):
    """Again and again; but not over a file that somebody wrote."""
    for _ in range(2):
        code, printed = verb("schedule", "export", "github")
        assert code == 0
        assert "Pages → Source → GitHub Actions" in printed
    path = scheduled / ".github" / "workflows" / "tickerbook.yml"
    path.write_text("name: mine\n", encoding="utf-8")
    code, printed = verb("schedule", "export", "github")
    assert code == 2
    assert "was not written by tickerbook" in " ".join(printed.split())
    assert path.read_text(encoding="utf-8") == "name: mine\n"
    code, printed = verb("schedule", "export", "cron", "--to", "-")
    assert (code, "schedule --once" in printed) == (0, True)


def test_for_real_two_schedulers_and_a_signal(project):
    """SC07: one works, one waits and says so; SIGTERM ends the first within ten seconds, the second takes over."""
    (project / "params" / "schedule.toml").write_text(CLOSE + 'does = "prefetch"\n', encoding="utf-8")
    command = [sys.executable, "-m", "tickerbook", "schedule", "--metrics", "off"]
    with _started(command, project) as first, _started(command, project) as second:
        try:
            leads, waits = _told(first, second)
            began = time.monotonic()
            leads.send_signal(signal.SIGTERM)
            assert leads.wait(10) == 130
            assert time.monotonic() - began < 10
            assert "Scheduling" in waits.stdout.readline()
        finally:
            for process in (first, second):
                process.kill()
    book = TickBook(load_settings(project).ledger)
    assert book.rows() == []


def _started(command, project):
    return subprocess.Popen(
        command, cwd=project, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _told(*processes):
    """Who leads and who waits, by the first thing that each says."""
    said = {process: process.stdout.readline() for process in processes}
    (leads,) = (process for process, line in said.items() if "Scheduling. Next: close" in line)
    (waits,) = (process for process, line in said.items() if "Another scheduler works on this ledger" in line)
    return leads, waits
