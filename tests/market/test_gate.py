"""The decision: accept, repair with a record, or quarantine."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from deliver import NEW_YORK, PRICES, changed, checks, good, one, scaled
from hypothesis import given, settings

from tickerbook.market import checks as folder
from tickerbook.market.gate import Context, judge


@pytest.mark.parametrize("symbol", ["AAPL", "GOOG", "IBM", "MSFT", "FB"])
def test_good_prices_are_accepted_as_they_are(symbol):
    """Nothing to say and nothing touched."""
    bars = good(symbol, 180)
    verdict = judge(bars, NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", set())
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_a_repair_keeps_what_was_delivered():
    """The finding holds the former values, the new ones, and the day."""
    verdict = judge(scaled(good(), slice(300, 301), 100.0), NEW_YORK)
    finding, day = one(verdict, "units.factor"), good().index[300]
    assert (verdict.decision, finding.severity, finding.sessions) == ("repair", "error", (day.date(),))
    assert finding.before["close"].item() == good().loc[day, "close"] * 100
    assert finding.after["close"].item() == pytest.approx(good().loc[day, "close"], rel=1e-12)


def test_nothing_is_filled_in():
    """A row without prices is gone; its neighbours are as they were."""
    bars = good()
    verdict = judge(scaled(bars, slice(300, 301), np.nan), NEW_YORK)
    pd.testing.assert_frame_equal(verdict.frame, bars.drop(bars.index[300]), check_freq=False)


def test_an_action_of_a_lost_row_moves_to_the_next():
    """A dividend was paid even if the day's prices are lost."""
    bars = good().assign(dividend=0.0, split=1.0)
    broken = changed(bars, bars.index[300], dividend=0.75, split=2.0, open=np.nan)
    kept = judge(broken, NEW_YORK).frame
    assert kept.loc[bars.index[301], ["dividend", "split"]].tolist() == [0.75, 2.0]


def test_a_lost_row_comes_back_from_the_stored_history():
    """What was learnt before is not invented."""
    bars = good()
    context = Context("XNYS", adjustment="none", stored=bars)
    verdict = judge(scaled(bars, slice(300, 301), np.nan), context)
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)
    assert "stored history" in one(verdict, "blank.row").message


def test_a_lost_row_comes_back_from_another_provider_on_our_scale():
    """The other may quote another share count; its neighbours tell by how much."""
    bars = good()
    second = bars.assign(**bars[PRICES] / 4, volume=bars["volume"] * 4)
    context = Context("XNYS", adjustment="none", second=second)
    verdict = judge(scaled(bars, slice(300, 301), np.nan), context)
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)


def test_another_provider_that_disagrees_fills_nothing():
    """Somebody who quotes something else is no witness."""
    bars = good()
    context = Context("XNYS", adjustment="none", second=good("MSFT"))
    assert bars.index[300] not in judge(scaled(bars, slice(300, 301), np.nan), context).frame.index


def test_too_many_lost_rows_put_the_ticker_in_quarantine():
    """Where every fifth row is wrong, the others are not trusted; there is nothing to store."""
    bars = good()
    bars.loc[bars.index[::5], "close"] = 0.0
    verdict = judge(bars, NEW_YORK)
    assert (verdict.decision, verdict.frame) == ("quarantine", None)
    assert "gate.many" in checks(verdict)


def test_nothing_left_is_a_quarantine():
    """A table of blanks is not a history without rows."""
    assert judge(scaled(good(rows=5), slice(0, 5), np.nan), NEW_YORK).decision == "quarantine"


def test_a_verdict_cannot_be_changed():
    """It is a record."""
    with pytest.raises(FrozenInstanceError):
        judge(good(rows=9), NEW_YORK).decision = "accept"


def test_the_delivered_frame_is_not_touched():
    """It belongs to who delivered it."""
    broken = scaled(good(), slice(300, 310), 100.0).iloc[::-1]
    before = broken.copy()
    judge(broken, NEW_YORK)
    pd.testing.assert_frame_equal(broken, before)


def test_evidence_is_not_stored():
    """A vendor's adjusted close is weighed and left behind."""
    frame = judge(good().assign(adj_close=1.0, capital_gain=0.0, dividend=0.0), NEW_YORK).frame
    assert list(frame.columns) == [*PRICES, "volume", "dividend"]


def test_every_file_is_a_family():
    """A check is in force by having its file in the folder; each has its own place."""
    files = {path.stem for path in Path(folder.__file__).parent.glob("[a-z]*.py")}
    names = [name for name, _ in folder.families()]
    assert set(names) == files
    assert names[0] == "schema"


def test_what_passed_passes_again():
    """A judged history of many defects has none the second time."""
    bars = scaled(scaled(good(), slice(100, 101), 100.0), slice(200, 215), 0.01)
    bars = changed(bars, bars.index[50], low=0.0)
    bars = pd.concat([bars, bars.iloc[[400]]])
    first = judge(bars, NEW_YORK)
    assert first.decision == "repair"
    assert judge(first.frame, NEW_YORK).decision == "accept"


DAMAGE = st.tuples(
    st.sampled_from([*PRICES, "volume", "dividend", "split"]),
    st.integers(0, 39),
    st.sampled_from([0.0, -1.0, np.nan, np.inf, -np.inf, 1e-9, 1e9, 3.0]),
)


@settings(max_examples=60)
@given(
    st.lists(DAMAGE, max_size=8),
    st.permutations(range(40)) | st.just(range(40)),
    st.lists(st.integers(0, 39), max_size=3),
    st.sampled_from(["none", "split"]),
    st.sampled_from(["1d", "1wk"]),
)
def test_whatever_comes_what_passes_is_sound(damage, order, again, adjustment, interval):
    """However damaged, mixed up and repeated: sessions ascend once each with finite prices, or nothing passes."""
    bars = good(rows=40).assign(dividend=0.0, split=1.0)
    for column, row, value in damage:
        bars.iloc[row, bars.columns.get_loc(column)] = value
    verdict = judge(bars.iloc[[*order, *again]], Context("XNYS", adjustment=adjustment, interval=interval))
    assert (verdict.frame is None) == (verdict.decision == "quarantine")
    if verdict.frame is not None:
        assert verdict.frame.index.is_monotonic_increasing
        assert verdict.frame.index.is_unique
        assert np.isfinite(verdict.frame[PRICES].to_numpy()).all()
