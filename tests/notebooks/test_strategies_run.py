"""The notebook `strategies`, as it ran on real prices."""

import pytest

from tickerbook.research.strategy import strategy_names
from tickerbook.trialbook import TrialBook
from tickerbook.trials import count_trials


@pytest.fixture
def facts(ran):
    """What it published."""
    return ran[2].latest_ok("strategies", None).facts


def test_every_strategy_has_a_row(facts):
    """With stage, trials and certificate; what backtests leave out, the benchmark, has none."""
    rows = facts.rows("evidence")
    assert {row["strategy"].value for row in rows} == set(strategy_names()) - {"buy_and_hold"}
    assert all(row["stage"].value == "dev" and row["used"].value for row in rows)
    assert all(row["certificate"].value is True for row in rows)


def test_trials_are_those_of_the_ledger(ran, facts):
    """The scheduled run's backtests and sweeps, counted by family, and no figure that somebody typed."""
    settings, _, _ = ran
    records = TrialBook(settings.trials).read()
    assert facts.value("evidence.trials") == count_trials(records) > len(facts.rows("evidence"))
    for row in facts.rows("evidence"):
        own = [record for record in records if record.family == row["strategy"].value]
        assert row["trials"].value == count_trials(own)


def test_evidence_is_of_completed_quarters(facts):
    """Prices end on the first of March: what is told ends with the year, and the holdout is the year itself."""
    assert (facts.value("evidence.until"), facts.value("evidence.holdout_first")) == (
        "2012-12-31",
        "2011-12-29",
    )


def test_a_ticker_with_too_few_sessions_is_left_out(facts):
    """FB had traded for less than a year."""
    assert facts.value("evidence.tickers") == 1


def test_reports_say_the_stage(ran):
    """Each ticker's page labels its strategies."""
    report = ran[2].latest_ok("report", "IBM").facts
    rows = report.rows("strategy")
    assert rows
    assert all(row["stage"].value == "dev" for row in rows)
    assert any(row["dsr"].value is not None for row in rows)
