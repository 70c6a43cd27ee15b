"""What becomes of a draft: each sentence passes, is replaced by its plain counterpart, or is dropped.

No sentence is ever repaired.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tickerbook.facts import Fact
from tickerbook.narrative.check import faults
from tickerbook.narrative.draft import SLOT, Draft, Part, slots

Outcome = Literal["passed", "replaced", "dropped"]
_REASONS = 3  # that are told of a sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a sentence.

    Attributes:
        part: the part that it stood in.
        sentence: its template.
        outcome: whether it passed.
        reasons: why not, as ends of "it …".
        instead: the sentence that took its place.
    """

    part: str
    sentence: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    instead: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the run store keeps it."""
        return {
            "part": self.part,
            "sentence": self.sentence,
            "outcome": self.outcome,
            "reasons": list(self.reasons),
            "instead": self.instead,
        }


def _no_style(_: str) -> Iterable[str]:
    return ()


def sift(
    draft: Draft,
    facts: Mapping[str, Fact],
    plain: Draft = (),
    style: Callable[[str], Iterable[str]] = _no_style,
) -> tuple[Draft, tuple[Verdict, ...]]:
    """What of a draft may be published, and what became of each of its sentences.

    Args:
        draft: by whomever.
        facts: what may be said.
        plain: the plain narrator's draft of the same facts, whose sentences replace those that fail: of the
            same part, with most slots in common. Where no sentence of a part is left, its own come back.
        style: what the house style has against a sentence.
    """
    spare = {part.name: [s for s in part.sentences if not any(faults(s, facts))] for part in plain}
    kept: dict[str, list[str]] = {part.name: [] for part in plain}
    titles = {part.name: part.title for part in (*draft, *plain)}
    verdicts = []
    said = {s for part in draft for s in part.sentences}
    for part in draft:
        there = kept.setdefault(part.name, [])
        for sentence in part.sentences:
            reasons = tuple(dict.fromkeys([*faults(sentence, facts), *style(sentence)]))[:_REASONS]
            verdict = _verdict(part.name, sentence, reasons, spare.get(part.name, []), {*there}, said)
            verdicts.append(verdict)
            there += [s for s in (sentence if verdict.outcome == "passed" else verdict.instead,) if s]
    for name, sentences in kept.items():
        sentences.extend(spare.get(name, []) if not sentences else [])
    parts = [Part(name, titles[name], tuple(kept[name])) for name in kept if kept[name]]
    return tuple(parts), tuple(verdicts)


def _verdict(
    part: str, sentence: str, reasons: tuple[str, ...], spare: list[str], there: set[str], said: set[str]
) -> Verdict:
    if sentence in there:
        reasons = ("was said before",)
    if not reasons:
        return Verdict(part, sentence, "passed")
    asked = Counter(slots(sentence))
    shared = {s: sum((asked & Counter(slots(s))).values()) for s in spare if s not in there | said}
    best = max(shared, key=lambda s: shared[s], default="")
    if reasons[0] == "was said before" or not shared.get(best):
        return Verdict(part, sentence, "dropped", reasons)
    return Verdict(part, sentence, "replaced", reasons, best)


def receipt(draft: Draft, verdicts: tuple[Verdict, ...]) -> str:
    """What the check found, in a line for the foot of a page."""
    return ", ".join(_receipt(draft, verdicts)) + "."


def _receipt(draft: Draft, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    sentences = [sentence for part in draft for sentence in part.sentences]
    yield _count(len(sentences), "sentence")
    for outcome in ("replaced", "dropped"):
        if number := sum(verdict.outcome == outcome for verdict in verdicts):
            yield f"{number} {outcome}"
    yield f"{_count(sum(len(SLOT.findall(s)) for s in sentences), 'slot')} filled from facts"
    yield "no figure typed by hand"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
