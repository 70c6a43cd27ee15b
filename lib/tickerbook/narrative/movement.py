"""Which way a sentence says that something went."""

import re
from collections.abc import Iterator

from tickerbook.narrative.pack import NOT, Pack, number
from tickerbook.narrative.sentence import Clause, vocabulary

_UP = vocabulary(
    "up rose rise rises rising risen gain gains gained gaining climbed climb climbs climbing advanced "
    "advance "
    "advances advancing increased increase increases increasing grew grow grows growing improved "
    "improve improves improving recovered recovers strengthened strengthens upward upwards"
)
_DOWN = vocabulary(
    "down fell fall falls falling fallen lost lose loses losing drop drops dropped dropping decline "
    "declines "
    "declined declining decreased decrease decreases decreasing slipped slips slid slides eased eases "
    "weakened weakens shrank shrinks retreated retreats downward downwards"
)
_STRONG_UP = vocabulary("jumped jumps surged surges soared soars rallied rallies leapt spiked")
_STRONG_DOWN = vocabulary(
    "plunged plunges tumbled tumbles crashed crashes collapsed collapses sank slumped slumps"
)
_FLAT = vocabulary("unchanged steady stable changed")  # hardly changed, little changed
_MODAL = vocabulary("may might could would if unless until whether")
_GIVING = vocabulary("give gives giving given gave")  # give up
_MOVED = re.compile(r"(?:^|[._])(?:change|size|total_return|oos_return|cagr|gap)$")
_STRONG = 2.0  # times a usual move of that length; what is less did not jump


def movements(clause: Clause, facts: Pack) -> Iterator[str]:
    """What a clause says of moves and the facts do not bear, as ends of "it …"."""
    for place, piece in enumerate(clause.pieces):
        way = None if piece.slot else _way(piece.text)
        if way is None or _supposed(clause, place) or _is_given_up(clause, place):
            continue
        if way == 0 and piece.text == "changed" and clause.word_at(place - 1) not in {"hardly", "little"}:
            yield "says “changed” without saying how"
            continue
        name = _bound(clause, place, facts)
        if name is None:
            yield f"says “{piece.text}” of nothing that was computed"
        elif NOT & {clause.word_at(place - 1), clause.word_at(place - 2)}:
            yield f"denies with “{piece.text}” what it could say"
        elif direction(facts, name) != way:
            yield f"says “{piece.text}”, which {{{name}}} does not bear"
        elif piece.text in _STRONG_UP | _STRONG_DOWN and not _is_strong(facts, name):
            yield f"says “{piece.text}” of a usual move"
        elif way < 0 and clause.slot_at(place + 1) == name and facts[name].text.startswith("−"):
            yield f"tells the sign of {{{name}}} twice"


def _is_given_up(clause: Clause, place: int) -> bool:
    return clause.word_at(place) == "up" and clause.word_at(place - 1) in _GIVING


def _way(word: str) -> int | None:
    if word in _UP or word in _STRONG_UP:
        return 1
    if word in _DOWN or word in _STRONG_DOWN:
        return -1
    return 0 if word in _FLAT else None


def _supposed(clause: Clause, place: int) -> bool:
    """Whether a word is said of what may be, not of what is."""
    near = [clause.word_at(place + step) for step in (-3, -2, -1, 1)]
    return bool(_MODAL & set(near))


def _bound(clause: Clause, place: int, facts: Pack) -> str | None:
    """The change that a word speaks of: behind it, else before it, else that of the close."""
    behind = [p.text for p in clause.pieces[place:] if p.slot and _MOVED.search(p.text)]
    before = [p.text for p in clause.pieces[:place] if p.slot and _MOVED.search(p.text)]
    for name in (*behind[:1], *before[-1:]):
        return name if number(facts, name) is not None else None
    for name in clause.slots:  # over so many sessions it hardly changed
        change = name.removesuffix("sessions") + "change"
        if name.startswith("move.") and name.endswith(".sessions") and number(facts, change) is not None:
            return change
    about_close = "price.close" in clause.slots and number(facts, "price.change") is not None
    return "price.change" if about_close else None


def direction(facts: Pack, name: str) -> int:
    """1, -1, or 0 where a change is no more than noise: less than its noise band, or than its last digit."""
    row, column = name.rsplit(".", 1)
    row = "move.1" if name == "price.change" else row
    change = number(facts, f"{row}.change") if column == "size" else number(facts, name)
    if change is None:
        return 0
    noise = number(facts, f"{row}.noise") if column in {"change", "size"} else None
    if noise is None:
        noise = 0.0 if any(digit in facts[name].text for digit in "123456789") else abs(change)
    return 0 if abs(change) <= noise else 1 if change > 0 else -1


def _is_strong(facts: Pack, name: str) -> bool:
    row = "move.1" if name == "price.change" else name.rsplit(".", 1)[0]
    usual, change = number(facts, f"{row}.usual"), number(facts, name)
    return usual is not None and change is not None and abs(change) >= _STRONG * usual
