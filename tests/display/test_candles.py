"""Candlesticks with zones and plan."""

import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from display_data import level, walk

from tickerbook.display.candles import chart_levels
from tickerbook.display.charts import PLOTLY, SVG

NAMESPACE = "{http://www.w3.org/2000/svg}"


def texts(svg):
    """What stands in the labels of a drawing, by the fact they name."""
    return {
        span.get("data-fact"): "".join(span.itertext())
        for span in fromstring(svg).iter(f"{NAMESPACE}tspan")
        if span.get("data-fact")
    }


def looks(svg, name):
    """Elements that have a class."""
    return [e for e in fromstring(svg).iter() if name in (e.get("class") or "").split()]


def strokes(path):
    """How many upright strokes a path has."""
    return path.get("d").count("v")


def test_each_session_is_a_candle(bars):
    """Every session has one body, in the path of its direction."""
    svg = chart_levels(bars, ()).svg
    rising = int((bars.frame["close"] >= bars.frame["open"]).sum())
    bodies = {
        look: [e for e in looks(svg, look) if "tb-body" in e.get("class")] for look in ("tb-up", "tb-down")
    }
    assert strokes(bodies["tb-up"][0]) == rising
    assert strokes(bodies["tb-down"][0]) == 250 - rising


def test_newest_sessions_are_drawn():
    """Of a longer history the newest sessions are drawn, as many as asked for."""
    chart = chart_levels(walk(400), (), sessions=60)
    assert len(chart.spec["data"][0]["x"]) == 60
    assert chart.spec["data"][0]["x"][-1] == "2013-03-01"


def test_a_candle_stands_at_its_prices(bars):
    """The first body runs from open to close on the scale that the grid shows."""
    chart = chart_levels(bars, ())
    root = fromstring(chart.svg)
    lines = [line for g in root.iter(f"{NAMESPACE}g") if g.get("class") == "tb-grid" for line in g]
    ticks = [
        t for g in root.iter(f"{NAMESPACE}g") if g.get("class") == "tb-axis" for t in g if t.text.isdigit()
    ]
    low, high = ((float(ticks[i].text), float(ticks[i].get("y")) + 7) for i in (0, 1))
    assert {str(low[1]), str(high[1])} <= {f"{float(line.get('y1'))}" for line in lines}
    inner = next(e for e in root if e.tag == f"{NAMESPACE}svg")
    top, units = float(inner.get("y")), float(inner.get("viewBox").split()[3]) / float(inner.get("height"))
    first = bars.frame.iloc[0]
    look = "tb-up" if first["close"] >= first["open"] else "tb-down"
    body = next(e for e in looks(chart.svg, look) if "tb-body" in e.get("class"))
    _, start, length = map(float, re.match(r"m(\d+) (\d+)v(\d+)", body.get("d")).groups())
    for place, price in (
        (start, max(first["open"], first["close"])),
        (start + length, min(first["open"], first["close"])),
    ):
        y = top + place / units
        shown = low[0] + (y - low[1]) * (high[0] - low[0]) / (high[1] - low[1])
        assert shown == pytest.approx(price, abs=0.2)


def test_every_level_in_sight_has_a_band(bars, levels):
    """Zones of support and of resistance are bands with a line at their price."""
    svg = chart_levels(bars, levels).svg
    bands = {
        side: next(g for g in looks(svg, f"tb-{side}") if g.tag == f"{NAMESPACE}g")
        for side in ("support", "resistance")
    }
    in_sight = sum(len(list(group.iter(f"{NAMESPACE}rect"))) for group in bands.values())
    low, high = bars.frame["low"].min(), bars.frame["high"].max()
    assert in_sight >= sum(low < level.price < high for level in levels) > 0


def test_nearest_levels_are_labelled_with_price_and_method(bars, levels):
    """The nearest support and resistance are named with the text of their facts."""
    shown = texts(chart_levels(bars, levels).svg)
    assert shown["level.6.price"] == f"${levels[5].price:,.2f}"
    assert shown["level.7.price"] == f"${levels[6].price:,.2f}"
    assert "prior week high" in chart_levels(bars, levels).svg


def test_a_band_starts_where_its_level_formed(bars):
    """A level that formed half-way through the chart has its band from there on."""
    close = float(bars.frame["close"].iloc[-1])
    half = bars.frame.index[125].date()
    svg = chart_levels(bars, (level(close, close, formed=half),)).svg
    band = next(e for e in looks(svg, "tb-support") if e.tag == f"{NAMESPACE}g")
    assert band.find(f"{NAMESPACE}rect").get("x") == str(4 * 125)


def test_plan_is_drawn_with_what_is_at_risk(bars, levels, plan):
    """Entry, stop and targets are lines with their facts' texts, and risk and reward are areas."""
    svg = chart_levels(bars, levels, plan).svg
    assert {name: texts(svg)[name] for name in plan} == {name: fact.text for name, fact in plan.items()}
    assert [label for label in ("target 1", "target 2", "entry", "stop") if f">{label}<" not in svg] == []
    assert [e.tag for e in looks(svg, "tb-up") + looks(svg, "tb-down")].count(f"{NAMESPACE}rect") == 2


def test_a_plan_without_prices_draws_nothing(bars, levels, plan):
    """Where there is no trade there are no lines."""
    empty = type(plan)(replace(fact, value=None) for fact in plan.values())
    assert looks(chart_levels(bars, levels, empty).svg, "tb-stop") == []


