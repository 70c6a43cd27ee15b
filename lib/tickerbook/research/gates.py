"""Gates: what a strategy must have shown out of sample before it is moved to the next stage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd

from tickerbook.errors import DataError
from tickerbook.facts import MISSING, Fact, Facts
from tickerbook.research.metrics import performance
from tickerbook.research.pooling import pool
from tickerbook.settings import STAGES, Gate

_ALWAYS = 0.9  # of the time invested: such a strategy makes few trades however long it is watched


@dataclass(frozen=True)
class Check:
    """One threshold, and what was measured against it.

    Attributes:
        name: what was measured, as a reader would name it.
        figure: what it is, as a reader sees it; "–" where it is not known, which does not pass.
        rule: "at least", "at most", "above" or "is".
        limit: the threshold, as a reader sees it.
    """

    name: str
    figure: str
    rule: Literal["at least", "at most", "above", "is"]
    limit: str
    passed: bool


@dataclass(frozen=True)
class Holdout:
    """What a strategy made of the sessions that nothing was chosen on.

    Attributes:
        first, last: its sessions.
        sessions: how many.
        sharpe: pooled Sharpe ratio a year; None where the returns do not vary.
        total_return: of the pooled returns, a fraction.
    """

    first: date
    last: date
    sessions: int
    sharpe: float | None
    total_return: float

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON knows it."""
        return {**asdict(self), "first": self.first.isoformat(), "last": self.last.isoformat()}


