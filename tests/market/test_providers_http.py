"""Between a provider and its vendor: addresses that a key may be sent to, waiting, sizes, words."""

import asyncio
import json
import logging
import socket
import threading
from datetime import UTC, date, datetime

import httpx
import pytest
from benches import Bench, truth
from stub import CANARY, Reply, Stub

from tickerbook.errors import ConfigError, ProviderError, ProviderFault
from tickerbook.market import http
from tickerbook.market.http import check_url
from tickerbook.market.providers import provider
from tickerbook.settings import ProviderParams

FIRST, LAST = date(1990, 1, 1), date(2020, 9, 2)


@pytest.fixture
def bench(tmp_path, monkeypatch, answers):
    """Finnhub, which has AAPL."""
    with Stub("finnhub") as stub:
        for variable, value in stub.environment.items():
            monkeypatch.setenv(variable, value)
        bench = Bench("finnhub", tmp_path, stub, timeout=60.0)
        bench.holds("AAPL", truth(answers))
        yield bench


def refused(bench, ticker):
    with pytest.raises(ProviderError) as caught:
        bench.history(ticker, FIRST, LAST)
    return caught.value


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://api.polygon.io",
        "https://proxy.example:8443/polygon/",
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://[::1]:8080",
        "https://10.1.2.3/vendor",
    ],
)
def test_addresses_that_a_key_may_be_sent_to(url):
    """https anywhere; http to this machine."""
    assert check_url(url, "here") == httpx.URL(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.polygon.io",
        "http://10.1.2.3",
        "file:///etc/passwd",
        "ftp://example.com",
        "https://user:secret@example.com",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://2852039166/",
        "https://0.0.0.0/",
        "http://127.0.0.1.evil.example/",
        "https://example.com/?apikey=1",
        "https://example.com/#part",
        "//example.com",
        "example.com",
        "https://",
        "not an address",
        "http://[::1",
    ],
)
def test_addresses_that_it_may_not(url):
    """The message does not repeat what was written: it may have a password in it."""
    with pytest.raises(ConfigError) as caught:
        check_url(url, "`base_url` in params/providers.toml")
    assert (
        caught.value.message == "`base_url` in params/providers.toml is no address that a key may be sent to."
    )
    assert "https://" in caught.value.remedy


@pytest.mark.parametrize("name", ["polygon", "finnhub", "alphavantage", "massive"])
def test_a_wrong_address_is_told_before_anybody_is_asked(name):
    """When the provider is made."""
    with pytest.raises(ConfigError):
        provider(name, ProviderParams(base_url="http://example.com"))


def test_the_environment_s_address_goes_before_that_of_params(bench, ticker, tmp_path):
    """As for keys."""
    elsewhere = Bench("finnhub", tmp_path, bench.stub, base_url="https://proxy.example")
    assert len(elsewhere.history(ticker(), FIRST, LAST).frame) == 10


def test_the_address_of_params_is_asked(bench, ticker, tmp_path, monkeypatch):
    """With a path before the vendor's."""
    monkeypatch.delenv("FINNHUB_BASE_URL")
    behind = Bench("finnhub", tmp_path, bench.stub, base_url=f"{bench.stub.url}/vendors/finnhub/")
    bench.stub.fails(lambda _stub, asked, _good: Reply({"error": f"asked {asked.path}"}))
    assert "asked /vendors/finnhub/stock/candle" in refused(behind, ticker()).message


def test_pages_behind_a_proxy_with_a_path(tmp_path, monkeypatch, ticker):
    """The next page's address may be the proxy's or the vendor's own: both are asked at the proxy."""
    monkeypatch.setenv("POLYGON_API_KEY", CANARY)
    none = {"status": "OK", "results": []}

    def reply(stub, asked, _good):
        nexts = [f"{stub.url}/p/v2/second", "https://api.polygon.io:443/v2/third", ""]
        paths = ["/p/v2/aggs/ticker/AAPL/range/1/day/1990-01-01/2020-09-02", "/p/v2/second", "/p/v2/third"]
        if asked.path not in paths:
            return Reply(none)
        at = paths.index(asked.path)
        bar = {"t": 1598846400000 + at * 86_400_000, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}
        return Reply({"ticker": "AAPL", "results": [bar], "next_url": nexts[at]})

    with Stub("polygon") as stub:
        stub.reply = lambda asked: reply(stub, asked, None)
        bench = Bench("polygon", tmp_path, stub, base_url=f"{stub.url}/p")
        assert len(bench.history(ticker(), FIRST, LAST).frame) == 3


