"""Which strategies a page or a plan may use: those at or above the stage that is asked for."""

from collections.abc import Iterator
from dataclasses import replace

from tickerbook.facts import Fact, Facts, Value
from tickerbook.settings import STAGES

_SHOWN = {"stage": "stage", "dsr": "chance of skill after the search", "trials": "trials"}


def staged(signals: Facts, strategies: Facts) -> Facts:
    """Facts of a backtest with the stage and evidence of each strategy, without those that may not be used.

    Rows `strategy.N.…` gain `stage`, `dsr` and `trials`. A strategy that there is no evidence for is at the
    first stage. Curves and returns stay: what a row no longer names is not shown.

    Args:
        signals: facts of a ticker's `backtest`.
        strategies: facts of `strategies`; none where that has not run well.
    """
    known = {row["strategy"].value: row for row in strategies.rows("evidence")}
    least = STAGES.index(strategies.value("evidence.stage", STAGES[0]))
    rows = {row["name"].name.rpartition(".")[0]: row for row in signals.rows("strategy")}
    stages = {group: _stage(row, known) for group, row in rows.items()}
    refused = {group for group, stage in stages.items() if STAGES.index(stage) < least}
    kept = [fact for name, fact in signals.items() if name.rpartition(".")[0] not in refused]
    added = [
        fact
        for group, row in rows.items()
        if group not in refused
        for fact in _added(group, row, known.get(row["name"].value, {}), stages[group])
    ]
    return Facts([*kept, *added])


def _stage(row: dict[str, Fact], known: dict[Value, dict[str, Fact]]) -> str:
    found = known.get(row["name"].value)
    return str(found["stage"].value) if found else STAGES[0]


def _added(group: str, row: dict[str, Fact], found: dict[str, Fact], stage: str) -> Iterator[Fact]:
    """What the evidence says, in the row of the strategy and as of its session."""
    for column, label in _SHOWN.items():
        blank = Fact(column, stage if column == "stage" else None, f"{row['name'].text}: {label}")
        yield replace(found.get(column, blank), name=f"{group}.{column}", as_of=row["name"].as_of)
