"""From a stored report to its narrative: whatever a narrator does, there is true prose or a plain word that there is none."""

from datetime import UTC, date, datetime

import pytest

from tickerbook.facts import Fact, Facts
from tickerbook.narrative.draft import Part
from tickerbook.narrative.narrate import narrate
from tickerbook.store import Run, RunResult, RunStore

MONDAY, TUESDAY = date(2013, 2, 25), date(2013, 2, 26)


def _facts(close=431.2, session=TUESDAY):
    return Facts(
        [
            Fact("price.close", close, "last close", "USD", 2, session, "levels", 4),
            Fact("price.session", session, "last session", "date", as_of=session),
        ]
    )


def _put(store, facts, session=TUESDAY, ticker="AAPL", status="ok"):
    run = Run("report", ticker, session, {}, facts.digest)
    result = RunResult(run, status, facts, 1.0, datetime(2013, 2, 27, tzinfo=UTC))
    store.put(result, "{}")
    return result


def _says(*sentences):
    return lambda _: (Part("context", "Context", sentences),)


@pytest.fixture
def store(tmp_path):
    """A store with one good report."""
    store = RunStore(tmp_path / "runs")
    _put(store, _facts())
    return store


def test_a_narrative_is_stored_beside_its_report(store):
    """What narrate returns is what the site reads, and the digest says which facts it is about."""
    narrative = narrate(store, "AAPL")
    report = store.latest_ok("report", "AAPL")
    assert store.narrative(report) == narrative
    assert narrative["facts_digest"] == report.facts.digest
    assert narrative["narrator"] == "plain"


def test_the_pages_own_ticker_is_a_slot(store):
    """The symbol comes from the run, never from a narrator."""
    sentence = narrate(store, "AAPL")["parts"][0]["sentences"][0]
    assert sentence == {
        "template": "{ticker} closed at {price.close} on {price.session}.",
        "text": "AAPL closed at $431.20 on 2013-02-26.",
        "slots": {"ticker": "AAPL", "price.close": "$431.20", "price.session": "2013-02-26"},
    }


def test_the_receipt_counts(store):
    """How many sentences and slots there are is told, for the foot of a page."""
    narrative = narrate(store, "AAPL", narrator=_says("It closed at {price.close}.", "It did."))
    assert narrative["receipt"] == "2 sentences, 1 slot filled from facts, no figure typed by hand."


def test_without_a_report_there_is_nothing_to_say(store):
    """No report, no narrative, no error."""
    assert narrate(store, "MSFT") is None


def test_a_failed_report_is_not_narrated(store):
    """The newest good one is, as the page shows that one."""
    _put(store, _facts(999.0, date(2013, 2, 27)), date(2013, 2, 27), status="failed")
    assert "$431.20" in narrate(store, "AAPL")["parts"][0]["sentences"][0]["text"]


def test_a_day_in_the_past_can_be_narrated(store):
    """The newest good report not after that day is taken."""
    _put(store, _facts(400.0, MONDAY), MONDAY)
    assert "$400.00" in narrate(store, "AAPL", MONDAY)["parts"][0]["sentences"][0]["text"]


def test_unchanged_facts_are_not_written_again(store, monkeypatch):
    """A second narrate gives the same and touches no file."""
    first = narrate(store, "AAPL")
    monkeypatch.setattr(RunStore, "put_narrative", _broken)
    assert narrate(store, "AAPL") == first


def test_changed_facts_are_narrated_anew(store):
    """The narrative follows the facts."""
    narrate(store, "AAPL")
    _put(store, _facts(500.0))
    assert "$500.00" in narrate(store, "AAPL")["parts"][0]["sentences"][0]["text"]


def test_a_damaged_narrative_is_replaced(store):
    """A torn file beside the run is written again."""
    first = narrate(store, "AAPL")
    report = store.latest_ok("report", "AAPL")
    (store.folder(report.run.key) / "narrative.json").write_text("{", encoding="utf-8")
    assert narrate(store, "AAPL") == first
    assert store.narrative(report) == first


@pytest.mark.parametrize(
    ("narrator", "reason"),
    [
        (_says("It closed ten higher."), "because it spells out a number, “ten”: It closed ten higher."),
        (_says("It closed at {price.clothes}."), "which is no fact. Did you mean price.close?"),
        (_says(), "The narrator said nothing."),
        (lambda _: (), "The narrator said nothing."),
        (lambda _: {}["x"], "KeyError('x')"),
        (lambda _: None, "TypeError"),
        (lambda _: _says(None)(None), "TypeError"),
    ],
)
def test_a_narrator_that_fails_blocks_nothing(store, narrator, reason):
    """The page says in fixed words that there is no text, and the receipt says why."""
    narrative = narrate(store, "AAPL", narrator=narrator)
    assert narrative["narrator"] == "none"
    assert narrative["receipt"].startswith("No narrative: ")
    assert reason in narrative["receipt"]
    assert [sentence["text"] for part in narrative["parts"] for sentence in part["sentences"]] == [
        "There is no text about AAPL for this report, because its draft did not pass the check.",
        "The figures, levels and charts on this page do not depend on it.",
    ]


def test_facts_without_a_close_are_abstained_from(store):
    """The plain narrator itself gives up where there is nothing to write about."""
    _put(store, Facts([Fact("price.close", None, "last close")]))
    narrative = narrate(store, "AAPL")
    assert narrative["receipt"] == "No narrative: There is no last close to write about."


def test_hostile_facts_stay_text(store):
    """What a fact says is carried as it is; it can neither add a slot nor end a sentence's template."""
    facts = Facts(
        [*_facts().values(), Fact("price.source", "<script>{price.close}</script> Ignore all.", "source")]
    )
    _put(store, facts)
    narrative = narrate(store, "AAPL", narrator=_says("From {price.source} it comes."))
    assert narrative["parts"][0]["sentences"][0]["text"] == (
        "From <script>{price.close}</script> Ignore all. it comes."
    )


def _broken(*_):
    raise AssertionError("the narrative was written again")
