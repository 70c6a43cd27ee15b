"""The second check of prose: reads the rendered page, and matches every number in it with its fact.

It knows nothing of how prose is written, of slots or of the text of facts: it reads what a reader reads, and
compares values. A page that says what its facts do not is not published; the one before stays.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from tickerbook.site.api import FOLDER
from tickerbook.site.staging import Stage, page_name

_NUMBER = re.compile(r"(−?)([$€£¥]?)([0-9][0-9,]*)(?:\.([0-9]+))?(?:(?: |\u00a0)(.+))?")
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_SINGULAR = {"session": "sessions", "share": "shares", "%": "fraction"}
_VOID = frozenset(("br", "img", "hr", "wbr", "input", "meta", "link"))
_SPELLED = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six"
    r"|seven|eigh|nine)ty|hundred|thousand|million|billion|dozen|half|third|thirds|quarter|quarters|twice"
    r"|double|triple)s?\b",
    re.IGNORECASE,
)
_FACT = "\ufffc"  # stands for a proven figure
_GLUED = re.compile(rf"[^\s(“\"]{_FACT}|{_FACT}[^\s,.;:!?)”\"’']")


class _Prose(HTMLParser):
    """The text of the narrative of a page: pieces, each with the name of the fact that it claims to be."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[tuple[str, str | None]] = []
        self._open: list[tuple[str, str]] = []  # inside a narrative: tag, and what is special about it
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        if not self._open and not (tag == "section" and "narrative" in classes):
            return
        if tag not in _VOID:
            note = "note" if "note" in classes else ""
            self._open.append((tag, given.get("data-fact", "") or (note and "\0")))
        if tag in {"p", "h3", "li", "td", "th", "div", "br"}:
            self.pieces.append((" ", None))

    def handle_endtag(self, tag: str) -> None:
        if tag in [opened for opened, _ in self._open]:
            while self._open and self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        special = [what for _, what in self._open if what]
        if self._open and "\0" not in special:  # the receipt counts sentences and is no prose
            self.pieces.append((data, special[-1] if special else None))


def unproven(page: str, record: Mapping[str, Any]) -> list[str]:
    """What the narrative on a page says that the facts of its record do not; empty where all is proven.

    What is wrong is not quoted: the reason stands on the page that is kept, too.

    Args:
        page: the rendered page.
        record: what the page is made from (`api.ticker_record`).
    """
    return list(_faults(_Prose(page).pieces, record))


def refuse_unproven(staged: Stage, files: Mapping[str, str]) -> dict[str, str]:
    """Source → why its rendered page may not be published, for the pages of tickers.

    Args:
        staged: the rendered stage.
        files: path in the site → text, with the records of tickers.
    """
    records = [json.loads(text) for path, text in files.items() if path.startswith(f"{FOLDER}/tickers/")]
    by_page = {record["page"]: record for record in records}
    refused = {}
    for source in staged.sources:
        page = staged.output / page_name(source)
        record = by_page.get(page_name(source))
        if record and page.is_file() and (faults := unproven(page.read_text(encoding="utf-8"), record)):
            refused[source] = f"its prose {faults[0]}."
    return refused


def _faults(pieces: list[tuple[str, str | None]], record: Mapping[str, Any]) -> Iterator[str]:
    bare = ""
    for name, text in _joined(pieces):
        if name is None:
            bare += text
            continue
        bare += _FACT
        fact = record["facts"].get(name)
        if fact is None:
            yield f"has the fact {name}, which is not there"
        elif not _matches(text, fact):
            yield f"says of {name} what it is not"
    bare = re.sub(rf"(?<!\w){re.escape(record['ticker'])}(?!\w)", _FACT, bare)
    if any(unicodedata.numeric(character, None) is not None for character in bare):
        yield "has a number that no fact gives"
    if _SPELLED.search(bare):
        yield "spells out a number that no fact gives"
    if _GLUED.search(bare):
        yield "glues something to a figure"


def _joined(pieces: list[tuple[str, str | None]]) -> Iterator[tuple[str | None, str]]:
    """Name and text; what stands together as one fact, however it is marked up, is one text."""
    name, text = None, ""
    for data, fact in [*pieces, ("", None)]:
        if fact != name:
            if text:
                yield name, text
            name, text = fact, ""
        text += data
    if text:
        yield name, text


def _matches(text: str, fact: Mapping[str, Any]) -> bool:
    """Whether a text is a fact's value, to half a unit of its last digit, in its unit and with its sign."""
    value, unit, said = fact["value"], fact["unit"], " ".join(text.split())
    if isinstance(value, bool):
        return said == ("yes" if value else "no")
    if isinstance(value, str):
        return said == " ".join(value.split())
    number = _NUMBER.fullmatch(said)
    if number is None or not isinstance(value, (int, float)):
        return value is not None and said == f"{value:,}".replace("-", "−")  # such as 1e−07
    minus, sign, whole, decimals, told = number.groups()
    told_unit = _SIGNS.get(sign) or _SINGULAR.get(told or "", told or "")
    shown = float(f"{whole.replace(',', '')}.{decimals or '0'}") * (-1 if minus else 1)
    exact = value * 100 if unit == "fraction" else value
    tolerance = 0.5 * 10.0 ** -len(decimals or "") + 1e-9 * max(1.0, abs(exact))
    return told_unit == unit and abs(shown - exact) <= tolerance
