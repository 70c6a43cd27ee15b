"""The site for programs: what every page says, as strict JSON under api/v1/."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tickerbook.files import dump_json, slug
from tickerbook.settings import Settings
from tickerbook.site.views import TickerView
from tickerbook.store import TIMELESS, RunResult

FOLDER = "api/v1"
SCHEMA = "tickerbook/v1"
_GLANCE = ("price.close", "price.change", "support.price", "support.distance_atr", "resistance.price")


def ticker_record(view: TickerView) -> dict[str, Any]:
    """Everything that a ticker's page says."""
    fresh = view.freshness
    return {
        "schema": SCHEMA,
        "ticker": view.ticker.symbol,
        "name": view.ticker.name,
        "calendar": view.ticker.calendar,
        "currency": view.ticker.currency,
        "page": ticker_page(view.ticker.symbol),
        "status": view.status,
        "priced": view.priced,
        "notice": view.notice,
        "session": fresh.session.isoformat() if fresh.session else None,
        "freshness": {
            "age": fresh.age,
            "text": fresh.text,
            "note": fresh.note,
            "until": fresh.until.isoformat() if fresh.until else None,
        },
        "facts": view.facts.to_json(),
        "facts_digest": view.facts.digest if view.shown else None,
        "narrative": _told(view.narrative) if view.narrative else None,
        "sources": [source_record(result) for result in view.sources],
        "failures": [failure_record(result) for result in view.failures],
    }


def _told(narrative: Mapping[str, Any]) -> dict[str, Any]:
    """A narrative without what was refused of it: drafts are no prose."""
    return {name: told for name, told in narrative.items() if name not in {"verdicts", "attempts"}}


def source_record(result: RunResult) -> dict[str, Any]:
    """Where the numbers of a good run come from."""
    return {
        **_run_record(result),
        "key": result.run.key,
        "parameters": dict(result.run.parameters),
        "origin": dict(result.origin),
        "versions": dict(result.versions),
        "notebook_file": notebook_file(result),
    }


def failure_record(result: RunResult) -> dict[str, Any]:
    """Why a run did not end well."""
    failure = result.failure
    return {
        **_run_record(result),
        "cell": failure.cell if failure else None,
        "kind": failure.kind if failure else "",
        "message": failure.message if failure else "No reason was recorded.",
        "remedy": failure.remedy if failure else "Run it again.",
    }


def run_records(results: Iterable[RunResult]) -> list[dict[str, Any]]:
    """What ran and how it ended, one row a run."""
    return [failure_record(r) if r.status != "ok" else _run_record(r) for r in results]


def notebook_file(result: RunResult) -> str:
    """Where the site keeps an executed notebook."""
    folder = slug(result.run.ticker) if result.run.ticker else "universe"
    return f"notebooks/{folder}/{result.run.notebook}.ipynb"


def api_files(
    settings: Settings,
    records: Iterable[Mapping[str, Any]],
    runs: Iterable[Mapping[str, Any]],
    now_at: datetime,
) -> dict[str, str]:
    """Path in the site → text."""
    records = list(records)
    built_at = moment(now_at)
    index = {
        "schema": SCHEMA,
        "title": settings.title,
        "built_at": built_at,
        "tickers": [*map(_entry, records)],
    }
    files = {
        f"{FOLDER}/index.json": dump_json(index),
        f"{FOLDER}/runs.json": dump_json({"schema": SCHEMA, "built_at": built_at, "runs": list(runs)}),
    }
    return files | {ticker_file(record["ticker"]): _dense(record) for record in records}


def ticker_file(symbol: str) -> str:
    """Where the site keeps a ticker's record."""
    return f"{FOLDER}/tickers/{slug(symbol)}.json"


def ticker_page(symbol: str) -> str:
    """Where the site has a ticker's page."""
    return f"tickers/{slug(symbol)}.html"


def moment(at: datetime) -> str:
    """An instant to the minute, as pages show it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _dense(record: Mapping[str, Any]) -> str:
    """Strict JSON on one line: a record holds series of thousands of values."""
    return json.dumps(record, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n"


def _entry(record: Mapping[str, Any]) -> dict[str, Any]:
    """A ticker at a glance."""
    shared = ("ticker", "name", "status", "session", "freshness", "page")
    facts = {name: record["facts"][name] for name in _GLANCE if name in record["facts"]}
    return {key: record[key] for key in shared} | {
        "facts": facts,
        "url": f"tickers/{slug(record['ticker'])}.json",
    }


def _run_record(result: RunResult) -> dict[str, Any]:
    return {
        "notebook": result.run.notebook,
        "ticker": result.run.ticker,
        "session": result.run.session.isoformat() if result.run.session != TIMELESS else None,
        "status": result.status,
        "seconds": round(result.seconds, 1),
        "started_at": moment(result.started_at),
    }
