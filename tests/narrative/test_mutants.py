"""Mutants of clean prose: what a narrator could get wrong is caught, and clean prose is let through."""

from collections import Counter
from functools import cache

import pytest
from mutants import MEANING, NUMBER, modelled, mutants, pack

from tickerbook.narrative.check import faults
from tickerbook.narrative.plain import draft

SEEDS = range(5)  # the benchmark takes more


@cache
def clean():
    """Sentences with their facts: the plain narrator's and a model's."""
    told = []
    for seed in SEEDS:
        facts = pack(seed)
        told += [(sentence, facts) for part in draft(facts) for sentence in part.sentences]
        told += [(sentence, facts) for sentence in modelled(facts)]
    return told


@cache
def outcomes():
    """Class → mutants made, mutants caught; and each class's kind."""
    made, caught, kinds, missed = Counter(), Counter(), {}, []
    seen = set()
    for sentence, facts in clean():
        for name, kind, mutant in mutants(sentence, facts):
            if (mutant, id(facts)) in seen:
                continue
            seen.add((mutant, id(facts)))
            kinds[name] = kind
            made[name] += 1
            if next(faults(mutant, facts), None):
                caught[name] += 1
            else:
                missed.append((name, mutant))
    return made, caught, kinds, missed


def test_clean_prose_is_let_through():
    """Less than two of a hundred true sentences are refused."""
    refused = [(s, fault) for s, facts in clean() if (fault := next(faults(s, facts), None))]
    assert len(refused) < 0.02 * len(clean()), refused[:5]


def test_there_are_a_thousand_mutants():
    """Of every class that is named."""
    made, _, kinds, _ = outcomes()
    assert sum(made.values()) >= 1000
    assert min(made.values()) >= 10
    assert {NUMBER, MEANING} == set(kinds.values())


def test_no_number_entity_or_date_gets_through():
    """Every mutant of these classes is caught."""
    made, caught, kinds, missed = outcomes()
    assert {n: caught[n] for n in made if kinds[n] == NUMBER} == {
        n: made[n] for n in made if kinds[n] == NUMBER
    }, [m for m in missed if kinds[m[0]] == NUMBER][:5]


@pytest.mark.parametrize("name", ["direction", "rank", "certainty", "cause", "advice"])
def test_meaning_is_held(name):
    """Nineteen of twenty mutants of a meaning are caught, at least."""
    made, caught, _, missed = outcomes()
    assert caught[name] >= 0.95 * made[name], [m for m in missed if m[0] == name][:8]
