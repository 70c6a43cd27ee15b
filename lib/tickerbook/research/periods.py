"""Weeks, months and years: which one was complete at each close, by the exchange's calendar."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tickerbook.sessions import sessions_between

PERIODS = ("year", "month", "week")
_AHEAD = 370  # days: the period of the last bar ends within them
_SUNDAY = 3  # 1970-01-04, in days since 1970-01-01


@dataclass(frozen=True, slots=True)
class Complete:
    """The newest complete period at each close.

    Attributes:
        first, last: rows of its first and last bar; −1 where there is none.
        own: row of the first bar of the period that the close itself lies in; −1 where bars begin within it.
    """

    first: np.ndarray
    last: np.ndarray
    own: np.ndarray

    def at(self, row: int) -> tuple[int, int] | None:
        """Its first and last row at the close of a row."""
        first = int(self.first[row])
        return None if first < 0 else (first, int(self.last[row]))

    def begun(self, row: int) -> int | None:
        """The first row of the period of a row."""
        first = int(self.own[row])
        return None if first < 0 else first


def complete_periods(calendar: str, days: np.ndarray) -> Mapping[str, Complete]:
    """For each kind of period, what was complete at each of the `days`, which are sessions, ascending.

    Whether a session is the last of its period is read from the calendar, never from the bars that follow;
    one that the calendar does not know ends nothing. A period counts only if the bars reach back to its first
    session. A week runs from Sunday to Saturday, which holds together both the weeks that trade from Monday
    to Friday and those from Sunday to Thursday.
    """
    first = days[0].astype("datetime64[Y]").astype("datetime64[D]") - 7
    sessions = sessions_between(calendar, first.item(), (days[-1] + _AHEAD).item())
    traded = sessions.to_numpy().astype("datetime64[D]")
    return {name: _complete(_period(days, name), _period(traded, name), days, traded) for name in PERIODS}


def _period(days: np.ndarray, name: str) -> np.ndarray:
    """A number for the period of each day; it rises with time."""
    if name == "week":
        return (days.astype("int64") - _SUNDAY) // 7
    return days.astype(f"datetime64[{name[0].upper()}]").astype("int64")


def _complete(period: np.ndarray, calendar: np.ndarray, days: np.ndarray, traded: np.ndarray) -> Complete:
    rows = np.arange(len(days))
    new = np.flatnonzero(np.diff(period, prepend=period[0] - 1))  # first rows of the bars' periods
    number = np.searchsorted(new, rows, side="right") - 1
    turn = np.flatnonzero(np.diff(calendar))
    ends = np.isin(days, traded[turn])
    whole = len(traded) > 0 and bool(np.isin(days[0], traded[np.append(turn + 1, 0)]))
    done = number - ~ends  # the row's own period where it ends with it, else the one before
    oldest = 0 if whole else 1
    first = np.where(done >= oldest, new[done], -1)
    last = np.where(done >= oldest, np.where(ends, rows, new[number] - 1), -1)
    return Complete(first, last, np.where(number >= oldest, new[number], -1))
