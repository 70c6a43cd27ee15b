"""Prices as traded, with their corporate actions, and what adjusting makes of them.

A raw frame has float64 columns `RAW`, one row a session (index `session`: naive dates, ascending):

    open high low close   currency a share, as traded that day; negative prices exist
    volume                shares, as traded that day; NaN where unknown
    dividend              currency for each share held over the close before; 0 where none, NaN where unknown
    split                 new shares for each old one, effective at this session's open; 1 where none, NaN
                          where unknown
"""

from typing import Any

import numpy as np
import pandas as pd

from tickerbook.bars import COLUMNS, Adjustment

ACTIONS = {"dividend": 0.0, "split": 1.0}
RAW = (*COLUMNS, *ACTIONS)
PRICES = list(COLUMNS[:4])
_RAW, _BARS = pd.Index(RAW), pd.Index(COLUMNS)


def adjusted(raw: pd.DataFrame, adjustment: Adjustment) -> pd.DataFrame:
    """Bars of a raw frame, in the units of its newest session.

    Only actions within the frame count: cut it first, and no later split or dividend leaks into the past.

    Args:
        raw: a raw frame.
        adjustment: "none" as traded; "split" divides prices, and multiplies volume, by the splits that came
            after each session; "split_dividend" also multiplies prices (not volume) before each dividend by
            close / (close + dividend) of its session, so that the change of the adjusted close is the total
            return (close + dividend) / close before − 1, as CRSP defines it. (Yahoo uses 1 − dividend / close
            before, which differs by the day's return on the dividend.) An unknown split adjusts nothing; a
            session before an unknown dividend has no total return, and its prices are NaN.
    """
    *bars, dividend, split = raw.to_numpy()[:, raw.columns.get_indexer(_RAW)].T
    prices, volume = np.array(bars[:-1]), bars[-1]
    if adjustment != "none":
        splits = _product_after(np.nan_to_num(split, nan=1.0))
        prices /= splits
        volume = volume * splits
    if adjustment == "split_dividend":
        close = raw["close"].to_numpy()
        prices *= _product_after(close / (close + dividend))
    return pd.DataFrame(np.vstack([prices, volume]).T, raw.index, _BARS, copy=False)


def undo_splits(frame: pd.DataFrame) -> pd.DataFrame:
    """A raw frame of one whose prices, volumes and dividends are all adjusted for its splits."""
    raw = frame.copy()
    splits = frame["split"][::-1].cumprod().shift(fill_value=1.0)[::-1]
    raw[[*PRICES, "dividend"]] = raw[[*PRICES, "dividend"]].mul(splits, axis=0)
    raw["volume"] = raw["volume"] / splits
    return raw


def _product_after(factors: Any) -> Any:
    """For each row, the product over all later rows."""
    return np.append(factors[:0:-1].cumprod()[::-1], 1.0)[: len(factors)]
