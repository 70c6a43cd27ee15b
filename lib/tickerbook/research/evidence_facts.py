"""Evidence as facts."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from tickerbook.facts import Fact, Facts, Value
from tickerbook.research.evidence import Evidence, Study

_COLUMNS = {  # field of Evidence → label, unit, digits
    "title": ("name", "", None),
    "stage": ("stage", "", None),
    "used": ("used on pages and in plans", "", None),
    "tickers": ("tickers", "", 0),
    "sessions": ("sessions out of sample", "sessions", 0),
    "sharpe": ("Sharpe ratio out of sample", "", 2),
    "low": ("lower end of its interval", "", 2),
    "high": ("upper end of its interval", "", 2),
    "excess": ("Sharpe ratio above buy and hold's, out of sample", "", 2),
    "excess_low": ("lower end of that difference's interval", "", 2),
    "excess_high": ("upper end of that difference's interval", "", 2),
    "cagr": ("growth a year out of sample", "fraction", 1),
    "cagr_low": ("lower end of that growth's interval", "fraction", 1),
    "cagr_high": ("upper end of that growth's interval", "fraction", 1),
    "drawdown": ("deepest drawdown out of sample", "fraction", 1),
    "drawdown_low": ("lower end of that drawdown's interval", "fraction", 1),
    "drawdown_high": ("upper end of that drawdown's interval", "fraction", 1),
    "trades": ("closed trades out of sample", "", 0),
    "break_even_bps": ("edge is gone above", "bps", 1),
    "exposure": ("invested", "fraction", 0),
    "psr": ("chance of a Sharpe ratio above zero", "fraction", 1),
    "dsr": ("the same after the search", "fraction", 1),
    "dsr_library": ("the same after all searches", "fraction", 1),
    "lucky": ("Sharpe ratio of luck alone", "", 2),
    "pbo": ("chance of overfitting", "fraction", 1),
    "min_trl": ("sessions needed", "sessions", 0),
    "spa_p": ("chance that luck beats holding by as much", "fraction", 1),
    "trials": ("trials", "", 0),
    "certificate": ("certificate of causality passed", "", None),
    "effective_trials": ("different ideas among them", "", 0),
}
_NAMES = {"sharpe": "oos_sharpe", "low": "oos_sharpe_low", "high": "oos_sharpe_high"}
_NAMES |= {
    f"{field}{end}": f"oos_{name}{end}"
    for field, name in (("excess", "excess_sharpe"), ("cagr", "cagr"), ("drawdown", "max_drawdown"))
    for end in ("", "_low", "_high")
}
_NAMES |= {"trades": "oos_trades", "sessions": "oos_sessions"}
_POINTS = 60  # of a curve, which is drawn small
_FIGURES = 6  # decimals kept, so that another machine's rounding changes no fact


def evidence_facts(found: Study) -> Facts:
    """A row `evidence.N.…` for each strategy, and what all rest on.

    Facts are as of the end of the quarter that they are measured up to, so that they stay the same until the
    next one is complete.
    """
    first = found.holdout_first
    facts = [
        Fact("evidence.stage", found.stage, "least stage used"),
        Fact("evidence.until", found.until.isoformat(), "measured up to", "date"),
        Fact("evidence.holdout_first", first.isoformat() if first else None, "held out from", "date"),
        Fact("evidence.trials", found.trials, "trials of all strategies", digits=0),
        Fact("evidence.tickers", found.tickers, "tickers with results out of sample", digits=0),
        Fact("evidence.strategies", len(found.rows), "strategies", digits=0),
    ]
    for number, row in enumerate(found.rows, start=1):
        facts += _row(f"evidence.{number}", row, found.pools[row.strategy])
    return Facts(replace(fact, as_of=found.until) for fact in facts)


def _row(group: str, row: Evidence, returns: pd.Series) -> Iterator[Fact]:
    yield Fact(f"{group}.strategy", row.strategy, "strategy")
    for field, (label, unit, digits) in _COLUMNS.items():
        value = getattr(row, field)
        told = round(value, _FIGURES) if isinstance(value, float) else value
        yield Fact(f"{group}.{_NAMES.get(field, field)}", told, f"{row.strategy}: {label}", unit, digits)
    yield Fact(f"{group}.note", row.note or None, f"{row.strategy}: note")
    yield Fact(f"{group}.curve", _curve(row, returns), f"{row.strategy}: pooled equity out of sample")


def _curve(row: Evidence, returns: pd.Series) -> Value:
    """Growth of one at equal distances, from 1 to the last session; None without evidence."""
    if row.sharpe is None:
        return None
    equity = np.concatenate(([1.0], (1 + returns.to_numpy()).cumprod()))
    kept = np.linspace(0, len(equity) - 1, min(_POINTS, len(equity))).round().astype(int)
    return tuple(equity[kept].round(_FIGURES).tolist())
