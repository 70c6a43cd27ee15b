"""What the ledger can be counted by: runs by outcome, how long they took, what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import case, func, select

from tickerbook.runs.ledger import OPEN, Ledger
from tickerbook.runs.ledger.tables import RUNS

LIMITS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)  # seconds
_EXECUTED = ("ok", "failed", "removed")


@dataclass(frozen=True)
class Durations:
    """How long the executed runs of a notebook took.

    Attributes:
        count: how many there are.
        seconds: of all together.
        within: how many took at most each of `LIMITS`.
    """

    count: int
    seconds: float
    within: Sequence[int]


@dataclass(frozen=True)
class Measures:
    """Counts over everything that the ledger still has.

    Attributes:
        runs: (notebook, state) → how many have come to that state and stayed there.
        durations: notebook → how long.
        queue: state → how many runs wait, or go on.
    """

    runs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    durations: Mapping[str, Durations] = field(default_factory=dict)
    queue: Mapping[str, int] = field(default_factory=dict)


def measure(ledger: Ledger) -> Measures:
    """Count."""
    states = select(RUNS.c.notebook, RUNS.c.state, func.count()).group_by(RUNS.c.notebook, RUNS.c.state)
    within = [func.sum(case((RUNS.c.seconds <= limit, 1), else_=0)) for limit in LIMITS]
    times = select(RUNS.c.notebook, func.count(), func.sum(RUNS.c.seconds), *within)
    times = times.where(RUNS.c.state.in_(_EXECUTED)).group_by(RUNS.c.notebook)
    with ledger.database.reading() as connection:
        counted = {(notebook, state): count for notebook, state, count in connection.execute(states)}
        took = [tuple(row) for row in connection.execute(times)]
    return Measures(
        runs={key: count for key, count in counted.items() if key[1] not in OPEN},
        durations={row[0]: Durations(int(row[1]), float(row[2]), [int(n) for n in row[3:]]) for row in took},
        queue={
            state: sum(count for (_, other), count in counted.items() if other == state) for state in OPEN
        },
    )
