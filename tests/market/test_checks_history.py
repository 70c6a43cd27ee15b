"""The delivered history against the stored one."""

import pandas as pd
from deliver import changed, checks, good, judge, one, scaled

from tickerbook.market.gate import Context


def _context(stored: pd.DataFrame) -> Context:
    return Context("XNYS", adjustment="none", stored=stored)


def test_the_same_history_is_no_news():
    """Sixty stored rows and a new one."""
    bars = good()
    assert checks(judge(bars.iloc[-61:], _context(bars.iloc[:-1]))) == set()


def test_another_company_under_the_symbol_is_a_quarantine():
    """Microsoft where IBM is stored: the stored history stays."""
    verdict = judge(good("MSFT"), _context(good("IBM")))
    assert (verdict.decision, verdict.frame) == ("quarantine", None)
    assert "another security" in one(verdict, "history.other").message


def test_restated_rows_are_named_with_both_values():
    """Ten rows 2 % higher than before."""
    bars = good()
    verdict = judge(scaled(bars, slice(300, 310), 1.02), _context(bars))
    finding = one(verdict, "history.restated")
    assert finding.sessions == tuple(bars.index[300:310].date)
    pd.testing.assert_series_equal(finding.before["close"], bars["close"].iloc[300:310], check_freq=False)
    assert verdict.decision == "accept"


def test_another_scale_is_the_same_history():
    """Every price a third, as after a split: told, not refused."""
    bars = good()
    verdict = judge(scaled(bars, slice(0, 600), 1 / 3), _context(bars))
    assert checks(verdict) == {"history.scale"}


def test_sessions_that_are_not_delivered_any_more_are_named():
    """Stored yesterday, absent today."""
    bars = good()
    verdict = judge(bars.drop(bars.index[300]), _context(bars))
    assert checks(verdict) == {"sessions.missing", "history.gone"}


def test_histories_that_do_not_meet_cannot_be_compared():
    """Told, so that nobody thinks they were."""
    bars = good()
    verdict = judge(bars.iloc[300:], _context(bars.iloc[:200]))
    assert "history.apart" in checks(verdict)


def test_a_wrong_row_is_put_right_before_it_is_compared():
    """A unit error is no restatement."""
    bars = good()
    broken = changed(bars, bars.index[300], close=bars["close"].iloc[300] * 100)
    assert checks(judge(broken, _context(bars))) == {"units.factor"}
