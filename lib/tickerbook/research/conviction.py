"""Conviction: how much of a size the measured evidence supports. It can only reduce."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tickerbook.facts import Fact, Facts
from tickerbook.research.position import check_value

FULL_EDGE = 0.05  # a lower bound of five points over chance counts in full
_NOTHING = Facts()
CHANCE, SURE = 0.5, 0.95  # a deflated Sharpe ratio at and below chance counts nothing, from SURE on in full


@dataclass(frozen=True, slots=True)
class Reason:
    """One measurement behind a conviction.

    Attributes:
        name: what was measured, as a reader would name it.
        figure: what it is, a fraction; None where it is not known.
        counts: what it counts, 0 to 1; 0 where it is not known.
    """

    name: str
    figure: float | None
    counts: float


@dataclass(frozen=True, slots=True)
class Conviction:
    """A share of the size, 0 to 1, and why."""

    value: float
    reasons: tuple[Reason, ...]


def conviction(level_edge_low: float | None, dsr: float | None, agreement: float | None) -> Conviction:
    """The mean of what three measurements count; what is not known counts nothing.

    Args:
        level_edge_low: lower end of the 95 % interval of the level's edge over chance; `FULL_EDGE` counts in
            full, 0 and less nothing.
        dsr: deflated Sharpe ratio of the strategies on the plan's side, a probability; `CHANCE` and less
            counts nothing, `SURE` and more in full.
        agreement: share of the strategies that count which are on the plan's side.

    Raises:
        ConfigError: for a figure that is no such fraction.
    """
    for name, figure, low in (
        ("level_edge_low", level_edge_low, -1),
        ("dsr", dsr, 0),
        ("agreement", agreement, 0),
    ):
        if figure is not None:
            check_value(name, figure, low <= figure <= 1, f"{low} to 1")
    reasons = (
        Reason(
            "edge of the level over chance, lower bound", level_edge_low, _ramp(level_edge_low, 0, FULL_EDGE)
        ),
        Reason("mean deflated Sharpe ratio of strategies on this side", dsr, _ramp(dsr, CHANCE, SURE)),
        Reason("strategies on this side", agreement, _ramp(agreement, 0, 1)),
    )
    return Conviction(sum(reason.counts for reason in reasons) / len(reasons), reasons)


def _ramp(figure: float | None, nothing: float, full: float) -> float:
    return 0.0 if figure is None else min(max((figure - nothing) / (full - nothing), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the strategies that count say of a long position.

    Attributes:
        dsr: mean of the deflated Sharpe ratios of those that are long now; None where none is known.
        agreement: share of them that is long now; None where none counts.
        certified: method or strategy, and whether it passed its causality certificate; empty without any.
        discovered: kinds of levels that were told from chance when all were judged at once; None where none
            was judged.
    """

    dsr: float | None = None
    agreement: float | None = None
    certified: tuple[tuple[str, bool], ...] = ()
    discovered: frozenset[str] | None = None


def read_evidence(signals: Facts, strategies: Facts, league: Facts = _NOTHING) -> Evidence:
    """What other notebooks found, as far as it counts for a long position.

    Args:
        signals: facts of the ticker's `backtest`: `strategy.N.name` and `.signal`.
        strategies: facts of `strategies`: `evidence.N.strategy`, `.used` (whether it has reached the stage
            that plans ask for), `.dsr`, and `certificate.N.name`, `.passed`. What is not there is not known.
        league: facts of `odds`: `method.N.name` and `.discovery`.
    """
    long = {one["name"].value for one in signals.rows("strategy") if _of(one, "signal") == "long"}
    known = [row for row in strategies.rows("evidence") if _of(row, "used")]
    names = [_of(row, "strategy") for row in known]
    found = [_of(row, "dsr") for row in known if _of(row, "strategy") in long]
    measured = [dsr for dsr in found if dsr is not None]
    return Evidence(
        dsr=sum(measured) / len(measured) if measured else None,
        agreement=sum(name in long for name in names) / len(names) if names else None,
        certified=tuple(_certificates(strategies)),
        discovered=_discovered(league),
    )


def _discovered(league: Facts) -> frozenset[str] | None:
    rows = league.rows("method")
    names = (_of(row, "name") for row in rows if _of(row, "discovery") and (_of(row, "edge") or 0) > 0)
    return frozenset(names) if rows else None


def _certificates(strategies: Facts) -> Iterator[tuple[str, bool]]:
    for row in strategies.rows("certificate"):
        if _of(row, "name") is not None and _of(row, "passed") is not None:
            yield _of(row, "name"), bool(_of(row, "passed"))


def _of(row: dict[str, Fact], column: str) -> Any:
    return row[column].value if column in row else None
