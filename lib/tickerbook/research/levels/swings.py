"""Confirmed swing highs and lows, clustered.

A swing is known `swing_span` sessions after its extreme. Swings of both kinds at most `cluster` apart make
one level (complete linkage: any two of its swings are within that distance) at the middle of their range. It
formed with its oldest extreme and is known since its newest swing was: before, its price was another. Kept
are the `KEPT` levels nearest to the close on each side, of the newest `LOOKBACK` sessions.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from tickerbook.research.indicators import swing_highs, swing_lows
from tickerbook.research.level import Found, View

KEPT = 3


@dataclass(frozen=True, slots=True)
class Swing:
    """A confirmed extreme.

    Attributes:
        price: of the extreme, currency a share.
        kind: "high" or "low".
        formed: its session.
        known: the session that confirmed it.
    """

    price: float
    kind: str
    formed: date
    known: date


def find(view: View) -> Iterator[Found]:
    """At most `KEPT` levels on each side of the close."""
    clusters = clustered(confirmed(view.recent, view.swing_span), view.cluster)
    found = sorted((_found(swings) for swings in clusters), key=lambda one: abs(one.price - view.close))
    yield from [one for one in found if one.price <= view.close][:KEPT]
    yield from [one for one in found if one.price > view.close][:KEPT]


def confirmed(frame: pd.DataFrame, span: int) -> list[Swing]:
    """The swings that the bars of `frame` confirm: highs, then lows, each oldest first."""
    days = frame.index.date
    swings = []
    for kind, marks in (("high", swing_highs(frame["high"], span)), ("low", swing_lows(frame["low"], span))):
        prices = frame[kind].to_numpy()
        swings += [
            Swing(float(prices[at]), kind, days[at], days[at + span])
            for at in np.flatnonzero(marks.to_numpy())
        ]
    return swings


def clustered(swings: list[Swing], width: float) -> list[list[Swing]]:
    """Swings grouped by price, no two of a group more than `width` apart (complete linkage)."""
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415 - half a second, only paid where used

    if len(swings) <= 1:
        return [swings] if swings else []
    prices = np.array([[swing.price] for swing in swings])
    groups = defaultdict(list)
    for swing, label in zip(swings, fcluster(linkage(prices, "complete"), width, "distance"), strict=True):
        groups[label].append(swing)
    return list(groups.values())


def _found(swings: list[Swing]) -> Found:
    prices = [swing.price for swing in swings]
    kinds = sorted({swing.kind for swing in swings})
    return Found(
        price=(min(prices) + max(prices)) / 2,
        method=f"swing {' and '.join(kinds)}",
        formed=min(swing.formed for swing in swings),
        known=max(swing.known for swing in swings),
    )
