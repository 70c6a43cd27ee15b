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
    told = implied(delivery)[rows]
    factor = np.ones(len(rows))
    for _ in range(_ROUNDS):
        wrong = _wrong_unit(tape, rows, tape.dividend[rows] * factor, told)
        if wrong is None:
            break
        factor[wrong[0]] *= wrong[1]
    amounts = delivery.action("dividend").copy()
    down, up = np.round(1 / np.minimum(factor, 1.0)), np.round(np.maximum(factor, 1.0))
    amounts[rows] = amounts[rows] * up / down  # exactly: dividing by 100 is not multiplying by 0.01
    message = "The dividend is off by 100, as prices on its day show; it is put right."
    return delivery.put({"dividend": amounts}, "dividends.unit", message)


def _wrong_unit(tape: Tape, rows: Any, amounts: Any, told: Any) -> tuple[Any, float] | None:
    """The first set of dividends, as positions in `rows`, that is off, and the factor that puts it right."""
    as_is = paid(tape, rows, amounts)
    shares = amounts / np.exp(tape.before[rows])
    for factor in (0.01, 100.0):
        gained = paid(tape, rows, amounts * factor) - as_is
        for members in _sets(amounts):
            share = _middle(shares[members])
            vendor = bool(np.isclose(told[members], amounts[members] * factor, rtol=0.1).any())
            others = _others(amounts, members, factor)
            score = gained[members].sum() + _plausible(share * factor) - _plausible(share)
            if (
                _SHARES[0] < share * factor < _SHARES[1]
                and gained[members].sum() > (-LEANS if vendor or others > DECIDES else LEANS)
                and (factor > 1 or vendor or _within(amounts, members, factor))
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


def _others(amounts: Any, members: Any, factor: float) -> float:
    """How much the other dividends speak for a factor: more if a steady payer's are the same next to it."""
    others, middle = np.delete(amounts, members), np.median(amounts[members]) * factor
    if not len(others):
        return 0.0
    apart = np.abs(np.log(middle / others))
    if len(members) == 1:
        i = int(members[0])
        sides = (slice(max(i - 2, 0), i), slice(i, i + 2))
        if any(len(apart[side]) > 1 and (apart[side] < np.log(1 + _STEADY)).all() for side in sides):
            return 2 * DECIDES
    return DECIDES if np.abs(np.log(middle / np.median(others))) < np.log(_LIKE) else 0.0


def _within(amounts: Any, members: Any, factor: float) -> bool:
    """Whether the amounts put right are such as the others; a series that is all there is needs no other."""
    others = np.delete(amounts, members)
    if not len(others):
        return len(members) > 1
    middle = np.median(amounts[members]) * factor
    return bool(others.min() / _LIKE < middle < others.max() * _LIKE)
