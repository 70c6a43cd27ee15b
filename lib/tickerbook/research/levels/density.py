"""Density peaks of traded prices: where the price has spent most of its time.

Each session in sight counts once, spread evenly over its range from low to high. The density is a Gaussian
kernel estimate of that, on a grid of a tenth of an ATR and no further than `REACH` ATR from the close, with a
bandwidth of `BANDWIDTH` ATR. A peak counts if it stands out from its surroundings by a tenth of the highest
one. The time at a price is known from daily bars only roughly; volume is not in it.
"""

from collections.abc import Iterator

import numpy as np

from tickerbook.research.peaks import peaks
from tickerbook.research.view import Found, View, nearest

FAMILY = "volume at price"
KEPT = 3
REACH = 15  # ATR
BANDWIDTH = 0.5  # ATR
_STEP = 0.1  # ATR
_PROMINENCE = 0.1
_POINT = 1e-6  # range of a bar that has none, as a share of the grid: small, and no rounding to fear


def find(view: View) -> Iterator[Found]:
    """At most `KEPT` peaks on each side of the close."""
    if not view.atr > 0:
        return
    step = _STEP * view.atr
    # The grid is laid from the close, so that it does not move with prices far away.
    edges = view.close + step * np.arange(-REACH / _STEP, REACH / _STEP + 1)
    density = _smooth(np.diff(time_below(edges, view.lows[view.start :], view.highs[view.start :])))
    tops = peaks(density, _PROMINENCE * density.max())
    prices = (edges[tops] + edges[tops + 1]) / 2
    for at in nearest(prices, view.close, KEPT):
        yield Found(float(prices[at]), "density peak (daily proxy)", "density peaks", view.start, view.row)


def time_below(edges: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> np.ndarray:
    """Sessions spent below each edge, every one spread evenly from its low to its high.

    Args:
        edges: rising.
        lows: of each bar.
        highs: of each bar; one without range counts where its price is below the edge.
    """
    # A bar's share below an edge rises as (edge − low)/range: two sorted sums give all bars at once.
    width = np.maximum(highs - lows, _POINT * (edges[-1] - edges[0]))
    below: np.ndarray = _ramps(edges, lows, 1 / width) - _ramps(edges, lows + width, 1 / width)
    return below


def _ramps(edges: np.ndarray, begin: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """At each edge, the sum of slope·(edge − begin) over the ramps that have begun."""
    order = np.argsort(begin)
    started = np.searchsorted(begin[order], edges)
    slopes = np.concatenate(([0.0], np.cumsum(slope[order])))[started]
    offsets = np.concatenate(([0.0], np.cumsum((slope * begin)[order])))[started]
    return edges * slopes - offsets


def _smooth(values: np.ndarray) -> np.ndarray:
    reach = round(4 * BANDWIDTH / _STEP)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _STEP / BANDWIDTH) ** 2)
    return np.convolve(values, kernel / kernel.sum(), mode="same")
