"""Real requests to servers on this machine that fail as vendors do: the next vendor serves, and nothing false is stored."""

import contextlib
import socket
import threading
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from benches import truth
from stub import CANARY, Stub

from tickerbook.market.asking import Bounds
from tickerbook.market.lake import Lake
from tickerbook.market.raw import PRICES
from tickerbook.market.scorecard import Scorecard
from tickerbook.market.sourcing import fetch
from tickerbook.settings import ProviderParams

NOW = datetime(2020, 9, 3, 1, tzinfo=UTC)
QUICK = Bounds(short=0.05, pause=0.01, requests=2.0, fetch=30.0)
KINDS = {
    "429": "rate limited",
    "429 with seconds": "rate limited",
    "429 with a reset": "rate limited",
    "limit sent as 200": "rate limited",
    "500": "unreachable",
    "503 with seconds": "unreachable",
    "401": "not entitled",
    "403": "not entitled",
    "premium sent as 200": "not entitled",
    "404": "not found",
    "unknown sent as 200": "not found",
    "maintenance page": "malformed answer",
    "truncated": "malformed answer",
    "not JSON": "malformed answer",
    "nothing": "no bars",
    "hang-up": "unreachable",
    "redirect": "unreachable",
    "wrong symbol": "malformed answer",
}


@pytest.fixture
def raw(answers):
    """AAPL around its split of 2020, as traded."""
    return truth(answers)


@pytest.fixture
def vendors(raw, monkeypatch):
    """Polygon and Alpha Vantage on this machine, both with AAPL."""
    with contextlib.ExitStack() as stack:
        stubs = [stack.enter_context(Stub(name)) for name in ("polygon", "alphavantage")]
        for stub in stubs:
            stub.holds("AAPL", raw)
            for name, value in stub.environment.items():
                monkeypatch.setenv(name, value)
        yield stubs


@pytest.fixture
def run(lake, ticker, tmp_path, vendors):  # noqa: ARG001 - they must be there to be asked
    """Fetch AAPL from polygon, else Alpha Vantage; what it gives never shows a key."""

    def do(providers=("polygon", "alphavantage"), at=NOW, bounds=QUICK, more=(), **params):
        params = {"timeout": 2.0} | params
        told = {name: ProviderParams(project=tmp_path, premium=True, **params) for name in providers}
        places = {"data": tmp_path / "data", "ledger": f"sqlite:///{tmp_path / 'data' / 'ledger.db'}"}
        tickers = [ticker(symbol, providers=providers) for symbol in ("AAPL", *more)]
        results = fetch(tickers, lake, now_at=at, params=told, bounds=bounds, **places)
        assert CANARY not in repr(results)
        for path in (tmp_path / "data").rglob("*"):
            assert not path.is_file() or CANARY.encode() not in path.read_bytes()
        return results if more else results[0]

    return do


def whole(lake, raw):
    """The lake has what the vendor held."""
    stored = lake.read("AAPL").frame
    pd.testing.assert_frame_equal(stored[PRICES], raw[PRICES], check_freq=False, check_names=False, rtol=1e-6)
    return True


def test_the_first_vendor_serves(run, lake, raw, vendors):
    """Without a fault nobody else is asked."""
    result = run()
    assert (result.status, result.provider, result.why) == ("ok", "polygon", "first choice")
    assert whole(lake, raw)
    assert vendors[1].asked == []


@pytest.mark.parametrize(("fault", "kind"), KINDS.items())
def test_every_fault_is_called_by_its_name_and_the_next_vendor_serves(
    run, lake, raw, vendors, fault, kind, tmp_path
):
    """The reason is in the result and in the ledger; what is stored is the other's, whole."""
    vendors[0].fails(fault)
    result = run()
    assert (result.status, result.provider, result.why) == ("ok", "alphavantage", f"polygon: {kind}")
    assert whole(lake, raw)
    scores = Scorecard(f"sqlite:///{tmp_path / 'data' / 'ledger.db'}").scores(NOW - timedelta(days=1))
    assert {score.provider: set(score.failures) for score in scores} == {
        "alphavantage": set(),
        "polygon": {kind},
    }
    assert len(vendors[0].asked) <= 3


