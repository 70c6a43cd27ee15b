"""Several vendors make one history: each row of one who is confirmed, and how far they are apart."""

import numpy as np
import pandas as pd
import pytest

from tickerbook.market.quorum import agree
from tickerbook.market.raw import PRICES, RAW

DAY = "2012-03-07"


def closes(agreement):
    """The agreed closes as a list."""
    return agreement.frame["close"].tolist()


def test_vendors_who_agree_give_the_preferred_one_s_bars(week):
    """Unchanged: no mean of two prices that nobody quoted."""
    agreement = agree({"a": week, "b": week * 1.001, "c": week * 0.999})
    pd.testing.assert_frame_equal(agreement.frame, week)
    assert set(agreement.taken_from) == {"a"}
    assert agreement.spread.to_list() == pytest.approx([0.002] * 5, rel=1e-3)
    assert not agreement.disputed.any()
    assert set(agreement.vendors) == {"a,b,c"}


def test_who_is_alone_is_outvoted_for_that_session(week):
    """The whole row is the next vendor's whom another confirms."""
    odd = week.copy()
    odd.loc[DAY, "high"] = 99.0
    agreement = agree({"a": odd, "b": week.assign(volume=7.0), "c": week})
    assert closes(agreement) == week["close"].tolist()
    assert agreement.frame.loc[DAY, "high"] == 7.0
    assert agreement.frame["volume"].tolist() == [1000.0, 1000.0, 7.0, 1000.0, 1000.0]
    assert agreement.taken_from.tolist() == ["a", "a", "b", "a", "a"]
    assert agreement.spread[DAY] == pytest.approx((99 - 7) / 7)


def test_two_who_differ_are_a_dispute(week):
    """The preferred one's row is stored, and the dispute is told."""
    odd = week.copy()
    odd.loc[DAY, "close"] = 7.1
    agreement = agree({"a": odd, "b": week})
    assert agreement.frame.loc[DAY, "close"] == 7.1
    assert agreement.disputed[agreement.disputed].index.tolist() == [pd.Timestamp(DAY)]


@pytest.mark.parametrize(("apart", "disputed"), [(0.004, False), (0.006, True)])
def test_half_a_percent_is_agreement(week, apart, disputed):
    """Rounding, and closes with or without the auction."""
    assert agree({"a": week, "b": week * (1 + apart)}).disputed.any() == disputed


def test_a_session_that_others_agree_on_is_taken(week):
    """And one that a single other vendor has is not."""
    without = week.drop(pd.Timestamp(DAY))
    assert len(agree({"a": without, "b": week, "c": week}).frame) == 5
    assert len(agree({"a": without, "b": week}).frame) == 4


def test_a_session_that_only_the_preferred_vendor_has_stays(week):
    """With no spread: there is nothing to compare."""
    agreement = agree({"a": week, "b": week.iloc[:-1]})
    assert closes(agreement) == week["close"].tolist()
    assert np.isnan(agreement.spread.iloc[-1])
    assert not agreement.disputed.iloc[-1]


def test_actions_are_the_preferred_vendor_s(week):
    """Also where its prices were outvoted."""
    odd = week.copy()
    odd.loc[DAY, PRICES] = 99.0
    odd.loc[DAY, "dividend"] = 0.5
    agreement = agree({"a": odd, "b": week, "c": week.assign(split=2.0)})
    assert agreement.frame["dividend"].tolist() == [0, 0, 0.5, 0, 0]
    assert agreement.frame["split"].tolist() == [1.0] * 5
    assert tuple(agreement.frame.columns) == RAW


def test_negative_prices_agree_too(week):
    """Crude oil, 2020-04-20."""
    assert not agree({"a": -week, "b": -week}).disputed.any()


def test_actions_that_the_preferred_vendor_does_not_know_are_another_s(week):
    """Unknown is not none."""
    paid = week.copy()
    paid.loc[DAY, "dividend"] = 0.5
    odd = week.copy()
    odd.loc[DAY, PRICES] = 99.0
    agreement = agree({"a": odd.assign(dividend=np.nan), "b": paid, "c": paid})
    assert agreement.frame.loc[DAY, "dividend"] == 0.5
