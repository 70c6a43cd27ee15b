"""What a backtest gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from tickerbook.research.metrics import Performance, performance, win_rate
from tickerbook.research.simulation import Costs
from tickerbook.research.strategy import Parameter


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """What a strategy made of a test, beside buy and hold over the same sessions at the same costs.

    The test begins after the close of its base session: there both curves are 1, all in cash, and the
    benchmark decides to buy. Both can be filled from the next open on, and are marked at each close.

    Attributes:
        strategy: its name.
        parameters: its parameters.
        costs: of every fill, also the benchmark's.
        cash: at the start.
        exposure: what was decided at each close of all bars, −1…1.
        equity: from 1 at the base session to the last.
        benchmark: buy and hold, likewise.
        trades: round trips, with the columns that `simulate` describes.
    """

    strategy: str
    parameters: Mapping[str, Parameter]
    costs: Costs
    cash: float
    exposure: pd.Series
    equity: pd.Series
    benchmark: pd.Series
    trades: pd.DataFrame

    @property
    def sessions(self) -> int:
        """Sessions of the test: those with a return."""
        return len(self.equity) - 1

    @cached_property
    def metrics(self) -> Performance:
        """The strategy's performance."""
        return performance(self.equity.pct_change())

    @cached_property
    def benchmark_metrics(self) -> Performance:
        """The benchmark's performance."""
        return performance(self.benchmark.pct_change())

    @property
    def closed_trades(self) -> pd.DataFrame:
        """The trades that have ended."""
        return self.trades[self.trades["exited"].notna()]

    @property
    def win_rate(self) -> float:
        """Share of closed trades that gained after costs; NaN without one."""
        return win_rate(self.closed_trades["profit"])

    @property
    def mean_exposure(self) -> float:
        """Mean of the exposure held over the test's sessions, short counting like long."""
        return float(self.exposure.loc[self.equity.index[:-1]].abs().mean())

    @property
    def signal(self) -> str:
        """What was decided at the last close, for the session after it: long, flat or short."""
        return {1: "long", 0: "flat", -1: "short"}[int(np.sign(self.exposure.iloc[-1]))]


@dataclass(frozen=True, slots=True)
class Untested:
    """A strategy that these bars are too few to test, and why."""

    strategy: str
    parameters: Mapping[str, Parameter]
    costs: Costs
    reason: str
