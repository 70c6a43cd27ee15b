"""States of many rules at once: rows are sessions, columns are rules. A row uses itself and earlier ones."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def between(enter: Mask, leave: Mask) -> Array:
    """1 from a session that enters to the next that leaves, else 0. Where both are true, it leaves."""
    rows = np.arange(len(enter), dtype=np.int32)[:, None]
    entered = np.maximum.accumulate(np.where(enter, rows, -1), axis=0)
    left = np.maximum.accumulate(np.where(leave, rows, -1), axis=0)
    return (entered > left).astype(np.float64)


def filled(values: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Each zero replaced by the newest value before it that is none."""
    begun = np.argmax(values != 0, axis=0)
    gaps = np.flatnonzero(np.count_nonzero(values == 0, axis=0) > begun)  # zeros also after the first other
    if len(gaps):
        some = values[:, gaps]
        rows = np.arange(len(values), dtype=np.int32)[:, None]
        newest = np.maximum.accumulate(np.where(some != 0, rows, 0), axis=0)
        values = values.copy()
        values[:, gaps] = np.take_along_axis(some, newest, axis=0)
    return values


def every(values: Array, renew: npt.NDArray[np.bool_]) -> Array:
    """What `values` were at the newest row that renews, a row itself included; 0 before the first."""
    rows = np.where(renew, np.arange(len(values)), -1)
    newest = np.maximum.accumulate(rows)
    kept: Array = np.where((newest >= 0)[:, None], values[np.maximum(newest, 0)], 0.0)
    return kept
