"""The league of methods: studies of all tickers pooled, and each method judged against chance.

Quarters are drawn, not touches: levels overlap in time, and tickers fall together. A method is told from
chance only if its edge over placebo is among the discoveries of Benjamini and Hochberg at `FALSE_RATE`. Below
`LEAST` touches or `LEAST_QUARTERS` quarters there is not enough evidence, and nothing is said.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from tickerbook.research import scores
from tickerbook.research.study import AGES, REGIMES, TOUCHES, Study, Tally

LEAST = 300  # touches
LEAST_QUARTERS = 8
LEAST_CELL = 100  # touches in a part of a method
FALSE_RATE = 0.1  # share of discoveries that may be false
HELD_OUT = 1 / 3  # share of the quarters, the newest, on which forecasts are scored
BETTER, WORSE = "better than chance", "worse than chance"
SAME, UNKNOWN = "not told from chance", "not enough evidence"


@dataclass(frozen=True, slots=True)
class Part:
    """A method under one condition; missing where it has fewer than `LEAST_CELL` touches.

    Attributes:
        n: touches.
        edge: over placebo.
        half: half the width of its 95 % interval, the method's design effect included.
    """

    n: int
    edge: float | None
    half: float | None


@dataclass(frozen=True, slots=True)
class Scored:
    """A method in the league.

    Attributes:
        kind, family: what it is.
        n: touches; `touches_of_one` says how many of them are worth one independent touch.
        bounce: how often levels held, with its interval and error.
        edge: bounce less that of placebos, with its interval and error.
        p: of an edge as far from zero by luck.
        discovery: whether it is one, of all methods together.
        sufficient: whether there is enough evidence to say anything.
        touches_of_one: design effect, at least 1.
        concentration: how alike tickers are, in independent touches (`scores.concentration`).
        cells: by touches before and trend, in the order of `TOUCHES` × `REGIMES`.
        ages: by age, in the order of `AGES`.
    """

    kind: str
    family: str
    n: int
    bounce: scores.Ratio
    edge: scores.Ratio
    p: float
    discovery: bool
    sufficient: bool
    touches_of_one: float
    concentration: float
    cells: tuple[Part, ...]
    ages: tuple[Part, ...]

    @property
    def placebo(self) -> float:
        """How often placebos bounced."""
        return self.bounce.value - self.edge.value

    @property
    def verdict(self) -> str:
        """What the evidence says."""
        if not self.sufficient:
            return UNKNOWN
        return (BETTER if self.edge.value > 0 else WORSE) if self.discovery else SAME


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Probabilities made from earlier quarters, scored on later ones.

    Attributes:
        since: the first quarter they were scored on.
        n: touches.
        brier: of the forecasts by method and ticker.
        brier_placebo: of one number for all, how often placebos bounced before.
        groups: forecast, observed, touches; rising.
    """

    since: str
    n: int
    brier: float
    brier_placebo: float
    groups: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class League:
    """All methods, the best edge first; those without enough evidence last.

    Attributes:
        tickers: whose studies had any touch.
        through: the newest session that counts; None where there is no study.
        quarters: all of them, oldest first.
        ages: of all methods together, by age.
        forecasts: None where there are too few quarters to hold any out.
    """

    methods: tuple[Scored, ...]
    tickers: int
    through: date | None
    quarters: tuple[str, ...]
    ages: tuple[Part, ...]
    forecasts: Forecasts | None


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of one method: n, bounces and excess by ticker and quarter."""

    kind: str
    family: str
    n: np.ndarray
    bounces: np.ndarray
    excess: np.ndarray
    cells: np.ndarray
    ages: np.ndarray


def pool(studies: Iterable[Study]) -> League:
    """Pool the studies of tickers, and judge each method."""
    studies = [study for study in studies if study.tallies]
    quarters = tuple(sorted({quarter for study in studies for quarter in study.quarters}))
    counts = _gathered(studies, quarters)
    draws = scores.block_draws(len(quarters)) if quarters else np.zeros((1, 0))
    judged = _told([_scored(one, draws) for one in counts])
    total = sum((one.ages for one in counts), np.zeros((3, len(AGES))))
    widest = max((one.touches_of_one for one in judged if one.sufficient), default=1.0)
    return League(
        methods=tuple(sorted(judged, key=lambda one: (not one.sufficient, -one.edge.value))),
        tickers=len(studies),
        through=max((study.through for study in studies if study.through), default=None),
        quarters=quarters,
        ages=_parts(total, widest),
        forecasts=_forecasts(counts, quarters),
    )


def _gathered(studies: list[Study], quarters: tuple[str, ...]) -> list[_Counts]:
    kinds = {tally.kind: tally.family for study in studies for tally in study.tallies}
    place = {quarter: number for number, quarter in enumerate(quarters)}
    found = []
    for kind, family in sorted(kinds.items()):
        table = np.zeros((3, len(studies), len(quarters)))
        cells, ages = np.zeros((3, len(TOUCHES) * len(REGIMES))), np.zeros((3, len(AGES)))
        for row, study in enumerate(studies):
            columns = [place[quarter] for quarter in study.quarters]
            for tally in (one for one in study.tallies if one.kind == kind):
                table[:, row, columns] = _series(tally)
                cells, ages = cells + tally.cells, ages + tally.ages
        found.append(_Counts(kind, family, table[0], table[1], table[2], cells, ages))
    return found


def _series(tally: Tally) -> np.ndarray:
    return np.array([tally.n, tally.bounces, tally.excess])


def _scored(counts: _Counts, draws: np.ndarray) -> Scored:
    n, bounces, excess = (table.sum(axis=0) for table in (counts.n, counts.bounces, counts.excess))
    bounce, edge = scores.ratio(bounces, n, draws), scores.ratio(excess, n, draws)
    quarters = int((n > 0).sum())
    design = _design(bounce.value, edge.error, float(n.sum()))
    own, held = counts.n.sum(axis=1) / design, counts.bounces.sum(axis=1) / design
    return Scored(
        kind=counts.kind,
        family=counts.family,
        n=int(n.sum()),
        bounce=bounce,
        edge=edge,
        p=scores.p_value(edge.value, edge.error, quarters),
        discovery=False,
        sufficient=bool(n.sum() >= LEAST and quarters >= LEAST_QUARTERS),
        touches_of_one=design,
        concentration=scores.concentration(held, own, bounce.value),
        cells=_parts(counts.cells, design),
        ages=_parts(counts.ages, design),
    )


def _design(rate: float, error: float, n: float) -> float:
    """How many touches are worth one independent one: squared error over that of independent touches."""
    independent = rate * (1 - rate) / n
    return max(1.0, error**2 / independent) if independent > 0 else 1.0


def _told(methods: list[Scored]) -> list[Scored]:
    """With the discoveries among those that have enough evidence."""
    judged = [one for one in methods if one.sufficient]
    found = scores.discoveries(np.array([one.p for one in judged]), FALSE_RATE)
    names = {one.kind for one, is_found in zip(judged, found, strict=True) if is_found}
    return [replace(one, discovery=one.kind in names) for one in methods]


def _parts(table: np.ndarray, design: float) -> tuple[Part, ...]:
    parts = []
    for n, bounces, excess in table.T:
        if n < LEAST_CELL:
            parts.append(Part(int(n), None, None))
            continue
        rate = bounces / n
        error = float(np.sqrt(design * rate * (1 - rate) / n))
        parts.append(Part(int(n), float(excess / n), 1.96 * error))
    return tuple(parts)


def _forecasts(counts: list[_Counts], quarters: tuple[str, ...]) -> Forecasts | None:
    """Forecasts from the earlier quarters, scored on the newest; a quarter between is used by neither."""
    first = len(quarters) - round(HELD_OUT * len(quarters))
    if first - 1 < LEAST_QUARTERS or first >= len(quarters):
        return None
    before, after = slice(0, first - 1), slice(first, None)
    forecast, bounces, n = [], [], []
    for one in counts:
        known = one.n[:, before]
        if known.sum() < LEAST:
            continue
        forecast.append(_shrunk(one, before))
        bounces.append(one.bounces[:, after].sum(axis=1))
        n.append(one.n[:, after].sum(axis=1))
    if not forecast or not np.sum(n) > 0:
        return None
    told, held, total = (np.concatenate(parts) for parts in (forecast, bounces, n))
    base = _base(counts, before)
    return Forecasts(
        since=quarters[first],
        n=int(total.sum()),
        brier=scores.brier(told, held, total),
        brier_placebo=scores.brier(np.full(len(told), base), held, total),
        groups=tuple(scores.calibration(told, held, total)),
    )


def _shrunk(counts: _Counts, before: slice) -> np.ndarray:
    """The probability of a bounce for each ticker, drawn towards that of all tickers."""
    n, bounces, excess = (table[:, before] for table in (counts.n, counts.bounces, counts.excess))
    mean = float(bounces.sum() / n.sum())
    draws = scores.block_draws(n.shape[1])
    design = _design(mean, scores.ratio(excess.sum(axis=0), n.sum(axis=0), draws).error, float(n.sum()))
    own, held = n.sum(axis=1) / design, bounces.sum(axis=1) / design
    prior = scores.concentration(held, own, mean)
    return (held + prior * mean) / (own + prior)  # type: ignore[no-any-return] # numpy's


def _base(counts: list[_Counts], before: slice) -> float:
    bounces, excess, n = (
        sum(float(getattr(one, name)[:, before].sum()) for one in counts)
        for name in ("bounces", "excess", "n")
    )
    return (bounces - excess) / n
