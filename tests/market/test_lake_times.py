"""What was known then: by argument, by environment, and never changed by what is learnt later."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.errors import ConfigError, NoBarsError
from tickerbook.market.lake import AS_OF, Lake, load_bars, project_lake
from tickerbook.market.lakefile import Origin
from tickerbook.market.lakewhen import earliest, instant
from tickerbook.market.raw import RAW
from tickerbook.runs.inputs import read_prices
from tickerbook.settings import load_settings

EIGHTH, NINTH = (datetime(2012, 3, day, 23, tzinfo=UTC) for day in (8, 9))


# Writing an instant


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("", None),
        ("2012-03-08", datetime(2012, 3, 8, 23, 59, 59, 999999, tzinfo=UTC)),
        (date(2012, 3, 8), datetime(2012, 3, 8, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2012-03-08T23:00Z", EIGHTH),
        ("2012-03-08T18:00-05:00", EIGHTH),
        (datetime(2012, 3, 9, 8, tzinfo=timezone(timedelta(hours=9))), EIGHTH),
    ],
)
def test_instants_as_people_write_them(given, expected):
    """A day means all that was learnt on it; an instant is the same in every zone."""
    assert instant(given, "known_at") == expected


@pytest.mark.parametrize("given", ["yesterday", "2012-02-30", "2012-03-08T25:00Z", "8.3.2012"])
def test_what_is_no_instant(given):
    """The error says what was given, where, and how to write it."""
    with pytest.raises(ConfigError, match=r"--as-of='.*' is no instant") as caught:
        instant(given, "--as-of")
    assert '"2026-03-04T22:00Z"' in caught.value.remedy


@pytest.mark.parametrize("given", ["2012-03-08T23:00", datetime(2012, 3, 8, 23)])  # noqa: DTZ001 - that is the point
def test_an_instant_without_a_zone_is_refused(given):
    """It could be any of thirty hours."""
    with pytest.raises(ConfigError, match="any time zone") as caught:
        instant(given, "known_at")
    assert "2012-03-08T23:00Z" in caught.value.remedy


def test_the_earliest_instant():
    """None is no bound."""
    assert earliest(None, NINTH, EIGHTH) == EIGHTH
    assert earliest(None, None) is None


# Reading what was known


@pytest.fixture
def told(project, week, origin):
    """A project whose AAPL was told on the 8th, and on the 9th with a correction and a session more."""
    lake = Lake(load_settings(project).lake)
    lake.write("AAPL", week.iloc[:4], origin(day=8))
    lake.write("AAPL", week.assign(close=week["close"] * 2), origin(day=9))
    return project


@pytest.mark.usefixtures("told")
def test_known_at_gives_what_was_known():
    """Prices, sessions and the fetch that told them."""
    then = load_bars("AAPL", known_at="2012-03-08")
    assert (then.frame["close"].tolist(), then.fetched_at) == ([5.0, 6.0, 7.0, 8.0], EIGHTH)
    now = load_bars("AAPL")
    assert (now.frame["close"].tolist(), now.fetched_at) == ([10.0, 12.0, 14.0, 16.0, 18.0], NINTH)
    assert load_bars("AAPL", known_at=NINTH).digest == now.digest != then.digest


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("known_at", [EIGHTH - timedelta(microseconds=1), "2012-03-07"])
def test_before_the_first_fetch_nothing_was_known(known_at):
    """The way out is a later instant, not a fetch."""
    with pytest.raises(NoBarsError, match=r"as known at 2012-03-0[78]") as caught:
        load_bars("AAPL", known_at=known_at)
    assert caught.value.remedy == "It learnt the first at 2012-03-08 23:00 UTC; ask for a later instant."


def test_the_environment_bounds_every_reader(told, monkeypatch):
    """Bars, and the prices that make the key of a run: both as known then."""
    settings = load_settings(told)
    now = read_prices(settings, "AAPL", None)
    monkeypatch.setenv(AS_OF, "2012-03-08")
    then = read_prices(settings, "AAPL", None)
    assert (then.session, then.fetched_at) == (date(2012, 3, 8), EIGHTH)
    assert then.digest != now.digest
    assert load_bars("AAPL").frame["close"].tolist() == [5.0, 6.0, 7.0, 8.0]


@pytest.mark.usefixtures("told")
def test_nobody_looks_beyond_the_environment(monkeypatch):
    """A notebook that asks for a later instant gets the one of the command; for an earlier one, the earlier."""
    monkeypatch.setenv(AS_OF, "2012-03-08")
    assert load_bars("AAPL", known_at="2012-03-09").session == date(2012, 3, 8)
    with pytest.raises(NoBarsError):
        load_bars("AAPL", known_at="2012-03-07")


def test_the_environment_reaches_other_processes(told):
    """As it reaches the kernels, which inherit it."""
    code = "import tickerbook as tb; print(tb.load_bars('AAPL').session, tb.sql('select count(*) as n from bars').n[0])"
    environment = {**os.environ, AS_OF: "2012-03-08T23:30Z", "TICKERBOOK_PROJECT": str(told)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2012-03-08", "4"]


@pytest.mark.usefixtures("told")
def test_an_environment_that_is_no_instant(monkeypatch):
    """Named, so that it can be found."""
    monkeypatch.setenv(AS_OF, "last week")
    with pytest.raises(ConfigError, match="TICKERBOOK_AS_OF='last week'"):
        load_bars("AAPL")


def test_the_past_is_not_written(told, week, origin, monkeypatch):
    """A fetch under an as-of would mix two times."""
    monkeypatch.setenv(AS_OF, "2012-03-08")
    with pytest.raises(ConfigError, match="as known at 2012-03-08 23:59 UTC") as caught:
        project_lake(load_settings(told)).write("AAPL", week, origin())
    assert AS_OF in caught.value.remedy


# The past never changes

DAYS = pd.bdate_range("2012-03-05", periods=5, name="session").as_unit("ns")
PRICE = st.sampled_from([1.0, 2.0, 3.0])
ANSWER = st.tuples(  # the minute it came (clocks go back now and then), who gave it, closes of the days
    st.integers(0, 30), st.sampled_from(["one", "two"]), st.lists(st.none() | PRICE, min_size=5, max_size=5)
)


def frame_of(closes):
    """A raw frame of the days that have a close."""
    rows = [(c, c, c, c, 100.0, 0.0, 1.0) if c else (np.nan,) * len(RAW) for c in closes]
    return pd.DataFrame(rows, DAYS, list(RAW)).dropna()


def known(lake, minute=None):
    """What a lake shows, and from whom."""
    try:
        stored = lake.read("AAPL", known_at=minute)
    except NoBarsError:
        return None
    return stored.frame["close"].to_dict(), stored.origin


@settings(max_examples=60)
@given(st.lists(ANSWER, max_size=7))
def test_what_was_known_at_an_instant_never_changes(answers):
    """Whatever comes later, also with a clock set back: all that was seen up to then stays as it was seen."""
    start = datetime(2012, 3, 9, tzinfo=UTC)
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        for minute, provider, closes in answers:
            frame = frame_of(closes)
            told_at = start + timedelta(minutes=minute)
            lake.write("AAPL", frame, Origin(provider, provider, told_at, "XNYS", "USD"))
            now = known(lake)
            if now:
                seen.append((now[1].fetched_at, now))
        assert [known(lake, when) for when, _ in seen] == [then for _, then in seen]


def test_a_clock_set_back_makes_no_past(lake, week, origin):
    """The second write is later than the first, whatever the clock says."""
    lake.write("AAPL", week, origin(day=9))
    lake.write("AAPL", week * 2, origin(day=7))
    assert lake.read("AAPL").origin.fetched_at == NINTH + timedelta(microseconds=1)
    assert lake.read("AAPL", known_at=NINTH).frame["close"].tolist() == week["close"].tolist()
    with pytest.raises(NoBarsError):
        lake.read("AAPL", known_at=EIGHTH)


def test_minutes_are_not_days(lake, week, origin):
    """Bars of an interval shorter than a day keep their instants, and are refused as days."""
    minutes = week.set_axis(
        pd.date_range("2012-03-09 14:30", periods=5, freq="min", tz="UTC", name="session")
    )
    minutes.index = minutes.index.as_unit("ns")
    lake.write("AAPL", minutes, origin(), interval="1m")
    pd.testing.assert_frame_equal(lake.read("AAPL", "1m").frame, minutes, check_freq=False)
    with pytest.raises(NoBarsError):
        lake.read("AAPL")
    for frame, interval in [(minutes, "1d"), (week, "1m"), (minutes.tz_localize(None), "1d")]:
        with pytest.raises(ValueError, match="need an index of"):
            lake.write("MSFT", frame, origin(), interval=interval)
