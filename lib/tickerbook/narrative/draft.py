"""A draft: sentences with slots such as `{support.price}`, which code fills with the text of facts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tickerbook.facts import Fact

SLOT = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*)\}")


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph of a narrative.

    Attributes:
        name: "context", "objective", "plan" or "invalidation".
        title: its heading.
        sentences: templates; everything in them that was computed is a slot.
    """

    name: str
    title: str
    sentences: tuple[str, ...]


Draft = tuple[Part, ...]


def slots(sentence: str) -> list[str]:
    """Names of the facts a sentence asks for, in its order, each once.

    >>> slots("From {support.low} to {support.high}.")
    ['support.low', 'support.high']
    """
    return list(dict.fromkeys(SLOT.findall(sentence)))


def fill(draft: Draft, facts: Mapping[str, Fact]) -> list[dict[str, Any]]:
    """The parts as the run store keeps them; each sentence with its template, text and slots (name → text).

    The draft must have passed the check.
    """
    return [
        {
            "name": part.name,
            "title": part.title,
            "sentences": [_filled(sentence, facts) for sentence in part.sentences],
        }
        for part in draft
    ]


def _filled(sentence: str, facts: Mapping[str, Fact]) -> dict[str, Any]:
    return {
        "template": sentence,
        "text": SLOT.sub(lambda slot: facts[slot[1]].text, sentence),
        "slots": {name: facts[name].text for name in slots(sentence)},
    }
