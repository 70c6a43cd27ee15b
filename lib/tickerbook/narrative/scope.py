"""What a sentence may speak of: whose figures, of which time, of which rank, how sure, and why."""

import re
from collections.abc import Iterator, Sequence

from tickerbook.narrative.pack import Pack
from tickerbook.narrative.sentence import Clause, vocabulary

_ROW = re.compile(r"([a-z]+)\.(\d+)\.(\w+)$")
_NAMES = {  # group of rows → the columns that say which row it is
    "strategy": ("title", "name"),
    "check": ("name",),
    "conviction": ("name",),
    "size": ("method",),
    "position": ("ticker",),
    "row": ("ticker",),
    "move": ("sessions", "since"),
    "average": ("sessions",),
}
_WINDOWED = ("move", "average")  # their name may follow the figure
_RANKS = {  # superlative → facts of which one must stand in the same clause
    "highest": r"rank\.high_(?:sessions|since)",
    "lowest": r"rank\.low_(?:sessions|since)",
    "nearest": r"support\.\w+|resistance\.\w+|target\.1\.\w+",
    "deepest": r"(?:strategy\.\d+|benchmark)\.(?:oos_)?max_drawdown",
    "tightest": r"plan\.binding",
}
_EST = re.compile(r"[a-z]+(?:est|iest)$")
_NO_RANK = vocabulary(
    "interest rest test latest newest honest modest request suggest invest west forest harvest protest "
    "contest quest guest nest chest arrest digest backtest best-effort request west east vest manifest"
)
_TOPS = vocabulary(
    "best worst most least record peak trough top bottom all-time unprecedented ever maximum minimum "
    "leading foremost unmatched unique only-ever historic"
)
_CAUSES = re.compile(
    r"\b(?:because|due to|owing to|thanks to|driven by|as a result|result(?:ed|s|ing)? (?:of|from|in)"
    r"|caus(?:e|es|ed|ing)|led to|triggered|prompted|on the back of|in response to|amid|sparked|fuell?ed"
    r"|boosted|attribut\w+|following the|on news|in the wake|reflect(?:s|ed|ing)|therefore|hence"
    r"|consequently)\b",
    re.IGNORECASE,
)
_HEDGES = vocabulary("may might could luck unsure uncertain unclear perhaps possibly interval")
_UNITS = vocabulary(
    "atr r shares share sessions session points point times days weeks months years bars ticks pips k m bn"
)
_AFTER = vocabulary("formed known")


