"""What a fetch teaches: what is new, what was told otherwise before, and by how much."""

import math
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePath

import numpy as np
import pandas as pd

from tickerbook.market.lakefile import Log, Origin, is_daily
from tickerbook.market.raw import RAW

_SAME = 1e-6  # relative: Yahoo's prices carry single precision; a tick is larger


@dataclass(frozen=True)
class Change:
    """What a restatement changed in one column.

    Attributes:
        column: its name.
        sessions: how many of its values changed.
        session: where it changed the most, relative to what was known before.
        before: what was known of that session; NaN where that was nothing.
        after: what is known now.
    """

    column: str
    sessions: int
    session: date
    before: float
    after: float

    @property
    def relative(self) -> float:
        """The largest change, as a fraction; infinite where one of both is missing, or the former is zero."""
        change = self.after / self.before - 1 if self.before else math.nan
        return change if math.isfinite(change) else math.inf

    def __str__(self) -> str:
        times = f"{self.sessions:,} session{'' if self.sessions == 1 else 's'}"
        return f"{self.column} of {times}, most on {self.session}: {self.before:g} became {self.after:g}"


@dataclass(frozen=True)
class Written:
    """What a write changed.

    Attributes:
        rows: sessions in the lake afterwards.
        new: sessions that were not there before.
        restated: sessions that were there with other values.
        withdrawn: sessions that another provider's history replaced by nothing.
        missing: stored sessions that the same provider no longer gave; they are kept.
        older: whether the answer ended before what is stored; nothing is changed then.
        aside: where a damaged file was put.
        changes: of the restated sessions, what changed and by how much; one for each column that did.
    """

    rows: int
    new: int = 0
    restated: int = 0
    withdrawn: int = 0
    missing: int = 0
    older: bool = False
    aside: PurePath | None = None
    changes: tuple[Change, ...] = field(default=(), compare=False)


def learn(log: Log, told: pd.DataFrame, origin: Origin) -> tuple[Log, Written]:
    """What a log becomes by what a fetch told; the same log where that taught nothing."""
    known = log.at() if len(log.index) else told.iloc[:0]
    before = log.origin()
    if told.empty or (len(known) and told.index[-1] < known.index[-1]):
        return log, Written(len(known), older=not known.empty)
    same = before is None or before.agrees(origin)
    rows, written = _learnt(known, told, same=same)
    return (log.grown(rows, origin) if len(rows) or not same else log), written


def _learnt(known: pd.DataFrame, told: pd.DataFrame, *, same: bool) -> tuple[pd.DataFrame, Written]:
    """Rows to add to a log, and how they count. `same`: from the provider that told the rest."""
    places = known.index.get_indexer(told.index)
    both = np.flatnonzero(places >= 0)
    before, after = known.iloc[places[both]], told.iloc[both]
    equal = np.isclose(after, before, rtol=_SAME, atol=0.0, equal_nan=True)
    restated = both[~equal.all(axis=1)]
    rows = places < 0
    new, gone = int(rows.sum()), len(known) - len(both)
    rows[restated] = True
    learnt = told[rows]
    if gone and not same:
        withdrawn = known.index.difference(told.index)
        learnt = learnt.reindex(learnt.index.union(withdrawn)).rename_axis("session")
    written = Written(
        rows=len(known) + new - (0 if same else gone),
        new=new,
        restated=len(restated),
        withdrawn=0 if same else gone,
        missing=gone if same else 0,
        changes=_changes(before, after, equal),
    )
    return learnt, written


def _changes(known: pd.DataFrame, told: pd.DataFrame, equal: np.ndarray) -> tuple[Change, ...]:
    """What differs, column by column."""
    changes = []
    for number, name in enumerate(RAW):
        rows = np.flatnonzero(~equal[:, number])
        if len(rows):
            before, after = (frame[name].to_numpy()[rows] for frame in (known, told))
            with np.errstate(divide="ignore", invalid="ignore"):
                size = np.nan_to_num(np.abs(after / before - 1), nan=np.inf)
            most = int(size.argmax())
            session = known.index[rows[most]].date()
            changes.append(Change(name, len(rows), session, float(before[most]), float(after[most])))
    return tuple(changes)


def check_index(index: pd.Index, interval: str) -> None:
    """Bars of minutes never end up as bars of days."""
    fits = isinstance(index, pd.DatetimeIndex) and (index.tz is None) == is_daily(interval)
    stamps = index.to_numpy()
    if not fits or (is_daily(interval) and (stamps != stamps.astype("datetime64[D]")).any()):
        what = "naive days" if is_daily(interval) else "UTC instants"
        raise ValueError(f"bars of {interval} need an index of {what}")
