"""What is particular to one vendor: plans that lack something, pages, limits of a plan, adjustments."""

import asyncio
from datetime import date

import numpy as np
import pandas as pd
import pytest
from benches import Bench, truth
from stub import Reply, Stub

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.providers import close
from tickerbook.market.raw import PRICES

FIRST, LAST = date(1990, 1, 1), date(2020, 9, 2)


@pytest.fixture
def on_bench(tmp_path, monkeypatch):
    """A maker of benches with a running stub."""
    stubs = []

    def make(name, **params):
        stub = Stub(name)
        stubs.append(stub.__enter__())
        for variable, value in stub.environment.items():
            monkeypatch.setenv(variable, value)
        return Bench(name, tmp_path, stub, timeout=60.0, **params)

    yield make
    for stub in stubs:
        stub.close()


@pytest.fixture
def apple(answers):
    return truth(answers)


def refused(bench, ticker, *arguments):
    with pytest.raises(ProviderError) as caught:
        bench.history(ticker, *(arguments or (FIRST, LAST)))
    return caught.value


def paths(bench):
    return [asked.path for asked in bench.stub.asked]


# Plans that lack actions


@pytest.mark.parametrize(
    ("lacks", "knows"), [("dividends", ("split",)), ("splits", ("dividend",)), ("both", ())]
)
def test_polygon_without_actions_says_which_it_knows(on_bench, apple, ticker, lacks, knows):
    """A column that is not there is not a column of zeros; the bars, as traded, are the same."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)
    bench.stub.lacks = {"dividends", "splits"} if lacks == "both" else {lacks}
    history = bench.history(ticker(), FIRST, LAST)
    assert history.actions == knows
    np.testing.assert_allclose(history.frame[PRICES], apple[PRICES])


def test_finnhub_without_dividends_says_so(on_bench, apple, ticker):
    """Splits are known: they had to be undone."""
    bench = on_bench("finnhub")
    bench.holds("AAPL", apple)
    bench.stub.lacks = {"dividend"}
    assert bench.history(ticker(), FIRST, LAST).actions == ("split",)


def test_finnhub_without_splits_gives_no_history(on_bench, apple, ticker):
    """Its candles are adjusted for splits: without them nobody can say what was traded."""
    bench = on_bench("finnhub")
    bench.holds("AAPL", apple)
    bench.stub.lacks = {"split"}
    error = refused(bench, ticker())
    assert error.kind is ProviderFault.NOT_ENTITLED
    assert "not the splits they are adjusted for" in error.message


def test_finnhub_without_candles(on_bench, apple, ticker):
    """The free plan: 403."""
    bench = on_bench("finnhub")
    bench.holds("AAPL", apple)
    bench.stub.lacks = {"candle"}
    assert refused(bench, ticker()).kind is ProviderFault.NOT_ENTITLED


def test_a_failure_while_asking_for_actions_fails_the_history(on_bench, apple, ticker):
    """Only "not on your plan" means unknown; a limit or a breakdown is no reason to do without."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)
    bench.stub.fails(lambda _, asked, good: Reply({}, 500) if "dividends" in asked.path else good)
    assert refused(bench, ticker()).kind is ProviderFault.UNREACHABLE


def test_dividends_in_another_currency_are_not_taken(on_bench, apple, ticker):
    """An ADR's dividend in euros cannot stand beside prices in dollars."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)

    def euros(_stub, asked, good):
        for row in good.data["results"] if "dividends" in asked.path else []:
            row["currency"] = "EUR"
        return good

    bench.stub.fails(euros)
    assert bench.history(ticker(), FIRST, LAST).actions == ("split",)


# Splits and time


def test_finnhub_s_splits_after_the_last_session_are_undone_too(on_bench, apple, ticker):
    """Candles are adjusted up to the day they are asked for, which the vendor's clock tells."""
    bench = on_bench("finnhub")
    bench.holds("AAPL", apple)
    frame = bench.history(ticker(), FIRST, date(2020, 8, 28)).frame
    assert frame["close"].iloc[-1] == pytest.approx(499.23)
    assert (frame["split"] == 1.0).all()


def test_finnhub_s_splits_of_tomorrow_are_not_undone(on_bench, apple, ticker):
    """Announced, and not in the candles yet: the vendor's clock says 2020-09-03."""
    bench = on_bench("finnhub")
    bench.holds("AAPL", apple)

    def announced(_stub, asked, good):
        if asked.path == "/stock/split" and asked.query["to"] >= "2020-09-10":
            return Reply(
                [*good.data, {"symbol": "AAPL", "date": "2020-09-10", "fromFactor": 1, "toFactor": 2}]
            )
        return good

    bench.stub.fails(announced)
    np.testing.assert_allclose(bench.history(ticker(), FIRST, LAST).frame[PRICES], apple[PRICES])


