"""What the site knows of each ticker: gathered from the run store, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from tickerbook.facts import Facts
from tickerbook.market.lake import Lake, newest_known
from tickerbook.sessions import last_completed, sessions_between
from tickerbook.settings import Ticker
from tickerbook.store import RunResult, RunStore, Status

REPORT = "report"
SAMPLE = "sample"  # how the source of sample prices begins
_LONG_AGO = 60  # sessions behind from which prices are history rather than late

Age = Literal["fresh", "late", "historical", "missing"]


@dataclass(frozen=True)
class ReadOnce(RunStore):
    """A run store that reads each run once: a page, its foot, the runs and home all need it."""

    seen: dict[tuple[str, Status], RunResult | None] = field(default_factory=dict, repr=False)

    def get(self, key: str, status: Status = "ok") -> RunResult | None:
        """As `RunStore.get`, remembered."""
        if (key, status) not in self.seen:
            self.seen[key, status] = super().get(key, status)
        return self.seen[key, status]


@dataclass(frozen=True)
class Freshness:
    """How old the prices on a page are.

    Attributes:
        text: what a reader is told.
        note: what there is to say of the session beside its date.
        session: the newest session on the page; None where the page has no prices.
        until: the day from which a reader's browser calls the page old; None where it is old already.
    """

    age: Age
    text: str
    note: str = ""
    session: date | None = None
    until: date | None = None


NO_PRICES = Freshness("missing", "no prices yet")


@dataclass(frozen=True)
class TickerView:
    """All that a ticker's page says.

    Attributes:
        shown: the newest good report; None where there never was one.
        sources: the good runs that the report stands on, itself last.
        attempts: the newest attempt of each notebook, in the order in which they ran.
        narrative: the prose about `shown`; None where there is none.
        priced: whether the lake has prices.
        notice: what is wrong with the prices, where newer ones were refused; empty where nothing is.
    """

    ticker: Ticker
    shown: RunResult | None
    sources: tuple[RunResult, ...]
    attempts: tuple[RunResult, ...]
    narrative: Mapping[str, Any] | None
    freshness: Freshness
    priced: bool
    notice: str = ""

    @property
    def facts(self) -> Facts:
        """What the report published; none where there is no report."""
        return self.shown.facts if self.shown else Facts()

    @property
    def status(self) -> Status | Literal["missing"]:
        """How the newest attempt at the report ended; "missing" if there was none."""
        ends = {result.run.notebook: result.status for result in self.attempts}
        return ends.get(REPORT, "missing" if not self.failures else "skipped")

    @property
    def failures(self) -> tuple[RunResult, ...]:
        """Attempts that did not end well; what failed stands before what was skipped because of it."""
        bad = [result for result in self.attempts if result.status != "ok"]
        return tuple(sorted(bad, key=lambda result: result.status == "skipped"))


def view_ticker(
    ticker: Ticker, store: RunStore, lake: Lake, now_at: datetime, notice: str = ""
) -> TickerView:
    """Gather what there is to say about a ticker.

    Raises:
        TornFileError: if a stored run cannot be read.
    """
    until = newest_known(lake, ticker.symbol)
    shown = store.latest_ok(REPORT, ticker.symbol, until)
    fresh = freshness(ticker, shown.facts if shown else Facts(), now_at)
    return TickerView(
        ticker=ticker,
        shown=shown,
        sources=_sources(store, shown) if shown else (),
        attempts=attempts(store, ticker.symbol, until),
        narrative=_narrative(store, shown) if shown else None,
        freshness=_stale(fresh) if notice else fresh,
        priced=lake.holds(ticker.symbol) and until != date.min,
        notice=notice,
    )


def attempts(store: RunStore, ticker: str | None, until: date | None = None) -> tuple[RunResult, ...]:
    """The newest attempt of each notebook ever run for a ticker (None: the universe), as they began.

    Args:
        store: where to look.
        ticker: whose.
        until: the newest session of interest; None for all.
    """
    found = [store.latest(notebook, ticker, until) for notebook in store.notebooks(ticker)]
    return tuple(sorted((result for result in found if result), key=lambda result: result.started_at))


def freshness(ticker: Ticker, facts: Facts, now_at: datetime) -> Freshness:
    """How old a ticker's prices are, by its exchange's calendar; sample prices never look fresh."""
    newest = facts.value("price.session")
    if newest is None:
        return NO_PRICES
    session = date.fromisoformat(newest)
    expected = last_completed(ticker.calendar, now_at)
    behind = len(sessions_between(ticker.calendar, session, expected)) - 1 if session < expected else 0
    sample = str(facts.value("price.source", "")).startswith(SAMPLE)
    if sample or behind > _LONG_AGO:
        kind = "sample prices" if sample else "old prices"
        first = facts.value("price.first")
        period = f"{first} to {newest}" if first else f"until {newest}"
        return Freshness("historical", f"{kind}, {period}", kind.split(maxsplit=1)[0], session)
    if behind:
        count = f"{behind} session{'s' * (behind > 1)} behind"
        return Freshness("late", f"{count}, close of {newest}", count, session)
    return Freshness("fresh", f"close of {newest}", "", session, _next_close(ticker.calendar, session))


def _stale(fresh: Freshness) -> Freshness:
    """The same session, never looking fresh: newer prices came and were refused."""
    return replace(fresh, age="late", text=f"stale, {fresh.text}", note="stale", until=None)


def _next_close(calendar: str, session: date) -> date:
    """The day after the next session: by then there is a newer close."""
    ahead = sessions_between(calendar, session + timedelta(days=1), session + timedelta(days=14))
    return (ahead[0].date() if len(ahead) else session) + timedelta(days=1)


def _sources(store: RunStore, shown: RunResult) -> tuple[RunResult, ...]:
    """The runs whose facts the report carries on, as they began, and the report.

    A run that was repeated since with other facts is not one of them.
    """
    named = {fact.notebook for fact in shown.facts.values() if fact.notebook} - {REPORT}
    found = [store.latest_ok(name, shown.run.ticker, shown.run.session) for name in sorted(named)]
    used = shown.origin.get("upstream", {})
    kept = [
        r for r in found if r and used.get(f"{r.run.notebook} {r.run.ticker}", "") in {"", r.facts.digest}
    ]
    return (*sorted(kept, key=lambda result: result.started_at), shown)


def _narrative(store: RunStore, shown: RunResult) -> Mapping[str, Any] | None:
    """The prose, if it was written about these very facts."""
    narrative = store.narrative(shown)
    return narrative if narrative and narrative.get("facts_digest") == shown.facts.digest else None
