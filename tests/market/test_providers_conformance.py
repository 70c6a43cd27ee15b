"""What every provider does, whoever is behind it: the bars that its vendor holds, or an error that says why not."""

import asyncio
from datetime import UTC, date

import numpy as np
import pandas as pd
import pytest
from benches import KEYED, NETWORKED, Bench, five_minutes, truth
from stub import CANARY, Stub
from yfinance.data import SingletonMeta

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.providers import Closing, News, Quotes, permit
from tickerbook.market.raw import PRICES, RAW

# yfinance 1.7 uses much that pandas 4 will change.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FIRST, LAST = date(1990, 1, 1), date(2020, 9, 2)
BENCHES = ("files", *NETWORKED)
MALFORMED, UNREACHABLE = ProviderFault.MALFORMED, ProviderFault.UNREACHABLE
LIMITED, NOT_ENTITLED = ProviderFault.RATE_LIMITED, ProviderFault.NOT_ENTITLED
NOT_FOUND, EMPTY = ProviderFault.NOT_FOUND, ProviderFault.EMPTY
KINDS = {
    "429": (LIMITED, None),
    "429 with seconds": (LIMITED, 17.0),
    "429 with a date": (LIMITED, 42.0),
    "429 with a reset": (LIMITED, 33.0),
    "limit sent as 200": (LIMITED, 86_400.0),
    "burst sent as 200": (LIMITED, 1.0),
    "500": (UNREACHABLE, None),
    "503 with seconds": (UNREACHABLE, 120.0),
    "401": (NOT_ENTITLED, None),
    "403": (NOT_ENTITLED, None),
    "premium sent as 200": (NOT_ENTITLED, None),
    "404": (NOT_FOUND, None),
    "unknown sent as 200": (NOT_FOUND, None),
    "maintenance page": (MALFORMED, None),
    "truncated": (MALFORMED, None),
    "not JSON": (MALFORMED, None),
    "other JSON": (MALFORMED, None),
    "wrong types": (MALFORMED, None),
    "nothing": (EMPTY, None),
    "hang-up": (UNREACHABLE, None),
    "redirect": (UNREACHABLE, None),
    "wrong symbol": (MALFORMED, None),
    "bad encoding": (MALFORMED, None),
}


@pytest.fixture
def bench(request, tmp_path, monkeypatch):
    """The provider named by the test, on its bench."""
    name = request.param
    SingletonMeta._instances.clear()
    if name not in NETWORKED:
        yield Bench(name, tmp_path, None)
        return
    with Stub(name) as stub:
        for variable, value in stub.environment.items():
            monkeypatch.setenv(variable, value)
        yield Bench(name, tmp_path, stub, timeout=60.0)
    SingletonMeta._instances.clear()


def every(names):
    return pytest.mark.parametrize("bench", names, indirect=True)


def refused(bench, ticker, *arguments, what="history"):
    """The error of a question; it names the ticker and a way out."""
    with pytest.raises(ProviderError) as caught:
        bench.ask(what, ticker, *(arguments or (FIRST, LAST)) if what != "quote" else ())
    assert ticker.symbol in caught.value.message
    assert caught.value.remedy
    return caught.value


@pytest.fixture
def apple(answers):
    return truth(answers)


@every(BENCHES)
def test_the_bars_as_traded_with_their_actions(bench, apple, ticker):
    """A 4:1 split and a dividend before it: whatever the vendor adjusts, what comes back is what was traded."""
    bench.holds("AAPL", apple)
    frame = bench.history(ticker(), FIRST, LAST).frame
    expected = apple if "dividend" in frame else apple.drop(columns="dividend")
    pd.testing.assert_frame_equal(frame, expected, rtol=1e-6, check_freq=False, check_names=False)


@every(BENCHES)
def test_the_frame_is_a_raw_frame(bench, apple, ticker):
    """float64, naive dates at midnight, ascending, the columns in their order."""
    bench.holds("AAPL", apple.iloc[::-1])
    history = bench.history(ticker(), FIRST, LAST)
    assert set(history.frame.dtypes) == {np.dtype("float64")}
    assert history.frame.index.tz is None
    assert (history.frame.index == history.frame.index.normalize()).all()
    assert history.frame.index.is_monotonic_increasing
    assert list(history.frame.columns) == [name for name in RAW if name in history.frame]
    assert set(history.actions) <= {"dividend", "split"}
    assert history.source.startswith(bench.name)
    assert history.currency in {None, "USD"}


