"""What the gate drops, moves and flags, on the kinds of bad rows that vendors really send."""

import asyncio
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.market.providers.sample import Sample
from tickerbook.market.quality import check
from tickerbook.market.raw import PRICES, RAW

UNTIL = date(2012, 3, 9)


def checked(frame):
    """The frame and notes for XNYS, until the 9th."""
    result = check(frame, "XNYS", UNTIL)
    return result.frame, list(result.notes)


def test_good_rows_pass_unchanged(week):
    """And without a note."""
    frame, notes = checked(week)
    pd.testing.assert_frame_equal(frame, week)
    assert notes == []


def test_rows_are_sorted(week):
    """Alpha Vantage sends the newest first."""
    frame, notes = checked(week.iloc[::-1])
    pd.testing.assert_frame_equal(frame, week)
    assert notes == []


def test_of_exact_repeats_one_stays(week):
    """Reversed, with three dates twice: the same content as clean data, and a count."""
    frame, notes = checked(pd.concat([week.iloc[::-1], week.iloc[:3]]))
    pd.testing.assert_frame_equal(frame, week)
    assert notes == ["3 repeated rows dropped"]


def test_of_two_rows_of_one_session_the_one_with_more_volume_stays(week):
    """yfinance #198: the last day twice, with different prices; a bar in the making has traded less."""
    unfinished = week.iloc[-1:].assign(close=8.0, volume=400.0)
    for rows in ([week, unfinished], [unfinished, week]):
        frame, notes = checked(pd.concat(rows))
        pd.testing.assert_frame_equal(frame, week)
        assert notes == ["1 repeated row dropped"]


def test_of_two_rows_with_equal_volume_the_last_delivered_stays(week):
    """Vendors append corrections."""
    frame, notes = checked(pd.concat([week, week.iloc[-1:].assign(close=9.5)]))
    assert frame["close"].iloc[-1] == 9.5
    assert notes == ["1 repeated row dropped"]


def test_a_row_with_a_zero_price_gives_way_to_one_without(week):
    """yfinance #17: a same-day duplicate with Open = 0, delivered last."""
    bad = week.iloc[-1:].assign(open=0.0)
    frame, notes = checked(pd.concat([week, bad]))
    pd.testing.assert_frame_equal(frame, week)
    assert notes == ["1 repeated row dropped"]


def test_equal_prices_on_different_days_are_not_repeats(raw):
    """yfinance #797: dropping duplicates lost valid days."""
    frame = raw({"2012-03-05": 10.0, "2012-03-06": 10.0, "2012-03-07": 10.0})
    assert len(checked(frame)[0]) == 3


