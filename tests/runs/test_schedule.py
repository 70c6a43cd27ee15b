"""Ticks: each exactly once, at the hour that the exchange or the clock on the wall says."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.cadences import Cadence, parse_when
from tickerbook.runs.schedule import MOST, next_tick, settle, ticks_between
from tickerbook.sessions import first_weekday, hours_between

NEW_YORK = "America/New_York"


def cadence(when, zone=None, **policies):
    return Cadence("c", when, parse_when(when, zone), **policies)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def keys(one, after, until):
    return [tick.key for tick in ticks_between(one, at(after), at(until))]


def dues(one, after, until):
    return [f"{tick.due_at:%m-%d %H:%M}" for tick in ticks_between(one, at(after), at(until))]


def test_half_days_holidays_and_weekends():
    """Thanksgiving 2026: closed on 26 November, until 13:00 on the 27th (NYSE's published hours)."""
    after_close = cadence("30 min after XNYS close")
    assert dues(after_close, "2026-11-25", "2026-12-01") == ["11-25 21:30", "11-27 18:30", "11-30 21:30"]


def test_a_session_is_followed_through_both_changes_of_clocks():
    """16:30 in New York is 21:30 UTC in winter and 20:30 in summer."""
    after_close = cadence("30 min after XNYS close")
    assert dues(after_close, "2026-03-06", "2026-03-10") == ["03-06 21:30", "03-09 20:30"]
    assert dues(after_close, "2026-10-30", "2026-11-03") == ["10-30 20:30", "11-02 21:30"]


def test_before_an_open_belongs_to_the_session_that_opens():
    """Tokyo opens at 09:00, which is midnight UTC: the tick is the evening before."""
    (tick,) = ticks_between(
        cadence("45 min before XTKS open"), at("2026-11-18T12:00"), at("2026-11-19T12:00")
    )
    assert (tick.session, tick.due_at) == (date(2026, 11, 19), at("2026-11-18T23:15"))


def test_weekly_after_the_last_session():
    """On Thursday where Friday is a holiday (Good Friday 2026), on a half day early."""
    weekly = cadence("2 h after the last XNYS close of the week")
    assert dues(weekly, "2026-03-30", "2026-04-11") == ["04-02 22:00", "04-10 22:00"]
    assert keys(weekly, "2026-11-23", "2026-11-30") == ["2026-11-27"]


def test_a_week_is_the_exchanges():
    """Riyadh trades from Sunday to Thursday."""
    weekly = cadence("1 h after the last XSAU close of the week")
    assert first_weekday("XSAU") == 6
    assert keys(weekly, "2026-11-20", "2026-12-06") == ["2026-11-26", "2026-12-03"]


def test_the_first_session_of_a_month():
    """The first of January is a holiday; the first of August 2026 is a Saturday."""
    monthly = cadence("at the first XNYS open of the month")
    assert keys(monthly, "2025-12-15", "2026-02-15") == ["2026-01-02", "2026-02-02"]
    assert keys(monthly, "2026-07-15", "2026-08-15") == ["2026-08-03"]


def test_a_time_that_the_night_lacks_comes_once_after_the_leap():
    """SC03: 02:30 on 2026-03-08 in New York does not exist; the tick comes at 03:30 daylight time."""
    nightly = cadence("cron 30 2 * * *", NEW_YORK)
    assert dues(nightly, "2026-03-07T12:00", "2026-03-09T12:00") == ["03-08 07:30", "03-09 06:30"]


def test_a_time_that_the_night_has_twice_comes_once():
    """SC03: 01:30 on 2026-11-01 in New York comes at the first of the two."""
    nightly = cadence("cron 30 1 * * *", NEW_YORK)
    assert dues(nightly, "2026-10-31T12:00", "2026-11-02T12:00") == ["11-01 05:30", "11-02 06:30"]


def test_what_comes_all_day_comes_in_the_hour_that_is_there_twice():
    """Every 30 minutes stays every 30 minutes, in both nights."""
    often = cadence("cron */30 * * * *", NEW_YORK)
    for day in ("2026-03-08", "2026-11-01"):
        ticks = ticks_between(often, at(day), at(f"{day}T12:00"))
        assert {b.due_at - a.due_at for a, b in pairwise(ticks)} == {timedelta(minutes=30)}


def test_a_day_that_a_place_skipped():
    """Samoa went from 29 to 31 December 2011: the 30th's noon falls together with the 31st's, and counts once."""
    noon = cadence("cron 0 12 * * *", "Pacific/Apia")
    assert dues(noon, "2011-12-29", "2012-01-01") == ["12-29 22:00", "12-30 22:00", "12-31 22:00"]


def test_days_of_month_and_week_as_cron_has_them():
    """Where both are restricted either fits; Vixie cron's manual."""
    either = cadence("cron 0 0 13 * fri", "UTC")
    assert dues(either, "2026-11-01", "2026-11-20T12:00") == ["11-06 00:00", "11-13 00:00", "11-20 00:00"]
    both = cadence("cron 0 0 */2 * fri", "UTC")
    assert dues(both, "2026-11-01", "2026-11-20T12:00") == ["11-13 00:00"]


def test_leap_day():
    """The next 29 February after 2096 is in 2104."""
    assert next_tick(cadence("cron 0 0 29 2 *", "UTC"), at("2096-03-01")).key == "2104-02-29T00:00Z"


def test_the_calendar_goes_on_after_years():
    """A program that has run for ten years still knows the next session."""
    assert next_tick(cadence("at XNYS close"), at("2036-11-21T12:00")).key == "2036-11-21"


def test_where_holidays_are_not_known_there_is_no_tick():
    """Hong Kong's are recorded to 2049."""
    assert hours_between("XHKG", date(2055, 1, 1), date(2055, 2, 1)) == []
    assert next_tick(cadence("at XHKG close"), at("2055-01-01")) is None


def test_only_the_newest():
    """With a limit, years are not looked through for what nobody will do."""
    often = cadence("cron * * * * *", "UTC")
    ticks = ticks_between(often, at("2026-11-20"), at("2036-11-20"), 5)
    assert [tick.key[-6:] for tick in ticks] == ["23:56Z", "23:57Z", "23:58Z", "23:59Z", "00:00Z"]


def test_jitter_is_the_same_each_time_and_within_its_bound():
    """A restart does not move a tick."""
    shaken = cadence("30 min after XNYS close", jitter=timedelta(minutes=5))
    ticks = ticks_between(shaken, at("2026-11-02"), at("2026-12-02"))
    delays = [tick.starts_at - tick.due_at for tick in ticks]
    assert ticks == ticks_between(shaken, at("2026-11-02"), at("2026-12-02"))
    assert all(timedelta(0) <= delay <= timedelta(minutes=5) for delay in delays)
    assert len(set(delays)) > 10


WHENS = [
    cadence("30 min after XNYS close", jitter=timedelta(minutes=7)),
    cadence("45 min before XLON open"),
    cadence("2 h after the last XNYS close of the week"),
    cadence("cron 30 1,2 * * *", NEW_YORK),
    cadence("cron */20 * * * *", "Europe/Berlin"),
    cadence("cron 15 2 * * sun", "Australia/Lord_Howe", jitter=timedelta(minutes=90)),
]


@given(
    one=st.sampled_from(WHENS),
    first=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),  # noqa: DTZ001 - hypothesis wants it naive
    cuts=st.lists(st.integers(0, 20 * 24 * 60), max_size=8),
)
def test_looking_in_pieces_sees_each_tick_once(one, first, cuts):
    """However often a scheduler looks and wherever it was restarted: the same ticks as in one look."""
    begin = first.replace(tzinfo=UTC)
    edges = [begin, *(begin + timedelta(minutes=cut) for cut in sorted(cuts)), begin + timedelta(days=20)]
    pieces = [tick for a, b in pairwise(edges) for tick in ticks_between(one, a, b)]
    assert pieces == ticks_between(one, edges[0], edges[-1])
    assert len({tick.key for tick in pieces}) == len(pieces)
    if pieces:
        assert next_tick(one, begin) == pieces[0]


