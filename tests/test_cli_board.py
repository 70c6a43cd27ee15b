"""What is seen while notebooks run: the right signs, counts and times."""

from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from tickerbook.cli_board import Board, span
from tickerbook.facts import Facts
from tickerbook.runs.runner import RunEvent
from tickerbook.store import Run, RunResult

AT = datetime(2024, 1, 16, tzinfo=UTC)


def ended(notebook, ticker, status="ok", *, seconds=2.0, reused=False, done=1, total=7):
    run = Run(notebook, ticker, date(2024, 1, 12), {}, "k")
    result = RunResult(run, status, Facts(), seconds, AT, reused=reused)
    return RunEvent("finished", notebook, ticker, done, total, result)


@pytest.fixture
def board():
    """Three tickers, two notebooks for each and one over all; two workers."""
    return Board(["AAPL", "MSFT", "BRK.B"], {"levels": 3, "odds": 1, "report": 3}, 2)


def drawn(board, height=30):
    console = Console(width=100, height=height)
    with console.capture() as captured:
        console.print(board)
    return captured.get()


def test_it_has_every_state_with_its_count(board):
    """Running, done, cached, failed, skipped; the rest waits."""
    board.take(RunEvent("started", "levels", "AAPL", 0, 7))
    for event in (
        ended("levels", "MSFT"),
        ended("levels", "BRK.B", "failed"),
        ended("odds", None, reused=True),
        ended("report", "BRK.B", "skipped"),
    ):
        board.take(event)
    text = drawn(board)
    assert "4 of 7 · 1 running · 1 ok · 1 unchanged · 1 failed · 1 skipped" in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line[:1].isalpha()}
    assert rows == {
        "AAPL": ["▸", "·", "·"],
        "MSFT": ["✓", "·", "·"],
        "BRK.B": ["✗", "·", "-"],
        "universe": ["·", "=", "·"],
    }


def test_time_left_goes_by_notebook_and_workers(board):
    """Two levels remain at 4 s, three reports and odds at the mean of all (3 s), by two workers."""
    assert board.left() is None
    board.take(ended("levels", "AAPL", seconds=4.0))
    board.take(ended("odds", None, seconds=2.0))
    assert board.left() == (2 * 4.0 + 3 * 3.0) / 2


def test_what_is_stored_takes_no_time(board):
    """A batch of which everything is stored promises nothing else."""
    board.take(ended("levels", "AAPL", seconds=40.0, reused=True))
    assert board.left() == 0.0


def test_many_tickers_show_where_something_happens():
    """Five hundred do not fit on a screen: those that run or failed do."""
    board = Board([f"T{n}" for n in range(500)], {"levels": 500}, 2)
    board.take(RunEvent("started", "levels", "T7", 0, 500))
    board.take(ended("levels", "T8", "failed", total=500))
    board.take(ended("levels", "T9", total=500))
    text = drawn(board, height=20)
    assert len(text.splitlines()) <= 20
    assert [line.split()[0] for line in text.splitlines() if line.startswith("T")] == ["T7", "T8"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.4, "3 s left"), (600, "10 min left"), (3 * 3600, "3.0 h left")]
)
def test_time_in_words(seconds, words):
    """As short as it may be."""
    assert span(seconds) == words
