"""The run store: what is put comes back, what stands is right, what is damaged is said."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tickerbook.errors import NoFactsError, TornFileError
from tickerbook.facts import Fact, Facts
from tickerbook.store import Failure, Run, RunResult, RunStore, load_facts

FRIDAY, MONDAY = date(2024, 1, 12), date(2024, 1, 15)
FACTS = Facts([Fact("price.close", 431.2, "Close", "USD", 2, FRIDAY, "levels", 4)])


def result(key="k1", status="ok", session=FRIDAY, ticker="AAPL"):
    """A result with facts if it is good, else with a failure."""
    return RunResult(
        run=Run("levels", ticker, session, {"ticker": ticker, "zone_atr": 0.25, "methods": ["prior"]}, key),
        status=status,
        facts=FACTS if status == "ok" else Facts(),
        seconds=1.5,
        started_at=datetime(2024, 1, 12, 22, 0, tzinfo=UTC),
        failure=None if status == "ok" else Failure("error", "NameError: x", "Mend it.", 4),
        origin={"source": "synthetic", "upstream": {}},
        versions={"python": "3.11"},
    )


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


@pytest.mark.parametrize("status", ["ok", "failed", "skipped"])
def test_what_is_put_comes_back(store, status):
    """Everything of a result survives, facts with their publishers too."""
    store.put(result(status=status), "{}")
    assert store.get("k1", status) == result(status=status)


def test_an_executed_notebook_is_kept_as_it_was(store):
    """The text of the notebook comes back to the letter."""
    store.put(result(), '{"cells": ["−½"]}\n')
    assert store.notebook(result()) == '{"cells": ["−½"]}\n'


def test_reuse_is_not_stored(store):
    """Whether a result was taken instead of computed belongs to a batch, not to the run."""
    store.put(replace(result(), reused=True), "{}")
    assert store.get("k1").reused is False


def test_unknown_key_has_no_result(store):
    """What was never put is None, not an error."""
    assert store.get("nothing") is None


def test_a_failure_stands_beside_the_good_result(store):
    """The newest attempt is the failure; the newest good one is still there to show."""
    store.put(result("old"), "good")
    store.put(result("new", "failed"), "half")
    assert store.latest("levels", "AAPL").status == "failed"
    assert store.latest_ok("levels", "AAPL") == result("old")


def test_a_failure_under_the_same_key_destroys_nothing(store):
    """A forced repetition that fails leaves the good run of that key where it is."""
    store.put(result("k1"), "good")
    store.put(result("k1", "failed"), "half")
    assert store.notebook(store.latest_ok("levels", "AAPL")) == "good"
    assert store.notebook(store.latest("levels", "AAPL")) == "half"


def test_a_good_result_replaces_a_failure(store):
    """After the failure was mended, it is not the newest attempt any more."""
    store.put(result("k1", "failed"), "half")
    store.put(result("k1"), "good")
    assert store.latest("levels", "AAPL").status == "ok"


def test_an_earlier_result_can_stand_again(store):
    """When parameters go back to what they were, so does what stands."""
    store.put(result("k1"), "{}")
    store.put(result("k2"), "{}")
    store.stand(result("k1"))
    assert store.latest("levels", "AAPL").run.key == "k1"


def test_standing_again_writes_nothing(store):
    """What already stands is not written anew: a thousand unchanged runs cost no disk."""
    store.put(result(), "{}")
    (pointer,) = (store.root / "latest").rglob("*.json")
    before = pointer.stat().st_ino
    store.stand(result())
    assert pointer.stat().st_ino == before


def test_latest_is_of_the_newest_session(store):
    """Sessions count, not the order in which they were put."""
    store.put(result("monday", session=MONDAY), "{}")
    store.put(result("friday", session=FRIDAY), "{}")
    assert store.latest("levels", "AAPL").run.key == "monday"
    assert store.sessions("levels", "AAPL") == [MONDAY, FRIDAY]


def test_latest_until_a_session_knows_nothing_later(store):
    """Asked as of Friday, Monday's run does not exist; as of Thursday there is none at all."""
    store.put(result("friday"), "{}")
    store.put(result("monday", session=MONDAY), "{}")
    assert store.latest("levels", "AAPL", FRIDAY).run.key == "friday"
    assert store.latest_ok("levels", "AAPL", date(2024, 1, 14)).run.key == "friday"
    assert store.latest("levels", "AAPL", date(2024, 1, 11)) is None


