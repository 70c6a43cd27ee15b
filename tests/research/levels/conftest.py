"""Bars for the tests of levels."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tickerbook.bars import COLUMNS, Bars
from tickerbook.sessions import sessions_between

ANSWERS = Path(__file__).parents[2] / "answers"


def _bars(frame, calendar="XNYS"):
    frame = frame[list(COLUMNS)].astype("float64").rename_axis("session")
    return Bars(frame, "TEST", calendar, "USD", "split", "test", datetime(2020, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="session")
def spy():
    """Real bars: SPY, 502 sessions of 2017 and 2018."""
    return _bars(pd.read_csv(ANSWERS / "indicators.csv", comment="#", index_col="date", parse_dates=True))


@pytest.fixture(scope="session")
def make_bars():
    """A maker of bars from closes, or from columns of prices, on an exchange's own sessions from `first` on.

    Without highs and lows, a bar reaches 1 above and below its close.
    """

    def make(close, *, first="2018-01-02", calendar="XNYS", volume=1000.0, **columns):
        start = pd.Timestamp(first)
        days = sessions_between(calendar, start.date(), (start + pd.Timedelta(days=3000)).date())[
            : len(close)
        ]
        frame = pd.DataFrame({"close": close, "volume": volume}, index=days.astype("datetime64[ns]"))
        given = {"open": frame["close"], "high": frame["close"] + 1, "low": frame["close"] - 1} | columns
        return _bars(frame.assign(**given), calendar)

    return make
