"""Leases: two runners never do the same work, and one that others gave up writes no more."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta

import pytest
from filelock import FileLock
from sqlalchemy import delete, func, select, text

from tickerbook.errors import TakenOverError
from tickerbook.facts import Facts
from tickerbook.runs.ledger import Ledger, leases
from tickerbook.runs.ledger.leases import BEAT, SILENCE, Runner, StoppedError, open_runner
from tickerbook.runs.ledger.tables import BATCHES, LEASES, RUNNERS
from tickerbook.runs.scratch import is_alive, own_folder
from tickerbook.store import Run, RunResult

NOW = datetime(2024, 1, 16, 12, 0, tzinfo=UTC)
RESULT = RunResult(Run("levels", "AAPL", date(2024, 1, 12), {}, "k1"), "ok", Facts(), 1.0, NOW)
NODES = [("levels", "AAPL"), ("levels", "MSFT")]
PROGRAM = """
import sys
from datetime import UTC, datetime
from tickerbook.errors import TakenOverError
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger.leases import open_runner
from tickerbook.runs.scratch import own_folder
at = lambda: datetime(2024, 1, 16, 12, 0, tzinfo=UTC)
ledger = Ledger(sys.argv[1])
with own_folder() as folder, open_runner(ledger, folder, at) as runner:
    batch = ledger.begin(at(), [("levels", "AAPL"), ("levels", "MSFT")])
    with runner.alone("k1", ledger.runs_of(batch)["levels", "AAPL"]):
        print(folder, flush=True)
        sys.stdin.readline()
        try:
            with runner.fence():
                print("wrote", flush=True)
        except TakenOverError:
            print("refused", flush=True)
