"""Why a run would be made: what has changed, in words, and nothing is executed."""

import pytest
from books import bars, book

from tickerbook.runs.why import why
from tickerbook.settings import load_settings
from tickerbook.store import Failure

pytestmark = pytest.mark.usefixtures("kernels")  # no test here starts a real one


@pytest.fixture
def chain(desk):
    """levels and backtest; sizing needs levels; market over the universe needs sizing."""
    book(desk.project, "levels")
    book(desk.project, "backtest")
    book(desk.project, "sizing", needs=("levels",))
    book(desk.project, "market", over="universe", needs=("sizing",))
    return desk


def told(desk, *tickers, **options):
    """Answer and reasons, by notebook and ticker."""
    settings = load_settings(desk.project)
    symbols = tickers or [ticker.symbol for ticker in settings.tickers]
    reasons = why(settings, symbols, **options)
    return {(r.notebook, r.ticker): (r.answer, "; ".join(r.because)) for r in reasons}


def test_what_was_never_run_would_run(chain, kernels):
    """It says so, and executes nothing."""
    answers = told(chain)
    assert answers["levels", "AAPL"] == ("runs", "it has not been run yet")
    assert list(answers)[-1] == ("market", None)
    assert kernels.asked == []


def test_what_is_stored_stands(chain):
    """The same that a run would say."""
    chain.run()
    assert set(told(chain).values()) == {("stands", "nothing has changed")}


def test_a_new_session_is_named(chain):
    """Of the one ticker; what uses it may run, what does not stands."""
    chain.run()
    bars(chain.project, "AAPL", last="2024-01-15", sessions=6)
    answers = told(chain)
    assert answers["levels", "AAPL"] == ("runs", "a newer session: 2024-01-12 was the last, now 2024-01-15")
    assert answers["levels", "MSFT"][0] == "stands"
    assert answers["market", None][0] == "runs"


def test_a_parameter_is_named(chain):
    """Old value and new; only the notebook that has it runs for sure."""
    chain.run()
    answers = told(chain, "AAPL", overrides={"levels": {"n": 5}})
    assert answers["levels", "AAPL"] == ("runs", "n was 3 and is 5")
    assert answers["sizing", "AAPL"] == ("may run", "levels may give other facts")
    assert answers["backtest", "AAPL"][0] == "stands"


def test_code_and_prose_are_told_apart(chain):
    """A cell that was edited is a reason; a paragraph is none."""
    chain.run()
    book(chain.project, "backtest", prose="Rewritten.")
    assert told(chain)["backtest", "AAPL"][0] == "stands"
    book(chain.project, "backtest", "1 + 1")
    assert told(chain)["backtest", "AAPL"] == ("runs", "its code cells have changed")


def test_other_facts_are_named(chain, kernels):
    """What was run alone, without what uses it."""
    chain.run()
    kernels.answers["levels"] = lambda _p: {"value": 2}
    chain.run("AAPL", notebooks=["levels"], force=True)
    assert told(chain)["sizing", "AAPL"] == ("runs", "facts of levels AAPL have changed")


def test_a_failure_is_a_reason(chain, kernels):
    """The next run tries again."""
    kernels.answers["backtest"] = lambda _p: Failure("error", "NameError: x", "Mend it.", 4)
    chain.run()
    assert told(chain)["backtest", "AAPL"] == ("runs", "its last run failed: NameError: x")


def test_without_prices_nothing_can_run(chain):
    """Neither the notebooks nor what needs them; the others go on."""
    (next((chain.project / "data/lake").rglob("*MSFT*.parquet"))).unlink()
    answers = told(chain)
    assert answers["levels", "MSFT"][0] == "cannot run"
    assert answers["sizing", "MSFT"] == ("cannot run", "levels cannot run, and its facts are needed")
    assert answers["market", None][0] == "runs"


def test_it_answers_as_a_run_would(chain, kernels):
    """Whatever it says of a notebook is what then happens to it."""
    chain.run()
    bars(chain.project, "MSFT", last="2024-01-15", sessions=6)
    said = told(chain)
    kernels.asked.clear()
    results = chain.run()
    executed = {node for node, result in results.items() if not result.reused}
    assert {node for node, (answer, _) in said.items() if answer == "runs"} <= executed
    assert executed <= {node for node, (answer, _) in said.items() if answer != "stands"}
