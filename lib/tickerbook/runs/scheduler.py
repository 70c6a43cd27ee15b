"""The scheduler: does what is due when it is due, once, whatever happens to it or to the clock.

It is told the time and sleeps as it is told, so that a test lets months pass in a moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from tickerbook.cadences import Cadence
from tickerbook.errors import TakenOverError, TickerbookError
from tickerbook.runs.schedule import (
    LONG_AWAY,
    Busy,
    Settled,
    Tick,
    TickState,
    next_tick,
    settle,
    ticks_between,
)
from tickerbook.runs.tickbook import OPEN, Leader, TickBook, TickRow

STARTS = 3  # how often a tick's work is begun before it is given up
LISTED = 300  # ticks of a cadence that are looked at after a long time away
_JUMP = timedelta(minutes=1)  # by which a clock may disagree with a steady one
_ENDING = 8.0  # seconds that work has to end itself
_POLL = 0.1
_NO_CADENCE = "there is no such cadence any more"
_GIVEN_UP = f"given up after {STARTS} starts"


class Job(Protocol):
    """Work that goes on."""

    def poll(self) -> str | None:
        """None while it goes on; then what went wrong, empty where nothing did."""

    def stop(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it at once."""


@dataclass(frozen=True)
class World:
    """What a scheduler knows of the world.

    Attributes:
        clock: the present instant; may jump.
        steady: seconds of a clock that does not.
        sleep: waits some seconds.
        launch: begins a tick's work.
        tell: takes what is worth telling: a name, and facts.
        is_alive: whether a leader, by name, may still live; None where that cannot be known from here.
        beat: seconds between two signs of life, and the longest sleep.
        look: seconds between two looks at work that goes on.
        silence: seconds without a sign of life until a leader is given up.
    """

    clock: Callable[[], datetime]
    steady: Callable[[], float]
    sleep: Callable[[float], None]
    launch: Callable[[Cadence, Tick], Job]
    tell: Callable[..., None] = lambda _event, **_facts: None
    is_alive: Callable[[str], bool | None] = lambda _holder: None
    beat: float = 10.0
    look: float = 0.5
    silence: float = 45.0


@dataclass
class _Work:
    """A tick whose work goes on."""

    tick: Tick
    job: Job
    since: float
    limit: float
    overdue: bool = False


