"""The rows of ticks: claimed once, by the one who leads."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest

from tickerbook.errors import TakenOverError
from tickerbook.runs.schedule import Settled, Tick
from tickerbook.runs.tickbook import Leader, TickBook

AT = datetime(2026, 11, 18, 21, 30, tzinfo=UTC)
TICK = Tick("close", "2026-11-18", AT, AT, date(2026, 11, 18))
WAITING = [Settled(TICK, "waiting")]


@pytest.fixture
def book(url):
    """Of a scheduler that leads."""
    book = TickBook(url, "one")
    assert book.lead(None)
    return book


def test_one_leads(book, url):
    """Who has not seen the last sign of life does not take over."""
    other = TickBook(url, "two")
    assert not other.lead(None)
    seen = other.leader()
    book.beat()
    assert not other.lead(seen)
    assert other.leader() == Leader("one", 1)
    assert other.lead(Leader("one", 1))


def test_who_was_given_up_changes_nothing(book, url):
    """No claim, no start, no end, no sign of life."""
    assert TickBook(url, "two").lead(book.leader())
    for change in (
        book.beat,
        lambda: book.settle(WAITING, {}),
        lambda: book.start(TICK, AT),
        lambda: book.end(TICK, "ok", AT),
        lambda: book.rewind("close", AT),
        lambda: book.seen(["close"], AT),
    ):
        with pytest.raises(TakenOverError):
            change()
    assert book.rows() == []


def test_who_leaves_takes_nobody_along(book, url):
    """Leaving late does not end the one who leads now."""
    other = TickBook(url, "two")
    assert other.lead(book.leader())
    book.leave()
    assert other.leader() == Leader("two", 0)


def test_a_tick_that_came_to_its_end_is_nobodys(book):
    """It is not claimed again, and stays as it was."""
    assert book.settle(WAITING, {}) == [TICK]
    book.start(TICK, AT)
    book.end(TICK, "ok", AT + timedelta(minutes=3), "")
    assert book.settle([Settled(TICK, "missed", "late")], {}) == []
    assert book.settle(WAITING, {}) == []
    (row,) = book.rows()
    assert (row.state, row.note, row.starts, row.late) == ("ok", "", 1, 0.0)


def test_a_row_comes_back_whole(book):
    """Instants in UTC, the session as a day."""
    book.settle([Settled(TICK, "missed", "nothing is caught up")], {})
    (row,) = book.rows("close", ("missed",))
    assert (row.tick, row.state, row.note, row.started_at, row.late) == (
        TICK,
        "missed",
        "nothing is caught up",
        None,
        None,
    )


def test_a_new_cadence_is_looked_after_from_now_on(book):
    """And from where it was left, ever after."""
    later = AT + timedelta(days=1)
    assert book.seen(["close"], AT) == {"close": AT}
    assert book.seen(["close", "new"], later) == {"close": AT, "new": later}
    book.settle([], {"close": later})
    assert book.seen(["close"], AT) == {"close": later}


def test_of_many_that_would_lead_one_does(url):
    """Eight at the same moment."""
    books = [TickBook(url, str(number)) for number in range(8)]
    ready, leads = Barrier(len(books)), []

    def try_it(book):
        ready.wait()
        leads.append(book.lead(None))

    threads = [Thread(target=try_it, args=(book,)) for book in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(leads) == [False] * 7 + [True]
