"""Rows ascend, one for each session."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.checks import Checked, Context, Finding
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.raw import PRICES

ORDER = 20
_SAME = 1e-4  # relative: rounding of vendors
_FULLER = 1.25  # volume of the complete one of two bars against the other


def check(delivery: Delivery) -> Checked:
    """Sort, drop copies of a row, and of two rows that disagree keep the one that can be told right."""
    findings: list[Finding] = []
    if not delivery.frame.index.is_monotonic_increasing:
        findings += _order(delivery)
        delivery = replace(delivery, frame=delivery.frame.sort_index(kind="stable"))
    if delivery.frame.index.is_unique:
        return delivery, findings
    copies = delivery.frame.reset_index().duplicated().to_numpy()
    message = "The row is there twice; one of the two is kept."
    delivery, found = delivery.set_aside([(copies, "order.copied", message)], real=False)
    delivery, disagreeing = _disagreeing(delivery)
    return delivery, findings + found + disagreeing


def _order(delivery: Delivery) -> list[Finding]:
    if delivery.frame.index.is_monotonic_decreasing:
        return [Finding("order.newest_first", "info", (), "Rows came newest first; they are turned round.")]
    stamps = delivery.frame.index.to_numpy()
    late = stamps < np.maximum.accumulate(stamps)
    ahead = stamps > np.minimum.accumulate(stamps[::-1])[::-1]
    message = "Rows are not in order of time; they are sorted."
    return delivery.notice(late | ahead, "order.unsorted", message, "error")


def _disagreeing(delivery: Delivery) -> Checked:
    """One of several different rows of a session, where it can be told which; else none of them."""
    frame = delivery.frame
    drop = np.zeros(len(frame), dtype=bool)
    unclear = np.zeros(len(frame), dtype=bool)
    for session in frame.index[frame.index.duplicated()].unique():
        rows = np.flatnonzero(frame.index == session)
        best = _best(frame.iloc[rows], session, delivery.context)
        if best is None:
            unclear[rows] = True
        else:
            drop[np.delete(rows, best)] = True
    both = "order.undecided", "Two rows disagree and neither can be told right; both are set aside."
    second = unclear & frame.index.duplicated()
    rest, undecided = delivery.set_aside(
        [(drop, "order.conflict", "Two rows disagree; the fuller bar is kept."), (second, *both)], real=False
    )
    rest, alone = rest.set_aside([((unclear & ~second)[~(drop | second)], *both)])
    return rest, undecided + alone


def _best(rows: pd.DataFrame, session: pd.Timestamp, context: Context) -> int | None:
    """Which of the rows of one session is right; None where that cannot be told.

    The stored history knows; else one with all prices positive and in order goes before others; else the one
    with clearly more volume is the complete bar, and the other a snapshot of the day under way.
    """
    if context.stored is not None and session in context.stored.index:
        known = context.stored.loc[session, PRICES].to_numpy(dtype=float)
        agree = np.isclose(rows[PRICES].to_numpy(), known, rtol=_SAME).all(axis=1)
        if agree.sum() == 1:
            return int(agree.argmax())
    sound = _sound(rows[PRICES].to_numpy())
    if sound.sum() == 1:
        return int(sound.argmax())
    volume = np.where(sound | ~sound.any(), rows["volume"].fillna(0.0), -1.0)
    second, first = np.sort(volume)[-2:]
    return int(volume.argmax()) if first > max(second, 0.0) * _FULLER else None


def _sound(prices: Any) -> Any:
    ordered = (prices[:, 1] >= prices.max(axis=1)) & (prices[:, 2] <= prices.min(axis=1))
    return ordered & (prices > 0).all(axis=1)
