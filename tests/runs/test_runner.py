"""The runner: what runs, in which order, what is taken from the store, and what a failure stops."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime

import nbformat
import pytest
from books import bars, book, cells, front, write_book
from sqlalchemy import select

from tickerbook.errors import ConfigError, NotebookError, ParameterError, TakenOverError
from tickerbook.market.lake import Lake
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger import book as book_module
from tickerbook.runs.ledger.book import give_up
from tickerbook.runs.ledger.tables import LEASES, RUNNERS
from tickerbook.store import Failure, RunStore

pytestmark = pytest.mark.usefixtures("kernels")  # no test here starts a real one
STARTED_AT = datetime(2024, 1, 16, 12, 0, tzinfo=UTC)
BROKEN = Failure("error", "NameError: x", "Mend it.", 4)


@pytest.fixture
def chain(desk):
    """levels and backtest; sizing needs levels; market over the universe needs sizing."""
    book(desk.project, "levels")
    book(desk.project, "backtest")
    book(desk.project, "sizing", needs=("levels",))
    book(desk.project, "market", over="universe", needs=("sizing",))
    return desk


def outcomes(results):
    """Status of each run, "unchanged" where it was taken from the store."""
    return {node: "unchanged" if r.reused else r.status for node, r in results.items()}


# --- what runs, and with what ---


def test_every_notebook_runs_for_every_ticker(chain, kernels):
    """Each behind what it needs, ticker by ticker, the universe last."""
    results = chain.run(workers=1)
    assert set(outcomes(results).values()) == {"ok"}
    assert list(results)[-1] == ("market", None)
    assert kernels.names[-1] == ("market", ["AAPL", "MSFT"])
    for ticker in ("AAPL", "MSFT"):
        assert kernels.names.index(("levels", ticker)) < kernels.names.index(("sizing", ticker))


def test_one_ticker_is_finished_before_the_next_is_begun(chain, kernels):
    """An interruption in the middle leaves whole tickers behind, not the first notebook of all."""
    chain.run(workers=1)
    assert [ticker for _, ticker in kernels.names[:6]] == ["AAPL"] * 3 + ["MSFT"] * 3


def test_parameters_come_from_cell_then_params_then_command_line(chain, kernels):
    """The later goes before the earlier; ticker and session are the runner's."""
    chain.params("[levels]\nn = 7\nx = 2\n")
    chain.run("AAPL", notebooks=["levels"], overrides={"levels": {"x": 3}})
    assert kernels.asked == [("levels", {"ticker": "AAPL", "session": "2024-01-12", "n": 7, "x": 3.0})]


def test_a_parameter_that_is_not_declared_is_not_set(desk, kernels):
    """A notebook without `ticker` or `session` runs all the same."""
    book(desk.project, "plain", parameters="n = 1")
    desk.run("AAPL")
    assert kernels.asked == [("plain", {"n": 1})]


def test_an_earlier_session_uses_earlier_bars(chain, kernels):
    """A Sunday takes Friday's; the result is of the session of its prices."""
    bars(chain.project, "AAPL", last="2024-01-15", sessions=6)
    results = chain.run("AAPL", session=date(2024, 1, 14), notebooks=["levels"])
    assert results["levels", "AAPL"].run.session == date(2024, 1, 12)
    assert kernels.asked[0][1]["session"] == "2024-01-12"
    assert results["levels", "AAPL"].origin["last"] == "2024-01-12"


@pytest.mark.parametrize("ticker", ["NAN", "ON", "0700", "1E5", "TRUE", "BRK.B", "^GSPC"])
def test_symbols_stay_texts(make_desk, kernels, ticker):
    """Nothing between universe.toml and the kernel makes a number or a truth value of them."""
    desk = make_desk(ticker)
    book(desk.project, "levels")
    results = desk.run()
    assert kernels.asked[0][1]["ticker"] == ticker
    assert results["levels", ticker].status == "ok"


def test_a_result_knows_what_it_was_made_of(chain):
    """Origin and versions are there for the page's foot; facts know their notebook."""
    result = chain.run("AAPL")["sizing", "AAPL"]
    assert result.facts["sizing.value"].notebook == "sizing"
    assert result.origin["upstream"] == {"levels AAPL": chain.store.latest("levels", "AAPL").facts.digest}
    assert {"python", "tickerbook", "pandas", "numpy", "vectorbt", "plotly", "papermill"} == set(
        result.versions
    )
    assert result.seconds > 0
    assert chain.store.latest("sizing", "AAPL") == result


