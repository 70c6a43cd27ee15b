"""Fetching: asked only for what can be new, one outcome for each ticker, nothing finished is lost."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
import virtual_time

from tickerbook.errors import ConfigError, NoBarsError, ProviderError, ProviderFault
from tickerbook.market.lake import Lake
from tickerbook.market.sourcing import fetch, fetch_all
from tickerbook.sessions import FIRST
from tickerbook.settings import Ticker

FRIDAY = date(2012, 3, 9)
STRANGE = ["NAN", "ON", "0700", "BRK.B", "^GSPC", "NA", "NULL", "TRUE", "1E5", "EURUSD=X"]


@pytest.fixture
def run(lake, now_at):
    """Fetch tickers with providers by name, waiting for nothing; the results."""

    def do(tickers, at=now_at, on_done=lambda _: None, **providers):
        tickers = [tickers] if isinstance(tickers, Ticker) else tickers
        named = providers.__getitem__
        return virtual_time.run(fetch_all(tickers, lake, now_at=at, on_done=on_done, named=named))[0]

    return do


def test_a_first_fetch_stores_the_history(run, lake, ticker, fake, week):
    """Result, origin and the range that was asked for."""
    provider = fake(week, source="fake 1.0")
    (result,) = run(ticker(), fake=provider)
    assert (result.ticker, result.status, result.provider) == ("AAPL", "ok", "fake")
    assert (result.rows, result.new_rows, result.session) == (5, 5, FRIDAY)
    assert (result.message, result.remedy) == ("5 sessions new", "")
    assert provider.asked == [("AAPL", FIRST, FRIDAY)]
    assert lake.read("AAPL").origin.source == "fake 1.0"


def test_nobody_is_asked_when_the_last_completed_session_is_stored(run, ticker, fake, week):
    """Also over the weekend, until Monday's close."""
    provider = fake(week)
    run(ticker(), fake=provider)
    for at in (datetime(2012, 3, 9, 23, tzinfo=UTC), datetime(2012, 3, 12, 19, 59, tzinfo=UTC)):
        (result,) = run(ticker(), at=at, fake=provider)
        assert (result.status, result.rows, result.new_rows, result.session) == ("ok", 5, 0, FRIDAY)
        assert result.message == "up to date, nobody was asked"
    assert len(provider.asked) == 1
    run(ticker(), at=datetime(2012, 3, 12, 20, 0, tzinfo=UTC), fake=provider)
    assert len(provider.asked) == 2


def test_new_sessions_are_added(run, lake, ticker, fake, month):
    """The next day brings one."""
    run(ticker(), at=datetime(2012, 3, 8, 23, tzinfo=UTC), fake=fake(month.iloc[:-1]))
    (result,) = run(ticker(), fake=fake(month))
    assert (result.rows, result.new_rows, result.message) == (29, 1, "1 session new")
    assert len(lake.read("AAPL").frame) == 29


def test_a_provider_with_nothing_new_leaves_the_file_as_it_is(run, lake, ticker, fake, week, now_at):
    """A provider whose data ended long ago is asked again, and nothing is written."""
    run(ticker(), fake=fake(week))
    before = lake.path("AAPL").stat()
    (result,) = run(ticker(), at=now_at + timedelta(days=3000), fake=fake(week))
    said = "nothing new; ends at 2012-03-09, 2020-05-26 is due"
    assert (result.status, result.message, result.new_rows) == ("ok", said, 0)
    after = lake.path("AAPL").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_the_sample_universe_is_fetched_once(tmp_path, ticker):
    """The second time changes no byte and no digest, whatever the day; that it is old is said."""
    lake = Lake(tmp_path)
    tickers = [ticker(symbol, providers=("sample",)) for symbol in ("AAPL", "FB", "GOOG", "IBM", "MSFT")]
    fetch(tickers, lake, now_at=datetime(2026, 3, 4, 22, tzinfo=UTC))
    before = {symbol: (lake.path(symbol).read_bytes(), lake.bars(symbol).digest) for symbol in lake.tickers()}
    results = fetch(tickers, lake, now_at=datetime(2026, 3, 9, 22, tzinfo=UTC))
    said = "nothing new; ends at 2013-03-01, 2026-03-09 is due"
    assert {(result.status, result.message) for result in results} == {("ok", said)}
    after = {symbol: (lake.path(symbol).read_bytes(), lake.bars(symbol).digest) for symbol in lake.tickers()}
    assert after == before
    assert len(after) == 5


def test_one_failure_stops_nothing(run, lake, ticker, fake, week):
    """A provider's error, a mistake of ours and good tickers side by side, in the order asked for."""
    own = {
        "BAD": ProviderError(ProviderFault.UNREACHABLE, "No line.", "Plug it in."),
        "BUG": KeyError("oops"),
    }
    symbols = ["AAPL", "BAD", "BUG", "MSFT", "NOPE"]
    seen = []
    provider = fake(week, own | {"NOPE": None})
    results = run([ticker(symbol) for symbol in symbols], on_done=seen.append, fake=provider)
    assert [result.ticker for result in results] == symbols
    assert [result.status for result in results] == ["ok", "failed", "failed", "ok", "failed"]
    assert (results[1].message, results[1].remedy) == ("No line.", "Plug it in.")
    assert re.fullmatch(
        r"BUG: fake stumbled over the answer \(KeyError in conftest.py:\d+\).", results[2].message
    )
    assert "report" in results[2].remedy
    assert lake.tickers() == ("AAPL", "MSFT")
    assert sorted(result.ticker for result in seen) == sorted(symbols)