@dataclass(frozen=True)
class Verdict:
    """Whether a strategy may move on.

    Attributes:
        strategy: its name.
        stage: the one it is at.
        target: the one it would move to.
        checks: every threshold; the holdout's only where it was opened now or before.
        opened: the holdout, if this verdict has spent it; whoever asked must record that.
    """

    strategy: str
    stage: str
    target: str
    checks: tuple[Check, ...]
    opened: Holdout | None

    @property
    def granted(self) -> bool:
        """Whether every check passed, the holdout among them."""
        return all(check.passed for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """The decision, as JSON knows it."""
        checks = [asdict(check) for check in self.checks]
        return {"from": self.stage, "to": self.target, "granted": self.granted, "checks": checks}


def spent_before(stored: Sequence[Mapping[str, Any]]) -> tuple[Holdout, ...]:
    """Holdouts as they were recorded (`Holdout.to_json`), in the same order.

    Raises:
        DataError: if they are something else.
    """
    try:
        return tuple(
            Holdout(
                date.fromisoformat(one["first"]),
                date.fromisoformat(one["last"]),
                one["sessions"],
                one["sharpe"],
                one["total_return"],
            )
            for one in stored
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"This is no record of a holdout: {error!r}.", "Restore params/promotions."
        ) from error


def next_stage(stage: str) -> str | None:
    """The stage after this one; None after the last."""
    place = STAGES.index(stage) + 1
    return STAGES[place] if place < len(STAGES) else None


def judge(
    evidence: Facts, books: Mapping[str, Facts], strategy: str, gate: Gate, spent: Sequence[Holdout] = ()
) -> Verdict:
    """Hold a strategy's evidence against the thresholds of its next stage.

    The holdout is opened only where everything else passes, and only once: what was measured then counts from
    then on, until there is a new holdout that has no session in common with it.

    Args:
        evidence: facts of `strategies`.
        books: ticker → facts of its `backtest`, for the holdout.
        strategy: its name.
        gate: thresholds of the next stage.
        spent: the holdouts that were opened for this strategy before, oldest first.

    Raises:
        DataError: if there is no evidence for it, or it is at the last stage.
    """
    row = next((one for one in evidence.rows("evidence") if one["strategy"].value == strategy), None)
    if row is None:
        raise DataError(f"There is no evidence for {strategy}.", "Run `tickerbook update` first.")
    stage = str(row["stage"].value)
    target = next_stage(stage)
    if target is None:
        raise DataError(f"{strategy} is in {stage} already.", "There is no stage after it.")
    checks = (*_checks(row, gate), *_certified(row, gate))
    first, until = (_day(evidence, name) for name in ("evidence.holdout_first", "evidence.until"))
    opened, known = None, spent[-1] if spent else None
    closed = first is None or (known is not None and known.last >= first)
    if first and until and not closed and all(check.passed for check in checks):
        known = opened = _open(books, strategy, first, until)
    return Verdict(strategy, stage, target, (*checks, _held(known, gate)), opened)


def _checks(row: Mapping[str, Fact], gate: Gate) -> Iterator[Check]:
    yield _least(row, "dsr", "chance of skill after the search", gate.deflated_sharpe)
    yield _most(row, "pbo", "chance of overfitting", gate.overfitting)
    yield _least(row, "oos_sessions", "time out of sample", gate.sessions)
    trades = _least(row, "oos_trades", "closed trades out of sample", gate.trades)
    invested = _value(row, "exposure")
    always = invested is not None and invested >= _ALWAYS
    yield (
        Check(f"{trades.name} (always invested)", trades.figure, "at least", "0", True) if always else trades
    )
    depth = _value(row, "oos_max_drawdown")
    deep = Fact("x", None if depth is None else -depth, "", "fraction", 1)
    yield _most({"x": deep}, "x", "deepest drawdown out of sample", gate.drawdown)
    yield _least(row, "break_even_bps", "costs of a fill that the edge bears", gate.break_even_bps)


def _certified(row: Mapping[str, Fact], gate: Gate) -> Iterator[Check]:
    if gate.certificate:
        passed = _value(row, "certificate")
        figure = MISSING if passed is None else "passed" if passed else "failed"
        yield Check("certificate of causality", figure, "is", "passed", passed is True)


def _held(holdout: Holdout | None, gate: Gate) -> Check:
    name = "Sharpe ratio in the holdout"
    if holdout is None:
        return Check(f"{name} (not opened)", "–", "above", f"{gate.holdout_sharpe:.2f}", False)
    sharpe = Fact("x", holdout.sharpe, "", "", 2)
    passed = holdout.sharpe is not None and holdout.sharpe > gate.holdout_sharpe
    return Check(
        f"{name}, {holdout.first} to {holdout.last}",
        sharpe.text,
        "above",
        f"{gate.holdout_sharpe:.2f}",
        passed,
    )


def _open(books: Mapping[str, Facts], strategy: str, first: date, until: date) -> Holdout:
    whole = pool(books, strategy, until)
    returns = whole.returns.loc[pd.Timestamp(first) :]
    if returns.empty:
        raise DataError(
            f"{strategy} has no out-of-sample return from {first} to {until}.",
            "Run `tickerbook update` first.",
        )
    figures = performance(returns, whole.year)
    sharpe = None if pd.isna(figures.sharpe) else round(figures.sharpe, 6)
    days = returns.index
    return Holdout(days[0].date(), days[-1].date(), len(days), sharpe, round(figures.total_return, 6))


def _least(row: Mapping[str, Fact], column: str, name: str, limit: float) -> Check:
    return _compared(row, column, name, "at least", limit)


def _most(row: Mapping[str, Fact], column: str, name: str, limit: float) -> Check:
    return _compared(row, column, name, "at most", limit)


def _compared(
    row: Mapping[str, Fact], column: str, name: str, rule: Literal["at least", "at most"], limit: float
) -> Check:
    value = _value(row, column)
    like = row.get(column, Fact("x", None, ""))
    passed = value is not None and (value >= limit if rule == "at least" else value <= limit)
    return Check(name, like.text, rule, Fact("x", limit, "", like.unit, like.digits).text, passed)


def _day(facts: Facts, name: str) -> date | None:
    value = facts.value(name)
    return date.fromisoformat(value) if value else None


def _value(row: Mapping[str, Fact], column: str) -> Any:
    return row[column].value if column in row else None
