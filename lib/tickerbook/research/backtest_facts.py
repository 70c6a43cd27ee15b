"""Backtests as facts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import DataError
from tickerbook.facts import Fact, Facts
from tickerbook.research.backtest_result import BacktestResult, Untested
from tickerbook.research.metrics import METRICS, Performance
from tickerbook.research.walk_facts import (
    benchmark_outside,
    shown,
    strategy_outside,
    walk_facts,
    walk_intervals,
)
from tickerbook.sessions import sessions_a_year

_CURVE_DIGITS, _RETURN_DIGITS = 5, 6
_SHORT = "Tested on less than a year, so that growth a year is not shown."

Result = BacktestResult | Untested


def backtest_facts(results: Sequence[Result], bars: Bars) -> Facts:
    """What one `compare` gave, as facts: test, costs, benchmark, a row `strategy.N.…` each, and curves.

    Names with `oos_` are of the walk-forward, out of sample, each headline figure with the bounds of its
    interval (`…_low`, `…_high`); the same without are in-sample. A strategy that could not be tested has a
    row whose figures are missing and whose `note` says why. Growth a year is missing where the test is
    shorter than a year. Curves of equity are rounded to five decimals; the first of `equity.sessions` is the
    base, at whose close all curves are 1. Returns out of sample, `oos.…`, are rounded to six.

    Raises:
        DataError: if the results are of different tests.
    """
    done = [result for result in results if isinstance(result, BacktestResult)]
    if len({(r.costs, r.cash, r.equity.index[0], r.sessions) for r in done}) > 1:
        raise DataError("These backtests differ in sessions, cash or costs.", "Use what one `compare` gave.")
    walks = [result.out_of_sample for result in done if result.out_of_sample]
    bounds = walk_intervals(walks)
    facts = [*_test(done, bars), *_costs(results), *walk_facts(walks, bounds)]
    facts += _performance("benchmark", "buy and hold", done[0].benchmark_metrics if done else None, done)
    facts += benchmark_outside(walks, bounds)
    column = 0
    for number, result in enumerate(results, start=1):
        walk = result.out_of_sample if isinstance(result, BacktestResult) else None
        column += walk is not None
        facts += _row(f"strategy.{number}", result)
        facts += strategy_outside(f"strategy.{number}", result.title, walk, bounds, column)
    curves = [*_equities(done), *_returns(done)]
    return Facts(replace(fact, as_of=bars.session) for fact in [*facts, *curves])


def _test(done: Sequence[BacktestResult], bars: Bars) -> list[Fact]:
    first = done[0] if done else None
    days = first.equity.index if first else None
    year = sessions_a_year(bars.calendar)
    return [
        Fact("test.first", None if days is None else days[1].date(), "first session tested", "date"),
        Fact("test.last", None if days is None else days[-1].date(), "last session tested", "date"),
        Fact("test.sessions", first.sessions if first else 0, "sessions tested", "sessions", 0),
        Fact("test.sessions_a_year", year, "sessions a year of the exchange", "sessions", 0),
        Fact("test.cash", first.cash if first else None, "cash at the start", bars.currency, 0),
        Fact("test.adjustment", bars.adjustment.replace("_", " and "), "prices are adjusted for"),
    ]


def _costs(results: Sequence[Result]) -> list[Fact]:
    costs = results[0].costs if results else None
    commission, spread, impact = (
        (costs.commission_bps, costs.half_spread_bps, costs.impact) if costs else (None, None, None)
    )
    return [
        Fact("costs.commission_bps", commission, "commission on every fill", "bps", 1),
        Fact("costs.half_spread_bps", spread, "half the spread on every fill", "bps", 1),
        Fact("costs.impact", impact, "factor of market impact", "", 1),
    ]


def _row(row: str, result: Result) -> list[Fact]:
    title, done = result.title, result if isinstance(result, BacktestResult) else None
    trades, wins, exposure, signal = (
        (len(done.closed_trades), done.win_rate, done.mean_exposure, done.signal)
        if done
        else (None, None, None, None)
    )
    return [
        Fact(f"{row}.name", result.strategy, "strategy"),
        Fact(f"{row}.title", title, "strategy"),
        Fact(f"{row}.parameters", _told(result.parameters), f"{title}: parameters"),
        *_performance(row, title, done.metrics if done else None, [done] if done else []),
        Fact(f"{row}.trades", trades, f"{title}: closed trades", digits=0),
        Fact(f"{row}.win_rate", wins, f"{title}: trades that gained", "fraction", 0),
        Fact(f"{row}.exposure", exposure, f"{title}: mean exposure", "fraction", 0),
        Fact(f"{row}.signal", signal, f"{title}: decided at the last close"),
        Fact(f"{row}.note", _note(result), f"{title}: note"),
    ]


def _told(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in parameters.items())


def _note(result: Result) -> str | None:
    if isinstance(result, Untested):
        return result.reason
    return _SHORT if result.sessions < result.periods else None


def _performance(
    group: str, label: str, figures: Performance | None, done: Sequence[BacktestResult]
) -> list[Fact]:
    short = bool(done) and done[0].sessions < done[0].periods
    return [
        Fact(f"{group}.{name}", shown(figures, name, short=short), f"{label}: {m.label}", m.unit, m.digits)
        for name, m in METRICS.items()
    ]


def _equities(done: Sequence[BacktestResult]) -> list[Fact]:
    if not done:
        return []
    curves = [_curve(name, r.equity, r.title) for name, r in _numbered("equity", done)]
    return [
        Fact("equity.sessions", _dates(done[0].equity.index), "sessions of the curves", "date"),
        _curve("equity.benchmark", done[0].benchmark, "buy and hold"),
        *curves,
    ]


def _curve(name: str, equity: pd.Series, label: str) -> Fact:
    return Fact(name, np.round(equity.to_numpy(), _CURVE_DIGITS), f"{label}: equity")


def _returns(done: Sequence[BacktestResult]) -> list[Fact]:
    """Returns of each session out of sample, for whoever pools the evidence of many tickers."""
    walked = [(name, r.out_of_sample.result) for name, r in _numbered("oos", done) if r.out_of_sample]
    if not walked:
        return []
    held = walked[0][1].benchmark.pct_change().iloc[1:]
    series = [("oos.benchmark", held, "buy and hold"), *((n, r.returns, r.title) for n, r in walked)]
    return [
        Fact("oos.sessions", _dates(held.index), "sessions out of sample", "date"),
        *[
            Fact(name, np.round(values.to_numpy(), _RETURN_DIGITS) + 0.0, f"{label}: returns out of sample")
            for name, values, label in series
        ],
    ]


def _dates(days: pd.DatetimeIndex) -> tuple[str, ...]:
    return tuple(days.strftime("%Y-%m-%d"))


def _numbered(group: str, done: Sequence[BacktestResult]) -> list[tuple[str, BacktestResult]]:
    """A name each; a strategy tested twice with other parameters is numbered."""
    names = [result.strategy for result in done]
    again = [names[:position].count(name) for position, name in enumerate(names)]
    return [
        (f"{group}.{name}_{n + 1}" if n else f"{group}.{name}", result)
        for name, n, result in zip(names, again, done, strict=True)
    ]
