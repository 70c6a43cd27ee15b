"""How many requests a vendor allows, kept to by all programs together.

Every request takes a place in time that is written down before it is made. Over any stretch as long as a
rate's window there are never more places than the rate allows, whoever asks: the same program, another one,
or one that was killed since.
"""

import sqlite3
from dataclasses import dataclass

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.memory import Memory
from tickerbook.settings import ProviderParams

DAY = 86_400.0
_JITTER = 0.05  # seconds by which requests may arrive closer together than they were sent
_AHEAD = 6 * 3600.0  # seconds; a place further ahead was taken by a clock that was wrong
_UNITS = {"per_second": 1.0, "per_minute": 60.0, "per_day": DAY}


@dataclass(frozen=True)
class Rate:
    """At most `count` requests in any `seconds`."""

    count: int
    seconds: float


def rates(params: ProviderParams) -> tuple[Rate, ...]:
    """The rates that params/providers.toml sets. One that is not whole spaces requests evenly.

    >>> rates(ProviderParams(per_second=0.5, per_day=25))
    (Rate(count=1, seconds=2.0), Rate(count=25, seconds=86400.0))
    """
    found = {unit: getattr(params, name) for name, unit in _UNITS.items()}
    return tuple(
        Rate(int(told), unit) if float(told).is_integer() else Rate(1, unit / told)
        for unit, told in found.items()
        if told is not None
    )


class Limits:
    """Places in time for requests.

    Args:
        memory: where they are written down.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def reserve(self, provider: str, allowed: tuple[Rate, ...], now: float, patience: float) -> float:
        """Take the next place there is.

        Args:
            provider: whom the request is for.
            allowed: its rates.
            now: seconds since 1970.
            patience: longest wait in seconds that is of use.

        Returns:
            How many seconds to wait before the request.

        Raises:
            ProviderError: RATE_LIMITED, with `retry_after`, if the wait is longer; no place is taken.
            DataError: if it cannot be written down; the request must not be made then.
        """
        if not allowed:
            return 0.0
        with self._memory.writing() as db:
            # A clock that ran ahead wrote these; that they were made is known, when is not.
            db.execute(
                "UPDATE requests SET at = ? WHERE provider = ? AND at > ?", (now, provider, now + _AHEAD)
            )
            oldest = (
                now - max(DAY, *(rate.seconds for rate in allowed)) - _JITTER
            )  # who shares it may count days
            db.execute("DELETE FROM requests WHERE provider = ? AND at < ?", (provider, oldest))
            free = {rate: self._free(db, provider, rate, now) for rate in allowed}
            wait = max(free.values()) - now
            if wait > patience:
                raise _used_up(provider, max(free, key=lambda rate: free[rate]), wait)
            db.execute("INSERT INTO requests VALUES (?, ?)", (provider, now + wait))
        return wait

    @staticmethod
    def _free(db: sqlite3.Connection, provider: str, rate: Rate, now: float) -> float:
        """When a rate next has a place: a window after the place that is `count` places back."""
        query = "SELECT at FROM requests WHERE provider = ? ORDER BY at DESC LIMIT 1 OFFSET ?"
        row = db.execute(query, (provider, rate.count - 1)).fetchone()
        return now if row is None else max(now, float(row[0]) + rate.seconds + _JITTER)

    def left(self, provider: str, allowed: tuple[Rate, ...], now: float) -> dict[Rate, int]:
        """How many requests each rate still allows at this moment."""
        query = "SELECT COUNT(*) FROM requests WHERE provider = ? AND at > ?"
        with self._memory.reading() as db:
            used = {
                rate: db.execute(query, (provider, now - rate.seconds - _JITTER)).fetchone()[0]
                for rate in allowed
            }
        return {rate: max(rate.count - used[rate], 0) for rate in allowed}


def _used_up(provider: str, rate: Rate, wait: float) -> ProviderError:
    unit = {1.0: "a second", 60.0: "a minute", DAY: "a day"}.get(rate.seconds, f"in {rate.seconds:g} seconds")
    counted = "1 request" if rate.count == 1 else f"{rate.count:,} requests"
    return ProviderError(
        ProviderFault.RATE_LIMITED,
        f"{provider}: the {counted} {unit} that it may be asked are used up for the next {duration(wait)}.",
        f"Wait, name another provider, or raise the limit in [{provider}] of params/providers.toml.",
        retry_after=wait,
    )


def duration(seconds: float) -> str:
    """A span in words.

    >>> duration(0.2), duration(90), duration(7300)
    ('1 s', '2 min', '2.0 h')
    """
    if seconds < 60:  # noqa: PLR2004 - of a minute
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"
