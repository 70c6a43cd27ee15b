"""Runs of rows on another scale: where they begin and end, and how likely that is."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tickerbook.market.checks._tape import Tape

_AROUND = 20  # rows that tell what volume is usual


@dataclass(frozen=True)
class Block:
    """Rows `first` to `last` (not included) whose prices are `factor` times what they should be.

    Attributes:
        first: position of the first row; 0 where the block begins before the frame.
        last: position after the last row.
        factor: the wrong factor.
        gain: how much likelier the edges are with the block put right (log likelihood).
    """

    first: int
    last: int
    factor: float
    gain: float


def gains(tape: Tape, rows: Any, factor: float) -> Any:
    """How much likelier returns at `rows` are if the scale changes there by `factor`, besides dividends."""
    owed = tape.owed[rows]
    told = tape.surprise(rows, owed + np.log(factor)) - tape.surprise(rows, owed)
    return np.nan_to_num(told, nan=-np.inf)


def closed(tape: Tape, rows: Any, factor: float, longest: int) -> list[Block]:
    """Blocks that begin at one of `rows` and end at a later one, at most `longest` rows after."""
    into, back = gains(tape, rows, factor), gains(tape, rows, 1 / factor)
    starts, ends = np.flatnonzero(into > 0), np.flatnonzero(back > 0)
    return [
        Block(int(rows[i]), int(rows[j]), factor, float(into[i] + back[j]))
        for i in starts
        for j in ends
        if 0 < rows[j] - rows[i] <= longest
    ]


def leading(tape: Tape, rows: Any, factor: float) -> list[Block]:
    """Blocks from the beginning of the frame up to one of `rows`."""
    back = gains(tape, rows, 1 / factor)
    return [Block(0, int(row), factor, float(gain)) for row, gain in zip(rows, back, strict=True) if gain > 0]


def volume_shift(tape: Tape, block: Block) -> float:
    """Logarithm of the volume inside a block, near its edges, over that beside it; NaN where unknown."""
    inside = tape.shares[max(block.first, block.last - _AROUND) : block.last]
    beside = np.concatenate(
        (tape.shares[max(block.first - _AROUND, 0) : block.first], tape.shares[block.last :][:_AROUND])
    )
    if not (np.isfinite(inside).any() and np.isfinite(beside).any()):
        return float("nan")
    return float(np.nanmedian(inside) - np.nanmedian(beside))
