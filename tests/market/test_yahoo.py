"""Yahoo through yfinance, against a server on this machine that speaks Yahoo's shapes."""

import asyncio
import json
import logging
import subprocess
import sys
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
import yfinance
from yfinance.data import SingletonMeta

from tickerbook.errors import NoBarsError, ProviderError, ProviderFault
from tickerbook.market.providers.yahoo import Yahoo, yahoo_symbol
from tickerbook.market.raw import PRICES, RAW
from tickerbook.market.sourcing import fetch
from tickerbook.settings import ProviderParams

# yfinance 1.7 uses much that pandas 4 will change.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FIRST, LAST = date(1990, 1, 1), date(2020, 9, 2)
CHART = "/v8/finance/chart/"
NOT_FOUND = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
NO_DATES = {"code": "Bad Request", "description": "Data doesn't exist for startDate = 1, endDate = 2"}


class Stub:
    """Answers by symbol: (status, text); anything else on Yahoo's hosts is 404. Remembers what was asked."""

    def __init__(self):
        self.answers, self.asked = {}, []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = unquote(urlsplit(self.path).path)
                stub.asked.append(path)
                status, text = stub.answers.get(path.removeprefix(CHART), (404, "nothing here"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_args):
                """Nothing on the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def says(self, symbol, answer, status=200):
        self.answers[symbol] = (status, answer if isinstance(answer, str) else json.dumps(answer))


@pytest.fixture
def stub():
    """A running stub; yfinance forgets its session before and after."""
    SingletonMeta._instances.clear()
    stub = Stub()
    stub.says("/v1/test/getcrumb", "abc123.xYz")
    stub.thread.start()
    yield stub
    stub.server.shutdown()
    stub.thread.join()
    stub.server.server_close()
    SingletonMeta._instances.clear()


@pytest.fixture
def yahoo(stub):
    """Yahoo, asking the stub."""
    return Yahoo(ProviderParams(base_url=f"http://127.0.0.1:{stub.server.server_port}"))


@pytest.fixture
def apple(answers):
    """AAPL around its split of 2020, as Yahoo serves it, and as traded."""
    return pd.read_csv(answers / "aapl_split_2020.csv", comment="#", index_col="session", parse_dates=True)


def opening(day):
    """Seconds of the exchange's opening: 09:30 in New York."""
    return int(pd.Timestamp(day).tz_localize("America/New_York").timestamp()) + 9 * 3600 + 1800


def chart(table, dividends=(), splits=(), **meta):
    """Yahoo's answer for a table."""
    about = {
        "currency": "USD",
        "symbol": "AAPL",
        "instrumentType": "EQUITY",
        "dataGranularity": "1d",
        "range": "",
    }
    about |= {
        "exchangeTimezoneName": "America/New_York",
        "timezone": "EDT",
        "gmtoffset": -14400,
        "validRanges": ["max"],
    }
    quote = {name: [None if np.isnan(v) else v for v in table[name]] for name in RAW[:5]}
    found = {
        "meta": about | meta,
        "timestamp": [opening(day) for day in table.index],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
        "events": {
            "dividends": {
                str(opening(day)): {"amount": amount, "date": opening(day)} for day, amount in dividends
            },
            "splits": {
                str(opening(day)): {
                    "date": opening(day),
                    "numerator": new,
                    "denominator": old,
                    "splitRatio": f"{new}:{old}",
                }
                for day, new, old in splits
            },
        },
    }
    return {"chart": {"result": [found], "error": None}}


def failed(error):
    """Yahoo's answer for an error."""
    return {"chart": {"result": None, "error": error}}


SPLIT = {"splits": [("2020-08-31", 4, 1)], "dividends": [("2020-08-07", 0.20499999821186066)]}


def test_prices_are_turned_back_into_prices_as_traded(stub, yahoo, apple, ticker):
    """Closes equal LEAN's unadjusted ones: 499.23 on the day before the split, 129.04 on its day."""
    stub.says("AAPL", chart(apple, **SPLIT))
    history = asyncio.run(yahoo.history(ticker(), FIRST, LAST))
    assert tuple(history.frame.columns) == RAW
    np.testing.assert_allclose(history.frame["close"], apple["traded_close"], rtol=1e-7)
    assert history.frame["close"]["2020-08-28"] == pytest.approx(499.23)
    assert history.frame.index.equals(apple.index)
    assert (history.currency, history.source) == ("USD", f"yahoo (yfinance {yfinance.__version__})")


def test_volume_and_dividend_are_turned_back_too(stub, yahoo, apple, ticker):
    """A quarter of the shares before the split; the dividend that Apple declared, 0.82."""
    stub.says("AAPL", chart(apple, **SPLIT))
    frame = asyncio.run(yahoo.history(ticker(), FIRST, LAST)).frame
    assert frame["volume"]["2020-08-28"] == apple["volume"]["2020-08-28"] / 4
    assert frame["volume"]["2020-08-31"] == apple["volume"]["2020-08-31"]
    assert frame["dividend"][frame["dividend"] != 0].to_dict() == {
        pd.Timestamp("2020-08-07"): pytest.approx(0.82)
    }
    assert frame["split"][frame["split"] != 1].to_dict() == {pd.Timestamp("2020-08-31"): 4.0}


def test_splits_after_the_last_session_asked_for_are_undone_too(stub, yahoo, apple, ticker):
    """Yahoo adjusts for them, whatever range is asked for: it is asked until today, and cut here."""
    stub.says("AAPL", chart(apple, **SPLIT))
    frame = asyncio.run(yahoo.history(ticker(), FIRST, date(2020, 8, 28))).frame
    assert frame.index[-1] == pd.Timestamp("2020-08-28")
    assert frame["close"].iloc[-1] == pytest.approx(499.23)
    assert (frame["split"] == 1.0).all()


def test_the_recorded_answer_of_the_reference_set(stub, yahoo, shared, ticker):
    """The whole recorded file, against LEAN's closes as traded."""
    stub.says("AAPL", (shared / "api" / "yahoo" / "chart_AAPL_1d_div_split.json").read_text(encoding="utf-8"))
    frame = asyncio.run(yahoo.history(ticker(), FIRST, date(2020, 9, 4))).frame
    traded = pd.read_csv(shared / "bars" / "lean_raw" / "AAPL.csv.gz", index_col="date", parse_dates=True)
    np.testing.assert_allclose(frame["close"], traded.loc[frame.index, "close"], rtol=1e-7)
    assert len(frame) == 25


def test_the_bar_in_the_making_is_left_out(stub, yahoo, shared, ticker, lake):
    """NVDA at 15:02 UTC of 2026-03-16, in the session: the last stored one is of Friday, until the close."""
    stub.says(
        "NVDA", (shared / "api" / "yahoo" / "chart_NVDA_1d_partial_last.json").read_text(encoding="utf-8")
    )
    during = datetime(2026, 3, 16, 15, 2, 7, tzinfo=UTC)
    (result,) = fetch([ticker("NVDA")], lake, now_at=during, named=lambda _: yahoo)
    assert (result.status, result.session, result.rows) == ("ok", date(2026, 3, 13), 19)
    after = datetime(2026, 3, 16, 20, 0, tzinfo=UTC)
    (result,) = fetch([ticker("NVDA")], lake, now_at=after, named=lambda _: yahoo)
    assert (result.session, result.new_rows) == (date(2026, 3, 16), 1)


def test_a_row_without_prices_arrives_as_one(stub, yahoo, apple, ticker):
    """It is the quality gate that drops and counts it."""
    apple.loc["2020-08-27", [*PRICES, "volume"]] = np.nan
    stub.says("AAPL", chart(apple, **SPLIT))
    frame = asyncio.run(yahoo.history(ticker(), FIRST, LAST)).frame
    assert frame.loc["2020-08-27", PRICES].isna().all()
    assert len(frame) == len(apple)


@pytest.mark.parametrize(
    ("symbol", "calendar", "expected"),
    [
        ("BRK.B", "XNYS", "BRK-B"),
        ("^GSPC", "XNYS", "^GSPC"),
        ("AAPL", "XNAS", "AAPL"),
        ("NAN", "XNYS", "NAN"),
        ("VOD.L", "XLON", "VOD.L"),
        ("0700.HK", "XHKG", "0700.HK"),
        ("BF-B", "XNYS", "BF-B"),
    ],
)
def test_symbols_as_yahoo_writes_them(stub, yahoo, apple, ticker, symbol, calendar, expected):
    """Share classes with a dash in the United States; an exchange's suffix keeps its dot."""
    wanted = ticker(symbol, calendar=calendar)
    assert yahoo_symbol(wanted) == expected
    stub.says(expected, chart(apple, symbol=expected, **SPLIT))
    assert len(asyncio.run(yahoo.history(wanted, FIRST, LAST)).frame) == len(apple)
    assert CHART + expected in stub.asked


def test_an_unknown_symbol(stub, yahoo, ticker):
    """Yahoo's own reason, without yfinance's guess."""
    stub.says("NOPE", failed(NOT_FOUND), status=404)
    error = refused(yahoo, ticker("NOPE"))
    assert error.kind is ProviderFault.NOT_FOUND
    assert error.message == "NOPE: Yahoo does not have it: No data found, symbol may be delisted."


def refused(provider, wanted):
    """The error of a provider."""
    with pytest.raises(ProviderError) as caught:
        asyncio.run(provider.history(wanted, FIRST, LAST))
    assert wanted.symbol in caught.value.message
    assert caught.value.remedy
    return caught.value


NO_BARS = {
    "chart": {
        "result": [{"meta": {"symbol": "AAPL", "currency": "USD"}, "indicators": {"quote": [{}]}}],
        "error": None,
    }
}


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        ("Edge: Too Many Requests", 429, ProviderFault.RATE_LIMITED),
        (NO_BARS, 200, ProviderFault.EMPTY),
        (failed(NO_DATES), 400, ProviderFault.EMPTY),
        ("<html>Will be right back...</html>", 200, ProviderFault.UNREACHABLE),
        ("<html>please log in</html>", 200, ProviderFault.MALFORMED),
        ('{"chart": {"result": [{"meta": {"curr', 200, ProviderFault.MALFORMED),
        ("[]", 200, ProviderFault.EMPTY),
        (
            {"chart": {"result": [{"meta": {}, "indicators": {"quote": [{"open": [1]}]}}], "error": None}},
            200,
            ProviderFault.MALFORMED,
        ),
    ],
)
def test_each_failure_has_its_kind(stub, yahoo, ticker, answer, status, kind):
    """Rate limit, no bars, maintenance page, truncated or foreign answers: an error each, never an empty frame."""
    stub.says("AAPL", answer, status=status)
    assert refused(yahoo, ticker()).kind is kind


