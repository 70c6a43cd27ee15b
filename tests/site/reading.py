"""Reading finished pages as a person or a browser would."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
INLINE = {"span", "a", "strong", "em", "code"}
UNSEEN = {"script", "style", "title", "desc", "head", "button"}
MONTHS = {
    m: n
    for n, m in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
_LONG_DATE = re.compile(r"\b(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w* (\d{4})\b")
_NUMBER = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}|\d[\d,]*(?:\.\d+)*")


class Page(HTMLParser):
    """A page's elements, the text that is seen, and the texts of elements that name a fact.

    Axis labels (`aria-hidden`) measure a drawing and state nothing; digests are shown shortened. Both are
    left out of `seen`.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.seen = ""
        self.main = ""
        self.facts: list[tuple[str, str]] = []
        self._open: list[tuple[str, bool, bool, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        if tag in VOID:
            return
        _, hidden, main, fact = self._open[-1] if self._open else ("", False, False, None)
        hidden = (
            hidden or tag in UNSEEN or given.get("aria-hidden") == "true" or given.get("class") == "digest"
        )
        if "data-fact" in given:
            fact = given["data-fact"]
            self.facts.append((fact, ""))
        self._open.append((tag, hidden, main or tag == "main", fact))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        space = "" if tag in INLINE else " "
        self.seen += space
        self.main += space

    def handle_data(self, data: str) -> None:
        _, hidden, main, fact = self._open[-1] if self._open else ("", False, False, None)
        if hidden:
            return
        self.seen += data
        self.main += data if main else ""
        if fact is not None:
            name, text = self.facts[-1]
            self.facts[-1] = (name, text + data)


def read(path: Path) -> Page:
    """A finished page."""
    return Page(path.read_text(encoding="utf-8"))


def record(site: Path, slug: str) -> dict[str, Any]:
    """A ticker's record as published."""
    return json.loads((site / "api/v1/tickers" / f"{slug}.json").read_text(encoding="utf-8"))


def numbers(text: str) -> set[str]:
    """Every number of a text, dates as ISO dates."""
    iso = _LONG_DATE.sub(lambda m: f"{m[3]}-{MONTHS[m[2]]:02d}-{int(m[1]):02d}", text)
    return {token.rstrip(",.") for token in _NUMBER.findall(iso.replace("−", "-"))}


def proven(value: Any) -> set[str]:
    """Every number that a record holds, as values and in texts; series are drawn, not told."""
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if not (k == "value" and isinstance(v, list))}
        return set().union(*(proven(key) | proven(item) for key, item in value.items()))
    if isinstance(value, list):
        return set().union(*map(proven, value))
    return numbers(value if isinstance(value, str) else json.dumps(value))


def live(page: Page) -> list[str]:
    """Whatever in a page could run, load from elsewhere, or lead to a script."""
    found = []
    for tag, given in page.elements:
        found += [f"{tag} {name}" for name in given if name.startswith("on")]
        if tag == "script" and not (
            "look/" in given.get("src", "") or given.get("type") == "application/json"
        ):
            found.append(f"script {given}")
        if tag in {"iframe", "object", "embed", "form", "base", "foreignobject", "meta"} and "refresh" in str(
            given
        ):
            found.append(f"{tag} {given}")
        if tag in {"iframe", "object", "embed", "form", "base", "foreignobject"}:
            found.append(tag)
        for name in ("href", "src", "xlink:href", "action", "srcdoc", "style"):
            value = re.sub(r"[\x00-\x20]", "", given.get(name, "")).lower()
            if value.startswith(("javascript:", "vbscript:", "data:text")) or "url(http" in value:
                found.append(f"{tag} {name}={value}")
        if tag != "a" and re.match(r"(https?:)?//", given.get("src") or given.get("href") or ""):
            found.append(f"{tag} loads {given}")
    return found
