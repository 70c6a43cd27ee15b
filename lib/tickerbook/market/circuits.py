"""Circuit breakers: a vendor that is down, or wants no more requests, is left alone for a while.

A circuit opens after `FAILURES` failures in a row (unreachable or rate limited), whoever met them, and as
soon as a vendor says how long to wait. While it is open nobody is asked. Then one request is let through;
what becomes of it closes the circuit, or opens it for twice as long.
"""

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.limits import duration
from tickerbook.market.memory import Memory

FAILURES = 5
_FIRST = 60.0  # seconds it stays open the first time
_LONGEST = 900.0
_COUNTED = {ProviderFault.UNREACHABLE, ProviderFault.RATE_LIMITED}
_EARLY = 0.01  # seconds; event loops wake a little early
_STATE = "SELECT failures, trips, open_until, told_until, failed_at, kind FROM circuits WHERE provider = ?"
_COUNT = """
INSERT INTO circuits VALUES (:provider, 1, 0, 0, :told, :now, :kind) ON CONFLICT DO UPDATE SET
failures = failures + 1, told_until = max(told_until, :told), failed_at = :now, kind = :kind
"""
_TRIP = """
UPDATE circuits SET open_until = :until, trips = 1
WHERE provider = :provider AND failures >= :many AND trips = 0
"""
_PROBE = "UPDATE circuits SET open_until = ?, trips = trips + 1 WHERE provider = ?"
_MEND = "UPDATE circuits SET failures = 0, trips = 0, open_until = 0 WHERE provider = ?"


class Circuits:
    """The circuit of each vendor.

    Args:
        memory: where they are remembered.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def admit(self, provider: str, now: float) -> None:
        """Pass, if the vendor may be asked at `now` (seconds since 1970).

        Raises:
            ProviderError: if not; of the kind that opened the circuit, `retry_after` says when to try.
        """
        if self._closed(provider):
            return
        with self._memory.writing() as db:
            row = db.execute(_STATE, (provider,)).fetchone()
            if row is None:  # another program closed it meanwhile
                return
            failures, trips, open_until, told_until, failed_at, kind = row
            if failed_at > now + _EARLY:  # the clock was set back: nothing that was remembered holds
                db.execute("DELETE FROM circuits WHERE provider = ?", (provider,))
                return
            wait = max(open_until, told_until) - now
            if wait > _EARLY:
                raise _open(provider, ProviderFault(kind), failures, wait, told=told_until >= open_until)
            if failures >= FAILURES:  # this one finds out for all
                db.execute(_PROBE, (now + _span(trips), provider))

    def failed(self, provider: str, error: ProviderError, now: float) -> None:
        """Count a failure."""
        if error.kind not in _COUNTED:
            return
        told = now + error.retry_after if error.retry_after is not None else 0.0
        with self._memory.writing() as db:
            db.execute(_COUNT, {"provider": provider, "told": told, "now": now, "kind": str(error.kind)})
            db.execute(_TRIP, {"provider": provider, "until": now + _FIRST, "many": FAILURES})

    def served(self, provider: str, now: float) -> None:
        """Close the circuit: the vendor delivered. What it told of waiting still holds."""
        if not self._closed(provider):
            with self._memory.writing() as db:
                db.execute(_MEND, (provider,))
                db.execute("DELETE FROM circuits WHERE provider = ? AND told_until <= ?", (provider, now))

    def _closed(self, provider: str) -> bool:
        with self._memory.reading() as db:
            query = "SELECT 1 FROM circuits WHERE provider = ?"
            return db.execute(query, (provider,)).fetchone() is None


def _span(trips: int) -> float:
    """Seconds that a circuit stays open after `trips` earlier times."""
    return float(min(_FIRST * 2 ** min(trips, 10), _LONGEST))


def _open(provider: str, kind: ProviderFault, failures: int, wait: float, *, told: bool) -> ProviderError:
    why = "it asked to wait" if told else f"it failed {failures} times in a row ({kind})"
    return ProviderError(
        kind,
        f"{provider} is not asked for the next {duration(wait)}: {why}.",
        "Wait, name another provider, or see `tickerbook doctor`, which asks it once.",
        retry_after=wait,
    )
