"""How many shares: the smallest of what each limit allows."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tickerbook.errors import ConfigError, DataError

Side = Literal["long", "short"]
_HAIR = 1e-12  # relative; rounding errors do not cost a share that is exactly affordable
_SAME = 1e-9  # an entry and a stop that differ by less, relatively, are one price


@dataclass(frozen=True, slots=True)
class Cap:
    """What one limit allows.

    Attributes:
        method: the limit, as a reader would name it.
        shares: whole lots, in shares.
        binds: whether it is the smallest.
        share: what it is set to, as a fraction: of the equity; of a day's volume for liquidity; of what the
            limits before it allow for drawdown throttle and conviction.
    """

    method: str
    shares: int
    binds: bool
    share: float


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

    def gap_fill(self, distance: float) -> float:
        """The price at which the position ends if it opens `distance` beyond its stop; never below zero."""
        return max(self.stop - distance, 0.0) if self.stop < self.entry else self.stop + distance

    def gap_loss(self, distance: float) -> float:
        """What is lost in money if the price opens `distance` (currency a share) beyond the stop."""
        return self.shares * abs(self.entry - self.gap_fill(distance))


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
    kelly: float | None = None,
    heat_left: float | None = None,
    cluster_left: float | None = None,
    volume: float | None = None,
    max_volume_share: float = 0.01,
    throttle: float | None = None,
    conviction: float | None = None,
    lot: int = 1,
    side: Side = "long",
) -> Size:
    """The size that keeps to every limit.

    - fixed fractional: equity · risk_fraction / |entry − stop|; with one ATR between them, a Turtle unit;
    - volatility target: equity · volatility_target / (entry · volatility), after Carver (2015, Systematic
      Trading, chapter 10), who has 256 sessions in a year where ours has what the exchange's calendar says;
    - maximum weight: equity · max_weight / entry;
    - capital: capital / entry;
    - Kelly: equity · kelly / |entry − stop| (see `shrunk_kelly`);
    - portfolio heat, correlated risk: equity · what is left / |entry − stop|, nothing where it is used up;
    - liquidity: volume · max_volume_share;
    - drawdown throttle, conviction: that share of what the limits before them allow.

    Each is rounded down to whole lots, and the smallest is taken. A limit that is None is not applied.

    Args:
        entry: price at which the position begins.
        stop: price at which it is given up; below the entry for a long position, above it for a short one.
        equity: what the account is worth, in the currency of the prices.
        risk_fraction: share of equity that may be lost at the stop, above 0 and at most 1.
        volatility: of the price, a year, as a fraction.
        volatility_target: of the equity, a year, if this were its only position; a fraction above 0.
        max_weight: largest share of equity in one position, above 0 and at most 1.
        capital: money at hand; default: the equity, that is no borrowing.
        kelly: share of equity that the measured edge allows to be lost at the stop, 0 or more.
        heat_left: share of equity that may still be put at risk over all positions; negative counts as 0.
        cluster_left: … in what moves with this one.
        volume: shares traded on a mean day.
        max_volume_share: largest share of it in one position, above 0 and at most 1.
        throttle: 0 to 1, what a drawdown of the account leaves of every size.
        conviction: 0 to 1, what the evidence leaves of it.
        lot: shares that are traded together.
        side: "long" or "short".

    Raises:
        ConfigError: for a stop on the wrong side, or a value outside its range.
        DataError: if the volatility is zero or missing.
    """
    check_limits(equity, risk_fraction, volatility_target, max_weight, lot)
    _check_prices(entry, stop, side)
    money = equity if capital is None else capital
    _check_rest(money, kelly, heat_left, cluster_left, volume, max_volume_share, throttle, conviction)
    if not 0 < volatility < math.inf:
        raise DataError(
            f"A volatility of {volatility} sizes no position: these prices stand still, or are missing.",
            "Look at the bars, or size over a longer time.",
        )
    risk = equity / abs(entry - stop)
    shares = {  # limit → the fraction that it is set to, and the shares of one whole
        "fixed fractional": (risk_fraction, risk),
        "volatility target": (volatility_target, equity / (entry * volatility)),
        "maximum weight": (max_weight, equity / entry),
        "capital": (money / equity, equity / entry),
        "Kelly": (kelly, risk),
        "portfolio heat": (heat_left, risk),
        "correlated risk": (cluster_left, risk),
        "liquidity": (max_volume_share, volume),
    }
    allowed = {
        name: (max(share, 0.0), max(share, 0.0) * whole)
        for name, (share, whole) in shares.items()
        if share is not None and whole is not None
    }
    for name, share in (("drawdown throttle", throttle), ("conviction", conviction)):
        if share is not None:
            allowed[name] = (share, share * min(most for _, most in allowed.values()))
    least = min(allowed, key=lambda name: allowed[name][1])
    caps = tuple(_caps(allowed, least, lot))
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
        check_value(name, value, good, wanted)


def check_value(name: str, value: object, good: bool, wanted: str) -> None:
    """See that a value is what is wanted.

    Raises:
        ConfigError: names it, with the value and what is wanted.
    """
    if not good:
        raise ConfigError(f"{name} = {value} cannot be used.", f"It is {wanted}.")


def _caps(allowed: dict[str, tuple[float, float]], least: str, lot: int) -> Iterator[Cap]:
    for name, (share, most) in allowed.items():
        yield Cap(name, math.floor(most * (1 + _HAIR) / lot) * lot, name == least, share)


def _check_rest(
    capital: float,
    kelly: float | None,
    heat_left: float | None,
    cluster_left: float | None,
    volume: float | None,
    max_volume_share: float,
    throttle: float | None,
    conviction: float | None,
) -> None:
    share = 0 < max_volume_share <= 1
    check_value("max_volume_share", max_volume_share, share, "above 0 and at most 1")
    for name, given, low, high, wanted in (
        ("capital", capital, 0, math.inf, "0 or more"),
        ("kelly", kelly, 0, math.inf, "0 or more"),
        ("heat_left", heat_left, -math.inf, math.inf, "a finite fraction"),
        ("cluster_left", cluster_left, -math.inf, math.inf, "a finite fraction"),
        ("volume", volume, 0, math.inf, "0 or more"),
        ("throttle", throttle, 0, 1, "0 to 1"),
        ("conviction", conviction, 0, 1, "0 to 1"),
    ):
        if given is not None:
            check_value(name, given, low <= given <= high and math.isfinite(given), wanted)


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
