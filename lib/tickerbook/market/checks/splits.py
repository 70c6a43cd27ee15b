"""Splits that prices do not show, show twice, or show in some rows only."""

from typing import Any

import numpy as np

from tickerbook.market.checks import Checked, Finding
from tickerbook.market.checks._blocks import Block, closed, leading, volume_shift
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._tape import Tape
from tickerbook.market.raw import PRICES

ORDER = 70
_NEAR = 10  # rows from the day of a split within which its effect on prices is looked for
_STANDS_OUT = 6.0  # times the noise: a smaller ratio (spin-offs) drowns in daily movement
_LEFT = 1 / 3  # of the ratio's size: so much other movement may come with it
_LIKELY = 3.0  # log likelihood gained that makes an error of a listed split's size one
_SURE = 8.0  # the same far from the day of the split, or for a split nobody lists
_BIG = np.log(1.9)  # the smallest of those
_LONGEST = 60  # rows of a block of an unlisted split; real prices do not jump and jump back exactly
_LOUD = np.log(3.0)  # volume against usual that marks a real event
_EXACT = 6.0  # times the noise that may be left at the edges of such a block
_RESTLESS = (0.3, 0.6)  # how far volume drifts, and how far one day is from usual (logarithms)
_DECIDES = 1.5  # log likelihood by which volume must say that prices alone are off
_ROUNDS = 6
RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50)  # of splits in use


def check(delivery: Delivery) -> Checked:
    """Bring rows to the scale of the newest ones where they are off by a split's ratio.

    A row may be off by a listed split: everything before a day near it, or a run of rows, by the ratio or its
    inverse. Runs that jump by a usual ratio and jump back exactly are errors without a listed split too.
    """
    findings: list[Finding] = []
    for _ in range(_ROUNDS):
        block = _best(delivery.tape)
        if block is None:
            break
        delivery, found = _rescaled(delivery, block)
        findings += found
    return delivery, findings + _doubtful(delivery)


def _best(tape: Tape) -> Block | None:
    """The likeliest block, if there is a likely one."""
    blocks = _returning(tape)
    for day in np.flatnonzero(tape.split != 1):
        blocks += _listed(tape, int(day))
    return max(blocks, key=lambda block: block.gain, default=None)


def _jumps(tape: Tape, factor: float) -> Any:
    """Rows whose price jumps by about `factor` up or down, where such a jump stands out from the noise."""
    size = abs(np.log(factor))
    rows = np.flatnonzero(np.abs(np.abs(tape.change - tape.owed) - size) < size * _LEFT)
    return rows[size > _STANDS_OUT * tape.change_noise[rows]] if len(rows) else rows


def _listed(tape: Tape, day: int) -> list[Block]:
    """Blocks that the split of `day` explains: near it, and if it is large anywhere.

    Far from the day, a lone edge must be without the bustle of a real event, and two edges must match.
    """
    ratio = float(tape.split[day])
    rows = _jumps(tape, ratio)
    near = rows[np.abs(rows - day) <= _NEAR]
    lone = len(rows) == 1 and abs(np.log(ratio)) > _BIG
    quiet = rows[~(tape.bustle[rows] > _LOUD)] if lone else rows[:0]
    blocks: list[Block] = []
    for factor in (ratio, 1 / ratio):
        blocks += [b for b in leading(tape, near, factor) if b.gain > _LIKELY]
        blocks += [b for b in closed(tape, near, factor, 2 * _NEAR) if b.gain > _LIKELY]
        blocks += [b for b in leading(tape, quiet, factor) if b.gain > _SURE]
        everywhere = closed(tape, rows, factor, len(tape.level))
        blocks += [
            b for b in everywhere if b.gain > 2 * _SURE and (abs(np.log(ratio)) > 1 or _exact(tape, b))
        ]
    return blocks


def _returning(tape: Tape) -> list[Block]:
    """Blocks of usual ratios that no list explains: both edges match, and volume tells of no event."""
    if (np.abs(np.nan_to_num(tape.change)) > _BIG).sum() < 2:  # noqa: PLR2004 - there and back
        return []
    return [
        block
        for ratio in RATIOS
        for factor in (float(ratio), 1.0 / ratio)
        for block in closed(tape, _jumps(tape, factor), factor, _LONGEST)
        if block.gain > 2 * _SURE and _exact(tape, block) and _silent(tape, block)
    ]


def _exact(tape: Tape, block: Block) -> bool:
    """Whether nothing but usual movement is left at both edges."""
    edges, size = np.array([block.first, block.last]), np.log(block.factor)
    left = tape.change[edges] - np.array([size, -size])
    return bool((np.abs(left) < _EXACT * tape.change_noise[edges]).all())


def _silent(tape: Tape, block: Block) -> bool:
    """Whether volume inside is as beside, or moved against the price as a split's does."""
    shift = volume_shift(tape, block)
    return not np.isfinite(shift) or min(abs(shift), abs(shift + np.log(block.factor))) < _LOUD


def _rescaled(delivery: Delivery, block: Block) -> Checked:
    factor = np.ones(len(delivery))
    factor[block.first : block.last] = block.factor
    names = [*PRICES, *(["adj_close"] if "adj_close" in delivery.frame else [])]
    values: dict[str, Any] = {name: delivery.frame[name].to_numpy() / factor for name in names}
    both = _volume_too(delivery.tape, block)
    if both:
        values["volume"] = delivery.frame["volume"].to_numpy() * factor
    message = (
        f"Prices{' and volume' if both else ''} are off by the ratio of a split ({block.factor:.6g} "
        "times those of the rest); they are brought to the same scale."
    )
    return delivery.put(values, "splits.scale", message)


def _volume_too(tape: Tape, block: Block) -> bool:
    """Whether volume is off as well: vendors mostly scale both, so volume must speak clearly against it."""
    shift, size = volume_shift(tape, block), np.log(block.factor)
    restless = _RESTLESS[0] ** 2 + _RESTLESS[1] ** 2 / min(block.last - block.first, 20)
    return not ((shift + size) ** 2 - shift**2) / (2 * restless) > _DECIDES


def _doubtful(delivery: Delivery) -> list[Finding]:
    """What looks like a split half applied, and cannot be put right."""
    tape = delivery.tape
    listed = np.flatnonzero(tape.split != 1)
    mixed, volume = np.zeros(len(delivery), dtype=bool), np.zeros(len(delivery), dtype=bool)
    for day in listed:
        size, moved = np.log(tape.split[day]), tape.change[day]
        mixed[day] = np.abs(np.abs(moved) - np.abs(size)) < np.abs(size) * _LEFT
        shift = volume_shift(tape, Block(0, int(day), 1.0, 0.0))
        volume[day] = abs(size) > 1 and abs(abs(shift) - abs(size)) < abs(size) * _LEFT
    if delivery.context.interval == "1d":
        mixed[:] = False
    message = "The bar holds the day of a split and moves by about its ratio; its days cannot be seen; kept."
    findings = delivery.notice(mixed, "splits.mixed", message)
    message = (
        "Volume changes by about the ratio of a split on its day, as if it were not adjusted for it; kept."
    )
    return findings + delivery.notice(volume, "splits.volume", message)
