"""Bars to compute on: made up, and real ones from the reference data."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tickerbook.bars import Bars


def bars_of(frame: pd.DataFrame, ticker: str = "TEST") -> Bars:
    """Bars around a frame of prices."""
    asked = datetime(2026, 1, 2, tzinfo=UTC)
    return Bars(frame.rename_axis("session"), ticker, "XNYS", "USD", "split", "made up", asked)


@pytest.fixture(scope="session")
def make_walk() -> Callable[..., Bars]:
    """A maker of random walks: `make_walk(sessions=400, seed=1, drift=0.0005)`."""

    def make(sessions: int = 400, seed: int = 1, drift: float = 0.0005) -> Bars:
        rng = np.random.default_rng(seed)
        close = 100 * np.exp(np.cumsum(rng.normal(drift, 0.015, sessions)))
        opened = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0, 0.005, sessions))
        spread = np.exp(np.abs(rng.normal(0, 0.006, (2, sessions))))
        frame = pd.DataFrame(
            {
                "open": opened,
                "high": np.maximum(opened, close) * spread[0],
                "low": np.minimum(opened, close) / spread[1],
                "close": close,
                "volume": rng.uniform(1e6, 3e6, sessions),
            },
            index=pd.bdate_range("2020-01-01", periods=sessions),
        )
        return bars_of(frame)

    return make


@pytest.fixture(scope="session")
def make_closes() -> Callable[..., Bars]:
    """A maker of bars from closes; each opens where the one before closed, unless opens are given."""

    def make(closes: list[float], opens: list[float] | None = None) -> Bars:
        close = np.asarray(closes, dtype="float64")
        opened = np.concatenate((close[:1], close[:-1])) if opens is None else np.asarray(opens, "float64")
        frame = pd.DataFrame(
            {
                "open": opened,
                "high": np.maximum(opened, close),
                "low": np.minimum(opened, close),
                "close": close,
                "volume": np.full(len(close), 1e6),
            },
            index=pd.bdate_range("2020-01-01", periods=len(close)),
        )
        return bars_of(frame)

    return make


@pytest.fixture(scope="session")
def google(shared: Path) -> Bars:
    """GOOG as the reference backtests saw it."""
    path = shared / "bars/pypi/backtesting_0.6.6_GOOG.csv.gz"
    frame = pd.read_csv(path, index_col=0, parse_dates=True).astype("float64")
    return bars_of(frame.rename(columns=str.lower), "GOOG")