# Failures of the line


def test_no_such_host(ticker, monkeypatch, tmp_path):
    """DNS knows no such name."""

    def unknown(*_args, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(http, "getproxies", dict)
    monkeypatch.setenv("FINNHUB_API_KEY", CANARY)
    monkeypatch.setenv("FINNHUB_BASE_URL", "https://finnhub.invalid")
    error = refused(Bench("finnhub", tmp_path, None), ticker())
    assert error.kind is ProviderFault.UNREACHABLE
    assert error.message == "AAPL: Finnhub cannot be reached (there is no host finnhub.invalid)."


def test_nobody_listens(bench, ticker):
    """Refused."""
    bench.stub.close()
    assert refused(bench, ticker()).message == "AAPL: Finnhub cannot be reached (the connection is refused)."


@pytest.mark.parametrize("way", ["never begins", "stops", "drips"])
def test_an_answer_that_does_not_come(bench, ticker, tmp_path, way):
    """The time is for the whole answer, however steadily its bytes drip."""
    done = threading.Event()

    def slow(_stub, _asked, good):
        if way == "never begins":
            done.wait(20)
        return Reply(
            good.data,
            headers={"Content-Length": "1000000"} if way == "stops" else {},
            drip=0.1 if way == "drips" else 0.0,
        )

    bench.stub.fails(slow)
    error = refused(Bench("finnhub", tmp_path, bench.stub, timeout=0.5), ticker())
    done.set()
    assert error.kind is ProviderFault.UNREACHABLE
    assert error.message == "AAPL: Finnhub cannot be reached (no answer within 0.5 s)."


def test_an_answer_without_end(bench, ticker, monkeypatch):
    """It is not kept in memory until that is full."""
    monkeypatch.setattr(http, "_LARGEST", 10_000)
    bench.stub.fails(Reply({"s": "ok", "x": "y" * 20_000}))
    error = refused(bench, ticker())
    assert error.kind is ProviderFault.MALFORMED
    assert error.message == "AAPL: Finnhub sends an answer without end."


def test_a_proxy_of_the_environment_is_asked(ticker, monkeypatch, tmp_path):
    """Here a dead one: refused there, before any name is looked up."""
    monkeypatch.setenv("FINNHUB_API_KEY", CANARY)
    monkeypatch.setenv("FINNHUB_BASE_URL", "https://finnhub.invalid")
    error = refused(Bench("finnhub", tmp_path, None), ticker())
    assert error.message == "AAPL: Finnhub cannot be reached (the connection is refused)."


def test_nothing_is_asked_on_another_host_after_a_redirect(bench, ticker):
    """Nor on the same: whoever moved says so to a person."""
    bench.stub.fails(Reply("", 301, {"Location": f"{bench.stub.url}/elsewhere"}))
    error = refused(bench, ticker())
    assert error.kind is ProviderFault.UNREACHABLE
    assert "wants to be asked elsewhere (127.0.0.1" in error.message
    assert len(bench.stub.asked) == 1


# Words


def test_a_vendor_s_sentence_is_one_short_line(bench, ticker):
    """Without what a terminal would obey."""
    bench.stub.fails(Reply({"error": "\x1b[31mred\x1b[0m\n\n" + "very " * 100}, 400))
    message = refused(bench, ticker()).message
    assert message.startswith("AAPL: Finnhub answered with status 400: [31mred [0m very very")
    assert message.endswith("….")
    assert len(message) < 300
    assert message.isprintable()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": " 5 "}, 5.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "1e9999"}, None),
        ({"Retry-After": "Thu, 03 Sep 2020 00:00:00 GMT"}, 0.0),
        ({"Retry-After": "Thu, 99 Sep 2020 00:00:00 GMT"}, None),
        ({"X-Ratelimit-Reset": "99999999999999999999"}, None),
        ({"X-Ratelimit-Reset": "x"}, None),
        ({"Retry-After": "Thu, 03 Sep 2020 01:00:42 GMT", "Date": "yesterday"}, None),
        ({"Retry-After": "Thu, 03 Sep 2020 06:00:42 GMT", "Date": "Thu, 03 Sep 2020 06:00:00 GMT"}, 42.0),
    ],
)
def test_how_long_to_wait(bench, ticker, headers, wait):
    """By the vendor's clock, however wrong it or ours goes; nonsense is no wait."""
    bench.stub.fails(Reply({}, 429, headers))
    assert refused(bench, ticker()).retry_after == wait


