"""Candlesticks with volume, the zones of the levels and the prices of a trade plan."""

import math
from collections.abc import Iterator, Sequence
from html import escape

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.display import figures
from tickerbook.display.charts import Chart
from tickerbook.display.marks import ORDERS, Mark, close_of, orders_of, placed, zones_of
from tickerbook.display.scales import day, ticks, time_ticks
from tickerbook.display.svg import UNITS, Pane, dates, drawing, gutter, strokes, tag
from tickerbook.facts import Facts
from tickerbook.research.level import Level

PITCH, BODY = 4, 2.8  # units of width: from one candle to the next, and of a candle's body
FEW = 150  # sessions that fit a narrow screen
HEIGHT, PRICES, VOLUME, DATES = 460, (12, 340), (372, 52), 444  # pixels: all; panes' top and height; dates
MILLION = 1e6


def chart_levels(
    bars: Bars, levels: Sequence[Level], plan: Facts | None = None, *, sessions: int = 250
) -> Chart:
    """Candlesticks of the newest sessions with the zones in sight and, where there is a plan, its prices.

    Args:
        bars: the prices.
        levels: in the order in which their facts are published.
        plan: facts of a trade plan (`plan.entry`, `plan.stop`, `target.N.price`).
        sessions: how many of the newest sessions to draw.
    """
    shown = bars.last(sessions)
    orders, zones = orders_of(plan or Facts()), zones_of(bars, levels)
    pane = _price_pane(shown, orders, zones)
    marks = [close_of(bars, levels), *orders, *[z for z in zones if pane.low < z.price < pane.high]]
    title = f"{bars.ticker}: price and levels"
    description = (
        f"Daily candlesticks of {bars.ticker} until {day(shown.session)} with volume, the zones of support "
        f"and resistance{' and the prices of the trade plan' if orders else ''}. Source: {bars.source}."
    )
    svg = _svg(title, description, shown, marks, pane)
    return Chart(title, description, svg, figures.candles(title, shown, marks, pane))


def _price_pane(shown: Bars, orders: Sequence[Mark], zones: Sequence[Mark]) -> Pane:
    """Room for every candle, the plan, and the nearest zone of each side."""
    prices = [order.price for order in orders]
    for side in ("support", "resistance"):
        nearest = [zone.level for zone in zones if zone.kind == side and zone.level][:1]
        prices += [price for level in nearest for price in (level.low, level.high)]
    low = min([float(shown.frame["low"].min()), *prices])
    high = max([float(shown.frame["high"].max()), *prices])
    margin = 0.02 * (high - low) or 0.01 * abs(high) or 1.0
    return Pane(*PRICES, low=low - margin, high=high + margin)


def _svg(title: str, description: str, shown: Bars, marks: Sequence[Mark], pane: Pane) -> str:
    now = PITCH * len(shown)
    width = now + PITCH * max(3, round(figures.AHEAD * len(shown)))
    stretch = _stretch(len(shown), width)
    zoom = f"--tb-scale:{stretch:.4g};--tb-shift:{width * (1 - stretch):.0f}px"
    volume, volume_grid = _volume(shown)
    grid, labels = pane.grid([(v, f"{v:,.{_digits(pane)}f}") for v in ticks(pane.low, pane.high, 6)])
    prices = [
        *_bands(marks, shown, pane, width),
        *_candles(shown.frame, pane),
        *_plan(marks, pane, now, width),
    ]
    return drawing(
        title,
        description,
        HEIGHT,
        grid,
        volume_grid,
        pane.inner(width, tag("g", *prices, class_="tb-zoom", style=zoom)),
        volume.inner(width, tag("g", _volumes(shown.frame, volume), class_="tb-zoom", style=zoom)),
        labels,
        *_dates(shown, width, stretch),
        gutter(*_labels(marks, pane)),
    )


