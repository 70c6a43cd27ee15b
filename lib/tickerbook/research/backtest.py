"""Backtests: what a strategy would have made, against buying and holding.

Decided at a session's close, filled at the next session's open; whole shares; commission and slippage on
every fill (see `simulate`). Shares are as adjusted as the bars are; where those are not adjusted for
dividends, neither strategy nor benchmark receives any. Each backtest tells the witness of its bars.
"""

import math
from collections.abc import Sequence
from datetime import date

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError, DataError, NotEnoughBarsError, StrategyError
from tickerbook.research.backtest_facts import backtest_facts
from tickerbook.research.backtest_result import BacktestResult, Untested
from tickerbook.research.simulation import Costs, simulate
from tickerbook.research.strategy import (
    Strategy,
    checked_exposure,
    strategy,
    strategy_name,
    strategy_names,
    strategy_parameters,
)
from tickerbook.research.trial import tell

__all__ = ["BacktestResult", "Costs", "Untested", "backtest", "backtest_facts", "compare"]

LEAST_SESSIONS = 20  # a month; what fewer sessions say is chance
_USUAL = Costs(commission_bps=5.0, slippage_bps=5.0)


def backtest(
    bars: Bars, rule: Strategy, costs: Costs, cash: float = 100_000.0, *, base: date | None = None
) -> BacktestResult:
    """Test a strategy on bars, against buying and holding over the same sessions at the same costs.

    A position that is open at the last close stays open, and what is decided there is the `signal`: no open
    fills it.

    Args:
        bars: daily bars.
        rule: the strategy.
        costs: of every fill.
        cash: to start with, in the bars' currency.
        base: the session after whose close the test begins. Default: the first at which the strategy can
            decide, that is after its warm-up; never earlier than that.

    Raises:
        NotEnoughBarsError: if fewer than `LEAST_SESSIONS` sessions are left after warm-up or base.
        StrategyError: if the strategy breaks its protocol, or loses everything.
        ConfigError: if `cash` does not buy one share at the start.
        DataError: if an open or close is not above zero.
    """
    name = strategy_name(rule)
    row = max(rule.warmup, 0 if base is None else int(bars.frame.index.searchsorted(pd.Timestamp(base))))
    _check_length(bars, name, rule.warmup, row)
    exposure = checked_exposure(rule, bars)
    frame = bars.frame.iloc[row:]
    _check_prices(frame, bars.ticker)
    _check_cash(bars, cash, float(frame["open"].iloc[1]) * costs.factor)
    benchmark, _ = simulate(frame, pd.Series(1.0, frame.index), costs, cash)
    equity, trades = simulate(frame, exposure.iloc[row:], costs, cash)
    _check_equity(bars, name, equity)
    parameters = strategy_parameters(rule)
    conditions = f"{costs} {cash} {equity.index[0]:%Y-%m-%d}"
    tell(bars, name, [parameters], equity.pct_change().to_frame(), conditions=conditions)
    return BacktestResult(
        name, parameters, costs, cash, exposure, equity, benchmark.rename("benchmark"), trades
    )


def compare(
    bars: Bars,
    strategies: Sequence[str | Strategy] | None = None,
    costs: Costs = _USUAL,
    cash: float = 100_000.0,
) -> tuple[BacktestResult | Untested, ...]:
    """Test strategies on the same sessions: those after the longest of their warm-ups.

    A strategy for whose warm-up the bars are too few does not shorten the others' test: it comes back as
    `Untested`, with the reason.

    Args:
        bars: daily bars.
        strategies: strategies, or names of some with default parameters. Default: all there are.
        costs: of every fill.
        cash: to start with, in the bars' currency.

    Raises:
        ConfigError, StrategyError, DataError: as `strategy` and `backtest`; not for too few bars.
    """
    chosen = strategy_names() if strategies is None else strategies
    rules = [strategy(rule) if isinstance(rule, str) else rule for rule in chosen]
    warmups = [rule.warmup for rule in rules if rule.warmup + LEAST_SESSIONS < len(bars)]
    base = bars.frame.index[max(warmups)].date() if warmups else None
    return tuple(_tested(bars, rule, costs, cash, base) for rule in rules)


def _tested(
    bars: Bars, rule: Strategy, costs: Costs, cash: float, base: date | None
) -> BacktestResult | Untested:
    try:
        return backtest(bars, rule, costs, cash, base=base)
    except NotEnoughBarsError as error:
        return Untested(strategy_name(rule), strategy_parameters(rule), costs, error.message)


def _check_length(bars: Bars, name: str, warmup: int, row: int) -> None:
    left = max(len(bars) - 1 - row, 0)
    if left < LEAST_SESSIONS:
        raise NotEnoughBarsError(
            f"{name} needs {warmup} sessions of {bars.ticker} to warm up and {LEAST_SESSIONS} to be tested;"
            f" of {len(bars)} sessions {left} can be tested.",
            "Fetch a longer history, or shorten the strategy's parameters.",
        )


def _check_prices(frame: pd.DataFrame, ticker: str) -> None:
    bad = (frame[["open", "close"]] <= 0).any(axis=1)
    if bad.any():
        raise DataError(
            f"{ticker} opened or closed at or below zero on {bad.idxmax():%Y-%m-%d};"
            " a position in it cannot be sized.",
            "Start the bars after that session.",
        )


def _check_cash(bars: Bars, cash: float, price: float) -> None:
    if not price <= cash < math.inf:
        raise ConfigError(
            f"cash = {cash:,.2f} {bars.currency} does not buy one share of {bars.ticker} at {price:,.2f}.",
            "Choose a larger, finite `cash`.",
        )


def _check_equity(bars: Bars, name: str, equity: pd.Series) -> None:
    if not (equity > 0).all():
        raise StrategyError(
            f"{name} lost all its equity in {bars.ticker} by {(equity <= 0).idxmax():%Y-%m-%d}.",
            "A short position can lose more than everything: decide a smaller exposure.",
        )
