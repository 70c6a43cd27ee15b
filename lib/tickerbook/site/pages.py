"""Page sources made from stored runs: a notebook for each ticker, an include for each hand-written page."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tickerbook.errors import TornFileError
from tickerbook.facts import Facts
from tickerbook.files import slug, write_text
from tickerbook.promotions import Promotions
from tickerbook.site import api, notebooks
from tickerbook.site.api import FOLDER, failure_record, moment, ticker_file
from tickerbook.site.clean import block
from tickerbook.site.outputs import page_parts
from tickerbook.store import RunResult

TICKERS, GENERATED = "tickers", "_generated"
_SLOT = re.compile(r"\{([a-z][a-z0-9_.]*)\}")
_LABELS = {  # what a run's origin has, in readers' words
    "source": "prices from",
    "first": "first session",
    "last": "last session",
    "fetched_at": "fetched",
    "tickers": "prices of",
    "bars_digest": "digest of the prices",
    "notebook_digest": "digest of the notebook's code",
    "code_digest": "digest of tickerbook's code",
    "dependencies_digest": "digest of the dependencies",
    "upstream": "digest of the facts of",
}
_DIGEST = re.compile(r"[0-9a-f]{32,}")
_TICKER = re.compile(r'<span data-fact="([a-z0-9_.]+\.ticker)">([^<]+)</span>')
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!^~<>|$@'\"])")


def ticker_source(symbol: str) -> str:
    """Where the source of a ticker's page is, below reports/."""
    return f"{TICKERS}/{slug(symbol)}.ipynb"


def ticker_page(record: Mapping[str, Any], notebook: str | None) -> str:
    """The source of a ticker's page, as a notebook of finished parts.

    Args:
        record: what the page says (`api.ticker_record`).
        notebook: text of the executed report; None where there never was a good one.

    Raises:
        SiteError: if the executed report cannot be read.
    """
    parts = [_render("head.html", record=record)]
    if notebook is not None:
        parts += page_parts(notebook, _narrative(record))
        parts += [_render("foot.html", record=_with_rows(record), record_file=ticker_file(record["ticker"]))]
    front = f'---\npagetitle: "{_plain(record["ticker"])}"\n---'
    return notebooks.write(front, map(block, parts))


def home_include(records: Sequence[Mapping[str, Any]], title: str, built_at: str) -> str:
    """The universe at a glance."""
    rows = [{**record, "signals": _signals(record), "spark": _spark(record)} for record in records]
    return block(
        _render(
            "home.html",
            records=rows,
            charted=any(row["spark"] for row in rows),
            troubled=[record for record in records if record["status"] != "ok"],
            title=title,
            built_at=built_at,
            index_file=f"{FOLDER}/index.json",
        )
    )


def universe_include(
    shown: RunResult | None, notebook: str | None, attempts: Iterable[RunResult], symbols: Collection[str]
) -> str:
    """The executed notebook over the universe; names of tickers (`….ticker`) become links to their pages.

    It says whose prices they are, and which tickers of the universe are not in it.

    Raises:
        SiteError: if it cannot be read.
    """
    failures = [failure_record(result) for result in attempts if result.status != "ok"]
    session = shown.run.session.isoformat() if shown else None
    source = shown.origin.get("source", "") if shown else ""
    covered = shown.run.parameters.get("tickers", symbols) if shown else ()
    missing = [symbol for symbol in symbols if symbol not in covered]
    head = _render("universe.html", failures=failures, session=session, source=source, missing=missing)
    parts = page_parts(notebook) if notebook else []
    return "\n".join(map(block, [head, *(_linked(part, symbols) for part in parts)]))


def runs_include(
    runs: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]], built_at: str
) -> str:
    """What ran, how it ended and how long it took; which tickers nothing could run for."""
    return block(
        _render(
            "runs.html",
            runs=runs,
            counts=Counter(run["status"] for run in runs),
            troubled=any(run["status"] != "ok" for run in runs),
            pages={record["ticker"]: record["page"] for record in records},
            unpriced=[record for record in records if not record.get("priced", True)],
            built_at=built_at,
            runs_file=f"{FOLDER}/runs.json",
        )
    )


def promotions_include(promotions: Promotions) -> str:
    """What was asked of the strategies' evidence, newest first: granted or refused, and what was missing.

    A record that cannot be read is told; it stops nothing else.
    """
    rows, holdouts, faults = [], [], []
    for name in promotions.strategies():
        try:
            known = promotions.read(name)
        except TornFileError as error:
            faults.append(error.message)
            continue
        rows += [{**entry, "strategy": name} for entry in known["decisions"]]
        holdouts += [{**entry, "strategy": name} for entry in known["holdouts"]]
    rows.sort(key=lambda row: str(row["asked_at"]), reverse=True)
    return block(_render("promotions.html", rows=rows, holdouts=holdouts, faults=faults))


