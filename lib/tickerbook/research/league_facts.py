"""The league as facts: rows `method.N.…`, `age.N.…`, `calibration.N.…`, and what they come to, `league.…`."""

from collections.abc import Iterator, Mapping

from tickerbook.facts import Fact, Facts, Value
from tickerbook.research.league import BETTER, WORSE, League, Part, Scored
from tickerbook.research.study import AGES, REGIMES

_SHARE = "fraction"
CELLS = tuple(f"{touches}_{regime}" for touches in ("none", "few", "many") for regime in REGIMES)
AGE_NAMES = ("at_once", "week", "month", "quarter", "older")


def league_facts(league: League) -> Facts:
    """Every method with its odds, best edge first. Where the evidence does not suffice, figures are missing.

    All are as of the league's newest session, so that they change with a quarter and not with every bar.
    """
    return Facts(
        Fact(name, value, label, unit, digits, league.through)
        for name, value, label, unit, digits in (*_summary(league), *_rows(league))
    )


_Told = tuple[str, Value, str, str, int | None]


def _summary(league: League) -> Iterator[_Told]:
    judged = [one for one in league.methods if one.sufficient]
    yield "league.tickers", league.tickers, "tickers studied", "", 0
    yield "league.through", league.through.isoformat() if league.through else None, "study to", "date", None
    yield "league.first", league.quarters[0] if league.quarters else None, "first quarter", "", None
    yield "league.quarters", len(league.quarters), "quarters", "", 0
    yield "league.touches", sum(one.n for one in league.methods), "touches followed", "", 0
    yield "league.methods", len(league.methods), "methods", "", 0
    yield "league.judged", len(judged), "methods with enough evidence", "", 0
    for name, verdict in (("better", BETTER), ("worse", WORSE)):
        count = sum(one.verdict == verdict for one in judged)
        yield f"league.{name}", count, f"methods {verdict}", "", 0
    told = league.forecasts
    skill = 1 - told.brier / told.brier_placebo if told else None
    yield "league.held_out", told.since if told else None, "forecasts scored since", "", None
    yield "league.forecasts", told.n if told else None, "touches forecast", "", 0
    yield "league.brier", told.brier if told else None, "Brier score of the forecasts", "", 4
    yield "league.brier_placebo", told.brier_placebo if told else None, "Brier score of the base rate", "", 4
    yield "league.skill", skill, "better than the base rate by", _SHARE, 2


def _rows(league: League) -> Iterator[_Told]:
    for number, method in enumerate(league.methods, start=1):
        yield from _method(f"method.{number}", method)
    for number, (name, part) in enumerate(zip(AGES, league.ages, strict=True), start=1):
        yield f"age.{number}.name", name, "sessions from known to touched", "", None
        yield from _part(f"age.{number}", part)
    groups = league.forecasts.groups if league.forecasts else ()
    for number, (forecast, observed, n) in enumerate(groups, start=1):
        yield f"calibration.{number}.forecast", forecast, "forecast", _SHARE, 1
        yield f"calibration.{number}.observed", observed, "observed", _SHARE, 1
        yield f"calibration.{number}.n", n, "touches", "", 0


def _method(name: str, one: Scored) -> Iterator[_Told]:
    yield f"{name}.name", one.kind, "method", "", None
    yield f"{name}.family", one.family, "family of methods", "", None
    yield f"{name}.n", one.n, "touches", "", 0
    yield f"{name}.sufficient", one.sufficient, "enough evidence", "", None
    yield f"{name}.verdict", one.verdict, "verdict", "", None
    yield f"{name}.discovery", one.discovery, "told from chance", "", None
    known: Mapping[str, float] = _figures(one) if one.sufficient else {}
    for column, label, unit, digits in (
        ("bounce", "bounced", _SHARE, 1),
        ("bounce_low", "bounced: from", _SHARE, 1),
        ("bounce_high", "bounced: to", _SHARE, 1),
        ("placebo", "placebos bounced", _SHARE, 1),
        ("edge", "edge over placebo", _SHARE, 1),
        ("edge_low", "edge: from", _SHARE, 1),
        ("edge_high", "edge: to", _SHARE, 1),
        ("p", "chance of such an edge by luck", "", 4),
        ("bounce_error", "bounced: standard error", _SHARE, 2),
        ("edge_error", "edge: standard error", _SHARE, 2),
        ("design", "touches worth one independent one", "", 1),
        ("concentration", "likeness of tickers", "", 0),
    ):
        yield f"{name}.{column}", known.get(column), label, unit, digits
    for cell, part in zip(CELLS, one.cells, strict=True):
        yield from _part(f"{name}.{cell}", part)
    for age, part in zip(AGE_NAMES, one.ages, strict=True):
        yield from _part(f"{name}.{age}", part)


def _figures(one: Scored) -> Mapping[str, float]:
    return {
        "bounce": one.bounce.value,
        "bounce_low": one.bounce.low,
        "bounce_high": one.bounce.high,
        "placebo": one.placebo,
        "edge": one.edge.value,
        "edge_low": one.edge.low,
        "edge_high": one.edge.high,
        "p": one.p,
        "bounce_error": one.bounce.error,
        "edge_error": one.edge.error,
        "design": one.touches_of_one,
        "concentration": one.concentration,
    }


def _part(name: str, part: Part) -> Iterator[_Told]:
    yield f"{name}.n", part.n, "touches", "", 0
    yield f"{name}.edge", part.edge, "edge over placebo", _SHARE, 1
    yield f"{name}.half", part.half, "half the width of its interval", _SHARE, 1
