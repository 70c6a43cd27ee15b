"""The one way to a size: an order, the bars it is for, the account's limits and what else is known."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError
from tickerbook.research.book import Held, Position, beside, open_positions
from tickerbook.research.conviction import Conviction, Evidence, conviction
from tickerbook.research.kelly import shrunk_kelly
from tickerbook.research.level import Level, Odds
from tickerbook.research.limits import Limits
from tickerbook.research.metrics import volatility
from tickerbook.research.position import Side, Size, size_position
from tickerbook.sessions import sessions_a_year
from tickerbook.settings import check_symbol

VOLUME_SESSIONS = 20


@dataclass(frozen=True, slots=True)
class Target:
    """Where to sell.

    Attributes:
        price: the near edge of a resistance zone.
        method: how the level was found.
        r_multiple: gain there, in units of the risk (entry − stop).
    """

    price: float
    method: str
    r_multiple: float


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be bought or sold short, before its size is known.

    Attributes:
        entry: price at which it begins.
        stop: price at which it is given up.
        targets: where it ends well, nearest first.
        zone: the level that it trusts; None for an order that trusts none.
        side: "long" or "short".
    """

    entry: float
    stop: float
    targets: tuple[Target, ...] = ()
    zone: Level | None = None
    side: Side = "long"

    @property
    def reward_risk(self) -> float | None:
        """The R-multiple of the nearest target."""
        return self.targets[0].r_multiple if self.targets else None

    @property
    def odds(self) -> Odds | None:
        """What was measured of such levels; None where that is not enough to say anything."""
        odds = self.zone.odds if self.zone else None
        return odds if odds is not None and odds.sufficient else None


@dataclass(frozen=True, slots=True)
class Desk:
    """What is known beside a ticker's bars; nothing of it has to be.

    Attributes:
        book: the open positions.
        peers: ticker → bars, of the open positions.
        evidence: what strategies say, and how much that is worth.
        earnings: sessions of announced earnings of the ticker.
        asked: the session that the bars should reach.
    """

    book: tuple[Position, ...] = ()
    peers: Mapping[str, Bars] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    earnings: tuple[date, ...] = ()
    asked: date | None = None

    def held(self, bars: Bars, limits: Limits) -> tuple[Held, ...]:
        """The open positions with their correlation to a ticker."""
        return beside(bars, self.book, self.peers, limits.correlation_sessions)


@dataclass(frozen=True, slots=True)
class Sizing:
    """An order with its size, and what led to it.

    Attributes:
        order: the order.
        size: what every limit allows.
        trusting: shares without Kelly and conviction: the size of who takes the edge on trust.
        conviction: what the evidence supports.
        held: the open positions beside it.
        open_risk: money at risk in all of them.
        together: … in those that move with the ticker.
        volatility: of the price, a year.
        volume: shares on a mean day; None where a day's volume is not known.
    """

    order: Order
    size: Size
    trusting: int
    conviction: Conviction
    held: tuple[Held, ...]
    open_risk: float
    together: float
    volatility: float
    volume: float | None


def make_desk(
    ticker: str,
    *,
    positions: Iterable[str] = (),
    earnings: Iterable[str] = (),
    session: str = "",
    peers: Mapping[str, Bars] | None = None,
    evidence: Evidence | None = None,
) -> Desk:
    """A desk of what is written down as texts.

    Args:
        ticker: whose earnings count.
        positions: open positions, such as `IBM 100 195.5 188`: ticker, shares, entry, stop.
        earnings: announced earnings, such as `AAPL 2013-04-23`.
        session: ISO date that the bars should reach; empty for wherever they end.
        peers: ticker → bars, of the open positions; one without bars counts as moving with everything.
        evidence: what strategies say.

    Raises:
        ConfigError: names the text that is neither.
    """
    days = tuple(day for symbol, day in map(_announced, earnings) if symbol == ticker)
    asked = date.fromisoformat(session) if session else None
    return Desk(open_positions(positions), peers or {}, evidence or Evidence(), days, asked)


def _announced(text: str) -> tuple[str, date]:
    try:
        symbol, day = text.split()
        return check_symbol(symbol), date.fromisoformat(day)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no day of earnings.", "Write ticker and day: AAPL 2013-04-23."
        ) from error


_NOWHERE = Desk()


def size_order(bars: Bars, order: Order, limits: Limits, desk: Desk = _NOWHERE) -> Sizing:
    """The size of an order at the last close of `bars`: what backtest, trade plan and pre-trade check use.

    Args:
        bars: daily bars of the ticker; nothing later than the last is known.
        order: what is to be bought or sold short.
        limits: what the account allows.
        desk: what is known beside the bars.

    Raises:
        DataError: if the volatility cannot be measured: too few bars, or prices that stand still.
        ConfigError: for a stop on the wrong side.
    """
    held = desk.held(bars, limits)
    open_risk, together = sum(one.position.risk for one in held), sum(one.together for one in held)
    belief = conviction(
        order.odds.edge_low if order.odds else None, desk.evidence.dsr, desk.evidence.agreement
    )
    yearly, volume = price_volatility(bars, limits.volatility_sessions), mean_volume(bars)
    sized = partial(
        size_position,
        entry=order.entry,
        stop=order.stop,
        side=order.side,
        equity=limits.equity,
        risk_fraction=limits.risk_fraction,
        volatility=yearly,
        volatility_target=limits.volatility_target,
        max_weight=limits.max_weight,
        heat_left=limits.max_heat - open_risk / limits.equity,
        cluster_left=limits.max_cluster_heat - together / limits.equity,
        volume=volume,
        max_volume_share=limits.max_volume_share,
        throttle=limits.throttle.share(limits.account),
        lot=limits.lot,
    )
    trusting = sized()
    size = (
        sized(kelly=_kelly(order, limits, desk), conviction=belief.value) if limits.require_edge else trusting
    )
    return Sizing(order, size, trusting.shares, belief, held, open_risk, together, yearly, volume)


def told_from_chance(order: Order, desk: Desk) -> bool | None:
    """Whether levels like the order's were told from chance when all methods were judged at once.

    Of twenty methods without an edge one has an interval above zero: that one is no discovery. None where
    nobody judged.
    """
    if desk.evidence.discovered is None or order.zone is None:
        return None
    return order.zone.kind in desk.evidence.discovered


def _kelly(order: Order, limits: Limits, desk: Desk) -> float:
    """What the measured edge allows; nothing where it is not known or may be luck."""
    if order.odds is None or order.reward_risk is None or told_from_chance(order, desk) is False:
        return 0.0
    odds, fraction = order.odds, limits.kelly_fraction
    return shrunk_kelly(odds.edge, odds.edge_low, odds.edge_high, order.reward_risk, fraction)


def price_volatility(bars: Bars, sessions: int) -> float:
    """Volatility a year of the newest returns; NaN where there are fewer, or a close is not above zero.

    Raises:
        DataError: if the prices are not adjusted for splits.
    """
    bars.check_adjusted()
    closes = bars.frame["close"].iloc[-sessions - 1 :]
    if len(closes) <= sessions or closes.min() <= 0:
        return math.nan
    return volatility(closes.pct_change(), sessions_a_year(bars.calendar))


def mean_volume(bars: Bars) -> float | None:
    """Mean volume of the newest sessions, in shares; None where one of them is not known."""
    mean = float(bars.frame["volume"].iloc[-VOLUME_SESSIONS:].mean(skipna=False))
    return None if math.isnan(mean) else mean
