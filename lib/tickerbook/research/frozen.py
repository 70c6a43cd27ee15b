"""Levels as they were known at past closes, and placebos beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tickerbook.research.confluence import touches
from tickerbook.research.levels import Method, found_by
from tickerbook.research.view import History, View

REACH = 5.0  # ATR
PLACEBOS = 8
OFFSETS = (0.5, 2.0)  # ATR: a zone's width at least
_SEED = 20130301


@dataclass(frozen=True, slots=True)
class Frozen:
    """Levels at their freezes, one entry each.

    Attributes:
        kind: number of the kind.
        row: of the bar at whose close it was frozen.
        distance: from that close to the near side of the zone, in ATR, above zero.
        age: sessions since it was known.
        visits: touches before.
        is_support: whether it lies below the close.
    """

    kind: np.ndarray
    row: np.ndarray
    distance: np.ndarray
    age: np.ndarray
    visits: np.ndarray
    is_support: np.ndarray


def freeze(history: History, rows: Sequence[int], methods: Sequence[Method], kinds: dict[str, str]) -> Frozen:
    """Every level that is clear of the close and in reach; kinds are numbered in `kinds` as they appear."""
    parts = [part for row in rows if (part := _frozen_at(history.at(row), methods, kinds)) is not None]
    columns = zip(*parts, strict=True) if parts else [(np.zeros(0, dtype="int64"),)] * 6
    return Frozen(*(np.concatenate(column) for column in columns))


def _frozen_at(view: View, methods: Sequence[Method], kinds: dict[str, str]) -> tuple[np.ndarray, ...] | None:
    if not view.atr > 0:
        return None
    found = [(one, method.family) for method in methods for one in found_by(method, view)]
    for one, family in found:
        kinds.setdefault(one.kind, family)
    number = {kind: place for place, kind in enumerate(kinds)}
    prices = np.array([one.price for one, _ in found])
    distance = (np.abs(prices - view.close) - view.half) / view.atr
    near = np.flatnonzero((distance > 0) & (distance <= REACH))
    kept = [found[place][0] for place in near.tolist()]
    return (
        np.array([number[one.kind] for one in kept], dtype="int64"),
        np.full(len(kept), view.row),
        distance[near],
        view.row - np.array([one.known for one in kept], dtype="int64"),
        touches(view, prices[near], np.array([one.formed for one in kept], dtype="int64")),
        prices[near] < view.close,
    )


def placebos(real: Frozen) -> Frozen:
    """`PLACEBOS` for each level, nearer or farther by chance; one that would be out of reach is left out."""
    rng = np.random.default_rng(_SEED)
    shape = (len(real.row), PLACEBOS)
    offset = rng.uniform(*OFFSETS, shape) * rng.choice((-1.0, 1.0), shape)
    distance = real.distance[:, None] + offset
    distance = np.where(distance > 0, distance, real.distance[:, None] - offset).ravel()
    kept = distance <= REACH
    columns = (real.kind, real.row, real.age, real.visits, real.is_support)
    kind, row, age, visits, is_support = (np.repeat(column, PLACEBOS)[kept] for column in columns)
    return Frozen(kind, row, distance[kept], age, visits, is_support)
