"""The lake remembers: whole files, checked on reading, rows only added."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock, Timeout
from hypothesis import given, settings
from hypothesis import strategies as st

from tickerbook.bars import COLUMNS, Bars
from tickerbook.errors import DataError, NoBarsError, SymbolError, TornFileError
from tickerbook.market import lakefolder
from tickerbook.market.lake import Lake, Written
from tickerbook.market.lakefile import Origin
from tickerbook.market.lakefolder import Local
from tickerbook.market.raw import RAW

STRANGE = [
    "NAN",
    "ON",
    "0700",
    "BRK.B",
    "^GSPC",
    "NA",
    "NULL",
    "TRUE",
    "INF",
    "1E5",
    "000001",
    "CON",
    "EURUSD=X",
    "BF-B",
]


def files(lake):
    """Names of all files in a lake except locks."""
    return sorted(path.name for path in lake.root.rglob("*") if path.is_file() and path.suffix != ".lock")


# What goes in comes out


def test_what_is_written_is_read(lake, week, origin):
    """Same values, same origin."""
    assert lake.write("AAPL", week, origin()) == Written(rows=5, new=5)
    stored = lake.read("AAPL")
    pd.testing.assert_frame_equal(stored.frame, week, check_freq=False)
    assert (stored.ticker, stored.origin, stored.session) == ("AAPL", origin(), date(2012, 3, 9))


PRICE = st.floats(allow_nan=False, allow_infinity=False)
ROW = st.tuples(
    PRICE, PRICE, PRICE, PRICE, st.floats(allow_infinity=False), st.floats(0, 1e6), st.floats(0.01, 100)
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.dates(date(1990, 1, 1), date(2100, 1, 1)), ROW, min_size=1, max_size=20))
def test_any_bars_keep_their_digest_through_the_lake(rows):
    """Every finite price, negative zero, the smallest and largest numbers, unknown volumes: bit by bit."""
    days = sorted(rows)
    index = pd.DatetimeIndex(days, name="session").as_unit("ns")
    frame = pd.DataFrame([rows[day] for day in days], index=index, columns=list(RAW))
    told = Origin("fake", "fake 1.0", datetime(2012, 3, 9, tzinfo=UTC), "XNYS", "USD")
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        lake.write("AAPL", frame, told)
        read, given = (f.to_numpy() for f in (lake.read("AAPL").frame, frame))
        assert np.isnan(read).tolist() == np.isnan(given).tolist()
        assert read[~np.isnan(read)].tobytes() == given[~np.isnan(given)].tobytes()
        direct = Bars(frame[list(COLUMNS)], "AAPL", "XNYS", "USD", "none", "other", told.fetched_at)
        assert lake.bars("AAPL", adjustment="none").digest == direct.digest


@pytest.mark.parametrize("symbol", STRANGE)
def test_strange_symbols_keep_their_name(lake, week, origin, symbol):
    """None becomes a number, a truth value, a missing value or another file."""
    lake.write(symbol, week, origin())
    assert lake.tickers() == (symbol,)
    assert lake.read(symbol).ticker == symbol
    assert lake.bars(symbol).ticker == symbol


def test_strange_symbols_do_not_meet(lake, raw, origin):
    """Each has a file of its own."""
    for number, symbol in enumerate(STRANGE):
        lake.write(symbol, raw({"2012-03-05": 1.0 + number}), origin())
    assert lake.tickers() == tuple(sorted(STRANGE))
    assert [lake.read(symbol).frame["close"].iloc[0] for symbol in STRANGE] == [
        1.0 + n for n in range(len(STRANGE))
    ]


@pytest.mark.parametrize(
    "symbol", ["../../etc/passwd", "A;rm -rf ~", "", "a", "A/B", "A\0B", "..", "A" * 300]
)
def test_what_is_not_a_symbol_never_becomes_a_path(lake, week, origin, symbol, tmp_path):
    """Refused on every way in; nothing appears outside, nor inside."""
    for call in (
        lambda: lake.write(symbol, week, origin()),
        lambda: lake.read(symbol),
        lambda: lake.bars(symbol),
    ):
        with pytest.raises(SymbolError):
            call()
    assert list(tmp_path.rglob("*")) == []


def test_three_bars_are_stored(lake, week, origin):
    """A young ticker is a ticker."""
    lake.write("AAPL", week.iloc[:3], origin())
    assert len(lake.bars("AAPL")) == 3


def test_an_empty_lake_has_no_tickers(lake):
    """Also before its folder exists."""
    assert lake.tickers() == ()
    assert lake.period("AAPL") is None


def test_a_ticker_that_is_not_there(lake):
    """The error says how to get it."""
    with pytest.raises(NoBarsError, match="no bars for NAN") as caught:
        lake.read("NAN")
    assert caught.value.remedy == "Run `tickerbook fetch NAN`."


def test_period_is_the_first_and_the_newest_session(lake, week, origin):
    """For lists."""
    lake.write("AAPL", week, origin())
    assert lake.period("AAPL") == (date(2012, 3, 5), date(2012, 3, 9))


# What is learnt later


def test_new_sessions_are_appended(lake, week, origin):
    """Known ones keep when they were learnt."""
    lake.write("AAPL", week.iloc[:3], origin(day=7))
    assert lake.write("AAPL", week, origin(day=9)) == Written(rows=5, new=2)
    pd.testing.assert_frame_equal(lake.read("AAPL").frame, week, check_freq=False)
    assert lake.read("AAPL").origin == origin(day=9)


def test_the_same_history_writes_nothing(lake, week, origin):
    """Not a byte, not a time: nothing downstream may think that something changed."""
    lake.write("AAPL", week, origin(day=8))
    before = lake.path("AAPL").stat()
    assert lake.write("AAPL", week * (1 + 1e-9), origin(day=9)) == Written(rows=5)
    after = lake.path("AAPL").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert lake.read("AAPL").origin == origin(day=8)


def test_a_restatement_has_a_successor_and_the_past_stays_known(lake, week, origin):
    """What was known on the 8th is what was told by then."""
    lake.write("AAPL", week.iloc[:4], origin(day=8))
    corrected = week.copy()
    corrected.loc["2012-03-06", "dividend"] = 0.5
    assert lake.write("AAPL", corrected, origin(day=9)) == Written(rows=5, new=1, restated=1)
    pd.testing.assert_frame_equal(lake.read("AAPL").frame, corrected, check_freq=False)
    then = lake.read("AAPL", known_at=origin(day=8).fetched_at)
    pd.testing.assert_frame_equal(then.frame, week.iloc[:4], check_freq=False)
    assert then.origin == origin(day=8)


def test_before_the_first_fetch_nothing_was_known(lake, week, origin):
    """Bitemporal: the bars are of March, but were learnt on the 9th."""
    lake.write("AAPL", week, origin(day=9))
    with pytest.raises(NoBarsError, match="as known at 2012-03-08"):
        lake.read("AAPL", known_at=origin(day=8).fetched_at)


def test_a_shorter_answer_never_takes_newer_sessions_away(lake, week, origin):
    """Vendors forget the last days now and then; not one value of such an answer is believed."""
    lake.write("AAPL", week, origin(day=8))
    shorter = week.iloc[:3] * 2
    assert lake.write("AAPL", shorter, origin(day=9)) == Written(rows=5, older=True)
    assert lake.write("AAPL", shorter, origin(day=9, provider="other")) == Written(rows=5, older=True)
    pd.testing.assert_frame_equal(lake.read("AAPL").frame, week, check_freq=False)


def test_a_session_that_the_provider_no_longer_has_is_kept(lake, week, origin):
    """And counted."""
    lake.write("AAPL", week, origin(day=8))
    assert lake.write("AAPL", week.drop(week.index[1]), origin(day=9)) == Written(rows=5, missing=1)
    assert len(lake.read("AAPL").frame) == 5


def test_another_provider_s_history_replaces_the_former_as_a_whole(lake, week, raw, origin):
    """Symbols are used again (FB was Facebook, then a fund): two histories are never spliced."""
    lake.write("FB", week.iloc[:4], origin(day=8, provider="sample"))
    other = raw({"2012-03-08": 8.0, "2012-03-09": 90.0})
    assert lake.write("FB", other, origin(day=9, provider="yahoo")) == Written(rows=2, new=1, withdrawn=3)
    pd.testing.assert_frame_equal(lake.read("FB").frame, other, check_freq=False)
    then = lake.read("FB", known_at=origin(day=8).fetched_at)
    assert (len(then.frame), then.origin.provider) == (4, "sample")


def test_another_currency_is_stored_even_where_no_price_differs(lake, week, origin):
    """Else a mistake in params/ could never be corrected."""
    lake.write("AAPL", week, origin(day=8, currency="EUR"))
    lake.write("AAPL", week, origin(day=9, currency="USD"))
    assert lake.bars("AAPL").currency == "USD"


def test_writers_at_once_lose_nothing(lake, raw, origin):
    """Eight threads add a session each to one ticker, and each session to a ticker of its own."""
    days = pd.bdate_range("2012-03-05", periods=8)
    histories = [raw(dict.fromkeys(days[: number + 1], 10.0)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda frame: Lake(lake.root).write("ALL", frame, origin()), histories))
        list(pool.map(lambda n: Lake(lake.root).write(f"T{n}", histories[n], origin()), range(8)))
    assert len(lake.read("ALL").frame) == 8
    assert [len(lake.read(f"T{number}").frame) for number in range(8)] == list(range(1, 9))
    assert not [name for name in files(lake) if name.endswith(".part")]


def test_the_lock_is_held_from_reading_to_writing(lake, week, origin, monkeypatch):
    """Else two writers at once could both start from the same past, and the second forget the first."""
    lake.write("AAPL", week.iloc[:3], origin(day=7))
    held = []

    def watched(step):
        def do(*args):
            try:
                with FileLock(lake.path("AAPL").with_suffix(".lock"), timeout=0):
                    held.append((step.__name__, False))
            except Timeout:
                held.append((step.__name__, True))
            return step(*args)

        return do

    monkeypatch.setattr(Local, "read", watched(Local.read))
    monkeypatch.setattr(lakefolder, "whole_file", watched(lakefolder.whole_file))
    lake.write("AAPL", week, origin())
    assert held == [("read", True), ("whole_file", True)]


def test_a_writer_that_never_ends_is_named(lake, week, origin, monkeypatch):
    """Waiting has an end."""
    monkeypatch.setattr(lakefolder, "PATIENCE", 0.05)
    lake.path("AAPL").parent.mkdir(parents=True)
    with FileLock(lake.path("AAPL").with_suffix(".lock")), pytest.raises(DataError, match="another program"):
        lake.write("AAPL", week, origin())


# Damage


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def foreign(path):
    pd.DataFrame({"close": [1.0, 2.0]}).to_parquet(path)


def text(path):
    path.write_text("session,close\n2012-03-05,10\n", encoding="utf-8")


def another_ticker(path):
    shutil.copy(path.with_name("MSFT.parquet"), path)


def changed_value(path):
    """One price changed by somebody who keeps the metadata."""
    table = pq.read_table(path)
    closes = pa.array([*table["close"].to_pylist()[:-1], 9.5])
    pq.write_table(table.set_column(table.schema.get_field_index("close"), "close", closes), path)


def changed_currency(path):
    table = pq.read_table(path)
    metadata = {key: value.replace(b"USD", b"EUR") for key, value in table.schema.metadata.items()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


DAMAGE = [half, empty, foreign, text, another_ticker, changed_value, changed_currency]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_with_the_way_out(lake, week, origin, damage):
    """Neither a traceback of Arrow nor wrong prices."""
    for symbol in ("AAPL", "MSFT"):
        lake.write(symbol, week, origin())
    damage(lake.path("AAPL"))
    with pytest.raises(TornFileError, match=r"AAPL\.parquet is damaged") as caught:
        lake.bars("AAPL")
    assert caught.value.remedy == "Run `tickerbook fetch AAPL`."
    assert lake.period("AAPL") is None
    assert len(lake.bars("MSFT")) == 5


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_write_sets_a_damaged_file_aside(lake, week, origin, damage):
    """It is kept under another name, a second one too; the new file is good."""
    lake.write("MSFT", week, origin())
    for expected in ("AAPL.parquet.torn", "AAPL.parquet.1.torn"):
        lake.write("AAPL", week, origin())
        damage(lake.path("AAPL"))
        written = lake.write("AAPL", week, origin())
        assert (written.rows, written.new, written.aside.name) == (5, 5, expected)
    assert len(lake.read("AAPL").frame) == 5
    assert lake.tickers() == ("AAPL", "MSFT")


def test_no_flipped_byte_goes_unnoticed(lake, week, origin):
    """Every byte of a file, changed: the same prices come out, or the file is called damaged."""
    lake.write("AAPL", week, origin())
    path = lake.path("AAPL")
    good = path.read_bytes()
    for number in range(0, len(good), 7):
        path.write_bytes(good[:number] + bytes([good[number] ^ 0xFF]) + good[number + 1 :])
        try:
            frame = lake.read("AAPL").frame
        except TornFileError:
            continue
        pd.testing.assert_frame_equal(frame, week, check_freq=False)


def test_a_file_of_a_later_tickerbook_is_not_called_damaged(lake, week, origin):
    """Else a fetch by an old version would set good prices aside."""
    lake.write("AAPL", week, origin())
    table = pq.read_table(lake.path("AAPL"))
    metadata = {
        key: value.replace(b'"format": 2', b'"format": 3') for key, value in table.schema.metadata.items()
    }
    pq.write_table(table.replace_schema_metadata(metadata), lake.path("AAPL"))
    with pytest.raises(DataError, match="later tickerbook") as caught:
        lake.read("AAPL")
    assert not isinstance(caught.value, TornFileError)


# Disks that refuse


@pytest.mark.parametrize("step", ["write", "fsync", "rename"])
def test_a_full_disk_leaves_the_old_file(lake, week, origin, monkeypatch, step):
    """At whichever step it shows; the error says so, and after room is made the same write succeeds."""
    lake.write("AAPL", week.iloc[:3], origin(day=7))

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = {"write": (Path, "write_bytes"), "fsync": (os, "fsync"), "rename": (Path, "replace")}[step]
    with monkeypatch.context() as patch:
        patch.setattr(*target, full)
        with pytest.raises(
            DataError, match=r"AAPL could not be stored in .*: No space left on device"
        ) as caught:
            lake.write("AAPL", week, origin())
    assert "tickerbook fetch AAPL" in caught.value.remedy
    pd.testing.assert_frame_equal(lake.read("AAPL").frame, week.iloc[:3], check_freq=False)
    assert files(lake) == ["AAPL.parquet"]
    assert lake.write("AAPL", week, origin()).new == 2


LIMITED = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import pandas as pd
from tickerbook.errors import DataError
from tickerbook.market.lake import Lake
from tickerbook.market.lakefile import Origin
from tickerbook.market.raw import RAW
lake = Lake(Path(sys.argv[1]))
index = pd.bdate_range("2012-03-05", periods=5000, name="session").as_unit("ns")
frame = pd.DataFrame({name: range(1, 5001) for name in RAW}, index=index, dtype="float64")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    lake.write("AAPL", frame, Origin("fake", "fake", datetime.now(UTC), "XNYS", "USD"))
except DataError as error:
    print(error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limit")
def test_a_system_that_really_refuses_leaves_the_old_file(lake, week, origin):
    """The kernel stops the write after 20 kB, in the middle of the file."""
    lake.write("AAPL", week, origin())
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, lake.root], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("AAPL could not be stored"), done.stderr
    pd.testing.assert_frame_equal(lake.read("AAPL").frame, week, check_freq=False)
    assert files(lake) == ["AAPL.parquet"]


def test_a_read_only_folder_is_named(lake, week, origin):
    """The stored bars stay readable."""
    lake.write("AAPL", week.iloc[:3], origin())
    folder = lake.path("AAPL").parent
    folder.chmod(0o555)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("this user writes to read-only folders (root does)")
        with pytest.raises(DataError, match=r"could not be stored in .*Permission denied"):
            lake.write("AAPL", week, origin())
        assert len(lake.read("AAPL").frame) == 3
    finally:
        folder.chmod(0o755)


def test_a_lake_that_is_a_file_is_named(lake, week, origin):
    """What mkdir says is translated too."""
    lake.root.write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="could not be stored"):
        lake.write("AAPL", week, origin())
    with pytest.raises(DataError, match="cannot be read"):
        lake.read("AAPL")


# Bars


def test_bars_say_where_they_come_from(lake, week, origin):
    """Origin, calendar, currency, adjustment."""
    lake.write("7203", week, replace(origin(), calendar="XTKS", currency="JPY"))
    bars = lake.bars("7203", adjustment="none")
    assert (bars.ticker, bars.calendar, bars.currency, bars.adjustment) == ("7203", "XTKS", "JPY", "none")
    assert (bars.source, bars.fetched_at) == ("fake 1.0", origin().fetched_at)


def test_bars_until_a_day_before_a_split_do_not_know_it(lake, raw, origin):
    """No look-ahead: until the 6th the prices are as traded, from the 7th on they are halved."""
    frame = raw({"2012-03-05": 10.0, "2012-03-06": 12.0, "2012-03-07": 6.5}, split={"2012-03-07": 2.0})
    lake.write("AAPL", frame, origin())
    assert lake.bars("AAPL", until=date(2012, 3, 6)).frame["close"].tolist() == [10.0, 12.0]
    assert lake.bars("AAPL", until=date(2012, 3, 7)).frame["close"].tolist() == [5.0, 6.0, 6.5]


def test_bars_until_a_day_before_a_dividend_do_not_know_it(lake, raw, origin):
    """The same for total returns."""
    frame = raw({"2012-03-05": 10.0, "2012-03-06": 12.0, "2012-03-07": 9.0}, dividend={"2012-03-07": 3.0})
    lake.write("AAPL", frame, origin())
    assert lake.bars("AAPL", date(2012, 3, 6), adjustment="split_dividend").frame["close"].tolist() == [
        10.0,
        12.0,
    ]
    assert lake.bars("AAPL", adjustment="split_dividend").frame["close"].tolist() == [7.5, 9.0, 9.0]


def test_the_newest_sessions_are_in_units_of_all_splits(lake, raw, origin):
    """`sessions` cuts after adjusting: a split before the cut changes nothing, one inside does."""
    closes = {"2012-03-05": 10.0, "2012-03-06": 12.0, "2012-03-07": 6.5}
    lake.write("AAPL", raw(closes, split={"2012-03-07": 2.0}), origin())
    assert lake.bars("AAPL", sessions=2).frame["close"].tolist() == [6.0, 6.5]
    assert np.isclose(lake.bars("AAPL", sessions=1).frame["close"].iloc[0], 6.5)


def test_bars_until_before_the_first_session(lake, week, origin):
    """The error says which is the first."""
    lake.write("AAPL", week, origin())
    with pytest.raises(NoBarsError, match="no bars for AAPL until 2012-03-02; the first is of 2012-03-05"):
        lake.bars("AAPL", until=date(2012, 3, 2))
