"""The book: positions that are open, what they put at risk, and what moves with what."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.position import check_value
from tickerbook.settings import check_symbol

_WORDS = 4
_LEAST = 0.5  # share of the sessions asked for that both must have, else their correlation is unknown


@dataclass(frozen=True, slots=True)
class Position:
    """An open position.

    Attributes:
        ticker: the symbol.
        shares: how many; negative for a short position.
        entry: price at which it began, in the account's currency.
        stop: price at which it is given up now.

    Raises:
        SymbolError: if the ticker is no symbol.
        ConfigError: for no shares, or a price that is none.
    """

    ticker: str
    shares: float
    entry: float
    stop: float

    def __post_init__(self) -> None:
        check_symbol(self.ticker)
        good = self.shares != 0 and math.isfinite(self.shares)
        check_value(f"shares of {self.ticker}", self.shares, good, "another number than 0")
        for name in ("entry", "stop"):
            value = getattr(self, name)
            check_value(f"{name} of {self.ticker}", value, 0 < value < math.inf, "a price above 0")

    @property
    def risk(self) -> float:
        """Money lost between entry and stop; 0 where the stop has moved beyond the entry."""
        return max(self.shares * (self.entry - self.stop), 0.0)


def open_positions(texts: Iterable[str]) -> tuple[Position, ...]:
    """Positions written as `TICKER shares entry stop`, such as `IBM 100 195.5 188`.

    Raises:
        ConfigError: names the text that is none.
    """
    return tuple(_position(text) for text in texts)


def _position(text: str) -> Position:
    words = text.split()
    try:
        ticker, (shares, entry, stop) = words[0], map(float, words[1:])
    except (IndexError, ValueError) as error:
        raise ConfigError(
            f"{text!r} is no open position.", "Write ticker, shares, entry and stop: IBM 100 195.5 188."
        ) from error
    return Position(ticker, shares, entry, stop)


def correlation(one: Bars, other: Bars, sessions: int) -> float | None:
    """Correlation of the newest daily returns up to the last session of `one`.

    Args:
        one: bars.
        other: bars; what is later than `one` is not looked at.
        sessions: returns of `one` that are looked at.

    Returns:
        −1 to 1; None where less than half of these sessions have a return of both, or a price stood still.
    """
    both = pd.concat([_returns(one, sessions), _returns(other, None)], axis=1, join="inner").dropna()
    if len(both) < max(_LEAST * sessions, 3):
        return None
    if both.std().min() <= 0:
        return None
    return float(both.corr().iloc[0, 1])


def _returns(bars: Bars, sessions: int | None) -> pd.Series:
    returns = bars.frame["close"].where(bars.frame["close"] > 0).pct_change(fill_method=None)
    return (returns if sessions is None else returns.iloc[-sessions:]).rename(None)


@dataclass(frozen=True, slots=True)
class Held:
    """An open position beside a ticker that may be bought.

    Attributes:
        position: the position.
        correlation: of its returns with the ticker's, None where unknown.
    """

    position: Position
    correlation: float | None

    @property
    def together(self) -> float:
        """Its money at risk that counts as one bet with a long position in the ticker.

        The share is the correlation, where the two gain and lose together; a hedge never lets size grow, and
        what is unknown counts in full.
        """
        if self.correlation is None:
            return self.position.risk
        side = 1 if self.position.shares > 0 else -1
        return max(side * self.correlation, 0.0) * self.position.risk


def beside(
    bars: Bars, book: Sequence[Position], peers: Mapping[str, Bars], sessions: int
) -> tuple[Held, ...]:
    """Every open position with its correlation to the ticker of `bars`; a ticker moves with itself."""
    return tuple(Held(one, _correlation(bars, one.ticker, peers, sessions)) for one in book)


def _correlation(bars: Bars, ticker: str, peers: Mapping[str, Bars], sessions: int) -> float | None:
    if ticker == bars.ticker:
        return 1.0
    return correlation(bars, peers[ticker], sessions) if ticker in peers else None
