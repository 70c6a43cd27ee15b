"""Columns, types and the index: what makes a table a table of bars."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.checks import Checked, Context, Finding
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.raw import ACTIONS, PRICES
from tickerbook.sessions import time_zone

ORDER = 10
EVIDENCE = ("adj_close", "capital_gain")  # a vendor's own opinion; weighed, never stored


def check(delivery: Delivery) -> Checked:
    """Make numbers of the columns and dates of the index, or say why that cannot be."""
    frame = delivery.frame
    problem = _problem(frame)
    if problem:
        return delivery, [Finding("schema.unusable", "fatal", (), problem)]
    names = [name for name in (*PRICES, "volume", *ACTIONS, *EVIDENCE) if name in frame]
    numbers = {name: _number(frame[name]) for name in names}
    numbers.setdefault("volume", np.full(len(frame), np.nan))
    if "capital_gain" in names:
        numbers.setdefault("dividend", np.zeros(len(frame)))
    for name in [name for name in ACTIONS if name in numbers]:
        numbers[name] = _plain(name, numbers[name])
    index = _dates(frame.index, delivery.context)
    delivery = replace(delivery, frame=pd.DataFrame(numbers, index=index))
    findings = _foreign(delivery, frame, names)
    if "volume" not in names:
        findings.append(Finding("schema.no_volume", "info", (), "There is no volume; it stays unknown."))
    infinite = {name: np.isinf(values) for name, values in numbers.items() if name != "adj_close"}
    finite = {name: np.where(rows, np.nan, numbers[name]) for name, rows in infinite.items() if rows.any()}
    delivery, found = delivery.put(finite, "schema.infinite", "Infinite values count as missing.")
    return delivery, findings + found


def _problem(frame: pd.DataFrame) -> str:
    """Why nothing can be made of a frame; empty where something can."""
    missing = [name for name in PRICES if name not in frame]
    if missing:
        return f"There is no column {', '.join(missing)}."
    if not frame.columns.is_unique:
        return "Two columns have the same name."
    if frame.empty:
        return "There is no bar."
    if not isinstance(frame.index, pd.DatetimeIndex):
        return f"The index holds {frame.index.dtype} instead of dates."
    return "The index has rows without a date." if frame.index.hasnans else ""


def _number(column: pd.Series) -> Any:
    if column.dtype == np.float64:
        return column.to_numpy()
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)


def _plain(name: str, values: Any) -> Any:
    """Vendors write no split as 0, 1 or nothing, and no dividend as 0 or nothing."""
    absent = np.isnan(values) | ((values <= 0) & (name == "split"))
    return np.where(absent, ACTIONS[name], values)


def _dates(index: pd.DatetimeIndex, context: Context) -> pd.DatetimeIndex:
    """Session days as naive midnights; naive instants where bars are shorter than a day.

    Stamps at midnight of their own zone are days already; other instants are days of the exchange's zone.
    """
    if index.tz is not None and not (index == index.normalize()).all():
        index = index.tz_convert(time_zone(context.calendar))
    index = index.tz_localize(None)
    short = context.interval[-1] in "mh"
    stamps = index.to_numpy()
    days = (stamps == stamps.astype("datetime64[D]")).all()
    return (index if short or days else index.normalize()).as_unit("ns").rename("session")


def _foreign(delivery: Delivery, frame: pd.DataFrame, names: list[str]) -> list[Finding]:
    """Entries that are no numbers, which are missing from here on."""
    if all(pd.api.types.is_numeric_dtype(frame[name].dtype) for name in names):
        return []
    told = frame[names].set_axis(delivery.frame.index)
    lost = delivery.frame[told.columns].isna() & told.notna()
    rows = lost.any(axis=1).to_numpy()
    if not rows.any():
        return []
    message = f"Entries of {', '.join(lost.columns[lost.any()])} are not numbers; they count as missing."
    return [Finding("schema.not_numbers", "error", delivery.days(rows), message, told[rows])]
