"""Toy runs for the page tests: synthetic prices, and notebooks that say so."""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat

from tickerbook.facts import MIME, Fact, Facts
from tickerbook.files import digest
from tickerbook.settings import Settings, load_settings
from tickerbook.store import Failure, Run, RunResult, RunStore, Status

SESSION = date(2026, 11, 19)  # a Thursday on which New York traded
NOW_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # before the next close
UNIVERSE = """\
title = "Toy universe"
providers = ["yahoo"]
tickers = ["AAPL", "BRK.B", "^GSPC"]

[ticker.AAPL]
name = "Apple"
"""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" class="tb-chart" role="img" width="860" height="120" viewBox="0 0 100 20">'
    "<title>Synthetic prices</title><style>.tb-chart path{fill:none}</style>"
    '<g class="tb-axis" aria-hidden="true"><text x="1" y="4" font-size="2">777</text></g>'
    '<path d="M0 10L50 5L100 12" stroke="currentColor"></path>'
    '<text x="60" y="4" font-size="2"><tspan data-fact="support.price">$421.50</tspan></text></svg>'
)
FIGURE = {"data": [{"type": "scatter", "x": [1, 2, 3], "y": [1, 3, 2]}], "layout": {"height": 240}}


def toy_project(root: Path, project: Path, universe: str = UNIVERSE) -> Settings:
    """A project with the real page sources and look, and nothing run."""
    (project / "params").mkdir(parents=True)
    (project / "notebooks").mkdir()
    (project / "params/universe.toml").write_text(universe, encoding="utf-8")
    shutil.copy(root / "_quarto.yml", project)
    generated = shutil.ignore_patterns("tickers", "_generated", "plotly.min.js")
    shutil.copytree(root / "reports", project / "reports", ignore=generated)
    return load_settings(project)


def put_good(
    store: RunStore, ticker: str, *, report: str | None = None, session: date = SESSION
) -> RunResult:
    """Store good runs of all notebooks for a ticker; gives the report."""
    for name in ("levels", "backtest", "sizing"):
        store.put(toy_result(name, ticker, session=session), notebook_text())
    facts = toy_facts(session)
    result = toy_result("report", ticker, facts=facts, session=session)
    store.put(result, report or toy_report())
    store.put_narrative(result, toy_narrative(facts))
    return result


def toy_facts(session: date = SESSION) -> Facts:
    """A few facts of every kind that pages show."""

    def fact(
        name: str, value: Any, unit: str = "", digits: int | None = None, notebook: str = "levels"
    ) -> Fact:
        return Fact(name, value, name.replace(".", " "), unit, digits, session, notebook, 3)

    return Facts(
        [
            fact("price.close", 431.2, "USD"),
            fact("price.change", 0.0123, "fraction"),
            fact("price.session", session.isoformat(), "date"),
            fact("price.first", "2016-03-14", "date"),
            fact("price.source", "synthetic prices"),
            fact("support.price", 421.5, "USD"),
            fact("support.distance_atr", 1.21, "ATR", 1),
            fact("resistance.price", None, "USD"),
            fact("resistance.distance_atr", None, "ATR", 1),
            fact("strategy.1.name", "ma cross", notebook="backtest"),
            fact("strategy.1.signal", "long", notebook="backtest"),
            fact("strategy.2.name", "breakout", notebook="backtest"),
            fact("strategy.2.signal", "flat", notebook="backtest"),
            fact("equity.benchmark", (1.0, 1.1, 1.05), notebook="backtest"),
            fact("plan.side", "long", notebook="sizing"),
            fact("plan.entry", 431.2, "USD", notebook="sizing"),
            fact("plan.passed", True, notebook="sizing"),
        ]
    )


def code_cell(*data: Mapping[str, Any], tags: Sequence[str] = (), source: str = "tb.publish(facts)") -> Any:
    """A code cell that displayed these mime bundles."""
    outputs = [nbformat.v4.new_output("display_data", data=dict(item)) for item in data]
    return nbformat.v4.new_code_cell(
        source, outputs=outputs, execution_count=1, metadata={"tags": list(tags)}
    )


def notebook_text(*cells: Any, front: str = "title: Report") -> str:
    """Text of an executed notebook with the cells every template has, and these."""
    given = [
        nbformat.v4.new_raw_cell(f"---\n{front}\n---"),
        nbformat.v4.new_markdown_cell("Synthetic prices, made for a test."),
        nbformat.v4.new_code_cell('ticker = "AAPL"  # symbol', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell('ticker = "BRK.B"', metadata={"tags": ["injected-parameters"]}),
        *cells,
    ]
    book = nbformat.v4.new_notebook(cells=given, metadata={"papermill": {"input_path": "/somewhere/secret"}})
    return str(nbformat.writes(book))


def toy_report() -> str:
    """Text of an executed report with a table, a chart, hidden facts and a place for prose."""
    table = (
        '<table class="levels"><thead><tr><th>Level</th><th>Price</th></tr></thead><tbody><tr><td>support</td>'
        '<td><span data-fact="support.price">$421.50</span></td></tr></tbody></table>'
    )
    hidden = {MIME: {"facts": toy_facts().to_json()}, "text/plain": "17 facts"}
    chart = {"image/svg+xml": SVG, "application/vnd.plotly.v1+json": FIGURE, "text/plain": "Chart()"}
    prose = nbformat.v4.new_markdown_cell("", metadata={"tags": ["narrative"]})
    return notebook_text(
        code_cell(hidden, tags=["hide-code"]),
        nbformat.v4.new_markdown_cell("## Levels"),
        code_cell({"text/html": table, "text/plain": "table"}, tags=["hide-code"]),
        code_cell(chart, tags=["hide-code"]),
        prose,
    )


def toy_narrative(facts: Facts) -> dict[str, Any]:
    """Prose as the plain narrator stores it."""
    template = "The close of {price.session} was {price.close}."
    text = f"The close of {facts['price.session'].text} was {facts['price.close'].text}."
    sentence = {
        "template": template,
        "text": text,
        "slots": {n: facts[n].text for n in ("price.session", "price.close")},
    }
    parts = [{"name": "context", "title": "Context", "sentences": [sentence]}]
    return {"narrator": "plain", "facts_digest": facts.digest, "parts": parts, "receipt": {"sentences": 1}}


def toy_result(
    notebook: str,
    ticker: str | None,
    *,
    status: Status = "ok",
    session: date = SESSION,
    facts: Facts | None = None,
    failure: Failure | None = None,
) -> RunResult:
    """A result of a run that never was."""
    key = digest(notebook, str(ticker), session.isoformat())
    return RunResult(
        run=Run(notebook, ticker, session, {"ticker": ticker, "zone_atr": 0.25}, key),
        status=status,
        facts=Facts() if facts is None else facts,
        seconds=2.345,
        started_at=NOW_AT - timedelta(minutes={"levels": 9, "backtest": 8, "sizing": 7}.get(notebook, 5)),
        failure=failure,
        origin={"source": "synthetic prices", "bars_digest": digest("bars")},
        versions={"tickerbook": "0.1.0", "numpy": "2.4.1"},
    )
