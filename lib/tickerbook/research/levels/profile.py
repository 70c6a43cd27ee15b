"""Volume profile: point of control, value area, high and low volume nodes.

From bars within the day where there are some: then the newest `profile_sessions` sessions must all have them.
Otherwise from daily bars, which know nothing of the volume at each price; that is a proxy, and labelled so.

Each bar's volume is spread evenly over its range from low to high. The range of all bars is cut into `BINS`
bins of equal width; the point of control is the middle of the bin with the most volume, the value area runs
from the lower edge of its lowest bin to the upper edge of its highest. Nodes are peaks and troughs of the
profile, smoothed over `SMOOTH` bins, that stand out by a tenth of its highest; kept are the `KEPT` nearest of
each kind on each side of the close.
"""

from collections.abc import Iterator

import numpy as np

from tickerbook.research.peaks import peaks
from tickerbook.research.view import Found, View, nearest

FAMILY = "volume at price"
BINS = 200
KNOWN_VOLUME = 0.9  # share of the sessions whose volume must be known
KEPT = 2
SMOOTH = 9
_PROMINENCE = 0.1
_SAME = 1e-9  # volumes this close, relatively, are equal: sums of spread volume carry rounding


def find(view: View) -> Iterator[Found]:
    """Prices of the profile; none with fewer bars than it needs, without volume, or without any range."""
    first = view.row + 1 - view.search.profile_sessions
    if first < 0:
        return
    source = _source(view, first)
    profile = volume_profile(*source[:3], BINS) if source else None
    if source is None or profile is None:
        return
    for name, kind, price in _prices(*profile, view):
        yield Found(float(price), name + source[3], kind, first, view.row)


def _source(view: View, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, str] | None:
    """Lows, highs and volumes to make the profile of, and what to call it."""
    within = view.intraday
    if within is not None:
        begin = int(np.searchsorted(within.rows, first))
        if len(np.unique(within.rows[begin:])) == view.search.profile_sessions:
            return within.lows[begin:], within.highs[begin:], within.volumes[begin:], ""
    volumes = view.volumes[first:]
    if np.isfinite(volumes).mean() < KNOWN_VOLUME:
        return None
    return view.lows[first:], view.highs[first:], volumes, " (daily proxy)"


def _prices(edges: np.ndarray, volume: np.ndarray, view: View) -> Iterator[tuple[str, str, float]]:
    poc, low, high = expand_value_area(volume, view.search.value_area)
    yield "point of control", "point of control", (edges[poc] + edges[poc + 1]) / 2
    yield "value area high", "value area", edges[high + 1]
    yield "value area low", "value area", edges[low]
    smooth = np.convolve(volume, np.full(SMOOTH, 1 / SMOOTH), mode="same")
    for name, values in (("high volume node", smooth), ("low volume node", -smooth)):
        nodes = peaks(values, _PROMINENCE * smooth.max())
        prices = (edges[nodes] + edges[nodes + 1]) / 2
        for at in nearest(prices, view.close, KEPT):
            yield name, f"{name}s", prices[at]


def volume_profile(
    lows: np.ndarray, highs: np.ndarray, volumes: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Volume by price, each bar's spread evenly over its range; a bar without range goes into one bin.

    Args:
        lows: of each bar.
        highs: of each bar.
        volumes: of each bar; those whose volume is unknown are left out.
        bins: number of bins over the range of all bars.

    Returns:
        the `bins` + 1 edges, rising, and the volume in each bin; None without any volume or range.
    """
    traded = volumes > 0
    low, high = lows[traded][:, None], highs[traded][:, None]
    if len(low) == 0 or high.max() <= low.min():
        return None
    edges = np.linspace(low.min(), high.max(), bins + 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # bars without range are answered in the next line
        below = np.clip((edges - low) / (high - low), 0, 1)
    # The share of a bar's volume below each edge; the top edge has all of it.
    below = np.where(high > low, below, (edges > low) | (edges == edges[-1]))
    return edges, np.diff(volumes[traded] @ below)


def expand_value_area(volume: np.ndarray, share: float) -> tuple[int, int, int]:
    """The value area by single-price expansion: from the point of control, one row at a time.

    The larger of the next row above and the next below is added, above where they are equal, until the area
    holds at least `share` of all volume. The point of control is the row with the most volume; of several,
    the middle one, the upper of two.

    Args:
        volume: of each price row, lowest price first; not negative, and not all zero.
        share: of the total volume.

    Returns:
        rows of the point of control, and of the area's lowest and highest price.
    """
    busiest = np.flatnonzero(volume >= volume.max() * (1 - _SAME))
    low = high = poc = int(busiest[len(busiest) // 2])
    rows = [-1.0, *volume.tolist(), -1.0]  # what lies beyond the last row is never the larger
    held, wanted = rows[poc + 1], share * float(volume.sum()) * (1 - _SAME)
    while held < wanted and high - low + 1 < len(volume):
        above, below = rows[high + 2], rows[low]
        if above >= below * (1 - _SAME):
            high += 1
        else:
            low -= 1
        held += max(above, below)
    return poc, low, high
