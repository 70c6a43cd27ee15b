"""Clusters of swings: where the price has turned more than once.

Confirmed swings of both kinds at most `cluster_atr` ATR apart make one level (complete linkage: any two of
its swings are within that distance). Each swing is a touch, and weighs half as much for every `HALF_LIFE`
sessions of its age: the level is the weighted mean of its swings, and its strength the sum of their weights.
Kept are, on each side of the close, the `KEPT` strongest of at least two swings. A level formed with its
oldest extreme and is known since its newest swing was: before, its price was another.
"""

from collections.abc import Iterator

import numpy as np

from tickerbook.research.view import Found, View

FAMILY = "swings"
KEPT = 3
HALF_LIFE = 126  # sessions, half a year
_TOUCHES = 2


def find(view: View) -> Iterator[Found]:
    """At most `KEPT` levels on each side of the close."""
    turns = view.swings
    weight = 0.5 ** ((view.row - turns.rows) / HALF_LIFE)
    groups = [g for g in clustered(turns.prices, view.search.cluster_atr * view.atr) if len(g) >= _TOUCHES]
    strongest = sorted(groups, key=lambda group: -weight[group].sum())
    levels = [(float(np.average(turns.prices[group], weights=weight[group])), group) for group in strongest]
    for chosen in (
        [one for one in levels if one[0] <= view.close][:KEPT],
        [one for one in levels if one[0] > view.close][:KEPT],
    ):
        for price, group in chosen:
            formed, known = int(turns.rows[group].min()), int(turns.known[group].max())
            yield Found(price, "swing cluster", "swing clusters", formed, known)


def clustered(prices: np.ndarray, width: float) -> list[np.ndarray]:
    """Places of prices in groups, no two of a group more than `width` apart (complete linkage)."""
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415 - half a second, only paid where used

    if len(prices) <= 1:
        return [np.arange(len(prices))] if len(prices) else []
    labels = fcluster(linkage(prices[:, None], "complete"), width, "distance")
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
