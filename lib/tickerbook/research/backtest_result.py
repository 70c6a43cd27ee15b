"""What backtests give: one of fixed parameters, and a walk-forward."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from tickerbook.research.costs import Costs
from tickerbook.research.metrics import Performance, performance, win_rate
from tickerbook.research.ranges import Parameter
from tickerbook.research.splits import check_schedule
from tickerbook.research.sweep import Sweep


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """What a strategy made of a test, beside buy and hold over the same sessions at the same costs.

    The test begins after the close of its base session: there both curves are 1, all in cash, and the
    benchmark decides to buy. Both can be filled from the next open on, and are marked at each close.

    Attributes:
        strategy: its name.
        title: what readers call it.
        parameters: its parameters; of a walk-forward, those in use at the end.
        costs: of every fill, also the benchmark's.
        cash: at the start.
        exposure: what was decided at each close of all bars, −1…1; of a walk-forward 0 before its base.
        equity: from 1 at the base session to the last; a bar that holds both stop and target is read
            pessimistically.
        optimistic: the same, such bars read optimistically; the truth lies between.
        benchmark: buy and hold, likewise.
        trades: round trips, with the columns that `Books.trades` describes.
        periods: sessions a year of the exchange.
        out_of_sample: the walk-forward that chose these parameters; None where there is none.
    """

    strategy: str
    title: str
    parameters: Mapping[str, Parameter]
    costs: Costs
    cash: float
    exposure: pd.Series
    equity: pd.Series
    optimistic: pd.Series
    benchmark: pd.Series
    trades: pd.DataFrame
    periods: int
    out_of_sample: "WalkForward | None" = None

    @property
    def sessions(self) -> int:
        """Sessions of the test: those with a return."""
        return len(self.equity) - 1

    @cached_property
    def returns(self) -> pd.Series:
        """The strategy's return of each session of the test."""
        return self.equity.pct_change().iloc[1:]

    @cached_property
    def metrics(self) -> Performance:
        """The strategy's performance."""
        return performance(self.returns, self.periods)

    @cached_property
    def benchmark_metrics(self) -> Performance:
        """The benchmark's performance."""
        return performance(self.benchmark.pct_change(), self.periods)

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
        """Mean of the exposure decided for the test's sessions, short counting like long."""
        return float(self.exposure.loc[self.equity.index[:-1]].abs().mean())

    @property
    def fill_gap(self) -> float:
        """What the total return would be more if every bar with stop and target were read kindly."""
        return float(self.optimistic.iloc[-1] - self.equity.iloc[-1])

    @property
    def signal(self) -> str:
        """What was decided at the last close, for the session after it: long, flat or short."""
        return {1: "long", 0: "flat", -1: "short"}[int(np.sign(self.exposure.iloc[-1]))]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a walk-forward chooses parameters anew, and from what.

    At the first session of each calendar quarter the combination with the best Sharpe ratio so far is chosen
    for the quarter's decisions. The newest sessions before it are not looked at: `purge` of them because a
    position decided there may still be on, `embargo` because neighbouring sessions resemble each other.

    Attributes:
        train: sessions that must have been tried before the first choice.
        purge, embargo: sessions between those looked at and the first decided.

    Raises:
        ConfigError: if one is out of range.
    """

    train: int = 504
    purge: int = 21
    embargo: int = 5

    def __post_init__(self) -> None:
        check_schedule(self.train, self.purge, self.embargo)

    @property
    def gap(self) -> int:
        """Sessions between those looked at and the first decided."""
        return self.purge + self.embargo


@dataclass(frozen=True, slots=True)
class Fold:
    """One choice of a walk-forward.

    Attributes:
        first, last: the sessions at whose closes the choice decided.
        parameters: what was chosen.
        trained: sessions it was chosen from.
        in_sample: its Sharpe ratio there, the best of all combinations.
        out_of_sample: its Sharpe ratio over the sessions it then decided; NaN for fewer than two.
    """

    first: date
    last: date
    parameters: Mapping[str, Parameter]
    trained: int
    in_sample: float
    out_of_sample: float


@dataclass(frozen=True, eq=False)
class WalkForward:
    """A strategy whose parameters were chosen, again and again, from the past only.

    Attributes:
        schedule: when and from what.
        folds: the choices, in order.
        trials: every combination over all sessions, with returns: what was chosen from.
        result: the decisions of all folds in one test, with costs also where a new choice changes what is
            held. Its figures are out of sample.
        break_even_bps: cost of a fill, in all, above which nothing is left of the gain; 0 where there is none
            without costs, 1,000 where it takes that or more.
    """

    schedule: Schedule
    folds: tuple[Fold, ...]
    trials: Sweep
    result: BacktestResult
    break_even_bps: float


@dataclass(frozen=True, slots=True)
class Untested:
    """A strategy that these bars are too few to test, and why."""

    strategy: str
    title: str
    parameters: Mapping[str, Parameter]
    costs: Costs
    reason: str
