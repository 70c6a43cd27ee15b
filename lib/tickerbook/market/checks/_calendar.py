"""Rows against the exchange's days, as far back as they are known."""

from typing import Any

import pandas as pd

from tickerbook.market.findings import Context
from tickerbook.sessions import FIRST, sessions_between


def expected(index: pd.DatetimeIndex, context: Context) -> pd.DatetimeIndex:
    """The sessions from the first to the last row."""
    return sessions_between(context.calendar, index[0].date(), index[-1].date()).as_unit("ns")


def stray(index: pd.DatetimeIndex, context: Context) -> Any:
    """Which rows are on days without a session."""
    return ~index.isin(expected(index, context)) & (index >= beginning(index, context))


def beginning(index: pd.DatetimeIndex, context: Context) -> pd.Timestamp:
    """The first day that the calendar knows, at least of those up to the last row."""
    known = sessions_between(context.calendar, FIRST, index[-1].date())
    return known[0] if len(known) else index[-1] + pd.Timedelta(days=1)
