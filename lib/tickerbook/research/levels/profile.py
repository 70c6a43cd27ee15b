"""Volume profile of daily bars: point of control and value area. A proxy, and labelled so.

A true profile needs the volume at each price within the day. From daily bars it is not known, so each bar's
volume is spread evenly over its range from low to high. The range of all bars is cut into `BINS` bins of
equal width; the point of control is the middle of the bin with the most volume, the value area runs from
the lower edge of its lowest bin to the upper edge of its highest.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tickerbook.research.level import Found, View

BINS = 200
KNOWN_VOLUME = 0.9  # share of the sessions whose volume must be known
_SAME = 1e-9  # volumes this close, relatively, are equal: sums of spread volume carry rounding


def find(view: View) -> Iterator[Found]:
    """Three prices; none with fewer bars than the profile needs, without volume, or without any range."""
    rows = view.bars.frame.iloc[-view.profile_sessions :]
    if len(rows) < view.profile_sessions or rows["volume"].notna().mean() < KNOWN_VOLUME:
        return
    profile = volume_profile(rows, BINS)
    if profile is None:
        return
    edges, volume = profile
    poc, low, high = expand_value_area(volume, view.value_area)
    formed, known = rows.index[0].date(), rows.index[-1].date()
    for name, price in (
        ("point of control", (edges[poc] + edges[poc + 1]) / 2),
        ("value area high", edges[high + 1]),
        ("value area low", edges[low]),
    ):
        yield Found(float(price), f"{name} (daily proxy)", formed, known)


def volume_profile(frame: pd.DataFrame, bins: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Volume by price, each bar's spread evenly over its range; a bar without range goes into one bin.

    Args:
        frame: bars with columns high, low, volume; bars of unknown volume are left out.
        bins: number of bins over the range of all bars.

    Returns:
        the `bins` + 1 edges, rising, and the volume in each bin; None without any volume or range.
    """
    rows = frame[frame["volume"] > 0]
    low, high = (rows[name].to_numpy()[:, None] for name in ("low", "high"))
    if len(rows) == 0 or high.max() <= low.min():
        return None
    edges = np.linspace(low.min(), high.max(), bins + 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # bars without range are answered in the next line
        below = np.clip((edges - low) / (high - low), 0, 1)
    # The share of a bar's volume below each edge; the top edge has all of it.
    below = np.where(high > low, below, (edges > low) | (edges == edges[-1]))
    return edges, rows["volume"].to_numpy() @ np.diff(below, axis=1)


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
    poc = int(busiest[len(busiest) // 2])
    low = high = poc
    held, wanted = volume[poc], share * volume.sum() * (1 - _SAME)
    while held < wanted:
        above = volume[high + 1] if high + 1 < len(volume) else -1.0
        below = volume[low - 1] if low > 0 else -1.0
        if above >= below * (1 - _SAME):
            high += 1
        else:
            low -= 1
        held += max(above, below)
    return poc, low, high