@pytest.mark.parametrize("fault", ["500", "truncated", "hang-up", "maintenance page"])
def test_a_fault_that_passes_costs_an_attempt(run, vendors, fault):
    """500, then good: the preferred vendor serves after all."""
    vendors[0].fails(fault)
    bad, replies = vendors[0].fault, []

    def once(stub, asked, good):
        replies.append(asked)
        if len(replies) > 1:
            return good
        return bad(stub, asked, good) if callable(bad) else bad

    vendors[0].fails(once)
    result = run()
    assert (result.provider, result.why) == ("polygon", "first choice")
    assert len(replies) == 4  # and its three requests
    assert vendors[1].asked == []


def test_a_server_that_never_answers_is_left(run, vendors):
    """Its time is bounded; other tickers are not held up."""
    ended = threading.Event()

    def hang(_stub, asked, good):
        if "AAPL" in asked.path:
            ended.wait(20)
        return good

    vendors[0].holds("MSFT", vendors[0].frames["AAPL"])
    vendors[0].fails(hang)
    aapl, msft = run(more=("MSFT",), timeout=0.1)
    ended.set()
    assert (aapl.provider, aapl.why) == ("alphavantage", "polygon: unreachable")
    assert (msft.provider, msft.why) == ("polygon", "first choice")
    assert aapl.seconds < 10


def test_a_name_that_nobody_knows_is_unreachable(run, vendors, monkeypatch):
    """DNS fails: nothing is stored, nothing is taken for delisted, and it is tried again next time."""

    def unknown(*_given, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name)
        monkeypatch.delenv(name.upper())
    monkeypatch.setenv("POLYGON_BASE_URL", "https://api.polygon.example")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = run(providers=("polygon",))
    assert (result.status, result.why, result.rows) == ("failed", "polygon: unreachable", 0)
    assert "no host api.polygon.example" in result.message
    monkeypatch.undo()
    for name, value in vendors[0].environment.items():
        monkeypatch.setenv(name, value)
    assert run(providers=("polygon",), at=NOW + timedelta(minutes=2)).status == "ok"


def test_no_network_at_all_is_told_for_every_ticker(run, lake, monkeypatch):
    """Within seconds; the lake stays empty."""
    for name in ("POLYGON_BASE_URL", "ALPHAVANTAGE_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    results = run(more=("MSFT", "IBM"))
    told = {(result.status, result.why) for result in results}
    assert told == {("failed", "polygon: unreachable, alphavantage: unreachable")}
    assert lake.tickers() == ()


def test_an_answer_without_bars_never_harms_what_is_stored(run, lake, raw, vendors):
    """A vendor that lost a ticker's history."""
    run(providers=("polygon",), at=NOW - timedelta(days=1))
    vendors[0].frames["AAPL"] = raw.iloc[:0]
    result = run(providers=("polygon",))
    assert (result.status, result.why) == ("failed", "polygon: no bars")
    assert len(lake.read("AAPL").frame) == result.rows == len(raw) - 1


def test_a_vendor_that_forgets_the_newest_sessions_is_stale(run, lake, raw, vendors):
    """What it told before is kept; the other vendor has the newest."""
    run(at=NOW - timedelta(days=1))
    vendors[0].frames["AAPL"] = raw.iloc[:-6]
    result = run()
    assert (result.provider, result.why) == ("alphavantage", "polygon: stale")
    assert len(lake.read("AAPL").frame) == len(raw)


def test_rows_out_of_order_and_twice_are_put_in_order(run, lake, raw, vendors):
    """The same content as clean data, and the same digest."""
    clean = Lake(lake.root.with_name("clean"))
    vendors[0].frames["AAPL"] = pd.concat([raw.iloc[::-1], raw.iloc[:3]])
    run(providers=("polygon",))
    stored = lake.bars("AAPL").digest
    clean.write("AAPL", raw, lake.read("AAPL").origin)
    assert stored == clean.bars("AAPL").digest


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(hours=-6), timedelta(days=3650)])
def test_a_clock_that_is_wrong_for_a_while_does_no_harm(run, lake, raw, vendors, ahead):
    """Fetched with a wrong clock, then with a right one: the same bars, and the quota holds."""
    run(providers=("polygon",), at=NOW + ahead, per_day=100)
    result = run(providers=("polygon",), at=NOW + timedelta(minutes=1), per_day=100)
    assert result.status == "ok"
    assert whole(lake, raw)
    assert len(vendors[0].asked) <= 9
