"""The sample provider: what the file has, and splits and dividends from its adjusted close."""

import asyncio
import gzip
import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.gate import Context, judge
from tickerbook.market.providers import sample as sample_module
from tickerbook.market.providers.sample import Sample, actions
from tickerbook.market.raw import RAW

FIRST, LAST = date(2000, 3, 1), date(2013, 3, 1)
TICKERS = {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}


@pytest.mark.parametrize(("symbol", "rows"), TICKERS.items())
def test_every_session_of_the_exchange_is_there(ticker, symbol, rows):
    """No gap, no repeat, nothing to flag: the numbers of sessions of NYSE in those years."""
    history = asyncio.run(Sample().history(ticker(symbol), FIRST, LAST))
    assert tuple(history.frame.columns) == RAW
    assert len(history.frame) == rows
    findings = judge(history.frame, Context("XNYS", adjustment="none", last=LAST)).findings
    assert [finding for finding in findings if finding.severity != "info"] == []
    assert history.currency == "USD"


def test_prices_are_as_traded(ticker):
    """Apple's highest close of those years was 702.10, on 2012-09-19."""
    closes = asyncio.run(Sample().history(ticker("AAPL"), FIRST, LAST)).frame["close"]
    assert (closes.max(), closes.idxmax()) == (702.10, pd.Timestamp("2012-09-19"))


def test_the_source_reads_for_a_reader(ticker):
    """Package and version: whose numbers these are."""
    source = asyncio.run(Sample().history(ticker("AAPL"), FIRST, LAST)).source
    assert source.startswith("sample (bokeh_sampledata 20")
    assert source.endswith(")")


def test_first_and_last_are_included(ticker):
    """The range asked for, no more."""
    frame = asyncio.run(Sample().history(ticker("IBM"), date(2012, 3, 5), date(2012, 3, 9))).frame
    assert [day.isoformat()[:10] for day in frame.index] == [f"2012-03-0{n}" for n in range(5, 10)]


@pytest.mark.parametrize("symbol", ["NAN", "NA", "0700", "BRK.B", "^GSPC", "ON"])
def test_a_ticker_it_does_not_have(ticker, symbol):
    """Named, with those it has and where others are."""
    with pytest.raises(ProviderError) as caught:
        asyncio.run(Sample().history(ticker(symbol), FIRST, LAST))
    assert caught.value.kind is ProviderFault.NOT_FOUND
    assert caught.value.message == f"The sample has no {symbol}; it has AAPL, FB, GOOG, IBM, MSFT."
    assert "yahoo" in caught.value.remedy


@pytest.mark.parametrize("symbol", ["NA", "NAN", "NULL", "1E5", "000001", "TRUE"])
def test_no_ticker_of_the_file_is_read_as_something_else(ticker, tmp_path, monkeypatch, symbol):
    """pandas would read NA as missing, 000001 as 1, TRUE as a truth value."""
    (tmp_path / "_data").mkdir()
    rows = f"Ticker,Date,Open,High,Low,Close,Volume,Adj Close\n{symbol},2012-03-05,1,2,1,2,100,2.0\n"
    (tmp_path / "_data" / "stocks.csv.gz").write_bytes(gzip.compress(rows.encode()))
    monkeypatch.setattr(sample_module, "files", lambda _: tmp_path)
    sample_module._table.cache_clear()
    try:
        frame = asyncio.run(Sample().history(ticker(symbol), FIRST, LAST)).frame
    finally:
        sample_module._table.cache_clear()
    assert frame["close"].tolist() == [2.0]


def test_a_caller_s_changes_stay_its_own(ticker):
    """The file is read once for all threads."""
    frame = asyncio.run(Sample().history(ticker("FB"), FIRST, LAST)).frame
    frame.loc[:, "close"] = 0.0
    assert (asyncio.run(Sample().history(ticker("FB"), FIRST, LAST)).frame["close"] > 0).all()


def test_neither_yfinance_nor_the_sample_s_package_code_is_loaded():
    """The sample needs no network, and `import bokeh_sampledata.stocks` would parse the file again."""
    code = (
        "import sys; from tickerbook.market.sourcing import provider; provider('sample'); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "yfinance" not in loaded
    assert "bokeh_sampledata.stocks" not in loaded


def series(*values):
    return pd.Series(values, index=pd.bdate_range("2012-03-05", periods=len(values)), dtype=float)


def derived(close, jumps):
    """Actions of closes whose factor makes these jumps."""
    factor = series(*np.cumprod(jumps))
    return actions(series(*close), series(*close) * factor)


@pytest.mark.parametrize("ratio", [2.0, 3.0, 1.5, 4 / 3, 1.25, 7.0, 20.0, 0.5, 0.1, 3 / 20])
def test_a_jump_by_a_simple_fraction_is_a_split(ratio):
    """2:1, 3:2, 7:1, and the reverse ones."""
    found = derived([100.0, 100.0 / ratio, 50.0], [0.3, ratio, 1.0])
    assert found["split"].tolist() == pytest.approx([1.0, ratio, 1.0], rel=1e-12)
    assert found["dividend"].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("dividend", [0.01, 0.82, 3.08, 30.0])
def test_any_other_jump_is_a_dividend(dividend):
    """Also large ones, as long as close and dividend do not happen to make a simple fraction."""
    close = [100.0, 97.39, 98.0]
    found = derived(close, [0.3, (97.39 + dividend) / 97.39, 1.0])
    assert found["split"].tolist() == [1.0, 1.0, 1.0]
    assert found["dividend"].tolist() == [0.0, dividend, 0.0]


@given(st.floats(0.5, 900), st.integers(1, 3000))
def test_dividends_come_back_to_the_cent(close, cents):
    """Whatever the price, as long as the dividend is below a sixth of it."""
    dividend = min(cents / 100, round(close / 6, 2) - 0.01)
    if dividend <= 0:
        return
    found = derived([close, close], [1.0, (close + dividend) / close])
    assert found["dividend"].iloc[1] == pytest.approx(dividend, abs=1e-6)


def test_noise_in_the_last_digits_is_no_dividend():
    """The file's factor wavers by 1e-13."""
    found = derived([620.0, 621.0, 622.0], [0.13, 1 + 9e-14, 1 - 9e-14])
    assert (found["dividend"] == 0.0).all()
    assert not np.signbit(found["dividend"]).any()
