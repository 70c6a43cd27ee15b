"""Exchange days, thin over exchange_calendars.

A session is a naive date, the day's name on its exchange; an instant is UTC and its name ends in `_at`.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import exchange_calendars
import pandas as pd
from exchange_calendars.errors import InvalidCalendarName

from tickerbook.errors import ConfigError

FIRST = date(1990, 1, 1)


@lru_cache(maxsize=32)
def _calendar(name: str) -> Any:
    try:
        return exchange_calendars.get_calendar(name, start=FIRST.isoformat())
    except InvalidCalendarName as error:
        raise ConfigError(
            f"There is no exchange calendar named {name!r}.",
            "Use a market identifier code such as XNYS, XLON or XTKS in params/universe.toml.",
        ) from error


def sessions_between(calendar: str, first: date, last: date) -> pd.DatetimeIndex:
    """Sessions of an exchange from `first` to `last`, both included, as naive midnight timestamps.

    Raises:
        ConfigError: for an unknown calendar.
    """
    days = _calendar(calendar).sessions
    return days[(days >= pd.Timestamp(first)) & (days <= pd.Timestamp(last))]


def is_session(calendar: str, day: date) -> bool:
    """Whether the exchange trades on `day`."""
    return len(sessions_between(calendar, day, day)) == 1


def last_completed(calendar: str, now_at: datetime) -> date:
    """The last session whose close is not after `now_at` (an aware instant).

    Raises:
        ValueError: if `now_at` has no time zone.
        ConfigError: for an unknown calendar.
    """
    if now_at.tzinfo is None:
        raise ValueError("now_at must be an aware instant")
    now_at = now_at.astimezone(UTC)
    closes = _calendar(calendar).closes
    recent = closes[closes.index >= pd.Timestamp((now_at - timedelta(days=30)).date())]
    done = recent[recent <= pd.Timestamp(now_at)]
    return done.index[-1].date()  # type: ignore[no-any-return]
