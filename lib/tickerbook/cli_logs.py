"""The log: one JSON line for each thing that happened, for programs and for the day after.

Lines go to data/logs, a file a day, of which the newest are kept. TICKERBOOK_LOG names another folder, or
says `stderr` (what a container wants) or `off`. Several processes write at once: each line is one append.
Names of days take the place of renaming, which two processes could not do to one file.
"""

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from dotenv import dotenv_values
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from tickerbook.market.keys import Key
from tickerbook.runs.jobs import TICK
from tickerbook.settings import Settings

PLACE = "TICKERBOOK_LOG"
KEPT = 30  # files
LARGEST = 20_000_000  # bytes of a file; then the day goes on in another
_SECRET = re.compile(r".*(KEY|TOKEN|SECRET|PASSWORD|PASSWD)", re.IGNORECASE)

Log = Any  # structlog's bound logger, which takes any event and facts


def open_log(settings: Settings, clock: Callable[[], datetime], verb: str) -> Log:
    """A log whose lines carry when, an id of this invocation, and the tick that it works for.

    Args:
        settings: the project.
        clock: the present instant.
        verb: what was called.
    """
    place = os.environ.get(PLACE) or str(settings.project / "data" / "logs")
    keys = _secrets(settings)

    def stamped(_log: Any, _name: str, event: Any) -> Any:
        return {"at": clock().astimezone(UTC).isoformat(timespec="milliseconds"), **event}

    def hidden(_log: Any, _name: str, line: Any) -> Any:
        for key in keys:
            line = key.hidden(line)
        return line

    written = {"stderr": _Stream, "off": _Nothing}.get(place, _Days)
    log = structlog.wrap_logger(
        written(Path(place), clock),
        processors=[
            stamped,
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(default=str),
            hidden,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )
    tick = {"tick": os.environ[TICK]} if os.environ.get(TICK) else {}
    return log.bind(verb=verb, invocation=uuid4().hex[:12], **tick)


class _Lines:
    """What structlog writes to: every level is a line."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock

    def msg(self, line: str) -> None:
        """Write a line."""
        raise NotImplementedError

    def __getattr__(self, _level: str) -> Callable[[str], None]:
        return self.msg


class _Nothing(_Lines):
    def msg(self, line: str) -> None:
        """Write nothing."""


class _Stream(_Lines):
    def msg(self, line: str) -> None:
        """Write to the standard error stream."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


class _Days(_Lines):
    """A file a day. That a disk is full, or a folder not ours, stops nothing but the log."""

    def msg(self, line: str) -> None:
        """Append to today's file."""
        with suppress(OSError):
            path = self._path()
            new = not path.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, f"{line}\n".encode(errors="backslashreplace"))
            finally:
                os.close(handle)
            if new:
                self._prune()

    def _path(self) -> Path:
        day = f"{self._clock().astimezone(UTC):%Y-%m-%d}"
        path, number = self._folder / f"{day}.jsonl", 1
        while path.exists() and path.stat().st_size >= LARGEST:
            number += 1
            path = self._folder / f"{day}.{number:03}.jsonl"
        return path

    def _prune(self) -> None:
        files = sorted(self._folder.glob("[0-9]*.jsonl"), key=lambda path: path.name.split("."))
        for path in files[:-KEPT]:
            path.unlink(missing_ok=True)


def _secrets(settings: Settings) -> list[Key]:
    """Everything that looks like a key, a token or a password, from where we may have it."""
    found = {name: value for name, value in os.environ.items() if _SECRET.fullmatch(name)}
    with suppress(OSError, UnicodeDecodeError):
        written = dotenv_values(settings.project / ".env", interpolate=False, encoding="utf-8-sig")
        found |= {name: value for name, value in written.items() if value and _SECRET.fullmatch(name)}
    with suppress(ArgumentError):
        found["ledger"] = str(make_url(settings.ledger).password or "")
    return [Key(SecretStr(value), name, "") for name, value in found.items() if value]
