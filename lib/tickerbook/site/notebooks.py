"""Reading executed notebooks, and writing page sources as notebooks."""

import warnings
from collections.abc import Iterable
from typing import Any

import nbformat

from tickerbook.errors import SiteError

_KERNEL = {"kernelspec": {"name": "tickerbook", "display_name": "tickerbook", "language": "python"}}


def read(text: str) -> Any:
    """The notebook that a text holds.

    Raises:
        SiteError: if it holds none.
    """
    try:
        with warnings.catch_warnings():  # notebooks of older editors have no cell ids; nbformat adds them
            warnings.simplefilter("ignore", nbformat.warnings.MissingIDFieldWarning)
            return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]  # has no types
    except Exception as error:  # nbformat raises what its parts raise
        raise SiteError(f"A notebook cannot be read: {error!r}.", "Run it again with --force.") from error


def write(front: str, parts: Iterable[str]) -> str:
    """Text of a notebook with front matter and Markdown cells; equal parts give equal text."""
    cells = [{"cell_type": "raw", "id": "front", "metadata": {}, "source": front}]
    for number, part in enumerate(parts, start=1):
        cells.append({"cell_type": "markdown", "id": f"part-{number}", "metadata": {}, "source": part})
    return _text({"cells": cells, "metadata": _KERNEL, "nbformat": 4, "nbformat_minor": 5})


def public(text: str) -> str:
    """An executed notebook as evidence for readers: without the paths of the machine it ran on.

    Raises:
        SiteError: if it is no notebook.
    """
    book = read(text)
    for owner in (book, *book.cells):
        owner.metadata.pop("papermill", None)
    return _text(book)


def _text(book: Any) -> str:
    return str(nbformat.writes(nbformat.from_dict(book)))  # type: ignore[no-untyped-call]  # has no types
