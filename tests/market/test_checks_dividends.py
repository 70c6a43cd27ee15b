"""Dividends against prices, their neighbours, and the vendor's own adjusted close."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from deliver import NEW_YORK, changed, checks, good, judge, one, served

from tickerbook.market.gate import Context

PAID = slice(20, 600, 63)  # a quarter apart
PLAIN = Context("XNYS")


def _payer(share: float = 0.01, rows: int = 600) -> pd.DataFrame:
    """Real bars that fall by a dividend of that share each quarter, with Yahoo's adjusted close."""
    bars = good(rows=rows).assign(dividend=0.0)
    before = bars["close"].shift()
    days = bars.index[PAID]
    fall = pd.Series(1.0, bars.index)
    fall.loc[days] = 1 - share
    bars[["open", "high", "low", "close"]] = bars[["open", "high", "low", "close"]].mul(
        fall.cumprod(), axis=0
    )
    bars.loc[days, "dividend"] = (before * fall.shift().cumprod() * share).loc[days].round(4)
    return _adjusted(bars)


def _adjusted(bars: pd.DataFrame) -> pd.DataFrame:
    kept = (1 - bars["dividend"] / bars["close"].shift()).fillna(1.0)
    return bars.assign(adj_close=bars["close"] * kept[::-1].cumprod().shift(fill_value=1.0)[::-1])


def _times(bars: pd.DataFrame, places: slice, factor: float) -> pd.DataFrame:
    bars = bars.copy()
    bars.loc[bars.index[PAID][places], "dividend"] *= factor
    return bars


def test_dividends_that_fit_are_left_alone():
    """Nothing to say."""
    assert checks(judge(_payer(), PLAIN)) == set()


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize("factor", [100.0, 0.01])
@pytest.mark.parametrize("places", [slice(None), slice(4, 5)], ids=["all", "one"])
def test_amounts_off_by_a_hundred_are_put_right(places, factor, follows):
    """All or one of them, whether the adjusted close is right or follows them."""
    right = _payer(0.03)
    broken = _times(right, places, factor)
    verdict = judge(_adjusted(broken) if follows and factor < 1 else broken, PLAIN)
    assert "dividends.unit" in checks(verdict)
    np.testing.assert_allclose(verdict.frame["dividend"], right["dividend"], rtol=1e-12)


def test_real_dividends_in_pence():
    """RELX in 2022: 35.5 and 15.7 pence on prices in pounds; as the maintainers."""
    bars = served("relx")
    verdict = judge(bars, Context("XLON"))
    assert one(verdict, "dividends.unit").sessions == (date(2022, 4, 28), date(2022, 8, 4))
    np.testing.assert_allclose(verdict.frame["dividend"], bars["right_dividend"], rtol=1e-6)


def test_a_small_dividend_of_a_fickle_payer_stays():
    """Cal-Maine pays a share of its earnings: 0.006 USD once, after 0.755 and before 0.116."""
    bars = served("cal_maine")
    verdict = judge(bars, PLAIN)
    assert (verdict.decision, checks(verdict)) == ("accept", set())
    assert verdict.frame.loc["2023-10-31", "dividend"] == 0.006


def test_stored_dividends_tell_what_is_usual():
    """A single new dividend 100 times too large, where only stored ones show its series."""
    right = _payer().drop(columns="adj_close")
    row = right.index.get_loc(right.index[PAID][-1])
    part = right.iloc[row - 40 : row + 1]
    broken = changed(part, part.index[-1], dividend=part["dividend"].iloc[-1] * 100)
    verdict = judge(broken, Context("XNYS", stored=right.iloc[:row]))
    np.testing.assert_allclose(verdict.frame["dividend"], part["dividend"], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "calendar", "wrong"),
    [
        ("kazatomprom", "XLON", date(2022, 7, 13)),
        ("teleperformance", "XPAR", date(2023, 4, 20)),
    ],
)
def test_real_dividends_listed_twice(name, calendar, wrong):
    """The one that prices do not show goes; as the maintainers."""
    bars = served(name)
    verdict = judge(bars, Context(calendar))
    assert one(verdict, "dividends.twice").sessions == (wrong,)
    np.testing.assert_allclose(verdict.frame["dividend"], bars["right_dividend"], rtol=1e-6)


