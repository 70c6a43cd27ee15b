"""What verbs tell: JSON lines for programs, only problems in quiet mode, everything in the log."""

import io
import json
from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from tickerbook.cli_show import showing
from tickerbook.errors import DataError
from tickerbook.facts import Facts
from tickerbook.runs.runner import RunEvent
from tickerbook.settings import load_settings
from tickerbook.store import Failure, Run, RunResult

AT = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
RUN = Run("levels", "NAN", date(2026, 11, 20), {}, "0123456789abcdef")
GOOD = RunEvent("finished", "levels", "NAN", 1, 2, RunResult(RUN, "ok", Facts(), 1.5, AT))
BAD = RunEvent(
    "finished", "levels", "NAN", 2, 2,
    RunResult(RUN, "failed", Facts(), 1.5, AT, Failure("error", "NameError: x", "Mend it.", 4)),
)  # fmt: skip


@pytest.fixture
def tell(project, capsys):
    """Tell a good and a bad run; gives what was printed on both consoles and on the stream."""

    def run(**mode):
        out, err = (Console(file=io.StringIO(), width=120) for _ in range(2))
        with showing(load_settings(project), "run", lambda: AT, out, err, **mode) as show:
            out.print("words")
            show.ran(GOOD)
            show.ran(BAD)
            show.ended([GOOD.result, BAD.result], failed=True)
        assert not out.quiet
        return out.file.getvalue(), err.file.getvalue(), capsys.readouterr().out

    return run


def logged(project):
    (path,) = (project / "data" / "logs").iterdir()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_words_are_for_a_person(tell):
    """What the verb prints is seen; there is no JSON."""
    assert tell() == ("words\n", "", "")


def test_quiet_tells_problems_only(tell):
    """Which ticker and notebook, and why."""
    out, err, stream = tell(quiet=True)
    assert (out, stream) == ("", "")
    assert err == "✗ NAN levels: NameError: x\n"


def test_json_is_one_object_a_line(tell):
    """Strict, with the run's id; the ticker NAN stays a text."""
    out, err, stream = tell(as_json=True)
    assert (out, err) == ("", "")
    good, bad, end = (json.loads(line) for line in stream.splitlines())
    assert (good["event"], good["status"], good["ticker"], good["run"]) == (
        "run finished",
        "ok",
        "NAN",
        "0123456789ab",
    )
    assert bad["failure"] == {"kind": "error", "message": "NameError: x", "remedy": "Mend it.", "cell": 4}
    assert (end["failed"], end["runs"]) == (True, {"ok": 1, "unchanged": 0, "failed": 1, "skipped": 0})


@pytest.mark.parametrize("mode", [{}, {"quiet": True}, {"as_json": True}])
def test_everything_is_in_the_log(tell, project, mode):
    """In every mode, with run ids; what went wrong as a warning."""
    tell(**mode)
    began, good, bad, end = logged(project)
    assert [one["event"] for one in (began, good, bad, end)] == [
        "began",
        "run finished",
        "run finished",
        "ended",
    ]
    assert (good["run"], good["level"], bad["level"]) == ("0123456789ab", "info", "warning")


@pytest.mark.parametrize(
    ("error", "event"), [(DataError("no", "way out"), "refused"), (KeyboardInterrupt(), "interrupted")]
)
def test_how_it_broke_off_is_in_the_log(project, error, event):
    """And the error goes its way; words come back."""
    out = Console(file=io.StringIO())
    with pytest.raises(type(error)), showing(load_settings(project), "run", lambda: AT, out, out, quiet=True):
        raise error
    assert logged(project)[-1]["event"] == event
    assert not out.quiet
