"""One test: from what was decided to its books, beside buy and hold."""

import numpy as np
import pandas as pd
from scipy.optimize import bisect

from tickerbook.bars import Bars
from tickerbook.errors import StrategyError
from tickerbook.research.backtest_result import BacktestResult
from tickerbook.research.costs import Costs, pressure
from tickerbook.research.simulation import simulate
from tickerbook.research.strategy import (
    Decisions,
    Strategy,
    strategy_name,
    strategy_parameters,
    strategy_title,
)
from tickerbook.sessions import sessions_a_year

_DEAREST = 1_000.0  # basis points


def tested(
    bars: Bars, rule: Strategy, decisions: Decisions, row: int, costs: Costs, cash: float
) -> BacktestResult:
    """The books of what one strategy decided at the closes of `bars`, from row `row` on.

    Raises:
        StrategyError: if it loses everything.
    """
    frame, known = bars.frame.iloc[row:], pressure(bars.frame)[row:]
    said, index = decisions.since(row), frame.index
    held = simulate(frame, np.ones((len(frame), 1)), costs, cash, known=known)
    books = simulate(frame, said.exposures, costs, cash, said.exits, known=known)
    kind = books
    if said.exits:
        kind = simulate(frame, said.exposures, costs, cash, said.exits, known=known, optimistic=True)
    name, equity = strategy_name(rule), pd.Series(books.equity[:, 0], index, name="equity")
    _check_equity(bars, name, equity)
    return BacktestResult(
        strategy=name,
        title=strategy_title(rule),
        parameters=strategy_parameters(rule),
        costs=costs,
        cash=cash,
        exposure=pd.Series(decisions.exposures[:, 0], bars.frame.index, name=name),
        equity=equity,
        optimistic=pd.Series(kind.equity[:, 0], index, name="optimistic"),
        benchmark=pd.Series(held.equity[:, 0], index, name="benchmark"),
        trades=books.trades(),
        periods=sessions_a_year(bars.calendar),
    )


def break_even_bps(bars: Bars, decisions: Decisions, row: int, cash: float) -> float:
    """The cost of a fill, all included, at which one strategy's gain from row `row` on is gone.

    Returns:
        Basis points of a fill's value; 0 where there is no gain without costs, 1,000 where it takes that
        or more.
    """
    frame, said = bars.frame.iloc[row:], decisions.since(row)

    def gain(bps: float) -> float:
        books = simulate(frame, said.exposures, Costs(bps, 0.0), cash, said.exits)
        return float(books.equity[-1, 0]) - 1.0

    if gain(0.0) <= 0:
        return 0.0
    if gain(_DEAREST) >= 0:
        return _DEAREST
    return float(bisect(gain, 0.0, _DEAREST, xtol=0.05))


def _check_equity(bars: Bars, name: str, equity: pd.Series) -> None:
    if not (equity > 0).all():
        raise StrategyError(
            f"{name} lost all its equity in {bars.ticker} by {(equity <= 0).idxmax():%Y-%m-%d}.",
            "A short position can lose more than everything: decide a smaller exposure.",
        )
