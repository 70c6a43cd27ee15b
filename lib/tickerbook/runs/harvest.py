"""Facts out of an executed notebook: a notebook publishes by displaying, and this is where it is heard."""

from typing import Any

from tickerbook.errors import DataError
from tickerbook.facts import MIME, Facts
from tickerbook.store import Failure


def harvest(notebook: Any, name: str) -> tuple[Facts, Failure | None]:
    """Every fact that an executed notebook published, and what is wrong with them, if anything.

    Args:
        notebook: an executed nbformat notebook.
        name: what it is called; with the index of its cell it becomes part of each fact.
    """
    facts = Facts()
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            payload = output.get("data", {}).get(MIME)
            if payload is None:
                continue
            try:
                facts |= Facts.from_json(payload["facts"]).published(name, index)
            except DataError as error:
                return Facts(), Failure("error", error.message, error.remedy or _REMEDY, index)
            except (KeyError, TypeError):
                return Facts(), Failure(
                    "error", f"What a cell published is no set of facts: {payload!r:.80}", _REMEDY, index
                )
    if not facts:
        return facts, Failure("no facts", "The notebook published no facts.", _REMEDY)
    return facts, None


_REMEDY = "Let the notebook end with tb.publish(...) of what it computed."
