"""Rows against the days on which the exchange traded."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd

from tickerbook.market.checks import Checked, Finding
from tickerbook.market.checks._calendar import expected, stray
from tickerbook.market.checks._delivery import Delivery, counted
from tickerbook.sessions import sessions_between

ORDER = 30
_WRONG_CALENDAR = 0.05  # share of rows on days without a session at which the calendar or the dates are wrong
_MANY = 10  # fewer strays than this are strays
_DAY = pd.Timedelta(days=1)
_SATURDAY = 5


def check(delivery: Delivery) -> Checked:
    """Set aside rows of the future, of the day under way and of days off; name missing sessions."""
    delivery, findings = _unfinished(delivery)
    if delivery.context.interval != "1d" or not len(delivery):
        return delivery, findings
    off = stray(delivery.frame.index, delivery.context)
    if off.sum() >= max(_MANY, _WRONG_CALENDAR * len(delivery)):
        delivery, found = _misdated(delivery, off.mean())
        findings += found
        off = stray(delivery.frame.index, delivery.context)
    weekend = delivery.frame.index.day_of_week.to_numpy() >= _SATURDAY
    message = "The exchange was closed; the row is set aside."
    delivery, closed = delivery.set_aside(
        [(off & weekend, "sessions.weekend", message), (off & ~weekend, "sessions.holiday", message)]
    )
    return delivery, findings + closed + _missing(delivery)


def _unfinished(delivery: Delivery) -> Checked:
    """Rows after the last completed session. Their actions go with them: they will come again."""
    last = delivery.context.last
    if last is None:
        return delivery, []
    coming = delivery.frame.index >= pd.Timestamp(last) + _DAY
    if not coming.any():
        return delivery, []
    day = delivery.frame.index.normalize()
    ahead = sessions_between(delivery.context.calendar, last + timedelta(days=1), last + timedelta(days=30))
    under_way = coming & (day == (ahead[0] if len(ahead) else pd.NaT))
    partial = "The session is not over; its bar is not a bar yet, and is left out."
    future = "The session lies in the future; the row is left out."
    cases = [(under_way, "sessions.partial", partial), (coming & ~under_way, "sessions.future", future)]
    return delivery.set_aside(cases, real=False)


def _misdated(delivery: Delivery, share: float) -> Checked:
    """A whole history dated a day early or late, as a wrong time zone makes it; else a wrong calendar."""
    index = delivery.frame.index
    for shift, what in ((_DAY, "early"), (-_DAY, "late")):
        if stray(index + shift, delivery.context).mean() < _WRONG_CALENDAR / 10:
            message = f"All rows are dated a day {what}; their dates are moved."
            finding = Finding("sessions.shifted", "error", tuple(index.date), message)
            return replace(delivery, frame=delivery.frame.set_axis(index + shift)), [finding]
    message = f"{share:.0%} of the rows are on days without a {delivery.context.calendar} session."
    return delivery, [Finding("sessions.calendar", "fatal", (), message)]


def _missing(delivery: Delivery) -> list[Finding]:
    index = delivery.frame.index
    if index.empty:
        return []
    missing = expected(index, delivery.context).difference(index)
    message = f"{counted(len(missing), 'session')} without a row; nothing is filled in."
    return [Finding("sessions.missing", "warning", tuple(missing.date), message)] if len(missing) else []
