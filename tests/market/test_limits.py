"""Rates are kept to by everybody together: over any window, after any crash, whatever the clocks say."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import DataError, ProviderError, ProviderFault
from tickerbook.market.limits import DAY, Limits, Rate, duration, rates
from tickerbook.market.memory import Memory
from tickerbook.settings import ProviderParams

NOW = 1_330_000_000.0
FIVE_A_MINUTE = (Rate(5, 60.0),)


@pytest.fixture
def limits():
    """Limits that remember nothing of another program."""
    memory = Memory()
    yield Limits(memory)
    memory.close()


def taken(limits, allowed, count, now=NOW, patience=1e9):
    """The instants of so many places in a row, relative to NOW."""
    return [now + limits.reserve("v", allowed, now, patience) - NOW for _ in range(count)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, ()),
        ({"per_second": 50}, (Rate(50, 1.0),)),
        ({"per_minute": 5, "per_day": 25}, (Rate(5, 60.0), Rate(25, DAY))),
        ({"per_second": 0.2}, (Rate(1, 5.0),)),
        ({"per_second": 2.5}, (Rate(1, 0.4),)),
    ],
)
def test_rates_come_from_params(told, expected):
    """Broken numbers space requests evenly, so that no window has more than allowed."""
    assert rates(ProviderParams(**told)) == expected


def test_what_is_not_limited_never_waits(limits):
    """And takes no place."""
    assert taken(limits, (), 1000) == [0.0] * 1000


def test_the_first_requests_go_at_once_the_others_a_window_later(limits):
    """Five now, five a minute later, …; a little more than a minute, as requests jostle on their way."""
    assert taken(limits, FIVE_A_MINUTE, 11) == pytest.approx([0] * 5 + [60.05] * 5 + [120.10], abs=1e-3)


def test_every_rate_counts(limits):
    """The slower one decides."""
    both = (Rate(2, 1.0), Rate(3, 60.0))
    assert taken(limits, both, 4) == pytest.approx([0, 0, 1.05, 60.05], abs=1e-3)


def test_a_longer_wait_than_is_of_use_takes_no_place(limits):
    """It is refused with the time until it would be possible, and the next one is as well off."""
    taken(limits, FIVE_A_MINUTE, 5)
    for _ in range(3):
        with pytest.raises(ProviderError) as caught:
            limits.reserve("v", FIVE_A_MINUTE, NOW + 20, patience=40)
        assert caught.value.kind is ProviderFault.RATE_LIMITED
        assert caught.value.retry_after == pytest.approx(40.05)
        assert "5 requests a minute" in caught.value.message
    assert limits.reserve("v", FIVE_A_MINUTE, NOW + 20, patience=41) == pytest.approx(40.05)


def test_vendors_do_not_share(limits):
    """Each has its own places."""
    taken(limits, FIVE_A_MINUTE, 5)
    assert limits.reserve("other", FIVE_A_MINUTE, NOW, 0) == 0


def test_what_is_left_is_told(limits):
    """For the doctor."""
    allowed = (Rate(5, 60.0), Rate(25, DAY))
    taken(limits, allowed, 3)
    assert limits.left("v", allowed, NOW + 1) == {allowed[0]: 2, allowed[1]: 22}
    assert limits.left("v", allowed, NOW + 61) == {allowed[0]: 5, allowed[1]: 22}


def test_places_are_remembered_by_the_next_program(tmp_path):
    """A quota of a day is one for all programs of that day."""
    allowed = (Rate(3, DAY),)
    for _ in range(3):
        memory = Memory(tmp_path / "limits.db")
        Limits(memory).reserve("v", allowed, NOW, 0)
        memory.close()
    memory = Memory(tmp_path / "limits.db")
    with pytest.raises(ProviderError, match="3 requests a day"):
        Limits(memory).reserve("v", allowed, NOW + 3600, 60)
    memory.close()


def test_a_clock_that_ran_ahead_neither_blocks_nor_frees(limits):
    """Places of a year later were taken, nobody knows when: they count from now."""
    allowed = (Rate(3, DAY),)
    taken(limits, allowed, 3, now=NOW + 365 * DAY)
    with pytest.raises(ProviderError) as caught:
        limits.reserve("v", allowed, NOW, 60)
    assert caught.value.retry_after == pytest.approx(DAY, abs=1)


def test_a_clock_that_runs_behind_does_not_exceed(limits):
    """A program an hour behind sees the others' places, and waits."""
    taken(limits, FIVE_A_MINUTE, 5)
    with pytest.raises(ProviderError):
        limits.reserve("v", FIVE_A_MINUTE, NOW - 3600, 60)


@given(
    st.lists(st.floats(0, 30), max_size=40),
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from([1.0, 7.0, 20.0])), min_size=1, max_size=3),
)
def test_no_window_ever_has_more_than_allowed(pauses, told):
    """Whenever requests come, whatever the rates."""
    memory, allowed = Memory(), tuple(Rate(*one) for one in told)
    limits, now, places = Limits(memory), NOW, []
    for pause in pauses:
        now += pause
        places.append(now + limits.reserve("v", allowed, now, 1e9))
    memory.close()
    for count, seconds in told:
        for place in places:
            assert sum(place <= other < place + seconds for other in places) <= count


TAKER = """
import sys, time
from pathlib import Path
from tickerbook.errors import ProviderError
from tickerbook.market.limits import Limits, Rate
from tickerbook.market.memory import Memory
limits, got = Limits(Memory(Path(sys.argv[1]))), 0
for _ in range(100):
    try:
        limits.reserve("v", (Rate(150, 86400.0),), 1.33e9, 0)
        got += 1
    except ProviderError:
        pass
print(got)
"""


def test_programs_at_once_do_not_exceed_a_quota(tmp_path):
    """Four programs want a hundred places each; there are 150 a day."""
    command = [sys.executable, "-c", TAKER, str(tmp_path / "limits.db")]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sum(int(program.communicate(timeout=120)[0]) for program in programs) == 150


def test_a_memory_that_is_damaged_is_said(tmp_path):
    """Requests that cannot be counted are not made."""
    (tmp_path / "limits.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(DataError, match=r"limits\.db.*not a database") as caught:
        Memory(tmp_path / "limits.db")
    assert "move it away" in caught.value.remedy


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    """With its path."""
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    with pytest.raises(DataError, match=r"limits\.db cannot be made"):
        Memory(tmp_path / "data" / "limits.db")


@pytest.mark.parametrize(("seconds", "words"), [(0.1, "1 s"), (59, "59 s"), (90, "2 min"), (86400, "24.0 h")])
def test_spans_are_told_in_words(seconds, words):
    """Rounded as a person would."""
    assert duration(seconds) == words
