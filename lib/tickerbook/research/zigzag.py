"""Zigzag: the ends of legs that the price has since turned away from by a multiple of its ATR."""

import numpy as np


def turning_points(
    highs: np.ndarray, lows: np.ndarray, closes: np.ndarray, reversal: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Highs and lows in turn, each confirmed by a close at least `reversal` away from it.

    The end of the newest leg can still move and is not among them; an end once given never changes.

    Args:
        highs: of each bar.
        lows: of each bar.
        closes: of each bar.
        reversal: at each bar, how far a close must be from the extreme to confirm it, currency a share; NaN
            while that is not known.

    Returns:
        rows of the extremes, rows of the bars that confirmed them, prices, and whether each is a high.
    """
    found: list[tuple[int, int, float, bool]] = []
    top = bottom = int(np.argmax(np.isfinite(reversal)))  # rows of the extremes since the last one found
    rising: bool | None = None
    high, low, close, needed = highs.tolist(), lows.tolist(), closes.tolist(), reversal.tolist()
    for row in range(top, len(close)):
        if high[row] > high[top]:
            top = row
        if low[row] < low[bottom]:
            bottom = row
        if not needed[row] > 0:
            continue
        if rising is not False and close[row] <= high[top] - needed[row]:
            found.append((top, row, high[top], True))
            rising, bottom = False, top + int(np.argmin(lows[top : row + 1]))
        elif rising is not True and close[row] >= low[bottom] + needed[row]:
            found.append((bottom, row, low[bottom], False))
            rising, top = True, bottom + int(np.argmax(highs[bottom : row + 1]))
    rows, known, prices, is_high = zip(*found, strict=True) if found else ((), (), (), ())
    return (
        np.array(rows, dtype="int64"),
        np.array(known, dtype="int64"),
        np.array(prices, dtype="float64"),
        np.array(is_high, dtype="bool"),
    )
