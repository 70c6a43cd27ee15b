"""Several programs at once, programs that are killed, a disk that refuses: nothing is lost, exceeded or torn."""

import os
import subprocess
import sys
from pathlib import Path

import fetching
import pandas as pd
import pytest

from tickerbook.market.lake import Lake

HERE = Path(__file__).parent
KILLS = int(os.environ.get("TICKERBOOK_KILLS", "12"))  # points at which fetches are killed
LIMITED = """
import resource, signal, sys
from pathlib import Path
import fetching
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
fetching.main(Path(sys.argv[1]), 7, 3)
"""


def started(*given):
    """A program of the folder of these tests."""
    command = [sys.executable, "-W", "ignore", *map(str, given)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=HERE, text=True, **pipes)


def ended(program):
    """What it printed, line by line."""
    output, errors = program.communicate(timeout=600)
    assert program.returncode == 0, errors
    return output.splitlines()


def test_two_fetches_at_once_do_not_exceed_a_quota(tmp_path):
    """Thirty tickers in both, twenty requests a day: twenty are made, and twenty tickers are stored."""
    programs = [started("fetching.py", tmp_path, 7, 30, 20) for _ in range(2)]
    printed = [ended(program) for program in programs]
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert len(asked) == len(set(asked)) == 20
    assert set(Lake(tmp_path / "data" / "lake").tickers()) == set(asked)
    for lines in printed:
        assert {line.split()[1] for line in lines if line.startswith("ok")} <= set(asked)
        assert all("20 requests a day" in line for line in lines if line.startswith("failed"))


def test_two_fetches_at_once_ask_for_nothing_twice(tmp_path):
    """Each ticker is fetched by one of them; both report all as done."""
    programs = [started("fetching.py", tmp_path, 7, 12) for _ in range(2)]
    for program in programs:
        assert [line.split()[0] for line in ended(program)] == ["ok"] * 12
    assert len((tmp_path / "asked").read_text(encoding="utf-8").splitlines()) == 12
    for number in range(12):
        stored = Lake(tmp_path / "data" / "lake").read(f"T{number}").frame
        pd.testing.assert_frame_equal(stored, fetching.truth(f"T{number}", 7), check_freq=False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_fetches_killed_at_any_point_leave_everything_whole(tmp_path):
    """The lake, the quotas, the ledger; and the next fetch does what was left to do.

    TICKERBOOK_KILLS=200 for as many points.
    """
    (said,) = ended(started("killing.py", tmp_path, KILLS))
    assert said.endswith("everything whole each time")


@pytest.mark.skipif(sys.platform == "win32", reason="sizes of files cannot be limited here")
@pytest.mark.parametrize("room", [5_000, 50_000])
def test_a_full_disk_loses_nothing(tmp_path, room):
    """What was stored stays; the tickers fail with the reason; with room again all is well, without a hand's turn."""
    fetching_program = ("fetching.py", tmp_path)
    assert len(ended(started(*fetching_program, 6, 3))) == 3
    program = started("-c", LIMITED, tmp_path, room)
    output, errors = program.communicate(timeout=600)
    assert "ok" not in output
    assert "file too large" in (output + errors).lower() or "full" in output + errors
    lake = Lake(tmp_path / "data" / "lake")
    for number in range(3):
        pd.testing.assert_frame_equal(
            lake.read(f"T{number}").frame, fetching.truth(f"T{number}", 6), check_freq=False
        )
    assert [line.split()[0] for line in ended(started(*fetching_program, 7, 3))] == ["ok"] * 3
    assert len(lake.read("T0").frame) == len(fetching.truth("T0", 7))
