"""A delivered frame under examination, and the only ways in which a check may change it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.checks._tape import Tape, later
from tickerbook.market.checks._witness import witnessed
from tickerbook.market.findings import Context, Finding, Severity
from tickerbook.market.raw import ACTIONS, PRICES

_TAKEN = " Instead it is taken from the stored history or another provider."


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True, eq=False)
class Delivery:
    """A frame as the checks before left it.

    Attributes:
        frame: bars, with actions and a vendor's evidence as far as delivered.
        context: what it is judged by.
    """

    frame: pd.DataFrame = field(repr=False)
    context: Context

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def prices(self) -> Any:
        """Open, high, low, close: one row a bar."""
        return np.column_stack([self.frame[name].to_numpy() for name in PRICES])

    @cached_property
    def tape(self) -> Tape:
        """The same as logarithms on one scale; the index must ascend."""
        split, dividend = self.action("split"), self.action("dividend")
        after = later(split) if self.context.adjustment == "none" else np.ones(len(self))
        prices = self.prices / after[:, None]
        logs = np.log(np.where(prices > 0, prices, np.nan))
        return Tape(logs, self.frame["volume"].to_numpy() * after, dividend / after, split)

    def action(self, name: str) -> Any:
        """A column of actions; none everywhere where it was not delivered."""
        none = ACTIONS[name]
        return self.frame[name].to_numpy() if name in self.frame else np.full(len(self), none)

    def days(self, rows: Any) -> tuple[date, ...]:
        """The dates of some rows."""
        return tuple(self.frame.index[rows].date)

    def notice(self, rows: Any, check: str, message: str, severity: Severity = "warning") -> list[Finding]:
        """A finding about rows that stay as they are; none where there are no rows."""
        return [Finding(check, severity, self.days(rows), message)] if np.any(rows) else []

    def put(self, values: Mapping[str, Any], check: str, message: str) -> tuple["Delivery", list[Finding]]:
        """Other values in some columns, and the finding that keeps the former ones.

        Args:
            values: column → a value for every row; rows whose value stays are not mentioned.
            check: name of the check.
            message: what was wrong and what was done.
        """
        old = {name: self.frame[name].to_numpy() for name in values}
        changed = [
            (old[name] != new) & ~(np.isnan(old[name]) & np.isnan(new)) for name, new in values.items()
        ]
        rows = np.logical_or.reduce(changed) if changed else np.zeros(len(self), dtype=bool)
        if not rows.any():
            return self, []
        frame, names = self.frame.assign(**values), list(values)
        before, after = self.frame.loc[rows, names], frame.loc[rows, names]
        return replace(self, frame=frame), [Finding(check, "error", self.days(rows), message, before, after)]

    def set_aside(
        self, cases: Iterable[tuple[Any, str, str]], *, real: bool = True
    ) -> tuple["Delivery", list[Finding]]:
        """Fewer rows, and a finding for each case that has any.

        Args:
            cases: which rows (truth values, one a row), name of the check, and why.
            real: whether the days were real and only the values were not. Then the row is taken from the
                stored history or another provider where they have it, and else its dividend or split moves to
                the next row that stays.
        """
        cases = [(rows, check, message) for rows, check, message in cases if np.any(rows)]
        if not cases:
            return self, []
        gone = np.logical_or.reduce([rows for rows, _, _ in cases])
        told = witnessed(self.frame, self.frame.index[gone], self.context) if real else self.frame.iloc[:0]
        frame, back = self.frame, self.frame.index.isin(told.index) & gone
        if back.any():
            frame = frame.copy()
            frame.loc[back, told.columns] = told.reindex(frame.index[back]).to_numpy()
        findings = [
            Finding(check, "error", self.days(part), message + ending, self.frame[part], after)
            for rows, check, message in cases
            for part, ending, after in ((rows & back, _TAKEN, frame[rows & back]), (rows & ~back, "", None))
            if part.any()
        ]
        lost = gone & ~back
        kept = frame[~lost]
        return replace(self, frame=kept.assign(**self._carried(lost)) if real else kept), findings

    def _carried(self, gone: Any) -> dict[str, Any]:
        """Actions of the rows that stay, with those of the rows that go added to the next one."""
        target = (np.cumsum(~gone))[gone]  # position, among the rows that stay, of the next one
        inside = target < (~gone).sum()
        carried = {}
        for name, combine in (("dividend", np.add), ("split", np.multiply)):
            values = self.action(name)
            if (values[gone] != ACTIONS[name]).any():
                carried[name] = values[~gone]
                combine.at(carried[name], target[inside], values[gone][inside])
        return carried
