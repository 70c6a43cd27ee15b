"""What must hold before a strategy can be tested on bars."""

import math

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError, DataError, NotEnoughBarsError, StrategyError
from tickerbook.research.costs import LIQUIDITY_SESSIONS, Costs
from tickerbook.research.strategy import Strategy, strategy_name

LEAST_SESSIONS = 20  # a month; what fewer sessions say is chance


def first_row(rule: Strategy, costs: Costs) -> int:
    """Row of the first session at whose close a strategy can decide something that can be filled.

    Where orders have an impact, that is not before there is volatility and volume to measure it with.

    Raises:
        StrategyError: if its `warmup` is no number of sessions.
    """
    if not isinstance(rule.warmup, int | np.integer) or rule.warmup < 0:
        raise StrategyError(
            f"The strategy {strategy_name(rule)} says that its warm-up is {rule.warmup!r}.",
            "`warmup` must be a whole number of sessions, 0 or more.",
        )
    return max(rule.warmup, LIQUIDITY_SESSIONS if costs.impact else 0)


def conditions(costs: Costs, cash: float, base: pd.Timestamp) -> str:
    """Whatever else returns depend on beside bars, strategy and parameters, for the ledger of trials."""
    return f"{costs} {cash} {base:%Y-%m-%d}"


def check_length(bars: Bars, name: str, warmup: int, row: int) -> None:
    """Refuse a test of fewer than `LEAST_SESSIONS` sessions.

    Raises:
        NotEnoughBarsError: says how many are needed.
    """
    left = max(len(bars) - 1 - row, 0)
    if left < LEAST_SESSIONS:
        raise NotEnoughBarsError(
            f"{name} needs {warmup} sessions of {bars.ticker} to warm up and {LEAST_SESSIONS} to be tested;"
            f" of {len(bars)} sessions {left} can be tested.",
            "Fetch a longer history, or shorten the strategy's parameters.",
        )


def check_prices(bars: Bars, row: int) -> None:
    """Refuse prices that shares cannot be counted at.

    Raises:
        DataError: for an open or close at or below zero from row `row` on, or prices as traded, in which a
            split would be a loss that nobody had.
    """
    bad = (bars.frame[["open", "close"]].iloc[row:] <= 0).any(axis=1)
    if bad.any():
        raise DataError(
            f"{bars.ticker} opened or closed at or below zero on {bad.idxmax():%Y-%m-%d};"
            " a position in it cannot be sized.",
            "Start the bars after that session.",
        )
    bars.check_adjusted()


def check_cash(bars: Bars, cash: float, row: int, costs: Costs) -> None:
    """Refuse an account that buys nothing.

    Raises:
        ConfigError: if `cash` does not buy one share at the first open after row `row`.
    """
    price = float(bars.frame["open"].iloc[row + 1]) * (1 + costs.fee) * (1 + costs.spread)
    if not price <= cash < math.inf:
        raise ConfigError(
            f"cash = {cash:,.2f} {bars.currency} does not buy one share of {bars.ticker} at {price:,.2f}.",
            "Choose a larger, finite `cash`.",
        )