@every(BENCHES)
def test_first_and_last_are_included(bench, apple, ticker):
    """And nothing outside; of actions neither."""
    bench.holds("AAPL", apple)
    frame = bench.history(ticker(), date(2020, 8, 10), date(2020, 8, 27)).frame
    assert [f"{day:%m-%d}" for day in frame.index] == ["08-10", "08-26", "08-27"]
    np.testing.assert_allclose(frame["close"], apple.loc[frame.index, "close"], rtol=1e-6)
    assert (frame["split"] == 1.0).all()


@every(BENCHES)
def test_sessions_keep_their_date_when_clocks_change(bench, ticker, raw):
    """New York was five hours behind UTC until 2020-03-08, then four."""
    days = [f"2020-03-{day:02d}" for day in (4, 5, 6, 9, 10, 11)]
    bench.holds("AAPL", raw({day: 70.0 + n for n, day in enumerate(days)}))
    frame = bench.history(ticker(), FIRST, LAST).frame
    assert [f"{day:%Y-%m-%d}" for day in frame.index] == days


@every(BENCHES)
def test_an_unknown_symbol(bench, apple, ticker):
    """Not an empty frame, and not the same as a failure."""
    bench.holds("AAPL", apple)
    assert refused(bench, ticker("NOPE")).kind is NOT_FOUND


@every(("sample",))
def test_an_unknown_symbol_of_the_sample(bench, ticker):
    """It has a file of its own."""
    assert refused(bench, ticker("NOPE")).kind is NOT_FOUND


@every((*BENCHES, "sample"))
def test_dates_without_bars(bench, apple, ticker):
    """The symbol is known; there is nothing of those days."""
    bench.holds("AAPL", apple)
    assert refused(bench, ticker(), date(1991, 1, 1), date(1991, 2, 1)).kind is EMPTY


@every(BENCHES)
def test_intraday_bars(bench, apple, ticker):
    """By the instant each begins, in UTC, without actions: those belong to sessions."""
    bars = five_minutes()
    bench.holds("AAPL", apple, bars)
    frame = bench.history(ticker(), date(2020, 9, 2), LAST, "5m").frame
    pd.testing.assert_frame_equal(frame, bars, rtol=1e-6, check_freq=False, check_names=False)
    assert frame.index.tz is not None


@every((*BENCHES, "sample"))
@pytest.mark.parametrize("interval", ["7m", "1w", "", "1D"])
def test_an_interval_that_nobody_serves(bench, apple, ticker, interval):
    """Says so, and asks nobody."""
    bench.holds("AAPL", apple)
    error = refused(bench, ticker(), FIRST, LAST, interval)
    assert error.kind is NOT_ENTITLED
    assert "does not serve" in error.message or "do not serve" in error.message
    assert bench.stub is None or bench.stub.asked == []


@every(("sample",))
def test_the_sample_has_no_intraday_bars(bench, ticker):
    """A clear no."""
    assert "does not serve bars of '5m'" in refused(bench, ticker(), FIRST, LAST, "5m").message


@every(BENCHES)
def test_many_at_once(bench, apple, ticker):
    """Each ticker gets its own prices."""
    symbols = [f"T{number}" for number in range(12)]
    for number, symbol in enumerate(symbols):
        bench.holds(symbol, apple.assign(**{name: apple[name] + number for name in PRICES}))

    async def all_of_them():
        found = await asyncio.gather(*(bench.provider.history(ticker(s), FIRST, LAST) for s in symbols))
        await bench.asked("close") if isinstance(bench.provider, Closing) else None
        return found

    for number, history in enumerate(asyncio.run(all_of_them())):
        assert history.frame["close"].iloc[-1] == pytest.approx(apple["close"].iloc[-1] + number)


