"""The race: what the price does after it has come to a level.

A zone is frozen at a close and followed from the next bar on. It is touched by the first bar whose range
meets its near side, the edge that looks towards the close it was frozen at. (Touch is not cross: a price that
turns within the zone has touched it and is the very case to count.) From there the price races to one ATR, as
it was when the zone was frozen, back where it came from (bounce) or on through (break), both from the edge.

Daily bars do not tell the order of what happened within them, so that the order is taken that is worse for
the level, alike for real levels and placebos:

- On the bar of the touch a break counts by its extreme, which in any order came after the edge was met; a
  bounce counts only by the close, as the other extreme may have come before the touch.
- On a later bar that spans both, the open decides if it lies beyond one of them, else it is a break.

So a bounce is always sure, and the probability of one is below a half on noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

HORIZON = 20  # sessions in which a frozen level has to be touched
LONGEST = 20  # sessions of a race, the touch's included; it is rare that one is still open then
WINDOW = HORIZON + LONGEST - 1  # sessions after the freeze that decide about a level


@dataclass(frozen=True, slots=True)
class Paths:
    """Prices in which races are run."""

    opens: np.ndarray
    highs: np.ndarray
    lows: np.ndarray
    closes: np.ndarray

    def mirrored(self) -> "Paths":
        """The same paths upside down: resistance becomes support."""
        return Paths(-self.opens, -self.lows, -self.highs, -self.closes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each level.

    Attributes:
        lag: sessions from the freeze to the touch; 0 where it was not touched in time.
        bounced: whether it held.
        decided: whether it was touched and the race ended in time.
    """

    lag: np.ndarray
    bounced: np.ndarray
    decided: np.ndarray


def follow(
    paths: Paths, rows: np.ndarray, edges: np.ndarray, unit: np.ndarray, is_support: np.ndarray
) -> Outcome:
    """Follow levels from their freeze.

    Args:
        paths: bars of the ticker.
        rows: of the bar at whose close each level was frozen; `WINDOW` bars follow it.
        edges: price of each zone's near side.
        unit: ATR at the freeze.
        is_support: whether the zone lies below the close it was frozen at.
    """
    lag = np.zeros(len(rows), dtype="int64")
    bounced, decided = np.zeros(len(rows), dtype="bool"), np.zeros(len(rows), dtype="bool")
    for side, way, sign in ((is_support, paths, 1.0), (~is_support, paths.mirrored(), -1.0)):
        lag[side], bounced[side], decided[side] = _supports(way, rows[side], sign * edges[side], unit[side])
    return Outcome(lag, bounced, decided)


def _supports(
    paths: Paths, rows: np.ndarray, edges: np.ndarray, unit: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lag, bounced, decided = np.zeros(len(rows), dtype="int64"), *np.zeros((2, len(rows)), dtype="bool")
    if len(rows) == 0:
        return lag, bounced, decided
    met = sliding_window_view(paths.lows, HORIZON)[rows + 1] <= edges[:, None]
    touched = np.flatnonzero(met.any(axis=1))
    lag[touched] = met[touched].argmax(axis=1) + 1
    start = rows[touched] + lag[touched]
    ahead = (edges + unit)[touched, None], (edges - unit)[touched, None]
    bounced[touched], decided[touched] = _race(paths, start, *ahead)
    return lag, bounced, decided


def _race(
    paths: Paths, start: np.ndarray, above: np.ndarray, below: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each race that starts at a row ends above, and whether it ends at all."""
    broke = sliding_window_view(paths.lows, LONGEST)[start] <= below
    held = sliding_window_view(paths.highs, LONGEST)[start] >= above
    held[:, 0] = paths.closes[start] >= above[:, 0]
    first_broke = np.where(broke.any(axis=1), broke.argmax(axis=1), LONGEST)
    first_held = np.where(held.any(axis=1), held.argmax(axis=1), LONGEST)
    both = (first_held == first_broke) & (first_held > 0) & (first_held < LONGEST)
    at = np.minimum(start + first_held, len(paths.opens) - 1)
    opened_above = both & (paths.opens[at] >= above[:, 0])
    ended = np.minimum(first_broke, first_held) < LONGEST
    return (first_held < first_broke) | opened_above, ended
