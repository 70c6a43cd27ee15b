"""Runs of rows dated a day early or late, as a change of time zone makes them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.checks import Checked, Finding
from tickerbook.market.checks._calendar import expected
from tickerbook.market.checks._delivery import Delivery

ORDER = 15
_LONGEST = 60  # rows back to where such a run may begin


def check(delivery: Delivery) -> Checked:
    """Move back runs of rows that are a day off, where that and nothing else makes sessions of all of them.

    A run dated a day early has a Sunday in it, repeats a day where it begins (or begins on the Sunday) and
    lacks a session where it ends; a run dated a day late is the same seen from behind.
    """
    index = delivery.frame.index
    if delivery.context.interval != "1d" or not index.is_monotonic_increasing:
        return delivery, []
    days = index.to_numpy().astype("datetime64[D]").astype(int)
    sessions = expected(index, delivery.context).to_numpy().astype("datetime64[D]").astype(int)
    early = _runs(days, sessions)
    late = -_runs(-days[::-1], -sessions[::-1])[::-1]
    shift = np.where(early != 0, early, late)
    if not shift.any():
        return delivery, []
    moved = index + pd.to_timedelta(shift, unit="D")
    message = "Rows are dated a day off, as by another time zone; their dates are moved."
    finding = Finding("dates.shifted", "error", delivery.days(shift != 0), message)
    return replace(delivery, frame=delivery.frame.set_axis(moved.rename(index.name))), [finding]


def _runs(days: Any, sessions: Any) -> Any:
    """1 for rows of runs that are dated a day early, else 0; days are numbers, in order."""
    stray = ~np.isin(days, sessions)
    shift = np.zeros(len(days), dtype=int)
    for row in np.flatnonzero(stray & np.isin(days + 1, sessions)):
        if shift[row]:
            continue
        first, last = _first(days, int(row)), _last(days, stray, int(row))
        run = days[first : last + 1] + 1
        inside = np.isin(run, sessions).all() and (np.diff(run) > 0).all()
        before = first == 0 or days[first - 1] < run[0]
        after = last + 1 == len(days) or run[-1] < days[last + 1]
        if inside and before and after and len(run) > 1:
            shift[first : last + 1] = 1
    return shift


def _first(days: Any, row: int) -> int:
    """Where the run of a stray row begins: at the repeat of a day, else at the row itself."""
    back = np.flatnonzero(days[max(row - _LONGEST, 0) : row] == days[max(row - _LONGEST, 0) + 1 : row + 1])
    return int(max(row - _LONGEST, 0) + 1 + back[-1]) if len(back) else row


def _last(days: Any, stray: Any, row: int) -> int:
    """Where it ends: before the first row that neither follows at once nor is stray itself."""
    follows = (np.diff(days[row:]) == 1) | stray[row + 1 :]
    broken = np.flatnonzero(~follows)
    return row + int(broken[0]) if len(broken) else len(days) - 1
