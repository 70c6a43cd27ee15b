"""What charts show beside prices: labelled prices, and lines of equity."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.display.scales import day, initials, shorten, spread
from tickerbook.display.svg import Pane
from tickerbook.facts import Fact, Facts
from tickerbook.research.level import Level
from tickerbook.research.level_facts import level_facts

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito
DASHES = {"solid": None, "dash": "7 3", "dot": "2 3", "dashdot": "10 3 2 3"}  # plotly's name → SVG's lengths
INK = "currentColor"
GAP, CLEAR = 15, 8  # pixels: between labels; nearer than this, a level has its band only
LONGEST = 24  # characters of a label
ORDERS = ("entry", "stop", "target")


@dataclass(frozen=True)
class Mark:
    """A labelled price: of a level, the close, or an order of the plan.

    Attributes:
        kind: "support", "resistance", "close", "entry", "stop" or "target".
        fact: the price.
        note, short, hint: what it is; on a narrow screen; as a whole sentence.
        level: where it is one.
    """

    kind: str
    fact: Fact
    note: str
    short: str
    hint: str
    level: Level | None = None

    @property
    def price(self) -> float:
        """In currency a share."""
        return cast("float", self.fact.value)


@dataclass(frozen=True)
class Line:
    """One line: the benchmark is thick and grey, a strategy has a colour and a dash of its own."""

    name: str
    equity: pd.Series
    total: Fact
    worst: Fact
    colour: str
    dash: str
    width: float


def zones_of(bars: Bars, levels: Sequence[Level]) -> list[Mark]:
    """The levels, the nearest first."""
    rows = level_facts(levels, bars).rows("level")
    marks = [
        Mark(
            level.side,
            row["price"],
            shorten(level.method, LONGEST),
            initials(level.method),
            f"{level.side} {row['price'].text}, zone {row['low'].text} to {row['high'].text}: {level.method}",
            level,
        )
        for level, row in zip(levels, rows, strict=True)
    ]
    close = float(bars.frame["close"].iloc[-1])
    return sorted(marks, key=lambda mark: abs(mark.price - close))


def close_of(bars: Bars, levels: Sequence[Level]) -> Mark:
    """The last close."""
    close = level_facts(levels, bars)["price.close"]
    return Mark("close", close, "close", "close", f"close of {day(bars.session)}: {close.text}")


def orders_of(plan: Facts) -> list[Mark]:
    """The prices of a plan, those that it has."""
    names = [("entry", "plan.entry", "entry", "entry"), ("stop", "plan.stop", "stop", "stop")]
    names += [
        ("target", f"target.{n}.price", f"target {n}", f"T{n}")
        for n in range(1, len(plan.rows("target")) + 1)
    ]
    return [
        Mark(kind, plan[name], note, short, f"{note}: {plan[name].text}")
        for kind, name, note, short in names
        if plan.value(name) is not None
    ]


def placed(marks: Sequence[Mark], pane: Pane) -> list[tuple[Mark, float, float]]:
    """The marks to label, where each is and where its label stands, in pixels from above, downwards.

    The first marks matter most. A level close to a labelled price goes without a label, unless it is the
    first of its side.
    """
    kept: list[tuple[float, Mark]] = []
    for mark in marks:
        at = pane.y(mark.price)
        first = mark.kind not in {other.kind for _, other in kept}
        if first or not mark.level or all(abs(at - other) >= CLEAR for other, _ in kept):
            kept.append((at, mark))
    kept.sort(key=lambda item: item[0])
    places = spread([at for at, _ in kept], GAP, pane.top, pane.top + pane.height + CLEAR)
    return [(mark, at, y) for (at, mark), y in zip(kept, places, strict=True)]


def lines_of(facts: Facts) -> list[Line]:
    """The benchmark, and the strategies that could be tested; none where nothing could."""
    sessions = pd.DatetimeIndex(facts.value("equity.sessions", ()))
    if sessions.empty:
        return []

    def equity(name: str) -> pd.Series:
        return pd.Series(facts[f"equity.{name}"].value, index=sessions, dtype="float64")

    total, worst = facts["benchmark.total_return"], facts["benchmark.max_drawdown"]
    lines = [Line("benchmark", equity("benchmark"), total, worst, INK, "solid", 2.6)]
    for name, row in _tested(facts):
        n = len(lines) - 1
        colour, dash = COLOURS[n % len(COLOURS)], list(DASHES)[n % len(DASHES)]
        total, worst = row["total_return"], row["max_drawdown"]
        lines.append(Line(name.replace("_", " "), equity(name), total, worst, colour, dash, 1.6))
    return lines


def _tested(facts: Facts) -> Iterator[tuple[str, dict[str, Fact]]]:
    """Rows of strategies that have a curve, with its name: that of a second of one kind is numbered."""
    seen: list[str] = []
    for row in facts.rows("strategy"):
        kind = str(row["name"].value)
        again = seen.count(kind)
        name = f"{kind}_{again + 1}" if again else kind
        if row["total_return"].value is not None and f"equity.{name}" in facts:
            seen.append(kind)
            yield name, row