def test_a_failure_keeps_and_shows_what_is_stored(run, lake, ticker, fake, week, now_at):
    """Rows and newest session of the lake, so that a page can say how old its prices are."""
    run(ticker(), fake=fake(week))
    (result,) = run(ticker(), at=now_at + timedelta(days=5), fake=fake())
    assert (result.status, result.rows, result.session) == ("failed", 5, FRIDAY)
    assert len(lake.read("AAPL").frame) == 5


def test_providers_are_asked_in_the_order_written(run, lake, ticker, fake, week):
    """The second only when the first does not deliver; the message says why it was needed."""
    first, second, third = fake(), fake(week), fake(week)
    (result,) = run(ticker(providers=("one", "two", "three")), one=first, two=second, three=third)
    assert (result.status, result.provider) == ("ok", "two")
    assert result.message == "fake has no AAPL; 5 sessions new"
    assert [len(provider.asked) for provider in (first, second, third)] == [1, 1, 0]
    assert lake.read("AAPL").origin.provider == "two"


def test_a_provider_that_is_not_listed_is_never_asked(run, lake, ticker, fake, week):
    """Above all not the sample: no silent fall-back to old prices."""
    sample = fake(week)
    (result,) = run(ticker(providers=("yahoo",)), yahoo=fake(), sample=sample)
    assert result.status == "failed"
    assert sample.asked == []
    with pytest.raises(NoBarsError):
        lake.read("AAPL")


def test_when_all_fail_all_are_named(run, ticker, fake):
    """The remedy is the first one's: it was preferred."""
    down = ProviderError(ProviderFault.UNREACHABLE, "No line.", "Plug it in.")
    (result,) = run(ticker(providers=("one", "two")), one=fake(own={"AAPL": down}), two=fake())
    assert (result.message, result.remedy) == ("No line. fake has no AAPL.", "Plug it in.")
    assert result.provider == "one, two"


@pytest.mark.parametrize("symbol", STRANGE)
def test_strange_symbols_arrive_as_they_are(run, lake, ticker, fake, week, symbol):
    """At the provider, in the result and in the lake."""
    provider = fake(week)
    (result,) = run(ticker(symbol), fake=provider)
    assert (result.ticker, provider.asked[0][0], lake.tickers()) == (symbol, symbol, (symbol,))


def test_what_the_gate_found_is_part_of_the_result(run, ticker, fake, month):
    """Rows set aside and doubts are told, not hidden."""
    month.loc["2012-03-07", "close"] = float("nan")
    (result,) = run(ticker(), fake=fake(month))
    assert result.message == "28 sessions new; 1 session set aside (blank.price)"
    assert (result.new_rows, result.repaired, result.quarantined) == (28, 0, 1)


@pytest.mark.parametrize("rows", [slice(0), slice(None)])
def test_an_answer_without_usable_bars_fails(run, lake, ticker, fake, week, rows):
    """And is not stored as truth."""
    (result,) = run(ticker(), fake=fake(week.assign(close=float("nan")).iloc[rows]))
    assert result.status == "failed"
    assert "no usable bar" in result.message
    assert lake.tickers() == ()


def test_an_empty_answer_never_harms_what_is_stored(run, lake, ticker, fake, week, now_at):
    """A vendor's bad day."""
    run(ticker(), fake=fake(week))
    (result,) = run(ticker(), at=now_at + timedelta(days=5), fake=fake(week.iloc[:0]))
    assert (result.status, result.rows) == ("failed", 5)
    assert len(lake.read("AAPL").frame) == 5


def test_a_shorter_answer_is_reported_and_not_believed(run, lake, ticker, fake, week, now_at):
    """Never newer overwritten with less."""
    run(ticker(), fake=fake(week))
    (result,) = run(ticker(), at=now_at + timedelta(days=5), fake=fake(week.iloc[:3]))
    assert (result.status, result.rows, result.session) == ("ok", 5, FRIDAY)
    assert result.message.startswith("the answer of fake ends before what is stored, which was kept as it is")
    assert "ends at 2012-03-07, 2012-03-14 is due" in result.message
    assert len(lake.read("AAPL").frame) == 5


def test_restated_and_forgotten_sessions_are_reported(run, ticker, fake, month, now_at):
    """With their number."""
    run(ticker(), fake=fake(month))
    month.loc["2012-03-06", "close"] += 0.2
    answer = month.drop(pd.Timestamp("2012-03-07"))
    (result,) = run(ticker(), at=now_at + timedelta(days=3), fake=fake(answer))
    told = (
        "1 session restated, 1 session kept that fake no longer has; close of 1 session, most on 2012-03-06: "
    )
    assert result.message.startswith(told)
    assert (result.restated, result.new_rows, result.rows) == (1, 0, 29)


