"""What fetching remembers from one program to the next: a small SQLite file, data/limits.db.

Several programs may use it at once, and one may be killed at any moment: what was committed stands.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tickerbook.errors import DataError

_PATIENCE = 30.0  # seconds to wait for another program that writes; each write takes less than a millisecond
_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (provider TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS requests_by_time ON requests (provider, at);
CREATE TABLE IF NOT EXISTS circuits (
    provider TEXT PRIMARY KEY, failures INTEGER NOT NULL, trips INTEGER NOT NULL,
    open_until REAL NOT NULL, told_until REAL NOT NULL, failed_at REAL NOT NULL, kind TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS unanswered (
    ticker TEXT NOT NULL, session TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (ticker, session)
);
"""


class Memory:
    """The file, open. To be used in one thread.

    Args:
        path: where it is, or will be; None for a memory that ends with this object.

    Raises:
        DataError: if it cannot be opened.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        with self._translated():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path or ":memory:", timeout=_PATIENCE, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")  # survives a killed program, as WAL does
            self._db.executescript(_SCHEMA)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other program's writes come between.

        Raises:
            DataError: if the disk refuses, or another program does not let go.
        """
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for questions.

        Raises:
            DataError: if the file cannot be read.
        """
        with self._translated():
            yield self._db

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            full = isinstance(error, sqlite3.OperationalError)
            raise DataError(
                f"{self.path}, which remembers requests to vendors, cannot be used: {error}.",
                "Make room, or let it be written; then fetch again."
                if full
                else "It is damaged: move it away; requests of the last day are then forgotten.",
            ) from error
        except OSError as error:
            raise DataError(
                f"{self.path} cannot be made: {error.strerror}.", "Make room, or let the folder be written."
            ) from error
