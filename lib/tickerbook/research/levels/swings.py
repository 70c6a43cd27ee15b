"""Swing highs and lows: extremes that beat the bars on both sides.

A swing is known `swing_span` sessions after its extreme and never before. Kept are the `KEPT` prices nearest
to the close on each side, of the swings in sight.
"""

from collections.abc import Iterator

from tickerbook.research.view import Found, View, nearest

FAMILY = "swings"
KEPT = 3


def find(view: View) -> Iterator[Found]:
    """At most `KEPT` swings on each side of the close."""
    turns = view.swings
    for at in nearest(turns.prices, view.close, KEPT):
        name = "swing high" if turns.is_high[at] else "swing low"
        yield Found(float(turns.prices[at]), name, "swings", int(turns.rows[at]), int(turns.known[at]))
