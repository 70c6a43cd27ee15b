"""What makes a table a table of bars."""

import numpy as np
import pandas as pd
import pytest
from deliver import NEW_YORK, checks, good, judge, one

from tickerbook.market.gate import Context


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (good().drop(columns="close"), "close"),
        (good().iloc[:0], "no bar"),
        (good().reset_index(drop=True), "instead of dates"),
        (good().set_axis(pd.DatetimeIndex([None] * 600)), "without a date"),
        (pd.concat([good(), good()[["close"]]], axis=1), "same name"),
    ],
    ids=["no close", "empty", "no dates", "date missing", "twice"],
)
def test_what_is_no_table_of_bars_is_refused(frame, words):
    """The reason says which part is missing."""
    verdict = judge(frame, NEW_YORK)
    assert verdict.decision == "quarantine"
    assert words in one(verdict, "schema.unusable").message


def test_numbers_as_text_are_numbers():
    """Alpha Vantage writes them so."""
    verdict = judge(good().astype(str), NEW_YORK)
    assert verdict.decision == "accept"
    pd.testing.assert_frame_equal(verdict.frame, good(), check_freq=False)


def test_text_that_is_no_number_is_missing():
    """The row it stands in is set aside, and the finding keeps the text."""
    bars = good().astype(object)
    bars.iloc[7, 3] = "n/a"
    verdict = judge(bars, NEW_YORK)
    assert one(verdict, "schema.not_numbers").before["close"].item() == "n/a"
    assert len(verdict.frame) == 599


def test_infinite_values_are_missing():
    """No price is infinite."""
    bars = good()
    bars.iloc[7, 3] = np.inf
    assert checks(judge(bars, NEW_YORK)) == {"schema.infinite", "blank.price"}


def test_unknown_volume_stays_unknown():
    """A history without volume is no defect."""
    verdict = judge(good().drop(columns="volume"), NEW_YORK)
    assert verdict.decision == "accept"
    assert verdict.frame["volume"].isna().all()


@pytest.mark.parametrize("none", [0.0, 1.0, np.nan])
def test_no_split_is_written_in_three_ways(none):
    """The lake writes 1."""
    assert (judge(good().assign(split=none), NEW_YORK).frame["split"] == 1.0).all()


def test_instants_become_days_of_the_exchange():
    """Yahoo stamps the opening in UTC."""
    bars = good()
    stamps = (bars.index + pd.Timedelta(hours=9.5)).tz_localize("America/New_York").tz_convert("UTC")
    pd.testing.assert_index_equal(judge(bars.set_axis(stamps), NEW_YORK).frame.index, bars.index)


def test_midnights_are_days_already():
    """Finnhub stamps midnight UTC of the day, which is the evening before in New York."""
    bars = good()
    stamped = bars.set_axis(bars.index.tz_localize("UTC"))
    pd.testing.assert_index_equal(judge(stamped, NEW_YORK).frame.index, bars.index)


def test_hours_stay_hours():
    """Bars shorter than a day keep their instants."""
    bars = good(rows=30)
    hourly = bars.set_axis(pd.date_range("2013-01-02 09:30", periods=30, freq="h"))
    frame = judge(hourly, Context("XNYS", interval="1h")).frame
    assert list(frame.index) == list(hourly.index)