def test_monthly_dividends_are_not_twins():
    """What comes every five days is a habit."""
    bars = good().assign(dividend=0.0)
    bars.loc[bars.index[10::5], "dividend"] = 0.05
    assert "dividends.twice" not in checks(judge(bars, PLAIN))


def test_a_large_dividend_that_nobody_paid_is_removed():
    """A tenth of the price, and prices do not move."""
    bars = changed(_payer(), good().index[300], dividend=20.0)
    verdict = judge(_adjusted(bars), PLAIN)
    assert one(verdict, "dividends.phantom").before["dividend"].item() == 20.0
    assert verdict.frame["dividend"].iloc[300] == 0


def test_a_large_dividend_of_another_day_is_moved():
    """Prices fall four days later."""
    right = _payer(0.08)
    days = right.index[PAID]
    early = right.index[right.index.get_loc(days[5]) - 4]
    amount = right.loc[days[5], "dividend"]
    verdict = judge(_adjusted(changed(changed(right, days[5], dividend=0.0), early, dividend=amount)), PLAIN)
    assert verdict.frame.loc[days[5], "dividend"] == amount
    assert verdict.frame.loc[early, "dividend"] == 0


def test_a_series_that_prices_deny_is_a_doubt():
    """CoreSite's dividends stood in Cencora's history: the symbol COR had been used before."""
    bars = _payer(0.004)
    own = bars.loc[bars.index[PAID], "dividend"].iloc[0]
    bars.loc[bars.index[50:600:31], "dividend"] = own * 4
    verdict = judge(_adjusted(bars), PLAIN)
    assert "dividends.denied" in checks(verdict)
    assert (verdict.frame["dividend"] == bars["dividend"]).all()


def test_an_adjusted_close_without_the_dividend_is_told():
    """Traton: nothing of ours depends on it, so nothing is changed."""
    bars = served("traton")
    verdict = judge(bars, Context("XETR"))
    assert one(verdict, "adjusted.missing").sessions == (date(2023, 6, 2),)
    assert verdict.decision == "accept"


def test_an_adjusted_close_that_contradicts_is_told():
    """Half the dividend taken off."""
    bars = _payer(0.03)
    half = changed(bars, bars.index[PAID][4], dividend=bars.loc[bars.index[PAID][4], "dividend"] / 2)
    verdict = judge(bars.assign(adj_close=_adjusted(half)["adj_close"]), PLAIN)
    assert checks(verdict) == {"adjusted.contradiction"}


def test_an_adjusted_close_that_knows_more_is_told():
    """It steps where no dividend is listed."""
    bars = _payer(0.03)
    verdict = judge(changed(bars, bars.index[PAID][4], dividend=0.0), PLAIN)
    assert checks(verdict) == {"adjusted.unlisted"}


@pytest.mark.parametrize("value", [-3.0, np.inf, 1e37])
def test_an_impossible_adjusted_close_is_told(value):
    """As yfinance saw for LSC.L and SSNLF."""
    bars = _payer()
    bars.iloc[100:130, bars.columns.get_loc("adj_close")] = value
    verdict = judge(bars, PLAIN)
    assert len(one(verdict, "adjusted.impossible").sessions) == 30
    assert verdict.decision == "accept"


def test_a_gain_inside_the_dividend_is_not_counted_twice():
    """Dodge & Cox: 0.837 with 0.417 of gains inside; the fund fell by 0.70."""
    bars = served("dodge_cox")
    verdict = judge(bars, PLAIN)
    assert one(verdict, "gains.twice").sessions == (date(2025, 12, 18),)
    np.testing.assert_allclose(verdict.frame["dividend"], bars["right_dividend"])


def test_a_gain_beside_the_dividend_is_added():
    """Prices fall by both."""
    bars = _payer(0.06).assign(capital_gain=0.0)
    day = bars.index[PAID][4]
    total = bars.loc[day, "dividend"]
    verdict = judge(changed(bars, day, dividend=total * 0.55, capital_gain=total * 0.45), PLAIN)
    assert verdict.frame.loc[day, "dividend"] == pytest.approx(total)


def test_a_gain_without_a_dividend_is_a_dividend():
    """A part is not more than the whole, so it was paid apart."""
    bars = _payer(0.06).assign(capital_gain=0.0)
    day = bars.index[PAID][4]
    total = bars.loc[day, "dividend"]
    verdict = judge(changed(bars, day, dividend=0.0, capital_gain=total), NEW_YORK)
    assert verdict.frame.loc[day, "dividend"] == total
