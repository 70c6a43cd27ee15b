"""Prices that cannot be, or hardly: blanks, signs, order within a bar, repeats, volume, outliers."""

import numpy as np
import pandas as pd
import pytest
from deliver import NEW_YORK, PRICES, bars, changed, checks, good, judge, one, scaled, served

from tickerbook.market.gate import Context

DAY = "2012-06-13"  # IBM: open 194.36, high 195.19, low 192.345, close 193.10


def test_a_blank_price_takes_its_row():
    """Three of four prices are no bar."""
    verdict = judge(changed(good(), DAY, high=np.nan), NEW_YORK)
    assert one(verdict, "blank.price").before["close"].item() == 193.1
    assert len(verdict.frame) == 599


def test_a_price_of_zero_is_a_missing_one():
    """The row is set aside."""
    verdict = judge(changed(good(), DAY, low=0.0), NEW_YORK)
    assert checks(verdict) == {"signs.zero"}


def test_a_wrong_sign_is_turned():
    """The size fits the bar and its neighbours."""
    verdict = judge(scaled(good(), slice(300, 301), -1.0), NEW_YORK)
    assert checks(verdict) == {"signs.turned"}
    pd.testing.assert_frame_equal(verdict.frame, good(), check_freq=False)


def test_one_wrong_sign_is_turned():
    """A single price of a bar."""
    bars = good()
    verdict = judge(changed(bars, DAY, low=-192.345), NEW_YORK)
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_a_true_negative_price_stays():
    """Crude oil, May 2020 contract, 2020-04-20: 17.73, 17.85, −40.32, −37.63 (CME)."""
    bars = good(rows=60).set_axis(pd.bdate_range("2020-02-18", periods=60, name="session"))
    bars[PRICES] *= 18.27 / bars["close"].iloc[43]  # settled at 18.27 on Friday the 17th
    bars = changed(bars, "2020-04-20", open=17.73, high=17.85, low=-40.32, close=-37.63)
    verdict = judge(bars, Context("CMES", adjustment="none"))
    assert verdict.frame.loc["2020-04-20", PRICES].tolist() == [17.73, 17.85, -40.32, -37.63]
    assert one(verdict, "signs.negative").severity == "warning"


def test_exchanged_high_and_low_are_put_right():
    """Real bar, high and low exchanged (as in yfinance issue 16)."""
    verdict = judge(changed(good(), DAY, high=192.345, low=195.19), NEW_YORK)
    assert checks(verdict) == {"ohlc.swapped"}
    pd.testing.assert_frame_equal(verdict.frame, good(), check_freq=False)


def test_a_gross_contradiction_is_set_aside():
    """A close 3 % above the high: which of them is wrong cannot be told."""
    verdict = judge(changed(good(), DAY, close=195.19 * 1.03), NEW_YORK)
    assert checks(verdict) == {"ohlc.contradiction"}
    assert pd.Timestamp(DAY) not in verdict.frame.index


def test_a_cent_is_rounding():
    """Nothing to say."""
    assert checks(judge(changed(good(), DAY, high=194.355), NEW_YORK)) == set()


