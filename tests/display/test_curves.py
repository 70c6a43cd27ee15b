"""Equity, drawdown and sparklines."""

import re
from dataclasses import replace

import pytest
from defusedxml.ElementTree import fromstring
from display_data import backtest_of

from tickerbook.display.curves import chart_equity
from tickerbook.display.sparkline import sparkline
from tickerbook.facts import Fact, Facts

NAMESPACE = "{http://www.w3.org/2000/svg}"


def panes(svg):
    """The paths of each inner drawing, as lists of places."""
    root = fromstring(svg)
    return [
        [places(path.get("d")) for path in inner.iter(f"{NAMESPACE}path")]
        for inner in root.findall(f"{NAMESPACE}svg")
        if inner.get("viewBox")
    ]


def places(steps):
    """A path of relative steps as places."""
    start, _, rest = steps[1:].partition("l")
    x, y = map(int, start.split())
    numbers = list(map(int, re.findall(r"-?\d+", rest)))
    found = [(x, y)]
    for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
        x, y = x + dx, y + dy
        found.append((x, y))
    return found


def test_each_line_ends_where_its_equity_ends():
    """Of two strategies, the one that made more ends higher."""
    facts = backtest_of(1500)
    ends = [line[-1][1] for line in panes(chart_equity(facts).svg)[0]]
    finals = [facts.value(f"equity.{name}")[-1] for name in ("benchmark", "breakout", "ma_cross")]
    assert sorted(range(3), key=lambda n: ends[n]) == sorted(range(3), key=lambda n: -finals[n])


def test_thinning_keeps_the_deepest_drawdown():
    """A crash of one session among thousands reaches as deep as it was, at its time."""
    facts = backtest_of(3000, strategies=())
    curve = [1.0] * 3000
    curve[2000] = 0.5
    crashed = Facts(
        [*(f for f in facts.values() if f.name != "equity.benchmark"), Fact("equity.benchmark", curve, "b")]
    )
    lines = panes(chart_equity(crashed).svg)[1][0]
    deepest = max(lines, key=lambda place: place[1])
    assert deepest[1] == 2 * 96
    assert deepest[0] / lines[-1][0] == pytest.approx(2000 / 3000, abs=0.01)


def test_labels_are_facts():
    """Each line's total return is the text of its fact."""
    facts = backtest_of(300)
    spans = {
        s.get("data-fact"): s.text for s in fromstring(chart_equity(facts).svg).iter(f"{NAMESPACE}tspan")
    }
    for name in ("benchmark.total_return", "strategy.1.total_return", "strategy.2.total_return"):
        assert spans[name] == facts[name].text


def test_lines_are_told_apart_without_colour():
    """No two strategies share a dash."""
    paths = fromstring(chart_equity(backtest_of(300)).svg).iter(f"{NAMESPACE}path")
    dashes = {path.get("style").split(";")[0]: path.get("stroke-dasharray") for path in paths}
    assert len(dashes) == 3
    assert dashes["stroke:#0072b2"] != dashes["stroke:#d55e00"]


def test_drawing_of_many_years_is_small():
    """Thirteen years of four lines take about 15 kB."""
    assert len(chart_equity(backtest_of(3200, strategies=("a", "b", "c"))).svg.encode()) < 16_000


def test_strategies_of_one_kind_have_their_own_curves():
    """The second strategy of a name is numbered, as the facts number it."""
    facts = backtest_of(300, strategies=("ma_cross", "ma_cross_2"))
    renamed = Facts(
        replace(f, value="ma_cross") if f.name == "strategy.2.name" else f for f in facts.values()
    )
    traces = chart_equity(renamed).spec["data"]
    assert traces[4]["y"][-1] == pytest.approx(facts.value("equity.ma_cross_2")[-1])


def test_a_strategy_that_could_not_be_tested_has_no_line():
    """Missing figures are no line at zero."""
    facts = backtest_of(300)
    untested = Facts(
        replace(f, value=None) if f.name.startswith("strategy.1.") and not f.name.endswith("name") else f
        for f in facts.values()
        if f.name != "equity.breakout"
    )
    assert len(panes(chart_equity(untested).svg)[0]) == 2


