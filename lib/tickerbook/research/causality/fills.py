"""When a decision begins to count: nothing before the next open, whatever the session's own prices were."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tickerbook.certificates import Audit
from tickerbook.research.costs import Costs
from tickerbook.research.simulation import simulate

Fills = Callable[[pd.DataFrame, np.ndarray], np.ndarray]
"""Bars and what is held as decided at each close (−1…1) → equity at each close."""
_CASH = 1e9  # so much that whole shares are no steps
_OTHER = 1.25  # another price of the session of the decision
_CASES = ((60, 1.0), (61, -1.0), (137, 0.5))
_TOLD = "a decision earns nothing before the next open, and the prices it was made at do not matter to it"


def simulated(frame: pd.DataFrame, exposure: np.ndarray) -> np.ndarray:
    """Equity as the backtests of this library keep it, without costs."""
    return simulate(frame, exposure[:, None], Costs(0.0, 0.0), _CASH).equity[:, 0]


def audit_fills(frame: pd.DataFrame, fills: Fills) -> Audit:
    """Whether what is decided at a close is filled after it.

    Nothing is held until a close, and something from then on. Until that close the equity has not moved;
    afterwards it is the same if that session's prices were others; and what is decided on top of it later
    does not change it before then.
    """
    for row, held in _CASES:
        decided = np.where(np.arange(len(frame)) >= row, held, 0.0)
        equity = fills(frame, decided)
        moved = frame.copy()
        moved.iloc[row, :4] *= _OTHER
        later = fills(frame, np.where(np.arange(len(frame)) > row + 3, -held, decided))
        for told, one, other in (
            ("earns before it was decided", equity[: row + 1], np.full(row + 1, equity[0])),
            ("depends on the prices it was decided at", equity[row + 1 :], fills(moved, decided)[row + 1 :]),
            ("changes with what is decided later", equity[: row + 4], later[: row + 4]),
        ):
            if not np.allclose(one, other, rtol=1e-6, atol=0):
                return Audit(
                    "filled after it was decided",
                    passed=False,
                    told=f"what is decided on {frame.index[row]:%Y-%m-%d} {told}",
                )
    return Audit("filled after it was decided", passed=True, told=_TOLD)
