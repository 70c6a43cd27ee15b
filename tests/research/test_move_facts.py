"""What may be said of the last close: directions, ranks and averages, held against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.research.move_facts import MOVES, RANKED, move_facts

FLAT = [100.0, 101.0] * 20  # moves of one percent, up and down


def test_a_move_is_told_with_its_window(make_closes):
    """Change, size, sessions and the session that the close is compared with."""
    bars = make_closes([*FLAT, 98.0])
    facts = move_facts(bars)
    assert facts.value("move.1.change") == pytest.approx(98 / 101 - 1)
    assert facts.value("move.1.size") == pytest.approx(1 - 98 / 101)
    assert facts.value("move.1.since") == bars.frame.index[-2].date().isoformat()
    assert facts.value("move.2.sessions") == 5
    assert facts.value("move.2.change") == pytest.approx(98 / 101 - 1)
    assert facts.value("move.1.direction") == "down"


def test_a_usual_move_is_the_median_before_the_last_close(make_closes):
    """The last move itself does not decide what is usual."""
    facts = move_facts(make_closes([*FLAT, 200.0]))
    assert facts.value("move.1.usual") == pytest.approx(np.median([0.01, 1 - 100 / 101]), abs=1e-4)
    assert facts.value("move.1.noise") == pytest.approx(facts.value("move.1.usual") / 4)


@pytest.mark.parametrize(
    ("last", "said"), [(101.2, "unchanged"), (100.8, "unchanged"), (101.3, "up"), (100.7, "down")]
)
def test_noise_has_no_direction(make_closes, last, said):
    """What is no more than a quarter of a usual move counts as unchanged."""
    assert move_facts(make_closes([*FLAT, last])).value("move.1.direction") == said


def test_a_window_that_history_does_not_cover_is_left_out(make_closes):
    """No row without a close to compare with."""
    assert [row["sessions"].value for row in move_facts(make_closes(FLAT[:22])).rows("move")] == [1, 5, 21]
    assert move_facts(make_closes([100.0])).rows("move") == []


def test_without_moves_before_it_there_is_no_noise(make_closes):
    """Two closes have a change, and nothing to hold it against."""
    facts = move_facts(make_closes([100.0, 110.0]))
    assert facts.value("move.1.change") == pytest.approx(0.1)
    assert facts["move.1.noise"].value is None
    assert facts["move.1.direction"].value is None


@given(st.lists(st.integers(1, 30), min_size=1, max_size=80))
def test_ranks_are_those_of_counting(make_closes, closes):
    """Going back from the last close as long as none is as high gives its rank, and the session that ends it."""
    bars = make_closes([float(close) for close in closes])
    facts, last = move_facts(bars), closes[-1]
    for side, beats in (("high", lambda close: close >= last), ("low", lambda close: close <= last)):
        back = 1
        while back < len(closes) and not beats(closes[-1 - back]):
            back += 1
        told = back >= RANKED
        assert facts[f"rank.{side}_sessions"].value == (back if told else None)
        ended = told and back < len(closes)
        since = bars.frame.index[-1 - back].date().isoformat() if ended else None
        assert facts[f"rank.{side}_since"].value == since


def test_averages_have_the_gap_of_the_close(make_closes):
    """Mean of the last fifty closes, and how far above it the last close stands."""
    facts = move_facts(make_closes([100.0] * 49 + [150.0]))
    assert [row["sessions"].value for row in facts.rows("average")] == [50]
    assert facts.value("average.1.price") == pytest.approx(101.0)
    assert facts.value("average.1.gap") == pytest.approx(150 / 101 - 1)


def test_every_fact_is_of_the_last_session(make_walk):
    """Nothing here is of an older day."""
    bars = make_walk(sessions=300)
    facts = move_facts(bars)
    assert len(facts.rows("move")) == len(MOVES)
    assert {fact.as_of for fact in facts.values()} == {bars.session}
