"""The gate between a provider and the lake: what is dropped, moved and flagged, each with a count."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from tickerbook.market.raw import ACTIONS, PRICES, RAW
from tickerbook.sessions import sessions_between


@dataclass(frozen=True, eq=False)
class Checked:
    """A raw frame fit for the lake, and what was found in the delivered one.

    Attributes:
        frame: raw frame, ascending, without repeats; may have no rows.
        notes: one sentence part each, such as "2 rows without prices dropped".
    """

    frame: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...]


def check(delivered: pd.DataFrame, calendar: str, until: date) -> Checked:
    """Make a raw frame of what a provider delivered.

    Dropped: rows after `until`, the last completed session (a bar in the making is not a bar); rows without
    all four prices; repeated rows of a session, of which one stays: one with positive prices before one
    without, then the one with the most volume (a bar in the making has traded less), then the last delivered.
    Actions of dropped rows move to the next session that is kept. Flagged and
    kept: prices that are not positive (true ones exist), rows on days without a session, sessions without a
    row. Nothing is filled.
    """
    rows = delivered.sort_index(kind="stable")[list(RAW)].replace([np.inf, -np.inf], np.nan)
    done = rows[rows.index <= pd.Timestamp(until)]
    priced = done[done[PRICES].notna().all(axis=1)]
    kept = _one_a_session(priced)
    frame = kept.assign(**_moved(done, kept.index)).rename_axis("session").astype("float64")
    frame.index = frame.index.as_unit("ns")
    found = {
        "row{s} after the last completed session dropped": len(rows) - len(done),
        "row{s} without prices dropped": len(done) - len(priced),
        "repeated row{s} dropped": len(priced) - len(kept),
        **_flags(frame, calendar),
    }
    return Checked(frame, tuple(_counted(count, what) for what, count in found.items() if count))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what.format(s='' if count == 1 else 's')}"


def _one_a_session(rows: pd.DataFrame) -> pd.DataFrame:
    rank = pd.DataFrame(
        {
            "session": rows.index,
            "positive": (rows[PRICES] > 0).all(axis=1).to_numpy(),
            "volume": rows["volume"].to_numpy(),
        }
    )
    order = rank.sort_values(["session", "positive", "volume"], kind="stable", na_position="first")
    best = rows.iloc[order.index]
    return best[~best.index.duplicated(keep="last")]


def _moved(rows: pd.DataFrame, sessions: pd.DatetimeIndex) -> dict[str, pd.Series]:
    """Actions on the sessions that are kept: each on its own or the next one, several combined."""
    told = pd.DataFrame({name: rows[name].where(rows[name] != none) for name, none in ACTIONS.items()})
    told = told.groupby(level=0).last()  # repeats of one session tell one action
    told = told.fillna(ACTIONS).assign(at=sessions.searchsorted(told.index)).set_index("at")
    told = told[told.index < len(sessions)]
    by_session = told.groupby(level=0).agg({"dividend": "sum", "split": "prod"})
    everywhere = by_session.reindex(range(len(sessions))).fillna(ACTIONS).set_axis(sessions)
    return {name: everywhere[name] for name in ACTIONS}


def _flags(frame: pd.DataFrame, calendar: str) -> dict[str, int]:
    if frame.empty:
        return {}
    expected = sessions_between(calendar, frame.index[0].date(), frame.index[-1].date())
    return {
        "row{s} with a price that is not positive kept": int((frame[PRICES] <= 0).any(axis=1).sum()),
        f"row{{s}} on days without a {calendar} session kept": len(frame.index.difference(expected)),
        f"{calendar} session{{s}} missing": len(expected.difference(frame.index)),
    }
