"""Odds: how often levels held, measured against chance, and levels that carry it.

The way in; the parts are `race` (what happens after a touch), `study` (one ticker, levels and placebos),
`league` (all tickers, every method judged) and `scores` (the statistics).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from math import sqrt

from tickerbook.facts import Fact, Facts
from tickerbook.research.frozen import PLACEBOS
from tickerbook.research.league import League, pool
from tickerbook.research.league_facts import league_facts
from tickerbook.research.level import Level, Odds, nearest_resistance, nearest_support
from tickerbook.research.scores import weight_of_own
from tickerbook.research.study import Study, touch_study
from tickerbook.research.study_facts import study_facts, study_from_facts

__all__ = [
    "League",
    "Odds",
    "Study",
    "league_facts",
    "odds_facts",
    "pool",
    "study_facts",
    "study_from_facts",
    "touch_study",
    "with_odds",
]

_NORMAL = 1.96  # standard errors to each side of a 95 % interval


def with_odds(levels: Iterable[Level], league_facts: Facts, own_study_facts: Facts) -> tuple[Level, ...]:
    """The levels with their odds, where their method is in the league.

    A ticker's own frequency is drawn towards that of all tickers, the more the fewer touches it has and the
    more alike tickers are (beta-binomial; `scores.concentration`). Touches count as independent ones after
    division by the method's design effect. Of a method that is no discovery among all methods, the interval
    of the edge reaches zero at least: as many are judged at once, one in twenty would else miss it by luck.

    Args:
        levels: as found at the last close.
        league_facts: what the notebook `odds` published, or `Facts()` where it has not run.
        own_study_facts: what the ticker's notebook `levels` published (`study.…`).
    """
    own = {tally.kind: tally for tally in study_from_facts(own_study_facts).tallies}
    odds = {}
    for row in league_facts.rows("method"):
        kind = str(row["name"].value)
        tally = own.get(kind)
        counts = (tally.n.sum(), tally.bounces.sum(), tally.excess.sum()) if tally else (0.0, 0.0, 0.0)
        odds[kind] = _odds(row, _Own(*(float(count) for count in counts)))
    return tuple(replace(level, odds=odds.get(level.kind)) for level in levels)


def odds_facts(levels: Iterable[Level], close: float, as_of: date) -> Facts:
    """The odds of levels as facts beside those of `level_facts`: `level.N.odds…`, `support.odds…` and so on.

    Args:
        levels: with their odds, in the order in which their facts are published.
        close: the last close, which tells the nearest support and resistance.
        as_of: its session.
    """
    levels = tuple(levels)
    named: list[tuple[str, Level | None]] = [
        ("support", nearest_support(levels, close)),
        ("resistance", nearest_resistance(levels, close)),
    ]
    named += [(f"level.{number}", level) for number, level in enumerate(levels, start=1)]
    return Facts(fact for name, level in named for fact in _facts(name, level.odds if level else None, as_of))


@dataclass(frozen=True, slots=True)
class _Own:
    """What a ticker's own levels of one method did."""

    n: float
    bounces: float
    excess: float


def _odds(row: dict[str, Fact], own: _Own) -> Odds:
    def value(name: str) -> float:
        found = row[name].value
        return float(found) if isinstance(found, int | float) else 0.0

    if not row["sufficient"].value:
        return Odds(0.0, 0.0, 1.0, int(value("n")), 0.0, 0.0, -1.0, 1.0, sufficient=False)
    touches, prior = own.n / value("design"), value("concentration")
    weight = weight_of_own(touches, prior)
    held, over = (own.bounces / own.n, own.excess / own.n) if own.n else (0.0, 0.0)
    estimate = (1 - weight) * value("bounce") + weight * held
    edge = (1 - weight) * value("edge") + weight * over
    # Of the ticker's own probability given that of all (posterior of the beta-binomial), and of that of all.
    posterior = estimate * (1 - estimate) / (touches + prior + 1)
    error = sqrt(posterior + ((1 - weight) * value("bounce_error")) ** 2)
    edge_error = sqrt(posterior * (1 + 1 / PLACEBOS) + ((1 - weight) * value("edge_error")) ** 2)
    told = bool(row["discovery"].value)
    edge_low, edge_high = edge - _NORMAL * edge_error, edge + _NORMAL * edge_error
    return Odds(
        estimate=estimate,
        low=max(0.0, estimate - _NORMAL * error),
        high=min(1.0, estimate + _NORMAL * error),
        n=int(value("n")),
        placebo=estimate - edge,
        edge=edge,
        edge_low=edge_low if told else min(edge_low, 0.0),
        edge_high=edge_high if told else max(edge_high, 0.0),
        sufficient=True,
    )


def _facts(name: str, odds: Odds | None, as_of: date) -> Iterable[Fact]:
    told = asdict(odds) if odds and odds.sufficient else {}
    for column, figure, label in (
        ("odds", "estimate", "odds that it holds"),
        ("odds_low", "low", "odds: from"),
        ("odds_high", "high", "odds: to"),
        ("odds_placebo", "placebo", "odds of a placebo"),
        ("edge", "edge", "edge over placebo"),
        ("edge_low", "edge_low", "edge: from"),
        ("edge_high", "edge_high", "edge: to"),
    ):
        yield Fact(f"{name}.{column}", told.get(figure), label, "fraction", 1, as_of)
    yield Fact(f"{name}.odds_n", odds.n if odds else None, "touches measured", "", 0, as_of)