@given(day=st.dates(date(2020, 1, 1), date(2030, 12, 31)), hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_a_daily_tick_comes_once_a_day(day, hour, minute):
    """For every wall time of every day; where the wall shows it, that is when."""
    zone = ZoneInfo(NEW_YORK)
    begin = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - timedelta(microseconds=1)
    after = day + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC) - timedelta(
        microseconds=1
    )
    (tick,) = ticks_between(cadence(f"cron {minute} {hour} * * *", NEW_YORK), begin, end)
    shown = tick.due_at.astimezone(zone)
    assert (shown.hour, shown.minute) in {(hour, minute), (hour + 1, minute)}


DUE = ticks_between(cadence("at XNYS close"), at("2026-11-16"), at("2026-11-19"))  # Monday to Wednesday


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        ("each", ["waiting", "waiting", "waiting"]),
        ("latest", ["missed", "missed", "waiting"]),
        ("none", ["missed", "missed", "missed"]),
    ],
)
def test_what_was_missed_is_caught_up_by_policy(catch_up, expected):
    """SC01: three sessions missed, three, one or none run, each known by its session."""
    settled = settle(cadence("at XNYS close", catch_up=catch_up), DUE, at("2026-11-19T12:00"))
    assert [one.state for one in settled] == expected
    assert [one.tick.session.day for one in settled] == [16, 17, 18]
    assert all(one.catch_up == (one.state == "waiting") for one in settled)


@pytest.mark.parametrize(("catch_up", "expected"), [("latest", "missed"), ("each", "waiting")])
def test_a_tick_on_time_stands_for_those_before(catch_up, expected):
    """`latest` does not run twice when the newest is not even late."""
    settled = settle(cadence("at XNYS close", catch_up=catch_up), DUE, DUE[-1].due_at + timedelta(minutes=5))
    assert [one.state for one in settled] == [expected, expected, "waiting"]
    assert not settled[-1].catch_up


@pytest.mark.parametrize(
    ("overlap", "busy", "expected"),
    [
        ("skip", "running", "skipped"),
        ("skip", "waiting", "skipped"),
        ("queue", "running", "waiting"),
        ("queue", "waiting", "skipped"),
        ("skip", "", "waiting"),
    ],
)
def test_overlap_by_policy(overlap, busy, expected):
    """Skip, or let one wait."""
    (settled,) = settle(cadence("at XNYS close", overlap=overlap), DUE[-1:], DUE[-1].due_at, busy)
    assert settled.state == expected


def test_catching_up_has_a_bound():
    """Of a thousand that were missed the newest run; after a very long time one does."""
    often = cadence("cron * * * * *", "UTC", catch_up="each")
    due = ticks_between(often, at("2026-11-01"), at("2026-11-02"))
    states = [one.state for one in settle(often, due, at("2026-11-03"))]
    assert states.count("waiting") == MOST
    assert [one.state for one in settle(often, due, at("2026-11-03"), long_away=True)].count("waiting") == 1
