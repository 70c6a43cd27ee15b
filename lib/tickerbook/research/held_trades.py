"""Trades with a stop, a target and an end: what a strategy that thinks in trades decides at each close."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
Entry = tuple[float, float] | None  # stop and target (infinity for none) of a trade that is begun


def held_trades(frame: pd.DataFrame, first: int, hold: int, entry: Callable[[int], Entry]) -> pd.DataFrame:
    """One trade at a time: begun where `entry` says so, ended by its stop, its target or its time.

    The stop and the target rest in the market from the session after the decision on: the stop is filled
    where the low touches it, the target where the high goes beyond it, and the trade is over at that close.

    Args:
        frame: bars.
        first: row of the first decision.
        hold: sessions after which a trade is given up, at the next open.
        entry: for a row without a trade, what its close begins.

    Returns:
        exposure (1 while there is a trade, else 0), stop and target (NaN for none), at each close.
    """
    high, low = frame["high"].tolist(), frame["low"].tolist()
    held, stops, targets = np.zeros(len(frame)), np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    trade: Entry = None
    until = 0
    for row in range(first, len(frame)):  # what ends a trade depends on how it began: no vectors
        if trade is not None:
            if low[row] <= trade[0] or high[row] > trade[1] or row >= until:
                trade = None
        else:
            trade, until = entry(row), row + hold
        if trade is not None:
            held[row], stops[row] = 1.0, trade[0]
            targets[row] = trade[1] if trade[1] < np.inf else np.nan
    return pd.DataFrame({"exposure": held, "stop": stops, "target": targets}, index=frame.index)
