"""The check of a draft: what a reader could take for a figure, date or name stands in a slot, or is refused.

A sentence is refused as it is written, before its slots are filled, and never repaired. Its words are held
against the facts of its slots: directions, comparisons, ranks, owners, windows. What is checked does not
depend on who wrote it: the plain narrator passes through here too.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache

from tickerbook.errors import NarrativeError
from tickerbook.facts import Fact
from tickerbook.narrative.claims import claims
from tickerbook.narrative.draft import SLOT, Draft, slots
from tickerbook.narrative.roles import roles
from tickerbook.narrative.scope import scope
from tickerbook.narrative.sentence import Clause, clauses
from tickerbook.narrative.words import FORBIDDEN
from tickerbook.settings import nearest

_PLAIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ ,.;:!?()'’“”\"-]")
_ALONE = re.compile(rf"(?:(?<=[ (“\"])|^){SLOT.pattern}(?=(?:['’]s)?[,.;:!?)”\"]*(?: |$))")
_LONGEST = 2000  # characters; nobody reads on, and a narrator that went wild keeps nobody busy
_WHOLE = re.compile(r"[A-ZÀ-ÖØ-Þ“\"{(].*[.!?][”\")]?", re.DOTALL)


def check(draft: Draft, facts: Mapping[str, Fact]) -> None:
    """Let a draft pass, or refuse it.

    Raises:
        NarrativeError: names the first sentence with a fault, and the fault; also if there is no sentence.
    """
    if not any(part.sentences for part in draft):
        raise NarrativeError("The narrator said nothing.")
    for part in draft:
        for sentence in part.sentences:
            for fault in faults(sentence, facts):
                raise NarrativeError(
                    f"A sentence of the {part.name} was refused, because it {fault}: {sentence}",
                    "Figures, dates, units and names come from slots such as {price.close}.",
                )


def faults(sentence: str, facts: Mapping[str, Fact]) -> Iterator[str]:
    """What is wrong with a sentence, as the end of "it …"; nothing where it may be published.

    The order is fixed; the first fault is the one to tell.
    """
    if len(sentence) > _LONGEST:
        yield f"is longer than {_LONGEST} characters"
        return
    yield from _wording(SLOT.sub("slot", sentence))
    yield from _slots(sentence, facts)
    if not _WHOLE.fullmatch(_alone(sentence, facts)):
        yield "is not a whole sentence"
    yield from meaning(sentence, facts)


def meaning(sentence: str, facts: Mapping[str, Fact]) -> Iterator[str]:
    """What a sentence says that its facts do not bear, as the end of "it …"."""
    parts = _parts(sentence)
    yield from claims(parts, facts)
    yield from scope(parts, facts)
    yield from roles(parts, facts)


@lru_cache(maxsize=4096)
def _parts(sentence: str) -> tuple[Clause, ...]:
    return tuple(clauses(sentence))


@lru_cache(maxsize=4096)  # the plain narrator says the same of many tickers
def _wording(bare: str) -> tuple[str, ...]:
    """What is wrong with the words around the slots, whatever the facts are."""
    found = ((fault, pattern.search(bare)) for fault, pattern in FORBIDDEN.items())
    return (*_foreign(bare), *(f"{fault}, “{words[0]}”" for fault, words in found if words))


def _foreign(bare: str) -> Iterator[str]:
    """Characters that prose in slots does not need: digits of every kind, signs, other alphabets, markup."""
    for character in dict.fromkeys(bare):
        if unicodedata.numeric(character, None) is not None:
            yield f"has a digit outside a slot, “{character}”"
        elif not _PLAIN.fullmatch(character):
            name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
            yield f"has a character that prose does not need, {name}"


def _slots(sentence: str, facts: Mapping[str, Fact]) -> Iterator[str]:
    for name in slots(sentence):
        if name not in facts:
            yield f"asks for {{{name}}}, which is no fact.{nearest(name, list(facts))}"
        elif facts[name].value is None:
            yield f"asks for {{{name}}}, which is missing"
        elif isinstance(facts[name].value, tuple):
            yield f"asks for {{{name}}}, which is a series"
    if len(_ALONE.findall(sentence)) != len(SLOT.findall(sentence)):
        yield "glues a slot to other text"


def _alone(sentence: str, facts: Mapping[str, Fact]) -> str:
    """What must be a whole sentence: what a reader sees where a slot stands alone, else the template."""
    slot = SLOT.fullmatch(sentence)
    return facts[slot[1]].text if slot and slot[1] in facts else sentence
