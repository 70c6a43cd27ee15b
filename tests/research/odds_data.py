"""Made-up prices whose truth about levels is known: random walks, and walks that turn at planted prices."""

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.research.levels import Method
from tickerbook.research.view import Found

STEPS = 39  # within a session: a bar's extremes are those of a path, not made up beside it
SPACING = 5.0


def bars_of(path, ticker, volume=None):
    """Bars around a path of prices, one row a session."""
    frame = pd.DataFrame(
        {
            "open": path[:, 0],
            "high": path.max(axis=1),
            "low": path.min(axis=1),
            "close": path[:, -1],
            "volume": np.full(len(path), 1e6) if volume is None else volume,
        },
        index=pd.bdate_range("2010-01-04", periods=len(path), name="session"),
    )
    return Bars(frame, ticker, "XNYS", "USD", "split", "made up", pd.Timestamp("2026-01-02", tz="UTC"))


def random_walk(seed, sessions=1150):
    """A Gaussian walk in logarithms: no level means anything."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.015 / np.sqrt(STEPS), sessions * STEPS)
    path = 100 * np.exp(np.cumsum(steps)).reshape(sessions, STEPS)
    return bars_of(path, f"WALK{seed}", rng.uniform(1e6, 3e6, sessions))


def planted(seed, turned, sessions=1000):
    """A walk whose steps across a multiple of `SPACING` are turned back with probability `turned`."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 1.0 / np.sqrt(STEPS), sessions * STEPS).tolist()
    luck = rng.random(sessions * STEPS).tolist()
    price, path = 102.5, []
    for step, chance in zip(steps, luck, strict=True):
        crosses = price // SPACING != (price + step) // SPACING
        price += -step if crosses and chance < turned else step
        price = max(price, 10.0)
        path.append(price)
    return bars_of(np.array(path).reshape(sessions, STEPS), f"PLANT{seed}")


def _find_planted(view):
    nearest = round(view.close / SPACING) * SPACING
    for multiple in range(-3, 4):
        yield Found(nearest + multiple * SPACING, "planted", "planted", 0, 0)


PLANTED = Method("planted", "planted", _find_planted)
