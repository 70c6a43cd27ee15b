"""Real prices to look at besides the made-up ones."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tickerbook.bars import COLUMNS, Bars

ANSWERS = Path(__file__).parents[2] / "answers"


@pytest.fixture(scope="session")
def real():
    """SPY, 502 sessions of 2017 and 2018."""
    frame = pd.read_csv(ANSWERS / "indicators.csv", comment="#", index_col="date", parse_dates=True)
    frame = frame[list(COLUMNS)].astype("float64").rename_axis("session")
    return {"SPY": Bars(frame, "SPY", "XNYS", "USD", "split", "test", datetime(2020, 1, 1, tzinfo=UTC))}
