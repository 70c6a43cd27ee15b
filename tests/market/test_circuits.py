"""A vendor that is down is left alone for a while, by every program."""

import pytest

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.circuits import FAILURES, Circuits
from tickerbook.market.memory import Memory

NOW = 1_330_000_000.0
DOWN = ProviderError(ProviderFault.UNREACHABLE, "No line.")


@pytest.fixture
def memory(tmp_path):
    """A memory on disk."""
    memory = Memory(tmp_path / "limits.db")
    yield memory
    memory.close()


@pytest.fixture
def circuits(memory):
    """Its circuits."""
    return Circuits(memory)


def refused(circuits, now):
    """The error of an open circuit."""
    with pytest.raises(ProviderError) as caught:
        circuits.admit("v", now)
    return caught.value


def broken(circuits, now=NOW, times=FAILURES):
    """Let a vendor fail so many times."""
    for _ in range(times):
        circuits.admit("v", now)
        circuits.failed("v", DOWN, now)


def test_a_vendor_that_works_is_always_admitted(circuits):
    """Nothing is written for it."""
    circuits.served("v", NOW)
    circuits.admit("v", NOW)


def test_failures_in_a_row_open_the_circuit(circuits):
    """After the fifth nobody is admitted for a minute."""
    broken(circuits)
    error = refused(circuits, NOW + 1)
    assert (error.kind, error.retry_after) == (ProviderFault.UNREACHABLE, 59)
    assert "failed 5 times in a row (unreachable)" in error.message
    circuits.admit("other", NOW + 1)


def test_one_answer_in_between_closes_it(circuits):
    """Failures count in a row."""
    broken(circuits, times=FAILURES - 1)
    circuits.served("v", NOW)
    broken(circuits, times=FAILURES - 1)
    circuits.admit("v", NOW)


@pytest.mark.parametrize("kind", [k for k in ProviderFault if k not in {"unreachable", "rate limited"}])
def test_other_failures_are_the_ticker_s(circuits, kind):
    """A symbol that a vendor does not know says nothing of the vendor."""
    for _ in range(2 * FAILURES):
        circuits.failed("v", ProviderError(kind, "Not so."), NOW)
    circuits.admit("v", NOW)


def test_after_a_while_one_finds_out_for_all(circuits):
    """The others stay out until it is known."""
    broken(circuits)
    circuits.admit("v", NOW + 60)
    refused(circuits, NOW + 60)
    circuits.served("v", NOW + 61)
    circuits.admit("v", NOW + 61)


def test_a_vendor_that_stays_down_is_asked_ever_more_seldom(circuits):
    """One minute, two, four, …, at most fifteen."""
    broken(circuits)
    now, pauses = NOW, []
    for _ in range(6):
        wait = refused(circuits, now).retry_after
        pauses.append(wait)
        now += wait
        circuits.admit("v", now)
        circuits.failed("v", DOWN, now)
    assert pauses == [60, 120, 240, 480, 900, 900]


def test_many_at_once_are_one_outage(circuits):
    """Thirty questions under way that fail together open it once."""
    for _ in range(30):
        circuits.failed("v", DOWN, NOW)
    assert refused(circuits, NOW).retry_after == 60


def test_a_vendor_that_says_how_long_is_believed(circuits):
    """At once, and also where another answer comes meanwhile."""
    circuits.failed("v", ProviderError(ProviderFault.RATE_LIMITED, "Slow down.", retry_after=3600), NOW)
    circuits.served("v", NOW + 1)
    error = refused(circuits, NOW + 2)
    assert (error.kind, error.retry_after) == (ProviderFault.RATE_LIMITED, 3598)
    assert "asked to wait" in error.message
    circuits.admit("v", NOW + 3600)


def test_of_several_waits_that_are_told_the_longest_holds(circuits):
    """Whichever came last."""
    for told in (10.0, 600.0, 5.0):
        circuits.failed("v", ProviderError(ProviderFault.RATE_LIMITED, "Slow down.", retry_after=told), NOW)
    assert refused(circuits, NOW).retry_after == 600


def test_the_next_program_knows(circuits, tmp_path):
    """What is open stays open."""
    broken(circuits)
    other = Memory(tmp_path / "limits.db")
    refused(Circuits(other), NOW + 1)
    other.close()


def test_a_clock_set_back_opens_what_it_closed(circuits):
    """A failure of tomorrow is no reason not to ask today."""
    broken(circuits, now=NOW + 86400)
    circuits.admit("v", NOW)
    circuits.admit("v", NOW)
