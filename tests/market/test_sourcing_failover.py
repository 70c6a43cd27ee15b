"""Whose bars are taken when: by preference, by how others failed, and by what the stored history says."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import virtual_time

from tickerbook.errors import DataError, ProviderError, ProviderFault
from tickerbook.market.asking import Bounds
from tickerbook.market.providers import History, permitted
from tickerbook.market.quarantine import Quarantine
from tickerbook.market.query import ask
from tickerbook.market.raw import PRICES
from tickerbook.market.scorecard import Scorecard
from tickerbook.market.sourcing import fetch_all, prefetch
from tickerbook.sessions import FIRST, sessions_between
from tickerbook.settings import ProviderParams, Ticker

THURSDAY = datetime(2012, 3, 8, 23, tzinfo=UTC)
PASSING = [ProviderFault.RATE_LIMITED, ProviderFault.UNREACHABLE, ProviderFault.MALFORMED]
STAYING = [ProviderFault.NOT_FOUND, ProviderFault.NOT_ENTITLED, ProviderFault.EMPTY]


class Vendor:
    """Holds one history for every ticker, of which it gives what is asked for; counts requests.

    `fails` is an error for everything, or for the symbols in it; `hangs` takes for ever.
    """

    def __init__(self, frame=None, fails=None, hangs=False, source="fake 1.0", currency=None):
        self.frame, self.fails, self.hangs = frame, fails, hangs
        self.source, self.currency = source, currency
        self.asked: list[tuple[str, date, date]] = []

    async def history(self, ticker, first, last, _interval="1d"):
        await permitted()
        self.asked.append((ticker.symbol, first, last))
        if self.hangs:
            await asyncio.sleep(1e9)
        error = self.fails.get(ticker.symbol) if isinstance(self.fails, dict) else self.fails
        if error is not None:
            raise error
        rows = self.frame.loc[pd.Timestamp(first) : pd.Timestamp(last)]
        if rows.empty:
            raise ProviderError(ProviderFault.EMPTY, f"{ticker.symbol}: nothing there.", "Wait.")
        return History(rows, self.source, self.currency)


def error(kind, retry_after=None):
    """A failure of a kind."""
    return ProviderError(kind, f"AAPL: {kind}.", "Wait.", retry_after)


@pytest.fixture
def data(tmp_path):
    """What is remembered from one program to the next."""
    return tmp_path / "data"


@pytest.fixture
def ledger(tmp_path):
    """The ledger's URL."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def run(lake, data, ledger, now_at):
    """Fetch, with vendors by name, in virtual time; the results, or the one result, and the seconds."""

    def do(tickers, at=now_at, bounds=None, params=None, **vendors):
        one = isinstance(tickers, Ticker)
        work = fetch_all(
            [tickers] if one else tickers,
            lake,
            now_at=at,
            params=params,
            data=data,
            ledger=ledger,
            bounds=bounds or Bounds(),
            named=vendors.__getitem__,
        )
        results, took = virtual_time.run(work)
        return (results[0] if one else results), took

    return do


@pytest.fixture
def long():
    """Three years of prices that move as real ones do, up to 2012-03-09. SYNTHETIC, seeded."""
    index = sessions_between("XNYS", date(2009, 3, 9), date(2012, 3, 9)).as_unit("ns").rename("session")
    rng = np.random.default_rng(7)
    close = pd.Series(50 * np.exp(np.cumsum(rng.normal(0, 0.01, len(index)))), index=index)
    opened = close.shift(fill_value=50.0)
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    volume = pd.Series(rng.lognormal(14, 0.2, len(index)).round(), index=index)
    prices = pd.DataFrame({"open": opened, "high": high, "low": low, "close": close}).round(4)
    return prices.assign(volume=volume, dividend=0.0, split=1.0)