"""


class Times:
    """Clocks that stand still until they are told to go on."""

    def __init__(self):
        self.seconds = 0.0
        self.waits = []

    def now(self):
        """The present instant."""
        return NOW + timedelta(seconds=self.seconds)

    def ticks(self):
        """Seconds of the steady clock."""
        return self.seconds

    def wait(self, _seconds):
        """Ten seconds go by, and what was to happen then happens."""
        self.seconds += 10
        if self.waits:
            self.waits.pop(0)()


@pytest.fixture
def times():
    """The clocks of one test."""
    return Times()


@pytest.fixture
def make_runner(url, times, tmp_path):
    """A maker of runners that have joined, each as if of a process of its own."""
    with ExitStack() as stack:

        def make(name, clock=times.now):
            (tmp_path / name).mkdir()
            lock = FileLock(tmp_path / name / "alive")
            stack.enter_context(lock)
            runner = Runner(Ledger(url), tmp_path / name, clock, times.ticks, times.wait)
            runner.join()
            runner.kill = lambda: lock.release(force=True)
            return runner

        yield make


def table(ledger, of):
    """All rows of a table."""
    with ledger.database.reading() as connection:
        return connection.execute(select(of)).all()


def test_the_second_waits_for_the_first(make_runner, times):
    """Only when the first has let go does the second hold it."""
    first, second = make_runner("a"), make_runner("b")
    held = first.alone("k1")
    held.__enter__()
    times.waits = [first.beat, lambda: held.__exit__(None, None, None)]
    with second.alone("k1"):
        assert times.seconds == 20
    assert table(second.ledger, LEASES) == []


def test_different_work_is_not_held_up(make_runner, times):
    """Two keys are two leases."""
    with make_runner("a").alone("k1"), make_runner("b").alone("k2"):
        assert times.seconds == 0


def test_threads_of_one_process_wait_too(make_runner, times):
    """A lease is a piece of work's, not only a process's."""
    runner = make_runner("a")
    with (
        runner.alone("k1"),
        pytest.raises(StoppedError),
        runner.alone("k1", stopped=lambda: times.seconds > 5),
    ):
        pass


def test_who_beats_keeps_what_it_holds(make_runner, times):
    """However long it takes, and however its clock is set."""
    first = make_runner("a", clock=lambda: times.now() + timedelta(hours=9))
    second = make_runner("b")
    times.waits = [first.beat] * 30
    with first.alone("k1"), pytest.raises(StoppedError):
        second.alone("k1", stopped=lambda: times.seconds > 280).__enter__()


def test_a_paused_one_is_given_up_and_writes_no_more(make_runner, times):
    """Without a beat for the time agreed, another goes on; the first finds everything refused."""
    first, second = make_runner("a"), make_runner("b")
    batch = first.ledger.begin(times.now(), NODES)
    with first.alone("k1", first.ledger.runs_of(batch)["levels", "AAPL"]):
        with second.alone("k1"):
            assert SILENCE <= times.seconds <= SILENCE + 10
        for write in (
            first.beat,
            first.fence().__enter__,
            lambda: first.ledger.record(batch, RESULT),
            lambda: first.ledger.begin(NOW),
            lambda: first.ledger.end(batch, NOW, "finished"),
        ):
            with pytest.raises(TakenOverError, match="took over"):
                write()
    first.leave()
    assert [row.state for row in table(second.ledger, BATCHES)] == ["interrupted"]


def test_a_killed_one_is_known_at_once(make_runner, times):
    """On one machine nobody waits for the dead; what it ran is told as lost, the rest as interrupted."""
    first, second = make_runner("a"), make_runner("b")
    batch = first.ledger.begin(times.now(), NODES)
    runs = first.ledger.runs_of(batch)
    first.alone("k1", runs["levels", "AAPL"]).__enter__()
    first.kill()
    second.sweep()
    with second.alone("k1"):
        assert times.seconds == 0
    states = {row.ticker: row.state for row in second.ledger.page()}
    assert states == {"AAPL": "lost", "MSFT": "interrupted"}
    told = second.ledger.changes([runs["levels", "AAPL"]])
    assert [change.state for change in told] == ["queued", "leased", "lost"]
    assert "was killed" in told[-1].why


@pytest.mark.parametrize(("hours", "gone"), [(-3, False), (3, False), (-30, True)])
def test_clocks_of_machines_need_not_agree(make_runner, times, monkeypatch, hours, gone):
    """A beat of another machine that seems hours old says nothing; only after a day nobody waits."""
    monkeypatch.setattr(leases, "HOST", "elsewhere")
    make_runner("a", clock=lambda: times.now() + timedelta(hours=hours))
    monkeypatch.undo()
    second = make_runner("b")
    second.sweep()
    assert second.is_only_one == gone
    for _ in range(4):
        times.wait(10)
        second.sweep()
    assert second.is_only_one


def test_silence_counts_only_while_somebody_looks(make_runner, times):
    """After an hour in which the ledger could not be read, nobody is given up before it could beat."""
    first, second = make_runner("a"), make_runner("b")
    second.sweep()
    times.seconds += 3600
    second.sweep()
    first.beat()
    second.sweep()
    assert len(table(second.ledger, RUNNERS)) == 2


def test_who_beats_while_being_given_up_is_not(make_runner):
    """Whether it is silent is looked at again when it is given up."""
    first, second = make_runner("a"), make_runner("b")
    first.beat()
    second._give_up(first.ledger.runner, "silent", beat=0)
    first.beat()
    assert len(table(second.ledger, RUNNERS)) == 2


def test_a_number_is_never_given_twice(make_runner):
    """It is the fencing token: who comes later is never taken for who was given up."""
    first = make_runner("a")
    before = first.ledger.runner
    first.leave()
    assert make_runner("b").ledger.runner > before


def test_what_a_fence_lets_through_comes_out_as_it_is(make_runner):
    """A full disk is no trouble of the ledger's."""
    with pytest.raises(OSError, match="full"), make_runner("a").fence():
        raise OSError(28, "full")


def test_nobody_takes_over_inside_a_fence(make_runner, url):
    """What is made visible there is made visible by who holds it."""
    first, second = make_runner("a"), make_runner("b")
    patience = "set lock_timeout = 50" if url.startswith("postgresql") else "pragma busy_timeout = 50"
    with first.fence(), second.ledger.database.engine.connect() as connection:
        connection.connection.driver_connection.execute(patience)
        with pytest.raises(Exception, match="lock"):
            connection.execute(delete(RUNNERS).where(RUNNERS.c.id == first.ledger.runner))


