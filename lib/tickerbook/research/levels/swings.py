"""Confirmed swing highs and lows, clustered.

A swing is known `swing_span` sessions after its extreme. Swings of both kinds at most `cluster` apart make
one level (complete linkage: any two of its swings are within that distance) at the middle of their range. It
formed with its oldest extreme and is known since its newest swing was: before, its price was another. Kept
are the `KEPT` levels nearest to the close on each side, of the newest `LOOKBACK` sessions.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tickerbook.research.indicators import swing_highs, swing_lows
from tickerbook.research.level import Found, View

KEPT = 3


def find(view: View) -> Iterator[Found]:
    """At most `KEPT` levels on each side of the close."""
    swings = confirmed(view.recent, view.swing_span)
    if swings.empty:
        return
    labels = _labels(swings["price"].to_numpy(), view.cluster)
    prices = swings["price"].groupby(labels)
    middle = (prices.min() + prices.max()) / 2
    away = (middle - view.close).sort_values(key=abs, kind="stable")
    for label in [*away.index[away <= 0][:KEPT], *away.index[away > 0][:KEPT]]:
        yield _found(float(middle[label]), swings[labels == label])


def confirmed(frame: pd.DataFrame, span: int) -> pd.DataFrame:
    """The swings that the bars of `frame` confirm, one a row, oldest first.

    Returns:
        columns price, kind ("high" or "low"), formed (the extreme's session), known (`span` sessions later).
    """
    parts = []
    for kind, marks in (("high", swing_highs(frame["high"], span)), ("low", swing_lows(frame["low"], span))):
        at = np.flatnonzero(marks)
        columns = {"price": frame[kind].iloc[at].to_numpy(), "kind": kind, "formed": frame.index[at]}
        parts.append(pd.DataFrame({**columns, "known": frame.index[at + span]}))
    return pd.concat(parts, ignore_index=True).sort_values("formed", kind="stable", ignore_index=True)


def _labels(prices: np.ndarray, width: float) -> np.ndarray:
    """Which cluster each price belongs to."""
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415 - half a second, only paid where used

    if len(prices) == 1:
        return np.ones(1, dtype=int)
    return fcluster(linkage(prices[:, None], "complete"), width, "distance")  # type: ignore[no-any-return] # untyped


def _found(price: float, swings: pd.DataFrame) -> Found:
    kinds = sorted(set(swings["kind"]))
    return Found(
        price=price,
        method=f"swing {' and '.join(kinds)}",
        formed=swings["formed"].min().date(),
        known=swings["known"].max().date(),
    )
