"""Splits that prices do not show, show twice, or show in some rows only."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from deliver import NEW_YORK, PRICES, changed, checks, good, judge, one, scaled, served

from tickerbook.market.gate import Context
from tickerbook.market.raw import undo_splits

SPLIT = Context("XNYS")
DAY = 300


def _split(ratio: float) -> pd.DataFrame:
    bars = good().assign(split=1.0)
    return changed(bars, bars.index[DAY], split=ratio)


def _off(bars: pd.DataFrame, rows: slice, factor: float) -> pd.DataFrame:
    return scaled(scaled(bars, rows, factor), rows, 1 / factor, ["volume"])


@pytest.mark.parametrize(
    ("name", "calendar", "rows"),
    [("shinetsu", "XTKS", 9), ("alpha", "XPAR", 1), ("mob", "XSTO", 1), ("spm", "XMIL", 13)],
)
def test_real_errors_are_put_right(name, calendar, rows):
    """As the maintainers: not applied, one row left out (1:10000 and 1:10), applied twice."""
    bars = served(name)
    verdict = judge(bars, Context(calendar))
    finding, right = one(verdict, "splits.scale"), bars.sort_index()
    assert len(finding.sessions) == rows
    np.testing.assert_allclose(verdict.frame["close"], right["right_close"], rtol=1e-6)
    np.testing.assert_allclose(verdict.frame["volume"], right["right_volume"], rtol=1e-4)


@pytest.mark.parametrize("ratio", [2.0, 5.0, 1.5, 0.76, 0.4714, 0.1, 1e-4])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("edge", [DAY - 2, DAY, DAY + 3])
def test_rows_before_a_split_on_the_wrong_scale(ratio, twice, edge):
    """Not applied or applied twice, up to a day near the split."""
    bars = _split(ratio)
    verdict = judge(_off(bars, slice(0, edge), 1 / ratio if twice else ratio), SPLIT)
    np.testing.assert_allclose(verdict.frame[[*PRICES, "volume"]], bars[[*PRICES, "volume"]], rtol=1e-9)


@pytest.mark.parametrize("rows", [slice(298, 299), slice(290, 297), slice(100, 140)], ids=str)
def test_some_rows_on_the_wrong_scale(rows):
    """Near the split, or long before it."""
    bars = _split(4.0)
    verdict = judge(_off(bars, rows, 4.0), SPLIT)
    assert one(verdict, "splits.scale").sessions == tuple(bars.index[rows].date)
    np.testing.assert_allclose(verdict.frame[PRICES], bars[PRICES], rtol=1e-12)


def test_a_split_applied_to_prices_alone():
    """Volume that is right stays."""
    bars = _split(10.0)
    verdict = judge(scaled(bars, slice(0, DAY), 10.0), SPLIT)
    np.testing.assert_allclose(verdict.frame[[*PRICES, "volume"]], bars[[*PRICES, "volume"]], rtol=1e-12)


def test_a_split_applied_to_volume_is_a_doubt_where_it_is_not():
    """Volume changes by the ratio on the day; told, and kept."""
    bars = scaled(_split(10.0), slice(0, DAY), 0.1, ["volume"])
    verdict = judge(bars, SPLIT)
    assert (verdict.decision, checks(verdict)) == ("accept", {"splits.volume"})


def test_as_traded_prices_jump_at_a_split():
    """That is what as traded means."""
    traded = undo_splits(_split(4.0).assign(dividend=0.0))
    verdict = judge(traded, NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", set())


def test_as_traded_rows_on_the_wrong_scale():
    """One row already divided before the split."""
    traded = undo_splits(_split(4.0).assign(dividend=0.0))
    verdict = judge(_off(traded, slice(298, 299), 0.25), NEW_YORK)
    np.testing.assert_allclose(verdict.frame[PRICES], traded[PRICES], rtol=1e-12)


def test_a_run_on_a_scale_that_nobody_lists():
    """Halved and doubled again exactly, on usual volume: no market does that."""
    bars = good()
    verdict = judge(_off(bars, slice(300, 310), 0.5), NEW_YORK)
    np.testing.assert_allclose(verdict.frame[[*PRICES, "volume"]], bars[[*PRICES, "volume"]], rtol=1e-12)


def test_a_spin_off_is_not_a_scale():
    """IBM's of 2021 is listed as a split of 1.046, ten days after a fall of 10 %: nothing is touched."""
    bars = scaled(_split(1.046), slice(0, DAY - 10), 1.1)
    pd.testing.assert_frame_equal(judge(bars, SPLIT).frame, bars, check_freq=False)


def test_a_crash_is_not_a_split():
    """Half gone on ten times the volume, a year after a split of two: nothing is touched."""
    bars = scaled(_split(2.0), slice(DAY + 100, 600), 0.5)
    bars = scaled(bars, slice(DAY + 100, DAY + 101), 10.0, ["volume"])
    pd.testing.assert_frame_equal(judge(bars, SPLIT).frame, bars, check_freq=False)


def test_a_week_with_a_split_is_a_doubt():
    """Aviva, 76:100 with a capital return in the same week: named, and kept.

    The maintainers scale this week by 1 / 0.76. But 537.1 before, in today's shares, and 412.1 + 101.69 / 0.76
    after are the same value to 2 %, so the week is on the right scale as it stands.
    """
    bars = served("aviva_weekly")
    verdict = judge(bars, Context("XLON", interval="1wk"))
    assert one(verdict, "splits.mixed").sessions == (date(2022, 5, 16),)
    assert verdict.frame.loc["2022-05-16", "close"] == bars.loc["2022-05-16", "close"]
