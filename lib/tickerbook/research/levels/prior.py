"""High, low and close of the prior month, week and day.

They are prior for the session after the last one: the prior day is the last session, the prior week and month
are the newest that are complete. Whether the last session completes its week or month is read from the
exchange's calendar. A week runs from Sunday to Saturday, which holds together both the weeks that trade from
Monday to Friday and those from Sunday to Thursday.
"""

from collections.abc import Iterator

import pandas as pd

from tickerbook.research.level import Found, View
from tickerbook.sessions import sessions_between

_PERIODS = {"month": "M", "week": "W-SAT"}


def find(view: View) -> Iterator[Found]:
    """Nine prices, the longest period first; fewer where no complete month or week is in sight."""
    for name, frequency in _PERIODS.items():
        rows = _newest_complete(view, frequency)
        if rows is not None:
            yield from _of(rows, name)
    yield from _of(view.recent.iloc[-1:], "day")


def _of(rows: pd.DataFrame, name: str) -> Iterator[Found]:
    known = rows.index[-1].date()
    high, low = rows["high"], rows["low"]
    yield Found(float(high.max()), f"prior {name} high", high.idxmax().date(), known)
    yield Found(float(low.min()), f"prior {name} low", low.idxmin().date(), known)
    yield Found(float(rows["close"].iloc[-1]), f"prior {name} close", known, known)


def _newest_complete(view: View, frequency: str) -> pd.DataFrame | None:
    """The rows of the newest period that has both its ends; None where there is none."""
    periods = view.recent.index.to_period(frequency)
    newest = periods[-1]
    if not _ends(view.bars.calendar, view.recent.index[-1], newest):
        earlier = periods[periods < newest]
        if earlier.empty:
            return None
        newest = earlier[-1]
    rows = view.recent[periods == newest]
    cut = newest == periods[0] and not _begins(view.bars.calendar, rows.index[0], newest)
    return None if cut else rows


def _ends(calendar: str, session: pd.Timestamp, period: pd.Period) -> bool:
    """Whether `session` is the last of its period; False where the calendar does not know it."""
    return _only(calendar, session, session, period.end_time)


def _begins(calendar: str, session: pd.Timestamp, period: pd.Period) -> bool:
    """Whether `session` is the first of its period; False where the calendar does not know it."""
    return _only(calendar, session, period.start_time, session)


def _only(calendar: str, session: pd.Timestamp, first: pd.Timestamp, last: pd.Timestamp) -> bool:
    return list(sessions_between(calendar, first.date(), last.date())) == [session]