def test_a_slight_contradiction_is_a_doubt():
    """Half a percent above the high: told and kept."""
    verdict = judge(changed(good(), DAY, close=196.2), NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", {"ohlc.loose"})


def test_thin_markets_quote_outside_the_range():
    """Closes outside low to high on many days of a London trust: normal, and a note only."""
    verdict = judge(served("northern"), Context("XLON"))
    finding = one(verdict, "ohlc.loose")
    assert (finding.severity, finding.before) == ("info", None)
    assert len(finding.sessions) > 20


def test_a_run_of_repeats_is_set_aside():
    """Five bars with the volume of the one before to the share."""
    bars = good()
    broken = bars.copy()
    broken.iloc[301:306] = bars.iloc[300].to_numpy()
    verdict = judge(broken, NEW_YORK)
    assert one(verdict, "stale.repeated").sessions == tuple(bars.index[301:306].date)
    assert len(verdict.frame) == 595


def test_one_repeat_may_be_chance():
    """Told and kept."""
    bars = good()
    bars.iloc[301] = bars.iloc[300].to_numpy()
    verdict = judge(bars, NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", {"stale.once"})


def test_idle_days_are_no_repeats():
    """A trust that does not trade for days keeps its price and has no volume."""
    assert "stale.repeated" not in checks(judge(served("northern"), Context("XLON")))


def test_no_volume_on_a_day_that_moved_is_a_doubt():
    """Told and kept: zero is true in thin markets."""
    verdict = judge(changed(good(), DAY, volume=0.0), NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", {"volume.zero"})
    assert verdict.frame.loc[DAY, "volume"] == 0


def test_funds_have_no_volume():
    """A mutual fund never has: nothing to say about its volume."""
    names = checks(judge(served("dodge_cox"), NEW_YORK.__class__("XNYS")))
    assert not {name for name in names if name.startswith("volume")}


def test_a_negative_volume_is_unknown():
    """NaN, not zero."""
    verdict = judge(changed(good(), DAY, volume=-5.0), NEW_YORK)
    assert np.isnan(verdict.frame.loc[DAY, "volume"])


def test_volume_in_lots_is_a_doubt():
    """Five days with a hundredth of the usual volume."""
    verdict = judge(scaled(good(), slice(300, 305), 0.01, ["volume"]), NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", {"volume.unit"})


def test_a_lone_spike_is_a_doubt():
    """40 % up and back within a day, on usual volume: told and kept."""
    verdict = judge(scaled(good(), slice(300, 301), 1.4), NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", {"outliers.spike"})


def test_a_spike_with_volume_is_an_event():
    """Ten times the usual volume speaks for it."""
    bars = scaled(scaled(good(), slice(300, 301), 1.4), slice(300, 301), 10.0, ["volume"])
    assert checks(judge(bars, NEW_YORK)) == set()


def test_a_spike_that_another_provider_denies_is_put_right():
    """Its prices are taken, on our scale."""
    context = Context("XNYS", adjustment="none", second=good()[[*PRICES, "volume"]] / 7)
    verdict = judge(scaled(good(), slice(300, 301), 1.4), context)
    assert checks(verdict) == {"outliers.refuted"}
    pd.testing.assert_frame_equal(verdict.frame, good(), check_freq=False)


def test_a_spike_that_another_provider_has_is_real():
    """Corroborated: a note."""
    bars = scaled(good(), slice(300, 301), 1.4)
    verdict = judge(bars, Context("XNYS", adjustment="none", second=bars))
    assert (verdict.decision, checks(verdict)) == ("accept", set())
    assert one(verdict, "outliers.corroborated").sessions == (bars.index[300].date(),)


def test_a_lone_wick_is_a_doubt():
    """A low at half the price that neither open nor close knows of."""
    assert checks(judge(changed(good(), DAY, low=97.0), NEW_YORK)) == {"outliers.wick"}


@pytest.mark.parametrize(("listed", "severity"), [(True, "warning"), (False, "info")])
def test_a_level_halved_for_good_looks_like_a_split(listed, severity):
    """A doubt where splits are listed, to be expected where none are; kept either way."""
    bars = scaled(good(), slice(300, 600), 0.5)
    bars = bars.assign(split=1.0) if listed else bars
    verdict = judge(bars, NEW_YORK)
    assert (verdict.decision, one(verdict, "outliers.step").severity) == ("accept", severity)


def test_a_crash_with_volume_is_kept():
    """Apple lost 52 % on 2000-09-29, on ten times the usual volume; no alarm."""
    verdict = judge(bars("AAPL").loc["2000-07-03":"2001-03-30"], NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", set())


def test_a_level_that_no_market_reaches_in_a_day_is_a_doubt():
    """Four fifths gone for good, no split's ratio: perhaps another company under the symbol."""
    bars = scaled(good().assign(split=1.0), slice(300, 600), 0.23)
    assert checks(judge(bars, NEW_YORK)) == {"outliers.break"}
