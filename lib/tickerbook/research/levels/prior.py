"""High, low and close of the prior year, month, week and day.

They are prior for the session after the last one: the prior day is the last session, the prior week, month
and year are the newest that are complete by the exchange's calendar (`research/periods.py`).
"""

from collections.abc import Iterator

from tickerbook.research.view import Found, View

FAMILY = "prior periods"


def find(view: View) -> Iterator[Found]:
    """Twelve prices, the longest period first; fewer where no complete year, month or week is in the bars."""
    for name, rows in (*view.complete.items(), ("day", (view.row, view.row))):
        if rows:
            yield from _of(view, f"prior {name}", *rows)


def _of(view: View, kind: str, first: int, last: int) -> Iterator[Found]:
    highs, lows = view.highs[first : last + 1], view.lows[first : last + 1]
    top, bottom = int(highs.argmax()), int(lows.argmin())
    yield Found(float(highs[top]), f"{kind} high", kind, first + top, last)
    yield Found(float(lows[bottom]), f"{kind} low", kind, first + bottom, last)
    yield Found(float(view.closes[last]), f"{kind} close", kind, last, last)
