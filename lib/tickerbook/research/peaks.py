"""Peaks of a curve that stand out.

As `scipy.signal.find_peaks` gives them (the tests hold it to that), without that package's import, which
takes longer than everything else that levels need.
"""

import numpy as np


def peaks(values: np.ndarray, prominence: float) -> np.ndarray:
    """Places of the local maxima that rise at least `prominence` above the higher of the valleys beside them.

    A valley ends where the curve rises above the peak, or with the curve. Of a flat top the middle is the
    peak; the ends of the curve are none.
    """
    turn = np.flatnonzero(np.diff(values)) + 1  # first places of the runs of equal values
    begin, end = np.concatenate(([0], turn)), np.concatenate((turn, [len(values)])) - 1
    level = values[begin]
    top = np.flatnonzero((level[1:-1] > level[:-2]) & (level[1:-1] > level[2:])) + 1
    found = [run for run in top.tolist() if _rise(level, run) >= prominence]
    return (begin[found] + end[found]) // 2 if found else np.zeros(0, dtype="int64")


def _rise(level: np.ndarray, run: int) -> float:
    """How far a peak rises above the higher of its valleys."""
    height = level[run]
    left, right = level[:run][::-1], level[run + 1 :]
    return float(height - max(_valley(left, height), _valley(right, height)))


def _valley(side: np.ndarray, height: float) -> float:
    """The lowest value on the way from a peak to the next that is higher."""
    higher = side > height
    return float(side[: int(higher.argmax())].min() if higher.any() else side.min())
