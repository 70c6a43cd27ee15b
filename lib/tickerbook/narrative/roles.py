"""What a figure is called: the stop is the stop's price, support is support's."""

import re
from collections.abc import Iterator, Sequence

from tickerbook.narrative.pack import Pack
from tickerbook.narrative.sentence import Clause, vocabulary

_ROLES = {  # what a figure is called → the facts that are that
    "support": r"support\.\w+|average\.\d+\.\w+|plan\.zone_\w+",
    "resistance": r"resistance\.\w+",
    "stop": r"plan\.stop|plan\.stop_atr",
    "entry": r"plan\.entry",
    "target": r"target\.\d+\.\w+",
    "targets": r"target\.\d+\.\w+",
    "close": r"price\.(?:close|change|session)|move\.\d+\.\w+|rank\.\w+",
    "closed": r"price\.(?:close|change|session)|move\.\d+\.\w+",
    "price": r"price\.\w+|move\.\d+\.\w+",
    "risk": r"plan\.(?:risk_per_share|money_at_risk|risk_fraction)",
    "risks": r"plan\.(?:risk_per_share|money_at_risk|risk_fraction)",
    "size": r"plan\.(?:shares|binding|notional|weight)",
    "drawdown": r"(?:strategy\.\d+|benchmark|plan)\.\w*drawdown\w*",
}
_ELSEWHERE = vocabulary(  # what follows is another thing that the noun is held against
    "above below beyond beneath to than from over under inside between through until past by before with "
    "limit"
)
_INVALID = vocabulary("invalidate invalidates end ends")


def roles(parts: Sequence[Clause], facts: Pack) -> Iterator[str]:
    """Figures that are called what they are not, as ends of "it …"."""
    words = {word for part in parts for word in part.words}
    slots = {name for part in parts for name in part.slots}
    for clause in parts:
        called = ""
        for place, piece in enumerate(clause.pieces):
            if piece.slot:
                if called and piece.text in facts and not re.fullmatch(_ROLES[called], piece.text):
                    yield f"calls {{{piece.text}}} “{called}”"
                called = ""
            elif piece.text in _ROLES and not _is_aside(clause, place):
                called = piece.text
            elif piece.text in _ELSEWHERE:
                called = ""
    if words & _INVALID and words & {"plan", "case"} and slots and "plan.stop" not in slots:
        yield "ends the plan elsewhere than at its stop"


def _is_aside(clause: Clause, place: int) -> bool:
    """Whether a noun is part of another: return to risk, risk to reward; a distance to it is its own."""
    before, after = clause.word_at(place - 1), clause.word_at(place + 1)
    return after == "to" or (before == "to" and clause.word_at(place - 2) != "distance")