def test_another_symbol_s_data_is_refused(stub, yahoo, apple, ticker):
    """Prices of the wrong company are worse than none."""
    stub.says("AAPL", chart(apple, symbol="MSFT"))
    error = refused(yahoo, ticker())
    assert error.kind is ProviderFault.MALFORMED
    assert error.message == "Yahoo answered for MSFT when asked for AAPL."


def test_without_a_network_it_is_unreachable_not_delisted(ticker, caplog, capfd):
    """yfinance would give an empty frame and log "possibly delisted"; here every proxy is a closed port."""
    SingletonMeta._instances.clear()
    caplog.set_level(logging.DEBUG)
    error = refused(Yahoo(ProviderParams(timeout=5.0)), ticker())
    assert error.kind is ProviderFault.UNREACHABLE
    assert error.message.startswith("AAPL: Yahoo cannot be reached (")
    assert not [record for record in caplog.records if record.name == "yfinance"]
    assert capfd.readouterr() == ("", "")


def test_a_closed_port_is_unreachable(stub, yahoo, ticker):
    """The same with a session of one's own."""
    stub.server.shutdown()
    stub.server.server_close()
    assert refused(yahoo, ticker()).kind is ProviderFault.UNREACHABLE


def test_without_a_network_each_ticker_fails_and_the_lake_keeps_what_it_has(stub, yahoo, apple, lake, ticker):
    """And nobody falls back to the sample, which has AAPL."""
    stub.says("AAPL", chart(apple, **SPLIT))
    tickers = [ticker("AAPL", providers=("yahoo",)), ticker("MSFT", providers=("yahoo",))]
    fetch(tickers[:1], lake, now_at=datetime(2020, 9, 2, 23, tzinfo=UTC), named=lambda _: yahoo)
    stub.server.shutdown()
    stub.server.server_close()
    results = fetch(tickers, lake, now_at=datetime(2020, 9, 8, 23, tzinfo=UTC), named=lambda _: yahoo)
    assert [(result.ticker, result.status) for result in results] == [("AAPL", "failed"), ("MSFT", "failed")]
    assert any("cannot be reached" in result.message for result in results)
    assert (results[0].rows, results[0].session) == (len(apple), LAST)
    assert lake.read("AAPL").origin.provider == "yahoo"
    with pytest.raises(NoBarsError):
        lake.read("MSFT")