def test_latest_good_result_may_be_of_an_older_session(store):
    """Monday failed: the last good facts are Friday's."""
    store.put(result("friday"), "{}")
    store.put(result("monday", "failed", MONDAY), "{}")
    assert store.latest_ok("levels", "AAPL").run.session == FRIDAY


@pytest.mark.parametrize("ticker", ["CON", "^GSPC", "NAN", "0700", None])
def test_every_ticker_has_a_shelf_of_its_own(store, ticker):
    """Odd symbols, and the universe, are kept apart."""
    store.put(result("mine", ticker=ticker), "{}")
    store.put(result("other", ticker="AAPL"), "{}")
    assert store.latest("levels", ticker).run.key == "mine"


def test_notebooks_of_a_ticker_are_listed(store):
    """A shelf tells which notebooks were ever attempted."""
    store.put(result(), "{}")
    assert (store.notebooks("AAPL"), store.notebooks("MSFT")) == (["levels"], [])


@pytest.mark.parametrize("file", ["run.json", "facts.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"run": 3}'])
def test_a_damaged_result_is_said(store, file, content):
    """A torn or foreign file is an error that names the folder, never half a result."""
    folder = store.put(result(), "{}")
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(TornFileError, match="k1"):
        store.get("k1")


@pytest.mark.parametrize("content", ["", "3", "[]", '{"ok": "k1"}', "\x00"])
def test_a_damaged_pointer_counts_as_none(store, content):
    """Which run stands can be found again by running; a torn pointer stops nothing."""
    store.put(result(), "{}")
    (pointer,) = (store.root / "latest").rglob("*.json")
    pointer.write_text(content, encoding="utf-8")
    assert store.latest("levels", "AAPL") is None
    store.stand(result())
    assert store.latest("levels", "AAPL").run.key == "k1"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_does_not_know_is_refused_whole(store, value):
    """A refused result leaves no file and touches nothing that stands."""
    store.put(result("k1"), "good")
    bad = replace(result("k1"), origin={"x": value})
    with pytest.raises((ValueError, TypeError)):
        store.put(bad, "bad")
    assert store.notebook(store.latest("levels", "AAPL")) == "good"
    assert sorted(p.name for p in store.root.iterdir()) == ["k1", "latest"]


def test_records_are_strict_json(store):
    """What programs read has no NaN and no Python in it."""
    folder = store.put(result(status="failed"), "{}")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert record["failure"]["cell"] == 4


def test_narrative_lies_beside_its_run(store):
    """A narrative comes back; a run without one has None."""
    store.put(result(), "{}")
    assert store.narrative(result()) is None
    store.put_narrative(result(), {"narrator": "plain"})
    assert store.narrative(result()) == {"narrator": "plain"}


def test_load_facts_gives_the_newest_good_ones(project):
    """A notebook gets the facts that stand for its session."""
    store = RunStore(project / "data" / "runs")
    store.put(result("friday"), "{}")
    store.put(result("monday", "failed", MONDAY), "{}")
    assert load_facts("levels", "AAPL", "2024-01-15") == FACTS


def test_load_facts_of_the_universe(project):
    """A notebook over the universe has facts without a ticker."""
    RunStore(project / "data" / "runs").put(result(ticker=None), "{}")
    assert load_facts("levels") == FACTS


@pytest.mark.parametrize(
    ("ticker", "session", "command"),
    [
        ("AAPL", "2024-01-11", "tickerbook run AAPL --notebook levels"),
        (None, "", "tickerbook run --notebook levels"),
    ],
)
def test_load_facts_without_a_run_says_which_command(project, ticker, session, command):
    """A notebook opened before what it needs has run tells what to run."""
    RunStore(project / "data" / "runs").put(result(), "{}")
    with pytest.raises(NoFactsError, match="levels") as raised:
        load_facts("levels", ticker, session)
    assert command in raised.value.remedy
