"""Exchange days, thin over exchange_calendars.

A session is a naive date, the day's name on its exchange; an instant is UTC and its name ends in `_at`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import exchange_calendars
import pandas as pd
from exchange_calendars.errors import InvalidCalendarName

from tickerbook.errors import ConfigError

FIRST = date(1990, 1, 1)


_REMEDY = "Use a market identifier code such as XNYS, XLON or XTKS in params/universe.toml."


@lru_cache(maxsize=32)
def _calendar(name: str) -> Any:
    try:
        return _since(name)
    except InvalidCalendarName as error:
        raise ConfigError(f"There is no exchange calendar named {name!r}.", _REMEDY) from error
    except (ValueError, NotImplementedError) as error:  # XTAE and Orthodox Easter do not work with pandas 3
        who = f"exchange_calendars {exchange_calendars.__version__}"
        raise ConfigError(f"{who} cannot compute {name!r}: {error}.", _REMEDY) from error


def _since(name: str) -> Any:
    """The calendar from FIRST on, or from the year its holidays are recorded from."""
    try:
        return exchange_calendars.get_calendar(name, start=FIRST.isoformat())
    except ValueError:
        earliest = exchange_calendars.get_calendar(name).bound_min()
        return exchange_calendars.get_calendar(name, start=earliest)


def sessions_between(calendar: str, first: date, last: date) -> pd.DatetimeIndex:
    """Sessions of an exchange from `first` to `last`, both included, as naive midnight timestamps.

    Raises:
        ConfigError: for an unknown calendar.
    """
    days = _calendar(calendar).sessions
    begin, end = days.searchsorted(pd.Timestamp(first)), days.searchsorted(pd.Timestamp(last), side="right")
    return days[begin:end]


def is_session(calendar: str, day: date) -> bool:
    """Whether the exchange trades on `day`."""
    return len(sessions_between(calendar, day, day)) == 1


def last_completed(calendar: str, now_at: datetime) -> date:
    """The last session whose close is not after `now_at` (an aware instant).

    Raises:
        ValueError: if `now_at` has no time zone, or lies before the calendar's first close.
        ConfigError: for an unknown calendar.
    """
    if now_at.tzinfo is None:
        raise ValueError("now_at must be an aware instant")
    closes = _calendar(calendar).closes
    done = closes[closes <= pd.Timestamp(now_at.astimezone(UTC))]
    if done.empty:
        raise ValueError(f"{calendar} has no session completed by {now_at}")
    return done.index[-1].date()  # type: ignore[no-any-return]


def quarter_end(session: date) -> date:
    """The last day of the newest calendar quarter that was over before `session`'s quarter began.

    What is measured up to that day stays the same until the next quarter is complete.

    >>> quarter_end(date(2013, 3, 1)), quarter_end(date(2013, 4, 1))
    (datetime.date(2012, 12, 31), datetime.date(2013, 3, 31))
    """
    return date(session.year, 3 * ((session.month - 1) // 3) + 1, 1) - timedelta(days=1)


@lru_cache(maxsize=32)
def sessions_a_year(calendar: str) -> int:
    """How many sessions a year of the exchange has: the mean of the ten years 2010 to 2019, rounded.

    What everything a year is annualised with, and stated nowhere else: 252 for New York, 253 for London, 245
    for Tokyo, 365 for what never closes.

    Raises:
        ConfigError: for an unknown calendar.
    """
    return round(len(sessions_between(calendar, date(2010, 1, 1), date(2019, 12, 31))) / 10)


def time_zone(calendar: str) -> str:
    """The exchange's time zone by its IANA name, such as America/New_York.

    Raises:
        ConfigError: for an unknown calendar.
    """
    return str(_calendar(calendar).tz)


@dataclass(frozen=True)
class Hours:
    """When a session was or will be open.

    Attributes:
        session: the day's name on its exchange.
        opens_at: its first instant (UTC).
        closes_at: its end (UTC), on half days the earlier one.
    """

    session: date
    opens_at: datetime
    closes_at: datetime


def hours_between(calendar: str, first: date, last: date) -> list[Hours]:
    """Opening hours of the sessions from `first` to `last`, both included, oldest first.

    Unlike the rest of this module it looks as far ahead as the exchange's holidays are known, also from a
    program that was started years ago. Beyond that there is nothing.

    Raises:
        ConfigError: for an unknown calendar.
    """
    years = range(first.year, last.year + 1)
    return [one for year in years for one in _hours(calendar, year) if first <= one.session <= last]


@lru_cache(maxsize=128)
def _hours(calendar: str, year: int) -> tuple[Hours, ...]:
    """The sessions of a year; none where they are not known."""
    _calendar(calendar)  # refuses a name that there is not
    try:
        found = exchange_calendars.get_calendar(calendar, start=f"{year}-01-01", end=f"{year}-12-31")
    except ValueError:  # before or after the years whose holidays are recorded
        return ()
    opens, closes = found.opens.dt.to_pydatetime(), found.closes.dt.to_pydatetime()
    return tuple(
        Hours(day.date(), opens_at.astimezone(UTC), closes_at.astimezone(UTC))
        for day, opens_at, closes_at in zip(found.sessions, opens, closes, strict=True)
    )


@lru_cache(maxsize=32)
def first_weekday(calendar: str) -> int:
    """The weekday on which the exchange's week begins, Monday being 0: the one after the days it rests.

    >>> first_weekday("XNYS"), first_weekday("XSAU"), first_weekday("24/7")
    (0, 6, 0)

    Raises:
        ConfigError: for an unknown calendar.
    """
    open_days = [int(day) for day in str(_calendar(calendar).weekmask)]
    begins = [day for day in range(7) if open_days[day] and not open_days[day - 1]]
    return begins[0] if begins else 0
