"""Bars: checked prices with their origin."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from tickerbook.errors import DataError
from tickerbook.trials import Trials

COLUMNS = ("open", "high", "low", "close", "volume")
Adjustment = Literal["none", "split", "split_dividend"]


@dataclass(frozen=True, eq=False)
class Bars:
    """Daily bars of one ticker, oldest first.

    Attributes:
        frame: float64 columns open, high, low, close (currency a share) and volume (shares); the index
            `session` holds naive dates, ascending, without repeats. Prices are finite; a session without
            prices has no row; an unknown volume is NaN.
        ticker: the symbol.
        calendar: ISO 10383 code of the exchange whose sessions these are.
        currency: ISO 4217 code of the prices.
        adjustment: what prices and volume are adjusted for.
        source: the provider, as a reader would name it.
        fetched_at: when the provider was asked (UTC).
        witness: who is told of every backtest on these bars; None for nobody. It stays with parts of them.

    Raises:
        DataError: if the frame breaks any of that.
    """

    frame: pd.DataFrame = field(repr=False)
    ticker: str
    calendar: str
    currency: str
    adjustment: Adjustment
    source: str
    fetched_at: datetime
    witness: Callable[[Trials], None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        problem = _problem(self.frame)
        if problem:
            raise DataError(
                f"Bars of {self.ticker} from {self.source} cannot be used: {problem}.",
                "Fetch the ticker again, or look at what the provider delivered.",
            )

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def first(self) -> date:
        """The oldest session."""
        return self.frame.index[0].date()  # type: ignore[no-any-return]

    @property
    def session(self) -> date:
        """The newest session: what everything computed from these bars is as of."""
        return self.frame.index[-1].date()  # type: ignore[no-any-return]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of sessions and values, as 64 hex digits; independent of file layout and fetch time."""
        total = hashlib.sha256()
        days = self.frame.index.to_numpy().astype("datetime64[D]").astype("<i8")
        total.update(days.tobytes())
        for column in COLUMNS:
            values = self.frame[column].to_numpy(dtype="<f8") + 0.0  # -0.0 becomes 0.0
            total.update(np.where(np.isnan(values), np.nan, values).tobytes())
        total.update(f"{self.currency} {self.adjustment}".encode())
        return total.hexdigest()

    def until(self, session: date) -> "Bars":
        """These bars up to and including `session`.

        Raises:
            DataError: if nothing is left.
        """
        return replace(self, frame=self.frame.loc[: pd.Timestamp(session)])

    def check_adjusted(self) -> None:
        """See that no split is left in the prices.

        Raises:
            DataError: if they are as traded: a split would look like a crash, and prices from before it like
                levels.
        """
        if self.adjustment == "none":
            raise DataError(
                f"The prices of {self.ticker} are as traded: a split inside them would count as a loss.",
                "Use bars that are adjusted for splits.",
            )

    def last(self, sessions: int) -> "Bars":
        """The newest `sessions` bars, or all where there are fewer.

        Raises:
            ValueError: if `sessions` is not positive.
        """
        if sessions < 1:
            raise ValueError(f"sessions must be positive, not {sessions}")
        return replace(self, frame=self.frame.iloc[-sessions:])


def _problem(frame: pd.DataFrame) -> str:
    """What is wrong with a frame of bars; empty where nothing is."""
    if tuple(frame.columns) != COLUMNS:
        return f"columns are {', '.join(map(str, frame.columns))}, not {', '.join(COLUMNS)}"
    if not all(dtype == np.float64 for dtype in frame.dtypes):
        return "columns must be float64"
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None or index.name != "session":
        return "the index must be naive dates named session"
    if len(frame) == 0:
        return "there is no bar"
    days = index.to_numpy().astype("datetime64[D]")
    if not ((days[1:] > days[:-1]).all() and (days == index.to_numpy()).all()):
        return "sessions must be whole days, ascending, without repeats"
    if not np.isfinite(frame.to_numpy()[:, : COLUMNS.index("volume")]).all():
        return "a price is missing or infinite"
    return ""
