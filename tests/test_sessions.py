"""Exchange days, against what the exchanges announced."""

from datetime import UTC, date, datetime

import pytest

from tickerbook.errors import ConfigError
from tickerbook.sessions import is_session, last_completed, sessions_a_year, sessions_between, time_zone


def test_sessions_between_has_both_ends_as_naive_midnights():
    """A plain week has five sessions."""
    days = sessions_between("XNYS", date(2012, 3, 5), date(2012, 3, 9))
    assert [d.date().isoformat() for d in days] == [f"2012-03-0{n}" for n in range(5, 10)]
    assert days.tz is None


@pytest.mark.parametrize(
    "day",
    [
        date(2012, 10, 29),  # hurricane Sandy
        date(2001, 9, 11),  # the attacks
        date(2004, 6, 11),  # mourning for President Reagan
        date(2013, 1, 21),  # Martin Luther King Jr. Day
        date(2013, 1, 19),  # a Saturday
    ],
)
def test_closed_days_are_not_sessions(day):
    """NYSE did not trade on these days (its published list of closings)."""
    assert not is_session("XNYS", day)


def test_a_half_day_is_a_session():
    """The day after Thanksgiving closes at 13:00 and counts."""
    assert is_session("XNYS", date(2012, 11, 23))


@pytest.mark.parametrize(
    ("now_at", "expected"),
    [
        (datetime(2012, 3, 7, 20, 59, tzinfo=UTC), date(2012, 3, 6)),  # one minute before 16:00 in New York
        (datetime(2012, 3, 7, 21, 0, tzinfo=UTC), date(2012, 3, 7)),  # at the close, winter time
        (datetime(2012, 3, 12, 20, 0, tzinfo=UTC), date(2012, 3, 12)),  # at the close, summer time
        (datetime(2012, 11, 23, 18, 0, tzinfo=UTC), date(2012, 11, 23)),  # 13:00 of a half day
        (datetime(2012, 3, 11, 12, 0, tzinfo=UTC), date(2012, 3, 9)),  # a Sunday
        (datetime(2012, 10, 30, 23, 0, tzinfo=UTC), date(2012, 10, 26)),  # closed for two days by a storm
    ],
)
def test_last_completed_is_the_last_session_that_has_closed(now_at, expected):
    """A session counts from its close on, winter and summer, half days too."""
    assert last_completed("XNYS", now_at) == expected


def test_last_completed_wants_an_aware_instant():
    """A naive clock would silently mean another time zone."""
    with pytest.raises(ValueError, match="aware"):
        last_completed("XNYS", datetime(2012, 3, 7))  # noqa: DTZ001 - a naive instant is the point


def test_last_completed_before_the_calendar_begins_is_refused():
    """There is no session to name."""
    with pytest.raises(ValueError, match="no session"):
        last_completed("XNYS", datetime(1980, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("name", ["XNYS", "XLON", "XTKS", "XHKG", "XETR", "XBOM"])
def test_exchanges_with_short_records_work(name):
    """Some calendars know their holidays from a later year only."""
    assert last_completed(name, datetime(2026, 3, 4, 23, tzinfo=UTC)) == date(2026, 3, 4)


@pytest.mark.parametrize("name", ["NOPE", "", "../XNYS"])
def test_an_unknown_calendar_is_a_configuration_error(name):
    """It names the value and what to write instead."""
    with pytest.raises(ConfigError, match=f"named '{name}'") as caught:
        is_session(name, date(2012, 3, 7))
    assert "XNYS" in caught.value.remedy


def test_time_zone_is_the_exchange_s_own():
    """Named as the IANA database names it."""
    assert time_zone("XNYS") == "America/New_York"
    assert time_zone("XTKS") == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("calendar", "sessions"), [("XNYS", 252), ("XLON", 253), ("XTKS", 245), ("24/7", 365)]
)
def test_a_year_has_as_many_sessions_as_the_exchange(calendar, sessions):
    """New York, London, Tokyo, and what never closes."""
    assert sessions_a_year(calendar) == sessions
