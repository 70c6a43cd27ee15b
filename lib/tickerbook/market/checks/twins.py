"""Dividends that are listed twice."""

from typing import Any

import numpy as np

from tickerbook.market.checks import Checked
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._paid import DECIDES, paid
from tickerbook.market.checks._tape import Tape

ORDER = 92
_WINDOW = 10  # rows within which a second dividend is suspected to be the first one again
_LIKE = 0.1  # if they differ by less
_RARE = 0.4  # of the usual distance of dividends: nearer ones are not a habit


def check(delivery: Delivery) -> Checked:
    """Of two like dividends within days, where that is not the habit, the one that prices do not show."""
    tape = delivery.tape
    rows = np.flatnonzero(tape.dividend > 0)
    if len(rows) < 2:  # noqa: PLR2004 - a pair
        return delivery, []
    keep = np.ones(len(delivery), dtype=bool)
    for i in np.flatnonzero(np.diff(rows) <= _WINDOW):
        pair = rows[i : i + 2]
        amounts = tape.dividend[pair]
        if keep[pair].all() and np.ptp(amounts) < _LIKE * amounts.max() and _unusual(rows, int(i)):
            keep[pair] = _which(tape, pair, amounts)
    message = "The same dividend is listed twice within days; the one that prices do not show is removed."
    values = {"dividend": np.where(keep, delivery.action("dividend"), 0.0)}
    return delivery.put(values, "dividends.twice", message)


def _unusual(rows: Any, i: int) -> bool:
    """Whether two dividends are much closer to each other than the others are."""
    distances = np.delete(np.diff(rows), i)
    limit = min(_WINDOW, _RARE * float(np.median(distances))) if len(distances) else _WINDOW / 2
    return bool(rows[i + 1] - rows[i] <= limit)


def _which(tape: Tape, pair: Any, amounts: Any) -> tuple[bool, bool]:
    """Which of two dividends to keep."""
    with_it, without = paid(tape, pair, amounts), paid(tape, pair, np.zeros(2))
    first, second = with_it[0] + without[1], without[0] + with_it[1]
    if with_it.sum() > max(first, second) + DECIDES:
        return True, True
    return (True, False) if first >= second else (False, True)
