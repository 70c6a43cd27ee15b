"""Which sessions parameters are chosen from, and which they are then judged on."""

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import comb

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.errors import ConfigError

Rows = npt.NDArray[np.intp]


def check_schedule(train: int, purge: int, embargo: int) -> None:
    """Refuse what is no schedule.

    Raises:
        ConfigError: if `train` is below 63, or `purge` or `embargo` below 0.
    """
    if train < 63 or min(purge, embargo) < 0:  # noqa: PLR2004 - a quarter
        raise ConfigError(
            f"train = {train}, purge = {purge} and embargo = {embargo} are no schedule.",
            "Use 63 sessions or more to choose from, and 0 or more to leave out.",
        )


def quarters(sessions: pd.DatetimeIndex, least: int) -> Iterator[tuple[int, int]]:
    """Rows of the first session of each calendar quarter from row `least` on, and of the next one's.

    A quarter begins where its first session is seen to, so a later session changes none that is over.
    """
    number = np.asarray(sessions.year * 4 + sessions.quarter)
    starts = [row for row in np.flatnonzero(number[1:] != number[:-1]) + 1 if row >= least]
    yield from pairwise([*map(int, starts), len(sessions)])


def paths(groups: int, tested: int) -> int:
    """How many paths combinatorial splits give: C(groups − 1, tested − 1)."""
    return comb(groups - 1, tested - 1)


def combinatorial_splits(
    rows: int, groups: int, tested: int, *, purge: int, embargo: int
) -> Iterator[tuple[tuple[int, ...], Rows, list[Rows]]]:
    """Every choice of `tested` out of `groups` blocks of rows (López de Prado 2018, chapters 7 and 12).

    Yields:
        The blocks tested; the rows to choose from, without those up to `purge` before a tested block and up
        to `purge` + `embargo` after it; and the rows of each tested block.

    Raises:
        ConfigError: if that is no choice, or nothing is left to choose from.
    """
    if not 1 <= tested < groups <= rows:
        raise ConfigError(
            f"{tested} of {groups} blocks of {rows} sessions is no choice.", "Use fewer blocks."
        )
    blocks = np.array_split(np.arange(rows), groups)
    for chosen in combinations(range(groups), tested):
        free = np.ones(rows, dtype=np.bool_)
        for block in chosen:
            first, last = blocks[block][0], blocks[block][-1]
            free[max(first - purge, 0) : last + 1 + purge + embargo] = False
        if not free.any():
            raise ConfigError(
                "Purge and embargo leave nothing to choose from.", "Use fewer sessions of them."
            )
        yield chosen, np.flatnonzero(free), [blocks[block] for block in chosen]
