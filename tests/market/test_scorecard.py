"""What vendors delivered is noted in the ledger's database and added up."""

import sqlite3
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from tickerbook.errors import ConfigError, DataError
from tickerbook.market.checks import Finding
from tickerbook.market.scorecard import DELIVERED, Ask, Noted, Restated, Scorecard, Spread

AT = datetime(2012, 3, 9, 23, tzinfo=UTC)
LONG_AGO = datetime(2012, 1, 1, tzinfo=UTC)


@pytest.fixture
def scorecard(tmp_path):
    """In a folder that is not there yet."""
    return Scorecard(f"sqlite:///{tmp_path / 'data' / 'ledger.db'}")


def ask(outcome=DELIVERED, seconds=1.0, provider="yahoo", at=AT, behind=0, **more):
    """One question."""
    return Ask(at, "AAPL", provider, outcome, seconds, behind=behind, **more)


def spread(session, providers="yahoo,polygon", disputed=0, value=0.001):
    """One comparison."""
    return Spread("AAPL", session, AT, providers, "yahoo", value, disputed)


def test_questions_are_added_up_by_vendor(scorecard):
    """How many, how fast, how late, and what failed."""
    quick = [ask(seconds=float(second), behind=second % 2) for second in range(1, 5)]
    bad = [
        ask("rate limited", at=AT + timedelta(minutes=minute), message=f"No {minute}.") for minute in (1, 2)
    ]
    scorecard.record([*quick, *bad, ask("unreachable"), ask(provider="polygon", seconds=9.0)])
    polygon, yahoo = scorecard.scores(LONG_AGO)
    assert (yahoo.provider, yahoo.asked, yahoo.delivered) == ("yahoo", 7, 4)
    assert yahoo.failures == {"rate limited": 2, "unreachable": 1}
    assert (yahoo.median_seconds, yahoo.slow_seconds, yahoo.behind) == (2.5, pytest.approx(3.85), 0.5)
    assert (yahoo.last_failure.message, yahoo.last_failure.asked_at) == ("No 2.", AT + timedelta(minutes=2))
    assert (polygon.median_seconds, polygon.slow_seconds, polygon.last_failure) == (9.0, None, None)


def test_a_vendor_that_never_delivered_has_no_times(scorecard):
    """Missing stays missing."""
    scorecard.record([ask("not found", behind=None)])
    (score,) = scorecard.scores(LONG_AGO)
    assert (score.median_seconds, score.behind) == (None, None)


def test_only_what_is_recent_counts(scorecard):
    """Since the instant asked for."""
    scorecard.record([ask(at=AT - timedelta(days=30)), ask()])
    assert scorecard.scores(AT - timedelta(days=1))[0].asked == 1


def test_old_questions_are_forgotten(scorecard):
    """After a year and a month."""
    scorecard.record([ask(at=AT - timedelta(days=401))])
    scorecard.record([ask()])
    assert scorecard.scores(AT - timedelta(days=9999))[0].asked == 1


def test_a_finding_is_noted_once(scorecard, week):
    """However often the vendor sends the same; what was delivered is kept."""
    finding = Finding("splits.scale", "error", (date(2012, 3, 5),), "Off.", week.iloc[:1], week.iloc[:1] / 2)
    for day in (0, 1):
        scorecard.record(noted=[Noted("AAPL", "yahoo", AT + timedelta(days=day), finding)] * 2)
    noted = scorecard.findings("AAPL")
    assert len(noted) == 1
    assert noted.loc[0, ["check", "severity", "sessions"]].tolist() == ["splits.scale", "error", "2012-03-05"]
    assert '"rows": [["2012-03-05T00:00:00.000", 5.0,' in noted.loc[0, "before"]
    assert '"rows": [["2012-03-05T00:00:00.000", 2.5,' in noted.loc[0, "after"]
    assert scorecard.findings("MSFT").empty


def test_restated_values_are_the_lake_s(scorecard, week):
    """It keeps both; they are not copied."""
    finding = Finding("history.restated", "warning", (date(2012, 3, 5),), "Other prices.", week, week)
    scorecard.record(noted=[Noted("AAPL", "yahoo", AT, finding)])
    assert pd.isna(scorecard.findings("AAPL").loc[0, "before"])


def test_restatements_are_kept_in_order(scorecard):
    """What changed, by how much; what was not known stays unknown."""
    first = Restated(AT, "AAPL", "yahoo", "close", 3, date(2012, 3, 5), 10.0, 10.5)
    second = Restated(AT, "AAPL", "yahoo", "volume", 1, date(2012, 3, 6), None, 7.0)
    scorecard.record(restated=[first, second])
    assert scorecard.restatements("AAPL") == [first, second]
    assert scorecard.restatements("MSFT") == []


def test_disagreements_count_for_everybody_compared(scorecard):
    """A later comparison of a session takes the place of the earlier."""
    days = [date(2012, 3, 5), date(2012, 3, 6)]
    scorecard.record([ask(), ask(provider="polygon"), ask(provider="finnhub")])
    scorecard.record(spreads=[spread(days[0], disputed=1), spread(days[1], disputed=1)])
    scorecard.record(spreads=[spread(days[1], value=0.002)])
    finnhub, polygon, yahoo = scorecard.scores(LONG_AGO)
    assert [(s.compared, s.disagreements) for s in (finnhub, polygon, yahoo)] == [(0, 0), (2, 1), (2, 1)]
    assert [one.spread for one in scorecard.spreads("AAPL")] == [0.001, 0.002]


def test_nothing_to_note_touches_no_file(scorecard, tmp_path):
    """A fetch with nothing to do leaves the ledger alone."""
    scorecard.record()
    assert not (tmp_path / "data" / "ledger.db").exists()


@pytest.mark.parametrize("url", ["nonsense", "mysql+nodriver://x/y"])
def test_a_url_that_leads_nowhere_is_wrong_configuration(url):
    """Before anybody is asked."""
    with pytest.raises(ConfigError, match="ledger cannot be opened"):
        Scorecard(url)


def test_a_database_that_refuses_is_said(tmp_path):
    """Prices are stored by then."""
    (tmp_path / "ledger.db").write_bytes(b"not a database at all, though long enough for one" * 50)
    with pytest.raises(DataError, match="not a database") as caught:
        Scorecard(f"sqlite:///{tmp_path / 'ledger.db'}").record([ask()])
    assert "Prices are stored all the same" in caught.value.remedy


def test_tables_have_names_that_the_ledger_knows(scorecard, tmp_path):
    """By their beginning it tells them from another program's."""
    scorecard.record([ask()])
    with sqlite3.connect(tmp_path / "data" / "ledger.db") as db:
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    db.close()
    assert names == {"market_asks", "market_findings", "market_restatements", "market_spreads"}