def test_an_action_on_a_day_without_a_bar_counts_on_the_next(on_bench, apple, ticker):
    """And one after the last bar waits for its bar."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)

    def without(_stub, asked, good):
        if "aggs" in asked.path:
            good.data["results"] = [row for row in good.data["results"] if row["c"] not in {444.45, 131.4}]
        if "dividends" in asked.path:
            good.data["results"].append({**good.data["results"][0], "ex_dividend_date": "2020-09-02"})
        return good

    bench.stub.fails(without)
    frame = bench.history(ticker(), FIRST, LAST).frame
    told = frame["dividend"][frame["dividend"] != 0]
    assert {f"{day:%m-%d}": value for day, value in told.items()} == {"08-10": 0.82}


# Polygon's pages


def test_pages_are_put_together(on_bench, apple, ticker):
    """Ten sessions, three on a page."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)
    bench.stub.page = 3
    frame = bench.history(ticker(), FIRST, LAST).frame
    assert len(frame) == len(apple)
    assert len([path for path in paths(bench) if "aggs" in path]) == 4


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/v2/aggs?cursor=1",
        "http://api.polygon.io/v2/aggs?cursor=1",
        "https://api.polygon.io.evil.example/v2/aggs",
        "https://api.polygon.io@evil.example/v2/aggs",
        "https://127.0.0.1:1/v2/aggs",
        "file:///etc/passwd",
        "//evil.example/v2",
        "http://[::1",
    ],
)
def test_a_next_page_elsewhere_is_not_followed(on_bench, apple, ticker, address):
    """Neither with the key nor without; half a history is none."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)

    def lured(_stub, _asked, good):
        return Reply({**good.data, "next_url": address})

    bench.stub.fails(lured)
    error = refused(bench, ticker())
    assert error.kind is ProviderFault.MALFORMED
    assert "continues at another address" in error.message
    assert len(bench.stub.asked) == 1


def test_a_circle_of_pages_is_left(on_bench, apple, ticker):
    """A page that names itself, or one before it, is asked once."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)

    def circle(stub, asked, good):
        return Reply({**good.data, "next_url": f"{stub.url}{asked.path}?cursor=1&apiKey=x"})

    bench.stub.fails(circle)
    error = refused(bench, ticker())
    assert error.kind is ProviderFault.MALFORMED
    assert "pages without end" in error.message
    assert len(bench.stub.asked) == 2


def test_pages_come_to_an_end(on_bench, apple, ticker, monkeypatch):
    """Also where each has a new name."""
    monkeypatch.setattr("tickerbook.market.providers.polygon._MOST_PAGES", 7)
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)

    def endless(stub, asked, good):
        return Reply({**good.data, "next_url": f"{stub.url}{asked.path}?cursor={len(stub.asked)}"})

    bench.stub.fails(endless)
    assert "pages without end" in refused(bench, ticker()).message
    assert len(bench.stub.asked) == 7


