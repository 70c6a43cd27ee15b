"""Retention: what goes by count, age and size; what a page shows stays."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.facts import Facts
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.retention import Limits, StoredRun, choose, in_use, prune, published, stored_runs
from tickerbook.runs.verify import problems
from tickerbook.settings import load_settings
from tickerbook.store import Failure, Run, RunResult, RunStore

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
FIRST = date(2024, 1, 1)


def key(text):
    """A key as runs have them."""
    return hashlib.sha256(text.encode()).hexdigest()


def made(days, ticker="AAPL", notebook="levels"):
    """A good run of a session, made that many days after the first."""
    run = Run(notebook, ticker, FIRST + timedelta(days), {}, key(f"{ticker} {notebook} {days}"))
    at = datetime(2024, 1, 1, 22, 0, tzinfo=UTC) + timedelta(days)
    return RunResult(run, "ok", Facts(), 1.0, at)


@pytest.fixture
def settings(project):
    """A project without runs."""
    return load_settings(project)


@pytest.fixture
def store(settings):
    """Its run store."""
    return RunStore(settings.runs)


@pytest.fixture
def ledger(settings, store):
    """Its ledger, with ten sessions of two tickers in ten batches; everything is stored."""
    ledger = Ledger(settings.ledger)
    for days in range(10):
        results = [made(days), made(days, "MSFT")]
        batch = ledger.begin(results[0].started_at)
        for result in results:
            store.put(result, "{}")
            ledger.record(batch, result)
        ledger.end(batch, results[0].started_at, "finished")
    return ledger


def pruned(store, ledger, shown=frozenset(), now=NOW, **limits):
    """What is left of the store, as (ticker, days)."""
    limits = Limits(**limits)
    pruning = choose(stored_runs(store, ledger), in_use(store) | set(shown), limits, now)
    prune(store, ledger, pruning, limits, now)
    known = {made(d, t).run.key: (t, d) for d in range(10) for t in ("AAPL", "MSFT")}
    return sorted(known[folder.name] for folder in store.folders())


def test_a_count_keeps_the_newest_of_each(store, ledger):
    """Of every ticker and notebook."""
    assert pruned(store, ledger, count=2) == [("AAPL", 8), ("AAPL", 9), ("MSFT", 8), ("MSFT", 9)]


def test_an_age_counts_from_the_last_use(store, ledger):
    """An old run that was found unchanged yesterday is young."""
    batch = ledger.begin(NOW)
    ledger.record(batch, replace(made(0), reused=True), NOW - timedelta(days=1))
    left = pruned(store, ledger, days=30)
    assert left == [("AAPL", 0), ("AAPL", 9), ("MSFT", 9)]


def test_a_budget_takes_the_oldest_first(store, ledger):
    """Until all fits."""
    size = sum(path.stat().st_size for folder in store.folders() for path in folder.iterdir())
    left = pruned(store, ledger, disk=size * 3 // 10)
    assert left == [(t, d) for t in ("AAPL", "MSFT") for d in (7, 8, 9)]


def test_what_a_site_names_stays(store, ledger, tmp_path):
    """The release in place and the one before are read for keys."""
    page = tmp_path / "releases" / "20240101T000000Z-000" / "api" / "AAPL.json"
    page.parent.mkdir(parents=True)
    page.write_text(f'{{"sources": [{{"key": "{made(3).run.key}"}}]}}', encoding="utf-8")
    shown = published(tmp_path / "releases")
    assert shown == {made(3).run.key}
    assert pruned(store, ledger, shown, count=1) == [("AAPL", 3), ("AAPL", 9), ("MSFT", 9)]


def test_the_last_good_run_stays_behind_failures(store, ledger):
    """The page shows it, with its date, for as long as nothing newer is good."""
    failure = Failure("error", "x")
    for days in (10, 11):
        store.put(replace(made(days), status="failed", failure=failure), "{}")
    limits = Limits(count=1)
    pruning = choose(stored_runs(store, ledger), in_use(store), limits, NOW)
    assert {made(9).run.key, f"{made(11).run.key}.failed"} <= {one.folder.name for one in pruning.kept}


def test_nothing_points_to_nowhere_afterwards(store, ledger, settings):
    """Pointers and the ledger's rows go with their runs, and everything fits together."""
    pruned(store, ledger, count=2)
    assert list(problems(settings, ledger)) == []
    assert [day.day for day in store.sessions("levels", "AAPL")] == [10, 9]
    assert {row.key for row in ledger.page()} == {folder.name for folder in store.folders()}
    assert ledger.changes(range(1, 15)) == []
    assert store.latest_ok("levels", "AAPL") == made(9)


def test_the_ledger_forgets_what_is_old(store, ledger):
    """Of a run that stands for long, the newest row is enough."""
    for days in range(50, 60):
        batch = ledger.begin(NOW)
        ledger.record(batch, replace(made(9), reused=True), NOW - timedelta(days=days))
        ledger.end(batch, NOW, "finished")
    pruned(store, ledger, days=40)
    assert [row.key for row in ledger.page()].count(made(9).run.key) == 1


@given(
    sizes=st.lists(st.integers(0, 50), max_size=30),
    count=st.none() | st.integers(1, 5),
    days=st.none() | st.integers(1, 20),
    disk=st.none() | st.integers(0, 500),
    shown=st.sets(st.integers(0, 29)),
)
def test_limits_hold(sizes, count, days, disk, shown):
    """What is left keeps every limit, but for what is shown; nothing goes that no limit asks for."""
    runs = [
        StoredRun(Path(str(n)), ("levels", str(n % 2)), NOW - timedelta(days=n), size)
        for n, size in enumerate(sizes)
    ]
    names = {str(n) for n in shown}
    found = choose(runs, names, Limits(count, days, disk), NOW)
    assert not names & {one.folder.name for one in found.doomed}
    free = [one for one in found.kept if one.folder.name not in names]
    assert {*found.kept, *found.doomed} == set(runs)
    assert days is None or all(NOW - one.used_at <= timedelta(days=days) for one in free)
    assert disk is None or not free or found.left <= disk or all(one.size == 0 for one in free)
    for of in ("0", "1"):
        assert count is None or sum(one.of[1] == of for one in free) <= count
    if disk is None and count is None and days is None:
        assert not found.doomed
