"""Dividends that prices do not show on their day."""

import numpy as np

from tickerbook.market.checks import Checked, Finding
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._paid import DECIDES, LEANS, SURE, chains, paid
from tickerbook.market.checks._tape import Tape

ORDER = 95
_LARGE = 0.02  # of the price, from which it can be told that a dividend did not happen
_WINDOW = 10  # rows around, in which its true day is looked for
_SERIES = 3  # dividends, of which more make a series
_LIKE = 1.5  # amounts of one series follow each other within this ratio


def check(delivery: Delivery) -> Checked:
    """Move or remove single large dividends that prices deny; name series that they deny."""
    if not delivery.action("dividend").any():
        return delivery, []
    delivery, findings = _misplaced(delivery)
    return delivery, findings + _denied(delivery)


def _misplaced(delivery: Delivery) -> Checked:
    """Large dividends that prices deny: moved to the day near that shows them, else removed."""
    tape = delivery.tape
    large = np.flatnonzero(tape.share > _LARGE)
    if not len(large) or (tape.volume == 0).mean() > _LARGE:  # thin names do not trade on the day
        return delivery, []
    denied = paid(tape, large, np.zeros(len(large))) - paid(tape, large, tape.dividend[large])
    findings: list[Finding] = []
    if (denied > SURE).sum() > _SERIES:
        return delivery, []  # not several days are wrong: the series is
    for row in large[denied > SURE]:
        target = _elsewhere(tape, int(row))
        moved = delivery.action("dividend").copy()
        name, what = "phantom", "no day near it shows it; it is removed."
        if target is not None:
            moved[target], name, what = moved[row], "day", "a day near it does; it is moved there."
        moved[row] = 0.0
        message = f"Prices do not show the dividend on its day, and {what}"
        delivery, found = delivery.put({"dividend": moved}, f"dividends.{name}", message)
        findings += found
    return delivery, findings


def _elsewhere(tape: Tape, row: int) -> int | None:
    """The day near `row` whose prices show its dividend; None where there is none."""
    rows = np.arange(max(row - _WINDOW, 1), min(row + _WINDOW + 1, len(tape.dividend)))
    rows = rows[tape.dividend[rows] == 0]
    if not len(rows):
        return None
    amounts = np.full(len(rows), tape.dividend[row])
    shown = paid(tape, rows, amounts) - paid(tape, rows, np.zeros(len(rows)))
    return int(rows[shown.argmax()]) if shown.max() > DECIDES + LEANS else None


def _denied(delivery: Delivery) -> list[Finding]:
    """Series of dividends that prices do not show: perhaps another company's, under a symbol used again."""
    tape = delivery.tape
    rows = np.flatnonzero(tape.dividend > 0)
    if len(rows) <= _SERIES:
        return []
    denied = paid(tape, rows, np.zeros(len(rows))) - paid(tape, rows, tape.dividend[rows])
    doubtful = np.zeros(len(delivery), dtype=bool)
    for members in chains(tape.dividend[rows], _LIKE):
        if len(members) > _SERIES and denied[members].sum() > SURE:
            doubtful[rows[members]] = True
    message = "Prices do not show this series of dividends: perhaps another company's; kept."
    return delivery.notice(doubtful, "dividends.denied", message)
