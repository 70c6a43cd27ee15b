"""Round numbers around the close: multiples of 1, 2 or 5 times a power of ten, scaled to the price.

The step is the largest of those numbers that is at most a tenth of the close: 20 at 431, 5 at 60, 0.02 at
0.35. A round number was always there, so it formed with the oldest bar in view (`LOOKBACK`); it is known,
that is chosen, at the last close.
"""

import math
from collections.abc import Iterator

from tickerbook.research.level import Found, View

KEPT = 2
_DIGITS = 9  # quotients are rounded to these, so that 0.3 is fifteen times 0.02


def find(view: View) -> Iterator[Found]:
    """`KEPT` prices at or below the close and `KEPT` above it; none where the close is not above zero."""
    if view.close <= 0:
        return
    step, decimals = round_step(view.close)
    at = math.floor(round(view.close / step, _DIGITS))
    formed, known = view.recent.index[0].date(), view.bars.session
    for multiple in range(at - KEPT + 1, at + KEPT + 1):
        yield Found(round(multiple * step, decimals), "round number", formed, known)


def round_step(price: float) -> tuple[float, int]:
    """The distance of round numbers at a price above zero, and the decimals they are written with."""
    power = math.floor(round(math.log10(price / 10), _DIGITS))
    lead = round(price / 10 / 10.0**power, _DIGITS)
    return max(one for one in (1, 2, 5) if one <= lead) * 10.0**power, max(0, -power)
