"""Backtests as facts."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import DataError
from tickerbook.facts import Fact, Facts
from tickerbook.research.backtest_result import BacktestResult, Untested
from tickerbook.research.metrics import SESSIONS_A_YEAR, Performance

_FIGURES = {  # field of Performance → label, unit, digits
    "total_return": ("total return", "fraction", 1),
    "cagr": ("growth a year", "fraction", 1),
    "volatility": ("volatility a year", "fraction", 1),
    "sharpe": ("Sharpe ratio", "", 2),
    "sortino": ("Sortino ratio", "", 2),
    "max_drawdown": ("deepest drawdown", "fraction", 1),
}
_CURVE_DIGITS = 5
_SHORT = "Tested on less than a year, so that growth a year is not shown."


def backtest_facts(results: Sequence[BacktestResult | Untested], bars: Bars) -> Facts:
    """What one `compare` gave, as facts: test, costs, benchmark, a row `strategy.N.…` each, and curves.

    A strategy that could not be tested has a row whose figures are missing and whose `note` says why. Growth
    a year is missing where the test is shorter than a year. Curves are rounded to five decimals; the first
    of `equity.sessions` is the base, at whose close all curves are 1.

    Raises:
        DataError: if the results are of different tests.
    """
    tested = [result for result in results if isinstance(result, BacktestResult)]
    if len({(r.costs, r.cash, r.equity.index[0], r.sessions) for r in tested}) > 1:
        raise DataError("These backtests differ in sessions, cash or costs.", "Use what one `compare` gave.")
    first = tested[0] if tested else None
    facts = [*_test(first, bars), *_costs(results), *_benchmark(first)]
    for number, result in enumerate(results, start=1):
        facts += _row(f"strategy.{number}", result)
    return Facts(replace(fact, as_of=bars.session) for fact in [*facts, *_curves(tested)])


def _test(first: BacktestResult | None, bars: Bars) -> list[Fact]:
    days = first.equity.index if first else None
    return [
        Fact("test.first", None if days is None else days[1].date(), "first session tested", "date"),
        Fact("test.last", None if days is None else days[-1].date(), "last session tested", "date"),
        Fact("test.sessions", first.sessions if first else 0, "sessions tested", "sessions", 0),
        Fact("test.cash", first.cash if first else None, "cash at the start", bars.currency, 0),
        Fact("test.adjustment", bars.adjustment.replace("_", " and "), "prices are adjusted for"),
    ]


def _costs(results: Sequence[BacktestResult | Untested]) -> list[Fact]:
    costs = results[0].costs if results else None
    commission, slippage = (costs.commission_bps, costs.slippage_bps) if costs else (None, None)
    return [
        Fact("costs.commission_bps", commission, "commission on every fill", "bps", 1),
        Fact("costs.slippage_bps", slippage, "slippage on every fill", "bps", 1),
    ]


def _benchmark(first: BacktestResult | None) -> list[Fact]:
    return _figures("benchmark", "buy and hold", first.benchmark_metrics if first else None, first)


def _row(row: str, result: BacktestResult | Untested) -> list[Fact]:
    name, tested = result.strategy, result if isinstance(result, BacktestResult) else None
    parameters = ", ".join(f"{key} {value}" for key, value in result.parameters.items())
    trades, wins, exposure, signal = (
        (len(tested.closed_trades), tested.win_rate, tested.mean_exposure, tested.signal)
        if tested
        else (None, None, None, None)
    )
    return [
        Fact(f"{row}.name", name, "strategy"),
        Fact(f"{row}.parameters", parameters, f"{name}: parameters"),
        *_figures(row, name, tested.metrics if tested else None, tested),
        Fact(f"{row}.trades", trades, f"{name}: closed trades", digits=0),
        Fact(f"{row}.win_rate", wins, f"{name}: trades that gained", "fraction", 0),
        Fact(f"{row}.exposure", exposure, f"{name}: mean exposure", "fraction", 0),
        Fact(f"{row}.signal", signal, f"{name}: decided at the last close"),
        Fact(f"{row}.note", _note(result), f"{name}: note"),
    ]


def _note(result: BacktestResult | Untested) -> str | None:
    if isinstance(result, Untested):
        return result.reason
    return _SHORT if result.sessions < SESSIONS_A_YEAR else None


def _figures(
    group: str, label: str, figures: Performance | None, result: BacktestResult | None
) -> list[Fact]:
    values = dict.fromkeys(_FIGURES) if figures is None else asdict(figures)
    if result and result.sessions < SESSIONS_A_YEAR:
        values["cagr"] = None
    return [
        Fact(f"{group}.{field}", values[field], f"{label}: {what}", unit, digits)
        for field, (what, unit, digits) in _FIGURES.items()
    ]


def _curves(tested: Sequence[BacktestResult]) -> list[Fact]:
    """One fact a curve; a strategy tested twice with other parameters is numbered."""
    if not tested:
        return []
    sessions = tuple(day.date().isoformat() for day in tested[0].equity.index)
    facts = [
        Fact("equity.sessions", sessions, "sessions of the curves", "date"),
        _curve("equity.benchmark", tested[0].benchmark, "buy and hold"),
    ]
    names = [result.strategy for result in tested]
    for position, (name, result) in enumerate(zip(names, tested, strict=True)):
        again = names[:position].count(name)
        facts.append(_curve(f"equity.{name}_{again + 1}" if again else f"equity.{name}", result.equity, name))
    return facts


def _curve(name: str, equity: pd.Series, label: str) -> Fact:
    return Fact(name, np.round(equity.to_numpy(), _CURVE_DIGITS), f"{label}: equity")
