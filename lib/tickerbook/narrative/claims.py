"""What a sentence claims of its facts: which way they went, which is greater, who stands where.

A word that claims something is held against the facts that it is bound to. Where there are none to hold it
against, it is refused: what nothing computed may not be said.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from tickerbook.narrative.movement import movements
from tickerbook.narrative.pack import NOT, Pack, column, number, number_or_zero, unit_of
from tickerbook.narrative.sentence import Clause, vocabulary

_ABOVE, _BELOW = frozenset(("above", "higher", "over")), frozenset(("below", "lower", "beneath", "under"))
_NOUNS = {"close": "price.close", "price": "price.close", "entry": "plan.entry", "stop": "plan.stop"}
_LEVELS = ("support", "resistance")
_BETTER = vocabulary("better more beat beats outperformed outperforms exceeded exceeds greater larger")
_WORSE = vocabulary("worse less fewer underperformed underperforms lagged lags trailed trails smaller")
_STANCES = frozenset(("long", "short", "flat"))
_RETURNS = re.compile(r"(strategy\.\d+|benchmark)\.(\w+)$")
_ROW = re.compile(r"(strategy\.\d+)\.(?:title|name)$")


def claims(parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    """What a sentence claims and the facts do not bear, as ends of "it …"."""
    for clause in parts:
        yield from movements(clause, facts)
        yield from _sides(clause, parts, facts)
        yield from _verdicts(clause, parts, facts)
        yield from _stances(clause, facts)
        yield from _absences(clause, facts)
        yield from _conditions(clause, facts)
        yield from _zones(clause, facts)
        yield from _positive(clause, facts)


# --- which is greater -------------------------------------------------------------------------------------


def _sides(clause: Clause, parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    for place, piece in enumerate(clause.pieces):
        if piece.slot or piece.text not in _ABOVE | _BELOW:
            continue
        if piece.text in {"over", "under"} and clause.slot_at(place + 1) is None:
            continue  # over the same sessions
        if piece.text == "over" and unit_of(facts, clause.slot_at(place + 1)) in {"sessions", "date"}:
            continue
        if "no" in clause.words and set(_LEVELS) & set(clause.words) and clause.slot_at(place + 1) is None:
            continue  # see `_absences`
        pair = _pair(clause, parts, place, facts)
        if pair is None:
            yield f"says “{piece.text}” of what cannot be compared"
        elif (pair[0] < pair[1]) if piece.text in _ABOVE else (pair[0] > pair[1]):
            yield f"says “{piece.text}”, and the facts say the opposite"


def _pair(clause: Clause, parts: Sequence[Clause], place: int, facts: Pack) -> tuple[float, float] | None:
    """What is said to be on a side, and of what."""
    word = clause.pieces[place].text
    close = number(facts, "price.close")
    than = place + 1 + (clause.word_at(place + 1) == "than")
    other = clause.slot_at(than)
    if word in {"higher", "lower"} and clause.word_at(place + 1) != "than":
        subject = _level_of(clause, place, facts)
        return None if subject is None or close is None else (subject, close)
    noun = (
        clause.word_at(than + 1) if clause.word_at(than) in {"the", "its", "that"} else clause.word_at(than)
    )
    name = other or _NOUNS.get(noun)
    bound = number(facts, name) if name else None
    if name is None or bound is None:
        return None
    owner = _subject(clause, place, unit_of(facts, name), facts)
    if owner is None or close is None:
        return None
    said = {w for c in parts for w in c.words}
    supposed = {"would", "could", "if", "until", "unless"} & said or {"a", "any"} & _articles(clause, place)
    if owner == "price.close" and supposed and other:  # a close above it is yet to come
        return bound, close
    value = number(facts, owner)
    return None if value is None else (value, bound)


def _level_of(clause: Clause, place: int, facts: Pack) -> float | None:
    """The price that is higher or lower than the close: behind the word, else of the level before it."""
    if clause.word_at(place + 1) == "at" and (name := clause.slot_at(place + 2)):
        return number(facts, name)
    for piece in reversed(clause.pieces[:place]):
        head = piece.text.rsplit(".", 1)[0] if piece.slot else ""
        if f"{head}.price" in facts:
            return number(facts, f"{head}.price")
    return None


def _subject(clause: Clause, place: int, unit: str, facts: Pack) -> str | None:
    for at, piece in reversed(list(enumerate(clause.pieces[:place]))):
        if clause.word_at(at - 1) in _ABOVE | _BELOW:
            continue  # is what something else is compared with
        if piece.slot and unit_of(facts, piece.text) == unit and unit not in {"", "date"}:
            return piece.text
        if not piece.slot and piece.text in _NOUNS:
            return _NOUNS[piece.text]
    return None


def _articles(clause: Clause, place: int) -> set[str]:
    """What stands before the noun that is compared: a close is any, the close is the last."""
    return {clause.word_at(at - 1) for at in range(place) if clause.word_at(at) in _NOUNS}


def _zones(clause: Clause, facts: Pack) -> Iterator[str]:
    """Who is said to be inside a zone, or between two prices."""
    for place, piece in enumerate(clause.pieces):
        if piece.slot or piece.text not in {"inside", "between", "outside"}:
            continue
        prices = [p.text for p in clause.pieces[place:] if p.slot and number(facts, p.text) is not None][:2]
        subject = _subject(clause, place, unit_of(facts, prices[0]), facts) if prices else None
        if piece.text == "between" and subject is None:
            continue  # between two prices lies what they are the ends of
        value = number(facts, "price.close" if piece.text == "inside" else subject or "price.close")
        if len(prices) < 2 or value is None:  # noqa: PLR2004 - a zone has two ends
            yield f"says “{piece.text}” of no zone"
            continue
        low, high = sorted(facts[name].value for name in prices)  # type: ignore[type-var] # are numbers
        if (low <= value <= high) is (piece.text == "outside"):  # type: ignore[operator] # are numbers
            yield f"says “{piece.text}”, and the facts say the opposite"


# --- who did better, who stands where ---------------------------------------------------------------------


def _verdicts(clause: Clause, parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    """Comparisons with buy and hold, or of two slots."""
    if {"all", "them"} <= set(clause.words) and not (_BETTER | _WORSE) & set(clause.words):
        yield "says “all of them” of what cannot be counted"
    for place, piece in enumerate(clause.pieces):
        if piece.slot or piece.text not in _BETTER | _WORSE:
            continue
        sign = 1 if piece.text in _BETTER else -1
        than = place + 1 + (clause.word_at(place + 1) == "than")
        if (other := clause.slot_at(than)) and (value := number(facts, other)) is not None:
            before = [p.text for p in clause.pieces[:place] if p.slot]
            mine = [
                n
                for n in before
                if unit_of(facts, n) == unit_of(facts, other) and number(facts, n) is not None
            ]
            if not mine or sign * (facts[mine[-1]].value - value) <= 0:  # type: ignore[operator] # are numbers
                yield f"says “{piece.text}”, which the facts do not bear"
        elif not _verdict(clause, parts, place, sign, facts):
            yield f"says “{piece.text}”, which the facts do not bear"


def _verdict(clause: Clause, parts: Sequence[Clause], place: int, sign: int, facts: Pack) -> bool:
    """Whether the strategies that are meant did better or worse than buy and hold."""
    told = [m.groups() for part in parts for name in part.slots if (m := _RETURNS.match(name))]
    figures = {
        row: column
        for row, column in told
        if number(facts, f"{row}.{column}") is not None and row != "benchmark"
    }
    held = {column: number(facts, f"benchmark.{column}") for column in figures.values()}
    if not figures or None in held.values():
        return False
    named = [m[1] for p in clause.pieces[:place] if p.slot and (m := _ROW.match(p.text))]
    meant = [row for row in named if row in figures] or list(figures)
    if set(named) - set(figures):
        return False
    better = [
        sign
        * (
            number_or_zero(facts, f"{row}.{figures[row]}")
            - number_or_zero(facts, f"benchmark.{figures[row]}")
        )
        > 0
        for row in meant
    ]
    before = {clause.word_at(step) for step in range(place)}
    if before & {"none", "neither", "no"}:
        return not any(better) and not named
    if "not" in before:
        return not any(better)
    others = [row for row in figures if row not in meant]
    alone = all(
        sign
        * (
            number_or_zero(facts, f"{row}.{figures[row]}")
            - number_or_zero(facts, f"benchmark.{figures[row]}")
        )
        <= 0
        for row in others
    )
    return all(better) and (alone or "only" not in before)


def _stances(clause: Clause, facts: Pack) -> Iterator[str]:
    """Whether a strategy, or the plan, is long, short or flat."""
    signals = column(facts, "strategy", "signal")
    for place, piece in enumerate(clause.pieces):
        if piece.slot or piece.text not in _STANCES or clause.word_at(place + 1) in {"term", "of"}:
            continue
        named = [m[1] for p in clause.pieces[:place] if p.slot and (m := _ROW.match(p.text))]
        words = [clause.word_at(step) for step in range(place)]
        stands = [signals.get(row) for row in named]
        if "turned" in words or "turns" in words:
            right = bool(named) and all(stance not in {None, piece.text} for stance in stands)
        elif "no" in words and {"strategy", "strategies", "rule", "rules"} & set(words):
            right = piece.text not in signals.values()
        elif named:
            right = all(stance == piece.text for stance in stands) and not NOT & set(words)
        else:
            right = "plan" in words and _side(facts) == piece.text and "not" not in words[-2:]
        if not right:
            yield f"says “{piece.text}”, which the facts do not bear"


def _positive(clause: Clause, facts: Pack) -> Iterator[str]:
    """Whose interval of return to risk is said to be wholly positive."""
    if "positive" not in clause.words and "negative" not in clause.words:
        return
    lows = column(facts, "strategy", "oos_sharpe_low")
    sure = {row for row, low in lows.items() if isinstance(low, float) and low > 0}
    named = {m[1] for name in clause.slots if (m := _ROW.match(name))}
    right = (
        not sure if "none" in clause.words else bool(named) and named == sure and not NOT & set(clause.words)
    )
    if not right or "negative" in clause.words or "interval" not in clause.words:
        yield "says of an interval what is not so"


def _side(facts: Pack) -> Any:
    fact = facts.get("plan.side")
    return (fact.value if fact else None) or "long"


def _absences(clause: Clause, facts: Pack) -> Iterator[str]:
    """What is said not to be there must not be there."""
    words = clause.words
    for word, after in pairwise(words):
        missing = {"support": "support.price", "resistance": "resistance.price", "plan": "plan.entry"}.get(
            after
        )
        there = missing and number(facts, missing) is not None
        if word == "no" and there and (after != "plan" or number(facts, "plan.stop") is not None):
            yield f"says that there is no {after}, and there is"
    if "without a target" in " ".join(words) and number(facts, "target.1.price") is not None:
        yield "says that there is no target, and there is"


def _conditions(clause: Clause, facts: Pack) -> Iterator[str]:
    """Whether a plan passes its checklist, and a position fits."""
    words, said = set(clause.words), " ".join(clause.words)
    passed = facts["plan.passed"].value if "plan.passed" in facts else None
    checks = column(facts, "check", "passed").values()
    if "checklist" in words or ("plan" in words and words & {"passes", "passed", "fails", "failed"}):
        good = bool(words & {"met", "meets", "passes", "passed", "fulfils"}) and not words & NOT
        bad = bool(words & {"fails", "failed"}) or "not pass" in said
        gaps = "every" in words and "known" not in words and (False in checks or None in checks)
        if (good and (passed is not True or gaps)) or (bad and passed is True and False not in checks):
            yield "says of the checklist what is not so"
        elif not good and not bad:
            yield "speaks of the checklist without its outcome"
    if "no position fits" in said and (number(facts, "plan.shares") or 0) > 0:
        yield "says that no position fits, and one does"
