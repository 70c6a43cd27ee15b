"""Volume profile: how volume is spread, and the single-price value area."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.bars import Bars
from tickerbook.errors import DataError
from tickerbook.research.levels import find_levels
from tickerbook.research.levels.profile import expand_value_area, volume_profile

ANSWERS = Path(__file__).parents[2] / "answers"
NAMES = ("point of control", "value area high", "value area low")
REFERENCE = json.loads((ANSWERS / "volume_profile.json").read_text())


def bars_of(frame):
    """Bars around a frame."""
    return Bars(frame, "TEST", "XNYS", "USD", "split", "test", datetime(2026, 1, 1, tzinfo=UTC))


def profile_of(frame, bins):
    """The profile of a frame's bars."""
    return volume_profile(*(frame[name].to_numpy() for name in ("low", "high", "volume")), bins)


def proxies(bars):
    """Point of control and value area by their names."""
    found = {level.method: level for level in find_levels(bars, per_side=None) if "proxy" in level.method}
    return {name: found[name] for name in (f"{name} (daily proxy)" for name in NAMES) if name in found}


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: case["id"])
def test_single_price_value_area_agrees_with_the_reference(case):
    """Point of control, value area and the volume in it, ties up, at least 70 %."""
    price, volume = np.array(case["profile"], dtype=float).T
    poc, low, high = expand_value_area(volume, 0.7)
    found = {
        "poc": price[poc],
        "val": price[low],
        "vah": price[high],
        "included": volume[low : high + 1].sum(),
    }
    assert found == case["expected"]


def test_value_area_of_real_half_hours_agrees_with_py_market_profile():
    """Its rule for the profile (close rounded up to 0.05, traded rows only), our expansion, its answers."""
    bars = pd.read_csv(ANSWERS / REFERENCE["google_30min"]["bars"], comment="#")
    rows = np.ceil((bars["close"] / 0.05).round(6)) * 0.05
    profile = bars["volume"].groupby(rows.round(2)).sum()
    poc, low, high = expand_value_area(profile.to_numpy(dtype=float), 0.7)
    expected = REFERENCE["google_30min"]["expected"]
    assert (profile.index[poc], profile.index[low], profile.index[high]) == (
        expected["poc"],
        expected["val"],
        expected["vah"],
    )
    assert profile.iloc[low : high + 1].sum() == expected["included"]


@given(
    volume=st.lists(st.integers(0, 9), min_size=1, max_size=30).filter(any),
    share=st.floats(0.01, 1.0),
)
def test_value_area_holds_the_share_around_the_busiest_row(volume, share):
    """It contains the point of control and enough volume, and stops as soon as it has."""
    volume = np.array(volume, dtype=float)
    poc, low, high = expand_value_area(volume, share)
    held, wanted = volume[low : high + 1].sum(), share * volume.sum()
    assert 0 <= low <= poc <= high < len(volume)
    assert volume[poc] == volume.max()
    assert held >= wanted * (1 - 1e-9)
    if low < high:
        assert min(held - volume[low], held - volume[high]) < wanted


def test_of_equal_rows_the_middle_one_is_the_point_of_control():
    """The upper of two."""
    assert expand_value_area(np.array([5.0, 5, 5, 5, 5]), 0.2)[0] == 2
    assert expand_value_area(np.array([5.0, 1, 1, 5]), 0.2)[0] == 3


def test_a_bar_is_spread_evenly_over_its_range():
    """80 over 10 to 14 in four bins of 1; a bar at one price goes into the bin that begins there."""
    frame = pd.DataFrame({"low": [10.0, 12.0, 14.0], "high": [14.0, 12.0, 14.0], "volume": [80.0, 7.0, 3.0]})
    edges, volume = profile_of(frame, 4)
    assert edges.tolist() == [10, 11, 12, 13, 14]
    assert volume.tolist() == [20, 20, 27, 23]


def test_of_equal_neighbours_the_upper_is_added():
    """10 of 18 and one 4 are enough for 70 %: the upper 4."""
    assert expand_value_area(np.array([4.0, 10, 4]), 0.7) == (1, 1, 2)


def test_levels_are_the_middle_and_the_outer_edges_of_their_bins(make_bars):
    """All bars from 59 to 61: bins of 0.01, the middle one is 100; ties go up, so 99 above it and 40 below."""
    found = {level.method: level.price for level in find_levels(make_bars(np.full(120, 60.0)), per_side=None)}
    assert found["point of control (daily proxy)"] == pytest.approx(60.005)
    assert found["value area high (daily proxy)"] == pytest.approx(61.0)
    assert found["value area low (daily proxy)"] == pytest.approx(59.6)


@given(
    bars=st.lists(
        st.tuples(st.integers(1, 60), st.integers(0, 9), st.sampled_from([0.0, 3.0, 1e9])),
        min_size=2,
        max_size=30,
    ),
    bins=st.integers(1, 50),
)
def test_no_volume_is_lost_or_made(bars, bins):
    """The bins hold what the bars held."""
    frame = pd.DataFrame(bars, columns=["low", "range", "volume"]).astype(float)
    frame["high"] = frame["low"] + frame["range"]
    profile = profile_of(frame, bins)
    traded = frame[frame["volume"] > 0]
    if profile is None:
        assert traded.empty or traded["high"].max() == traded["low"].min()
    else:
        assert profile[1].sum() == pytest.approx(frame["volume"].sum())
        assert profile[1].min() >= 0


def test_levels_of_the_profile_are_labelled_a_daily_proxy_and_lie_in_order(spy):
    """Value area low < point of control < value area high, all from the newest 120 sessions."""
    levels = proxies(spy)
    low, poc, high = (
        levels[f"{name} (daily proxy)"] for name in ("value area low", "point of control", "value area high")
    )
    window = spy.frame.iloc[-120:]
    assert window["low"].min() <= low.price < poc.price < high.price <= window["high"].max()
    assert {level.formed for level in levels.values()} == {window.index[0].date()}
    assert {level.known for level in levels.values()} == {spy.session}