# --- by kind of failure ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PASSING + STAYING)
def test_each_kind_of_failure_leads_to_the_next_vendor(run, ticker, ledger, month, kind):
    """And is told as the reason, in the result and in the ledger."""
    one, two = Vendor(fails=error(kind)), Vendor(month)
    result, took = run(ticker(providers=("one", "two")), one=one, two=two)
    assert (result.status, result.provider, result.why) == ("ok", "two", f"one: {kind}")
    assert took < 4
    assert len(one.asked) == (3 if kind in PASSING else 1)
    first, second = Scorecard(ledger).scores(datetime(2012, 1, 1, tzinfo=UTC))
    assert (first.failures, second.delivered) == ({str(kind): len(one.asked)}, 1)


def test_the_first_choice_is_called_so(run, ticker, month):
    """Nobody else is asked."""
    two = Vendor(month)
    result, _ = run(ticker(providers=("one", "two")), one=Vendor(month), two=two)
    assert (result.provider, result.why, two.asked) == ("one", "first choice", [])


def test_a_short_wait_is_waited_and_a_long_one_is_not(run, ticker, month):
    """As long as somebody else can be asked."""
    short = Vendor(month, fails=error(ProviderFault.RATE_LIMITED, 5.0))
    result, took = run(ticker(providers=("one", "two")), one=short, two=Vendor(month))
    assert (result.provider, took) == ("two", pytest.approx(10, abs=1))
    long = Vendor(month, fails=error(ProviderFault.RATE_LIMITED, 100.0))
    result, took = run(ticker("MSFT", providers=("three", "two")), three=long, two=Vendor(month))
    assert (result.provider, took) == ("two", pytest.approx(0, abs=1))


def test_a_long_wait_is_waited_where_nobody_else_delivers(run, ticker, month):
    """The preferred vendor comes back after the minutes it asked for."""

    class Busy(Vendor):
        async def history(self, *question):
            if asyncio.get_running_loop().time() < 600:
                self.asked.append(question)
                raise error(ProviderFault.RATE_LIMITED, 600 - asyncio.get_running_loop().time())
            return await super().history(*question)

    vendor = Busy(month)
    result, took = run(
        ticker(providers=("one", "two")), one=vendor, two=Vendor(fails=error(ProviderFault.NOT_FOUND))
    )
    assert (result.status, result.provider, len(vendor.asked)) == ("ok", "one", 2)
    assert took == pytest.approx(600, abs=1)


def test_a_wait_beyond_the_end_is_not_begun(run, ticker):
    """A quota of tomorrow fails at once, with what the vendor said."""
    result, took = run(ticker(), fake=Vendor(fails=error(ProviderFault.RATE_LIMITED, 86400.0)))
    assert (result.status, result.message, took) == ("failed", "AAPL: rate limited.", 0)


def test_a_hanging_vendor_stops_nobody(run, ticker, month):
    """Other tickers proceed; this one goes on to the next vendor in its time."""
    good, hanging = Vendor(month), Vendor(hangs=True)
    tickers = [ticker("SLOW", providers=("hanging", "good")), *(ticker(f"T{n}", ("good",)) for n in range(9))]
    params = {"hanging": ProviderParams(timeout=5.0)}
    results, took = run(tickers, params=params, hanging=hanging, good=good)
    assert [result.status for result in results] == ["ok"] * 10
    assert results[0].why == "hanging: unreachable"
    assert max(result.seconds for result in results[1:]) < 1
    assert took < 100


def test_everything_comes_to_an_end(run, lake, ticker, month):
    """What is not done in time has failed; what is done is kept."""
    tickers = [ticker("SLOW", ("hanging",)), ticker("AAPL", ("good",))]
    bounds = Bounds(requests=1e6, ticker=1e9, fetch=300.0)
    results, took = run(tickers, bounds=bounds, hanging=Vendor(hangs=True), good=Vendor(month))
    assert [result.status for result in results] == ["failed", "ok"]
    assert results[0].message == "SLOW: not done after 5 min."
    assert took == pytest.approx(300)
    assert lake.tickers() == ("AAPL",)


