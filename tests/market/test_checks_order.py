"""Rows ascend, one for each session."""

import pandas as pd
import pytest
from deliver import NEW_YORK, checks, good, judge, one, served

from tickerbook.market.gate import Context


def test_newest_first_is_a_way_to_write():
    """Alpha Vantage does; nothing was wrong."""
    verdict = judge(good().iloc[::-1], NEW_YORK)
    assert verdict.decision == "accept"
    pd.testing.assert_frame_equal(verdict.frame, good(), check_freq=False)


def test_rows_out_of_order_are_named_and_sorted():
    """Two neighbours exchanged: both are named, no other."""
    bars = good()
    verdict = judge(bars.iloc[[*range(100), 101, 100, *range(102, 600)]], NEW_YORK)
    assert set(one(verdict, "order.unsorted").sessions) == set(bars.index[100:102].date)
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_a_copy_is_dropped():
    """The same row twice is one row; its dividend is one dividend."""
    bars = good().assign(dividend=0.0)
    bars.iloc[300, 5] = 0.5
    verdict = judge(pd.concat([bars, bars.iloc[[300]]]).sort_index(), NEW_YORK)
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_days_with_the_same_prices_are_two_days():
    """yfinance once lost such days with the copies (issue 797)."""
    bars = good()
    bars.iloc[301, :4] = bars.iloc[300, :4]
    assert judge(bars, NEW_YORK).decision == "accept"


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_of_two_bars_the_fuller_one_stays(order):
    """The other is a snapshot of the day under way (yfinance issues 198 and 573)."""
    bars = good()
    snapshot = bars.iloc[[300]].assign(close=bars["open"].iloc[300], volume=bars["volume"].iloc[300] * 0.4)
    pair = [bars.iloc[[300]], snapshot]
    delivered = pd.concat([bars.drop(bars.index[300]), *(pair[i] for i in order)]).sort_index(kind="stable")
    verdict = judge(delivered, NEW_YORK)
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)
    assert one(verdict, "order.conflict").before["volume"].item() == snapshot["volume"].item()


def test_of_two_bars_the_sound_one_stays():
    """A row with an opening price of zero is not a bar (yfinance issue 17)."""
    bars = good()
    other = bars.iloc[[300]].assign(open=0.0, volume=bars["volume"].iloc[300] * 3)
    verdict = judge(pd.concat([other, bars]).sort_index(kind="stable"), NEW_YORK)
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_of_two_bars_the_stored_one_stays():
    """What was learnt before decides between equals."""
    bars = good()
    other = bars.iloc[[300]].assign(close=bars["open"].iloc[300])
    context = Context("XNYS", adjustment="none", stored=bars)
    verdict = judge(pd.concat([other, bars]).sort_index(kind="stable"), context)
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_two_bars_of_equal_standing_are_both_set_aside():
    """Taking either would be a guess."""
    bars = good()
    other = bars.iloc[[300]].assign(close=bars["open"].iloc[300])
    verdict = judge(pd.concat([other, bars]).sort_index(kind="stable"), NEW_YORK)
    assert "order.undecided" in checks(verdict)
    assert bars.index[300] not in verdict.frame.index


def test_real_bars_newest_first():
    """Shin-Etsu as Yahoo served it."""
    verdict = judge(served("shinetsu"), Context("XTKS"))
    assert verdict.frame.index.is_monotonic_increasing
    assert one(verdict, "order.newest_first").severity == "info"
