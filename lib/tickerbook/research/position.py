"""How many shares: the smallest of what each limit allows."""

import math
from dataclasses import dataclass
from typing import Literal

from tickerbook.errors import ConfigError, DataError

_HAIR = 1e-12  # relative; rounding errors do not cost a share that is exactly affordable
_SAME = 1e-9  # an entry and a stop that differ by less, relatively, are one price


@dataclass(frozen=True, slots=True)
class Cap:
    """What one limit allows.

    Attributes:
        method: the limit, as a reader would name it.
        shares: whole lots, in shares.
        binds: whether it is the smallest.
    """

    method: str
    shares: int
    binds: bool


@dataclass(frozen=True, slots=True)
class Size:
    """A position and what limits it; money in the currency of the prices.

    Attributes:
        shares: how many, in whole lots; may be zero.
        entry, stop: the prices it was sized for.
        caps: what each limit allows; the first of the smallest binds.
    """

    shares: int
    entry: float
    stop: float
    caps: tuple[Cap, ...]

    @property
    def binding(self) -> str:
        """The limit that decided."""
        return next(cap.method for cap in self.caps if cap.binds)

    @property
    def risk_per_share(self) -> float:
        """Distance of entry and stop."""
        return abs(self.entry - self.stop)

    @property
    def notional(self) -> float:
        """What the shares cost at the entry."""
        return self.shares * self.entry

    @property
    def money_at_risk(self) -> float:
        """What is lost between entry and stop; a gap through the stop loses more."""
        return self.shares * self.risk_per_share


def size_position(
    *,
    entry: float,
    stop: float,
    equity: float,
    risk_fraction: float,
    volatility: float,
    volatility_target: float,
    max_weight: float = 1.0,
    capital: float | None = None,
    lot: int = 1,
    side: Literal["long", "short"] = "long",
) -> Size:
    """The size that keeps to every limit.

    - fixed fractional: equity · risk_fraction / |entry − stop|; with one ATR between them, a Turtle unit;
    - volatility target: equity · volatility_target / (entry · volatility), after Carver (2015, Systematic
      Trading, chapter 10), who has 256 sessions in a year where `volatility` here has 252;
    - maximum weight: equity · max_weight / entry;
    - capital: capital / entry.

    Each is rounded down to whole lots, and the smallest is taken.

    Args:
        entry: price at which the position begins.
        stop: price at which it is given up; below the entry for a long position, above it for a short one.
        equity: what the account is worth, in the currency of the prices.
        risk_fraction: share of equity that may be lost at the stop, above 0 and at most 1.
        volatility: of the price, a year, as a fraction.
        volatility_target: of the equity, a year, if this were its only position; a fraction above 0.
        max_weight: largest share of equity in one position, above 0 and at most 1.
        capital: money at hand; default: the equity, that is no borrowing.
        lot: shares that are traded together.
        side: "long" or "short".

    Raises:
        ConfigError: for a stop on the wrong side, or a value outside its range.
        DataError: if the volatility is zero or missing.
    """
    check_limits(equity, risk_fraction, volatility_target, max_weight, lot)
    _check_prices(entry, stop, side)
    money = equity if capital is None else capital
    if not 0 <= money < math.inf:
        raise ConfigError(f"capital = {capital} cannot be used.", "It is 0 or more.")
    if not 0 < volatility < math.inf:
        raise DataError(
            f"A volatility of {volatility} sizes no position: these prices stand still, or are missing.",
            "Look at the bars, or size over a longer time.",
        )
    allowed = {
        "fixed fractional": equity * risk_fraction / abs(entry - stop),
        "volatility target": equity * volatility_target / (entry * volatility),
        "maximum weight": equity * max_weight / entry,
        "capital": money / entry,
    }
    least = min(allowed, key=lambda method: allowed[method])
    caps = tuple(Cap(name, _whole_lots(shares, lot), name == least) for name, shares in allowed.items())
    return Size(min(cap.shares for cap in caps), entry, stop, caps)


def check_limits(
    equity: float, risk_fraction: float, volatility_target: float, max_weight: float, lot: int
) -> None:
    """See that the limits of an account make sense.

    Raises:
        ConfigError: names the first that does not.
    """
    for name, value, good, wanted in (
        ("equity", equity, 0 < equity < math.inf, "above 0"),
        ("risk_fraction", risk_fraction, 0 < risk_fraction <= 1, "above 0 and at most 1"),
        ("volatility_target", volatility_target, 0 < volatility_target < math.inf, "a fraction above 0"),
        ("max_weight", max_weight, 0 < max_weight <= 1, "above 0 and at most 1"),
        ("lot", lot, lot >= 1, "1 share or more"),
    ):
        if not good:
            raise ConfigError(f"{name} = {value} cannot be used.", f"It is {wanted}.")


def _check_prices(entry: float, stop: float, side: str) -> None:
    for name, price in (("entry", entry), ("stop", stop)):
        if not 0 < price < math.inf:
            raise ConfigError(f"{name} = {price} is no price.", "Prices are above 0.")
    if side not in {"long", "short"}:
        raise ConfigError(f"side = {side!r} is unknown.", "It is long or short.")
    distance = entry - stop if side == "long" else stop - entry
    if distance <= _SAME * entry:
        raise ConfigError(
            f"The stop at {stop:g} is not {'below' if side == 'long' else 'above'} the entry at {entry:g}.",
            f"A {side} position is given up {'below' if side == 'long' else 'above'} its entry.",
        )


def _whole_lots(shares: float, lot: int) -> int:
    return math.floor(shares * (1 + _HAIR) / lot) * lot
