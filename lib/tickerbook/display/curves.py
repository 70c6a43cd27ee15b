"""Equity of strategies against the benchmark, with their drawdowns."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
import pandas as pd

from tickerbook.display import figures
from tickerbook.display.charts import Chart
from tickerbook.display.marks import DASHES, INK, Line, is_outside, lines_of
from tickerbook.display.scales import day, ratio_ticks, shorten, spread, ticks, time_ticks
from tickerbook.display.svg import Pane, dates, drawing, gutter, tag, track
from tickerbook.facts import MINUS, Facts
from tickerbook.research.metrics import drawdown

POINTS = 260  # about how many points of a line are worth their bytes on a page
HEIGHT, EQUITY, DRAWDOWN, DATES = 456, (32, 250), (322, 96), 438  # pixels: all; panes' top and height; dates
_PALE = "Pale lines are in-sample: the parameters in use now, on the prices they were chosen on. "
SHORT = 11  # characters of a name that a narrow screen has room for
GAP = 30  # pixels between the labels of two lines, which have two rows each


def chart_equity(facts: Facts) -> Chart:
    """What one invested in each strategy and in the benchmark became, and how far below its peak each was.

    Where there is a walk-forward, it is what was earned out of sample; what the parameters in use now would
    have earned over the same sessions, which they were chosen on, is pale behind it.

    Args:
        facts: those of a backtest (`equity.*`, `oos.*`, `strategy.N.*`, `benchmark.*`). Where nothing could
            be tested, the chart says so.
    """
    lines = lines_of(facts)
    if not lines:
        return _nothing()
    sessions = lines[0].equity.index
    title = f"Growth of one {'out of sample' if is_outside(facts) else 'in-sample'}, after costs"
    description = (
        f"Equity of {', '.join(line.name for line in lines)} from {day(sessions[0].date())} to "
        f"{day(sessions[-1].date())}, and below it how far each was under its own peak. "
        f"{_PALE if is_outside(facts) else ''}"
    ) + " ".join(
        f"{line.name}: {line.total.text} in all, deepest drawdown {line.worst.text}." for line in lines
    )
    return Chart(title, description, _svg(title, description, lines), figures.curves(title, lines))


def _nothing() -> Chart:
    title, text = "Growth of one, after costs", "No strategy has enough sessions to be tested."
    svg = drawing(title, text, 40, tag("text", text, y=20))
    return Chart(title, text, svg, figures.curves(f"{title}: {text}", []))


def _svg(title: str, description: str, lines: Sequence[Line]) -> str:
    sessions = lines[0].equity.index
    step = -(-len(sessions) // POINTS)
    grown, fallen = _equity_pane(lines), _drawdown_pane(lines)
    grown_ticks = ratio_ticks if grown.log else ticks
    grown_grid, grown_labels = grown.grid([(v, f"{v:,g}") for v in grown_ticks(grown.low, grown.high, 6)])
    falls = [(v, f"{100 * v:.0f} %".replace("-", MINUS)) for v in ticks(fallen.low, 0, 3)]
    fallen_grid, fallen_labels = fallen.grid(falls)
    headings = [
        tag("text", text, y=pane.top - 24, class_="tb-note")
        for text, pane in ((_heading(lines), grown), ("drawdown from the peak", fallen))
    ]
    count = -(-len(sessions) // step)
    return drawing(
        title,
        description,
        HEIGHT,
        grown_grid,
        fallen_grid,
        grown.inner(
            count,
            *[_pale(line, line.pale, step, grown) for line in lines if line.pale is not None],
            *[_path(line, _last(line.equity, step), grown) for line in lines],
        ),
        fallen.inner(count, *[_path(line, _lowest(drawdown(line.equity), step), fallen) for line in lines]),
        grown_labels,
        fallen_labels,
        *headings,
        *_dates(sessions),
        gutter(*_labels(lines, grown)),
    )


def _equity_pane(lines: Sequence[Line]) -> Pane:
    """Equal distances are equal ratios, as long as nobody lost everything."""
    drawn = [line.equity for line in lines] + [line.pale for line in lines if line.pale is not None]
    low, high = min(curve.min() for curve in drawn), max(curve.max() for curve in drawn)
    if low > 0:
        return Pane(*EQUITY, low=low * 0.97, high=max(high, low * 1.01) * 1.03, log=True)
    return Pane(*EQUITY, low=min(low, 0.0), high=high * 1.03)


def _drawdown_pane(lines: Sequence[Line]) -> Pane:
    return Pane(*DRAWDOWN, low=min(-0.01, *[drawdown(line.equity).min() for line in lines]), high=0)


def _last(values: pd.Series, step: int) -> list[float]:
    """The newest of every `step` values, so that the line ends where the series ends."""
    return list(values.groupby(_blocks(values, step)).last(skipna=False))


def _lowest(values: pd.Series, step: int) -> list[float]:
    """The lowest of every `step` values: thinning hides no drawdown."""
    return list(values.groupby(_blocks(values, step)).min())


def _blocks(values: pd.Series, step: int) -> np.ndarray:
    """Ascending numbers of blocks of `step` values, counted so that the newest block is whole."""
    return -(np.arange(len(values))[::-1] // step)


def _path(line: Line, values: Sequence[float], pane: Pane) -> str:
    known = [(x, pane.units(value)) for x, value in enumerate(values) if value == value]  # noqa: PLR0124 - not NaN
    return tag("path", d=track(known), **_pen(line)) if known else ""


def _pale(line: Line, values: pd.Series, step: int, pane: Pane) -> str:
    """In-sample behind the rest: thin, pale, and with half as many points."""
    thinned = _last(values, 2 * step)
    known = [(2 * x + 1, pane.units(value)) for x, value in enumerate(thinned) if value == value]  # noqa: PLR0124 - not NaN
    return tag("path", d=track(known), style=f"stroke:{line.colour};stroke-width:1px", opacity=0.3)


def _heading(lines: Sequence[Line]) -> str:
    if any(line.pale is not None for line in lines):
        return "growth of one, after costs; pale: in-sample"
    return "growth of one, after costs"


def _pen(line: Line) -> dict[str, object]:
    faint = 0.55 if line.colour == INK else None
    style = f"stroke:{line.colour};stroke-width:{line.width}px"
    return {"style": style, "stroke_dasharray": DASHES[line.dash], "opacity": faint}


def _labels(lines: Sequence[Line], pane: Pane) -> Iterator[str]:
    """Name and total return of each line where it ends."""
    ends = [(pane.y(line.equity.dropna().iloc[-1]), line) for line in lines if line.equity.notna().any()]
    ends.sort(key=lambda end: end[0])
    places = spread([at for at, _ in ends], GAP, pane.top, pane.top + pane.height - GAP / 2)
    for (at, line), y in zip(ends, places, strict=True):
        yield tag("path", d=f"M0 {at:.0f}L8 {y:.0f}H20", **_pen(line))
        total = tag(
            "tspan", escape(line.total.text), x=24, dy=14, class_="tb-strong", data_fact=line.total.name
        )
        names = [
            tag("tspan", escape(text), class_=look)
            for text, look in ((line.name, "tb-wide"), (shorten(line.name, SHORT), "tb-narrow"))
        ]
        yield tag("text", *names, total, x=24, y=round(y))


def _dates(sessions: pd.DatetimeIndex) -> Iterator[str]:
    for class_, most in (("tb-wide", 8), ("tb-narrow", 4)):
        places = [(i / len(sessions), text) for i, text in time_ticks(sessions, most)]
        yield dates(places, DATES, class_)
