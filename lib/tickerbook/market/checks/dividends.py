"""Dividends in another unit than prices: pence for pounds, or the other way round."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tickerbook.market.checks import Checked
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._paid import DECIDES, LEANS, chains, implied, paid
from tickerbook.market.checks._tape import Tape

ORDER = 94
_CHAIN = 8.0  # amounts further apart than this do not belong to one series
_SHARES = (0.0003, 0.2)  # of the price, between which companies pay at a time
_USUAL = (np.log(0.01), 1.2)  # the logarithm of that share, and its spread
_LIKE = 1.5  # an amount within this ratio of others is like them
_STEADY = 0.3  # amounts that differ by less are those of a steady payer
_REMEMBERED = 8  # stored dividends that tell what is usual
_ROUNDS = 20


def check(delivery: Delivery) -> Checked:
    """Put right amounts that are off by 100: all, a series among them, or one.

    Prices on their days must speak for it; with the vendor's adjusted close, the other dividends, and what
    companies usually pay, they must decide it. A small dividend of a fickle payer is left alone.
    """
    tape = delivery.tape
    rows = np.flatnonzero(tape.dividend > 0)
    if not len(rows):
        return delivery, []
    told, known = implied(delivery)[rows], _known(delivery)
    factor = np.ones(len(rows))
    for _ in range(_ROUNDS):
        wrong = _wrong_unit(tape, rows, tape.dividend[rows] * factor, told, known)
        if wrong is None:
            break
        factor[wrong[0]] *= wrong[1]
    amounts = delivery.action("dividend").copy()
    down, up = np.round(1 / np.minimum(factor, 1.0)), np.round(np.maximum(factor, 1.0))
    amounts[rows] = amounts[rows] * up / down  # exactly: dividing by 100 is not multiplying by 0.01
    message = "The dividend is off by 100, as prices on its day show; it is put right."
    return delivery.put({"dividend": amounts}, "dividends.unit", message)


def _known(delivery: Delivery) -> Any:
    """Stored dividends of the days before the first row, on the tape's scale."""
    stored = delivery.context.stored
    if stored is None or "dividend" not in stored:
        return np.zeros(0)
    before = stored["dividend"][(stored.index < delivery.frame.index[0]) & (stored["dividend"] > 0)]
    scale = np.prod(delivery.tape.split) if delivery.context.adjustment == "none" else 1.0
    return before.to_numpy()[-_REMEMBERED:] / scale


def _wrong_unit(tape: Tape, rows: Any, amounts: Any, told: Any, known: Any) -> tuple[Any, float] | None:
    """The first set of dividends, as positions in `rows`, that is off, and the factor that puts it right."""
    as_is = paid(tape, rows, amounts)
    shares = amounts / np.exp(tape.before[rows])
    for factor in (0.01, 100.0):
        gained = paid(tape, rows, amounts * factor) - as_is
        for members in _sets(amounts):
            share = _middle(shares[members])
            vendor = bool(np.isclose(told[members], amounts[members] * factor, rtol=0.1).any())
            rest = np.concatenate((known, np.delete(amounts, members)))
            right = np.median(amounts[members]) * factor
            others = _others(rest, right, len(known) + int(members[0]) if len(members) == 1 else None)
            score = gained[members].sum() + _plausible(share * factor) - _plausible(share)
            if (
                _SHARES[0] < share * factor < _SHARES[1]
                and gained[members].sum() > (-LEANS if vendor or others > DECIDES else LEANS)
                and (factor > 1 or vendor or _within(rest, right, len(members)))
                and score + DECIDES * vendor + others > DECIDES + LEANS
            ):
                return members, factor
    return None


def _middle(shares: Any) -> float:
    """The median of what is known; NaN where nothing is, as before the first row."""
    known = shares[np.isfinite(shares)]
    return float(np.median(known)) if len(known) else float("nan")


def _plausible(share: float) -> float:
    """Log density, up to a constant, of companies paying this share of the price at a time."""
    return float(-(((np.log(share) - _USUAL[0]) / _USUAL[1]) ** 2) / 2)


def _sets(amounts: Any) -> Iterator[Any]:
    """Series of like amounts, then single dividends unlike those next to them in time."""
    yield from chains(amounts, _CHAIN)
    if np.ptp(np.log(amounts)) > np.log(_CHAIN):
        for i in range(len(amounts)):
            if np.abs(np.log(amounts[i] / np.median(_neighbours(amounts, i)))) > np.log(_CHAIN):
                yield np.array([i])


def _neighbours(amounts: Any, i: int) -> Any:
    """The two dividends before and the two after."""
    return np.delete(amounts[max(i - 2, 0) : i + 3], min(i, 2))


def _others(rest: Any, right: float, place: int | None) -> float:
    """How much the other dividends speak for an amount: more if a steady payer's next to it are the same.

    Args:
        rest: the other dividends, in order of time.
        right: the amount put right.
        place: where among them it stands, if it is a single one.
    """
    if not len(rest):
        return 0.0
    apart = np.abs(np.log(right / rest))
    if place is not None:
        sides = apart[max(place - 2, 0) : place], apart[place : place + 2]
        if any(len(side) > 1 and (side < np.log(1 + _STEADY)).all() for side in sides):
            return 2 * DECIDES
    return DECIDES if np.abs(np.log(right / np.median(rest))) < np.log(_LIKE) else 0.0


def _within(rest: Any, right: float, members: int) -> bool:
    """Whether an amount put right is such as the others; a series that is all there is needs no other."""
    if not len(rest):
        return members > 1
    return bool(rest.min() / _LIKE < right < rest.max() * _LIKE)