# --- nothing twice ---


def test_unchanged_runs_are_not_executed(chain, kernels):
    """The second time no kernel starts, and everything stands."""
    first = chain.run()
    kernels.asked.clear()
    second = chain.run()
    assert kernels.asked == []
    assert set(outcomes(second).values()) == {"unchanged"}
    assert {n: r.facts for n, r in second.items()} == {n: r.facts for n, r in first.items()}


def test_a_parameter_put_back_takes_the_stored_run(chain, kernels):
    """What was computed once stands again without computing."""
    chain.run("AAPL", notebooks=["levels"])
    chain.run("AAPL", notebooks=["levels"], overrides={"levels": {"n": 9}})
    kernels.asked.clear()
    results = chain.run("AAPL", notebooks=["levels"])
    assert kernels.asked == []
    assert chain.store.latest("levels", "AAPL").run.key == results["levels", "AAPL"].run.key


def test_prose_changes_nothing(chain, kernels):
    """Words in a template may be mended without running."""
    chain.run()
    kernels.asked.clear()
    book(chain.project, "levels", prose="Said better.")
    chain.run()
    assert kernels.asked == []


def test_one_bar_runs_what_shows_it(chain, kernels):
    """A new close of one ticker runs its notebooks and the universe's; the other ticker's stand."""
    kernels.answers["levels"] = lambda _p: {"value": len(kernels.asked)}
    chain.run()
    kernels.asked.clear()
    bars(chain.project, "MSFT", close=11.0)
    chain.run()
    assert sorted({str(ticker) for _, ticker in kernels.names}) == ["MSFT", "['AAPL', 'MSFT']"]


def test_equal_facts_stop_there(chain, kernels):
    """Code that changes and computes the same facts runs nothing downstream."""
    chain.run("AAPL")
    kernels.asked.clear()
    book(chain.project, "levels", "1 + 1")
    chain.run("AAPL")
    assert kernels.names == [("levels", "AAPL")]


def test_other_facts_run_what_needs_them(chain, kernels):
    """Other levels, another plan; the backtest does not need them."""
    chain.run("AAPL", notebooks=["levels", "backtest", "sizing"])
    kernels.asked.clear()
    kernels.answers["levels"] = lambda _p: {"value": 2}
    book(chain.project, "levels", "1 + 1")
    chain.run("AAPL", notebooks=["levels", "backtest", "sizing"])
    assert kernels.names == [("levels", "AAPL"), ("sizing", "AAPL")]


def test_force_executes_everything(chain, kernels):
    """Even what has not changed."""
    chain.run()
    kernels.asked.clear()
    assert set(outcomes(chain.run(force=True)).values()) == {"ok"}
    assert len(kernels.asked) == 7


def test_a_damaged_result_is_computed_again(chain, kernels):
    """A torn file in the store stops nothing; the next run mends it."""
    result = chain.run("AAPL", notebooks=["levels"])["levels", "AAPL"]
    (chain.store.folder(result.run.key) / "run.json").write_text("{", encoding="utf-8")
    assert outcomes(chain.run("AAPL", notebooks=["levels"])) == {("levels", "AAPL"): "ok"}
    assert chain.store.get(result.run.key) is not None
    assert len(kernels.asked) == 2


def test_two_runners_of_the_same_run_execute_it_once(chain, kernels):
    """The second waits and takes what the first computed."""
    second, threads = {}, []

    def while_the_first_computes(_parameters):
        begun = threading.Event()
        options = {"notebooks": ["levels"], "on_event": lambda _event: begun.set()}
        if not threads:
            threads.append(threading.Thread(target=lambda: second.update(chain.run("AAPL", **options))))
            threads[0].start()
            begun.wait(30)
        return {"value": 1}

    kernels.answers["levels"] = while_the_first_computes
    first = chain.run("AAPL", notebooks=["levels"])
    threads[0].join(30)
    assert len(kernels.asked) == 1
    assert outcomes(first) == {("levels", "AAPL"): "ok"}
    assert outcomes(second) == {("levels", "AAPL"): "unchanged"}


