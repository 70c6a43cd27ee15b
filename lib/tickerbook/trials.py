"""Trials: what every backtest leaves behind, so that luck can be told from skill later.

Whoever tries many rules and shows the best shows luck. What that luck is worth follows from how many were
tried and how far their results lay apart, so both are kept of every backtest: see `trialbook`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from tickerbook.errors import DataError
from tickerbook.files import digest

_SAME = 6  # decimals of a Sharpe ratio that a single backtest and one in a sweep have in common

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Trials:
    """The backtests of one call: configurations of one family of strategies on the same data.

    A single backtest is a call with one configuration. Figures are of the sessions of completed quarters
    only, so that the same backtest a day later is the same trial.

    Attributes:
        family: the strategy.
        ticker: whose prices it was tried on.
        parameters: name → value, for each configuration.
        data_digest: of the prices until `last`, and of everything else that the returns depend on: costs,
            cash, the session the test began after.
        returns_digest: of the returns, so that what a changed rule made of the same data is recorded too.
        sharpes: mean over standard deviation of the returns of a session, not annualised, for each
            configuration; None where it does not exist.
        first, last: the sessions of the first and the last return; None where there is none.
        sessions: returns that the figures are made of.
        months: the calendar months of the returns, such as "2012-03".
        sampled: which configurations left their returns: all, or some of a large sweep.
        monthly: sums of the returns in each of `months`, for each of `sampled`.
        skews, kurtoses: of the returns of each of `sampled`; a normal distribution has kurtosis 3.
    """

    family: str
    ticker: str
    parameters: tuple[Mapping[str, Scalar], ...]
    data_digest: str
    returns_digest: str
    sharpes: tuple[float | None, ...]
    first: date | None
    last: date | None
    sessions: int
    months: tuple[str, ...]
    sampled: tuple[int, ...]
    monthly: tuple[tuple[float, ...], ...]
    skews: tuple[float | None, ...]
    kurtoses: tuple[float | None, ...]

    @property
    def digest(self) -> str:
        """What makes it the same trials: family, configurations, data and what came of them."""
        return digest(
            self.family, self.ticker, _written(self.parameters), self.data_digest, self.returns_digest
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Each configuration as a text; the same for the same parameters."""
        return tuple(_written(parameters) for parameters in self.parameters)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON knows it."""
        days = {name: day.isoformat() if day else None for name, day in self._days}
        return {**{field.name: getattr(self, field.name) for field in fields(self)}, **days}

    @property
    def _days(self) -> tuple[tuple[str, date | None], ...]:
        return ("first", self.first), ("last", self.last)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Trials":
        """What `to_json` gave.

        Raises:
            DataError: if it is something else.
        """
        try:
            days = {k: date.fromisoformat(stored[k]) if stored[k] else None for k in ("first", "last")}
            monthly = tuple(tuple(row) for row in stored["monthly"])
            lists = {k: tuple(v) for k, v in stored.items() if isinstance(v, list)}
            return cls(**{**stored, **lists, **days, "monthly": monthly})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"This is no record of trials: {error!r}.") from error


def count_trials(records: Iterable[Trials]) -> int:
    """How many configurations were tried.

    A configuration counts once however many tickers, periods and costs it was tried with, since a rule is
    judged on all tickers together. It counts again when its Sharpe ratio on the same data became another:
    then the rule itself was changed and tried anew.
    """
    variants: dict[tuple[str, str, str, str], set[float | None]] = {}
    for record in records:
        for name, sharpe in zip(record.names, record.sharpes, strict=True):
            case = (record.family, name, record.ticker, record.data_digest)
            variants.setdefault(case, set()).add(sharpe and round(sharpe, _SAME))
    most: Counter[tuple[str, str]] = Counter()
    for (family, name, *_), seen in variants.items():
        most[family, name] = max(most[family, name], len(seen))
    return most.total()


def _written(value: Any) -> str:
    return json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"))
