"""Prices in another unit: pence for pounds, cents for rand, fils for dinars."""

from typing import Any

import numpy as np

from tickerbook.market.checks import Checked
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._tape import Tape
from tickerbook.market.raw import PRICES

ORDER = 60
_POWERS = (2, 3, -2, -3)  # a unit of money has 100 or 1000 parts
_TEN = np.log(10.0)
_TOLERANCE = (0.15, 0.5)  # a jump is off a power of ten by the day's movement: between these, in logarithms
_USUAL = 8.0  # times the noise
_SETTLED = 5  # rows in one unit at the end that make it the unit of today
_AROUND = 20  # rows that tell what volume is usual
_MOST = 0.5


def check(delivery: Delivery) -> Checked:
    """Bring prices that jump by 100 or 1000 to the unit of the rest.

    The unit that is right is that of the stored history; without one, that of the newest rows if it has
    lasted, else of most rows. A lasting jump with volume jumping the other way is a split, not a unit.
    """
    tape, stored = delivery.tape, delivery.context.stored is not None
    wrong = _inside(tape.logs)
    if stored or wrong.any() or (np.abs(np.diff(tape.level)) > _TEN).any():  # no market moves ten times a day
        rows = _rows(tape)
        wrong += (rows - _right(rows, delivery))[:, None]
    if not wrong.any():
        return delivery, []
    powers = dict(zip(PRICES, wrong.T, strict=True))
    if "adj_close" in delivery.frame:
        powers["adj_close"] = wrong[:, 3]
    values = {name: delivery.frame[name].to_numpy() / 10.0**power for name, power in powers.items()}
    message = (
        "Prices are in another unit than their neighbours (a factor of 100 or 1000); they are converted."
    )
    return delivery.put(values, "units.factor", message)


def _power(jumps: Any, tolerance: Any) -> Any:
    """The power of ten of a unit that each jump is near to; 0 where it is near to none."""
    powers = np.zeros(jumps.shape, dtype=int)
    if len(jumps) and np.nanmax(np.abs(jumps), initial=0.0) < _TEN:
        return powers
    for power in _POWERS:
        powers[np.abs(jumps - power * _TEN) < tolerance] = power
    return powers


def _inside(logs: Any) -> Any:
    """Single prices of a bar in another unit than the bar's middle."""
    return _power(logs - np.sort(logs, axis=1)[:, 1:2], _TOLERANCE[1])


def _rows(tape: Tape) -> Any:
    """For each row the power of ten that its unit differs by from the first row's."""
    jumps = np.nan_to_num(np.diff(tape.level, prepend=tape.level[:1]))
    tolerance = np.clip(_USUAL * tape.change_noise, *_TOLERANCE)
    powers = _power(jumps, tolerance)
    for split in np.abs(np.log(tape.split[tape.split != 1])):
        powers[np.abs(np.abs(jumps) - split) < tolerance] = 0  # the check of splits knows better
    edges = np.flatnonzero(powers)
    if len(edges) == 1 and _is_split(tape, edges[0], jumps[edges[0]]):
        powers[edges] = 0
    return np.cumsum(powers)


def _is_split(tape: Tape, edge: int, jump: float) -> bool:
    """Whether volume jumps against the price at a lasting change."""
    after, before = tape.shares[edge : edge + _AROUND], tape.shares[max(edge - _AROUND, 0) : edge]
    if not (np.isfinite(after).any() and np.isfinite(before).any()):
        return False
    shift = np.nanmedian(after) - np.nanmedian(before)
    return bool(abs(shift + jump) < abs(shift))


def _right(rows: Any, delivery: Delivery) -> int:
    """The power of the unit that all rows should have."""
    known = _stored(rows, delivery)
    if known is not None:
        return known
    changed = np.flatnonzero(rows != rows[-1])
    if len(rows) - (changed[-1] + 1 if len(changed) else 0) >= _SETTLED:
        return int(rows[-1])
    return _commonest(rows)


def _commonest(powers: Any) -> int:
    values, counts = np.unique(powers, return_counts=True)
    return int(values[counts.argmax()])


def _stored(rows: Any, delivery: Delivery) -> int | None:
    """The power of the stored history's unit; None where there is none, or it is something else entirely."""
    if delivery.context.stored is None:
        return None
    known = delivery.context.stored["close"].reindex(delivery.frame.index).to_numpy()
    apart = np.log(np.abs(delivery.prices[:, 3] / np.where(known == 0, np.nan, known)))
    common = np.isfinite(apart)
    powers = _power(apart[common], _TOLERANCE[0])
    clear = (powers != 0) | (np.abs(apart[common]) < _TOLERANCE[0])
    if not clear.any() or clear.mean() < _MOST:
        return None
    return _commonest((rows[common] - powers)[clear])
