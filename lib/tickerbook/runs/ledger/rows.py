"""What the ledger gives to read."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.engine import RowMapping

from tickerbook.runs.ledger.tables import State
from tickerbook.store import Failure, Status

_STATUS: dict[str, Status] = {"ok": "ok", "unchanged": "ok", "removed": "ok", "skipped": "skipped"}


@dataclass(frozen=True)
class Outcome:
    """One run in one batch, and how it stands.

    Attributes:
        id: its number in the ledger; later ones are greater.
        ticker: None for a notebook over the universe.
        session: the session it is for; None while that is not known.
        state: what became of it last.
        seconds: how long it took.
        key: the run's; empty while it is not known.
        started_at: None where it has not begun.
        changed_at: when it came to its state.
    """

    id: int
    batch: int
    ticker: str | None
    notebook: str
    session: date | None
    state: State
    seconds: float
    failure: Failure | None
    key: str
    started_at: datetime | None
    changed_at: datetime

    @property
    def status(self) -> Status:
        """The outcome as the run store knows it; what did not come to its end counts as failed."""
        return _STATUS.get(self.state, "failed")

    @property
    def reused(self) -> bool:
        """Whether a stored result was taken instead of executing."""
        return self.state == "unchanged"

    @property
    def problem(self) -> str:
        """What failed and why, in one line; empty where nothing did."""
        if self.failure is None:
            return ""
        cell = "" if self.failure.cell is None else f"cell {self.failure.cell}: "
        return cell + self.failure.message

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON knows it."""
        dates = {"session": self.session, "started_at": self.started_at, "changed_at": self.changed_at}
        told = {name: value.isoformat() if value else None for name, value in dates.items()}
        return asdict(self) | told | {"status": self.status, "reused": self.reused}


@dataclass(frozen=True)
class Change:
    """A run came to another state.

    Attributes:
        run: its number in the ledger.
        at: when.
        why: in words; may be empty.
    """

    run: int
    state: State
    at: datetime
    why: str


def outcome(row: RowMapping) -> Outcome:
    """A row of the table of runs."""
    told: dict[str, Any] = {**row, "ticker": row["ticker"] or None}
    told["failure"] = Failure(**json.loads(row["failure"])) if row["failure"] else None
    told["changed_at"] = utc(row["changed_at"])
    told["started_at"] = utc(row["started_at"]) if row["started_at"] else None
    return Outcome(**told)


def utc(instant: datetime) -> datetime:
    """An instant as it comes out of the database: SQLite knows no time zones, and we store UTC."""
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
