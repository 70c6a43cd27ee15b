"""Anchored VWAP with bands: the mean price paid since a session that mattered, weighted by volume.

Anchors are causal: the first session of the calendar year, and the newest confirmed high and low of the
zigzag. With p = (high + low + close)/3 and volume v of each session from the anchor on, VWAP = Σpv/Σv; the
bands lie one standard deviation away, σ² = Σp²v/Σv − VWAP². The values are those of the last close.
"""

import math
from collections.abc import Iterator

import numpy as np

from tickerbook.research.view import Found, View

FAMILY = "VWAP"
LEAST = 5  # sessions: fewer make no mean
_ROUNDING = 1e-12  # relative: prices that stood still deviate by no more


def find(view: View) -> Iterator[Found]:
    """VWAP and two bands for each anchor that lies at least `LEAST` sessions back and has its volume."""
    for name, anchor in _anchors(view):
        if view.row - anchor + 1 < LEAST:
            continue
        mean, deviation = anchored(*(a[anchor:] for a in (view.highs, view.lows, view.closes, view.volumes)))
        if not deviation > _ROUNDING * abs(mean):
            continue
        yield Found(mean, f"VWAP since {name}", "anchored VWAP", anchor, view.row)
        for sign, side in ((1, "upper"), (-1, "lower")):
            band = f"{side} band of VWAP since {name}"
            yield Found(mean + sign * deviation, band, "VWAP bands", anchor, view.row)


def anchored(
    highs: np.ndarray, lows: np.ndarray, closes: np.ndarray, volumes: np.ndarray
) -> tuple[float, float]:
    """VWAP and standard deviation of the sessions given; NaN where a volume is missing or all are zero."""
    total = float(volumes.sum())
    if not total > 0:
        return math.nan, math.nan
    price = (highs + lows + closes) / 3
    mean = float(price @ volumes) / total
    return mean, math.sqrt(float((price - mean) ** 2 @ volumes) / total)


def _anchors(view: View) -> Iterator[tuple[str, int]]:
    if view.year is not None:
        yield "the start of the year", view.year
    for is_high, name in ((True, "the last zigzag high"), (False, "the last zigzag low")):
        rows = view.zigzag.rows[view.zigzag.is_high == is_high]
        if len(rows):
            yield name, int(rows[-1])