def stale_notice(reason: str, built_at: str) -> str:
    """What stands on a page whose last good version had to be kept."""
    return _render("stale.html", reason=reason, built_at=built_at)


def write_sources(reports: Path, sources: Mapping[str, str], keep: Collection[str] = ()) -> None:
    """Write what has changed (path below reports/ → text); sources of tickers that are gone are removed.

    Args:
        reports: the folder of the page sources.
        sources: path → text.
        keep: pages whose sources stay as they are.
    """
    for name, text in sources.items():
        path = reports / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
    for path in (reports / TICKERS).glob("*.ipynb"):
        if f"{TICKERS}/{path.name}" not in sources and f"{TICKERS}/{path.stem}.html" not in keep:
            path.unlink()


def _linked(part: str, symbols: Collection[str]) -> str:
    def link(match: re.Match[str]) -> str:
        known = unescape(match[2]) in symbols
        return f'<a href="{api.ticker_page(unescape(match[2]))}">{match[0]}</a>' if known else match[0]

    return _TICKER.sub(link, part)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "assets"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, **values: Any) -> str:
    """A template filled in, on one line."""
    return " ".join(_environment().get_template(template).render(values).split())


def _narrative(record: Mapping[str, Any]) -> str:
    narrative, facts = record["narrative"], record["facts"]
    if not narrative:
        return ""
    parts = [
        {"title": part["title"], "sentences": [_pieces(s, facts) for s in part["sentences"]]}
        for part in narrative["parts"]
    ]
    return _render("narrative.html", parts=parts, receipt=str(narrative.get("receipt", "")))


def _pieces(sentence: Mapping[str, Any], facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """A sentence with its slots marked; as one piece if the slots do not give the text that was checked."""
    pieces, slots = [], sentence["slots"]
    for number, text in enumerate(_SLOT.split(sentence["template"])):
        if number % 2 == 0:
            pieces.append({"text": text, "fact": ""})
        else:
            pieces.append({"text": slots.get(text, ""), "fact": text if text in facts else ""})
    if "".join(piece["text"] for piece in pieces) != sentence["text"]:
        return [{"text": sentence["text"], "fact": ""}]
    return [piece for piece in pieces if piece["text"]]


def _signals(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Strategy → its signal with the signal's name and text."""
    rows = Facts.from_json(record["facts"]).rows("strategy")
    pairs = [
        (row.get("title", row["name"]).text, row["signal"])
        for row in rows
        if "name" in row and "signal" in row
    ]
    return {name: {"name": fact.name, "value": fact.value, "text": fact.text} for name, fact in pairs}


def _spark(record: Mapping[str, Any]) -> str:
    """The newest closes as points of a line in a box of 96 by 24; empty where there are too few."""
    closes = [v for v in record["facts"].get("price.closes", {}).get("value") or () if v is not None]
    if len(closes) < 2:  # noqa: PLR2004 - a point is no line
        return ""
    low, span = min(closes), (max(closes) - min(closes)) or 1.0
    step = 94 / (len(closes) - 1)
    return " ".join(f"{1 + n * step:.1f},{22 - 20 * (c - low) / span:.1f}" for n, c in enumerate(closes))


def _with_rows(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose sources have their origin and parameters as rows to show."""
    sources = [
        {
            **source,
            "origin_rows": list(_origin_rows(source["origin"])),
            "parameter_rows": [
                (k, json.dumps(v, ensure_ascii=False)) for k, v in source["parameters"].items()
            ],
        }
        for source in record["sources"]
    ]
    return {**record, "sources": sources}


def _origin_rows(origin: Mapping[str, Any]) -> Iterable[tuple[str, str, bool]]:
    """Label, value, whether it is a digest; first what readers ask first."""
    ordered = {name: origin[name] for name in (*_LABELS, *origin) if name in origin}
    for name, value in ordered.items():
        label = _LABELS.get(name, name.replace("_", " "))
        if isinstance(value, Mapping):
            yield from ((f"{label} {inner}", str(v), _is_digest(v)) for inner, v in value.items() if v)
        elif isinstance(value, list):
            yield label, ", ".join(map(str, value)), False
        elif name.endswith("_at") and value:
            yield label, moment(datetime.fromisoformat(value)), False
        elif value is not None:
            yield label, str(value), _is_digest(value)


def _is_digest(value: Any) -> bool:
    return bool(_DIGEST.fullmatch(str(value)))


def _plain(text: str) -> str:
    """A text that Markdown in a quoted YAML value leaves alone."""
    return _MARKUP.sub(r"\\\\\1", text)
