"""Adjusting, held to real splits, a real special dividend and the total returns of another source."""

import asyncio
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.market.providers.sample import Sample, _table
from tickerbook.market.raw import PRICES, RAW, adjusted, undo_splits
from tickerbook.sessions import FIRST

LATEST = pd.Timestamp("2013-03-01").date()


@pytest.fixture
def sample(ticker):
    """Raw frames of the sample."""
    return lambda symbol: asyncio.run(Sample().history(ticker(symbol), FIRST, LATEST)).frame


def test_none_gives_prices_as_traded(sample):
    """Apple closed at 101.25 on the day before its split of 2000, and at 55.63 on its day."""
    closes = adjusted(sample("AAPL"), "none")["close"]
    assert (closes["2000-06-20"], closes["2000-06-21"]) == (101.25, 55.63)


def test_split_divides_earlier_prices_and_multiplies_earlier_volume(sample):
    """AAPL split 2:1 on 2000-06-21 and on 2005-02-28: a factor of 4, then 2, then 1."""
    raw = sample("AAPL")
    bars = adjusted(raw, "split")
    for day, factor in [
        ("2000-06-20", 4),
        ("2000-06-21", 2),
        ("2005-02-25", 2),
        ("2005-02-28", 1),
        ("2013-03-01", 1),
    ]:
        assert bars.loc[day, PRICES].tolist() == [price / factor for price in raw.loc[day, PRICES]]
        assert bars.loc[day, "volume"] == raw.loc[day, "volume"] * factor


def test_split_leaves_no_jump_at_the_split(sample):
    """MSFT, 2003-02-18: as traded the close fell from 48.30 to 24.96; in one unit it rose."""
    closes = adjusted(sample("MSFT"), "split")["close"]
    assert closes["2003-02-14"] == 24.15
    assert closes["2003-02-18"] == 24.96


def test_split_ignores_dividends(sample):
    """MSFT's 3.08 on 2004-11-15 is not a split: the close of the day before stays at 29.97."""
    assert adjusted(sample("MSFT"), "split")["close"]["2004-11-12"] == 29.97


def test_split_dividend_returns_the_special_dividend(sample):
    """MSFT, 2004-11-15: 27.39 and 3.08 in cash, after 29.97, is a return of 1.67 %."""
    closes = adjusted(sample("MSFT"), "split_dividend")["close"]
    assert closes["2004-11-15"] / closes["2004-11-12"] == pytest.approx((27.39 + 3.08) / 29.97, rel=1e-12)


@pytest.mark.parametrize("symbol", ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
def test_split_dividend_agrees_with_the_source_s_own_adjusted_close(sample, symbol):
    """Quandl's Adj Close also knows splits after 2013, a constant factor: compared relative to its newest row."""
    told = _table().query("Ticker == @symbol").set_index("Date")["Adj Close"]
    mine = adjusted(sample(symbol), "split_dividend")["close"]
    np.testing.assert_allclose(mine / mine.iloc[-1], told / told.iloc[-1], rtol=1e-9)


def test_split_dividend_is_near_yahoo_s_adjusted_close(shared):
    """Yahoo uses 1 − dividend / close before; over eight years of IBM's dividends both stay within 0.2 %."""
    table = pd.read_parquet(shared / "bars" / "sp500_daily" / "IBM.parquet").set_index("date")
    frame = table.rename(columns={"dividends": "dividend"}).assign(split=1.0)  # split-adjusted already
    frame = frame[list(RAW)].astype("float64")
    mine, told = adjusted(frame, "split_dividend")["close"], table["adj_close"].to_numpy(dtype="float64")
    np.testing.assert_allclose(mine / mine.iloc[-1], told / told[-1], rtol=2e-3)


def test_adjusting_leaves_the_raw_frame_as_it_was(sample):
    """Readers share frames."""
    raw = sample("MSFT")
    before = raw.copy()
    adjusted(raw, "split_dividend")
    undo_splits(raw)
    pd.testing.assert_frame_equal(raw, before)


def test_an_unknown_volume_and_a_negative_price_survive(raw):
    """Missing stays missing; a price below zero is divided like any other."""
    frame = raw(
        {"2012-03-05": -37.5, "2012-03-06": 10.0}, split={"2012-03-06": 2.0}, volume={"2012-03-05": np.nan}
    )
    bars = adjusted(frame, "split")
    assert bars["close"].tolist() == [-18.75, 10.0]
    assert np.isnan(bars["volume"].iloc[0])


RATIOS = st.sampled_from([1.0, 1.0, 1.0, 2.0, 1.5, 3.0, 0.1, 7.0])


@given(st.lists(st.tuples(st.floats(0.01, 1e6), RATIOS), min_size=1, max_size=40))
def test_undo_splits_is_the_inverse_of_split_adjustment(rows):
    """What a vendor adjusted for its splits becomes the prices as traded."""
    index = pd.bdate_range("2012-03-05", periods=len(rows), name="session")
    closes, splits = zip(*rows, strict=True)
    frame = pd.DataFrame(dict.fromkeys(RAW[:5], closes) | {"dividend": 0.5, "split": splits}, index=index)
    served = adjusted(frame, "split").assign(dividend=adjusted_dividend(frame), split=frame["split"])
    pd.testing.assert_frame_equal(undo_splits(served), frame, rtol=1e-12)


def adjusted_dividend(frame):
    """Dividends a share of the newest kind, by plain counting."""
    return [
        dividend / np.prod(frame["split"].iloc[number + 1 :])
        for number, dividend in enumerate(frame["dividend"])
    ]


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1e6), RATIOS, st.sampled_from([0.0, 0.0, 0.25])), min_size=2, max_size=30
    ),
    st.data(),
)
def test_what_comes_later_never_changes_returns_before(rows, data):
    """Total returns within a prefix are the same whether or not the future is known."""
    index = pd.bdate_range("2012-03-05", periods=len(rows), name="session")
    closes, splits, dividends = zip(*rows, strict=True)
    frame = pd.DataFrame(
        dict.fromkeys(RAW[:5], closes) | {"dividend": dividends, "split": splits}, index=index
    )
    cut = data.draw(st.integers(1, len(rows)))
    before = adjusted(frame.iloc[:cut], "split_dividend")["close"].pct_change(fill_method=None)
    after = adjusted(frame, "split_dividend")["close"].iloc[:cut].pct_change(fill_method=None)
    np.testing.assert_allclose(before, after, rtol=1e-6, atol=1e-9)


def test_the_real_actions_are_those_the_companies_announced(sample, answers):
    """Splits, special and annual dividends, from the companies' own records."""
    for symbol, told in json.loads((answers / "corporate_actions.json").read_text(encoding="utf-8"))[
        "actions"
    ].items():
        frame = sample(symbol)
        splits = frame["split"][frame["split"] != 1.0]
        assert {day.date().isoformat(): ratio for day, ratio in splits.items()} == told["splits"]
        for day, amount in told.get("dividends", {}).items():
            assert frame.loc[day, "dividend"] == amount
        yearly = frame["dividend"].groupby(frame.index.year).sum().round(6)
        for year, amount in told.get("dividends_of_year", {}).items():
            assert yearly[int(year)] == amount
