"""What a finished site must hold before readers get it."""

import json
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tickerbook.errors import SiteError

_LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}


class _Page(HTMLParser):
    """The links of a page, the files it loads, and what is wrong with it by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.faults: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.faults += [f"has the handler {tag} {name}" for name in given if name.startswith("on")]
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.faults.append("runs a script of its own")
        if tag in _LOADING and given.get(_LOADING[tag]):
            self.loads.append(given[_LOADING[tag]])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


def check_site(site: Path, pages: Collection[str]) -> None:
    """Refuse a site with a missing page, a dead link, a handler, a file from elsewhere, or broken JSON.

    Args:
        site: the finished site.
        pages: every page that must be there.

    Raises:
        SiteError: names the first few faults.
    """
    faults = [f"{page} is missing" for page in sorted(pages) if not (site / page).is_file()]
    for path in sorted(site.rglob("*.html")):
        faults += [f"{path.relative_to(site).as_posix()} {fault}" for fault in _faults(path, site)]
    for path in sorted(site.rglob("*.json")):
        faults += [f"{path.relative_to(site).as_posix()} {fault}" for fault in _json_faults(path)]
    if faults:
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""  # noqa: PLR2004 - enough to begin with
        raise SiteError(
            f"The site was not published: {'; '.join(faults[:3])}{more}.", "The site before stays."
        )


def _faults(path: Path, site: Path) -> Iterator[str]:
    page = _Page(path.read_text(encoding="utf-8"))
    yield from page.faults
    for address in page.loads:
        if urlsplit(address).scheme not in {"", "data"} or address.startswith("//"):
            yield f"loads {address[:80]} from elsewhere"
    for address in (*page.links, *page.loads):
        parts = urlsplit(address)
        if parts.scheme == "javascript":
            yield f"leads to a script: {address[:80]}"
        if parts.scheme or parts.netloc or not parts.path:
            continue
        target = (path.parent / unquote(parts.path)).resolve()
        if not target.is_relative_to(site.resolve()) or not target.exists():
            yield f"links to {address[:80]}, which is not there"


def _json_faults(path: Path) -> Iterator[str]:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except ValueError as error:
        yield f"is not strict JSON: {error}"
