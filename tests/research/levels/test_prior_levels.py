"""Prior day, week, month and year against the exchange's calendar."""

import numpy as np
import pandas as pd
import pytest

from tickerbook.research.levels import find_levels


def prior(bars, name):
    """Price, formed and known of the level whose method includes `prior …`, or None."""
    for level in find_levels(bars, per_side=None):
        if f"prior {name}" in level.method:
            return round(level.price, 6), level.formed.isoformat(), level.known.isoformat()
    return None


def test_the_prior_day_is_the_last_session(spy):
    """High, low and close of 2018-12-31, as they stand in the source."""
    last = spy.frame.iloc[-1]
    day = "2018-12-31"
    assert prior(spy, "day high") == (last["high"], day, day)
    assert prior(spy, "day low") == (last["low"], day, day)
    assert prior(spy, "day close") == (last["close"], day, day)


@pytest.mark.parametrize(
    ("session", "week", "month", "why"),
    [
        (
            "2018-03-28",
            ("2018-03-19", "2018-03-23"),
            ("2018-02-01", "2018-02-28"),
            "a Wednesday ends nothing",
        ),
        ("2018-03-29", ("2018-03-26", "2018-03-29"), ("2018-03-01", "2018-03-29"), "Good Friday follows"),
        (
            "2018-04-02",
            ("2018-03-26", "2018-03-29"),
            ("2018-03-01", "2018-03-29"),
            "a week of one session is partial",
        ),
        (
            "2018-10-31",
            ("2018-10-22", "2018-10-26"),
            ("2018-10-01", "2018-10-31"),
            "a month may end within a week",
        ),
    ],
)
def test_only_a_completed_week_or_month_counts(spy, session, week, month, why):
    """The calendar, not the data, says whether the last session ends its period."""
    bars = spy.until(pd.Timestamp(session).date())
    for name, (first, last) in {"week": week, "month": month}.items():
        rows = spy.frame.loc[first:last]
        formed = rows["high"].idxmax().date().isoformat()
        assert prior(bars, f"{name} high") == (round(rows["high"].max(), 6), formed, last), why
        formed = rows["low"].idxmin().date().isoformat()
        assert prior(bars, f"{name} low") == (round(rows["low"].min(), 6), formed, last), why
        assert prior(bars, f"{name} close") == (round(rows["close"].iloc[-1], 6), last, last), why


def test_a_month_whose_beginning_is_not_in_the_bars_is_not_known(make_bars):
    """From 2018-01-10 to 2018-02-09 there is no complete month; from 2018-01-02 there is."""
    assert prior(make_bars(np.arange(23) + 50.0, first="2018-01-10"), "month") is None
    assert prior(make_bars(np.arange(28) + 50.0, first="2018-01-02"), "month high")[2] == "2018-01-31"


def test_sessions_that_the_calendar_does_not_know_end_nothing(spy):
    """The calendar starts in 1990: on a Friday of 1985 the week is not taken for complete."""
    frame = spy.frame.iloc[:30].set_axis(pd.bdate_range("1985-01-07", periods=30, name="session"))
    old = type(spy)(frame, "TEST", "XNYS", "USD", "split", "test", spy.fetched_at)
    assert old.session.weekday() == 4
    assert prior(old, "week high")[2] == "1985-02-08"


def test_a_row_on_a_holiday_ends_nothing(spy):
    """Only Friday follows a row wrongly dated Thanksgiving 2018-11-22: the week is not complete."""
    days = [*spy.frame.loc[:"2018-11-20"].index, pd.Timestamp("2018-11-22")]
    frame = spy.frame.iloc[: len(days)].set_axis(pd.DatetimeIndex(days, name="session"))
    wrong = type(spy)(frame, "TEST", "XNYS", "USD", "split", "test", spy.fetched_at)
    assert prior(wrong, "week high")[2] == "2018-11-16"


@pytest.mark.parametrize(("sessions", "ends"), [(24, "2022-01-27"), (25, "2022-02-03")])
def test_a_week_from_sunday_to_thursday_is_one_week(make_bars, sessions, ends):
    """In Riyadh Thursday 2022-02-03 ends a week, Wednesday 2022-02-02 does not."""
    bars = make_bars(np.arange(sessions) + 50.0, first="2022-01-02", calendar="XSAU")
    assert prior(bars, "week high")[2] == ends


def test_the_prior_year_is_the_newest_complete_one(spy):
    """On 2018-12-28 it is 2017; the last session of 2018 ends that year."""
    year = spy.frame.loc["2017"]
    before = spy.until(pd.Timestamp("2018-12-28").date())
    formed = year["high"].idxmax().date().isoformat()
    assert prior(before, "year high") == (round(year["high"].max(), 6), formed, "2017-12-29")
    assert prior(before, "year close") == (year["close"].iloc[-1], "2017-12-29", "2017-12-29")
    assert prior(spy, "year close")[2] == "2018-12-31"


def test_a_year_that_the_bars_begin_within_is_not_known(spy):
    """Bars from 2017-02 on know no year 2017."""
    late = spy.last(470).until(pd.Timestamp("2018-12-28").date())
    assert prior(late, "year high") is None
    assert prior(spy.until(pd.Timestamp("2017-12-28").date()), "year high") is None