def test_a_ticker_s_own_time_is_bounded(run, ticker):
    """However many vendors hang."""
    names = tuple(f"v{n}" for n in range(9))
    hanging = {name: Vendor(hangs=True) for name in names}
    result, took = run(ticker(providers=names), bounds=Bounds(ticker=200.0), **hanging)
    assert result.status == "failed"
    assert 200 <= took < 210
    assert "took longer than 200 seconds" in result.message


def test_two_hundred_tickers_share_a_vendor_s_pace(run, ticker, month):
    """Nobody fails for waiting for his turn."""
    tickers = [ticker(f"T{number}") for number in range(200)]
    vendor, params = Vendor(month), {"fake": ProviderParams(per_minute=60)}
    results, took = run(tickers, params=params, fake=vendor)
    assert {result.status for result in results} == {"ok"}
    assert took == pytest.approx(3 * 60.05, abs=0.1)


def test_a_vendor_that_takes_its_time_is_asked_as_often_as_it_allows(run, ticker, month):
    """250 answers of 200 ms at 50 a second: 4.2 s is what the limit allows, and at most 1.2 times that is taken."""

    class Slow(Vendor):
        async def history(self, *_question):
            await permitted()
            await asyncio.sleep(0.2)
            return History(self.frame, self.source)

    tickers = [ticker(f"T{number}") for number in range(250)]
    results, took = run(tickers, params={"fake": ProviderParams(per_second=50)}, fake=Slow(month))
    assert {result.status for result in results} == {"ok"}
    assert 4.2 <= took <= 1.2 * 4.2


def test_a_quota_sends_the_rest_to_the_next_vendor(run, ticker, month):
    """25 a day: the 26th ticker is the other vendor's."""
    tickers = [ticker(f"T{number}", providers=("one", "two")) for number in range(40)]
    one, two = Vendor(month), Vendor(month)
    results, _ = run(tickers, params={"one": ProviderParams(per_day=25)}, one=one, two=two)
    assert (len(one.asked), len(two.asked)) == (25, 15)
    assert {result.why for result in results} == {"first choice", "one: rate limited"}
    results, _ = run(
        [ticker("MORE", ("one", "two"))], params={"one": ProviderParams(per_day=25)}, one=one, two=two
    )
    assert (results[0].provider, len(one.asked)) == ("two", 25)


# --- what is asked for ----------------------------------------------------------------------------------------


def test_only_what_is_missing_is_asked_for(run, lake, ticker, long):
    """The new session and sixty before it."""
    vendor = Vendor(long)
    run(ticker(), at=THURSDAY, fake=vendor)
    result, _ = run(ticker(), fake=vendor)
    assert vendor.asked == [
        ("AAPL", FIRST, date(2012, 3, 8)),
        ("AAPL", long.index[-61].date(), date(2012, 3, 9)),
    ]
    assert (result.new_rows, result.restated, result.rows, result.message) == (
        1,
        0,
        len(long),
        "1 session new",
    )
    pd.testing.assert_frame_equal(lake.read("AAPL").frame, long, check_freq=False)


def test_a_gap_is_filled_by_its_range(run, lake, ticker, long):
    """From the sessions before it on."""
    run(ticker(), fake=Vendor(long.drop(long.index[300:305])))
    lake_had = len(lake.read("AAPL").frame)
    vendor = Vendor(long)
    result, _ = run(ticker(), at=datetime(2012, 3, 20, 23, tzinfo=UTC), fake=vendor)
    assert (lake_had, result.rows, result.new_rows) == (len(long) - 5, len(long), 5)
    assert vendor.asked[0][1] == long.index[300 - 60].date()


