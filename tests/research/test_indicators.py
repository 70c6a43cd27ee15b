"""Indicators against TA-Lib, Skender and StockCharts, and on what has no answer."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import ConfigError
from tickerbook.research import indicators

ANSWERS = Path(__file__).parents[1] / "answers"
TALIB = {
    "trange": indicators.true_range,
    "atr14": lambda f: indicators.atr(f, 14),
    "sma10": lambda f: indicators.sma(f["close"], 10),
    "sma200": lambda f: indicators.sma(f["close"], 200),
    "ema12": lambda f: indicators.ema(f["close"], 12),
    "ema20": lambda f: indicators.ema(f["close"], 20),
    "max55": lambda f: indicators.highest(f["high"], 55),
    "min20": lambda f: indicators.lowest(f["low"], 20),
}
SWINGS = json.loads((ANSWERS / "swings.json").read_text())["cases"]


@pytest.fixture(scope="module")
def spy():
    """SPY 2017 and 2018 with TA-Lib's answers beside the prices."""
    return pd.read_csv(ANSWERS / "indicators.csv", comment="#", index_col="date", parse_dates=True)


@pytest.mark.parametrize("name", TALIB)
def test_agrees_with_talib_on_every_bar_and_on_the_warmup(spy, name):
    """Values agree to ten digits, and the same bars are undefined."""
    np.testing.assert_allclose(TALIB[name](spy), spy[name], rtol=1e-9, atol=5e-10, equal_nan=True)


@pytest.mark.parametrize(
    ("row", "range_", "mean"), [(14, 1.82, 1.3364), (249, 0.58, 1.3381), (501, 2.67, 6.1497)]
)
def test_atr_agrees_with_skender(spy, row, range_, mean):
    """Skender's published expectations (Stock.Indicators, Atr.StaticSeries.Tests.cs) at three bars."""
    assert indicators.true_range(spy).iloc[row] == pytest.approx(range_, abs=5e-9)
    assert indicators.atr(spy).iloc[row] == pytest.approx(mean, abs=5e-5)


def test_rsi_agrees_with_talib(shared):
    """TA-Lib's RSI(14) and RSI(2) on every bar of Skender's prices, and on the warm-up."""
    told = pd.read_csv(shared / "reference/talib/skender_default.csv.gz", index_col="date", parse_dates=True)
    quotes = pd.read_csv(ANSWERS / "indicators.csv", comment="#", index_col="date", parse_dates=True)
    for name, period in (("rsi14", 14), ("rsi2", 2)):
        found = indicators.rsi(quotes["close"], period)
        np.testing.assert_allclose(found, told[name], rtol=1e-8, atol=1e-8, equal_nan=True)


def test_rsi_of_what_never_moves_is_missing():
    """Constant prices are neither strong nor weak."""
    assert indicators.rsi(pd.Series([5.0] * 50), 14).isna().all()


def test_moving_average_of_volume_agrees_with_skender(spy):
    """Skender's expectation for SMA(20) of volume at row 24 (Sma.StaticSeries.Tests.cs)."""
    assert indicators.sma(spy["volume"], 20).iloc[24] == pytest.approx(77_293_768.2)


def test_wilder_smoothing_agrees_with_stockcharts():
    """Given StockCharts' true ranges, which count the first bar, its ATR comes out."""
    sheet = pd.read_csv(ANSWERS / "atr_stockcharts.csv", comment="#")
    expected = sheet["atr"].where(sheet["atr"] > 0)
    np.testing.assert_allclose(indicators.wilder(sheet["tr"], 14), expected, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("case", SWINGS, ids=lambda case: f"span {case['span']}")
def test_swings_agree_with_skender_at_every_bar(spy, case):
    """Exactly the bars of Skender's fractals are marked, no other."""
    highs, lows = (
        indicators.swing_highs(spy["high"], case["span"]),
        indicators.swing_lows(spy["low"], case["span"]),
    )
    assert np.flatnonzero(highs).tolist() == case["high"]
    assert np.flatnonzero(lows).tolist() == case["low"]


def test_equal_highs_within_the_span_are_no_swing():
    """The rule is strict on both sides."""
    assert not indicators.swing_highs(pd.Series([1.0, 2, 5, 5, 2, 1]), 2).any()


def test_last_swing_is_known_span_bars_after_the_extreme():
    """The peak of 5 at row 2 appears at row 4 and not before."""
    high = pd.Series([1.0, 2, 5, 3, 2, 1])
    expected = [np.nan, np.nan, np.nan, np.nan, 5, 5]
    np.testing.assert_array_equal(indicators.last_swing_high(high, 2), expected)
    np.testing.assert_array_equal(indicators.last_swing_low(-high, 2), np.negative(expected))


CAUSAL = {
    "atr": lambda v: indicators.atr(pd.DataFrame({"high": v + 1, "low": v - 1, "close": v}), 3),
    "sma": lambda v: indicators.sma(v, 3),
    "ema": lambda v: indicators.ema(v, 3),
    "highest": lambda v: indicators.highest(v, 3),
    "lowest": lambda v: indicators.lowest(v, 3),
    "last_swing_high": lambda v: indicators.last_swing_high(v, 2),
    "last_swing_low": lambda v: indicators.last_swing_low(v, 2),
}
prices = st.lists(st.integers(100, 130), min_size=1, max_size=40).map(lambda v: pd.Series(v, dtype="float64"))


@pytest.mark.parametrize("name", CAUSAL)
@given(values=prices, cut=st.integers(1, 40))
def test_a_prefix_gives_the_same_values_whatever_follows(name, values, cut):
    """Nothing sees the future, and length in is length out."""
    whole = CAUSAL[name](values)
    assert len(whole) == len(values)
    pd.testing.assert_series_equal(CAUSAL[name](values.iloc[:cut]), whole.iloc[:cut], rtol=1e-12)


@given(values=prices, cut=st.integers(1, 40), span=st.integers(1, 4))
def test_a_swing_older_than_its_span_is_never_withdrawn(values, cut, span):
    """Marks at bars that have `span` bars after them stay; later bars are not marked yet."""
    early = indicators.swing_highs(values.iloc[:cut], span)
    assert not early.iloc[-span:].any()
    pd.testing.assert_series_equal(
        early.iloc[:-span], indicators.swing_highs(values, span).iloc[:cut].iloc[:-span]
    )


def test_constant_prices_give_zero_range_and_no_swing():
    """A dead market has an ATR of exactly zero and no extreme."""
    flat = pd.DataFrame({"high": 5.0, "low": 5.0, "close": 5.0}, index=range(30))
    assert (indicators.atr(flat).iloc[14:] == 0).all()
    assert not indicators.swing_highs(flat["high"], 3).any()


def test_fewer_bars_than_the_warmup_give_nothing():
    """Three bars have no ATR(14): missing, not an error and not zero."""
    short = pd.DataFrame({"high": [2.0, 3, 4], "low": [1.0, 2, 3], "close": [1.5, 2.5, 3.5]})
    assert indicators.atr(short).isna().all()
    assert indicators.ema(short["close"], 14).isna().all()


def test_an_average_of_an_average_starts_when_both_warmups_are_over(spy):
    """Leading NaN of the input move the seed."""
    assert indicators.ema(indicators.atr(spy, 14), 10).first_valid_index() == spy.index[14 + 9]


def test_a_window_of_zero_is_refused():
    """With a way out, not an empty result."""
    with pytest.raises(ConfigError, match="window of 0 sessions"):
        indicators.sma(pd.Series([1.0]), 0)
