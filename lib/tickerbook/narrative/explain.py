"""A stored narrative explained: what was drafted, what became of each sentence and why, what stands."""

from collections.abc import Iterator, Mapping
from typing import Any

_MARKS = {"passed": "✓", "replaced": "↻", "dropped": "✗"}


def explained(narrative: Mapping[str, Any]) -> Iterator[str]:
    """Lines to print: attempts of a model, each sentence with its verdict, the final text, the receipt.

    Args:
        narrative: as `narrate` gives it.
    """
    yield f"narrator: {narrative['narrator']}"
    for number, attempt in enumerate(narrative.get("attempts", ()), start=1):
        yield f"attempt {number}, {attempt['tokens']:,} tokens: {attempt['refused'] or 'taken'}"
        yield f"  {attempt['answer']}"
    for verdict in narrative.get("verdicts", ()):
        yield f"{_MARKS[verdict['outcome']]} {verdict['part']}: {verdict['sentence']}"
        yield from (f"    it {reason}" for reason in verdict["reasons"])
        if verdict["instead"]:
            yield f"    instead: {verdict['instead']}"
    for part in narrative["parts"]:
        yield f"{part['title']}: {' '.join(sentence['text'] for sentence in part['sentences'])}"
    yield str(narrative["receipt"])
