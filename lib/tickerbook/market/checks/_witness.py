"""Rows as the stored history or another provider has them, on the scale of a frame."""

import pandas as pd

from tickerbook.market.findings import Context
from tickerbook.market.raw import PRICES

_AROUND = 10  # rows on either side that tell on what scale the other is
_AGREE = 0.005  # relative: within this it follows the same prices
_FEW = 3  # common rows needed to tell


def witnessed(frame: pd.DataFrame, sessions: pd.DatetimeIndex, context: Context) -> pd.DataFrame:
    """Prices and volume of `sessions`, for those that somebody has who agrees with the frame around them.

    The stored history goes before another provider: it has been judged.
    """
    found = [
        _told(frame, sessions, source) for source in (context.stored, context.second) if source is not None
    ]
    rows = pd.concat(found) if found else frame.iloc[:0][[*PRICES, "volume"]]
    return rows[~rows.index.duplicated()]


def _told(frame: pd.DataFrame, sessions: pd.DatetimeIndex, source: pd.DataFrame) -> pd.DataFrame:
    rows = source.loc[source.index.intersection(sessions), [*PRICES, "volume"]].astype("float64")
    rows = rows[(rows[PRICES] > 0).all(axis=1)]
    rest = frame[~frame.index.isin(sessions) & ~frame.index.duplicated(keep=False)]
    ratio = (rest["close"] / source["close"]).dropna()
    scale = pd.Series({session: _scale(ratio, session) for session in rows.index}, dtype="float64").dropna()
    rows = rows.loc[scale.index]
    shares = scale.where((scale - 1).abs() > _AGREE, 1.0)
    return rows[PRICES].mul(scale, axis=0).assign(volume=rows["volume"] / shares)


def _scale(ratio: pd.Series, session: pd.Timestamp) -> float:
    """The frame's scale over the source's, around a session; NaN where they do not agree."""
    first = max(ratio.index.searchsorted(session) - _AROUND, 0)
    near = ratio.iloc[first : first + 2 * _AROUND]
    middle = near.median()
    agree = len(near) >= _FEW and (near / middle - 1).abs().median() < _AGREE
    return float(middle) if agree else float("nan")
