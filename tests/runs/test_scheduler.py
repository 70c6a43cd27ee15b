"""The scheduler, in a world where months pass in a moment: each tick once, whatever happens to it or its clock."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tickerbook.cadences import Cadence, parse_when
from tickerbook.errors import ConfigError
from tickerbook.runs.scheduler import STARTS, Scheduler, World
from tickerbook.runs.tickbook import TickBook

NEW_YORK = "America/New_York"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Killed(BaseException):
    """What ends a scheduler without letting it do anything more."""


@dataclass
class Pretended:
    """Work that takes so many seconds of its world and ends with `problem`."""

    world: "Pretend"
    ends: float
    problem: str = ""

    def poll(self):
        return self.problem if self.world.passed >= self.ends else None

    def stop(self):
        self.ends, self.problem = self.world.passed + 1, "was stopped"

    def kill(self):
        self.ends = self.world.passed


@dataclass
class Pretend:
    """Clocks that go only while the scheduler sleeps; `jumps`: after these seconds the clock on the wall leaps."""

    began: datetime
    takes: float = 60.0
    jumps: dict = field(default_factory=dict)
    passed: float = 0.0
    shift: timedelta = timedelta(0)
    begun: list = field(default_factory=list)
    most: int = 0
    told: list = field(default_factory=list)
    slept: list = field(default_factory=list)
    jobs: list = field(default_factory=list)
    problem: str = ""
    dies_in: int = 0  # launches until it is killed

    def clock(self):
        return self.began + timedelta(seconds=self.passed) + self.shift

    def sleep(self, seconds):
        assert seconds >= 0
        self.slept.append(seconds)
        self.passed += seconds or 0.001
        for when in [when for when in self.jumps if when <= self.passed]:
            self.shift += self.jumps.pop(when)

    def launch(self, _cadence, tick):
        self.begun.append(tick)
        if self.dies_in:
            self.dies_in -= 1
            if not self.dies_in:
                raise Killed
        job = Pretended(self, self.passed + self.takes, self.problem)
        self.jobs.append(job)
        self.most = max(self.most, sum(job.poll() is None for job in self.jobs))
        return job

    def world(self, **more):
        given = {"beat": 6 * 3600.0, "look": 30.0, "silence": 1e6, "is_alive": lambda _holder: False} | more
        return World(
            clock=self.clock,
            steady=lambda: self.passed,
            tell=lambda event, **facts: self.told.append((event, facts)),
            **{"sleep": self.sleep, "launch": self.launch, **given},
        )

    @property
    def events(self):
        return Counter(event for event, _ in self.told)

    @property
    def keys(self):
        return [tick.key for tick in self.begun]


def cadence(when, zone=None, name="c", **policies):
    return Cadence(name, when, parse_when(when, zone), **policies)


AFTER_CLOSE = cadence("30 min after XNYS close")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def live(url):
    """Let a scheduler with a new name live from one instant to another; gives its world."""
    names = iter("abcdefghij")

    def run(cadences, begin, end, *, at_once=1, beat=6 * 3600.0, **pretend):
        pretended = Pretend(at(begin) if isinstance(begin, str) else begin, **pretend)
        given = [cadences] if isinstance(cadences, Cadence) else cadences
        book = TickBook(url, next(names))
        scheduler = Scheduler(given, book, pretended.world(beat=beat), at_once)
        scheduler.serve((at(end) - pretended.began).total_seconds())
        return pretended

    return run


def states(url, name="c"):
    return {row.tick.key: row.state for row in TickBook(url).rows(name)}


def test_three_months_have_each_session_once(live, url):
    """From October to January, over a change of clocks, Thanksgiving and Christmas (NYSE's holidays)."""
    world = live(AFTER_CLOSE, "2026-10-01", "2027-01-01")
    assert len(world.begun) == 64  # 22 sessions in October, 20 in November, 22 in December
    assert set(states(url).values()) == {"ok"}
    assert max(Counter(world.keys).values()) == 1
    assert {tick.due_at.hour for tick in world.begun} == {20, 21, 18}


@pytest.mark.parametrize(
    ("when", "day", "hour"), [("cron 30 2 * * *", "2026-03-08", 7), ("cron 30 1 * * *", "2026-11-01", 5)]
)
def test_nights_when_clocks_change_have_one_run(live, when, day, hour):
    """SC03: neither none nor two."""
    begin = at(day) - 12 * HOUR
    world = live(cadence(when, NEW_YORK), begin, f"{day}T20:00")
    assert [(tick.due_at.hour, tick.due_at.minute) for tick in world.begun] == [(hour, 30)]


@pytest.mark.parametrize(("catch_up", "runs"), [("each", 3), ("latest", 1), ("none", 0)])
def test_three_sessions_off(live, url, catch_up, runs):
    """SC01: each, the latest or none of them, told as caught up, each with its session; the list is kept."""
    one = cadence("30 min after XNYS close", catch_up=catch_up)
    live(one, "2026-11-13T12:00", "2026-11-14")
    world = live(one, "2026-11-19T12:00", "2026-11-19T20:00")  # Monday to Wednesday nobody was there
    assert [tick.session.isoformat() for tick in world.begun] == ["2026-11-16", "2026-11-17", "2026-11-18"][
        3 - runs :
    ]
    rows = {row.tick.key: row for row in TickBook(url).rows("c")}
    assert all(rows[key].catch_up for key in world.keys)
    assert sum(row.state == "missed" for row in rows.values()) == 3 - runs
    assert len(rows) == 4


def test_a_new_cadence_has_missed_nothing(live, url):
    """Its ticks are from the first day of its life on."""
    world = live(AFTER_CLOSE, "2026-11-19T22:00", "2026-11-20T12:00")
    assert world.begun == []
    assert states(url) == {}


def test_work_that_is_longer_than_its_interval_skips(live, url):
    """SC05: three times as long: every third runs, never two at once, and the book says which were skipped."""
    world = live(
        cadence("cron 0 * * * *", "UTC"), "2026-11-20T00:30", "2026-11-20T12:30", takes=3 * 3600 - 60
    )
    assert [key[11:13] for key in world.keys] == ["01", "04", "07", "10"]
    assert world.most == 1
    told = states(url)
    assert sorted(key[11:13] for key, state in told.items() if state == "skipped") == [
        "02", "03", "05", "06", "08", "09", "11", "12",
    ]  # fmt: skip


def test_work_that_is_longer_than_its_interval_queues_one(live, url):
    """SC05: one waits, what comes while it waits is skipped; never two at once."""
    one = cadence("cron 0 * * * *", "UTC", overlap="queue")
    world = live(one, "2026-11-20T00:30", "2026-11-20T10:30", takes=3 * 3600 - 60)
    assert [key[11:13] for key in world.keys] == ["01", "02", "04", "07"]
    assert world.most == 1
    assert Counter(states(url).values())["skipped"] == 5


def test_two_schedulers_one_ledger(url):
    """SC07: of twenty ticks each runs once; the second scheduler says whom it waits for, and takes over."""
    first, second = Pretend(at("2026-10-01")), Pretend(at("2026-10-01"))
    waits = Scheduler([AFTER_CLOSE], TickBook(url, "second"), second.world(is_alive=lambda _: True))

    def both(seconds):  # whenever the first sleeps, the second tries to lead
        first.sleep(seconds)
        second.passed = first.passed
        assert not waits._try()

    Scheduler([AFTER_CLOSE], TickBook(url, "first"), first.world(sleep=both)).serve(28.5 * 86400)
    assert len(first.begun) == 20
    assert second.told == [("idle", {"leader": "first"})]
    waits.serve(2 * 86400)
    assert (second.keys, set(states(url).values())) == (["2026-10-29", "2026-10-30"], {"ok"})


def test_a_leader_that_is_silent_is_given_up(url):
    """Where nobody can see whether it lives, its beats must go on; when it wakes up it changes nothing."""
    one, two = Pretend(at("2026-11-19"), takes=3600), Pretend(at("2026-11-19T21:36"))
    sleeper = Scheduler([AFTER_CLOSE], TickBook(url, "sleeper"), one.world())
    assert sleeper._lead(once=False)
    one.passed = 21.55 * 3600
    sleeper._turn()  # begins the tick of the 19th, and is paused
    world = two.world(is_alive=lambda _: None, beat=10.0, silence=45.0)
    Scheduler([AFTER_CLOSE], TickBook(url, "other"), world).serve(1500)
    assert [event for event, _ in two.told] == ["idle", "leading", "started", "ended"]
    assert two.passed >= 45
    one.passed = 30 * 3600
    sleeper.serve(6 * 3600)
    assert (one.events["taken over"], len(one.begun), one.jobs[0].problem) == (1, 1, "was stopped")
    assert states(url) == {"2026-11-19": "ok"}


@pytest.mark.parametrize("catch_up", ["latest", "each"])
@pytest.mark.parametrize(
    ("jump", "runs"),
    [(DAY, 1), (-HOUR, 0), (timedelta(days=3652), 1)],
    ids=["a day ahead", "an hour back", "ten years ahead"],
)
def test_clocks_that_jump(live, jump, runs, catch_up):
    """SC09: no storm, nothing twice, no negative sleep (the world asserts it), and a warning."""
    one = cadence("30 min after XNYS close", catch_up=catch_up)
    begin = at("2026-11-18T12:00")
    jumps = {10 * 3600.0: jump}  # at 22:00, after the tick of the 18th
    world = live(one, begin, "2026-11-19T00:00", jumps=jumps, beat=600.0)
    assert world.events["clock"] == 1
    assert len(world.begun) == 1 + runs
    assert max(Counter(world.keys).values()) == 1


def test_a_clock_that_is_set_right_again(live):
    """Ten years ahead for an hour: what was called missed there is not, when it comes."""
    jumps = {10 * 3600.0: timedelta(days=3652), 11 * 3600.0: timedelta(days=-3652)}
    world = live(AFTER_CLOSE, "2026-11-18T12:00", "2026-11-25", jumps=jumps, beat=600.0)
    assert world.events["clock"] == 2
    assert [key for key in world.keys if key < "2030"] == [
        "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-23", "2026-11-24",
    ]  # fmt: skip


def test_what_a_wrong_clock_called_missed_comes_when_it_is_right(live, url):
    """Three days ahead for an hour: what ran there is not run again, what was missed there is."""
    jumps = {10 * 3600.0: 3 * DAY, 11 * 3600.0: -3 * DAY}
    world = live(AFTER_CLOSE, "2026-11-18T12:00", "2026-11-21", jumps=jumps, beat=600.0)
    assert world.keys == ["2026-11-18", "2026-11-20", "2026-11-19"]
    assert set(states(url).values()) == {"ok"}


def test_an_hour_back_while_work_goes_on(live, url):
    """The tick comes due again by the clock, and is left alone; nor does it wait behind itself."""
    one = cadence("30 min after XNYS close", overlap="queue")
    jumps = {7200.0: -HOUR}
    world = live(one, "2026-11-18T20:00", "2026-11-19T06:00", jumps=jumps, beat=600.0, takes=4e3)
    assert world.keys == ["2026-11-18"]
    assert states(url) == {"2026-11-18": "ok"}


def test_what_is_caught_up_goes_one_after_the_other(live):
    """A cadence's ticks never work at the same time, however many may."""
    one = cadence("30 min after XNYS close", catch_up="each")
    live(one, "2026-11-13T12:00", "2026-11-14")
    world = live(one, "2026-11-19T12:00", "2026-11-19T20:00", at_once=3)
    assert (len(world.begun), world.most) == (3, 1)


def test_an_hour_back_right_before_a_tick(live):
    """The tick comes when the clock shows it, once."""
    world = live(
        AFTER_CLOSE,
        "2026-11-18T20:00",
        "2026-11-18T23:00",
        jumps={3600.0: -HOUR, 3 * 3600.0: HOUR},
        beat=600.0,
    )
    assert world.keys == ["2026-11-18"]


def test_five_hundred_at_once(live, url):
    """SC12: all due in one second with a jitter of 5 s, two at a time: all run, none is dropped as too late."""
    many = [
        cadence(
            "cron 0 12 * * *", "UTC", name=f"c{n}", jitter=timedelta(seconds=5), grace=timedelta(seconds=1)
        )
        for n in range(500)
    ]
    world = live(many, "2026-11-20T11:59", "2026-11-21T11:00", at_once=2, takes=60)
    assert len({tick.cadence for tick in world.begun}) == len(world.begun) == 500
    assert world.most == 2
    assert TickBook(url).counts() == {(f"c{n}", "ok"): 1 for n in range(500)}


def test_what_was_killed_is_begun_again(live, url):
    """A scheduler that dies while a tick runs: the next one runs it, and nothing else twice."""
    with pytest.raises(Killed):
        live(AFTER_CLOSE, "2026-11-18T12:00", "2026-11-19", dies_in=1)
    assert states(url) == {"2026-11-18": "running"}
    world = live(AFTER_CLOSE, "2026-11-18T21:40", "2026-11-19T23:00")
    assert world.keys == ["2026-11-18", "2026-11-19"]
    assert states(url) == {"2026-11-18": "ok", "2026-11-19": "ok"}


def test_what_kills_is_given_up(live, url):
    """A tick whose work takes the machine down with it is not begun for ever."""
    for _ in range(STARTS):
        with pytest.raises(Killed):
            live(AFTER_CLOSE, "2026-11-18T21:00", "2026-11-19", dies_in=1)
    assert live(AFTER_CLOSE, "2026-11-18T21:40", "2026-11-19T12:00").begun == []
    assert states(url) == {"2026-11-18": "failed"}


def test_ending_interrupts_work_and_the_next_goes_on(live, url):
    """Within seconds; the tick is told as interrupted, and resumed."""
    world = Pretend(at("2026-11-18T21:00"), takes=3600.0)

    def ended(seconds):
        world.sleep(seconds)
        if world.begun and not world.jobs[0].problem:
            raise KeyboardInterrupt

    scheduler = Scheduler([AFTER_CLOSE], TickBook(url, "ended"), world.world(sleep=ended))
    before = 1800.0
    with pytest.raises(KeyboardInterrupt):
        scheduler.serve()
    assert states(url) == {"2026-11-18": "interrupted"}
    assert world.passed - before < 60
    assert live(AFTER_CLOSE, "2026-11-18T21:40", "2026-11-19T12:00").keys == ["2026-11-18"]
    assert states(url) == {"2026-11-18": "ok"}


def test_work_that_hangs_is_ended(live, url):
    """After its limit, by force if need be; the next tick runs."""
    one = cadence("30 min after XNYS close", limit=2 * HOUR)
    world = live(one, "2026-11-18T12:00", "2026-11-20T12:00", takes=1e9)
    assert states(url) == {"2026-11-18": "failed", "2026-11-19": "failed"}
    assert "took longer than 7200 seconds" in TickBook(url).rows("c")[0].note
    assert len(world.begun) == 2


def test_what_fails_is_told(live, url):
    """The reason is in the book, and the count tells the exit code."""
    live(AFTER_CLOSE, "2026-11-18T12:00", "2026-11-19T12:00", problem="something failed")
    (row,) = TickBook(url).rows("c")
    assert (row.state, row.note) == ("failed", "something failed")
    assert TickBook(url).last_success() == {}


def test_a_tick_that_starts_late_says_so(live, url):
    """Its own time, and when it began; within the grace it counts as on time."""
    live(AFTER_CLOSE, "2026-11-18T12:00", "2026-11-18T20:00")
    live(AFTER_CLOSE, "2026-11-18T22:00", "2026-11-18T23:00")
    (row,) = TickBook(url).rows("c")
    assert (row.late, row.catch_up, row.state) == (1800.0, False, "ok")


def test_once_does_what_is_due_and_ends(url):
    """What cron calls: nothing is due, or it is done; then it ends."""
    for begin, expected in [
        ("2026-11-18T20:00", []),
        ("2026-11-18T21:35", ["2026-11-18"]),
        ("2026-11-18T21:40", []),
    ]:
        world = Pretend(at(begin))
        Scheduler([AFTER_CLOSE], TickBook(url, begin), world.world()).serve(once=True)
        assert world.keys == expected
    assert states(url) == {"2026-11-18": "ok"}


def test_once_leaves_a_leader_that_lives_alone(url):
    """It says who leads, and ends."""
    TickBook(url, "daemon").lead(None)
    world = Pretend(at("2026-11-18T21:35"))
    Scheduler([AFTER_CLOSE], TickBook(url, "cron"), world.world(is_alive=lambda _: True)).serve(once=True)
    assert world.told == [("idle", {"leader": "daemon"})]


def test_a_cadence_that_was_removed_leaves_nothing_open(live, url):
    """What it had begun is told as missed."""
    with pytest.raises(Killed):
        live(AFTER_CLOSE, "2026-11-18T12:00", "2026-11-19", dies_in=1)
    live(cadence("at XNYS close", name="other"), "2026-11-18T22:00", "2026-11-19")
    assert states(url) == {"2026-11-18": "missed"}


def test_another_delay_does_not_run_a_session_twice(live):
    """Who changes 30 minutes into 45 in the evening gets the session's run once."""
    live(AFTER_CLOSE, "2026-11-18T12:00", "2026-11-18T21:35")
    changed = cadence("45 min after XNYS close")
    assert live(changed, "2026-11-18T21:40", "2026-11-18T23:00").begun == []


@pytest.mark.parametrize("what", ["known", "settle", "start", "end", "beat"])
def test_a_ledger_that_is_away_for_a_while(url, monkeypatch, what):
    """A full disk is told, and what is due is done when there is room again; once."""
    world = Pretend(at("2026-11-18T12:00"))
    book = TickBook(url, "one")
    scheduler = Scheduler([AFTER_CLOSE], book, world.world(beat=600.0))
    works, refusals = getattr(book, what), []

    def refuses(*given, **named):
        if scheduler._leads and world.passed > 3600 and len(refusals) < 3:
            refusals.append(what)
            raise ConfigError("The ledger cannot be used: disk full.", "Make room.")
        return works(*given, **named)

    monkeypatch.setattr(book, what, refuses)
    scheduler.serve(12 * 3600)
    assert (world.events["trouble"], len(refusals)) == (3, 3)
    assert world.keys == ["2026-11-18"]
    assert states(url) == {"2026-11-18": "ok"}


def test_work_that_cannot_begin_has_failed(url):
    """No process to be had: told, and the next tick tries again."""
    world = Pretend(at("2026-11-18T12:00"))

    def launch(_cadence, _tick):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    Scheduler([AFTER_CLOSE], TickBook(url, "one"), world.world(launch=launch)).serve(12 * 3600)
    (row,) = TickBook(url).rows("c")
    assert (row.state, "could not begin" in row.note) == ("failed", True)
