"""Sweeps: one strategy with thousands of combinations of parameters, simulated together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.research.costs import Costs, pressure
from tickerbook.research.ranges import Parameter
from tickerbook.research.simulation import Books, simulate
from tickerbook.research.strategy import (
    Decisions,
    Strategy,
    decide,
    family,
    strategy_name,
    strategy_parameters,
    together,
)
from tickerbook.research.testable import check_cash, check_length, check_prices, conditions, first_row
from tickerbook.research.trial import sampled, tell
from tickerbook.sessions import quarter_end, sessions_a_year

Array = npt.NDArray[np.float64]
_CELLS = 1_000_000  # sessions times combinations of one call: what memory is bounded by, and caches like
_NO_RISK = 1e-12


@dataclass(frozen=True, eq=False)
class Sweep:
    """What combinations of parameters made of the same sessions, after costs.

    Attributes:
        strategy: its name.
        rules: the strategy with each combination.
        sessions: those with a return.
        sharpe: Sharpe ratio of each; NaN where it never moved, or lost everything.
        total_return: compound return of each; NaN where it lost everything.
        returns: of each session (rows) and combination; None unless they were asked for. −1 where one lost
            everything, and NaN after that.
        decisions: of each at every close of the bars; likewise.
    """

    strategy: str
    rules: tuple[Strategy, ...]
    sessions: pd.DatetimeIndex
    sharpe: Array
    total_return: Array
    returns: Array | None
    decisions: Decisions | None

    def __len__(self) -> int:
        return len(self.rules)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each combination: its parameters, Sharpe ratio and total return; the best first."""
        rows = pd.DataFrame([strategy_parameters(rule) for rule in self.rules])
        rows = rows.assign(sharpe=self.sharpe, total_return=self.total_return)
        return rows.sort_values("sharpe", ascending=False, kind="stable", ignore_index=True)


def sweep(
    bars: Bars,
    name: str | Sequence[Strategy],
    costs: Costs,
    cash: float = 100_000.0,
    *,
    values: Mapping[str, Sequence[Parameter]] | None = None,
    base: int | None = None,
    keep: bool = False,
) -> Sweep:
    """Simulate a strategy with every combination of values of its parameters, as `backtest` would each.

    Sessions times combinations are cut into calls of a million, so memory stays bounded. Every combination
    is a trial, and the witness of the bars is told.

    Args:
        bars: daily bars.
        name: a strategy, or rules of one kind.
        costs: of every fill.
        cash: to start each with.
        values: parameter → values to combine, of a strategy that is named. Default: those that the ranges of
            its parameters say are tried.
        base: row of the session after whose close the test begins. Default: after the longest warm-up.
        keep: whether to keep every return and decision, which takes 8 bytes each for a session and
            combination.

    Raises:
        ConfigError, StrategyError, DataError, NotEnoughBarsError: as `backtest`.
    """
    rules = family(name, values) if isinstance(name, str) else tuple(name)
    row = max([base or 0, *(first_row(rule, costs) for rule in rules)])
    label = strategy_name(rules[0])
    check_length(bars, label, row, row)
    check_prices(bars, row)
    check_cash(bars, cash, row, costs)
    frame, known, year = bars.frame.iloc[row:], pressure(bars.frame)[row:], sessions_a_year(bars.calendar)
    settled = int(frame.index[1:].searchsorted(pd.Timestamp(quarter_end(bars.session)), side="right"))
    told, columns = sampled(len(rules)), max(1, _CELLS // len(frame))
    parts, kept = [], []
    for start in range(0, len(rules), columns):
        some = rules[start : start + columns]
        said = decide(some, bars)
        kept += [said] * keep
        now = said.since(row)
        books = simulate(frame, now.exposures, costs, cash, now.exits, known=known)
        own = slice(None) if keep else [n - start for n in told if start <= n < start + len(some)]
        parts.append(_part(books, own, settled, year))
    sharpe, until, total, returns = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    if bars.witness is not None:
        sample = pd.DataFrame(returns[:, list(told)] if keep else returns, index=frame.index[1:])
        parameters = [strategy_parameters(rule) for rule in rules]
        figures = until.tolist() if len(told) < len(rules) else None
        told_of = conditions(costs, cash, frame.index[0])
        tell(bars, label, parameters, sample, conditions=told_of, sharpes=figures)
    return Sweep(
        label,
        rules,
        frame.index[1:],
        sharpe,
        total,
        returns if keep else None,
        together(kept) if keep else None,
    )


def _part(books: Books, own: slice | list[int], settled: int, year: int) -> tuple[Array, Array, Array, Array]:
    """Sharpe ratio a year, the same of a session until the last completed quarter, return, and returns."""
    equity = books.equity
    returns = equity[1:] / equity[:-1]
    returns -= 1.0
    dead = equity.min(axis=0) <= 0
    if dead.any():
        _bury(returns, equity, np.flatnonzero(dead))
    sharpe = np.where(dead, np.nan, _sharpe(returns) * np.sqrt(year))
    until = np.where(dead, np.nan, _sharpe(returns[:settled]))
    return sharpe, until, np.where(dead, np.nan, equity[-1] - 1.0), returns[:, own].copy()


def _bury(returns: Array, equity: Array, dead: npt.NDArray[np.intp]) -> None:
    """What lost everything has no return afterwards: of a negative equity, a loss would be a gain."""
    over = np.logical_or.accumulate(equity[1:, dead] <= 0, axis=0)
    after = np.vstack([np.zeros((1, len(dead)), dtype=np.bool_), over[:-1]])
    returns[:, dead] = np.where(after, np.nan, np.where(over, -1.0, returns[:, dead]))


def _sharpe(returns: Array) -> Array:
    """Mean over standard deviation of each column, not annualised; NaN where nothing moves."""
    n = len(returns)
    if n < 2:  # noqa: PLR2004 - one return has no deviation
        return np.full(returns.shape[1], np.nan)
    mean = returns.mean(axis=0)
    square = np.einsum("ij,ij->j", returns, returns)  # without a copy of the returns
    deviation = np.sqrt(np.maximum(square - n * mean**2, 0.0) / (n - 1))
    ratio: Array = mean / np.where(deviation > _NO_RISK, deviation, np.nan)
    return ratio