def test_deep_json_is_malformed(bench, ticker):
    """It does not overflow our stack."""
    bench.stub.fails(Reply("[" * 200_000))
    assert refused(bench, ticker()).kind is ProviderFault.MALFORMED


@pytest.mark.parametrize(
    "candles",
    [
        {"t": [10**15]},
        {"t": [-(10**15)]},
        {"t": [1598918400, 1598918401]},
        {"t": ["2020-09-01"]},
        {"c": ["many"]},
        {"t": None},
        {"s": "fine"},
    ],
)
def test_values_that_cannot_be(bench, ticker, candles):
    """Years without end, columns of unequal length, texts for numbers: one kind of error."""
    good = {"s": "ok", "t": [1598918400], **{name: [1.0] for name in "ohlcv"}}
    bench.stub.fails(Reply({**good, **candles}))
    assert refused(bench, ticker()).kind is ProviderFault.MALFORMED


def test_values_that_are_missing_stay_missing(bench, ticker):
    """null is no price; quality decides on the row."""
    candles = {"s": "ok", "t": [1598832000, 1598918400], **{name: [1.0, None] for name in "ohlcv"}}
    bench.stub.fails(lambda _stub, asked, good: Reply(candles) if "candle" in asked.path else good)
    frame = bench.history(ticker(), FIRST, LAST).frame
    assert frame["close"].isna().tolist() == [False, True]


# Requests


def test_http_2_is_offered(bench, ticker, monkeypatch):
    """Many questions travel on one connection where the vendor can."""
    made = {}
    real = httpx.AsyncHTTPTransport

    def spy(**options):
        made.update(options)
        return real(**options)

    monkeypatch.setattr(httpx, "AsyncHTTPTransport", spy)
    bench.history(ticker(), FIRST, LAST)
    assert made["http2"] is True


def test_symbols_are_written_into_addresses_safely(bench, ticker, answers):
    """^GSPC has a sign that addresses quote."""
    bench.holds("^GSPC", truth(answers))
    assert len(bench.history(ticker("^GSPC"), FIRST, LAST).frame) == 10


def test_cancelling_leaves_nothing_open(bench, ticker):
    """A deadline around a call ends it at once; the connections are closed as ever."""
    done = threading.Event()
    bench.stub.fails(lambda _stub, _asked, good: done.wait(20) and good)

    async def cancelled():
        try:
            async with asyncio.timeout(0.2):
                await bench.provider.history(ticker(), FIRST, LAST)
        finally:
            await bench.provider.close()

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())
    done.set()


def test_what_is_logged_has_no_key(bench, ticker, caplog):
    """httpx logs each address; the key joins below it."""
    caplog.set_level(logging.DEBUG)
    bench.history(ticker(), FIRST, LAST)
    assert "/stock/candle" in caplog.text
    assert CANARY not in caplog.text


def test_the_clock_of_an_answer_is_the_vendor_s(bench):
    """Not ours: nothing here reads a clock."""

    async def told():
        try:
            answer = await bench.provider.connection.get("AAPL", "/quote", {"symbol": "AAPL"})
        finally:
            await bench.provider.close()
        return answer

    answer = asyncio.run(told())
    assert answer.told_at == datetime(2020, 9, 3, 1, tzinfo=UTC)
    assert json.dumps(answer.data)
