"""Cadences: when tickerbook works by itself, as params/schedule.toml says it.

A cadence follows an exchange ("30 min after XNYS close", "2 h after the last XNYS close of the week"), or a
clock on a wall ("cron 30 6 * * mon-fri", with a time zone).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tickerbook.errors import ConfigError

Side = Literal["open", "close"]
Pick = Literal["every", "first", "last"]
Period = Literal["", "week", "month"]
CatchUp = Literal["each", "latest", "none"]
Overlap = Literal["skip", "queue"]
Work = Literal["update", "prefetch"]

_SPAN = re.compile(r"(\d+)\s*(s|min|h|d)")
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
_SESSION = re.compile(
    r"(?:at|(?P<span>\d+\s*(?:s|min|h))\s+(?P<way>after|before))\s+(?:the\s+)?(?:(?P<pick>first|last)\s+)?"
    r"(?P<calendar>[A-Z0-9][A-Za-z0-9_/]*)\s+(?P<side>open|close)(?:\s+of\s+the\s+(?P<period>week|month))?"
)
_EXAMPLES = (
    'Write "30 min after XNYS close", "2 h after the last XNYS close of the week", '
    'or "cron 30 6 * * mon-fri" with a zone.'
)
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = timedelta(hours=12)  # further from an open or close, it would be about another session


@dataclass(frozen=True)
class AtSession:
    """An instant of sessions.

    Attributes:
        calendar: the exchange's (ISO 10383 MIC).
        side: of a session.
        shift: after it; negative before it.
        pick: which sessions of each `period`; every one where that is empty.
    """

    calendar: str
    side: Side
    shift: timedelta
    pick: Pick = "every"
    period: Period = ""


@dataclass(frozen=True)
class AtWall:
    """What clocks on a wall show: the five fields of cron, each as the numbers that it allows.

    Attributes:
        days: of the month.
        weekdays: 0 is Sunday.
        either: whether a day may fit `days` or `weekdays`, as cron has it where both are restricted.
        hourly: whether the hours begin with `*`: then an hour that a night has twice counts twice.
        zone: IANA name of the time zone.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    hourly: bool
    zone: str


@dataclass(frozen=True)
class Cadence:
    """One cadence, with its policies.

    Attributes:
        name: lower case.
        says: `when` as written.
        tickers: symbols; empty for the whole universe.
        does: "update", or "prefetch": only the prices.
        catch_up: what becomes of ticks that nobody was there for.
        overlap: what becomes of a tick while the one before still runs.
        jitter: ticks start later by up to this, each always by the same.
        grace: a tick that is later than this was missed.
        limit: how long its work may take.
    """

    name: str
    says: str
    when: AtSession | AtWall
    tickers: tuple[str, ...] = ()
    does: Work = "update"
    catch_up: CatchUp = "latest"
    overlap: Overlap = "skip"
    jitter: timedelta = timedelta(0)
    grace: timedelta = timedelta(hours=1)
    limit: timedelta = timedelta(hours=6)


def span(text: str) -> timedelta:
    """A span of time.

    >>> span("90 min"), span("1d")
    (datetime.timedelta(seconds=5400), datetime.timedelta(days=1))

    Raises:
        ConfigError: if it is none.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"{text!r} is not a span of time.", 'Write "90 s", "30 min", "2 h" or "1 d".')
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def parse_when(text: str, zone: str | None = None) -> AtSession | AtWall:
    """What a phrase means.

    >>> parse_when("30 min after XNYS close").shift
    datetime.timedelta(seconds=1800)

    Args:
        text: the phrase.
        zone: the time zone, needed by cron and by nothing else.

    Raises:
        ConfigError: if it means nothing.
    """
    if text.startswith("cron "):
        return _cron(text.removeprefix("cron "), zone)
    found = _SESSION.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"{text!r} says no time.", _EXAMPLES)
    if zone is not None:
        raise ConfigError(f"{text!r} needs no zone: an exchange has its own.", "Remove `zone`.")
    if (found["pick"] is None) != (found["period"] is None):
        raise ConfigError(f"{text!r}: first and last are of the week or of the month.", _EXAMPLES)
    shift = span(found["span"]) if found["span"] else timedelta(0)
    if shift > _LONGEST:
        raise ConfigError(f"{text!r} is too far from its session.", "Stay within 12 h of an open or close.")
    return AtSession(
        found["calendar"],
        "open" if found["side"] == "open" else "close",
        -shift if found["way"] == "before" else shift,
        "every" if not found["pick"] else "first" if found["pick"] == "first" else "last",
        "" if not found["period"] else "week" if found["period"] == "week" else "month",
    )


def _cron(text: str, zone: str | None) -> AtWall:
    fields = text.split()
    if len(fields) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
        raise ConfigError(
            f"'cron {text}' has {len(fields)} fields instead of five.",
            "They are minute, hour, day of the month, month, day of the week.",
        )
    if zone is None:
        raise ConfigError(f"'cron {text}' needs a zone.", 'Write zone = "America/New_York" below it.')
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"{zone!r} is not a time zone.", "Write one such as Europe/Berlin or UTC."
        ) from error
    minute, hour, day, month, weekday = fields
    when = AtWall(
        minutes=_field(minute, 0, 59),
        hours=_field(hour, 0, 23),
        days=_field(day, 1, 31),
        months=_field(month, 1, 12, {name: n for n, name in enumerate(_MONTHS) if name}),
        weekdays=frozenset(n % 7 for n in _field(weekday, 0, 7, {name: n for n, name in enumerate(_DAYS)})),
        either=not (day.startswith("*") or weekday.startswith("*")),
        hourly=hour.startswith("*"),
        zone=zone,
    )
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
    if not when.either and all(min(when.days) > longest.get(month, 31) for month in when.months):
        raise ConfigError(f"'cron {text}' names a day that no year has.", "Mend the day or the month.")
    return when


def _field(text: str, low: int, high: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    """The numbers that a field of cron allows: `*`, `5`, `mon-fri`, `*/15`, `1,3,10-20/2`."""
    allowed: set[int] = set()
    for part in text.lower().split(","):
        values, slash, step = part.partition("/")
        first, dash, last = ("*", "", "") if values == "*" else values.partition("-")
        begin = low if first == "*" else _number(first, text, names)
        end = _number(last, text, names) if dash else high if slash or first == "*" else begin
        every = _number(step, text) if slash else 1
        if not (low <= begin <= end <= high and every >= 1):
            raise ConfigError(f"cron: {text!r} is not within {low} to {high}.", _EXAMPLES)
        allowed.update(range(begin, end + 1, every))
    return frozenset(allowed)


def _number(text: str, field: str, names: Mapping[str, int] | None = None) -> int:
    if text in (names or {}):
        return (names or {})[text]
    if not (text.isascii() and text.isdecimal()):
        raise ConfigError(f"cron: {field!r} cannot be read.", _EXAMPLES)
    return int(text)