def test_bars_that_change_meanwhile_are_not_stored_under_the_old_key(chain, kernels):
    """It is executed anew, and the result is of the new bars."""

    def fetched_meanwhile(_parameters):
        if len(kernels.asked) == 1:
            bars(chain.project, "AAPL", close=20.0)
        return {"value": 1}

    kernels.answers["levels"] = fetched_meanwhile
    result = chain.run("AAPL", notebooks=["levels"])["levels", "AAPL"]
    assert len(kernels.asked) == 2
    kernels.asked.clear()
    assert outcomes(chain.run("AAPL", notebooks=["levels"])) == {("levels", "AAPL"): "unchanged"}
    assert [p.name for p in chain.store.root.iterdir() if len(p.name) == 64] == [result.run.key]


def test_bars_that_never_rest_are_a_failure(chain, kernels):
    """Better no facts than facts of which nobody can say what they were computed from."""

    def fetched_meanwhile(_parameters):
        bars(chain.project, "AAPL", close=20.0 + len(kernels.asked))
        return {"value": 1}

    kernels.answers["levels"] = fetched_meanwhile
    result = chain.run("AAPL", notebooks=["levels"])["levels", "AAPL"]
    assert (result.status, result.failure.kind) == ("failed", "changed")
    assert chain.store.latest_ok("levels", "AAPL") is None


# --- what a failure stops ---


@pytest.fixture
def broken_msft(kernels):
    """Levels of MSFT fail."""
    kernels.answers["levels"] = lambda p: BROKEN if p["ticker"] == "MSFT" else {"value": 1}
    return kernels


def test_a_failure_stops_only_what_needs_it(chain, broken_msft):
    """The other ticker and the ticker's other notebooks go on; the universe leaves the ticker out."""
    results = chain.run()
    assert outcomes(results) == {
        ("levels", "AAPL"): "ok",
        ("backtest", "AAPL"): "ok",
        ("sizing", "AAPL"): "ok",
        ("levels", "MSFT"): "failed",
        ("backtest", "MSFT"): "ok",
        ("sizing", "MSFT"): "skipped",
        ("market", None): "ok",
    }
    assert results["levels", "MSFT"].failure == BROKEN
    skipped = results["sizing", "MSFT"].failure
    assert (skipped.kind, skipped.remedy) == ("upstream", "Mend it.")
    assert "levels failed" in skipped.message
    assert broken_msft.names[-1] == ("market", ["AAPL"])


def test_a_failure_keeps_its_notebook_and_the_last_good_result(chain, kernels):
    """The page can show both: what went wrong, and the facts of before."""
    good = chain.run("AAPL")["sizing", "AAPL"]
    kernels.answers["sizing"] = lambda _p: BROKEN
    bars(chain.project, "AAPL", last="2024-01-15", sessions=6)
    chain.run("AAPL")
    newest = chain.store.latest("sizing", "AAPL")
    assert (newest.status, newest.failure, newest.run.session) == ("failed", BROKEN, date(2024, 1, 15))
    assert nbformat.reads(chain.store.notebook(newest), as_version=4).cells
    assert chain.store.latest_ok("sizing", "AAPL") == good


@pytest.mark.usefixtures("broken_msft")
def test_what_is_skipped_is_the_newest_attempt(chain):
    """So that no page takes yesterday's plan for today's."""
    chain.run()
    assert chain.store.latest("sizing", "MSFT").failure.kind == "upstream"
    assert "Toy" in chain.store.notebook(chain.store.latest("sizing", "MSFT"))


def test_a_failed_run_is_tried_again(chain, broken_msft):
    """A failure is no result to be taken."""
    chain.run()
    broken_msft.answers.clear()
    results = chain.run()
    assert outcomes(results)["sizing", "MSFT"] == "ok"
    assert outcomes(results)["sizing", "AAPL"] == "unchanged"
    assert broken_msft.names[-1] == ("market", ["AAPL", "MSFT"])


def test_a_forced_failure_destroys_nothing(chain, kernels):
    """The good run of the same key is still there."""
    good = chain.run("AAPL", notebooks=["levels"])["levels", "AAPL"]
    kernels.answers["levels"] = lambda _p: BROKEN
    chain.run("AAPL", notebooks=["levels"], force=True)
    assert chain.store.latest("levels", "AAPL").status == "failed"
    assert chain.store.latest_ok("levels", "AAPL") == good


def test_a_notebook_without_facts_fails(chain, kernels):
    """It ran to its end and told nothing."""
    kernels.answers["levels"] = lambda _p: {}
    assert chain.run("AAPL")["levels", "AAPL"].failure.kind == "no facts"


