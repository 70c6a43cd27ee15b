"""What the site knows of a ticker."""

from datetime import UTC, date, datetime

import pytest
import toys

from tickerbook.errors import TornFileError
from tickerbook.facts import Fact, Facts
from tickerbook.market.lake import Lake
from tickerbook.site.views import freshness, view_ticker
from tickerbook.store import Failure

NEXT = date(2026, 11, 20)
BOOM = Failure("error", "ValueError: boom", "Mend the cell.", 4)


def age(toy, session, source="synthetic prices", now_at=toys.NOW_AT):
    """Freshness of AAPL with prices to that session."""
    facts = [
        Fact("price.session", session, "s"),
        Fact("price.first", "2016-03-14", "f"),
        Fact("price.source", source, "s"),
    ]
    return freshness(toy.tickers[0], Facts(facts), now_at)


@pytest.fixture
def view(toy, store):
    """A viewer of AAPL."""
    return lambda: view_ticker(toy.tickers[0], store, Lake(toy.lake), toys.NOW_AT)


def test_the_last_close_is_fresh_until_the_next(toy):
    """A browser calls the page old from the day after the next session."""
    fresh = age(toy, date(2026, 11, 19))
    assert (fresh.age, fresh.until) == ("fresh", date(2026, 11, 21))


def test_a_weekend_does_not_make_prices_late(toy):
    """Friday's close is fresh on Sunday; the next session is Monday."""
    fresh = age(toy, date(2026, 11, 20), now_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    assert (fresh.age, fresh.until) == ("fresh", date(2026, 11, 24))


def test_missed_sessions_are_counted_on_the_exchange(toy):
    """Tuesday's close on Friday morning: Wednesday and Thursday are missing."""
    late = age(toy, date(2026, 11, 17))
    assert (late.age, late.text) == ("late", "2 sessions behind, close of 2026-11-17")


def test_sample_prices_never_look_fresh(toy):
    """Not even when they end with the last close."""
    sample = age(toy, date(2026, 11, 19), source="sample (a package 1.0)")
    assert (sample.age, sample.text) == ("historical", "sample prices, 2016-03-14 to 2026-11-19")


def test_prices_of_long_ago_are_history(toy):
    """They are not merely late."""
    assert age(toy, date(2020, 3, 2)).text == "old prices, 2016-03-14 to 2020-03-02"


def test_without_prices_there_is_no_age(toy):
    """A ticker that never ran has no prices."""
    assert freshness(toy.tickers[0], Facts(), toys.NOW_AT).age == "missing"


def test_a_good_report_is_shown_with_its_sources(view, put_good):
    """The report and the runs whose facts it carries, as they began."""
    put_good("AAPL")
    seen = view()
    assert seen.status == "ok"
    assert [run.run.notebook for run in seen.sources] == ["levels", "backtest", "sizing", "report"]


def test_a_source_repeated_since_is_no_source(view, store, put_good):
    """A run with other facts than the report used did not make the report."""
    result = toys.toy_result("report", "AAPL", facts=toys.toy_facts())
    used = {"levels AAPL": "0" * 64, "backtest AAPL": Facts().digest}
    put_good("AAPL")
    store.put(type(result)(**{**vars(result), "origin": {"upstream": used}}), toys.toy_report())
    assert [run.run.notebook for run in view().sources] == ["backtest", "sizing", "report"]


def test_after_a_failure_the_last_good_report_is_shown(view, store, put_good):
    """With what failed and what was skipped."""
    put_good("AAPL")
    store.put(
        toys.toy_result("levels", "AAPL", status="failed", session=NEXT, failure=BOOM), toys.notebook_text()
    )
    store.put(toys.toy_result("report", "AAPL", status="skipped", session=NEXT), toys.notebook_text())
    seen = view()
    assert seen.status == "skipped"
    assert seen.shown.run.session == toys.SESSION
    assert {run.run.notebook: run.status for run in seen.failures} == {
        "levels": "failed",
        "report": "skipped",
    }


def test_a_ticker_that_never_ran_is_missing(view):
    """There is nothing to show."""
    assert (view().status, view().shown, view().priced) == ("missing", None, False)


def test_prose_about_other_facts_is_not_shown(view, store, put_good):
    """A narrative belongs to the facts it was checked against."""
    report = put_good("AAPL")
    assert view().narrative
    store.put_narrative(report, {**toys.toy_narrative(report.facts), "facts_digest": "0" * 64})
    assert view().narrative is None


def test_a_torn_run_is_an_error(view, store, put_good):
    """The page then says so; see the build's tests."""
    report = put_good("AAPL")
    (store.folder(report.run.key) / "facts.json").write_text("{")
    with pytest.raises(TornFileError):
        view()


def test_refused_prices_never_look_fresh(toy, store):
    """A notice makes the badge stale and stands in the record, whatever the session's age."""
    view = view_ticker(toy.tickers[0], store, Lake(toy.lake), toys.NOW_AT, notice="They doubled overnight.")
    assert view.freshness.age == "late"
    assert view.freshness.text.startswith("stale")
    assert view.freshness.until is None
    assert view.notice == "They doubled overnight."
