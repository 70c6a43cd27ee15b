"""Sessions that a vendor was asked for and did not have, so that it is not asked for them every day."""

from collections.abc import Iterable
from datetime import date

from tickerbook.market.limits import DAY
from tickerbook.market.memory import Memory

_AGAIN = 7 * DAY  # seconds after which a hole is asked for once more: vendors do mend them


class Unanswered:
    """Sessions of each ticker that nobody had.

    Args:
        memory: where they are remembered.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def sessions(self, ticker: str, now: float) -> set[date]:
        """Those that need not be asked for yet at `now` (seconds since 1970)."""
        query = "SELECT session FROM unanswered WHERE ticker = ? AND at > ? AND at <= ?"
        with self._memory.reading() as db:
            rows = db.execute(query, (ticker, now - _AGAIN, now)).fetchall()
        return {date.fromisoformat(row[0]) for row in rows}

    def note(self, ticker: str, sessions: Iterable[date], now: float) -> None:
        """Remember that these were asked for in vain."""
        rows = [(ticker, session.isoformat(), now) for session in sessions]
        if rows:
            with self._memory.writing() as db:
                db.executemany("INSERT OR REPLACE INTO unanswered VALUES (?, ?, ?)", rows)
