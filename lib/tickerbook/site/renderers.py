"""Which renderer typesets the site. Nothing else knows that there are two."""

import shutil
from collections.abc import Callable, Mapping
from enum import StrEnum

from tickerbook.errors import SiteError
from tickerbook.site import pandoc, quarto
from tickerbook.site.staging import Stage

Render = Callable[[Stage], Mapping[str, str]]


class Renderer(StrEnum):
    """What typesets the pages."""

    AUTO = "auto"
    QUARTO = "quarto"
    PANDOC = "pandoc"


def choose(renderer: Renderer) -> tuple[Renderer, Render]:
    """The renderer that will work, and its function: it renders a stage and gives source → why it failed.

    Raises:
        SiteError: if Quarto was asked for and is not installed.
    """
    command = shutil.which("quarto")
    if renderer is Renderer.PANDOC or (renderer is Renderer.AUTO and command is None):
        return Renderer.PANDOC, pandoc.render
    if command is None:
        raise SiteError(
            "There is no quarto command on this machine.",
            "Install it from quarto.org, or build with --renderer pandoc (or auto).",
        )
    return Renderer.QUARTO, lambda stage: quarto.render(stage, command)
