"""Everything that goes on pages; what cannot be made anew is kept from the site in place."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tickerbook.errors import TickerbookError
from tickerbook.facts import Facts
from tickerbook.market.lake import Lake, newest_known, project_lake
from tickerbook.promotions import Promotions
from tickerbook.settings import Settings, Ticker
from tickerbook.site import api, notebooks, pages
from tickerbook.site.views import NO_PRICES, ReadOnce, TickerView, attempts, view_ticker
from tickerbook.store import RunResult, RunStore

UNIVERSE_PAGES = {"market": "market.html", "odds": "levels.html", "strategies": "strategies.html"}


@dataclass(frozen=True)
class Content:
    """What goes into a site.

    Attributes:
        sources: path below reports/ → text of a page source or include.
        files: path in the site → text: records for programs, executed notebooks.
        kept: page → why the site in place has to lend its version; empty where that is as asked for.
    """

    sources: Mapping[str, str]
    files: Mapping[str, str]
    kept: Mapping[str, str]


@dataclass(frozen=True)
class Before:
    """The site in place, as far as a new one may need it."""

    site: Path

    def has(self, page: str) -> bool:
        """Whether it has a page."""
        return (self.site / page).is_file()

    def record(self, symbol: str) -> dict[str, Any] | None:
        """What it says of a ticker; None where it says nothing that can be read."""
        try:
            record = json.loads((self.site / api.ticker_file(symbol)).read_text(encoding="utf-8"))
            Facts.from_json(record["facts"])
        except (OSError, ValueError, KeyError, TypeError, TickerbookError):
            return None
        return record if record.get("schema") == api.SCHEMA else None

    def evidence(self, record: Mapping[str, Any]) -> dict[str, str]:
        """The executed notebooks that a record names."""
        named = [source["notebook_file"] for source in record["sources"]]
        return {n: (self.site / n).read_text(encoding="utf-8") for n in named if self.has(n)}


@dataclass(frozen=True)
class _Sheet:
    """One ticker's share of a site."""

    record: Mapping[str, Any]
    source: str | None
    evidence: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[RunResult, ...] = ()
    kept: str | None = None


def gather(
    settings: Settings,
    store: RunStore,
    now_at: datetime,
    *,
    chosen: Collection[str],
    refused: Mapping[str, str],
    notices: Mapping[str, str],
) -> Content:
    """Gather what there is to say.

    Args:
        settings: the project's.
        store: the stored runs.
        now_at: when the site is built.
        chosen: symbols whose pages are made anew; others are kept as they are, where they are.
        refused: page → why the renderer could not make it.
        notices: symbol → what is wrong with its prices.
    """
    store = ReadOnce(store.root)
    lake = project_lake(settings)
    known = [day for ticker in settings.tickers if (day := newest_known(lake, ticker.symbol))]
    until = max(known, default=None)
    desk = _Desk(store, lake, Before(settings.site), now_at, chosen, refused, notices)
    sheets = [desk.sheet(ticker) for ticker in settings.tickers]
    records = [sheet.record for sheet in sheets]
    symbols = [ticker.symbol for ticker in settings.tickers]
    universe = {name: _universe(store, name, symbols, until) for name in UNIVERSE_PAGES}
    runs = api.run_records([run for sheet in sheets for run in sheet.runs] + list(_tried(store, None, until)))
    sources = {
        "_generated/home.md": pages.home_include(records, settings.title, api.moment(now_at)),
        **{f"_generated/{name}.md": include for name, (include, _, _) in universe.items()},
        "_generated/promotions.md": pages.promotions_include(Promotions(settings.project)),
        "_generated/runs.md": pages.runs_include(runs, records, api.moment(now_at)),
    }
    sources |= {pages.ticker_source(s.record["ticker"]): s.source for s in sheets if s.source is not None}
    files = api.api_files(settings, records, runs, now_at)
    for evidence in (*(made for _, made, _ in universe.values()), *(sheet.evidence for sheet in sheets)):
        files |= evidence
    kept = {sheet.record["page"]: sheet.kept for sheet in sheets if sheet.kept is not None}
    faults = {UNIVERSE_PAGES[name]: fault for name, (_, _, fault) in universe.items() if fault}
    return Content(sources, files, {**refused, **kept, **faults})


