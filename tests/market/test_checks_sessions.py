"""Rows against the days on which the exchange traded."""

from datetime import date

import pandas as pd
import pytest
from deliver import NEW_YORK, changed, checks, good, judge, one

from tickerbook.market.gate import Context

FRIDAY = date(2013, 3, 1)  # the newest session of the real bars


def test_missing_sessions_are_named_and_not_filled():
    """Two sessions that are not there."""
    bars = good()
    verdict = judge(bars.drop(bars.index[[100, 300]]), NEW_YORK)
    assert one(verdict, "sessions.missing").sessions == tuple(bars.index[[100, 300]].date)
    assert (verdict.decision, len(verdict.frame)) == ("accept", 598)


def test_holidays_are_not_missing():
    """Hurricane Sandy closed the exchange on 2012-10-29 and 30."""
    assert checks(judge(good().loc["2012-10-01":"2012-11-30"], NEW_YORK)) == set()


def test_a_saturday_is_set_aside():
    """Friday repeated; on another day three times as high, as SOXX had it in 2016."""
    bars = good()
    for factor in (1.0, 3.0):
        row = (bars.loc[["2012-06-01"]] * factor).set_axis(pd.DatetimeIndex(["2012-06-02"]))
        verdict = judge(pd.concat([bars, row]).sort_index(), NEW_YORK)
        assert one(verdict, "sessions.weekend").sessions == (date(2012, 6, 2),)
        pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_a_holiday_is_set_aside_and_its_dividend_is_not():
    """Thanksgiving 2012; the dividend counts for the Friday after."""
    bars = good().assign(dividend=0.0)
    row = bars.loc[["2012-11-21"]].assign(dividend=0.85).set_axis(pd.DatetimeIndex(["2012-11-22"]))
    verdict = judge(pd.concat([bars, row]).sort_index(), NEW_YORK)
    assert one(verdict, "sessions.holiday").sessions == (date(2012, 11, 22),)
    assert verdict.frame.loc["2012-11-23", "dividend"] == 0.85


def test_the_day_under_way_is_left_out():
    """At noon there is no bar of the day yet."""
    bars = good()
    row = bars.iloc[[-1]].set_axis(pd.DatetimeIndex(["2013-03-04"]))
    verdict = judge(pd.concat([bars, row]), Context("XNYS", adjustment="none", last=FRIDAY))
    assert one(verdict, "sessions.partial").sessions == (date(2013, 3, 4),)
    assert verdict.frame.index[-1].date() == FRIDAY


def test_the_future_is_left_out():
    """A year ahead."""
    bars = good()
    row = bars.iloc[[-1]].set_axis(pd.DatetimeIndex(["2014-03-04"]))
    verdict = judge(pd.concat([bars, row]), Context("XNYS", adjustment="none", last=FRIDAY))
    assert checks(verdict) == {"sessions.future"}


@pytest.mark.parametrize("days", [-1, 1])
def test_a_history_a_day_off_is_moved_back(days):
    """As a wrong time zone makes it: Sundays to Thursdays, or Tuesdays to Saturdays."""
    bars = good()
    verdict = judge(bars.set_axis(bars.index + pd.Timedelta(days=days)), NEW_YORK)
    assert checks(verdict) & {"sessions.shifted", "dates.shifted"}
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_run_a_day_off_is_moved_back(days):
    """Twelve rows: one repeats a day at one end, one lacks at the other, and a weekend is in between."""
    bars = good()
    stamps = bars.index.to_numpy(copy=True)
    stamps[300:312] += pd.Timedelta(days=days).to_numpy()
    verdict = judge(bars.set_axis(pd.DatetimeIndex(stamps)), NEW_YORK)
    assert len(one(verdict, "dates.shifted").sessions) == 12
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_a_wrong_calendar_is_a_quarantine():
    """Bars of every day of the week, as of a currency, against the sessions of New York."""
    verdict = judge(good().set_axis(pd.date_range("2011-01-03", periods=600, name="session")), NEW_YORK)
    assert verdict.decision == "quarantine"
    assert "XNYS" in one(verdict, "sessions.calendar").message


def test_weeks_have_no_sessions():
    """The calendar has no say over longer bars."""
    weekly = good().iloc[::5]
    assert checks(judge(weekly, Context("XNYS", adjustment="none", interval="1wk"))) == set()


def test_days_before_the_calendar_are_not_judged():
    """The calendar begins in 1990; prices may be older."""
    bars = good(rows=300)
    old = bars.set_axis(pd.bdate_range("1988-06-01", periods=300, name="session"))
    assert judge(old, NEW_YORK).decision == "accept"


def test_a_negative_dividend_on_a_good_day_stays_a_day():
    """Only the dividend is wrong."""
    bars = changed(good().assign(dividend=0.0), "2012-06-01", dividend=-0.5)
    verdict = judge(bars, NEW_YORK)
    assert checks(verdict) == {"signs.dividend"}
    assert (verdict.frame["dividend"] == 0).all()
