"""Metrics: what is stored, as Prometheus reads it; the dashboard asks for nothing else."""

import json
import re
import urllib.error
import urllib.request
from datetime import UTC, date, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tickerbook import cli_schedule
from tickerbook.cli_metrics import as_text, serving
from tickerbook.errors import ConfigError
from tickerbook.facts import Facts
from tickerbook.market.lake import project_lake
from tickerbook.market.scorecard import DELIVERED, Ask, Scorecard
from tickerbook.market.sourcing import fetch
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.schedule import Settled, next_tick
from tickerbook.runs.tickbook import TickBook
from tickerbook.settings import load_settings
from tickerbook.store import Failure, Run, RunResult

NOW_AT = datetime(2013, 3, 6, 12, tzinfo=UTC)  # the sample ends on Friday, 1 March: two sessions are missing


def now():
    return NOW_AT


@pytest.fixture
def stored(project):
    """A project in which everything that is counted has happened."""
    (project / "params" / "schedule.toml").write_text(
        '[cadence.close]\nwhen = "at XNYS close"\n', encoding="utf-8"
    )
    settings = load_settings(project)
    fetch([settings.ticker("AAPL")], project_lake(settings), now_at=NOW_AT)
    ledger = Ledger(settings.ledger)
    batch = ledger.begin(NOW_AT)
    for number, (status, seconds, reused) in enumerate(
        [("ok", 0.4, False), ("ok", 4.0, False), ("failed", 40.0, False), ("ok", 9.0, True)]
    ):
        run = Run("levels", f"T{number}", date(2013, 3, 1), {}, f"k{number}")
        failure = Failure("error", "x") if status == "failed" else None
        ledger.record(batch, RunResult(run, status, Facts(), seconds, NOW_AT, failure, reused=reused))
    asks = [Ask(NOW_AT, "AAPL", "polygon", outcome, 1.0) for outcome in (DELIVERED, DELIVERED, "stale")]
    Scorecard(settings.ledger).record(asks)
    book = TickBook(settings.ledger, "one")
    book.lead(None)
    begin = NOW_AT - timedelta(days=2)
    first = next_tick(settings.cadences[0], begin)
    second = next_tick(settings.cadences[0], first.starts_at)
    book.seen(["close"], begin)
    book.settle([Settled(first, "waiting"), Settled(second, "missed")], {})
    book.start(first, first.starts_at)
    book.end(first, "ok", first.starts_at + timedelta(minutes=3))
    return settings


