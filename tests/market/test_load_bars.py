"""`load_bars`, as an analyst calls it in a notebook."""

import os
from datetime import UTC, date, datetime

import pytest

from tickerbook.errors import ConfigError, NoBarsError, SymbolError
from tickerbook.market.lake import Lake, load_bars
from tickerbook.market.sourcing import fetch
from tickerbook.settings import load_settings

pytestmark = pytest.mark.usefixtures("filled")


@pytest.fixture
def filled(project):
    """A project of AAPL and MSFT with the sample's prices."""
    settings = load_settings(project)
    fetch(settings.tickers, Lake(settings.lake), now_at=datetime(2026, 3, 4, 22, tzinfo=UTC))
    return project


def test_all_bars_by_default():
    """Split-adjusted, to the newest session, with their origin."""
    bars = load_bars("AAPL")
    assert (bars.ticker, bars.adjustment, bars.currency, bars.calendar) == ("AAPL", "split", "USD", "XNYS")
    assert (bars.first, bars.session, len(bars)) == (date(2000, 3, 1), date(2013, 3, 1), 3270)
    assert bars.source.startswith("sample (bokeh_sampledata ")
    assert datetime(2026, 3, 4, 22, tzinfo=UTC) <= bars.fetched_at < datetime(2026, 3, 4, 23, tzinfo=UTC)


@pytest.mark.parametrize("until", ["2005-02-25", date(2005, 2, 25), datetime(2005, 2, 25, 12, tzinfo=UTC)])
def test_until_knows_no_later_split(until):
    """Three days before Apple's split of 2005 its close is as traded: 88.99, not 44.495."""
    bars = load_bars("AAPL", until=until)
    assert bars.session == date(2005, 2, 25)
    assert bars.frame["close"].iloc[-1] == 88.99
    assert load_bars("AAPL").frame["close"]["2005-02-25"] == 44.495


@pytest.mark.parametrize("until", [None, ""])
def test_no_until_is_the_newest(until):
    """The parameters cell says `session = ""` for that."""
    assert load_bars("AAPL", until=until).session == date(2013, 3, 1)


def test_until_a_weekend_is_until_the_friday_before():
    """2005-02-27 was a Sunday."""
    assert load_bars("AAPL", until="2005-02-27").session == date(2005, 2, 25)


def test_sessions_are_the_newest_before_until():
    """Both together."""
    bars = load_bars("AAPL", until="2005-02-28", sessions=2)
    assert bars.frame["close"].tolist() == [44.495, 44.86]


def test_adjustments():
    """As traded, and for total return."""
    assert load_bars("AAPL", adjustment="none").frame["close"]["2005-02-25"] == 88.99
    total = load_bars("MSFT", adjustment="split_dividend").frame["close"]
    assert total["2004-11-15"] / total["2004-11-12"] == pytest.approx((27.39 + 3.08) / 29.97)


@pytest.mark.parametrize("symbol", ["../../etc/passwd", "A;rm -rf ~", "", "aapl", "A B"])
def test_what_is_not_a_symbol(symbol):
    """Refused by its form, before any file is looked for."""
    with pytest.raises(SymbolError):
        load_bars(symbol)


@pytest.mark.parametrize("symbol", ["NAN", "ON", "0700", "BRK.B", "^GSPC", "NA"])
def test_a_ticker_that_was_not_fetched(symbol):
    """The way out is a command to copy."""
    with pytest.raises(NoBarsError, match="The lake has no bars for ") as caught:
        load_bars(symbol)
    assert caught.value.remedy == f"Run `tickerbook fetch {symbol}`."


def test_until_before_everything():
    """Says what is the first."""
    with pytest.raises(NoBarsError, match="the first is of 2000-03-01"):
        load_bars("AAPL", until="1999-12-31")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"until": "yesterday"}, "until='yesterday' is not a date"),
        ({"until": "2005-02-30"}, "is not a date"),
        ({"sessions": 0}, "sessions=0"),
        ({"sessions": -5}, "sessions=-5"),
        ({"adjustment": "total"}, "adjustment='total' does not exist"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    """What was given, and what to give."""
    with pytest.raises(ConfigError, match=message) as caught:
        load_bars("AAPL", **arguments)
    assert caught.value.remedy


def test_the_project_is_found_from_a_folder_inside_it(filled, monkeypatch):
    """JupyterLab runs notebooks in their own folder."""
    monkeypatch.chdir(filled / "notebooks")
    assert len(load_bars("AAPL")) == 3270


def test_the_project_can_be_named(filled, tmp_path, monkeypatch):
    """As the runner does for its kernels."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(ConfigError):
        load_bars("AAPL")
    monkeypatch.setitem(os.environ, "TICKERBOOK_PROJECT", str(filled))
    assert len(load_bars("AAPL")) == 3270
