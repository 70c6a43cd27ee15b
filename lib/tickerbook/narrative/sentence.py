"""A sentence taken apart: clauses of words and slots, in their order."""

import re
from dataclasses import dataclass

from tickerbook.narrative.draft import SLOT

_PIECE = re.compile(rf"{SLOT.pattern}|([^\W\d_]+(?:['’-][^\W\d_]+)*)|([,;:.!?()])")
_ENDS = frozenset(";:.!?")


def vocabulary(words: str) -> frozenset[str]:
    """Words that are written one behind the other."""
    return frozenset(words.split())


@dataclass(frozen=True, slots=True)
class Piece:
    """A word in lower case, the name of a slot, or a point.

    Attributes:
        text: the word, the name of the fact, or the point.
        slot: whether it is a slot.
    """

    text: str
    slot: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """What stands between semicolons, colons and ends of sentences."""

    pieces: tuple[Piece, ...]

    @property
    def slots(self) -> list[str]:
        """Names of its slots, in its order."""
        return [piece.text for piece in self.pieces if piece.slot]

    @property
    def words(self) -> list[str]:
        """Its words, in its order."""
        return [piece.text for piece in self.pieces if not piece.slot]

    def slot_at(self, place: int) -> str | None:
        """The slot at a place; None where there is none."""
        return self.pieces[place].text if 0 <= place < len(self.pieces) and self.pieces[place].slot else None

    def word_at(self, place: int) -> str:
        """The word at a place; empty where there is none."""
        inside = 0 <= place < len(self.pieces) and not self.pieces[place].slot
        return self.pieces[place].text if inside else ""

    def segments(self) -> list["Clause"]:
        """Its parts between commas and "and"."""
        found: list[list[Piece]] = [[]]
        for piece in self.pieces:
            if not piece.slot and piece.text in {",", "and", "while", "but"}:
                found.append([])
            else:
                found[-1].append(piece)
        return [Clause(tuple(pieces)) for pieces in found if pieces]


def clauses(sentence: str) -> list[Clause]:
    """The clauses of a template.

    >>> [clause.slots for clause in clauses("At {a.b}; it was {c}.")]
    [['a.b'], ['c']]
    """
    found: list[list[Piece]] = [[]]
    for slot, word, point in _PIECE.findall(sentence):
        if point in _ENDS and point:
            found.append([])
        else:
            found[-1].append(Piece(slot, slot=True) if slot else Piece((word or point).lower()))
    return [Clause(tuple(pieces)) for pieces in found if pieces]