def test_rows_without_prices_are_dropped_not_filled(week):
    """yfinance #2895: a volume and no prices on the last day; as of is then the day before."""
    week.loc["2012-03-09", PRICES] = np.nan
    frame, notes = checked(week)
    assert frame.index[-1] == pd.Timestamp("2012-03-08")
    assert notes == ["1 row without prices dropped"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", PRICES)
def test_a_row_that_lacks_one_price_is_dropped(week, column, value):
    """Bars have four finite prices; none is made up from the other three."""
    week.loc["2012-03-07", column] = value
    frame, notes = checked(week)
    assert len(frame) == 4
    assert "1 row without prices dropped" in notes


def test_an_unknown_volume_stays_unknown(week):
    """It is no reason to drop the prices."""
    week.loc["2012-03-07", "volume"] = np.inf
    frame, _ = checked(week)
    assert np.isnan(frame["volume"]["2012-03-07"])


def test_the_dividend_of_a_dropped_row_moves_to_the_next_session(week):
    """yfinance #134: a row of NaN on dividend days. The dividend is real."""
    week.loc["2012-03-07", PRICES] = np.nan
    week.loc["2012-03-07", ["dividend", "split"]] = [0.5, 2.0]
    week.loc["2012-03-08", ["dividend", "split"]] = [0.25, 3.0]
    frame, _ = checked(week)
    assert frame.loc["2012-03-08", ["dividend", "split"]].tolist() == [0.75, 6.0]


def test_the_dividend_of_a_repeated_row_counts_once(week):
    """Whether the row that stays has it or not."""
    with_dividend = week.iloc[2:3].assign(dividend=0.5, split=2.0)
    for rows in ([week, with_dividend], [with_dividend, week], [with_dividend, with_dividend, week]):
        frame, _ = checked(pd.concat(rows))
        assert frame.loc["2012-03-07", ["dividend", "split"]].tolist() == [0.5, 2.0]
        assert frame["dividend"].sum() == 0.5


def test_a_bar_in_the_making_is_not_a_bar(raw):
    """Rows after the last completed session, of today or of the future, wait."""
    frame, notes = checked(raw({"2012-03-08": 8.0, "2012-03-09": 9.0, "2012-03-12": 12.0, "2112-03-14": 1.0}))
    assert frame.index[-1] == pd.Timestamp("2012-03-09")
    assert notes == ["2 rows after the last completed session dropped"]


def test_an_action_of_tomorrow_is_not_one_of_today(raw):
    """It waits with its row."""
    frame, _ = checked(raw({"2012-03-09": 9.0, "2012-03-12": 4.5}, split={"2012-03-12": 2.0}))
    assert frame["split"].tolist() == [1.0]


def test_prices_that_are_not_positive_are_flagged_and_kept(week):
    """Crude oil settled at −37.63 on 2020-04-20."""
    week.loc["2012-03-07", "low"] = -37.63
    frame, notes = checked(week)
    assert len(frame) == 5
    assert notes == ["1 row with a price that is not positive kept"]


def test_days_without_a_session_are_flagged_and_kept(raw):
    """A Saturday, as far as XNYS knows."""
    frame, notes = checked(raw({"2012-03-02": 1.0, "2012-03-03": 2.0, "2012-03-05": 3.0}))
    assert len(frame) == 3
    assert notes == ["1 row on days without a XNYS session kept"]


def test_missing_sessions_are_flagged_and_not_filled(week):
    """Nobody knows those prices."""
    frame, notes = checked(week.drop(week.index[[1, 2]]))
    assert len(frame) == 3
    assert notes == ["2 XNYS sessions missing"]


@pytest.mark.parametrize("rows", [slice(0), slice(None)])
def test_nothing_usable_leaves_an_empty_frame(week, rows):
    """No row at all, or none with prices."""
    frame, _ = checked(week.assign(close=np.nan).iloc[rows])
    assert frame.empty
    assert tuple(frame.columns) == RAW


DAYS = st.sampled_from(pd.date_range("2012-03-01", "2012-03-14").to_list())
PRICE = st.sampled_from([np.nan, np.inf, -1.0, 0.0, 5.0, 6.0])
ROWS = st.lists(
    st.tuples(
        DAYS, PRICE, PRICE, PRICE, PRICE, PRICE, st.sampled_from([0.0, 0.5]), st.sampled_from([1.0, 2.0])
    ),
    max_size=25,
)


@given(ROWS)
def test_whatever_arrives_what_leaves_is_a_raw_frame(rows):
    """Ascending sessions without repeats, finite prices that were delivered on that day, nothing after the 9th."""
    index = pd.DatetimeIndex([row[0] for row in rows])
    delivered = pd.DataFrame([row[1:] for row in rows], index=index, columns=list(RAW), dtype="float64")
    frame, _ = checked(delivered)
    assert frame.index.is_unique
    assert frame.index.is_monotonic_increasing
    assert frame.index.name == "session"
    assert np.isfinite(frame[PRICES].to_numpy()).all()
    assert (frame.index <= pd.Timestamp(UNTIL)).all()
    for day, row in frame.iterrows():
        assert (delivered.loc[[day], PRICES] == row[PRICES]).all(axis=1).any()


def test_the_planted_defects_of_a_reference_set(shared, ticker):
    """IBM with 18 labelled defects: those of this gate are found and counted, and no clean row is lost."""
    folder = shared / "bars" / "corrupt_synth"
    table = pd.read_csv(folder / "dev_IBM.csv", index_col="date", parse_dates=True)
    result = check(table.assign(dividend=0.0, split=1.0).astype("float64"), "XNYS", date(2013, 3, 1))
    assert list(result.notes) == [
        "1 row after the last completed session dropped",  # partial_live_bar
        "1 row without prices dropped",  # nan_row
        "2 repeated rows dropped",  # exact_duplicate, conflicting_duplicate
        "2 rows with a price that is not positive kept",  # zero_low, negative_price
        "1 row on days without a XNYS session kept",  # weekend_row
        "4 XNYS sessions missing",  # three missing_session, and the nan_row
    ]
    clean = asyncio.run(Sample().history(ticker("IBM"), date(2000, 1, 1), date(2013, 3, 1))).frame
    truth = json.loads((folder / "dev_IBM_truth.json").read_text(encoding="utf-8"))["defects"]
    twice = next(defect["first"] for defect in truth if defect["kind"] == "conflicting_duplicate")
    assert result.frame.loc[twice, PRICES].tolist() == clean.loc[twice, PRICES].tolist()
    assert len(result.frame) == len(clean) - 4 + 1