def scope(parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    """What a sentence says beyond its facts, as ends of "it …"."""
    yield from _ranks(parts, facts)
    yield from _rows(parts)
    yield from _owners(parts)
    yield from _dates(parts, facts)
    yield from _samples(parts, facts)
    yield from _units(parts)
    yield from _hedges(parts, facts)
    if _CAUSES.search(" ".join(word for part in parts for word in part.words)) and not any(
        name.startswith("event.") for part in parts for name in part.slots
    ):
        yield "gives a cause, and no event is linked"


def _ranks(parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    for clause in parts:
        for place, word in enumerate(piece.text if not piece.slot else "" for piece in clause.pieces):
            if word in _TOPS:
                yield f"ranks with “{word}”, which no fact does"
            elif word in _RANKS:
                fitting = [name for name in clause.slots if re.fullmatch(_RANKS[word], name)]
                what = clause.word_at(place + 1).removesuffix("s")
                wanted = {"target": "target", "support": "support", "resistance": "resistance"}.get(what, "")
                if not [name for name in fitting if name.startswith(wanted) and facts.get(name)]:
                    yield f"ranks with “{word}”, which no fact in it does"
            elif _EST.fullmatch(word) and word not in _NO_RANK:
                yield f"ranks with “{word}”, which no fact does"


def _rows(parts: Sequence[Clause]) -> Iterator[str]:
    """A figure of a row stands with the name of its row."""
    named: dict[str, str] = {}
    for clause in parts:
        alone = _only(clause)
        for segment in clause.segments():
            here = alone | {m[1]: m[2] for name in segment.slots if (m := _ROW.match(name)) and _is_name(m)}
            if "before" in segment.words and "close" in segment.words:
                here.setdefault("move", "1")  # from the close before
            if "move" in here and "price.change" in segment.slots and here["move"] != "1":
                yield "tells {price.change} of another window"
            for name in segment.slots:
                row = _ROW.match(name)
                if row is None or row[1] not in _NAMES:
                    continue
                if _is_name(row):
                    named[row[1]] = row[2]
                elif (here if row[1] in _WINDOWED else named).get(row[1]) != row[2]:
                    yield f"does not say whose {{{name}}} is"


def _only(clause: Clause) -> dict[str, str]:
    """Group → the one row of it that a clause names; none where it names several."""
    rows = {(m[1], m[2]) for name in clause.slots if (m := _ROW.match(name)) and _is_name(m)}
    groups = [group for group, _ in rows]
    return {group: number for group, number in rows if groups.count(group) == 1}


def _is_name(row: re.Match[str]) -> bool:
    return row[3] in _NAMES.get(row[1], ())


def _owners(parts: Sequence[Clause]) -> Iterator[str]:
    """No figure of the page's ticker behind the name of another."""
    owner = ""
    for name in (name for clause in parts for name in clause.slots):
        row = _ROW.match(name)
        if name == "ticker" or (row and row[3] == "ticker"):
            owner = name
        elif owner not in {"", "ticker"} and not (row and owner == f"{row[1]}.{row[2]}.ticker"):
            yield f"tells {{{name}}} of another ticker"


def _dates(parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    """Every date stands where its meaning is clear, and nothing is told of a session that is not its own."""
    session = facts["price.session"].value if "price.session" in facts else None
    slots = [name for part in parts for name in part.slots]
    for clause in parts:
        for place, piece in enumerate(clause.pieces):
            if piece.slot and piece.text in facts:
                yield from _dated(clause, place, slots, session, facts)
        for name in clause.slots:
            fact = facts.get(name)
            if fact and fact.as_of and session and fact.as_of.isoformat() != session:
                yield f"tells {{{name}}} of another session"


def _dated(clause: Clause, place: int, slots: Sequence[str], session: object, facts: Pack) -> Iterator[str]:
    name, before, after = clause.pieces[place].text, clause.word_at(place - 1), clause.word_at(place + 1)
    if facts[name].unit != "date":
        if before == "on":
            yield f"has {{{name}}} where a date belongs"
    elif before == "on" and not _AFTER & set(clause.words):
        if facts[name].value != session or not name.startswith("price."):
            yield f"dates its figures with {{{name}}}"
    elif after == "to" and (end := clause.slot_at(place + 2)):
        yield from _window(name, end, slots, facts)
    elif not _has_place(clause, place, facts):
        yield f"has {{{name}}} where it means nothing"


def _has_place(clause: Clause, place: int, facts: Pack) -> bool:
    """Whether a date ends a window, or is what it is said to be: since when, when formed, when known."""
    name, before = clause.pieces[place].text, clause.word_at(place - 1)
    first = clause.slot_at(place - 2)
    if before == "to" and first in facts and facts[first or ""].unit == "date":
        return True
    return name.endswith("since") if before == "since" else name.endswith(("formed", "known"))


_ENDS = {("price.first", "price.session"), ("walk.first", "walk.last"), ("test.first", "test.last")}


def _window(first: str, last: str, slots: Sequence[str], facts: Pack) -> Iterator[str]:
    if (first, last) not in _ENDS:
        yield f"takes {{{first}}} to {{{last}}} for a window"
        return
    kinds = {_sample(name) for name in slots} - {""}
    if kinds - {first.partition(".")[0]}:
        yield f"tells of {{{first}}} to {{{last}}} what is of other sessions"
    if str(facts[first].value) > str(facts[last].value if last in facts else ""):
        yield f"has {{{last}}} before {{{first}}}"


def _sample(name: str) -> str:
    """Which window a figure of a backtest is of; empty for other facts."""
    column = name.rsplit(".", 1)[-1]
    if not name.startswith(("strategy.", "benchmark.")) or column in {
        "title",
        "name",
        "signal",
        "stage",
        "note",
    }:
        return ""
    return "walk" if column.startswith("oos_") else "test"


def _samples(parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    said = " ".join(word for part in parts for word in part.words)
    kinds = {_sample(name) for part in parts for name in part.slots if name in facts} - {""}
    if len(kinds) > 1:
        yield "mixes figures of the sample with those outside"
    for words, kind in (
        ("out of sample", "walk"),
        ("out-of-sample", "walk"),
        ("in-sample", "test"),
        ("in the sample", "test"),
    ):
        if words in said and kinds - {kind}:
            yield f"says “{words}” of other figures"


def _units(parts: Sequence[Clause]) -> Iterator[str]:
    for clause in parts:
        for place, piece in enumerate(clause.pieces):
            word = clause.word_at(place + 1)
            if piece.slot and word in _UNITS and not clause.slot_at(place + 1):
                yield f"puts the unit “{word}” behind {{{piece.text}}}"


def _hedges(parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    """A figure whose interval has zero in it is told with a hedge, or with its bounds."""
    words = {word for part in parts for word in part.words}
    slots = {name for part in parts for name in part.slots}
    for name in sorted(slots):
        low, high = facts.get(f"{name}_low"), facts.get(f"{name}_high")
        wide = low and high and isinstance(low.value, float) and isinstance(high.value, float)
        if not wide or not low.value <= 0 <= high.value:  # type: ignore[union-attr,operator] # are numbers
            continue
        if (
            not name.startswith("benchmark.")
            and not words & _HEDGES
            and not {f"{name}_low", f"{name}_high"} <= slots
        ):
            yield f"is too sure of {{{name}}}, whose interval has zero in it"
