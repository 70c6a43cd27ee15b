"""Bars refuse what is not bars, and know themselves by their values alone."""

import hashlib
import struct
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from tickerbook.bars import COLUMNS, Bars
from tickerbook.errors import DataError

FETCHED_AT = datetime(2026, 3, 4, 22, tzinfo=UTC)


def frame(sessions=("2012-03-05", "2012-03-06", "2012-03-07"), **columns):
    """Bars of rising prices."""
    index = pd.DatetimeIndex(sessions, name="session")
    steps = np.arange(len(index), dtype=float)
    values = {
        "open": 10 + steps,
        "high": 12 + steps,
        "low": 9 + steps,
        "close": 11 + steps,
        "volume": 100 + steps,
    }
    return pd.DataFrame(values | columns, index=index)


def bars(table=None, **changes):
    """Bars of a table."""
    table = frame() if table is None else table
    return replace(Bars(table, "AAPL", "XNYS", "USD", "split", "sample", FETCHED_AT), **changes)


def test_first_session_and_length():
    """`session` is the newest, which everything computed is as of."""
    assert (bars().first, bars().session, len(bars())) == (date(2012, 3, 5), date(2012, 3, 7), 3)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (frame()[["open", "close"]], "columns are open, close"),
        (frame().astype("float32"), "float64"),
        (frame().rename_axis("Date"), "named session"),
        (frame().tz_localize("UTC"), "named session"),
        (frame().reset_index(drop=True), "named session"),
        (frame().iloc[:0], "no bar"),
        (frame().iloc[::-1], "ascending"),
        (frame(("2012-03-05", "2012-03-05", "2012-03-06")), "repeats"),
        (frame(("2012-03-05 09:30", "2012-03-06", "2012-03-07")), "whole days"),
        (frame(close=[11.0, np.nan, 13.0]), "missing or infinite"),
        (frame(low=[9.0, -np.inf, 11.0]), "missing or infinite"),
    ],
)
def test_a_frame_that_is_not_bars_is_refused(table, problem):
    """The error names the ticker, the source and what is wrong."""
    with pytest.raises(DataError, match=f"AAPL from sample cannot be used: .*{problem}") as caught:
        bars(table)
    assert caught.value.remedy


def test_an_unknown_volume_stays_missing():
    """Vendors do not always know the volume; that is no reason to refuse, nor to say zero."""
    assert np.isnan(bars(frame(volume=[np.nan, 1.0, 2.0])).frame["volume"].iloc[0])


def test_a_price_below_zero_is_a_price():
    """Crude oil settled at −37.63 on 2020-04-20."""
    assert bars(frame(low=[9.0, -37.63, 11.0])).frame["low"].min() == -37.63


def test_digest_depends_on_values_not_on_layout_source_or_fetch_time():
    """Other index resolution, memory order, negative zero, NaN bits: the same numbers, the same digest."""
    table = frame(volume=[0.0, np.nan, 2.0])
    same = pd.DataFrame(np.asfortranarray(table), index=table.index.as_unit("s"), columns=list(COLUMNS))
    same.iloc[0, 4] = -0.0
    assert (
        bars(same, source="other", fetched_at=datetime(2000, 1, 1, tzinfo=UTC)).digest == bars(table).digest
    )


@pytest.mark.parametrize(
    "other",
    [
        bars(frame(close=[11.0, 12.0, 13.000000000000002])),
        bars(frame(("2012-03-05", "2012-03-06", "2012-03-08"))),
        bars(frame().iloc[:2]),
        bars(currency="EUR"),
        bars(adjustment="none"),
        bars(frame(open=frame()["close"], close=frame()["open"])),
    ],
)
def test_digest_changes_with_any_value(other):
    """One bit of one price, a session, the currency, the adjustment, or columns exchanged."""
    assert other.digest != bars().digest


def test_digest_is_what_its_docstring_says():
    """Days since 1970, then each column, little-endian, then currency and adjustment: packed here by hand."""
    table = frame(("2012-03-05", "2012-03-06"), volume=[7.0, 8.0])
    packed = struct.pack("<2q", 15404, 15405)
    for column in COLUMNS:
        packed += struct.pack("<2d", *table[column])
    assert bars(table).digest == hashlib.sha256(packed + b"USD split").hexdigest()


def test_until_cuts_after_a_session():
    """The session itself stays; a day without a session cuts before it."""
    assert bars().until(date(2012, 3, 6)).session == date(2012, 3, 6)
    assert bars().until(date(2012, 3, 31)).session == date(2012, 3, 7)


def test_until_before_the_first_session_is_refused():
    """There are no empty bars."""
    with pytest.raises(DataError, match="no bar"):
        bars().until(date(2012, 3, 4))


def test_last_keeps_the_newest():
    """All of them where there are fewer than asked for."""
    assert bars().last(2).first == date(2012, 3, 6)
    assert len(bars().last(99)) == 3


@pytest.mark.parametrize("sessions", [0, -1])
def test_last_wants_a_positive_number(sessions):
    """`iloc[-0:]` would give everything."""
    with pytest.raises(ValueError, match="positive"):
        bars().last(sessions)
