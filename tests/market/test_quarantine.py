"""A refused ticker: why, since when, and what was delivered, as long as nothing better comes."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from tickerbook.market.checks import Finding
from tickerbook.market.quarantine import Quarantine, Quarantined

AT = datetime(2012, 3, 9, 23, tzinfo=UTC)
FINDINGS = (
    Finding("volume.idle", "warning", (), "No volume."),
    Finding("history.other", "fatal", (date(2012, 3, 9),), "Another security."),
)


@pytest.fixture
def quarantine(tmp_path):
    """An empty one, in a folder that is not there yet."""
    return Quarantine(tmp_path / "data" / "quarantine")


def put(quarantine, week, ticker="AAPL", at=AT):
    """Refuse a week."""
    return quarantine.put(ticker, "fake", FINDINGS, week, at=at, session=date(2012, 3, 2))


def test_nobody_is_in_an_empty_quarantine(quarantine):
    """Nor is the folder needed."""
    assert quarantine.all() == {}
    assert quarantine.get("AAPL") is None


@pytest.mark.parametrize("ticker", ["AAPL", "^GSPC", "CON", "BRK.B"])
def test_what_was_put_is_told(quarantine, week, ticker):
    """Under the symbol as it is; the reason is that of the grave findings."""
    put(quarantine, week, ticker)
    expected = Quarantined(ticker, "fake", AT, "Another security.", ("history.other",), date(2012, 3, 2))
    assert quarantine.all() == {ticker: expected}


def test_what_was_delivered_is_kept(quarantine, week):
    """For looking at; it was refused, not lost."""
    put(quarantine, week)
    pd.testing.assert_frame_equal(pd.read_parquet(quarantine.root / "AAPL.parquet"), week, check_freq=False)


def test_since_is_when_it_began(quarantine, week):
    """However often it is refused again."""
    put(quarantine, week)
    put(quarantine, week, at=AT.replace(day=20))
    assert quarantine.get("AAPL").since == AT


def test_good_prices_lift_it(quarantine, week):
    """Without a trace; lifting what is not there is nothing."""
    put(quarantine, week)
    quarantine.lift("AAPL")
    quarantine.lift("AAPL")
    assert list(quarantine.root.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"since": "yesterday"}', "\x00"])
def test_a_damaged_note_still_holds_the_ticker(quarantine, week, text):
    """Neither a crash of whoever builds pages, nor silence about refused prices."""
    put(quarantine, week)
    (quarantine.root / "AAPL.json").write_text(text, encoding="utf-8")
    assert "damaged" in quarantine.all()["AAPL"].reason
    assert put(quarantine, week).checks
    assert "damaged" not in quarantine.get("AAPL").reason
