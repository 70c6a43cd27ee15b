"""The error tree. Every message says what happened and to what; `remedy` says the way out.

    TickerbookError
    ├── ConfigError            params/*.toml, the environment or the command line is wrong (exit code 2)
    │   ├── SymbolError        not a ticker symbol
    │   └── ParameterError     not what a notebook's parameters cell declares
    ├── DataError              prices are missing or cannot be used
    │   ├── NoBarsError        the lake has nothing for this ticker
    │   ├── NoFactsError       a notebook's facts are needed and it has not been run
    │   ├── TornFileError      a stored file is damaged or foreign
    │   └── NotEnoughBarsError too few sessions for what was asked
    ├── QueryError             a question in SQL that cannot be answered as it is written
    ├── ProviderError          a vendor did not deliver; `kind` says how
    ├── StrategyError          a strategy breaks its contract
    ├── NotebookError          a notebook cannot be run as it is written
    ├── TakenOverError         others went on with what a process did while it was paused
    ├── NarrativeError         a draft was refused
    └── SiteError              a page or the site could not be built

Exceptions of other libraries are translated into this tree where they enter.
"""

from enum import StrEnum


class TickerbookError(Exception):
    """What every error of tickerbook is.

    Args:
        message: what happened, to what, with the value received.
        remedy: what the reader can do about it; one sentence, may be empty.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class ConfigError(TickerbookError):
    """A value in params/, the environment or the command line is wrong."""


class SymbolError(ConfigError):
    """A text that is not a ticker symbol."""


class ParameterError(ConfigError):
    """A parameter that the notebook's parameters cell does not declare, or of another type."""


class DataError(TickerbookError):
    """Prices are missing or cannot be used."""


class NoBarsError(DataError):
    """The lake has no bars for a ticker."""


class NoFactsError(DataError):
    """A notebook's facts are needed and it has not been run."""


class TornFileError(DataError):
    """A stored file is damaged, foreign, or does not match its digest."""


class NotEnoughBarsError(DataError):
    """Fewer sessions than the calculation needs."""


class QueryError(TickerbookError):
    """A question in SQL that cannot be answered as it is written."""


class ProviderFault(StrEnum):
    """How a provider failed to deliver."""

    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate limited"
    NOT_FOUND = "not found"
    NOT_ENTITLED = "not entitled"
    MALFORMED = "malformed answer"
    EMPTY = "no bars"
    STALE = "stale"
    FAILED_QUALITY = "failed quality"


class ProviderError(TickerbookError):
    """A provider did not deliver; `kind` says how.

    Args:
        kind: how it failed.
        message: what happened, to what.
        remedy: the way out.
        retry_after: seconds until it may be asked again, as told by the vendor, or the span of the limit that
            it names; None where it tells neither.
    """

    def __init__(
        self, kind: ProviderFault, message: str, remedy: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, remedy)
        self.args = (kind, message, remedy, retry_after)
        self.kind = kind
        self.retry_after = retry_after


class StrategyError(TickerbookError):
    """A strategy gives no exposure in −1…1 for each session, or loses more than everything."""


class NotebookError(TickerbookError):
    """A notebook cannot be run as it is written."""


class TakenOverError(TickerbookError):
    """Others went on with what this process did, since it gave no sign of life; it can write no more."""


class NarrativeError(TickerbookError):
    """A narrative draft was refused."""


class SiteError(TickerbookError):
    """A page or the site could not be built."""