@dataclass(frozen=True)
class _Desk:
    """What every ticker's share is made from; see `gather`."""

    store: RunStore
    lake: Lake
    before: Before
    now_at: datetime
    chosen: Collection[str]
    refused: Mapping[str, str]
    notices: Mapping[str, str]

    def sheet(self, ticker: Ticker) -> _Sheet:
        """A ticker's share: made anew, or kept because nobody asked for it, or because it cannot be made."""
        until = newest_known(self.lake, ticker.symbol)
        page, runs = api.ticker_page(ticker.symbol), _tried(self.store, ticker.symbol, until)
        old = self.before.record(ticker.symbol)
        if ticker.symbol not in self.chosen and old and self.before.has(page):
            return _Sheet(old, None, self.before.evidence(old), runs, kept="")
        if page in self.refused:
            return self._kept(ticker, self.refused[page], runs)
        try:
            return self._new(ticker, runs)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one ticker must not stop the others
            return self._kept(ticker, _reason(error), runs)

    def _new(self, ticker: Ticker, runs: tuple[RunResult, ...]) -> _Sheet:
        view = view_ticker(ticker, self.store, self.lake, self.now_at, self.notices.get(ticker.symbol, ""))
        record = api.ticker_record(view)
        source = pages.ticker_page(record, self.store.notebook(view.shown) if view.shown else None)
        evidence = {
            api.notebook_file(run): notebooks.public(self.store.notebook(run)) for run in view.sources
        }
        return _Sheet(record, source, evidence, runs)

    def _kept(self, ticker: Ticker, reason: str, runs: tuple[RunResult, ...]) -> _Sheet:
        """What the site in place says, with the reason why it is not newer; or the reason alone."""
        blank = TickerView(ticker, None, (), (), None, NO_PRICES, priced=True)
        trouble = {"status": "failed", "failures": [_page_failure(ticker, reason, self.now_at)]}
        stub = {**api.ticker_record(blank), **trouble}
        old = self.before.record(ticker.symbol)
        record, evidence = ({**old, **trouble}, self.before.evidence(old)) if old else (stub, {})
        return _Sheet(record, pages.ticker_page(stub, None), evidence, runs, kept=reason)


def _page_failure(ticker: Ticker, reason: str, now_at: datetime) -> dict[str, Any]:
    return {
        "notebook": "page",
        "ticker": ticker.symbol,
        "session": None,
        "status": "failed",
        "seconds": 0.0,
        "started_at": api.moment(now_at),
        "cell": None,
        "kind": "page",
        "message": reason,
        "remedy": f"Run `tickerbook run {ticker.symbol} --force`, then build again.",
    }


def _universe(
    store: RunStore, name: str, symbols: Collection[str], until: date | None
) -> tuple[str, dict[str, str], str]:
    """Include, executed notebook and fault of the page of a notebook over the universe."""
    try:
        shown = store.latest_ok(name, None, until)
        notebook = store.notebook(shown) if shown else None
        tried = [result for result in attempts(store, None, until) if result.run.notebook == name]
        include = pages.universe_include(shown, notebook, tried, symbols)
        files = {api.notebook_file(shown): notebooks.public(notebook)} if shown and notebook else {}
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one page must not stop the others
        return pages.universe_include(None, None, (), symbols), {}, _reason(error)
    return include, files, ""


def _tried(store: RunStore, ticker: str | None, until: date | None) -> tuple[RunResult, ...]:
    """The newest attempts; none where one cannot be read, which the ticker's page tells."""
    try:
        return attempts(store, ticker, until)
    except TickerbookError:
        return ()


def _reason(error: Exception) -> str:
    """An error in one sentence."""
    return error.message if isinstance(error, TickerbookError) else f"{type(error).__name__}: {error}."