@dataclass
class Scheduler:
    """One scheduler.

    Attributes:
        failed: how many ticks did not end well.
    """

    cadences: Sequence[Cadence]
    book: TickBook
    world: World
    at_once: int = 1
    failed: int = 0
    _leads: bool = False
    _waiting: list[Tick] = field(default_factory=list)
    _working: list[_Work] = field(default_factory=list)
    _seen: dict[str, datetime] = field(default_factory=dict)
    _next: dict[str, datetime | None] = field(default_factory=dict)
    _beaten: float = 0.0
    _known: tuple[datetime, float] | None = None  # what both clocks showed last
    _other: tuple[Leader, float] | None = None  # who else leads, and since when we see no sign of life

    def serve(self, lasting: float | None = None, *, once: bool = False) -> None:
        """Do what is due, for ever; wait while another scheduler leads.

        Whatever ends it: work that goes on is ended within seconds and told as interrupted, and the next
        scheduler begins with it.

        Args:
            lasting: seconds; then it ends.
            once: end as soon as nothing is left to do, or another scheduler leads.
        """
        begun = self.world.steady()
        try:
            while lasting is None or self.world.steady() - begun < lasting:
                try:
                    if not self._lead(once=once):
                        return
                    left = self._turn()
                except TakenOverError as error:
                    self._step_down(error)
                    continue
                except TickerbookError as error:  # a disk that is full, a server that is away
                    if not self._leads:
                        raise
                    self.world.tell("trouble", note=error.message)
                    left = self.world.beat
                if once and not (self._waiting or self._working):
                    return
                self.world.sleep(left)
        finally:
            self._close()

    # --- leading ---

    def _lead(self, *, once: bool) -> bool:
        """Whether this scheduler leads; waits until it does, with `once` for no leader that lives."""
        while not self._leads and not self._try():
            if once and self._other and self.world.is_alive(self._other[0].holder):
                return False
            self.world.sleep(self.world.beat)
        return True

    def _try(self) -> bool:
        there = self.book.leader()
        if there and (self._other is None or self._other[0].holder != there.holder):
            self.world.tell("idle", leader=there.holder)
        if there and (self._other is None or self._other[0] != there):
            self._other = (there, self.world.steady())
        silent = self._other is not None and self.world.steady() - self._other[1] >= self.world.silence
        gone = there is not None and (silent or self.world.is_alive(there.holder) is False)
        if (there is None or gone) and self.book.lead(there):
            self._take_over()
            return True
        return False

    def _take_over(self) -> None:
        """Begin where the last one ended."""
        now_at = self.world.clock()
        self._leads, self._other = True, None
        self._beaten = self.world.steady()
        self._known = (now_at, self._beaten)
        self.world.tell("leading", cadences=[one.name for one in self.cadences])
        left = self.book.rows(states=OPEN)[::-1]
        self._seen = self.book.seen([one.name for one in self.cadences], now_at)
        here = [row for row in left if row.tick.cadence in self._seen]
        self._leave_out([row for row in left if row not in here], "missed", _NO_CADENCE)
        self._leave_out([row for row in here if row.starts >= STARTS], "failed", _GIVEN_UP)
        self._settle(self.cadences, now_at, [row.tick for row in here if row.starts < STARTS])

    def _leave_out(self, rows: Sequence[TickRow], state: TickState, note: str) -> None:
        """Go on with these no more."""
        self.book.settle([Settled(row.tick, state, note) for row in rows], {})
        for row in rows:
            self.world.tell("ended", tick=row.tick, state=state, note=note)

    def _step_down(self, error: TakenOverError) -> None:
        """Another leads: end what goes on here, which it does again, and wait."""
        self.world.tell("taken over", note=error.message)
        self._end_work()
        self._waiting.clear()
        self._next.clear()
        self._leads = False

    # --- one turn ---

    def _turn(self) -> float:
        """Do what there is to do now; how many seconds there is nothing more."""
        now_at = self._now()
        steady = self.world.steady()
        if steady - self._beaten >= self.world.beat:
            self.book.beat()
            self._beaten = steady
        self._reap(now_at)
        due = [one for one in self.cadences if (at := self._next_at(one)) is not None and at <= now_at]
        if due:
            self._settle(due, now_at)
        self._begin(now_at)
        return self._pause(now_at)

    def _now(self) -> datetime:
        """The present instant; a clock that jumped is told, one that went back is followed."""
        now_at, steady = self.world.clock(), self.world.steady()
        if self._known is not None:
            jumped = now_at - self._known[0] - timedelta(seconds=steady - self._known[1])
            if abs(jumped) > _JUMP:
                self.world.tell("clock", seconds=jumped.total_seconds())
        self._known = (now_at, steady)
        for cadence in self.cadences:
            if now_at < self._seen[cadence.name]:
                self._rewind(cadence, now_at)
        return now_at

    def _rewind(self, cadence: Cadence, now_at: datetime) -> None:
        ahead = self._seen[cadence.name] - now_at
        if ahead > _JUMP:
            self.world.tell("clock behind", cadence=cadence.name, seconds=ahead.total_seconds())
        self.book.rewind(cadence.name, now_at)
        self._seen[cadence.name] = now_at
        self._next.pop(cadence.name, None)

    def _next_at(self, cadence: Cadence) -> datetime | None:
        """When a cadence's next tick starts."""
        if cadence.name not in self._next:
            following = next_tick(cadence, self._seen[cadence.name])
            self._next[cadence.name] = following.starts_at if following else None
            if following is None:
                self.world.tell("no sessions", cadence=cadence.name)
        return self._next[cadence.name]

    def _settle(self, cadences: Sequence[Cadence], now_at: datetime, again: Sequence[Tick] = ()) -> None:
        """Decide what becomes of what came due since the last look, and of what was left unfinished."""
        known = self.book.known(min((self._seen[one.name] for one in cadences), default=now_at))
        settled: list[Settled] = []
        seen: dict[str, datetime] = {}
        for cadence in cadences:
            seen_at = self._seen[cadence.name]
            new = ticks_between(cadence, seen_at, now_at, LISTED)
            due = [tick for tick in again if tick.cadence == cadence.name]
            due += [tick for tick in new if (tick.cadence, tick.key) not in known]
            due.sort(key=lambda tick: tick.starts_at)
            long_away = now_at - seen_at > LONG_AWAY
            settled += settle(cadence, due, now_at, self._busy(cadence.name), long_away=long_away)
            seen[cadence.name] = max(seen_at, now_at)
        if settled:
            self._waiting += self.book.settle(settled, seen)
        self._seen |= seen
        for name in seen:
            self._next.pop(name, None)
        for one in settled:
            if one.state != "waiting":
                self.world.tell(one.state, tick=one.tick, note=one.note)
            elif one.catch_up:
                self.world.tell("catching up", tick=one.tick)

    def _busy(self, cadence: str) -> Busy:
        if any(tick.cadence == cadence for tick in self._waiting):
            return "waiting"
        return "running" if any(work.tick.cadence == cadence for work in self._working) else ""

    def _begin(self, now_at: datetime) -> None:
        """Begin what waits, the oldest first, each cadence's one after the other."""
        for tick in sorted(self._waiting, key=lambda tick: tick.starts_at):
            busy = {work.tick.cadence for work in self._working}
            if len(self._working) >= self.at_once:
                return
            if tick.cadence in busy:
                continue
            cadence = next(one for one in self.cadences if one.name == tick.cadence)
            self.book.start(tick, now_at)
            self._waiting.remove(tick)
            self.world.tell("started", tick=tick, late=(now_at - tick.starts_at).total_seconds())
            try:
                job = self.world.launch(cadence, tick)
            except OSError as error:  # no memory, no process to be had
                self.failed += 1
                self.book.end(tick, "failed", now_at, f"could not begin: {error}")
                self.world.tell("ended", tick=tick, state="failed", note=f"could not begin: {error}")
                continue
            limit = cadence.limit.total_seconds()
            self._working.append(_Work(tick, job, self.world.steady(), limit))

    def _reap(self, now_at: datetime) -> None:
        """Write down what has ended, and end what takes too long."""
        for work in list(self._working):
            problem = work.job.poll()
            if problem is None:
                self._hurry(work)
                continue
            if work.overdue:
                problem = f"took longer than {work.limit:.0f} seconds"
            state: TickState = "failed" if problem else "ok"
            self.book.end(work.tick, state, now_at, problem)
            self._working.remove(work)
            self.failed += bool(problem)
            seconds = self.world.steady() - work.since
            self.world.tell("ended", tick=work.tick, state=state, note=problem, seconds=seconds)

    def _hurry(self, work: _Work) -> None:
        over = self.world.steady() - work.since - work.limit
        if over > 0 and not work.overdue:
            work.overdue = True
            work.job.stop()
        elif over > _ENDING:
            work.job.kill()

    def _pause(self, now_at: datetime) -> float:
        """Seconds until something may be to do."""
        longest = self.world.look if self._working else self.world.beat
        nexts = [self._next_at(cadence) for cadence in self.cadences]
        ahead = min(((at - now_at).total_seconds() for at in nexts if at), default=longest)
        return min(max(ahead, 0.0), longest)

    # --- ending ---

    def _close(self) -> None:
        """End what goes on, and let the next scheduler begin at once."""
        if not self._leads:
            return
        ended = self._end_work()
        try:
            for tick in ended:
                self.book.end(tick, "interrupted", self.world.clock(), "the scheduler ended")
                self.world.tell("ended", tick=tick, state="interrupted", note="the scheduler ended")
        except TakenOverError:
            pass
        self.book.leave()
        self._leads = False

    def _end_work(self) -> list[Tick]:
        """Let all work end, by force where it takes too long."""
        for work in self._working:
            work.job.stop()
        begun = self.world.steady()
        while any(work.job.poll() is None for work in self._working):
            if self.world.steady() - begun > _ENDING:
                for work in self._working:
                    work.job.kill()
            self.world.sleep(_POLL)
        ended = [work.tick for work in self._working]
        self._working.clear()
        return ended
