"""A ticker's study as facts, and back: hidden rows `study.N.…`, one a method, counts by quarter as series."""

from datetime import date
from typing import Any

import numpy as np

from tickerbook.errors import DataError
from tickerbook.facts import Fact, Facts, Value
from tickerbook.research.study import AGES, REGIMES, TOUCHES, Study, Tally

_DECIMALS = 4
_CELLS = (3, len(TOUCHES) * len(REGIMES))
_AGES = (3, len(AGES))


def study_facts(study: Study) -> Facts:
    """The counts of a study, for the league; they change when a quarter is over, not with every bar."""

    def fact(name: str, value: Value, label: str, unit: str = "") -> Fact:
        return Fact(f"study.{name}", value, label, unit, as_of=study.through)

    facts = [
        fact("ticker", study.ticker, "ticker of the study of levels"),
        fact("through", study.through.isoformat() if study.through else None, "study to", "date"),
        fact("quarters", study.quarters, "quarters of the study"),
    ]
    for number, tally in enumerate(study.tallies, start=1):
        columns: dict[str, tuple[Value, str]] = {
            "kind": (tally.kind, "method"),
            "family": (tally.family, "family of methods"),
            "n": (_whole(tally.n), "touches by quarter"),
            "bounces": (_whole(tally.bounces), "bounces by quarter"),
            "excess": (_rounded(tally.excess), "bounces over those of placebos by quarter"),
            "cells": (_rounded(tally.cells), "touches, bounces, excess by visits before and trend"),
            "ages": (_rounded(tally.ages), "touches, bounces, excess by age"),
        }
        facts += [fact(f"{number}.{name}", value, label) for name, (value, label) in columns.items()]
    return Facts(facts)


def study_from_facts(facts: Facts) -> Study:
    """What `study_facts` wrote down; a study without any touch where there are no such facts.

    Raises:
        DataError: if a row is incomplete.
    """
    through = facts.value("study.through")
    quarters = tuple(facts.value("study.quarters", ()))
    try:
        tallies = tuple(_tally(row, len(quarters)) for row in facts.rows("study"))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The facts of a study of levels are incomplete or damaged: {error!r}.",
            "Run the notebook levels again.",
        ) from error
    ticker = str(facts.value("study.ticker", ""))
    return Study(ticker, date.fromisoformat(through) if through else None, quarters, tallies)


def _tally(row: dict[str, Fact], quarters: int) -> Tally:
    def series(name: str, shape: tuple[int, ...]) -> np.ndarray:
        value: Any = row[name].value
        return np.array(value, dtype="float64").reshape(shape)

    return Tally(
        kind=str(row["kind"].value),
        family=str(row["family"].value),
        n=series("n", (quarters,)),
        bounces=series("bounces", (quarters,)),
        excess=series("excess", (quarters,)),
        cells=series("cells", _CELLS),
        ages=series("ages", _AGES),
    )


def _whole(values: np.ndarray) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values.round(_DECIMALS).ravel())
