"""What the quality gate is told, and what it finds."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import pandas as pd

Severity = Literal["info", "warning", "error", "fatal"]


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
