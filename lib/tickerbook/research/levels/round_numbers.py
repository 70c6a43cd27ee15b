"""Round numbers around the close: multiples of 1, 2 or 5 times a power of ten, scaled to the price.

The step is the largest of those numbers that is at most a tenth of the close: 20 at 431, 5 at 60, 0.02 at
0.35. A round number was always there, so it formed with the oldest bar in view (`LOOKBACK`); it is known,
that is chosen, at the last close.
"""

import math
from collections.abc import Iterator

from tickerbook.research.view import Found, View

FAMILY = "round numbers"
KEPT = 2
_ROUNDING = 1e-12  # 0.3 / 0.02 is 15, not a little less


def find(view: View) -> Iterator[Found]:
    """`KEPT` prices at or below the close and `KEPT` above it; none where the close is not above zero."""
    if view.close <= 0:
        return
    step, decimals = round_step(view.close)
    at = math.floor(view.close / step * (1 + _ROUNDING))
    for multiple in range(at - KEPT + 1, at + KEPT + 1):
        yield Found(round(multiple * step, decimals), "round number", "round numbers", view.start, view.row)


def round_step(price: float) -> tuple[float, int]:
    """The distance of round numbers at a price above zero, and the decimals they are written with."""
    most = price / 10
    power = math.floor(math.log10(most))
    return max(lead * 10.0**power for lead in (1, 2, 5) if lead * 10.0**power <= most), max(0, -power)