def test_drawing_is_small_enough_for_a_page(bars, levels, plan):
    """A year of candles with a dozen levels and a plan takes about 15 kB."""
    assert len(chart_levels(bars, levels, plan).svg.encode()) < 16_000


def test_drawing_says_what_it_shows(bars):
    """Those who do not see it hear a name and a description, and not the numbers of the axes."""
    root = fromstring(chart_levels(bars, ()).svg)
    assert root.get("role") == "img"
    assert root.find(f"{NAMESPACE}title").text == "TEST: price and levels"
    assert "a source" in root.find(f"{NAMESPACE}desc").text
    assert all(
        g.get("aria-hidden") == "true"
        for g in root.iter(f"{NAMESPACE}g")
        if "tb-axis" in (g.get("class") or "")
    )


def test_texts_are_escaped(bars):
    """No name can become markup."""
    close = float(bars.frame["close"].iloc[-1])
    hostile = replace(bars, source='<script>alert("1")</script>')
    svg = chart_levels(hostile, (level(close, close, method="<b>&"),)).svg
    fromstring(svg)
    assert "<script" not in svg
    assert "<b>" not in svg


@pytest.mark.parametrize("sessions", [1, 2, 3, 20])
def test_few_sessions_are_drawn(sessions):
    """A ticker with a handful of bars has a chart."""
    chart = chart_levels(walk(sessions), ())
    assert len(chart.spec["data"][0]["close"]) == sessions
    fromstring(chart.svg)


def test_prices_that_stand_still_are_drawn(bars):
    """A flat price has a scale too."""
    flat = replace(bars, frame=bars.frame.assign(open=5.0, high=5.0, low=5.0, close=5.0))
    fromstring(chart_levels(flat, ()).svg)


def test_volume_stands_on_its_scale(bars):
    """Half the volume that the line marks reaches half-way to it; a session without volume has no bar."""
    volume = bars.frame["volume"].to_numpy().copy()
    volume[:3] = [np.nan, 0, 2e7]
    volume[3:] = 4e7
    svg = chart_levels(replace(bars, frame=bars.frame.assign(volume=volume)), ()).svg
    assert "volume, 40 million" in svg
    steps = fromstring(svg).findall(f"{NAMESPACE}svg")[1].find(f".//{NAMESPACE}path").get("d")
    heights = [int(length) for length in re.findall(r"v(-?\d+)", steps)]
    assert len(heights) == 248
    assert heights[0] * 2 == heights[1] == -2 * 52


def test_unknown_volume_is_said(bars):
    """Where no volume is known, the chart says so instead of drawing none."""
    unknown = replace(bars, frame=bars.frame.assign(volume=np.nan))
    chart = chart_levels(unknown, ())
    assert "volume is not known" in chart.svg
    assert set(chart.spec["data"][1]["y"]) == {None}


def test_figure_is_a_plotly_figure(bars, levels, plan):
    """Plotly takes the figure; weekends and holidays leave no gap."""
    days = bars.frame.drop(bars.frame.index[100])
    figure = chart_levels(replace(bars, frame=days), levels, plan).figure
    assert [trace.type for trace in figure.data] == ["candlestick", "bar"]
    assert figure.layout.xaxis.rangebreaks[1]["values"] == (f"{bars.frame.index[100]:%Y-%m-%d}",)


def test_a_level_of_the_figure_starts_where_it_formed(bars):
    """Band and line begin in that session, or at the edge if it was earlier; that of resistance is dashed."""
    close, half = float(bars.frame["close"].iloc[-1]), bars.frame.index[125].date()
    zones = (level(close, close, formed=half), level(close + 1, close, formed=date(1999, 1, 4)))
    shapes = chart_levels(bars, zones).figure.layout.shapes
    assert [shape.x0 for shape in shapes] == [f"{half}"] * 2 + [f"{bars.first}"] * 2
    assert [shape.line.dash for shape in shapes if shape.type == "line"] == ["solid", "dash"]


def test_orders_of_the_figure_stand_after_the_last_candle(bars, plan):
    """Entry, stop and targets are no prices of the past."""
    shapes = chart_levels(bars, (), plan).figure.layout.shapes
    assert {shape.x0 for shape in shapes} == {f"{bars.session}"}
    assert min(shape.x1 for shape in shapes) > f"{bars.session}"


def test_notebook_gets_figure_and_drawing(bars):
    """A chart shows itself in JupyterLab as a figure, and as a drawing elsewhere."""
    bundle = chart_levels(bars, ())._repr_mimebundle_()
    assert {PLOTLY, SVG, "text/plain"} == set(bundle)
    assert len(bundle["text/plain"]) < 400


def test_equal_input_gives_equal_bytes(levels):
    """Nothing in a chart depends on when or where it is drawn."""
    first, second = (chart_levels(walk(250), levels) for _ in range(2))
    assert (first.svg, first.spec) == (second.svg, second.spec)


def test_levels_formed_before_the_chart_begin_at_its_edge(bars):
    """An older level has its band from the left edge."""
    close = float(bars.frame["close"].iloc[-1])
    svg = chart_levels(bars, (level(close, close, formed=date(1999, 1, 4)),)).svg
    band = next(e for e in looks(svg, "tb-support") if e.tag == f"{NAMESPACE}g")
    assert band.find(f"{NAMESPACE}rect").get("x") == "0"