def test_most_volume_in_a_narrow_range_is_where_the_point_of_control_lies(make_bars):
    """100 busy sessions at 60 and 20 quiet ones on a wide range put it at 60."""
    close = np.r_[np.full(20, 80.0), np.full(100, 60.0)]
    bars = make_bars(close, volume=np.r_[np.full(20, 10.0), np.full(100, 1000.0)])
    (poc,) = [level for level in find_levels(bars, per_side=None) if "point of control" in level.method]
    assert poc.price == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize(("unknown", "levels"), [(12, 3), (13, 0)])
def test_a_tenth_of_the_volumes_may_be_unknown(spy, unknown, levels):
    """Of 120 sessions 12 may lack their volume; with 13 there is no profile."""
    frame = spy.frame.copy()
    frame.loc[frame.index[-unknown:], "volume"] = np.nan
    holed = type(spy)(frame, "TEST", "XNYS", "USD", "split", "test", spy.fetched_at)
    assert len(proxies(holed)) == levels


def test_fewer_sessions_than_the_profile_asks_for_give_none(spy):
    """119 sessions are not 120."""
    assert not proxies(spy.last(119))
    assert len(proxies(spy.last(120))) == 3


def halves(bars, low_volume=10.0, high_volume=1000.0):
    """Two bars within each day: a quiet one over its whole range, a busy one at its low."""
    times = [day + pd.Timedelta(hours=hour) for day in bars.frame.index for hour in (10, 15)]
    low, high = np.repeat(bars.frame["low"], 2), np.repeat(bars.frame["high"], 2).to_numpy().copy()
    high[1::2] = low.to_numpy()[1::2]
    volume = np.tile([low_volume, high_volume], len(bars))
    return pd.DataFrame(
        {"low": low.to_numpy(), "high": high, "volume": volume}, index=pd.DatetimeIndex(times)
    )


def test_bars_within_the_day_make_a_true_profile(make_bars):
    """What was traded at the lows puts the point of control there, and nothing is called a proxy."""
    bars = make_bars(np.full(150, 60.0))
    levels = find_levels(bars, intraday=halves(bars), per_side=None)
    (poc,) = [level for level in levels if level.kind == "point of control"]
    assert (poc.method, poc.price) == ("point of control", pytest.approx(59.005))
    volume_levels = [level for level in levels if level.kind in {"value area", "high volume nodes"}]
    assert volume_levels
    assert not [level for level in volume_levels if "proxy" in level.method]


def test_days_without_bars_within_them_fall_back_to_the_proxy(make_bars):
    """One of the newest 120 sessions is missing: its volume would be, too."""
    bars = make_bars(np.full(150, 60.0))
    holed = halves(bars).drop(index=halves(bars).index[-8:-6])
    levels = find_levels(bars, intraday=holed, per_side=None)
    assert [level.method for level in levels if level.kind == "point of control"] == [
        "point of control (daily proxy)"
    ]


def test_bars_within_days_after_the_last_session_are_not_seen(make_bars):
    """What happens tomorrow changes no profile of today."""
    bars = make_bars(np.full(150, 60.0))
    today = bars.until(bars.frame.index[139].date())
    tomorrow = halves(bars, high_volume=1e9)
    expected = find_levels(today, intraday=halves(today, high_volume=1e9), per_side=None)
    assert find_levels(today, intraday=tomorrow, per_side=None) == expected


def test_bars_within_the_day_without_volume_are_refused(make_bars):
    """The error names what is missing and the way out."""
    bars = make_bars(np.full(150, 60.0))
    with pytest.raises(DataError, match=r"there is no volume\.\nGive columns"):
        find_levels(bars, intraday=halves(bars).drop(columns="volume"))
    with pytest.raises(DataError, match="their times do not rise"):
        find_levels(bars, intraday=halves(bars)[::-1])


def test_nodes_are_peaks_and_troughs_of_the_profile(make_bars):
    """Two busy stretches at 60 and 70 are high volume nodes; between them lies a low one."""
    close = np.r_[np.full(60, 60.0), np.linspace(60, 70, 10), np.full(60, 70.0)]
    levels = find_levels(make_bars(close), per_side=None)
    high = sorted(level.price for level in levels if level.kind == "high volume nodes")
    low = [level.price for level in levels if level.kind == "low volume nodes"]
    assert high[0] == pytest.approx(60, abs=1)
    assert high[-1] == pytest.approx(70, abs=1)
    assert any(62 < price < 68 for price in low)


@pytest.mark.parametrize("ticker", ["SPY"])
def test_real_intraday_bars_give_a_profile_within_their_range(shared, ticker):
    """Five-minute bars of New York: a true point of control between the lowest low and the highest high."""
    path = next(shared.glob(f"bars/intraday/{ticker}_5min*.csv.gz"))
    within = pd.read_csv(path, index_col=0, parse_dates=True).rename(columns=str.lower)
    within = within.set_axis(
        pd.DatetimeIndex(pd.to_datetime(within.index, utc=True)).tz_convert("America/New_York")
    )
    daily = within.groupby(within.index.tz_localize(None).normalize()).agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    bars = bars_of(daily.astype("float64").rename_axis("session"))
    levels = find_levels(bars, intraday=within, profile_sessions=60, per_side=None)
    (poc,) = [level for level in levels if level.method == "point of control"]
    newest = bars.frame.iloc[-60:]
    assert newest["low"].min() < poc.price < newest["high"].max()