def test_a_gap_that_nobody_fills_is_not_asked_for_every_time(run, ticker, long, now_at):
    """But again after a week, and whatever is new meanwhile."""
    vendor = Vendor(long.drop(long.index[300]))
    for _ in range(2):
        run(ticker(), fake=vendor)
    assert len(vendor.asked) == 1
    _, _ = run(ticker(), at=now_at + timedelta(hours=12), fake=vendor)
    assert len(vendor.asked) == 1
    run(ticker(), at=now_at + timedelta(days=2, hours=22), fake=vendor)
    assert vendor.asked[-1][1] == long.index[-60].date()
    run(ticker(), at=now_at + timedelta(days=8), fake=vendor)
    assert vendor.asked[-1][1] == long.index[300 - 60].date()


def test_a_restatement_of_the_oldest_asked_for_fetches_everything(run, lake, ticker, ledger, long):
    """What is older may have changed as well, and has."""
    run(ticker(), at=THURSDAY, fake=Vendor(long))
    restated = long.copy()
    restated.loc[:"2012-01-01", PRICES] *= 1.001
    vendor = Vendor(restated)
    result, _ = run(ticker(), fake=vendor)
    assert [first for _, first, _ in vendor.asked] == [long.index[-61].date(), FIRST]
    assert result.restated == int((long.index <= "2012-01-01").sum())
    assert lake.read("AAPL").frame["close"].equals(restated["close"])
    told = {
        one.column: (one.sessions, one.after / one.before) for one in Scorecard(ledger).restatements("AAPL")
    }
    assert told == {name: (result.restated, pytest.approx(1.001)) for name in PRICES}


def test_a_new_split_fetches_everything(run, ticker, long):
    """To see whether all of it fits."""
    run(ticker(), at=THURSDAY, fake=Vendor(long))
    split = long.copy()
    split.loc["2012-03-09", PRICES] /= 2
    split.loc["2012-03-09", ["volume", "split"]] = [2e6, 2.0]
    vendor = Vendor(split)
    result, _ = run(ticker(), fake=vendor)
    assert (len(vendor.asked), result.new_rows, result.restated) == (2, 1, 0)


def test_another_program_s_fetch_is_not_repeated(lake, ticker, month, now_at, data, ledger):
    """Two fetches of one ticker at once: the second waits, and finds it done."""
    vendor = Vendor(month)

    class Slow(Vendor):
        async def history(self, *question):
            await asyncio.sleep(10)
            return await vendor.history(*question)

    async def both():
        given = {"now_at": now_at, "data": data, "ledger": ledger, "named": lambda _: Slow()}
        return await asyncio.gather(*(fetch_all([ticker()], lake, **given) for _ in range(2)))

    (first, second), _ = virtual_time.run(both())
    assert {first[0].message, second[0].message} == {
        "29 sessions new",
        "another program fetched it meanwhile",
    }
    assert len(vendor.asked) == 1


# --- several vendors, one history -------------------------------------------------------------------------------


def test_a_stand_in_adds_what_is_missing_and_restates_nothing(run, lake, ticker, long):
    """It is asked for no more; the history stays the preferred vendor's, and the source says so."""
    both = ticker(providers=("one", "two"))
    run(both, at=THURSDAY, one=Vendor(long, source="One 1.0"), two=Vendor())
    other = Vendor((long * 1.001).assign(split=1.0, dividend=0.0), source="Two 2.0")
    result, _ = run(both, one=Vendor(fails=error(ProviderFault.UNREACHABLE)), two=other)
    assert (result.provider, result.new_rows, result.restated) == ("two", 1, 0)
    assert [first for _, first, _ in other.asked] == [long.index[-61].date()]
    stored = lake.read("AAPL")
    assert stored.frame["close"].iloc[:-1].equals(long["close"].iloc[:-1])
    assert stored.frame["close"].iloc[-1] == pytest.approx(long["close"].iloc[-1] * 1.001)
    assert stored.origin.source == "Two 2.0; before, One 1.0"


