"""Toy notebooks and toy prices for the tests of runs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pandas as pd

from tickerbook.facts import MIME, Fact, Facts
from tickerbook.market.lake import Lake, Origin
from tickerbook.market.raw import RAW

PARAMETERS = (
    'ticker = "AAPL"  # symbol\nsession = ""  # newest session to use\nn = 3  # how many\nx = 0.5  # ATR'
)
OVER_ALL = 'tickers = ["AAPL"]  # symbols\nsession = ""  # newest session to use'
FETCHED_AT = datetime(2024, 1, 13, tzinfo=UTC)


def front(over: str = "ticker", needs: Sequence[str] = (), title: str = "Toy") -> str:
    """Front matter of a template."""
    return f"---\ntitle: {title}\ntickerbook: {{over: {over}, needs: [{', '.join(needs)}]}}\n---"


def cells(
    *code: str, head: str | None = None, parameters: str | None = PARAMETERS, prose: str = "Why?"
) -> list:
    """Cells of a template; head and parameters are left out where they are None."""
    made = [] if head is None else [nbformat.v4.new_raw_cell(head)]
    made.append(nbformat.v4.new_markdown_cell(prose))
    if parameters is not None:
        made.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    return [*made, *(nbformat.v4.new_code_cell(source) for source in code)]


def write_book(folder: Path, name: str, made: list) -> Path:
    """A notebook file of these cells, the same to the byte each time."""
    for index, cell in enumerate(made):
        cell["id"] = f"cell-{index}"
    path = folder / f"{name}.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=made)), encoding="utf-8")
    return path


def book(
    project: Path,
    name: str,
    *code: str,
    over: str = "ticker",
    needs: Sequence[str] = (),
    parameters: str | None = None,
    prose: str = "Why?",
) -> Path:
    """A template in a project; without code it publishes one fact when it is really executed."""
    declared = parameters or (PARAMETERS if over == "ticker" else OVER_ALL)
    code = code or (publishing(f"{name}.value", "1"),)
    made = cells(*code, head=front(over, needs), parameters=declared, prose=prose)
    return write_book(project / "notebooks", name, made)


def publishing(name: str, value: str) -> str:
    """A cell that publishes a fact; `value` is an expression of that cell."""
    return (
        "from tickerbook.facts import MIME, Fact, Facts\nfrom IPython.display import display\n"
        f'display({{MIME: {{"facts": Facts([Fact("{name}", {value}, "a value")]).to_json()}}}}, raw=True)'
    )


def payload(**values: object) -> dict:
    """The MIME bundle that publishing these facts displays; __ in a name is a dot."""
    facts = Facts(Fact(name.replace("__", "."), value, name) for name, value in values.items())
    return {MIME: {"facts": facts.to_json()}}


def bars(
    project: Path,
    ticker: str,
    *,
    last: str = "2024-01-12",
    sessions: int = 5,
    close: float = 10.0,
    **extra: float,
) -> None:
    """Put flat toy bars of a ticker into a project's lake."""
    days = pd.bdate_range(end=last, periods=sessions).rename("session").as_unit("ns")
    shape = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 100.0}
    frame = pd.DataFrame({**shape, "dividend": 0.0, "split": 1.0, **extra}, index=days)[list(RAW)]
    lake = Lake(project / "data" / "lake")
    lake.write(ticker, frame, Origin("sample", "Synthetic", FETCHED_AT, "XNYS", "USD"))
