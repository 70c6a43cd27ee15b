"""What a restatement changed, and how little a log of vintages takes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tickerbook.market.lake import Change, Lake
from tickerbook.market.lakefile import Origin, encode
from tickerbook.market.raw import RAW

START = datetime(2004, 1, 1, tzinfo=UTC)


def history(sessions, seed=7):
    """A raw frame of random prices to the cent."""
    random = np.random.default_rng(seed)
    index = pd.bdate_range("2004-01-01", periods=sessions, name="session").as_unit("ns")
    values = {name: random.integers(1000, 9000, sessions) / 100 for name in RAW[:4]}
    rest = {"volume": random.integers(1, 10**7, sessions).astype(float), "dividend": 0.0, "split": 1.0}
    return pd.DataFrame(values | rest, index)[list(RAW)]


def origin_at(number):
    """The origin of a daily fetch."""
    return Origin("fake", "fake 1.0", START + timedelta(days=number), "XNYS", "USD")


# What changed, by how much


def test_a_restatement_says_what_changed_by_how_much(lake, week, origin):
    """For each column: in how many sessions, and where the most."""
    lake.write("AAPL", week, origin(day=8))
    told = week.copy()
    told.loc["2012-03-06", ["close", "dividend"]] = [6.6, 0.5]
    told.loc["2012-03-07", "close"] = 5.6
    written = lake.write("AAPL", told, origin(day=9))
    assert written.restated == 2
    close, dividend = written.changes
    assert close == Change("close", 2, date(2012, 3, 7), 7.0, 5.6)
    assert close.relative == pytest.approx(-0.2)
    assert str(close) == "close of 2 sessions, most on 2012-03-07: 7 became 5.6"
    assert dividend == Change("dividend", 1, date(2012, 3, 6), 0.0, 0.5)
    assert dividend.relative == float("inf")


@pytest.mark.parametrize(("before", "after"), [(np.nan, 5.0), (5.0, np.nan)])
def test_a_volume_that_came_or_went_is_an_infinite_change(lake, week, origin, before, after):
    """It outranks every finite one."""
    told = {when: week.copy() for when in (8, 9)}
    told[8].loc["2012-03-06", "volume"], told[9].loc["2012-03-06", "volume"] = before, after
    told[9].loc["2012-03-07", "volume"] *= 100
    lake.write("AAPL", told[8], origin(day=8))
    (volume,) = lake.write("AAPL", told[9], origin(day=9)).changes
    assert (volume.sessions, volume.session, volume.relative) == (2, date(2012, 3, 6), float("inf"))


def test_new_sessions_are_no_changes(lake, week, origin):
    """Nor is what stayed within the tolerance."""
    lake.write("AAPL", week.iloc[:3], origin(day=7))
    assert lake.write("AAPL", week * (1 + 1e-9), origin(day=9)).changes == ()


def test_another_provider_s_prices_are_changes(lake, week, origin):
    """The former vendor's and the new one's, where both have a session."""
    lake.write("AAPL", week, origin(day=8))
    written = lake.write("AAPL", week.iloc[1:] * [1, 1, 1, 1.5, 1, 1, 1], origin(day=9, provider="other"))
    assert (written.restated, written.withdrawn) == (4, 1)
    assert [(change.column, change.sessions, change.relative) for change in written.changes] == [
        ("close", 4, 0.5)
    ]


def test_an_answer_without_rows_changes_nothing(lake, week, origin):
    """It is older than everything."""
    lake.write("AAPL", week, origin(day=8))
    assert lake.write("AAPL", week.iloc[:0], origin(day=9)).older
    assert lake.write("MSFT", week.iloc[:0], origin(day=9)).rows == 0
    assert lake.tickers() == ("AAPL",)


# The log is compact as it is


def test_a_row_that_was_told_again_is_not_stored_again(lake):
    """Two hundred daily fetches of the whole history: one row for each session, one origin."""
    frame = history(200)
    for number in range(100, 201):
        lake.write("AAPL", frame.iloc[:number] * (1 + 1e-12 * number), origin_at(number))
    log = lake.log("AAPL")
    assert (len(log.index), len(log.origins), log.restated()) == (200, 1, 0)
    assert lake.read("AAPL", known_at=origin_at(150).fetched_at).session == frame.index[149].date()


def test_eight_years_of_daily_fetches_take_hardly_more_than_one(tmp_path):
    """When each of 2,000 sessions was learnt takes less than a third of what the prices take."""
    frame = history(2000)
    once, daily = Lake(tmp_path / "once"), Lake(tmp_path / "daily")
    once.write("AAPL", frame, origin_at(2000))
    log = once.log("AAPL")
    times = pd.date_range("2004-01-01", periods=2000, freq="D").to_numpy().astype("datetime64[us]")
    daily.path("AAPL").parent.mkdir(parents=True)
    daily.path("AAPL").write_bytes(encode(replace(log, known_at=times), "AAPL", "1d"))
    assert daily.path("AAPL").stat().st_size < 1.3 * once.path("AAPL").stat().st_size


def test_a_restatement_costs_its_own_rows_alone(lake):
    """Three sessions told otherwise are three rows more; a vendor that changes its mind back, three again."""
    frame = history(500)
    corrected = frame.copy()
    corrected.iloc[10:13, 3] += 1
    for number, told in enumerate([frame, corrected, frame], start=500):
        lake.write("AAPL", told, origin_at(number))
    assert len(lake.log("AAPL").index) == 506
    for number, told in enumerate([frame, corrected, frame], start=500):
        seen = lake.read("AAPL", known_at=origin_at(number).fetched_at).frame
        pd.testing.assert_frame_equal(seen, told, check_freq=False)


def test_origins_are_kept_where_something_about_them_changes(lake):
    """A new version of the source is one; the fetches in between are in the rows."""
    frame = history(6)
    for number, source in enumerate(["1", "1", "2", "2", "1"], start=2):
        lake.write("AAPL", frame.iloc[:number], replace(origin_at(number), source=source))
    log = lake.log("AAPL")
    assert [origin.source for origin in log.origins] == ["1", "2", "1"]
    assert lake.read("AAPL", known_at=origin_at(5).fetched_at).origin == replace(origin_at(5), source="2")


# Digests


def test_bars_have_the_digest_of_their_values(tmp_path):
    """However they came into the lake: at once, day by day, restated, from another vendor, in a bucket."""
    frame = history(30)
    ways = {name: Lake(tmp_path / name) for name in ("once", "daily", "restated", "vendor")}
    ways["memory"] = Lake(f"memory://{tmp_path.name}")
    ways["once"].write("AAPL", frame, origin_at(30))
    for number in range(1, 31):
        ways["daily"].write("AAPL", frame.iloc[:number], origin_at(number))
    ways["restated"].write("AAPL", frame * 1.1, origin_at(1))
    ways["restated"].write("AAPL", frame, origin_at(2))
    ways["vendor"].write("AAPL", frame.iloc[3:] * 2, replace(origin_at(1), provider="other"))
    ways["vendor"].write("AAPL", frame, origin_at(2))
    ways["memory"].write("AAPL", frame, origin_at(40))
    assert len({lake.bars("AAPL").digest for lake in ways.values()}) == 1
    assert len({lake.log("AAPL").known_at.tobytes() for lake in ways.values()}) > 1