def test_the_preferred_vendor_comes_back(run, lake, ticker, long, now_at):
    """It restates what the stand-in told, and is asked for little."""
    both, back = ticker(providers=("one", "two")), Vendor(long, source="One 1.0")
    run(both, at=THURSDAY, one=back, two=Vendor())
    other = Vendor((long * 1.001).assign(split=1.0, dividend=0.0), source="Two 2.0")
    run(both, one=Vendor(fails=error(ProviderFault.UNREACHABLE)), two=other)
    result, _ = run(both, at=now_at + timedelta(days=3), one=back, two=other)
    assert (result.provider, result.new_rows, result.restated) == ("one", 0, 1)
    assert back.asked[-1][1] == long.index[-60].date()
    assert lake.read("AAPL").frame["close"].equals(long["close"])
    assert lake.read("AAPL").origin.source == "One 1.0; before, Two 2.0"


def test_a_stand_in_that_does_not_agree_replaces_the_whole_or_nothing(run, lake, ticker, long):
    """A history that reaches back as far takes the place; a shorter one is refused."""
    both = ticker(providers=("one", "two"))
    down, bumped = Vendor(fails=error(ProviderFault.UNREACHABLE)), long.copy()
    bumped.iloc[-60:-30, :4] *= 1.03
    run(both, at=THURSDAY, one=Vendor(long), two=Vendor())
    result, _ = run(both, one=down, two=Vendor(bumped.iloc[400:]))
    assert result.status == "failed"
    assert "begin only at" in result.message
    assert lake.read("AAPL").origin.provider == "one"
    result, _ = run(both, one=down, two=Vendor(bumped))
    assert (result.provider, result.new_rows, result.restated) == ("two", 1, 30)


def test_a_stale_vendor_gives_way_to_a_fresh_one(run, ticker, long):
    """An hour after the close it may still be late; four hours after, it is stale."""
    both, late = ticker(providers=("one", "two")), Vendor(long.iloc[:-1])
    result, _ = run(both, at=datetime(2012, 3, 9, 22, tzinfo=UTC), one=late, two=Vendor(long))
    assert (result.provider, result.session) == ("one", date(2012, 3, 8))
    assert "ends at 2012-03-08, 2012-03-09 is due" in result.message
    result, _ = run(both, at=datetime(2012, 3, 10, 1, tzinfo=UTC), one=late, two=Vendor(long))
    assert (result.provider, result.session, result.why) == ("two", date(2012, 3, 9), "one: stale")


def test_of_stale_vendors_the_newest_is_taken(run, ticker, long, now_at):
    """Where nobody is fresh: old prices are better than older ones."""
    both = ticker(providers=("one", "two"))
    result, _ = run(both, at=now_at + timedelta(days=9), one=Vendor(long.iloc[:-5]), two=Vendor(long))
    assert (result.status, result.provider, result.session) == ("ok", "two", date(2012, 3, 9))


def test_a_quorum_compares_and_stores_the_agreed_bars(run, lake, ticker, ledger, long):
    """One vendor is wrong in one session; the spread is noted."""
    wrong = long.copy()
    wrong.loc["2012-03-07", PRICES] *= 1.02
    three = ticker(providers=("one", "two", "three")).model_copy(update={"quorum": 3})
    result, _ = run(three, one=Vendor(wrong), two=Vendor(long), three=Vendor(long))
    assert (result.status, result.provider) == ("ok", "one")
    assert "1 session taken from others than one; vendors are at most 2.00% apart" in result.message
    assert lake.read("AAPL").frame["close"].equals(long["close"])
    assert lake.read("AAPL").origin.source == "fake 1.0, compared with three, two"
    spreads = Scorecard(ledger).spreads("AAPL")
    assert len(spreads) == len(long)
    assert [(str(s.session), s.taken_from) for s in spreads if s.taken_from != "one"] == [
        ("2012-03-07", "two")
    ]


def test_a_quorum_that_is_not_reached_is_said(run, ticker, long):
    """The bars of who delivered are stored all the same."""
    two = ticker(providers=("one", "two")).model_copy(update={"quorum": 2})
    result, _ = run(two, one=Vendor(long), two=Vendor(fails=error(ProviderFault.NOT_FOUND)))
    assert (result.status, result.rows) == ("ok", len(long))
    assert "only 1 of 2 vendors could be compared" in result.message


