"""When a cadence is due, and what becomes of what is due: pure functions of sessions and instants.

Cron is our own: what remains of it, when each tick has to come once also in the nights when clocks change,
is five sets of numbers. An hour that such a night lacks is made up for right after it; of an hour that it has
twice the first counts (both, where the hours begin with `*`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

from tickerbook.cadences import AtSession, AtWall, Cadence
from tickerbook.files import digest
from tickerbook.sessions import Hours, first_weekday, hours_between

TickState = Literal["waiting", "running", "ok", "failed", "interrupted", "skipped", "missed"]
Busy = Literal["", "running", "waiting"]

MOST = 25  # ticks that are caught up at once, and never more
LONG_AWAY = timedelta(days=31)  # after that, one tick stands for all that were missed
_DAY = timedelta(days=1)
_PERIOD = timedelta(days=40)  # longer than any month, with what borders on it
_LOOKS = (2, 10, 45, 400, 1500, 3000)  # days to look ahead: most ticks are near
_LEAP = 3_000  # days; there is a 29 February within


@dataclass(frozen=True)
class Tick:
    """One time at which a cadence is due.

    Attributes:
        cadence: its name.
        key: what is unique among the cadence's ticks: the session, or the instant of cron's.
        due_at: when.
        starts_at: `due_at` and the tick's own jitter.
        session: the session it is for; None for cron.
    """

    cadence: str
    key: str
    due_at: datetime
    starts_at: datetime
    session: date | None = None


@dataclass(frozen=True)
class Settled:
    """What becomes of a tick that is due: it waits for its turn, or is left out with a reason.

    Attributes:
        catch_up: whether its time was missed.
    """

    tick: Tick
    state: TickState
    note: str = ""
    catch_up: bool = False


def ticks_between(
    cadence: Cadence, after: datetime, until: datetime, at_most: int | None = None
) -> list[Tick]:
    """Ticks that start after `after` and not after `until`, oldest first; with `at_most` the newest ones.

    Raises:
        ConfigError: for an unknown calendar.
    """
    if at_most is None:
        return _within(cadence, after, until)
    found: list[Tick] = []
    for days in (*_LOOKS, _LEAP * 10):
        begin = max(after, until - timedelta(days=days))
        found = _within(cadence, begin, until)
        if begin <= after or len(found) >= at_most:
            break
    return found[-at_most:]


def next_tick(cadence: Cadence, after: datetime) -> Tick | None:
    """The first tick that starts after `after`; None where the calendar knows of none.

    Raises:
        ConfigError: for an unknown calendar.
    """
    for days in _LOOKS:
        found = _within(cadence, after, after + timedelta(days=days))
        if found:
            return found[0]
    return None


def settle(
    cadence: Cadence, due: Sequence[Tick], now_at: datetime, busy: Busy = "", *, long_away: bool = False
) -> list[Settled]:
    """What becomes of ticks that are due, by the cadence's policies.

    Args:
        cadence: whose ticks.
        due: the ticks, oldest first.
        now_at: the present instant.
        busy: whether a tick of the cadence is running, or even another one waiting.
        long_away: whether nobody was there for so long that `each` would be a storm.
    """
    late = [tick for tick in due if now_at - tick.starts_at > cadence.grace]
    fresh = [tick for tick in due if now_at - tick.starts_at <= cadence.grace]
    policy = "latest" if long_away and cadence.catch_up == "each" else cadence.catch_up
    return _caught_up(late, policy, bool(fresh)) + _overlapping(fresh, cadence, busy)


def _caught_up(late: list[Tick], policy: str, followed: bool) -> list[Settled]:
    kept = {"each": MOST, "latest": 0 if followed else 1, "none": 0}[policy]
    cut = max(len(late) - kept, 0)
    why = "nothing is caught up" if policy == "none" else "a later one stands for it"
    gone = [Settled(tick, "missed", why) for tick in late[:cut]]
    return gone + [Settled(tick, "waiting", "", catch_up=True) for tick in late[cut:]]


def _overlapping(fresh: list[Tick], cadence: Cadence, busy: Busy) -> list[Settled]:
    room = len(fresh) if cadence.catch_up == "each" else 1
    if busy:
        room = 1 if cadence.overlap == "queue" and busy == "running" else 0
    cut = max(len(fresh) - room, 0)
    why = "the one before it had not ended" if busy else "a later one was due with it"
    return [Settled(tick, "skipped", why) for tick in fresh[:cut]] + [
        Settled(tick, "waiting") for tick in fresh[cut:]
    ]


def _within(cadence: Cadence, after: datetime, until: datetime) -> list[Tick]:
    """Every tick in a span, oldest first."""
    first, last = after - cadence.jitter, until
    when = cadence.when
    dues = _of_sessions(when, first, last) if isinstance(when, AtSession) else _of_wall(when, first, last)
    ticks = (_tick(cadence, due_at, session) for due_at, session in dues)
    return sorted(
        (tick for tick in ticks if after < tick.starts_at <= until),
        key=lambda tick: (tick.starts_at, tick.key),
    )


def _tick(cadence: Cadence, due_at: datetime, session: date | None) -> Tick:
    key = session.isoformat() if session else f"{due_at:%Y-%m-%dT%H:%MZ}"
    most = int(cadence.jitter.total_seconds())
    jitter = int(digest(cadence.name, key)[:12], 16) % (most + 1)  # the same after a restart
    return Tick(cadence.name, key, due_at, due_at + timedelta(seconds=jitter), session)


def _of_sessions(when: AtSession, first: datetime, last: datetime) -> Iterator[tuple[datetime, date | None]]:
    margin = _PERIOD if when.period else 2 * _DAY
    hours = hours_between(when.calendar, (first - margin).date(), (last + margin).date())
    for one in _picked(when, hours):
        edge = one.opens_at if when.side == "open" else one.closes_at
        if first < edge + when.shift <= last:
            yield edge + when.shift, one.session


def _picked(when: AtSession, hours: Sequence[Hours]) -> Iterable[Hours]:
    if not when.period:
        return hours
    begins = first_weekday(when.calendar)
    periods: dict[str, Callable[[Hours], object]] = {
        "week": lambda one: one.session - timedelta(days=(one.session.weekday() - begins) % 7),
        "month": lambda one: (one.session.year, one.session.month),
    }
    groups = [list(group) for _, group in groupby(hours, key=periods[when.period])]
    return [group[0 if when.pick == "first" else -1] for group in groups]


def _of_wall(when: AtWall, first: datetime, last: datetime) -> Iterator[tuple[datetime, date | None]]:
    zone = ZoneInfo(when.zone)
    day, end = (first.astimezone(zone) - 2 * _DAY).date(), (last.astimezone(zone) + 2 * _DAY).date()
    found: set[datetime] = set()
    while day <= end:
        if _fits(when, day):
            found.update(_instants(when, day, zone))
        day += _DAY
    return ((due_at, None) for due_at in sorted(found) if first < due_at <= last)


def _fits(when: AtWall, day: date) -> bool:
    by_day, by_weekday = day.day in when.days, day.isoweekday() % 7 in when.weekdays
    fits = by_day or by_weekday if when.either else by_day and by_weekday
    return fits and day.month in when.months


def _instants(when: AtWall, day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Each wall time of a day as an instant. One that clocks leave out comes after the leap."""
    for hour in when.hours:
        for minute in when.minutes:
            wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            first, second = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
            yield first
            if when.hourly and second > first:  # clocks show it twice
                yield second
