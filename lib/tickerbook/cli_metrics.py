"""Metrics for Prometheus: as text, and at an address while a scheduler runs.

They are counted from what is stored (the ledger, the lake, the vendors' scorecard), so that they are the same
from any process, and go on after a restart. Where old runs are pruned, counters begin anew, as Prometheus
expects of a restart.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from tickerbook.errors import ConfigError, TickerbookError
from tickerbook.market.lake import project_lake
from tickerbook.market.scorecard import Scorecard
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.measures import LIMITS, Measures, measure
from tickerbook.runs.schedule import next_tick
from tickerbook.runs.tickbook import TickBook
from tickerbook.sessions import hours_between
from tickerbook.settings import Settings

_FRESH = timedelta(minutes=5)  # how long what was read of the lake counts as current
_BACK = timedelta(days=400)  # further behind than that is not counted


def as_text(settings: Settings, now: Callable[[], datetime]) -> str:
    """Everything, as Prometheus reads it."""
    registry = CollectorRegistry()
    registry.register(_Everything(settings, now))
    return generate_latest(registry).decode()


@contextmanager
def serving(
    settings: Settings, address: str, now: Callable[[], datetime], say: Callable[..., None]
) -> Iterator[None]:
    """Answer at an address until the block ends; where that is taken, say so and go on without.

    Raises:
        ConfigError: if `address` is neither host:port nor off.
    """
    if address == "off":
        yield
        return
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and int(port) < 2**16):
        raise ConfigError(
            f"--metrics {address!r} is no address.", "Write host:port, as in 127.0.0.1:9477, or off."
        )
    registry = CollectorRegistry()
    registry.register(_Everything(settings, now))
    try:
        server, thread = start_http_server(int(port), host, registry)
    except OSError as error:
        say(
            "no metrics",
            note=f"{address} cannot be used ({error.strerror or error}); --metrics names another",
        )
        yield
        return
    say("metrics", address=f"http://{host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(eq=False)
class _Everything(Collector):
    """Counted anew each time that somebody asks; prices, which are many files, every few minutes."""

    settings: Settings
    now: Callable[[], datetime]
    _sessions: tuple[datetime, dict[str, date]] | None = None

    def describe(self) -> list[Metric]:
        """Nothing yet: registering costs no look at the disk."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric. What cannot be read is left out, and counted as that."""
        problems = 0
        for part in (self._runs, self._vendors, self._prices, self._schedule):
            try:
                yield from list(part())
            except TickerbookError:
                problems += 1
        unread = GaugeMetricFamily("tickerbook_unreadable", "Parts of these metrics that could not be read.")
        unread.add_metric([], problems)
        yield unread

    def _runs(self) -> Iterator[Metric]:
        found: Measures = measure(Ledger(self.settings.ledger))
        runs = CounterMetricFamily(
            "tickerbook_runs",
            "Runs by what became of them; unchanged ones were taken from the store (cache hits).",
            labels=["notebook", "outcome"],
        )
        for (notebook, state), count in sorted(found.runs.items()):
            runs.add_metric([notebook, state], count)
        yield runs
        took = HistogramMetricFamily(
            "tickerbook_run_seconds", "How long executed runs took.", labels=["notebook"]
        )
        for notebook, one in sorted(found.durations.items()):
            buckets = [(str(limit), float(count)) for limit, count in zip(LIMITS, one.within, strict=True)]
            took.add_metric([notebook], [*buckets, ("+Inf", float(one.count))], one.seconds)
        yield took
        queue = GaugeMetricFamily("tickerbook_runs_open", "Runs that wait or go on.", labels=["state"])
        for state, count in sorted(found.queue.items()):
            queue.add_metric([state], count)
        yield queue

    def _vendors(self) -> Iterator[Metric]:
        asked = CounterMetricFamily(
            "tickerbook_provider_questions",
            "Questions to vendors by outcome: delivered, or how they failed.",
            labels=["provider", "outcome"],
        )
        for (provider, outcome), count in sorted(Scorecard(self.settings.ledger).counts().items()):
            asked.add_metric([provider, outcome], count)
        yield asked

    def _prices(self) -> Iterator[Metric]:
        newest = GaugeMetricFamily(
            "tickerbook_newest_session_timestamp_seconds",
            "Midnight UTC of the newest session whose prices are stored.",
            labels=["ticker"],
        )
        behind = GaugeMetricFamily(
            "tickerbook_sessions_behind", "Completed sessions without stored prices.", labels=["ticker"]
        )
        stored = self._stored()
        for ticker in self.settings.tickers:
            session = stored.get(ticker.symbol)
            if session is not None:
                newest.add_metric([ticker.symbol], datetime.combine(session, time(), UTC).timestamp())
            behind.add_metric([ticker.symbol], self._behind(ticker.calendar, session))
        yield from (newest, behind)

    def _stored(self) -> dict[str, date]:
        """The newest session of each ticker."""
        now_at = self.now()
        if self._sessions is None or abs(now_at - self._sessions[0]) > _FRESH:
            lake = project_lake(self.settings)
            periods = {one.symbol: lake.period(one.symbol) for one in self.settings.tickers}
            self._sessions = now_at, {symbol: period[1] for symbol, period in periods.items() if period}
        return self._sessions[1]

    def _behind(self, calendar: str, session: date | None) -> float:
        now_at = self.now()
        first = max(session + timedelta(days=1) if session else date.min, (now_at - _BACK).date())
        return float(sum(one.closes_at <= now_at for one in hours_between(calendar, first, now_at.date())))

    def _schedule(self) -> Iterator[Metric]:
        book = TickBook(self.settings.ledger)
        ticks = CounterMetricFamily(
            "tickerbook_ticks", "Ticks by what became of them.", labels=["cadence", "outcome"]
        )
        waiting = GaugeMetricFamily(
            "tickerbook_ticks_open", "Ticks that wait or go on.", labels=["cadence", "state"]
        )
        for (cadence, state), count in sorted(book.counts().items()):
            family = waiting if state in {"waiting", "running", "interrupted"} else ticks
            family.add_metric([cadence, state], count)
        yield from (ticks, waiting)
        good = GaugeMetricFamily(
            "tickerbook_cadence_last_success_timestamp_seconds",
            "When a cadence's work last ended well.",
            labels=["cadence"],
        )
        for cadence, ended_at in sorted(book.last_success().items()):
            good.add_metric([cadence], ended_at.timestamp())
        following = GaugeMetricFamily(
            "tickerbook_cadence_next_timestamp_seconds", "When a cadence is due next.", labels=["cadence"]
        )
        for one in self.settings.cadences:
            tick = next_tick(one, self.now())
            if tick is not None:
                following.add_metric([one.name], tick.starts_at.timestamp())
        leads = GaugeMetricFamily("tickerbook_scheduler_present", "1 where a scheduler works on this ledger.")
        leads.add_metric([], float(book.leader() is not None))
        yield from (good, following, leads)
