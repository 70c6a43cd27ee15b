"""Prices in another unit."""

import numpy as np
import pandas as pd
import pytest
from deliver import NEW_YORK, PRICES, checks, good, judge, one, scaled, served

from tickerbook.market.gate import Context


@pytest.mark.parametrize("factor", [100.0, 0.01, 1000.0])
@pytest.mark.parametrize(
    "rows", [slice(300, 301), slice(300, 320), slice(0, 200), slice(599, 600), slice(0, 1)], ids=str
)
def test_rows_in_another_unit_are_converted(rows, factor):
    """One row, a run, everything before a day, the newest row alone."""
    bars = good()
    verdict = judge(scaled(bars, rows, factor), NEW_YORK)
    assert one(verdict, "units.factor").sessions == tuple(bars.index[rows].date)
    np.testing.assert_allclose(verdict.frame[PRICES], bars[PRICES], rtol=1e-12)


def test_single_prices_of_a_bar_are_converted():
    """Two of four, as yfinance saw in an hourly bar."""
    bars = good()
    verdict = judge(scaled(bars, slice(300, 301), 100.0, ["open", "high"]), NEW_YORK)
    np.testing.assert_allclose(verdict.frame[PRICES], bars[PRICES], rtol=1e-12)


def test_units_that_change_to_and_fro_are_converted():
    """The unit of the newest rows is the right one."""
    bars = good()
    broken = scaled(scaled(scaled(bars, slice(50, 90), 0.01), slice(200, 207), 0.01), slice(300, 520), 0.01)
    np.testing.assert_allclose(judge(broken, NEW_YORK).frame[PRICES], bars[PRICES], rtol=1e-12)


def test_real_rows_in_cents():
    """Sibanye-Stillwater: 22 rows in cents, then rand; as the maintainers."""
    bars = served("sibanye")
    verdict = judge(bars, Context("XJSE"))
    assert len(one(verdict, "units.factor").sessions) == 22
    np.testing.assert_allclose(verdict.frame["close"], bars["right_close"].sort_index(), rtol=1e-6)
    np.testing.assert_array_equal(verdict.frame["volume"], bars["volume"].sort_index())


def test_real_rows_that_nobody_repaired():
    """Northern Venture Trust: 19 rows a hundred times too small."""
    verdict = judge(served("northern"), Context("XLON"))
    assert len(one(verdict, "units.factor").sessions) == 19
    assert verdict.frame["close"].between(0.5, 0.7).all()


def test_the_stored_unit_is_the_right_one():
    """A vendor that changes from pounds to pence throughout is converted back."""
    bars = good()
    context = Context("XNYS", adjustment="none", stored=bars)
    verdict = judge(scaled(bars, slice(0, 600), 100.0), context)
    np.testing.assert_allclose(verdict.frame[PRICES], bars[PRICES], rtol=1e-12)


def test_a_factor_of_fifty_is_no_unit():
    """Nothing is converted that is not near 100."""
    verdict = judge(scaled(good(), slice(300, 301), 50.0), NEW_YORK)
    assert "units.factor" not in checks(verdict)


def test_volume_against_the_price_is_a_split():
    """Price a hundredth, volume a hundredfold, for good: not a unit; told, and kept."""
    bars = scaled(good().assign(split=1.0), slice(300, 600), 0.01)
    bars = scaled(bars, slice(300, 600), 100.0, ["volume"])
    verdict = judge(bars, NEW_YORK)
    assert (verdict.decision, checks(verdict)) == ("accept", {"outliers.break"})
    pd.testing.assert_frame_equal(verdict.frame, bars, check_freq=False)