def test_a_key_that_the_next_page_s_address_has_is_dropped(on_bench, apple, ticker):
    """Some answers put the key into it; it is sent in the header alone."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)
    bench.stub.page = 6

    def with_key(_stub, _asked, good):
        if "next_url" in good.data:
            good.data["next_url"] += "&apiKey=ANOTHER"
        return good

    bench.stub.fails(with_key)
    assert len(bench.history(ticker(), FIRST, LAST).frame) == len(apple)
    assert not any("apiKey" in asked.query for asked in bench.stub.asked)


def test_adjusted_bars_are_refused_where_bars_as_traded_were_asked_for(on_bench, apple, ticker):
    """A proxy that drops the parameter would put adjusted prices among those as traded."""
    bench = on_bench("polygon")
    bench.holds("AAPL", apple)
    bench.stub.fails(lambda _stub, _asked, good: Reply({**good.data, "adjusted": True}))
    assert "adjusted bars" in refused(bench, ticker()).message


# Alpha Vantage's plans


def test_the_free_plan_gives_the_newest_hundred_sessions(on_bench, ticker, raw):
    """What was before is not there, and is not asked for again."""
    days = pd.bdate_range("2020-01-06", "2020-08-28")
    bench = on_bench("alphavantage")
    bench.holds("IBM", raw({f"{day:%Y-%m-%d}": 100.0 + n for n, day in enumerate(days)}))
    frame = bench.history(ticker("IBM"), FIRST, LAST).frame
    assert len(frame) == 100
    assert [asked.query["function"] for asked in bench.stub.asked] == [
        "TIME_SERIES_DAILY",
        "SPLITS",
        "DIVIDENDS",
    ]


def test_a_paid_plan_gives_everything_in_one_request(on_bench, apple, ticker):
    """Dividends as declared and splits stand beside the bars."""
    bench = on_bench("alphavantage", premium=True)
    bench.holds("AAPL", apple)
    frame = bench.history(ticker(), FIRST, LAST).frame
    pd.testing.assert_frame_equal(frame, apple, check_freq=False, check_names=False)
    assert [asked.query["outputsize"] for asked in bench.stub.asked] == ["full"]


def test_a_paid_plan_asks_for_little_where_little_is_missing(on_bench, ticker, raw):
    """A week: the newest hundred sessions have it. A week of long ago: they do not."""
    days = pd.bdate_range("2019-01-07", "2020-08-28")
    bench = on_bench("alphavantage", premium=True)
    bench.holds("IBM", raw({f"{day:%Y-%m-%d}": 100.0 + n for n, day in enumerate(days)}))
    assert len(bench.history(ticker("IBM"), date(2020, 8, 24), LAST).frame) == 5
    assert [asked.query["outputsize"] for asked in bench.stub.asked] == ["compact"]
    assert len(bench.history(ticker("IBM"), date(2019, 2, 4), date(2019, 2, 8)).frame) == 5
    assert [asked.query["outputsize"] for asked in bench.stub.asked[1:]] == ["compact", "full"]


def test_a_free_key_with_premium_in_params(on_bench, apple, ticker):
    """Says that the plan does not have it."""
    bench = on_bench("alphavantage", premium=True)
    bench.holds("AAPL", apple)
    bench.stub.lacks = {"TIME_SERIES_DAILY_ADJUSTED"}
    assert refused(bench, ticker()).kind is ProviderFault.NOT_ENTITLED


def test_dividends_before_a_split_are_unknown_on_the_free_plan(on_bench, apple, ticker):
    """Nobody documents whether they are adjusted for it; after the split they are clear."""
    bench = on_bench("alphavantage")
    bench.holds("AAPL", apple)
    assert bench.history(ticker(), FIRST, LAST).actions == ("split",)
    assert bench.history(ticker(), date(2020, 8, 31), LAST).actions == ("dividend", "split")


def test_share_classes_as_alpha_vantage_writes_them(on_bench, apple, ticker):
    """BRK.B is BRK-B there; an answer for either is for the same."""
    bench = on_bench("alphavantage")
    bench.holds("BRK-B", apple)
    assert len(bench.history(ticker("BRK.B"), FIRST, LAST).frame) == len(apple)


# Finnhub's months


def test_intraday_bars_come_a_month_at_a_time(on_bench, apple, ticker):
    """Backwards, until a month has nothing."""
    index = pd.DatetimeIndex(pd.to_datetime(["2020-07-20T13:30Z", "2020-08-03T13:30Z", "2020-09-02T13:30Z"]))
    bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0), index=index)
    bench = on_bench("finnhub")
    bench.holds("AAPL", apple, bars)
    frame = bench.history(ticker(), FIRST, LAST, "1h").frame
    assert [f"{at:%m-%d}" for at in frame.index] == ["07-20", "08-03", "09-02"]
    asked = [int(asked.query["to"]) - int(asked.query["from"]) for asked in bench.stub.asked]
    assert max(asked) <= 31 * 86_400
    assert len(asked) < 8


def test_massive_and_polygon_are_one_service(on_bench, apple, ticker, monkeypatch):
    """Either name of the key serves either."""
    bench = on_bench("massive")
    bench.holds("AAPL", apple)
    key = bench.stub.environment["MASSIVE_API_KEY"]
    monkeypatch.delenv("MASSIVE_API_KEY")
    monkeypatch.setenv("POLYGON_API_KEY", key)
    assert bench.history(ticker(), FIRST, LAST).source == "massive"


def test_connections_are_shared_within_a_loop_and_closed(on_bench, apple, ticker):
    """Many questions, few connections; afterwards none."""
    bench = on_bench("finnhub")
    bench.holds("AAPL", apple)

    async def several():
        for _ in range(3):
            await bench.provider.history(ticker(), FIRST, LAST)
        open_before = len(bench.provider.connection._open)
        await close([bench.provider])
        return open_before, len(bench.provider.connection._open)

    assert asyncio.run(several()) == (1, 0)


def test_headlines_link_to_pages_only(on_bench, apple, ticker):
    """An address that runs a script, or none, is no headline; the newest come first."""
    bench = on_bench("finnhub")
    bench.holds("AAPL", apple)

    def many(_stub, _asked, good):
        (one,) = good.data
        addresses = ["javascript:alert(1)", "", "file:///etc/passwd", "https://a.example", "http://b.example"]
        return Reply([one | {"url": url, "datetime": 1598961600 + n} for n, url in enumerate(addresses)])

    bench.stub.fails(many)
    found = bench.ask("news", ticker(), FIRST, LAST)
    assert [one.url for one in found] == ["http://b.example", "https://a.example"]
