"""How likely positions of this size take the account further down than its owner bears."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.errors import NotEnoughBarsError
from tickerbook.research.metrics import SESSIONS_A_YEAR
from tickerbook.research.position import check_value

LEAST = 60  # returns; fewer say nothing about a year
BLOCK = 20  # mean length of a block of returns that stay together, sessions: a month
PATHS = 1000
_SEED = 20030613


def drawdown_chance(
    returns: pd.Series, limit: float, sessions: int = SESSIONS_A_YEAR, paths: int = PATHS
) -> float:
    """Chance that an account falls `limit` below its peak within `sessions`.

    A stationary bootstrap (Politis and Romano 1994): years are put together from blocks of past daily
    returns, whose lengths are geometric with mean `BLOCK`. Their mean is taken off: neither a past rise nor a
    past fall is carried on. The generator has a fixed seed, so that the same returns give the same chance,
    which is right to one or two in a hundred.

    Args:
        returns: daily returns of the account with its positions, weights kept up, no stop used; NaN is left
            out.
        limit: drawdown, a fraction of the peak, above 0.
        sessions: how long the positions are held.
        paths: years that are put together.

    Raises:
        NotEnoughBarsError: for fewer than `LEAST` returns.
        ConfigError: if the limit is not above 0.
    """
    check_value("limit", limit, 0 < limit < np.inf, "above 0")
    known = returns.to_numpy(dtype=np.float64)
    known = known[np.isfinite(known)]
    if len(known) < LEAST:
        raise NotEnoughBarsError(
            f"{len(known)} returns say nothing about a year of drawdowns.", f"Use {LEAST} or more."
        )
    known = known - known.mean()
    wealth = np.cumprod(np.maximum(1 + known[_rows(len(known), sessions, paths)], 0.0), axis=0)
    peak = np.maximum.accumulate(np.maximum(wealth, 1.0), axis=0)
    return float(np.mean((wealth <= (1 - limit) * peak).any(axis=0)))


def _rows(length: int, sessions: int, paths: int) -> npt.NDArray[np.int64]:
    """Which return stands at each session of each path, (sessions, paths): blocks that wrap at the end."""
    rng = np.random.default_rng(_SEED)
    begins = rng.uniform(size=(sessions, paths)) < 1 / BLOCK
    begins[0] = True
    starts = rng.integers(0, length, (sessions, paths))
    session = np.arange(sessions)[:, None]
    begun = np.maximum.accumulate(np.where(begins, session, 0), axis=0)
    result: npt.NDArray[np.int64] = (np.take_along_axis(starts, begun, axis=0) + session - begun) % length
    return result
