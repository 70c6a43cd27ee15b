"""The plain narrator speaks of moves, ranks and averages as their facts say."""

import pytest

from tickerbook.facts import Fact, Facts
from tickerbook.narrative.draft import fill
from tickerbook.narrative.plain import draft
from tickerbook.narrative.policy import sift


def _told(**rows):
    facts = Facts(
        [
            Fact("ticker", "AAPL", "ticker"),
            Fact("price.close", 100.0, "close", "USD", 2),
            Fact("price.session", "2013-03-01", "session", "date"),
            *[fact for row in rows.values() for fact in row],
        ]
    )
    parts = fill(sift(draft(facts), facts)[0], facts)
    return " ".join(sentence["text"] for sentence in parts[0]["sentences"])


def _move(number, sessions, change, direction):
    row = f"move.{number}"
    return [
        Fact(f"{row}.sessions", sessions, "sessions", "sessions", 0),
        Fact(f"{row}.change", change, "move", "fraction", 1),
        Fact(f"{row}.size", abs(change), "size", "fraction", 1),
        Fact(f"{row}.noise", 0.01, "noise", "fraction", 2),
        Fact(f"{row}.direction", direction, "direction"),
    ]


@pytest.mark.parametrize(
    ("change", "direction", "said"),
    [
        (-0.08, "down", "Over 21 sessions it fell 8.0 %."),
        (0.08, "up", "Over 21 sessions it rose 8.0 %."),
        (0.008, "unchanged", "Over 21 sessions it hardly changed."),
    ],
)
def test_a_month_is_told_by_its_direction(change, direction, said):
    """Up, down, or hardly changed where the move is no more than noise."""
    assert said in _told(month=_move(3, 21, change, direction))


def test_a_loss_is_told_without_a_sign():
    """Down 2.0 %, not down −2.0 %."""
    change = [Fact("price.change", -0.02, "change", "fraction", 1)]
    assert ", down 2.0 % from the close before." in _told(last=_move(1, 1, -0.02, "down"), change=change)


@pytest.mark.parametrize("side", ["high", "low"])
def test_a_rank_is_told_with_its_window(side):
    """Highest or lowest, of how many sessions."""
    rank = [Fact(f"rank.{side}_sessions", 44, "rank", "sessions", 0)]
    assert f"That is the {side}est close of 44 sessions." in _told(rank=rank)


@pytest.mark.parametrize(("mean", "side"), [(90.0, "above"), (110.0, "below")])
def test_the_long_average_is_told_by_its_side(mean, side):
    """Where the close stands to the mean of two hundred closes."""
    average = [
        Fact("average.2.sessions", 200, "sessions", "sessions", 0),
        Fact("average.2.price", mean, "mean", "USD", 2),
        Fact("average.2.gap", 100 / mean - 1, "gap", "fraction", 1),
    ]
    assert f"The close is {side} ${mean:.2f}, the mean of 200 sessions." in _told(average=average)