def test_a_runner_beats_and_leaves(url, times, monkeypatch):
    """While the block lasts there are beats of its own; then nothing of it is left."""
    monkeypatch.setattr(leases, "BEAT", 0.001)
    ledger = Ledger(url)
    with own_folder() as folder, open_runner(ledger, folder, times.now):
        while table(ledger, RUNNERS)[0].beat < 2:
            pass
    assert table(ledger, RUNNERS) == []
    assert BEAT * 3 < SILENCE


# --- processes ---


@pytest.fixture
def program(file_url):
    """A process that holds k1 until it is told to go on."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, file_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def file_url(tmp_path):
    """A ledger that is a file."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def test_a_process_that_was_killed_leaves_nothing(program, file_url, times, tmp_path):
    """kill -9: the next start tells its batch as interrupted, takes its work and removes its folder."""
    folder = type(tmp_path)(program.stdout.readline().strip())
    assert is_alive(folder)
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    ledger = Ledger(file_url)
    with own_folder() as own, open_runner(ledger, own, times.now) as runner:
        assert not folder.exists()
        assert [row.state for row in table(ledger, BATCHES)] == ["interrupted"]
        with runner.alone("k1"):
            pass


def test_a_process_that_was_stopped_writes_no_more(program, file_url, times, tmp_path):
    """SIGSTOP, another finishes its work, SIGCONT: its writes are refused."""
    program.stdout.readline()
    os.kill(program.pid, signal.SIGSTOP)
    second = Runner(Ledger(file_url), tmp_path, times.now, times.ticks, times.wait)
    second.join()
    with second.alone("k1"):
        pass
    os.kill(program.pid, signal.SIGCONT)
    assert program.communicate("\n")[0] == "refused\n"


# --- a server that is away ---


def test_a_server_that_ends_connections_loses_nothing(server):
    """In the middle of a change, before it is committed: it is made once."""
    url = server.new_database()
    ledger, other = Ledger(url, sleep=lambda _seconds: None), Ledger(url)
    batch = ledger.begin(NOW, NODES)
    tries = []

    def work(connection):
        tries.append(connection.execute(text("select pg_backend_pid()")).scalar())
        connection.execute(text("update batches set state = 'finished'"))
        if len(tries) == 1:
            other.database.write(lambda side: side.execute(select(func.pg_terminate_backend(tries[0]))))
        ledger.record(batch, RESULT)

    ledger.write(work)
    assert len(tries) == 2
    assert [(row.state, row.key) for row in ledger.page()] == [("queued", ""), ("ok", "k1")]
    assert [change.state for change in ledger.changes([1])] == ["queued", "ok"]


def test_a_server_that_is_down_for_a_while_is_waited_for(server):
    """Everything is recorded when it is back, once."""
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            server.start()

    ledger = Ledger(server.new_database(), sleep)
    batch = ledger.begin(NOW, NODES)
    server.stop()
    ledger.record(batch, RESULT)
    assert len(pauses) == 3
    assert [change.state for change in ledger.changes([1])] == ["queued", "ok"]


@pytest.mark.parametrize("step", ["sweep", "take", "fence", "release"])
def test_a_runner_outlives_an_outage(server, times, tmp_path, step):
    """Whatever it is about when the server goes, it goes on when the server is back."""

    def sleep(_seconds):
        if away:
            away.pop()
            server.start()

    def outage(at):
        if at == step:
            server.stop()
            away.append(at)

    away: list[str] = []
    runner = Runner(Ledger(server.new_database(), sleep), tmp_path, times.now, times.ticks, times.wait)
    runner.join()
    outage("sweep")
    runner.sweep()
    outage("take")
    with runner.alone("k1"):
        outage("fence")
        with runner.fence():
            pass
        outage("release")
    assert table(runner.ledger, LEASES) == []
    assert not away
