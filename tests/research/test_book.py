"""Open positions: what they risk, and what moves with what."""

from dataclasses import replace

import numpy as np
import pytest

from tickerbook.errors import ConfigError, SymbolError
from tickerbook.research.book import beside, correlation
from tickerbook.research.sizing import Desk, Limits, Order, Position, make_desk, open_positions, size_order

LIMITS = Limits(equity=1e5, require_edge=False, max_weight=1.0, volatility_target=10.0)


@pytest.fixture(scope="module")
def bars(make_walk):
    return make_walk(sessions=300, seed=1)


@pytest.fixture(scope="module")
def twin(bars):
    """The same returns under another symbol."""
    return replace(bars, ticker="TWIN")


@pytest.fixture(scope="module")
def mirror(bars):
    """The opposite returns."""
    frame = bars.frame.copy()
    frame["close"] = 100 / frame["close"] * frame["close"].iloc[0]
    return replace(bars, frame=frame, ticker="MIRROR")


@pytest.fixture(scope="module")
def stranger(make_walk):
    return replace(make_walk(sessions=300, seed=2), ticker="OTHER")


def left(bars, desk, name="correlated risk", **limits):
    """What a limit is set to for an order at the last close."""
    close = float(bars.frame["close"].iloc[-1])
    sizing = size_order(bars, Order(close, close * 0.95), replace(LIMITS, **limits), desk)
    return next(cap.share for cap in sizing.size.caps if cap.method == name)


def test_positions_are_read():
    """Ticker, shares, entry and stop; a short position has negative shares."""
    assert open_positions(["IBM 100 195.5 188", "BRK-B -2.5 80 85"]) == (
        Position("IBM", 100, 195.5, 188),
        Position("BRK-B", -2.5, 80, 85),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "IBM",
        "IBM 100 195.5",
        "IBM 100 195.5 188 1",
        "IBM many 1 1",
        "IBM 0 1 1",
        "IBM 1 0 1",
        "IBM 1 1 -1",
        "IBM nan 1 1",
        "IBM 1 inf 1",
    ],
)
def test_what_is_no_position_is_refused(text):
    """Four words, of which three are numbers that make sense."""
    with pytest.raises(ConfigError):
        open_positions([text])


def test_a_symbol_that_is_none_is_refused():
    """Symbols are checked as everywhere."""
    with pytest.raises(SymbolError):
        open_positions(["ibm 1 2 1"])


@pytest.mark.parametrize(
    ("position", "risk"),
    [
        (Position("IBM", 100, 200, 190), 1000),
        (Position("IBM", -100, 200, 210), 1000),
        (Position("IBM", 100, 200, 205), 0),
        (Position("IBM", -100, 200, 190), 0),
    ],
)
def test_risk_is_what_the_stop_loses(position, risk):
    """A stop beyond the entry loses nothing."""
    assert position.risk == risk


def test_heat_is_used_up_by_every_position(bars, stranger):
    """Six per cent, less two that are at risk elsewhere, whatever they are."""
    desk = Desk((Position("OTHER", 200, 100, 90),), {"OTHER": stranger})
    assert left(bars, desk, "portfolio heat") == pytest.approx(0.04)
    full = Desk((Position("OTHER", 2000, 100, 90),), {"OTHER": stranger})
    assert left(bars, full, "portfolio heat") == 0


def test_what_moves_together_counts_together(bars, twin, stranger, mirror):
    """A twin counts in full, a stranger hardly, a mirror and the unknown as they must."""
    held = [Position(name, 100, 100, 90) for name in ("TWIN", "OTHER", "MIRROR", "GONE", "TEST")]
    peers = {"TWIN": twin, "OTHER": stranger, "MIRROR": mirror}
    counted = {one.position.ticker: one.together for one in beside(bars, held, peers, 120)}
    assert counted["TWIN"] == pytest.approx(1000)
    assert 0 <= counted["OTHER"] < 250
    assert counted["MIRROR"] == 0
    assert counted["GONE"] == counted["TEST"] == 1000


def test_a_short_twin_is_a_hedge_and_a_short_mirror_is_not(bars, twin, mirror):
    """Sides count: what gains and loses together is one bet. A hedge does not let size grow."""
    hedge = Desk((Position("TWIN", -100, 100, 110),), {"TWIN": twin})
    assert left(bars, hedge) == pytest.approx(LIMITS.max_cluster_heat)
    same = Desk((Position("MIRROR", -100, 100, 110),), {"MIRROR": mirror})
    assert left(bars, same) == pytest.approx(LIMITS.max_cluster_heat - 0.01, abs=1e-3)


def test_correlation_needs_common_sessions(bars, twin):
    """Too few in common, or a price that stands still, is not known."""
    assert correlation(bars, twin, 120) == pytest.approx(1)
    assert correlation(bars, twin.until(bars.frame.index[200].date()), 120) is None
    still = bars.frame.copy()
    still["close"] = 100.0
    assert correlation(bars, replace(bars, frame=still), 120) is None


def test_correlation_does_not_look_ahead(bars, stranger):
    """What a peer does after the last session of the ticker does not count."""
    early = bars.until(bars.frame.index[250].date())
    later = stranger.frame.copy()
    later.iloc[251:, :4] = np.linspace(1, 900, 49)[:, None]
    assert correlation(early, replace(stranger, frame=later), 120) == correlation(early, stranger, 120)


@pytest.mark.parametrize("text", ["AAPL", "AAPL soon", "2013-04-23", "AAPL 2013-04-23 2013-07-23"])
def test_what_is_no_day_of_earnings_is_refused(text):
    """A ticker and a day."""
    with pytest.raises(ConfigError, match="no day of earnings"):
        make_desk("AAPL", earnings=[text])


def test_a_desk_has_the_earnings_of_its_ticker():
    """Days of others do not count."""
    desk = make_desk("AAPL", earnings=["AAPL 2013-04-23", "IBM 2013-04-18"], session="2013-03-01")
    assert [day.isoformat() for day in (*desk.earnings, desk.asked)] == ["2013-04-23", "2013-03-01"]
