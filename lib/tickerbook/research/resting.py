"""Stops and targets that rest in the market while a bar is made: where they fill, and how sure that is.

A daily bar does not tell whether its low or its high came first. Where both the stop and the target lie
inside it, the pessimistic reading takes the stop and the optimistic one the target; the truth lies between.
A stop is triggered by touching, a target only by trading beyond it. A bar that opens beyond either fills it
at the open, which both readings agree on.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Exits:
    """Prices at which a position is to end, decided at each close for the next session; NaN for none.

    Attributes:
        stop: where it is given up; rows are sessions, columns are strategies.
        target: where the profit is taken.
    """

    stop: Array
    target: Array

    def of(self, rows: slice) -> "Exits":
        """Those of some sessions."""
        return Exits(self.stop[rows], self.target[rows])


@dataclass(frozen=True, eq=False, slots=True)
class Filled:
    """What resting orders make of what is held.

    Attributes:
        held: what is held from each session's open. After a stop or target it is 0 until the strategy
            decides something else.
        out: whether the position ends inside the session.
        price: where it ends; NaN elsewhere.
    """

    held: Array
    out: Mask
    price: Array


def fill(prices: dict[str, Array], held: Array, exits: Exits, *, optimistic: bool = False) -> Filled:
    """What is held from each open, and where resting orders end it.

    Args:
        prices: open, high and low of each session, as columns of one.
        held: what is to be held from each session's open: rows are sessions, columns are strategies.
        exits: in force in each session (that is, decided at the close before).
        optimistic: how a bar that holds both the stop and the target is read.
    """
    opened, side = prices["open"], np.sign(held)
    # Seen from a short position, prices are upside down.
    low = np.where(side < 0, -prices["high"], prices["low"])
    high = np.where(side < 0, -prices["low"], prices["high"])
    turn = np.where(side < 0, -1.0, 1.0)
    start, stop, target = turn * opened, turn * exits.stop, turn * exits.target
    stopped, reached = (low <= stop) & (side != 0), (high > target) & (side != 0)
    alive = _alive(held, stopped | reached)
    out = alive & (stopped | reached)
    by_stop = stopped & ~(reached & ((start > target) | (optimistic & (start > stop))))
    price = np.where(by_stop, np.minimum(start, stop), np.maximum(start, target)) * turn
    return Filled(np.where(alive, held, 0.0), out, np.where(out, price, np.nan))


def _alive(held: Array, hit: Mask) -> Mask:
    """Whether a position is still on at each open: nothing hit since what is held was decided."""
    changed = np.ones(held.shape, dtype=np.bool_)
    changed[1:] = held[1:] != held[:-1]
    before = np.cumsum(hit, axis=0, dtype=np.int32) - hit
    alive: Mask = before == np.maximum.accumulate(np.where(changed, before, 0), axis=0)
    return alive
