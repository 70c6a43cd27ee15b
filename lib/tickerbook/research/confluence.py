"""What levels of all methods have in common: visits, agreement of families, and which ones a page shows."""

from collections.abc import Sequence

import numpy as np

from tickerbook.research.level import Level
from tickerbook.research.view import View

PER_SIDE = 12


def touches(view: View, prices: np.ndarray, formed: np.ndarray) -> np.ndarray:
    """Visits to the zone of each price after it formed: runs of bars that meet it, each after one outside.

    Args:
        view: the bars.
        prices: currency a share.
        formed: rows of the bars that made them.
    """
    begin = int(formed.min()) if len(formed) else view.row
    price, row = prices[:, None], np.arange(begin, view.row + 1)
    inside = (view.lows[begin:] <= price + view.half) & (view.highs[begin:] >= price - view.half)
    entered = inside[:, 1:] & ~inside[:, :-1] & (row[1:] > formed[:, None])
    return entered.sum(axis=1)  # type: ignore[no-any-return] # numpy's sum of a matrix along an axis is an array


def families_within(prices: np.ndarray, families: Sequence[str], half: float) -> np.ndarray:
    """How many families have a price within `half` of each price; each counts once, its own included."""
    names = sorted(set(families))
    member = np.array([[family == name for name in names] for family in families])
    near = np.abs(prices[:, None] - prices) <= half
    return (near @ member).sum(axis=1) if len(prices) else np.zeros(0, dtype="int64")


def selected(levels: Sequence[Level], close: float, per_side: int = PER_SIDE) -> tuple[Level, ...]:
    """The levels that a page shows: one for each price where methods crowd, the nearest on each side.

    Of levels whose prices lie in one zone, the one stands for all that most families agree on; of several,
    the one visited most often, then the one nearest to the close. Of those that are left, the `per_side`
    nearest to the close at or below it and as many above are taken.
    """
    ranked = sorted(levels, key=lambda one: (-one.families, -one.touches, abs(one.price - close), one.price))
    kept: list[Level] = []
    for level in ranked:
        if not any(other.low <= level.price <= other.high for other in kept):
            kept.append(level)
    near = sorted(kept, key=lambda one: abs(one.price - close))
    supports = [one for one in near if one.side == "support"][:per_side]
    return (*supports, *[one for one in near if one.side == "resistance"][:per_side])
