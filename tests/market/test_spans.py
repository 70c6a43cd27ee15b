"""Only what is missing is asked for, and enough of what is not to see whether it still holds."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from tickerbook.market.lake import Stored
from tickerbook.market.lakefile import Origin
from tickerbook.market.memory import Memory
from tickerbook.market.spans import OVERLAP, agrees, first_to_ask, holes, merged, reaches_back
from tickerbook.market.unanswered import Unanswered
from tickerbook.sessions import sessions_between

DUE = date(2012, 3, 9)


@pytest.fixture
def stored(month):
    """A stored history of a month, or of what is given."""

    def make(frame=month):
        at = datetime(2012, 3, 9, 23, tzinfo=UTC)
        return Stored("AAPL", frame, Origin("fake", "fake 1.0", at, "XNYS", "USD"))

    return make


@pytest.fixture
def year(raw):
    """Half a year of sessions before DUE."""
    days = sessions_between("XNYS", date(2011, 9, 6), DUE)
    return raw({f"{day:%Y-%m-%d}": 10.0 + day.day for day in days})


def test_nothing_is_asked_for_where_everything_is_stored(stored, ticker):
    """Also where the clock stands before the newest session."""
    assert first_to_ask(stored(), ticker(), DUE, ()) is None
    assert first_to_ask(stored(), ticker(), date(2012, 3, 1), ()) is None


def test_new_sessions_are_asked_for_with_some_before_them(stored, ticker, month):
    """Fewer than that are stored: from the first one on."""
    assert first_to_ask(stored(month.iloc[:-2]), ticker(), DUE, ()) == month.index[0].date()


def test_the_overlap_is_bounded(stored, ticker, year):
    """A long history is not asked for again."""
    first = first_to_ask(stored(year.iloc[:-1]), ticker(), DUE, ())
    assert first == year.index[-1 - OVERLAP].date()


def test_a_hole_is_asked_for_unless_nobody_has_it(stored, ticker, month):
    """Known holes are left alone; a new session after them is not."""
    hole = month.index[10].date()
    torn = month.drop(month.index[10])
    assert first_to_ask(stored(torn), ticker(), DUE, ()) == month.index[0].date()
    assert first_to_ask(stored(torn), ticker(), DUE, {hole}) is None
    assert first_to_ask(stored(torn), ticker(), date(2012, 3, 12), {hole}) is not None


def test_holes_are_those_inside(month):
    """From a session on, up to the newest there is."""
    torn = month.drop(month.index[[3, 10]])
    assert holes(torn.index, "XNYS", date(1990, 1, 1)) == [month.index[3].date(), month.index[10].date()]
    assert holes(torn.index, "XNYS", month.index[5].date()) == [month.index[10].date()]


def test_holes_are_asked_for_again_after_a_week():
    """Vendors mend them."""
    memory = Memory()
    unanswered, day = Unanswered(memory), 86400.0
    unanswered.note("AAPL", [DUE], 1e9)
    assert unanswered.sessions("AAPL", 1e9 + 6 * day) == {DUE}
    assert unanswered.sessions("AAPL", 1e9 + 8 * day) == set()
    assert unanswered.sessions("MSFT", 1e9) == set()
    assert unanswered.sessions("AAPL", 1e9 - day) == set()  # the clock was set back
    memory.close()


def test_the_same_bars_reach_no_further(month):
    """Neither does a newest bar that was corrected, nor an older one in the middle."""
    assert not reaches_back(month, month.iloc[:-1])
    assert not reaches_back(
        month.assign(close=month["close"].where(month.index != month.index[-2], 1.0)), month
    )


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
def test_other_prices_at_the_beginning_reach_back(month, column):
    """What is older may have changed too."""
    told = month.copy()
    told.loc[told.index[1], column] *= 1.001
    assert reaches_back(told, month)


def test_a_split_that_is_not_stored_reaches_back(month):
    """Whether on a new session or on a stored one."""
    for place in (-1, 5):
        told = month.copy()
        told.iloc[place, told.columns.get_loc("split")] = 2.0
        assert reaches_back(told, month.iloc[:-1])
        assert not reaches_back(told, told)


def test_nothing_in_common_reaches_back(month):
    """There is no telling."""
    assert reaches_back(month.iloc[5:], month.iloc[:5])


def test_missing_prices_and_unknown_splits_are_no_restatement(month):
    """A vendor that does not know."""
    told = month.drop(columns="split")
    told.iloc[0, :4] = np.nan
    assert not reaches_back(told, month)


def test_another_vendor_agrees_where_nearly_all_closes_are_the_same(month):
    """Rounding apart; the newest ones must be the same."""
    assert agrees(month * 1.001, month)
    odd = month.copy()
    odd.iloc[3, 3] *= 1.1
    assert agrees(odd, month)
    odd.iloc[-1, 3] *= 1.1
    assert not agrees(odd, month)
    assert not agrees(month * 2, month)
    assert not agrees(month.iloc[-3:], month)


def test_bars_are_added_to_what_is_stored(month):
    """With or without restating it."""
    told = (month * 2).iloc[-5:]
    added = merged(told, month.iloc[:-2], restate=False)
    restated = merged(told, month.iloc[:-2], restate=True)
    assert added.index.equals(month.index)
    assert restated.index.equals(month.index)
    assert (added["close"] / month["close"]).tolist() == [1.0] * 27 + [2.0] * 2
    assert (restated["close"] / month["close"]).tolist() == [1.0] * 24 + [2.0] * 5