def test_nothing_tested_is_said():
    """Where no strategy could be tested, the chart says so."""
    chart = chart_equity(
        Facts([Fact("strategy.1.name", "breakout", "strategy"), Fact("strategy.1.total_return", None, "")])
    )
    assert "No strategy has enough sessions" in chart.svg
    assert chart.figure.data == ()


def test_lost_equity_is_drawn():
    """Where everything was lost, the scale is not logarithmic, for zero has no logarithm."""
    facts = backtest_of(300, strategies=())
    curve = [1.0, *[0.0] * 299]
    ruined = Facts(
        [*(f for f in facts.values() if f.name != "equity.benchmark"), Fact("equity.benchmark", curve, "b")]
    )
    fromstring(chart_equity(ruined).svg)


def test_figure_shows_the_last_session():
    """The thinned figure ends with the newest session, at its equity."""
    facts = backtest_of(3100)
    trace = chart_equity(facts).figure.data[0]
    assert trace.x[-1] == facts.value("equity.sessions")[-1]
    assert trace.y[-1] == pytest.approx(facts.value("equity.benchmark")[-1])
    assert len(trace.x) <= 1000


def test_sparkline_marks_the_newest_point():
    """The line rises with the values and ends in a dot; what is missing is left out."""
    root = fromstring(
        f'<r xmlns="http://www.w3.org/2000/svg">{sparkline([1.0, None, 2.0, 3.0], "closes")}</r>'
    )[0]
    path, dot = root.find(f"{NAMESPACE}path"), root.find(f"{NAMESPACE}circle")
    points = [tuple(map(float, p.split())) for p in path.get("d")[1:].split("L")]
    assert len(points) == 3
    assert points[0][1] > points[1][1] > points[2][1]
    assert (float(dot.get("cx")), float(dot.get("cy"))) == pytest.approx(points[-1])


@pytest.mark.parametrize("values", [[], [1.0], [None, None]])
def test_a_point_is_no_sparkline(values):
    """Fewer than two values have no shape."""
    assert sparkline(values, "closes") == ""


def test_a_flat_sparkline_is_level():
    """Values that stand still are a line in the middle."""
    heights = {
        float(y)
        for y in re.findall(r" ([\d.]+)(?=L|\")", sparkline([5.0, 5.0, 5.0], "closes").split('d="M')[1])
    }
    assert 12.0 in heights


def walked(sessions=600, outside=400):
    """Facts of a backtest with a walk-forward over its newest sessions."""
    facts = backtest_of(sessions)
    days = facts["equity.sessions"].value[-outside:]
    more = [Fact("oos.sessions", days, "sessions"), Fact("oos.benchmark", [0.0] * outside, "b")]
    more += [Fact(f"oos.{name}", [0.001] * outside, name) for name in ("breakout", "ma_cross")]
    for group in ("benchmark", "strategy.1", "strategy.2"):
        more += [
            Fact(f"{group}.oos_return", 1.001**outside - 1, "return out of sample", "fraction", 1),
            Fact(f"{group}.oos_max_drawdown", 0.0, "drawdown out of sample", "fraction", 1),
        ]
    return facts | Facts(more)


def test_out_of_sample_is_drawn_and_in_sample_pale():
    """A line for each strategy from the base of the walk-forward, with the in-sample one behind it."""
    chart = chart_equity(walked())
    assert "out of sample" in chart.title
    assert "Pale lines are in-sample" in chart.description
    upper, lower = panes(chart.svg)
    assert (len(upper), len(lower)) == (2 + 3, 3)
    pale = [path for path in fromstring(chart.svg).iter(f"{NAMESPACE}path") if path.get("opacity") == "0.3"]
    assert len(pale) == 2
    trace = chart.spec["data"][2]
    assert trace["y"][0] == 1
    assert trace["y"][-1] == pytest.approx(1.001**400, abs=1e-4)


def test_labels_are_of_what_is_drawn():
    """Out of sample, the total beside a line is the one out of sample."""
    facts = walked()
    spans = {
        s.get("data-fact"): s.text for s in fromstring(chart_equity(facts).svg).iter(f"{NAMESPACE}tspan")
    }
    assert spans["strategy.1.oos_return"] == facts["strategy.1.oos_return"].text
    assert "strategy.1.total_return" not in spans


def test_without_a_walk_forward_it_says_in_sample():
    """Nobody takes a chart of fitted parameters for evidence."""
    assert "in-sample" in chart_equity(backtest_of(300)).title