def test_without_bars_the_way_out_is_told(chain, kernels):
    """The ticker fails by itself, with what to fetch; nothing is stored that would hide a later run."""
    Lake(chain.settings.lake).path("MSFT").unlink()
    results = chain.run()
    assert outcomes(results)["levels", "MSFT"] == "failed"
    assert outcomes(results)["sizing", "MSFT"] == "skipped"
    assert outcomes(results)["sizing", "AAPL"] == "ok"
    failure = results["levels", "MSFT"].failure
    assert (failure.kind, "tickerbook fetch MSFT" in failure.remedy) == ("no bars", True)
    assert chain.store.sessions("levels", "MSFT") == []
    assert kernels.names[-1] == ("market", ["AAPL"])


def test_a_torn_price_file_fails_its_ticker_only(chain):
    """A Parquet file cut in half stops one ticker."""
    path = Lake(chain.settings.lake).path("MSFT")
    path.write_bytes(path.read_bytes()[:600])
    results = chain.run()
    assert results["levels", "MSFT"].failure.kind == "no bars"
    assert outcomes(results)["levels", "AAPL"] == "ok"


def test_a_universe_without_a_ticker_is_skipped(chain, kernels):
    """Where nothing has what it needs there is nothing to show."""
    kernels.answers["levels"] = lambda _p: BROKEN
    result = chain.run()["market", None]
    assert (result.status, result.failure.kind) == ("skipped", "upstream")
    assert "sizing" in result.failure.message


def test_a_full_disk_fails_what_it_hits(chain, monkeypatch):
    """The run says so, what was stored before stays, and the others go on."""
    good = chain.run("MSFT", notebooks=["levels"])["levels", "MSFT"]
    put = RunStore.put

    def full(self, result, notebook):
        if result.run.ticker == "MSFT":
            raise OSError(28, "No space left on device")
        return put(self, result, notebook)

    monkeypatch.setattr(RunStore, "put", full)
    results = chain.run(notebooks=["levels"], overrides={"levels": {"n": 5}})
    failure = results["levels", "MSFT"].failure
    assert (failure.kind, "No space left" in failure.message) == ("disk", True)
    assert outcomes(results)["levels", "AAPL"] == "ok"
    assert chain.store.latest_ok("levels", "MSFT") == good


# --- needs that are not among the chosen ---


def test_a_need_that_is_not_chosen_is_taken_from_the_store(chain, kernels):
    """`--notebook sizing` uses the levels that stand."""
    chain.run("AAPL")
    kernels.asked.clear()
    results = chain.run("AAPL", notebooks=["sizing"], overrides={"sizing": {"n": 9}})
    assert outcomes(results) == {("sizing", "AAPL"): "ok"}
    assert kernels.names == [("sizing", "AAPL")]


def test_a_need_that_never_ran_says_what_to_run(chain, kernels):
    """Skipped, with the command."""
    result = chain.run("AAPL", notebooks=["sizing"])["sizing", "AAPL"]
    assert (result.status, kernels.asked) == ("skipped", [])
    assert "tickerbook run AAPL --notebook levels" in result.failure.remedy


def test_a_need_of_an_older_session_is_not_taken(chain, kernels):
    """Friday's levels are no input of Monday's plan."""
    chain.run("AAPL")
    bars(chain.project, "AAPL", last="2024-01-15", sessions=6)
    kernels.asked.clear()
    assert chain.run("AAPL", notebooks=["sizing"])["sizing", "AAPL"].status == "skipped"


def test_a_need_whose_newest_attempt_failed_is_not_taken(chain, kernels):
    """A failure is not passed over in silence for the result before it."""
    chain.run("AAPL")
    kernels.answers["levels"] = lambda _p: BROKEN
    chain.run("AAPL", notebooks=["levels"], force=True)
    assert chain.run("AAPL", notebooks=["sizing"])["sizing", "AAPL"].status == "skipped"


def test_running_one_ticker_keeps_the_others_in_the_universe(chain, kernels):
    """The market page does not shrink to the ticker that was asked for."""
    chain.run()
    bars(chain.project, "AAPL", last="2024-01-15", sessions=6)
    kernels.asked.clear()
    result = chain.run("AAPL")["market", None]
    assert kernels.names[-1] == ("market", ["AAPL", "MSFT"])
    assert result.run.session == date(2024, 1, 15)


