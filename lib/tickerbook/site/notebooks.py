"""Executed notebooks read, and page sources written, as the JSON that they are.

nbformat would do the same, but takes 1.5 s to import and checks again what the runner has checked.
"""

import json
from collections.abc import Iterable
from typing import Any

from tickerbook.errors import SiteError
from tickerbook.files import dump_json

_VERSION = 4
_KERNEL = {"kernelspec": {"name": "tickerbook", "display_name": "tickerbook", "language": "python"}}


def read(text: str) -> dict[str, Any]:
    """The notebook that a text holds.

    Raises:
        SiteError: if it holds none of nbformat 4.
    """
    try:
        book = json.loads(text)
        if book["nbformat"] == _VERSION and all(cell["cell_type"] for cell in book["cells"]):
            return dict(book)
    except (ValueError, KeyError, TypeError) as error:
        raise _foreign(repr(error)) from error
    raise _foreign(f"its format is {book['nbformat']}")


def text_of(value: Any) -> str:
    """A text as notebooks store it: whole, or as a list of lines."""
    return "".join(value) if isinstance(value, list) else str(value)


def write(front: str, parts: Iterable[str]) -> str:
    """Text of a notebook with front matter and Markdown cells; equal parts give equal text."""
    cells = [_cell("raw", "front", front)]
    cells += [_cell("markdown", f"part-{number}", part) for number, part in enumerate(parts, start=1)]
    return dump_json({"cells": cells, "metadata": _KERNEL, "nbformat": _VERSION, "nbformat_minor": 5})


def public(text: str) -> str:
    """An executed notebook as evidence for readers: without the paths of the machine it ran on.

    Raises:
        SiteError: if it is no notebook.
    """
    book = read(text)
    for owner in (book, *book["cells"]):
        owner.get("metadata", {}).pop("papermill", None)
    return json.dumps(book, ensure_ascii=False)


def _cell(kind: str, name: str, text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)  # as Quarto wants a text of more than one line
    return {"cell_type": kind, "id": name, "metadata": {}, "source": lines}


def _foreign(why: str) -> SiteError:
    return SiteError(f"A notebook cannot be read: {why}.", "Run it again with --force.")
