"""One history out of several vendors': each session as the first vendor has it whom another one confirms.

No price is made up: a mean of two vendors is one that nobody quoted. All are compared as traded, the one
basis on which vendors who adjust differently must agree. Volumes are not compared: vendors count other
venues.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.raw import ACTIONS, PRICES, RAW

TOLERANCE = 0.005  # relative: rounding, and closes with or without the auction


@dataclass(frozen=True, eq=False)
class Agreement:
    """What several vendors amount to.

    Attributes:
        frame: raw frame of the agreed sessions.
        taken_from: for each of them, whose row it is.
        spread: for each of them, the largest difference between vendors over open, high, low and close, as a
            fraction of the median; NaN where only one has the session.
        disputed: for each of them, whether several vendors have it and no two agree.
        vendors: for each of them, who has it, with commas.
    """

    frame: pd.DataFrame = field(repr=False)
    taken_from: pd.Series = field(repr=False)
    spread: pd.Series = field(repr=False)
    disputed: pd.Series = field(repr=False)
    vendors: pd.Series = field(repr=False)


def agree(frames: Mapping[str, pd.DataFrame], tolerance: float = TOLERANCE) -> Agreement:
    """The agreed history.

    Args:
        frames: raw frames by vendor, the most preferred first.
        tolerance: largest relative difference in each price at which two rows agree.

    Returns:
        The sessions of the preferred vendor, and those that two others agree on. A disputed session is as
        the preferred vendor has it. Dividends and splits are the preferred vendor's where it has the session
        and knows them.
    """
    names = np.array(list(frames))
    index = pd.DatetimeIndex(np.unique(np.concatenate([frame.index.to_numpy() for frame in frames.values()])))
    table = np.stack([frame.reindex(index=index, columns=list(RAW)).to_numpy() for frame in frames.values()])
    prices = table[:, :, : len(PRICES)]
    has = np.isfinite(prices).all(axis=2)
    confirmed = _confirmed(prices, tolerance)
    chosen = np.where(confirmed.any(axis=0), confirmed.argmax(axis=0), 0)
    rows = table[chosen, np.arange(len(index))]
    actions = table[0, has[0], -len(ACTIONS) :]
    rows[has[0], -len(ACTIONS) :] = np.where(np.isnan(actions), rows[has[0], -len(ACTIONS) :], actions)
    several = has.sum(axis=0) > 1
    kept = has[0] | confirmed.any(axis=0)
    told = {
        "taken_from": names[chosen],
        "spread": np.where(several, _spread(prices), np.nan),
        "disputed": several & ~confirmed.any(axis=0),
        "vendors": [",".join(names[column]) for column in has.T],
    }
    sessions = index.rename("session")
    columns = {name: pd.Series(values, sessions)[kept] for name, values in told.items()}
    return Agreement(frame=pd.DataFrame(rows, sessions, list(RAW))[kept], **columns)


def _confirmed(prices: Any, tolerance: float) -> Any:
    """For each vendor and session, whether another vendor's row agrees."""
    confirmed = np.zeros(prices.shape[:2], dtype=bool)
    for one in range(len(prices)):
        for other in range(one + 1, len(prices)):
            apart = np.abs(prices[one] - prices[other])
            same = (apart <= tolerance * np.maximum(np.abs(prices[one]), np.abs(prices[other]))).all(axis=1)
            confirmed[one] |= same
            confirmed[other] |= same
    return confirmed


def _spread(prices: Any) -> Any:
    """Largest relative difference of each session; NaN where nobody has it."""
    known = np.isfinite(prices)
    low = np.where(known, prices, np.inf).min(axis=0)
    high = np.where(known, prices, -np.inf).max(axis=0)
    middle = pd.DataFrame(prices.reshape(len(prices), -1)).median().to_numpy().reshape(low.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        return ((high - low) / np.abs(middle)).max(axis=1)