def samples(text):
    """(name, labels without le) → value; buckets by their bound."""
    return {
        (one.name, *(value for name, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_everything_is_counted(stored):
    """Runs by outcome, durations of what was executed, cache hits, vendors, freshness, ticks, last success."""
    found = samples(as_text(stored, now))
    expected = {
        ("tickerbook_runs_total", "levels", "ok"): 2,
        ("tickerbook_runs_total", "levels", "failed"): 1,
        ("tickerbook_runs_total", "levels", "unchanged"): 1,
        ("tickerbook_run_seconds_count", "levels"): 3,
        ("tickerbook_run_seconds_sum", "levels"): 44.4,
        ("tickerbook_run_seconds_bucket", "0.5", "levels"): 1,
        ("tickerbook_run_seconds_bucket", "5.0", "levels"): 2,
        ("tickerbook_run_seconds_bucket", "60.0", "levels"): 3,
        ("tickerbook_run_seconds_bucket", "+Inf", "levels"): 3,
        ("tickerbook_runs_open", "queued"): 0,
        ("tickerbook_provider_questions_total", "stale", "polygon"): 1,
        ("tickerbook_provider_questions_total", "delivered", "polygon"): 2,
        ("tickerbook_newest_session_timestamp_seconds", "AAPL"): datetime(2013, 3, 1, tzinfo=UTC).timestamp(),
        ("tickerbook_sessions_behind", "AAPL"): 2,
        ("tickerbook_ticks_total", "close", "ok"): 1,
        ("tickerbook_ticks_total", "close", "missed"): 1,
        ("tickerbook_cadence_last_success_timestamp_seconds", "close"): datetime(
            2013, 3, 4, 21, 3, tzinfo=UTC
        ).timestamp(),
        ("tickerbook_cadence_next_timestamp_seconds", "close"): datetime(
            2013, 3, 6, 21, tzinfo=UTC
        ).timestamp(),
        ("tickerbook_scheduler_present",): 1,
        ("tickerbook_unreadable",): 0,
    }
    assert {name: found.get(name) for name in expected} == pytest.approx(expected)


def test_a_ticker_without_prices_is_far_behind(stored):
    """No session is made up for it."""
    found = samples(as_text(stored, now))
    assert found["tickerbook_sessions_behind", "MSFT"] > 200
    assert ("tickerbook_newest_session_timestamp_seconds", "MSFT") not in found


def test_a_new_project_has_metrics(project):
    """Nothing has run: no error, and the parts say so."""
    found = samples(as_text(load_settings(project), now))
    assert found["tickerbook_unreadable",] == 0
    assert found["tickerbook_scheduler_present",] == 0


def test_a_damaged_ledger_does_not_hide_the_rest(stored):
    """What cannot be read is counted as that; prices are still told."""
    path = stored.project / "data" / "ledger.db"
    for extra in ("-wal", "-shm"):
        path.with_name(path.name + extra).unlink(missing_ok=True)
    path.write_bytes(b"no database" * 1000)
    found = samples(as_text(stored, now))
    assert found["tickerbook_unreadable",] >= 1
    assert found["tickerbook_sessions_behind", "AAPL"] == 2


def test_the_verb_prints_the_same(stored, monkeypatch, capsys):
    """For a node exporter's text file, or to look."""
    monkeypatch.setattr(cli_schedule, "now", now)
    cli_schedule.metrics(project=stored.project)
    assert capsys.readouterr().out == as_text(stored, now)


def test_an_address_tells_them(stored):
    """On this machine only, as long as the scheduler lives."""
    said = {}
    with serving(stored, "127.0.0.1:0", now, lambda event, **facts: said.update({event: facts})):
        address = said["metrics"]["address"]
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own address
            assert "tickerbook_runs_total" in answer.read().decode()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=1)  # noqa: S310 - as above


def test_a_port_that_is_taken_stops_nothing(stored):
    """The second scheduler goes on without, and says so."""
    said = []
    with (
        serving(stored, "127.0.0.1:0", now, lambda _event, **facts: said.append(facts["address"])),
        serving(stored, said[0][7:-8], now, lambda event, **_facts: said.append(event)),
    ):
        assert said[1] == "no metrics"


@pytest.mark.parametrize("address", ["9477", "localhost", ":9477", "localhost:http", "localhost:99999"])
def test_what_is_no_address_is_refused(project, address):
    """With one that is."""
    with (
        pytest.raises(ConfigError, match="is no address"),
        serving(load_settings(project), address, now, print),
    ):
        pass


def test_the_dashboard_asks_for_what_there_is(stored, root):
    """Every metric in deploy/grafana.json exists, and every label it groups by."""
    dashboard = json.loads((root / "deploy" / "grafana.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    names = {sample[0] for sample in samples(as_text(stored, now))} | {"tickerbook_ticks_open"}
    asked = {name for query in queries for name in re.findall(r"tickerbook_\w+", query)}
    assert asked - names == set()
    assert {"tickerbook_runs_total", "tickerbook_sessions_behind", "tickerbook_run_seconds_bucket"} <= asked
    labels = {label for query in queries for label in re.findall(r"(\w+)(?:!?=~?\")", query)}
    labels |= {
        label
        for query in queries
        for group in re.findall(r"by \(([^)]*)\)", query)
        for label in group.split(", ")
    }
    assert labels <= {"outcome", "le", "notebook", "provider", "cadence", "state", "ticker"}


def test_no_metric_is_left_out_of_the_dashboard(stored, root):
    """What is told is shown."""
    text = (root / "deploy" / "grafana.json").read_text(encoding="utf-8")
    families = {family.name for family in text_string_to_metric_families(as_text(stored, now))}
    assert [name for name in families if name not in text] == []