def test_a_notebook_may_need_the_universe_over_the_universe(chain, kernels):
    """Its facts are part of the key like any other's."""
    book(chain.project, "digest", over="universe", needs=("market", "levels"))
    result = chain.run()["digest", None]
    assert set(result.origin["upstream"]) == {"market", "levels AAPL", "levels MSFT"}
    kernels.answers["market"] = lambda _p: BROKEN
    assert chain.run(force=True)["digest", None].status == "skipped"


def test_a_ticker_may_need_the_universe(chain, kernels):
    """What all tickers together have shown is there before what uses it, and a part of its key."""
    book(chain.project, "odds", over="universe", needs=("levels",))
    book(chain.project, "plan", needs=("odds",))
    result = chain.run(workers=1)["plan", "AAPL"]
    assert set(result.origin["upstream"]) == {"odds"}
    at = kernels.names.index(("odds", ["AAPL", "MSFT"]))
    assert kernels.names.index(("levels", "MSFT")) < at < kernels.names.index(("plan", "AAPL"))
    kernels.answers["odds"] = lambda _p: {"value": 2}
    chain.run(notebooks=["odds"], force=True)
    assert outcomes(chain.run())["plan", "AAPL"] == "ok"


def test_the_same_of_the_universe_runs_no_ticker_again(chain):
    """A new close of one ticker may leave what all have shown as it was; the others then stand."""
    book(chain.project, "odds", over="universe", needs=("levels",))
    book(chain.project, "plan", needs=("odds",))
    chain.run()
    bars(chain.project, "AAPL", last="2024-01-15", sessions=6)
    results = outcomes(chain.run())
    assert (results["plan", "AAPL"], results["odds", None]) == ("ok", "ok")
    assert results["plan", "MSFT"] == "unchanged"


def test_a_ticker_goes_without_what_the_universe_has_not_shown(chain, kernels):
    """It is context: where it fails or is of later sessions only, the ticker's own work goes on."""
    book(chain.project, "odds", over="universe", needs=("levels",))
    book(chain.project, "plan", needs=("odds",))
    kernels.answers["odds"] = lambda _p: BROKEN
    results = chain.run()
    assert (results["odds", None].status, results["plan", "AAPL"].status) == ("failed", "ok")
    assert results["plan", "AAPL"].origin["upstream"] == {"odds": ""}


def test_what_uses_no_prices_is_not_run_for_a_new_close(chain, kernels):
    """It is of no session, and whatever needs it finds it."""
    cellar = write_book(
        chain.project / "notebooks",
        "proofs",
        cells(
            "1",
            head="---\ntitle: P\ntickerbook: {over: universe, needs: [], prices: false}\n---",
            parameters="n = 3  # how many",
        ),
    )
    book(chain.project, "digest", over="universe", needs=("proofs", "levels"))
    assert cellar.exists()
    assert outcomes(chain.run())["digest", None] == "ok"
    bars(chain.project, "AAPL", last="2024-01-15", sessions=6)
    again = chain.run()
    assert (outcomes(again)["proofs", None], outcomes(again)["digest", None]) == ("unchanged", "ok")
    assert again["digest", None].origin["upstream"]["proofs"] == again["proofs", None].facts.digest
    assert ("proofs", {"n": 3}) in kernels.asked


# --- refused before anything runs ---


