"""A tick's work as a process: it ends well, is ended, and does not outlive its scheduler."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tickerbook.runs.jobs import CommandJob, is_alive, lifeline

STARTER = """
import os, sys, time
from tickerbook.runs.jobs import CommandJob
job = CommandJob(["serve", "--port", "0", "--project", sys.argv[1]], "c@k", os.environ)
print(job._process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def serving(project):
    """A project whose verb `serve` goes on until it is ended."""
    (project / "_site").mkdir()
    (project / "_site" / "index.html").touch()
    return ["serve", "--port", "0", "--project", str(project)]


def finished(job, seconds=20.0):
    """What became of it, when it has ended."""
    end = time.monotonic() + seconds
    while (told := job.poll()) is None:
        assert time.monotonic() < end
        time.sleep(0.05)
    return told


def test_how_it_ended_is_told_in_words(project):
    """0 is well; 2 is wrong configuration."""
    jobs = [CommandJob(words, "c@k", os.environ) for words in (["status"], ["fetch", "APPL"])]
    assert [finished(job) for job in jobs] == ["", "the configuration is wrong: `tickerbook check` says how"]
    assert project.is_dir()


def test_it_is_asked_to_end_or_made_to(serving):
    """Stopped it ends as by Ctrl-C, killed at once."""
    asked, made = (CommandJob(serving, "c@k", os.environ) for _ in range(2))
    made.kill()
    assert finished(made) == "ended by signal 9 (Killed)"
    asked.stop()
    finished(asked, 10.0)


@pytest.mark.usefixtures("serving")
def test_it_ends_when_its_scheduler_is_killed(project):
    """kill -9 leaves nothing behind."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(project)], stdout=subprocess.PIPE, text=True
    )
    with starter:
        pid = int(starter.stdout.readline())
        os.kill(starter.pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while _runs(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123 - a pseudo file
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_name_tells_whether_its_process_lives(tmp_path):
    """While it does; not after; not from another machine."""
    with lifeline(tmp_path) as name:
        assert is_alive(name, tmp_path) is True
    assert is_alive(name, tmp_path) is False
    assert is_alive("elsewhere:1-a.alive", tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_one_that_was_killed(tmp_path):
    """Its file is there, and nobody holds it."""
    code = (
        "import os, sys; from pathlib import Path; from tickerbook.runs.jobs import lifeline\n"
        "with lifeline(Path(sys.argv[1])) as name: print(name, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert is_alive(done.stdout.strip(), tmp_path) is False