def _stretch(count: int, width: float) -> float:
    """How far a narrow screen stretches the plot: of a long chart it shows the newest half."""
    hidden = PITCH * (count // 2) if count > FEW else 0
    return width / (width - hidden)


def _digits(pane: Pane) -> int:
    """Decimals that tell the ticks of a price axis apart."""
    span = pane.high - pane.low
    return 0 if span > 6 else 1 if span > 0.6 else 2  # noqa: PLR2004 - six ticks


def _candles(frame: pd.DataFrame, pane: Pane) -> Iterator[str]:
    """Wicks and bodies of rising and of falling candles; a body has a pixel at least."""
    for rising, look in ((True, "tb-up"), (False, "tb-down")):
        chosen = [
            (PITCH * i + PITCH // 2, *map(pane.units, prices))
            for i, prices in enumerate(frame[["open", "high", "low", "close"]].to_numpy())
            if (prices[3] >= prices[0]) == rising
        ]
        wicks = strokes((x, high, low) for x, _, high, low, _ in chosen)
        bodies = strokes((x, min(o, c), max(o, c, min(o, c) + UNITS)) for x, o, _, _, c in chosen)
        yield tag("path", d=wicks, class_=look)
        yield tag("path", d=bodies, class_=f"tb-body {look}", stroke_width=BODY)


def _volume(shown: Bars) -> tuple[Pane, str]:
    """Where volume stands, with a line at a round number above the highest."""
    highest = float(shown.frame["volume"].max())
    if not highest > 0:
        pane = Pane(*VOLUME, low=0, high=1)
        return pane, "".join(pane.grid([(0, "volume is not known")]))
    step = ticks(0, highest, 3)[1]
    top = math.ceil(highest / step) * step
    pane = Pane(*VOLUME, low=0, high=top)
    return pane, "".join(pane.grid([(top, f"volume, {top / MILLION:g} million")]))


def _volumes(frame: pd.DataFrame, pane: Pane) -> str:
    bars = strokes(
        (PITCH * i + PITCH // 2, pane.units(0), pane.units(volume))
        for i, volume in enumerate(frame["volume"])
        if volume > 0
    )
    return tag("path", d=bars, class_="tb-body", stroke_width=BODY, opacity=".4")


def _bands(marks: Sequence[Mark], shown: Bars, pane: Pane, width: float) -> Iterator[str]:
    """Each zone, from the session in which it formed, with a line at its price."""
    for side in ("support", "resistance"):
        rects, lines = [], ""
        for level in [mark.level for mark in marks if mark.level and mark.kind == side]:
            row = int(shown.frame.index.searchsorted(pd.Timestamp(level.formed)))
            x = PITCH * min(row, len(shown) - 1)
            top, bottom = pane.units(level.high), pane.units(level.low)
            rects.append(tag("rect", x=x, y=top, width=width - x, height=max(UNITS, bottom - top)))
            lines += f"M{x} {pane.units(level.price)}H{width}"
        if rects:
            yield tag("g", *rects, tag("path", d=lines, opacity=".75"), class_=f"tb-{side}")


def _plan(marks: Sequence[Mark], pane: Pane, now: float, width: float) -> Iterator[str]:
    """The plan's prices, and what is at risk and what there is to gain, after the last candle."""
    at = {mark.kind: pane.units(mark.price) for mark in marks}  # of several targets the last
    for kind, look in (("stop", "tb-down"), ("target", "tb-up")):
        if "entry" in at and kind in at:
            top, bottom = sorted((at["entry"], at[kind]))
            yield tag("rect", x=now, y=top, width=width - now, height=bottom - top, class_=look)
    for mark in marks:
        if mark.kind in ORDERS:
            yield tag("path", d=f"M{now} {pane.units(mark.price)}H{width}", class_=f"tb-{mark.kind}")


def _labels(marks: Sequence[Mark], pane: Pane) -> Iterator[str]:
    """Prices and their meaning at the right, each with a line to its price."""
    for mark, at, y in placed(marks, pane):
        yield tag("path", d=f"M0 {at:.0f}L8 {y:.0f}H11", class_=f"tb-{mark.kind}")
        price = tag("tspan", escape(mark.fact.text), class_="tb-strong", data_fact=mark.fact.name)
        note = tag("tspan", escape(mark.note), dx=5, class_="tb-note tb-wide")
        short = tag("tspan", escape(mark.short), dx=3, class_="tb-note tb-narrow")
        yield tag("text", tag("title", escape(mark.hint)), price, note, short, x=13, y=round(y))


def _dates(shown: Bars, width: float, stretch: float) -> Iterator[str]:
    """Dates for wide and for narrow screens, where the plot is stretched from its right edge."""
    for class_, factor in (("tb-wide", 1.0), ("tb-narrow", stretch)):
        yield dates(
            [
                (1 - (1 - (PITCH * i + PITCH / 2) / width) * factor, text)
                for i, text in time_ticks(shown.frame.index, 8)
            ],
            DATES,
            class_,
        )
