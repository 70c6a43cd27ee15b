"""The same charts as plotly figures, for JupyterLab: what `data` and `layout` they have."""

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.display.marks import INK, Line, Mark, placed
from tickerbook.display.svg import Pane
from tickerbook.research.metrics import drawdown

GREY = "#7a828c"  # legible on white and on black, as a figure does not know which it is on
AHEAD = 0.08  # room after the last candle, as a share of the sessions
ORDER_DASHES = {"entry": "solid", "stop": "dot", "target": "dash"}
POINTS = 1000  # about how many points of a line a screen can show
COLOURS = {
    "up": "#0072b2",
    "down": "#d55e00",
    "support": "#009e73",
    "resistance": "#cc79a7",
}  # as in svg.STYLE


def candles(title: str, shown: Bars, marks: Sequence[Mark], pane: Pane) -> dict[str, Any]:
    """Candlesticks with volume, zones and orders."""
    days = [f"{d:%Y-%m-%d}" for d in shown.frame.index]
    candles = {
        "type": "candlestick",
        "x": days,
        **{column: shown.frame[column].tolist() for column in ("open", "high", "low", "close")},
        "name": shown.ticker,
        "increasing": {"line": {"color": COLOURS["up"], "width": 1}},
        "decreasing": {"line": {"color": COLOURS["down"], "width": 1}},
    }
    volume = {
        "type": "bar",
        "x": days,
        "y": [None if pd.isna(v) else float(v) for v in shown.frame["volume"]],
        "yaxis": "y2",
        "name": "volume",
        "marker": {"color": GREY},
    }
    return {"data": [candles, volume], "layout": _panes(title, shown, marks, pane)}


def _panes(title: str, shown: Bars, marks: Sequence[Mark], pane: Pane) -> dict[str, Any]:
    weekdays = pd.bdate_range(shown.first, shown.session)
    closed = [f"{d:%Y-%m-%d}" for d in weekdays.difference(shown.frame.index)]
    return _look(
        title,
        560,
        xaxis={
            "rangeslider": {"visible": False},
            "rangebreaks": [{"bounds": ["sat", "mon"]}, {"values": closed}],
        },
        yaxis={"domain": [0.24, 1], "title": {"text": shown.currency}, "range": [pane.low, pane.high]},
        yaxis2={"domain": [0, 0.18], "title": {"text": "volume"}},
        shapes=[shape for mark in marks if mark.kind != "close" for shape in _shapes(mark, shown)],
        annotations=[_annotation(mark, at - y) for mark, at, y in placed(marks, pane)],
        showlegend=False,
        margin={"l": 8, "r": 190, "t": 48, "b": 32},
    )


def _shapes(mark: Mark, shown: Bars) -> list[dict[str, Any]]:
    """A level's band and line, from where it formed; an order's line, after the last candle."""
    end = shown.session + pd.offsets.BDay(max(3, round(AHEAD * len(shown))))
    start = max(mark.level.formed, shown.first) if mark.level else shown.session
    across = {"x0": f"{start:%Y-%m-%d}", "x1": f"{end:%Y-%m-%d}"}
    line = {**across, "type": "line", "y0": mark.price, "y1": mark.price}
    if not mark.level:
        return [{**line, "line": {"dash": ORDER_DASHES[mark.kind], "color": GREY, "width": 1.5}}]
    colour = COLOURS[mark.kind]
    dash = "dash" if mark.kind == "resistance" else "solid"
    edges = {"y0": mark.level.low, "y1": mark.level.high, "line": {"width": 0}}
    band = {**across, **edges, "type": "rect", "layer": "below", "fillcolor": colour, "opacity": 0.18}
    return [band, {**line, "layer": "below", "line": {"dash": dash, "color": colour, "width": 1}}]


def _annotation(mark: Mark, shift: float) -> dict[str, Any]:
    text = escape(f"{mark.fact.text} {mark.note}")
    place = {"x": 1, "xref": "paper", "xanchor": "left", "y": mark.price}
    return {
        **place,
        "text": text,
        "showarrow": False,
        "yshift": shift,
        "font": {"size": 11},
        "hovertext": escape(mark.hint),
    }


def curves(title: str, lines: Sequence[Line]) -> dict[str, Any]:
    """Equity and drawdown of every line, at sessions as near to each other as a screen can show."""
    data = []
    for line in lines:
        equity, under = _thinned(line.equity), _thinned(drawdown(line.equity))
        pen = {
            "color": GREY if line.colour == INK else line.colour,
            "dash": line.dash,
            "width": line.width,
        }
        shared: dict[str, Any] = {
            "type": "scatter",
            "mode": "lines",
            "x": [f"{d:%Y-%m-%d}" for d in equity.index],
            "name": line.name,
            "legendgroup": line.name,
            "line": pen,
        }
        data.append({**shared, "y": _json(equity, 5)})
        data.append({**shared, "y": _json(under, 4), "yaxis": "y2", "showlegend": False})
        if line.pale is not None:
            pale = {"name": f"{line.name}, in-sample", "opacity": 0.35, "showlegend": False}
            thin = {"color": line.colour, "width": 1}
            data.append({**shared, **pale, "line": thin, "y": _json(_thinned(line.pale), 5)})
    return {
        "data": data,
        "layout": _look(
            title,
            520,
            yaxis={"domain": [0.36, 1], "type": "log", "title": {"text": "growth of one (log)"}},
            yaxis2={"domain": [0, 0.28], "tickformat": ".0%", "title": {"text": "drawdown"}},
        ),
    }


def _thinned(values: pd.Series) -> pd.Series:
    """As many points as a screen can show, the last among them."""
    return values[::-1][:: -(-len(values) // POINTS)][::-1]


def _json(values: pd.Series, digits: int) -> list[float | None]:
    return [None if pd.isna(v) else round(float(v), digits) for v in values]


def _look(title: str, height: int, **more: Any) -> dict[str, Any]:
    """What all our figures look like."""
    axis = {"gridcolor": "rgba(128,128,128,.2)", "zeroline": False, "automargin": True}
    look = {
        "title": {"text": title, "font": {"size": 15}, "x": 0, "xref": "paper"},
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 48, "b": 8},
        "font": {"color": GREY, "family": "system-ui, sans-serif"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": -0.08},
    }
    return {**look, **{key: {**axis, **value} if "axis" in key else value for key, value in more.items()}}