def test_a_dispute_between_two_is_flagged(run, ticker, long):
    """The preferred vendor's bars are stored."""
    odd = long.copy()
    odd.loc["2012-03-07", PRICES] *= 1.02
    two = ticker(providers=("one", "two")).model_copy(update={"quorum": 2})
    result, _ = run(two, one=Vendor(long), two=Vendor(odd))
    assert "1 session in dispute between vendors" in result.message


def test_a_doubt_in_the_newest_sessions_is_asked_of_another_vendor(run, lake, ticker, long):
    """A spike that another vendor does not have is not believed."""
    spiked = long.copy()
    spiked.loc["2012-03-08", "high"] *= 1.5
    both, other = ticker(providers=("one", "two")), Vendor(long)
    result, _ = run(both, one=Vendor(spiked), two=other)
    assert len(other.asked) == 1
    assert (result.provider, result.repaired) == ("one", 1)
    assert lake.read("AAPL").frame.loc["2012-03-08", "high"] == pytest.approx(long.loc["2012-03-08", "high"])


# --- the gate -----------------------------------------------------------------------------------------------


@pytest.fixture
def other_company(long):
    """Another company's prices under the same symbol. SYNTHETIC."""
    turned = long.iloc[::-1].set_index(long.index)
    return turned.assign(open=turned["close"].shift(fill_value=50.0)).assign(
        high=lambda f: f[PRICES].max(axis=1), low=lambda f: f[PRICES].min(axis=1)
    )


def test_what_fails_the_gate_sends_on_to_the_next_vendor(run, ticker, data, long, other_company):
    """Nobody is quarantined as long as one vendor delivers."""
    both = ticker(providers=("one", "two"))
    run(both, at=THURSDAY, one=Vendor(long), two=Vendor(long))
    result, _ = run(both, one=Vendor(other_company), two=Vendor(long))
    assert (result.status, result.provider, result.why) == ("ok", "two", "one: failed quality")
    assert Quarantine(data / "quarantine").all() == {}


def test_a_ticker_in_quarantine_keeps_its_last_good_prices(
    run, lake, ticker, data, ledger, long, other_company
):
    """With the reason, what was delivered, and since when; until good prices come."""
    run(ticker(), at=THURSDAY, fake=Vendor(long))
    result, _ = run(ticker(), fake=Vendor(other_company))
    assert (result.status, result.why, result.session) == ("failed", "fake: failed quality", date(2012, 3, 8))
    assert result.quarantined == len(other_company)
    assert len(lake.read("AAPL").frame) == len(long) - 1
    refused = Quarantine(data / "quarantine").all()["AAPL"]
    assert (refused.session, refused.checks) == (date(2012, 3, 8), ("history.other",))
    assert "another security" in refused.reason
    assert len(pd.read_parquet(data / "quarantine" / "AAPL.parquet")) == len(other_company)
    assert Scorecard(ledger).findings("AAPL")["check"].tolist() == ["history.other"]
    run(ticker(), fake=Vendor(long))
    assert Quarantine(data / "quarantine").all() == {}


def test_a_hundred_times_what_is_stored_is_put_right(run, lake, ticker, long):
    """Pence for pounds, throughout: the stored history tells."""
    run(ticker(), at=THURSDAY, fake=Vendor(long))
    pence = long.copy()
    pence[PRICES] *= 100
    result, _ = run(ticker(), fake=Vendor(pence))
    assert (result.status, result.new_rows, result.restated) == ("ok", 1, 0)
    assert lake.read("AAPL").frame["close"].max() < 1000


