"""Instants, as people write them."""

from datetime import UTC, date, datetime, time, timedelta

from tickerbook.errors import ConfigError


def instant(text: date | str | None, said: str) -> datetime | None:
    """The instant that a text, day or datetime means; None for None and "".

    A day means its last moment in UTC: all that was learnt on that day counts.

    Args:
        text: an ISO date, an ISO instant with its time zone, or such a thing itself.
        said: what it is called where it was given.

    Raises:
        ConfigError: if it is neither, or lacks its time zone.
    """
    if text is None or text == "":
        return None
    try:
        given = _parsed(text) if isinstance(text, str) else text
    except ValueError:
        raise ConfigError(
            f"{said}={text!r} is no instant.", 'Write it like "2026-03-04" or "2026-03-04T22:00Z".'
        ) from None
    if not isinstance(given, datetime):
        return datetime.combine(given, time(), UTC) + timedelta(days=1, microseconds=-1)
    if given.tzinfo is None:
        raise ConfigError(
            f"{said}={text!s} could be in any time zone.",
            f"Write it with its zone, like {given:%Y-%m-%dT%H:%MZ}.",
        )
    return given.astimezone(UTC)


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of some instants; None where none is given."""
    return min((given for given in instants if given is not None), default=None)


def _parsed(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)
