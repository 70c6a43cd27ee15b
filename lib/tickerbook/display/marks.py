"""What charts show beside prices: labelled prices, and lines of equity."""

from collections.abc import Iterator, Mapping, Sequence
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
    """One line: the benchmark is thick and grey, a strategy has a colour and a dash of its own.

    Attributes:
        name: what readers call it.
        equity: growth of one: out of sample where there is a walk-forward, else in-sample.
        pale: in-sample over the same sessions, from one; None where `equity` itself is in-sample.
        total, worst: the figures that go with `equity`.
        colour, dash, width: the pen.
    """

    name: str
    equity: pd.Series
    pale: pd.Series | None
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


def is_outside(facts: Facts) -> bool:
    """Whether there is a walk-forward to draw."""
    return bool(facts.value("oos.sessions"))


def lines_of(facts: Facts) -> list[Line]:
    """The benchmark, and the strategies that could be tested; none where nothing could.

    Where there is a walk-forward, they are its strategies, from the session before its first.
    """
    sessions = pd.DatetimeIndex(facts.value("equity.sessions", ()))
    if sessions.empty:
        return []
    outside = is_outside(facts)
    total, worst = ("oos_return", "oos_max_drawdown") if outside else ("total_return", "max_drawdown")
    base = sessions[-len(facts["oos.sessions"].value) - 1] if outside else sessions[0]  # type: ignore[arg-type] # a series

    def equity(name: str) -> pd.Series:
        curve = pd.Series(facts[f"equity.{name}"].value, index=sessions, dtype="float64").loc[base:]
        return curve / curve.iloc[0]

    def line(name: str, title: str, row: Mapping[str, Fact], pen: tuple[str, str, float]) -> Line:
        shown, pale = equity(name), None
        if outside and name != "benchmark":
            returns = pd.Series([0.0, *facts[f"oos.{name}"].value], index=shown.index, dtype="float64")  # type: ignore[misc] # a series
            shown, pale = (1 + returns).cumprod(), shown
        return Line(title, shown, pale, row[total], row[worst], *pen)

    held = {key: facts[f"benchmark.{key}"] for key in (total, worst)}
    lines = [line("benchmark", "buy and hold", held, (INK, "solid", 2.6))]
    for name, row in _tested(facts, "oos" if outside else "equity", total):
        n = len(lines) - 1
        pen = (COLOURS[n % len(COLOURS)], list(DASHES)[n % len(DASHES)], 1.6)
        lines.append(line(name, title_of(row), row, pen))
    return lines


def title_of(row: Mapping[str, Fact]) -> str:
    """What readers call the strategy of a row."""
    return row["title"].text if "title" in row else row["name"].text.replace("_", " ")


def _tested(facts: Facts, group: str, total: str) -> Iterator[tuple[str, dict[str, Fact]]]:
    """Rows of strategies that have a curve, with its name: that of a second of one kind is numbered."""
    seen: list[str] = []
    for row in facts.rows("strategy"):
        kind = str(row["name"].value)
        again = seen.count(kind)
        name = f"{kind}_{again + 1}" if again else kind
        if f"equity.{name}" in facts:
            seen.append(kind)
            if f"{group}.{name}" in facts and row[total].value is not None:
                yield name, row
