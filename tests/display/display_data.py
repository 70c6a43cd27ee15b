"""Made-up bars, levels and facts to draw. Their figures are chosen, not computed."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.facts import Fact, Facts
from tickerbook.research.level import Level


def walk(sessions, seed=7, ticker="TEST", start=100.0):
    """Bars of a seeded random walk on business days that end on 2013-03-01."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.normal(0, 0.015, sessions)))
    open_ = close * np.exp(rng.normal(0, 0.006, sessions))
    frame = pd.DataFrame(
        {
            "open": open_,
            "high": np.maximum(open_, close) * 1.006,
            "low": np.minimum(open_, close) * 0.994,
            "close": close,
            "volume": rng.uniform(5e6, 5e7, sessions).round(),
        },
        index=pd.bdate_range(end="2013-03-01", periods=sessions, name="session"),
    )
    return Bars(frame, ticker, "XNYS", "USD", "split", "a source", datetime(2013, 3, 2, tzinfo=UTC))


def level(price, close, method="prior week high", formed=date(2013, 2, 1)):
    """A level a dollar wide on the side where its price is."""
    side = "support" if price <= close else "resistance"
    return Level(price, price - 0.5, price + 0.5, side, method, formed, formed, 1)


def backtest_of(sessions, *, strategies=("breakout", "ma_cross"), seed=3):
    """Facts of a backtest: a benchmark and strategies that wander."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range(end="2013-03-01", periods=sessions)
    curves = {
        n: np.cumprod(1 + np.r_[0, rng.normal(0.0003, 0.01, sessions - 1)]).round(5)
        for n in ("benchmark", *strategies)
    }
    facts = [Fact("equity.sessions", [day.date() for day in days], "sessions", "date")]
    facts += [Fact(f"equity.{name}", curve, name) for name, curve in curves.items()]
    for group, name in (
        ("benchmark", "benchmark"),
        *[(f"strategy.{n}", s) for n, s in enumerate(strategies, 1)],
    ):
        curve = curves[name]
        worst = float((curve / np.maximum.accumulate(curve) - 1).min())
        facts += [
            Fact(f"{group}.name", name, "name"),
            Fact(f"{group}.total_return", float(curve[-1] - 1), "total return", "fraction", 1),
            Fact(f"{group}.max_drawdown", worst, "deepest drawdown", "fraction", 1),
        ]
    return Facts(facts)
