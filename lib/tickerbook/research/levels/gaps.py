"""Open gaps: prices that were jumped over and have not been traded through since.

A gap up lies between the high of one session and the low of the next, at least `LEAST` ATR apart; it stays
open until a session trades at or below its lower edge. A gap down is its mirror image. Both edges are levels.
Kept are the `KEPT` gaps in sight nearest to the close on each side.
"""

from collections.abc import Iterator

import numpy as np

from tickerbook.research.view import Found, View, nearest

FAMILY = "gaps"
KEPT = 2
LEAST = 0.25  # ATR


def find(view: View) -> Iterator[Found]:
    """Two edges for each gap that is kept."""
    highs, lows = view.highs[view.start :], view.lows[view.start :]
    if len(highs) < 2 or not view.atr > 0:  # noqa: PLR2004 - a gap lies between two sessions
        return
    least = LEAST * view.atr
    lowest = np.minimum.accumulate(lows[::-1])[::-1]  # from each session to the last one
    highest = np.maximum.accumulate(highs[::-1])[::-1]
    up = (lows[1:] - highs[:-1] >= least) & (lowest[1:] > highs[:-1])
    down = (lows[:-1] - highs[1:] >= least) & (highest[1:] < lows[:-1])
    at = np.flatnonzero(up | down)
    rising = up[at]
    bottom = np.where(rising, highs[at], highs[at + 1])
    top = np.where(rising, lows[at + 1], lows[at])
    for gap in nearest((bottom + top) / 2, view.close, KEPT):
        row = view.start + int(at[gap]) + 1
        name = "gap up" if rising[gap] else "gap down"
        yield Found(float(top[gap]), f"top of {name}", "gaps", row, row)
        yield Found(float(bottom[gap]), f"bottom of {name}", "gaps", row, row)