def test_many_tickers_at_once(stub, yahoo, apple, lake, ticker):
    """yfinance keeps one session for all threads: every ticker gets its own prices."""
    symbols = [f"T{number}" for number in range(12)]
    for number, symbol in enumerate(symbols):
        stub.says(symbol, chart(apple + number, symbol=symbol))
    after = datetime(2020, 9, 2, 23, tzinfo=UTC)
    results = fetch([ticker(symbol) for symbol in symbols], lake, now_at=after, named=lambda _: yahoo)
    assert {result.status for result in results} == {"ok"}
    for number, symbol in enumerate(symbols):
        assert lake.read(symbol).frame["close"].iloc[-1] == pytest.approx(apple["close"].iloc[-1] + number)


def test_a_second_fetch_after_a_new_split_restates_nothing(stub, yahoo, apple, lake, ticker):
    """Yahoo's prices all change on a split; as traded they are the same."""
    before = apple.loc[:"2020-08-28"]
    unadjusted = before.assign(**{name: before[name] * 4 for name in PRICES}, volume=before["volume"] / 4)
    stub.says("AAPL", chart(unadjusted, dividends=[("2020-08-07", 0.82)]))
    fetch([ticker()], lake, now_at=datetime(2020, 8, 28, 23, tzinfo=UTC), named=lambda _: yahoo)
    stub.says("AAPL", chart(apple, **SPLIT))
    (result,) = fetch([ticker()], lake, now_at=datetime(2020, 9, 2, 23, tzinfo=UTC), named=lambda _: yahoo)
    assert (result.new_rows, result.rows) == (3, len(apple))
    assert "restated" not in result.message


ASK = """
import asyncio
from datetime import date
from tickerbook.errors import ProviderError
from tickerbook.market.providers.yahoo import Yahoo
from tickerbook.settings import Ticker
ticker = Ticker(symbol="AAPL", name="Apple", providers=("yahoo",), calendar="XNYS", currency="USD")
try:
    asyncio.run(Yahoo().history(ticker, date(2020, 1, 1), date(2020, 9, 2)))
except ProviderError as error:
    print(error.kind)
"""


def test_nothing_is_left_in_the_user_s_home(tmp_path, monkeypatch):
    """yfinance keeps cookies and time zones in ~/.cache unless told otherwise."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("unreachable\n", "")
    assert list(tmp_path.rglob("*")) == []
