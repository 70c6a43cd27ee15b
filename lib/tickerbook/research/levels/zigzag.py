"""Ends of the legs of a zigzag that reverses by a multiple of ATR (`research/zigzag.py`).

Only confirmed ends: the newest leg can still grow. Kept are the `KEPT` nearest on each side of the close.
"""

from collections.abc import Iterator

from tickerbook.research.view import Found, View, nearest

FAMILY = "swings"
KEPT = 3


def find(view: View) -> Iterator[Found]:
    """At most `KEPT` ends on each side of the close."""
    turns = view.zigzag
    for at in nearest(turns.prices, view.close, KEPT):
        name = "zigzag high" if turns.is_high[at] else "zigzag low"
        yield Found(float(turns.prices[at]), name, "zigzag", int(turns.rows[at]), int(turns.known[at]))
