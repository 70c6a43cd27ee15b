"""Answers as vendors recorded them, replayed through each provider."""

import json
from datetime import date
from pathlib import Path

import pytest
from benches import Bench
from stub import Reply, Stub
from yfinance.data import SingletonMeta

from tickerbook.errors import ProviderError, ProviderFault

# yfinance 1.7 uses much that pandas 4 will change.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RECORDED = Path(__file__).parent.parent / "recorded"
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 13)
FAILURES = {
    "alphavantage/bad_symbol.json": (200, ProviderFault.NOT_FOUND),
    "alphavantage/rate_daily_limit.json": (200, ProviderFault.RATE_LIMITED),
    "alphavantage/premium_endpoint.json": (200, ProviderFault.NOT_ENTITLED),
    "alphavantage/premium_full.json": (200, ProviderFault.NOT_ENTITLED),
    "finnhub/rate_limit_429.json": (429, ProviderFault.RATE_LIMITED),
    "finnhub/no_access_403.json": (403, ProviderFault.NOT_ENTITLED),
    "polygon/not_authorized_403.json": (403, ProviderFault.NOT_ENTITLED),
    "polygon/timeframe_403.json": (403, ProviderFault.NOT_ENTITLED),
    "yahoo/chart_not_found_404.json": (404, ProviderFault.NOT_FOUND),
    "yahoo/chart_empty_quote.json": (200, ProviderFault.EMPTY),
    "yahoo/rate_limit_429.txt": (429, ProviderFault.RATE_LIMITED),
}


def recorded(name):
    """A recorded answer."""
    text = (RECORDED / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else text


@pytest.fixture
def on_bench(tmp_path, monkeypatch):
    """A maker of benches whose stub answers by path: `on_bench("polygon", {"/v2/aggs": data})`."""
    stubs = []

    def make(name, answers=None, reply=None):
        SingletonMeta._instances.clear()
        stub = Stub(name)
        stubs.append(stub.__enter__())
        for variable, value in stub.environment.items():
            monkeypatch.setenv(variable, value)
        stub.fails(reply or (lambda _stub, asked, good: _chosen(answers, asked, good)))
        return Bench(name, tmp_path, stub, timeout=60.0)

    yield make
    for stub in stubs:
        stub.close()
    SingletonMeta._instances.clear()


def _chosen(answers, asked, good):
    address = asked.path + "?" + "&".join(asked.query.values())
    return next((Reply(data) for part, data in answers.items() if part in address), good)


def closes(frame):
    return {f"{day:%Y-%m-%d}": close for day, close in frame["close"].items()}


@pytest.mark.parametrize("name", FAILURES)
def test_each_recorded_failure_has_its_kind(on_bench, ticker, name):
    """As the vendor sends it, with its status."""
    status, kind = FAILURES[name]
    bench = on_bench(name.split("/")[0], reply=Reply(recorded(name), status))
    with pytest.raises(ProviderError) as caught:
        bench.history(ticker(), FIRST, LAST)
    assert caught.value.kind is kind


def test_alpha_vantage_s_daily_bars(on_bench, ticker):
    """Texts, newest first: numbers, oldest first."""
    none = {"symbol": "IBM", "data": []}
    answers = {
        "TIME_SERIES_DAILY": recorded("alphavantage/daily_IBM.json"),
        "SPLITS": none,
        "DIVIDENDS": none,
    }
    history = on_bench("alphavantage", answers).history(ticker("IBM"), FIRST, LAST)
    assert closes(history.frame) == {
        "2026-03-09": 253.33,
        "2026-03-10": 250.2,
        "2026-03-11": 248.87,
        "2026-03-12": 247.68,
        "2026-03-13": 246.28,
    }
    assert history.frame["volume"].iloc[-1] == 4_335_265
    assert history.actions == ("dividend", "split")


def test_finnhub_s_candles(on_bench, ticker):
    """Stamped with midnight UTC of their session, not of New York."""
    answers = {"/stock/candle": recorded("finnhub/candle_ok.json"), "/stock/split": [], "/stock/dividend": []}
    frame = on_bench("finnhub", answers).history(ticker("MSFT"), FIRST, LAST).frame
    assert closes(frame) == {
        "2026-03-09": 409.41,
        "2026-03-10": 405.76,
        "2026-03-11": 404.88,
        "2026-03-12": 401.86,
        "2026-03-13": 395.55,
    }


def test_finnhub_s_no_data(on_bench, ticker):
    """Of a known symbol it means no bars."""
    answers = {
        "/stock/candle": recorded("finnhub/candle_no_data.json"),
        "/quote": recorded("finnhub/quote_ok.json"),
    }
    with pytest.raises(ProviderError) as caught:
        on_bench("finnhub", answers).history(ticker("MSFT"), FIRST, LAST)
    assert caught.value.kind is ProviderFault.EMPTY


def test_finnhub_s_quote(on_bench, ticker):
    """Of 2026-03-13, at the close."""
    quote = on_bench("finnhub", {"/quote": recorded("finnhub/quote_ok.json")}).ask("quote", ticker("MSFT"))
    assert (quote.price, quote.previous_close, quote.session) == (395.55, 401.86, LAST)


def test_finnhub_s_news(on_bench, ticker):
    """Newest first."""
    answers = {"/company-news": recorded("finnhub/company_news_ok.json")}
    news = on_bench("finnhub", answers).ask("news", ticker("MSFT"), FIRST, LAST)
    assert [one.publisher for one in news] == ["Yahoo", "Benzinga"]
    assert news[1].title == 'Second headline (synthetic) with <b>markup</b> & "quotes"'


def test_polygon_s_pages(on_bench, ticker):
    """Two pages make one history; the second is asked at the same place, whatever name the vendor gives it."""
    answers = {
        "/2026-01-01/": recorded("polygon/aggs_page1.json"),
        "bGltaXQ9MTQmc29ydD1hc2M": recorded("polygon/aggs_page2.json"),
        "/stocks/v1/": {"status": "OK", "results": []},
    }
    bench = on_bench("polygon", answers)
    frame = bench.history(ticker(), FIRST, LAST).frame
    assert closes(frame) == {
        "2026-02-02": 270.01,
        "2026-02-03": 269.48,
        "2026-02-04": 276.49,
        "2026-02-23": 266.18,
        "2026-02-24": 272.14,
        "2026-02-25": 274.23,
    }
    assert all(asked.headers["authorization"].startswith("Bearer ") for asked in bench.stub.asked)


def test_polygon_s_dividends(on_bench, ticker, raw):
    """As declared, on the ex-date."""
    bench = on_bench("polygon", {"/stocks/v1/dividends": recorded("polygon/dividends_AAPL.json")})
    bench.holds("AAPL", raw({"2025-08-08": 229.35, "2025-08-11": 227.18}))
    frame = bench.history(ticker(), date(2025, 8, 1), date(2025, 8, 12)).frame
    assert frame["dividend"].tolist() == [0.0, 0.26]


def test_every_recorded_file_is_described_and_used():
    """Its request and source stand in the README, and a test replays it."""
    described = (RECORDED / "README.md").read_text(encoding="utf-8")
    used = Path(__file__).read_text(encoding="utf-8")
    for path in RECORDED.glob("*/*.*"):
        assert path.name in described
        assert path.name in used
