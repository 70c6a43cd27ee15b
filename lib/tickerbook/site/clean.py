"""What comes out of a notebook, made safe to stand on a page.

Everything leaves here as a *block*: raw HTML on one line, without a backtick or a pair of braces, so that
nothing in it can mean anything to Markdown, YAML or Quarto. HTML and SVG pass through lists of what is
allowed; the rest is shown as the text it is.
"""

import base64
import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import bleach
from bleach.html5lib_shim import Filter
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from markdown_it import MarkdownIt


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words("""
    a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4
    h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strong sub summary sup table tbody td
    tfoot th thead time tr u ul var
""")
_ATTRIBUTES = _words("""
    class title role tabindex scope colspan rowspan headers datetime open alt width height start lang dir
""")
_LINK = re.compile(r"(https?://|mailto:|#|[\w./-]+(?![\w./-]*:))", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
_STYLE_ELEMENT = re.compile(r"<style\b[^>]*>.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_SVG = re.compile(r"<svg\b.*?</svg\s*>", re.IGNORECASE | re.DOTALL)
_LONG_FACT = re.compile(r'<span data-fact="([^"<>]*)">([^<]{25,})</span>')  # may be broken into lines
_PLACE = '<i data-drawing="{}"></i>'
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_SHAPES = _words("""
    svg g path rect line polyline polygon circle ellipse text tspan title desc defs clipPath linearGradient
    stop marker style
""")
_TEXTS = _words("title desc style")  # hold text only
_DRAWING = _words("""
    class id role x y x1 x2 y1 y2 cx cy r rx ry dx dy d points width height viewBox preserveAspectRatio
    transform opacity fill stroke overflow offset orient refX refY markerWidth markerHeight text-anchor
    dominant-baseline vector-effect gradientUnits clip-path clip-rule paint-order font-size font-weight style
    pathLength focusable tabindex
""")
_DRAWING_FAMILY = re.compile(r"(data-|aria-|fill-|stroke-|stop-|font-)[a-z-]+")
_REACHES_OUT = re.compile(r"url\s*\((?!\s*#[\w-]+\s*\))|@import|\\|<|expression|image-set", re.IGNORECASE)

_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def block(html: str) -> str:
    """Markdown that stands for exactly this HTML, wherever it is put, in Quarto and in pandoc."""
    line = html.replace("\r\n", "\n").replace("\r", "\n").replace("`", "&#96;").replace("{{", "&#123;&#123;")
    return "```{=html}\n" + line.replace("\n", "&#10;") + "\n```\n"


def clean_html(html: str) -> str:
    """Tables, lists and text as they are; scripts, handlers and anything not allowed as literal text.

    Styles of its own (pandas' Styler brings some) are left out: the page's style sheet rules.
    """
    drawings: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        drawings.append(clean_svg(match[0]))
        return _PLACE.format(len(drawings) - 1)

    kept = _STYLE_ELEMENT.sub("", _SVG.sub(put_aside, _CONTROL.sub("", html)))
    safe = str(_cleaner().clean(kept))
    for number, drawing in enumerate(
        drawings
    ):  # in attributes a place is written otherwise, and stays a text
        safe = safe.replace(_PLACE.format(number), drawing)
    return _LONG_FACT.sub(r'<span class="words" data-fact="\1">\2</span>', safe)


def clean_markdown(text: str) -> str:
    """CommonMark with tables as HTML; markup written in it is shown as text."""
    return clean_html(_markdown.render(_CONTROL.sub("", text)))


def clean_svg(svg: str) -> str:
    """A drawing with shapes, texts and styles only; as literal text where it is not a drawing."""
    try:
        root = fromstring(svg)
    except (ParseError, DefusedXmlException, ValueError):
        return literal(svg)
    if _name(root.tag) != "svg":
        return literal(svg)
    return _drawn(root)


def literal(text: str) -> str:
    """A text as it was printed."""
    return f'<pre class="printed">{escape(_CONTROL.sub("", _ANSI.sub("", text)))}</pre>'


def picture(mime: str, data: str, alt: str = "") -> str:
    """A picture from its base64 text; nothing where it is not one."""
    try:
        base64.b64decode(data, validate=False)
    except ValueError:
        return ""
    source = f"data:{mime};base64,{''.join(data.split())}"
    return f'<img src="{escape(source)}" alt="{escape(alt)}">' if _PICTURE.fullmatch(source) else ""


def data_script(value: Any) -> str:
    """JSON to stand inside a page for a script to read; no text in it can end the element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":")).replace("{{", "{\\u007b")
    for character in "<>&`":  # these, like a pair of braces, occur inside strings only
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json">{text}</script>'


def _cleaner() -> bleach.Cleaner:
    """Made anew each time: bleach's is not safe to share."""
    protocols = {"http", "https", "mailto", "data"}
    return bleach.Cleaner(tags=_TAGS, attributes=_allowed, protocols=protocols, filters=[_ScrollingTables])


class _ScrollingTables(Filter):  # type: ignore[misc]  # bleach ships no types
    """Puts each table into a frame of its own, which scrolls where a phone is too narrow."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        frame = {"name": "div", "namespace": None}
        framed: list[bool] = []
        before: dict[str, Any] = {}
        for token in super().__iter__():
            kind = token["type"] if token.get("name") == "table" else ""
            if kind == "StartTag":
                framed.append("scroll" in before.get("data", {}).get((None, "class"), ""))
            if kind == "StartTag" and not framed[-1]:
                yield {**frame, "type": "StartTag", "data": {(None, "class"): "scroll"}}
            yield token
            if kind == "EndTag" and not framed.pop():
                yield {**frame, "type": "EndTag", "data": {}}
            before = token if token["type"] == "StartTag" else {}


def _allowed(tag: str, name: str, value: str) -> bool:
    """Whether an attribute may stay."""
    if name == "href":
        return tag == "a" and bool(_LINK.match(value.strip()))
    if name == "src":
        return tag == "img" and bool(_PICTURE.fullmatch(value))
    return name in _ATTRIBUTES or name.startswith(("data-", "aria-"))


def _name(qualified: str) -> str:
    return qualified.rpartition("}")[2]


def _drawn(element: Element) -> str:
    """An element of a drawing and what is allowed in it."""
    tag = _name(element.tag)
    if tag == "style" and _REACHES_OUT.search(element.text or ""):
        return ""
    given = "".join(f' {k}="{escape(v)}"' for k, v in element.attrib.items() if _draws(k, v))
    inner = escape(element.text or "", quote=False)
    for child in element if tag not in _TEXTS else ():
        if isinstance(child.tag, str) and _name(child.tag) in _SHAPES:
            inner += _drawn(child)
        inner += escape(child.tail or "", quote=False)
    return f"<{tag}{given}>{inner}</{tag}>"


def _draws(name: str, value: str) -> bool:
    """Whether an attribute of a drawing may stay: it is known and reaches nothing outside."""
    known = name in _DRAWING or _DRAWING_FAMILY.fullmatch(name)
    return bool(known) and not _REACHES_OUT.search(value)
