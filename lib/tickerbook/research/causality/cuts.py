"""Where to cut a history: at random, and where looking ahead would pay or show."""

import numpy as np
import pandas as pd

FIRST = 5  # rows before this are no history
_RANDOM, _TURNS, _LARGEST, _MOVES, _YEARS, _MONTHS, _WEEKS = 3, 4, 2, 2, 1, 1, 1


def cuts(frame: pd.DataFrame, output: np.ndarray, rng: np.random.Generator) -> list[int]:
    """Rows after which to take the future away, ascending, each once.

    Some at random; some at which the output changes, and those where it changes most, since what is decided
    there is what the future could have told; those before the largest moves of the price; the last sessions
    of a year, a month and a week, of which only what follows says that they are the last.

    Args:
        frame: the history.
        output: what was computed on all of it; rows are sessions.
        rng: seeded.
    """
    last = len(frame) - 2
    turns = _turns(output)
    moves = np.abs(np.diff(np.log(frame["close"].to_numpy())))
    chosen: list[np.ndarray] = [
        rng.integers(FIRST, last + 1, _RANDOM),
        _some(np.flatnonzero(turns > 0), _TURNS, rng),
        np.argsort(-turns, kind="stable")[:_LARGEST],
        np.argsort(-moves, kind="stable")[:_MOVES],  # row r of the differences: from r to r + 1
        _some(_ends(frame.index, "Y"), _YEARS, rng),
        _some(_ends(frame.index, "M"), _MONTHS, rng),
        _some(_ends(frame.index, "W"), _WEEKS, rng),
        np.array([last]),
    ]
    rows = np.unique(np.concatenate(chosen).astype("int64"))
    return [int(row) for row in rows if FIRST <= row <= last]


def _turns(output: np.ndarray) -> np.ndarray:
    """How much each row differs from the row before, in standard deviations; 1 where NaN begins or ends."""
    if len(output) == 0 or output.shape[1] == 0:
        return np.zeros(len(output))
    known = np.where(np.isfinite(output), output, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        change = np.abs(np.diff(known, axis=0, prepend=known[:1])) / np.maximum(known.std(axis=0), 1e-12)
    toggled = np.diff(np.isnan(output), axis=0, prepend=np.isnan(output[:1]))
    total: np.ndarray = np.nan_to_num(change + toggled).sum(axis=1)
    return total


def _ends(days: pd.DatetimeIndex, period: str) -> np.ndarray:
    number = days.to_period(period).asi8
    return np.flatnonzero(np.diff(number))


def _some(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= count else rng.choice(rows, count, replace=False)
