"""Dividends against what prices did on their day, and against the vendor's own adjusted close.

On its day a dividend takes its amount off the price. One day proves little against a day's noise, so the
likelihoods of all days that would share an error are added up before anything is changed.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tickerbook.market.checks import Checked, Finding
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._tape import Tape

ORDER = 94
_IMPOSSIBLE = -20.0  # log likelihood of a dividend larger than the price
_LEANS = 1.0  # log likelihood by which prices must speak for a change at all
_DECIDES = 3.0  # and, with other evidence, for it to be made
_SURE = 6.0  # to move or to remove a dividend that nothing else speaks against
_CHAIN = 8.0  # amounts further apart than this do not belong to one series
_SHARES = (0.0003, 0.2)  # of the price, between which companies pay at a time
_USUAL = (np.log(0.01), 1.2)  # the logarithm of that share, and its spread
_LIKE = 1.5  # an amount within this ratio of others is like them
_STEADY = 0.3  # amounts that differ by less are those of a steady payer
_ROUNDS = 20
_SERIES = 3  # dividends, of which more make a series
_LARGE = 0.02  # of the price, from which it can be told that a dividend did not happen
_WINDOW = 10  # rows within which a dividend of another day, or a second one, is looked for
_TWIN = 0.1  # two of them that differ by less are suspected to be one
_RARE = 0.4  # of the usual distance of dividends: nearer ones are not a habit


def check(delivery: Delivery) -> Checked:
    """Put right amounts off by 100, dividends told twice, and large ones of another day or of none."""
    findings: list[Finding] = []
    if not delivery.action("dividend").any():
        return delivery, findings
    for step in (_negative, _twins, _units, _misplaced, _denied):
        delivery, found = step(delivery)
        findings += found
    return delivery, findings


def paid(tape: Tape, rows: Any, amounts: Any) -> Any:
    """Log likelihood of prices at `rows` had `amounts` been paid there."""
    share = amounts / np.exp(tape.before[rows])
    possible = share < 1
    told = tape.surprise(rows, np.log1p(-np.where(possible, share, 0.0)))
    return np.where(possible, np.nan_to_num(told), _IMPOSSIBLE)


def implied(delivery: Delivery) -> Any:
    """The dividend that the vendor's adjusted close takes off at each row; NaN where it has none to tell."""
    if "adj_close" not in delivery.frame:
        return np.full(len(delivery), np.nan)
    told = delivery.frame["adj_close"].to_numpy()
    ratio = np.where((told > 0) & np.isfinite(told), told, np.nan) / np.exp(delivery.tape.logs[:, 3])
    step = np.append(np.nan, ratio[:-1] / ratio[1:])[: len(ratio)]
    return (1 - step) * np.exp(delivery.tape.before)


def _negative(delivery: Delivery) -> Checked:
    message = "A negative dividend does not exist; it is removed."
    return delivery.put(
        {"dividend": np.maximum(delivery.action("dividend"), 0.0)}, "dividends.negative", message
    )


def _units(delivery: Delivery) -> Checked:
    """Amounts in another unit than prices: all, a series among them, or one."""
    tape = delivery.tape
    rows = np.flatnonzero(tape.dividend > 0)
    told = implied(delivery)[rows]
    factor = np.ones(len(rows))
    for _ in range(_ROUNDS if len(rows) else 0):
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
                and gained[members].sum() > (-_LEANS if vendor or others > _DECIDES else _LEANS)
                and (factor > 1 or vendor or _within(amounts, members, factor))
                and score + _DECIDES * vendor + others > _DECIDES + _LEANS
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
    yield from _chains(amounts, _CHAIN)
    if np.ptp(np.log(amounts)) > np.log(_CHAIN):
        for i in range(len(amounts)):
            if np.abs(np.log(amounts[i] / np.median(_neighbours(amounts, i)))) > np.log(_CHAIN):
                yield np.array([i])


def _chains(amounts: Any, ratio: float) -> list[Any]:
    """Positions of amounts, cut where the next larger one is more than `ratio` times as large."""
    order = np.argsort(amounts, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(np.log(amounts[order])) > np.log(ratio)) + 1)


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
            return 2 * _DECIDES
    return _DECIDES if np.abs(np.log(middle / np.median(others))) < np.log(_LIKE) else 0.0


def _within(amounts: Any, members: Any, factor: float) -> bool:
    """Whether the amounts put right are such as the others; a series that is all there is needs no other."""
    others = np.delete(amounts, members)
    if not len(others):
        return len(members) > 1
    middle = np.median(amounts[members]) * factor
    return bool(others.min() / _LIKE < middle < others.max() * _LIKE)


def _twins(delivery: Delivery) -> Checked:
    """Of two like dividends within days, where that is not the habit, the one that prices do not show."""
    tape = delivery.tape
    rows = np.flatnonzero(tape.dividend > 0)
    keep = np.ones(len(delivery), dtype=bool)
    for i in np.flatnonzero(np.diff(rows) <= _WINDOW):
        pair = rows[i : i + 2]
        amounts = tape.dividend[pair]
        if keep[pair].all() and np.ptp(amounts) < _TWIN * amounts.max() and _unusual(rows, int(i)):
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
    if with_it.sum() > max(first, second) + _DECIDES:
        return True, True
    return (True, False) if first >= second else (False, True)


def _misplaced(delivery: Delivery) -> Checked:
    """Large dividends that prices deny: moved to the day near that shows them, else removed."""
    tape = delivery.tape
    large = np.flatnonzero(tape.share > _LARGE)
    if not len(large) or (tape.volume == 0).mean() > _LARGE:  # thin names do not trade on the day
        return delivery, []
    denied = paid(tape, large, np.zeros(len(large))) - paid(tape, large, tape.dividend[large])
    findings: list[Finding] = []
    if (denied > _SURE).sum() > _SERIES:
        return delivery, []  # not several days are wrong: the series is
    for row in large[denied > _SURE]:
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
    return int(rows[shown.argmax()]) if shown.max() > _DECIDES + _LEANS else None


def _denied(delivery: Delivery) -> Checked:
    """Series of dividends that prices do not show: perhaps another company's, under a symbol used again."""
    tape = delivery.tape
    rows = np.flatnonzero(tape.dividend > 0)
    if len(rows) <= _SERIES:
        return delivery, []
    denied = paid(tape, rows, np.zeros(len(rows))) - paid(tape, rows, tape.dividend[rows])
    doubtful = np.zeros(len(delivery), dtype=bool)
    for members in _chains(tape.dividend[rows], _LIKE):
        if len(members) > _SERIES and denied[members].sum() > _SURE:
            doubtful[rows[members]] = True
    message = "Prices do not show this series of dividends: perhaps another company's; kept."
    return delivery, delivery.notice(doubtful, "dividends.denied", message)