@every(BENCHES)
def test_it_can_be_asked_again_in_another_event_loop(bench, apple, ticker):
    """Connections belong to a loop; the provider does not."""
    bench.holds("AAPL", apple)
    first, second = (bench.history(ticker(), FIRST, LAST).frame for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


@every(BENCHES)
def test_every_request_is_permitted_first(bench, apple, ticker):
    """One permit for each request; none where nobody is asked. yfinance asks for its cookie besides."""
    bench.holds("AAPL", apple)
    permits = []

    async def wait():
        permits.append(1)

    async def limited():
        permit.set(wait)
        return await bench.asked("history", ticker(), FIRST, LAST)

    asyncio.run(limited())
    charts = [asked for asked in bench.stub.asked if "crumb" not in asked.path] if bench.stub else []
    assert len(permits) == len([asked for asked in charts if asked.path != "/"])


@every(KEYED)
@pytest.mark.parametrize("fault", KINDS)
def test_each_failure_has_its_kind(bench, apple, ticker, fault):
    """And how long to wait, where the vendor tells: by its own clock, not by ours."""
    bench.holds("AAPL", apple)
    bench.stub.fails(fault)
    error = refused(bench, ticker())
    assert (error.kind, error.retry_after) == KINDS[fault]


@every(("yahoo",))
@pytest.mark.parametrize("fault", KINDS)
def test_each_failure_of_yahoo_is_an_error(bench, apple, ticker, fault):
    """yfinance decides on most kinds; those it tells apart stay apart."""
    bench.holds("AAPL", apple)
    bench.stub.fails(fault)
    error = refused(bench, ticker())
    if fault == "wrong symbol":
        assert error.kind is MALFORMED
    if fault.startswith("429"):
        assert error.kind is LIMITED


@every(NETWORKED)
def test_a_failure_that_passes(bench, apple, ticker):
    """500, then good: nothing of the failure stays."""
    bench.holds("AAPL", apple)
    bench.stub.fails("500")
    refused(bench, ticker())
    bench.stub.fails(None)
    assert len(bench.history(ticker(), FIRST, LAST).frame) == len(apple)


@every(NETWORKED)
def test_a_closed_port(bench, ticker):
    """Refused: unreachable, not unknown."""
    bench.stub.close()
    error = refused(bench, ticker())
    assert error.kind is UNREACHABLE


@every(NETWORKED)
def test_quotes(bench, apple, ticker):
    """The latest price, with its session."""
    bench.holds("AAPL", apple)
    assert isinstance(bench.provider, Quotes)
    quote = bench.ask("quote", ticker())
    assert (quote.ticker, quote.price, quote.previous_close) == ("AAPL", 131.4, 134.18)
    assert quote.session == LAST
    assert (
        quote.quoted_at is None or quote.quoted_at.astimezone(UTC).isoformat() == "2020-09-02T20:00:00+00:00"
    )


@every(NETWORKED)
def test_a_quote_of_an_unknown_symbol(bench, apple, ticker):
    """Finnhub says zeros, Alpha Vantage an empty object: neither is a price."""
    bench.holds("AAPL", apple)
    assert refused(bench, ticker("NOPE"), what="quote").kind is NOT_FOUND


@every(NETWORKED)
def test_news(bench, apple, ticker):
    """As its publisher wrote it, markup and all: pages clean it."""
    bench.holds("AAPL", apple)
    assert isinstance(bench.provider, News)
    (headline,) = bench.ask("news", ticker(), date(2020, 8, 30), LAST)
    assert headline.title == "Synthetic <b>headline</b>"
    assert (headline.url, headline.publisher) == ("https://example.invalid/a", "Example")
    assert headline.published_at.isoformat() == "2020-09-01T12:00:00+00:00"


@every(KEYED)
def test_the_key_is_sent_and_only_once(bench, apple, ticker):
    """In a header where the vendor takes one; the address has it only where there is no other way."""
    bench.holds("AAPL", apple)
    bench.history(ticker(), FIRST, LAST)
    for asked in bench.stub.asked:
        inside = [*asked.query.values(), *asked.headers.values()]
        assert len([value for value in inside if CANARY in value]) == 1
        assert (asked.query.get("apikey") == CANARY) == (bench.name == "alphavantage")
