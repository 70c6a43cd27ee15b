"""What a run is computed from, read from disk."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from books import FETCHED_AT, bars, book

from tickerbook.errors import NoBarsError, TornFileError
from tickerbook.facts import Fact, Facts
from tickerbook.market.lake import Lake, Origin
from tickerbook.runs.inputs import Around, Work, ingredients, origin, read_prices, standing, stored
from tickerbook.runs.key import Library
from tickerbook.runs.template import load_templates
from tickerbook.settings import load_settings
from tickerbook.store import Run, RunResult, RunStore

FRIDAY = date(2024, 1, 12)


@pytest.fixture
def settings(project):
    bars(project, "AAPL")
    return load_settings(project)


@pytest.fixture
def store(settings):
    return RunStore(settings.runs)


def put(store, notebook, key, status="ok", session=FRIDAY, value=1.0):
    """Store a run of AAPL."""
    run = Run(notebook, "AAPL", session, {}, key)
    facts = Facts([Fact("level.1.price", value, "price")])
    store.put(RunResult(run, status, facts, 1.0, FETCHED_AT), "{}")


def test_prices_say_where_they_come_from(settings):
    """Source, period and fetch of the bars, up to the session asked for."""
    prices = read_prices(settings, "AAPL", date(2024, 1, 10))
    assert (prices.source, prices.first, prices.session) == ("Synthetic", date(2024, 1, 8), date(2024, 1, 10))
    assert prices.fetched_at == FETCHED_AT


def test_a_session_without_trade_takes_the_one_before(settings):
    """Asked on a Sunday, the prices are Friday's."""
    assert read_prices(settings, "AAPL", date(2024, 1, 14)) == read_prices(settings, "AAPL", FRIDAY)


def test_later_bars_do_not_count(settings, project):
    """As of Friday, Monday's bar changes nothing."""
    before = read_prices(settings, "AAPL", FRIDAY)
    bars(project, "AAPL", last="2024-01-15", sessions=6)
    assert read_prices(settings, "AAPL", FRIDAY).digest == before.digest
    assert read_prices(settings, "AAPL", None).digest != before.digest


@pytest.mark.parametrize("change", [{"close": 10.5}, {"dividend": 0.1}, {"split": 2.0}, {"volume": 7.0}])
def test_every_stored_value_counts(settings, project, change):
    """A bar, a dividend or a split that changes makes another digest."""
    before = read_prices(settings, "AAPL", FRIDAY)
    bars(project, "AAPL", **change)
    assert read_prices(settings, "AAPL", FRIDAY).digest != before.digest


def test_another_source_counts(settings):
    """A page shows who delivered: equal prices of another provider are not the same."""
    before = read_prices(settings, "AAPL", FRIDAY)
    lake = Lake(settings.lake)
    frame = lake.read("AAPL").frame
    lake.write("AAPL", frame * [1, 1, 1, 1, 2, 1, 1], Origin("yahoo", "Yahoo", FETCHED_AT, "XNYS", "USD"))
    lake.write("AAPL", frame, Origin("yahoo", "Yahoo", FETCHED_AT + pd.Timedelta("1h"), "XNYS", "USD"))
    assert read_prices(settings, "AAPL", FRIDAY).digest != before.digest


def test_another_fetch_does_not_count(settings):
    """Fetching again and learning nothing leaves the digest."""
    before = read_prices(settings, "AAPL", FRIDAY)
    frame = Lake(settings.lake).read("AAPL").frame
    later = Origin("sample", "Synthetic", datetime(2024, 1, 14, tzinfo=UTC), "XNYS", "USD")
    Lake(settings.lake).write("AAPL", frame, later)
    assert read_prices(settings, "AAPL", FRIDAY).digest == before.digest