def test_a_torn_file_is_set_aside_and_fetched_again(run, lake, ticker, fake, week):
    """Even when its last session would have been current."""
    run(ticker(), fake=fake(week))
    content = lake.path("AAPL").read_bytes()
    lake.path("AAPL").write_bytes(content[: len(content) // 2])
    (result,) = run(ticker(), fake=fake(week))
    assert (result.status, result.new_rows) == ("ok", 5)
    assert result.message == "5 sessions new; a damaged file was set aside as AAPL.parquet.torn"
    assert len(lake.read("AAPL").frame) == 5


def test_a_torn_file_stays_where_it_is_while_nobody_delivers(run, lake, ticker, fake, week):
    """It may still be of use to somebody."""
    run(ticker(), fake=fake(week))
    lake.path("AAPL").write_bytes(b"torn")
    (result,) = run(ticker(), fake=fake())
    assert (result.status, result.rows, result.session) == ("failed", 0, None)
    assert lake.path("AAPL").read_bytes() == b"torn"


def test_a_disk_that_refuses_fails_the_ticker(run, lake, ticker, fake, week):
    """With the lake's own words."""
    lake.root.write_text("a file where a folder should be", encoding="utf-8")
    (result,) = run(ticker(), fake=fake(week))
    assert result.status == "failed"
    assert result.remedy


def test_a_currency_that_params_do_not_expect_is_refused(run, lake, ticker, fake, week):
    """Pence taken for pounds would make every size a hundred times too small."""
    (result,) = run(ticker("VOD.L", calendar="XLON", currency="GBP"), fake=fake(week, currency="GBp"))
    assert (result.status, lake.tickers()) == ("failed", ())
    assert result.message == "VOD.L: fake quotes it in GBp, params/ say GBP."
    assert result.remedy == 'Write currency = "GBp" in [ticker.VOD.L] of params/universe.toml.'


def test_corrected_params_are_taken_over(run, lake, ticker, fake, week):
    """A stored ticker is current only if its calendar and currency are still what params/ say."""
    run(ticker(currency="EUR"), fake=fake(week))
    run(ticker(currency="USD"), fake=fake(week))
    assert lake.bars("AAPL").currency == "USD"


def test_the_calendar_of_each_ticker_decides(run, ticker, fake, week):
    """At 09:00 UTC on Monday Tokyo has closed and New York has not opened."""
    provider = fake(week)
    tickers = [ticker("7203", calendar="XTKS", currency="JPY"), ticker("AAPL")]
    run(tickers, at=datetime(2012, 3, 12, 9, tzinfo=UTC), fake=provider)
    assert sorted((symbol, last) for symbol, _, last in provider.asked) == [
        ("7203", date(2012, 3, 12)),
        ("AAPL", FRIDAY),
    ]


def test_a_wrong_configuration_is_told_before_anybody_is_asked(lake, ticker, fake, week, now_at):
    """An unknown provider or calendar is exit code 2, not a failed ticker."""
    good = fake(week)
    tickers = [ticker("AAPL"), ticker("MSFT", providers=("yaho",))]
    with pytest.raises(ConfigError, match="Did you mean yahoo"):
        fetch([tickers[1]], lake, now_at=now_at)
    with pytest.raises(ConfigError, match="calendar named 'NOPE'"):
        fetch([ticker(), ticker(calendar="NOPE")], lake, now_at=now_at, named=lambda _: good)
    assert good.asked == []


def test_no_tickers_no_work(lake, now_at):
    """An empty universe is the settings' business."""
    assert fetch([], lake, now_at=now_at) == []


def test_tickers_are_fetched_at_once(run, ticker, fake, week):
    """Four questions that wait for one another come to an end."""
    together, asked = asyncio.Event(), []

    class Waiting(fake):
        async def history(self, *question):
            asked.append(question)
            if len(asked) == 4:
                together.set()
            await together.wait()
            return await super().history(*question)

    results = run([ticker(symbol) for symbol in ("A", "B", "C", "D")], fake=Waiting(week))
    assert [result.status for result in results] == ["ok"] * 4


def test_an_interrupt_loses_nothing_that_was_finished(run, lake, ticker, fake, week):
    """Ctrl-C after the first result: that one is stored whole, those not begun are never asked."""
    first_done = asyncio.Event()

    class Slow(fake):
        async def history(self, asked, *dates):
            answer = await super().history(asked, *dates)
            if asked.symbol != "T0":
                await first_done.wait()
            return answer

    def interrupt(result):
        assert result.ticker == "T0"
        first_done.set()
        raise KeyboardInterrupt

    provider = Slow(week)
    with pytest.raises(KeyboardInterrupt):
        run([ticker(f"T{number}") for number in range(200)], on_done=interrupt, fake=provider)
    assert len(lake.read("T0").frame) == 5
    assert 0 < len(provider.asked) < 200
    for symbol in lake.tickers():
        assert len(lake.read(symbol).frame) == 5