@pytest.mark.parametrize(
    ("tickers", "options", "error"),
    [
        (["TSLA"], {}, ConfigError),
        (["../../etc/passwd"], {}, ConfigError),
        (["AAPL"], {"notebooks": ["level"]}, ConfigError),
        (["AAPL"], {"overrides": {"level": {}}}, ConfigError),
        (["AAPL"], {"overrides": {"levels": {"nn": 1}}}, ParameterError),
        (["AAPL"], {"overrides": {"levels": {"n": 1.5}}}, ParameterError),
        (["AAPL"], {"overrides": {"levels": {"x": float("nan")}}}, ParameterError),
        (["AAPL"], {"overrides": {"levels": {"ticker": "MSFT"}}}, ParameterError),
        (["AAPL"], {"overrides": {"levels": {"session": "2024-01-01"}}}, ParameterError),
        (["AAPL"], {"overrides": {"market": {"tickers": []}}}, ParameterError),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_first(chain, kernels, tickers, options, error):
    """No kernel, no row in the ledger, no folder."""
    with pytest.raises(error):
        chain.run(*tickers, **options)
    assert kernels.asked == []
    assert not (chain.project / "data" / "ledger.db").exists()


def test_a_wrong_parameter_in_params_is_refused_first(chain, kernels):
    """What stands in params/ is checked as what is typed."""
    chain.params("[levels]\nnn = 7\n")
    with pytest.raises(ParameterError, match="Did you mean n"):
        chain.run()
    assert kernels.asked == []


def test_a_notebook_that_cannot_run_is_refused_first(chain, kernels):
    """One bad template is told before the others begin."""
    write_book(chain.project / "notebooks", "odd", cells(head=front(), parameters=None))
    with pytest.raises(NotebookError, match="odd"):
        chain.run()
    assert kernels.asked == []


def test_a_foreign_ledger_is_told_first(chain, kernels):
    """Before hours of computing that could not be recorded."""
    (chain.project / "data" / "ledger.db").write_text("something else", encoding="utf-8")
    with pytest.raises(Exception, match="ledger"):
        chain.run()
    assert kernels.asked == []


# --- what is told ---


def test_events_count_up_to_the_total(chain):
    """Each run is begun and finished once; the numbers are for a progress bar."""
    chain.run()
    finished = [e for e in chain.events if e.kind == "finished"]
    started = [e for e in chain.events if e.kind == "started"]
    assert [(e.done, e.total) for e in finished] == [(n, 7) for n in range(1, 8)]
    assert {(e.notebook, e.ticker) for e in started} == {(e.notebook, e.ticker) for e in finished}
    assert all(e.result is None for e in started)
    assert [e.result.status for e in finished] == ["ok"] * 7


@pytest.mark.usefixtures("broken_msft")
def test_every_outcome_is_in_the_ledger(chain):
    """What was returned is what is recorded."""
    results = chain.run()
    rows = Ledger(chain.settings.ledger).last_batch()
    told = {(r.notebook, r.ticker): (r.status, r.failure, r.key) for r in rows}
    assert told == {node: (r.status, r.failure, r.run.key) for node, r in results.items()}


def test_an_interruption_keeps_what_is_finished(chain, kernels):
    """Recorded and stored; the exception goes on; the next run does only the rest."""

    def interrupt(event):
        if (event.kind, event.notebook, event.ticker) == ("started", "backtest", "MSFT"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chain.run(workers=1, on_event=interrupt)
    rows = Ledger(chain.settings.ledger).last_batch()
    assert {(r.notebook, r.ticker) for r in rows} == {(n, "AAPL") for n in ("levels", "backtest", "sizing")}
    kernels.asked.clear()
    results = chain.run()
    assert {ticker for _, ticker in kernels.names[:-1]} == {"MSFT"}
    assert outcomes(results)["sizing", "AAPL"] == "unchanged"


def test_a_failing_listener_ends_the_batch_in_order(chain, kernels):
    """An error of ours that is no outcome of a run comes out, and no thread is left behind."""

    def fail(event):
        raise RuntimeError(event.kind)

    with pytest.raises(RuntimeError, match="started"):
        chain.run(on_event=fail)
    assert not [t for t in threading.enumerate() if t.name.startswith("tickerbook")]
    assert kernels.asked == []


def test_nothing_is_held_afterwards(chain):
    """Leases go with their runs, and the runner with its batch."""
    chain.run()
    with Ledger(chain.settings.ledger).database.reading() as connection:
        assert connection.execute(select(LEASES)).all() == []
        assert connection.execute(select(RUNNERS)).all() == []


def test_results_equal_what_is_stored(chain):
    """What a caller gets is what a page will read."""
    for (notebook, ticker), result in chain.run().items():
        assert chain.store.latest(notebook, ticker) == replace(result, reused=False)


def test_prices_of_open_positions_count(desk):
    """A plan is computed again when the prices of what is held change, and only then."""
    declared = 'ticker = ""  # symbol\nsession = ""  # day\npositions: list[str] = []  # open positions'
    book(desk.project, "sizing", parameters=declared)
    desk.params('[sizing]\npositions = ["MSFT 10 9 8", "GONE 1 2 1", "not a position"]')
    assert set(outcomes(desk.run("AAPL")).values()) == {"ok"}
    assert set(outcomes(desk.run("AAPL")).values()) == {"unchanged"}
    bars(desk.project, "MSFT", close=11.0)
    assert set(outcomes(desk.run("AAPL")).values()) == {"ok"}


# --- several runners, and runners that are killed ---


def test_two_at_once_execute_once(chain, kernels):
    """The second waits and takes the result; each batch has one row, and only one says it was executed."""
    both = threading.Barrier(2)
    kernels.answers["levels"] = lambda _p: {"value": len(kernels.asked)}

    def run(results):
        both.wait()
        results.append(chain.run("AAPL", notebooks=["levels"])["levels", "AAPL"])

    results: list = []
    threads = [threading.Thread(target=run, args=(results,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kernels.names == [("levels", "AAPL")]
    assert sorted(r.reused for r in results) == [False, True]
    assert results[0].facts == results[1].facts
    assert sorted(row.state for row in Ledger(chain.settings.ledger).page()) == ["ok", "unchanged"]


def test_every_change_of_a_run_is_told(chain):
    """Queued, leased, running and how it ended, with when."""
    chain.run("AAPL", notebooks=["levels"])
    chain.run("AAPL", notebooks=["levels"])
    ledger = Ledger(chain.settings.ledger)
    assert [c.state for c in ledger.changes([1])] == ["queued", "leased", "running", "ok"]
    assert [c.state for c in ledger.changes([2])] == ["queued", "unchanged"]
    instants = [change.at for change in ledger.changes([1])]
    assert instants == sorted(set(instants))


def test_an_interrupted_batch_tells_what_did_not_run(chain):
    """Nothing stays queued."""

    def interrupt(event):
        if (event.kind, event.notebook) == ("started", "levels"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chain.run("AAPL", workers=1, on_event=interrupt)
    states = {row.notebook: row.state for row in Ledger(chain.settings.ledger).page()}
    assert states == dict.fromkeys(("levels", "sizing", "market"), "interrupted") | {"backtest": "ok"}


def test_who_was_paused_writes_no_more(chain, kernels):
    """Another gave it up and finished the same work: its own result goes nowhere, and it says why."""
    ledger = Ledger(chain.settings.ledger)

    def paused(_parameters):
        kernels.answers["levels"] = lambda _p: {"value": 2}
        with ledger.database.reading() as connection:
            (runner,) = connection.execute(select(RUNNERS.c.id)).scalars()
        ledger.database.write(lambda connection: give_up(connection, runner, STARTED_AT, "silent"))
        chain.run("AAPL", notebooks=["levels"])
        return {"value": 1}

    kernels.answers["levels"] = paused
    with pytest.raises(TakenOverError):
        chain.run("AAPL", notebooks=["levels"])
    assert chain.store.latest("levels", "AAPL").facts["levels.value"].value == 2
    assert [(row.state, row.batch) for row in ledger.page()] == [("ok", 2), ("lost", 1)]
    assert [c.state for c in ledger.changes([1])] == ["queued", "leased", "running", "lost"]


def test_the_next_start_mends_the_store(chain):
    """What a killed runner had set aside comes back, and half a folder goes."""
    good = chain.run("AAPL", notebooks=["levels"])["levels", "AAPL"]
    folder = chain.store.folder(good.run.key)
    folder.rename(folder.with_name(f".{folder.name}.x1.old"))
    folder.with_name(f".{'0' * 64}.x2.part").mkdir()
    assert chain.run("AAPL", notebooks=["levels"])["levels", "AAPL"].reused
    assert [path.name for path in chain.store.root.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_under_the_ledger_is_told(chain, monkeypatch):
    """Nothing old is lost; with room again it works, and what had been open is told as interrupted."""
    chain.run("AAPL", notebooks=["levels"])
    before = Ledger(chain.settings.ledger).page()
    event = "tickerbook.runs.ledger.book.note"
    real = book_module.note

    def full(connection, *args):
        connection.exec_driver_sql("pragma max_page_count = 1")
        connection.exec_driver_sql("create table filler (content)")
        connection.exec_driver_sql("insert into filler values (zeroblob(1000000))")
        real(connection, *args)

    with monkeypatch.context() as patch:
        patch.setattr(event, full)
        with pytest.raises(ConfigError, match="full"):
            chain.run("MSFT", notebooks=["levels"])
    assert Ledger(chain.settings.ledger).page()[1:] == before
    assert chain.run("MSFT", notebooks=["levels"])["levels", "MSFT"].status == "ok"
    states = [row.state for row in Ledger(chain.settings.ledger).page()]
    assert states[1:] == ["interrupted", "ok"] or states[1:] == ["lost", "ok"]
