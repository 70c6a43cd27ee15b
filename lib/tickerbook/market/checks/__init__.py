"""One file for each family of checks on delivered prices; a family is in force by having its file here.

A family is a module with `ORDER`, its place in the sequence, and `check(delivery)`, which gives the delivery
as far as it could be put right, and what was found. Files that begin with an underscore are tools of them. A
check may alter what it can derive and must set aside what is wrong beyond that; it never fills or invents.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from tickerbook.market.checks._delivery import Delivery

Severity = Literal["info", "warning", "error", "fatal"]
Checked = tuple["Delivery", list["Finding"]]
Check = Callable[["Delivery"], Checked]


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that a check found.

    Attributes:
        check: the check's name, `family.what`.
        severity: "info" is worth knowing and normal; "warning" is doubtful and kept as delivered; "error" was
            wrong and has been put right or set aside; "fatal" puts the ticker in quarantine.
        sessions: the days concerned, as delivered; empty where it concerns the whole.
        message: what is wrong and what was done, in one sentence.
        before: the delivered values of what was altered or set aside; None where nothing was.
        after: the values now; None where rows were set aside.
    """

    check: str
    severity: Severity
    sessions: tuple[date, ...]
    message: str
    before: pd.DataFrame | None = field(default=None, repr=False)
    after: pd.DataFrame | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Context:
    """What a delivered frame is judged by.

    Attributes:
        calendar: ISO 10383 code of the exchange.
        adjustment: of the delivered prices, volumes and dividends: "none" as traded, "split" for splits.
        interval: "1d", or another length of bar such as "1wk" or "1h": the calendar then has no say.
        last: the last completed session; None where it is not known.
        stored: the last good frame of the same ticker, on the same adjustment; None where there is none.
        second: the same ticker from another provider, on any scale; None where nobody else was asked.
    """

    calendar: str
    adjustment: Literal["none", "split"] = "split"
    interval: str = "1d"
    last: date | None = None
    stored: pd.DataFrame | None = field(default=None, repr=False)
    second: pd.DataFrame | None = field(default=None, repr=False)


@cache
def families() -> tuple[tuple[str, Check], ...]:
    """Name and check of every family, in the order they are run."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    modules = sorted((import_module(f"{__name__}.{name}") for name in names), key=lambda module: module.ORDER)
    return tuple((module.__name__.rpartition(".")[2], module.check) for module in modules)