def test_without_bars_the_way_out_is_named(settings):
    """A ticker that was never fetched says what to fetch; one that is too young says since when it is."""
    with pytest.raises(NoBarsError, match="MSFT") as raised:
        read_prices(settings, "MSFT", None)
    assert "tickerbook fetch MSFT" in raised.value.remedy
    with pytest.raises(NoBarsError, match="first is of 2024-01-08"):
        read_prices(settings, "AAPL", date(2024, 1, 5))


def test_a_torn_file_is_said(settings):
    """A damaged Parquet file is an error of that ticker."""
    path = Lake(settings.lake).path("AAPL")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(TornFileError, match="AAPL"):
        read_prices(settings, "AAPL", None)


def test_what_stands_is_the_newest_attempt_if_it_is_good(store):
    """A failure after a good run means that nothing stands."""
    put(store, "levels", "k1")
    assert standing(store, "levels", "AAPL", FRIDAY, same_session=True).run.key == "k1"
    put(store, "levels", "k2", status="failed")
    assert standing(store, "levels", "AAPL", FRIDAY, same_session=True) is None


def test_what_stands_for_a_ticker_is_of_that_session(store):
    """Thursday's levels are no input of Friday's plan; over the universe each ticker's newest counts."""
    put(store, "levels", "k1", session=date(2024, 1, 11))
    assert standing(store, "levels", "AAPL", FRIDAY, same_session=True) is None
    assert standing(store, "levels", "AAPL", FRIDAY, same_session=False).run.key == "k1"


def test_a_damaged_run_does_not_stand(store):
    """It counts as none, so that the next run replaces it."""
    put(store, "levels", "k1")
    (store.folder("k1") / "facts.json").write_text("{", encoding="utf-8")
    assert standing(store, "levels", "AAPL", FRIDAY, same_session=True) is None
    assert stored(store, "k1") is None


@pytest.fixture
def work(project):
    """A plan for AAPL that needs levels."""
    book(project, "levels")
    book(project, "sizing", needs=("levels",))
    template = load_templates(project / "notebooks")[1]
    return Work(template, "AAPL", ("AAPL",), (("levels", "AAPL"),), FRIDAY, {"ticker": "AAPL"})


def key_of(work, settings):
    """The key as it is now."""
    around = Around(Library({}), "d")
    return ingredients(work, RunStore(settings.runs), around, lambda t: read_prices(settings, t, FRIDAY)).key


def test_the_facts_of_what_is_needed_count(work, settings, store):
    """Other levels, another plan; the same levels computed again, the same plan."""
    missing = key_of(work, settings)
    put(store, "levels", "k1", value=1.0)
    first = key_of(work, settings)
    put(store, "levels", "k2", value=1.0)
    assert key_of(work, settings) == first
    put(store, "levels", "k3", value=2.0)
    assert len({missing, first, key_of(work, settings)}) == 3


def test_prose_does_not_count_and_code_does(project, settings, work):
    """The words of a notebook may change without computing it again."""
    before = key_of(work, settings)
    book(project, "sizing", needs=("levels",), prose="Rewritten.")
    reworded = load_templates(project / "notebooks")[1]
    book(project, "sizing", "1 + 1", needs=("levels",))
    recoded = load_templates(project / "notebooks")[1]
    assert key_of(replace(work, template=reworded), settings) == before
    assert key_of(replace(work, template=recoded), settings) != before


def test_origin_tells_pages_where_numbers_come_from(work, settings):
    """Source, period, fetch and digests, as JSON knows them."""
    made_of = ingredients(
        work, RunStore(settings.runs), Around(Library({}), "d"), lambda t: read_prices(settings, t, None)
    )
    told = origin(work, made_of, lambda t: read_prices(settings, t, None))
    assert (told["source"], told["first"], told["last"]) == ("Synthetic", "2024-01-08", "2024-01-12")
    assert told["fetched_at"] == "2024-01-13T00:00:00+00:00"
    assert (told["bars_digest"], told["code_digest"], told["notebook_digest"]) == (
        made_of.bars,
        Library({}).digest([]),
        made_of.code,
    )
    assert told["upstream"] == {"levels AAPL": ""}