def test_prices_as_traded_never_change_scale(run, lake, ticker, long):
    """A vendor that has applied a split before it lists it: everything is half of what was traded."""
    run(ticker(), at=THURSDAY, fake=Vendor(long))
    halved = long.copy()
    halved[PRICES] /= 2
    result, _ = run(ticker(), fake=Vendor(halved))
    assert (result.status, result.why) == ("failed", "fake: failed quality")
    assert "0.5 times the stored ones" in result.message
    assert len(lake.read("AAPL").frame) == len(long) - 1


def test_repairs_are_counted_and_recorded(run, ticker, ledger, long):
    """What was delivered is kept beside what was made of it."""
    bad = long.copy()
    bad.loc["2012-03-07", PRICES] *= 100
    result, _ = run(ticker(), fake=Vendor(bad))
    assert (result.status, result.repaired) == ("ok", 1)
    noted = Scorecard(ledger).findings("AAPL")
    assert noted.loc[0, ["check", "sessions"]].tolist() == ["units.factor", "2012-03-07"]
    assert noted.loc[0, "before"] != noted.loc[0, "after"]


def test_actions_that_a_vendor_does_not_know_are_said(run, lake, ticker, long):
    """And kept as they are stored."""
    paid = long.copy()
    paid.loc["2012-03-01", "dividend"] = 0.5
    run(ticker(), at=THURSDAY, fake=Vendor(paid))
    result, _ = run(ticker(), fake=Vendor(paid.drop(columns=["dividend", "split"])))
    assert "fake does not tell dividends; fake does not tell splits" in result.message
    assert lake.read("AAPL").frame.loc["2012-03-01", "dividend"] == 0.5
    assert result.restated == 0


def test_a_fetch_with_nothing_to_do_leaves_no_trace(run, ticker, ledger, month):
    """In the ledger."""
    run(ticker(), fake=Vendor(month))
    before = Scorecard(ledger).scores(datetime(2012, 1, 1, tzinfo=UTC))
    run(ticker(), fake=Vendor(month))
    assert Scorecard(ledger).scores(datetime(2012, 1, 1, tzinfo=UTC)) == before


def test_a_prefetch_begins_with_what_readers_look_at(lake, ticker, month, now_at):
    """A small quota goes to them; of the rest it is said."""
    vendor, tickers = Vendor(month), [ticker(symbol) for symbol in ("A", "B", "C", "D")]
    params = {"fake": ProviderParams(per_day=2)}
    given = {"now_at": now_at, "params": params, "named": lambda _: vendor}
    results = prefetch(tickers, lake, looked_at=["D", "X", "B"], **given)
    assert [(result.ticker, result.status) for result in results] == [
        ("D", "ok"),
        ("B", "ok"),
        ("A", "failed"),
        ("C", "failed"),
    ]


def test_actions_that_nobody_tells_stay_unknown(run, lake, ticker, long):
    """Missing is not none: not in the lake, not in SQL, and there are no total returns of it."""
    untold = long.drop(columns=["dividend", "split"])
    run(ticker(), at=THURSDAY, fake=Vendor(untold))
    run(ticker(), fake=Vendor(untold))
    assert lake.read("AAPL").frame[["dividend", "split"]].isna().all(axis=None)
    asked = ask(lake, "select count(*) as n, count(dividend) as paid, count(split) as splits from bars")
    assert asked.iloc[0].tolist() == [len(long), 0, 0]
    assert lake.bars("AAPL").frame["close"].tolist() == long["close"].tolist()
    with pytest.raises(DataError, match="fake does not tell all dividends"):
        lake.bars("AAPL", adjustment="split_dividend")


def test_a_vendor_that_tells_them_later_is_heard(run, lake, ticker, long):
    """The whole history is asked for again, as what is stored does not know its splits."""
    paid = long.copy()
    paid.loc["2011-03-01", "dividend"] = 0.5
    run(ticker(), at=THURSDAY, fake=Vendor(long.drop(columns=["dividend", "split"])))
    run(ticker(), fake=Vendor(paid))
    frame = lake.read("AAPL").frame
    assert frame.loc["2011-03-01", "dividend"] == 0.5
    assert not frame.isna().any(axis=None)
