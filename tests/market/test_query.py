"""The whole lake in SQL: exact, complete or told, and unable to touch anything."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tickerbook as tb
from tickerbook.errors import ConfigError, QueryError
from tickerbook.market import query
from tickerbook.market.lake import AS_OF, Lake
from tickerbook.market.lakefile import Origin
from tickerbook.market.lakefolder import Local
from tickerbook.market.query import ask, contents
from tickerbook.market.raw import RAW
from tickerbook.settings import load_settings

STRANGE = ["0700", "000001", "1E5", "BF-B", "BRK.B", "CON", "EURUSD=X", "INF", "NAN", "NULL", "TRUE", "^GSPC"]
VALUES = list(RAW)


def by_session(answer):
    """An answer as a frame of bars."""
    frame = answer.sort_values("session").set_index("session")
    return frame.set_axis(frame.index.as_unit("ns"))


# What the relations are


@pytest.fixture
def split_twice(raw):
    """A 2:1 split on the 7th, a 1:3 consolidation on the 9th, a dividend between; a volume nobody knows."""
    closes = {
        "2012-03-05": 12.0,
        "2012-03-06": 12.5,
        "2012-03-07": 6.1,
        "2012-03-08": 6.2,
        "2012-03-09": 18.9,
    }
    return raw(
        closes,
        split={"2012-03-07": 2.0, "2012-03-09": 1 / 3},
        dividend={"2012-03-06": 0.7, "2012-03-08": 0.3},
        volume={"2012-03-06": np.nan},
    )


def test_bars_are_what_load_bars_gives(lake, split_twice, week, origin):
    """To the last bit: of a ticker that split, and of one that did not."""
    lake.write("SPLIT", split_twice, origin())
    lake.write("PLAIN", week, origin())
    for ticker in ("SPLIT", "PLAIN"):
        answer = ask(lake, "select * exclude (ticker, dividend, split) from bars where ticker = ?", [ticker])
        pd.testing.assert_frame_equal(by_session(answer), lake.bars(ticker).frame, check_exact=True)


def test_dividends_of_bars_are_in_the_units_of_their_prices(lake, split_twice, origin):
    """Per share of today: 0.7 a share before both splits is 0.7 / (2 · ⅓)."""
    lake.write("SPLIT", split_twice, origin())
    answer = by_session(ask(lake, "from bars"))
    assert answer["dividend"].tolist() == [0.0, 0.7 / (1 / 3 * 2.0), 0.0, 0.3 / (1 / 3), 0.0]
    assert answer["split"].tolist() == split_twice["split"].tolist()


def test_traded_is_as_traded(lake, split_twice, origin):
    """What was stored, and a missing value is missing."""
    lake.write("SPLIT", split_twice, origin())
    answer = ask(lake, "select * exclude ticker from traded")
    pd.testing.assert_frame_equal(by_session(answer), split_twice, check_freq=False, check_exact=True)
    assert ask(lake, "select count(volume) as n from traded")["n"].tolist() == [4]


SPLIT = st.sampled_from([1.0, 1.0, 1.0, 2.0, 7.0, 0.1, 1 / 3, 1.0000001])
HISTORY = st.lists(st.tuples(st.floats(0.01, 1e6), st.floats(0.01, 1e9), SPLIT), min_size=1, max_size=9)


@settings(max_examples=25)
@given(HISTORY, HISTORY)
def test_any_splits_adjust_as_load_bars_does(first, second):
    """Two tickers with splits of their own on the same days: each bit as `Lake.bars` has it."""
    told = Origin("fake", "fake", pd.Timestamp("2012-03-09", tz="UTC").to_pydatetime(), "XNYS", "USD")
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        for ticker, rows in (("ONE", first), ("TWO", second)):
            days = pd.bdate_range("2012-03-05", periods=len(rows), name="session").as_unit("ns")
            frame = pd.DataFrame([(c, c, c, c, v, 0.0, s) for c, v, s in rows], days, VALUES)
            lake.write(ticker, frame, told)
        for ticker in ("ONE", "TWO"):
            answer = by_session(
                ask(lake, "select session, close, volume from bars where ticker = ?", [ticker])
            )
            expected = lake.bars(ticker).frame[["close", "volume"]]
            pd.testing.assert_frame_equal(answer, expected, check_exact=True, check_freq=False)


def test_vintages_are_everything_that_was_learnt(lake, week, origin):
    """A row told otherwise later has a successor; a withdrawn session has one without prices."""
    lake.write("AAPL", week.iloc[:2], origin(day=7))
    lake.write("AAPL", week.iloc[1:3] * 2, origin(day=8, provider="other"))
    answer = ask(
        lake,
        """select day(session) as session, close, day(known_at) as known, day(known_until) as until
        from vintages order by session, known_at""",
    )
    expected = [(5, 5.0, 7, 8), (5, None, 8, None), (6, 6.0, 7, 8), (6, 12.0, 8, None), (7, 14.0, 8, None)]
    assert [tuple(None if pd.isna(v) else v for v in row) for row in answer.to_numpy().tolist()] == expected
    assert ask(lake, "select list(day(session) order by session) as d from traded")["d"][0].tolist() == [6, 7]


def test_as_known_then(lake, week, origin):
    """By argument and by the lake's own instant: neither later rows nor that a row had a successor."""
    lake.write("AAPL", week.iloc[:4], origin(day=8))
    lake.write("AAPL", week * 2, origin(day=9))
    then = origin(day=8).fetched_at
    for answer in (
        lambda q: ask(lake, q, known_at=then),
        lambda q: ask(Lake(lake.root, then), q, known_at=origin(day=9).fetched_at),
    ):
        assert answer("select sum(close) as c from bars")["c"].tolist() == [26.0]
        assert answer("select sum(close) as c from traded")["c"].tolist() == [26.0]
        seen = answer("select count(*) as rows, count(known_until) as ended from vintages")
        assert seen.iloc[0].tolist() == [4, 0]
    assert ask(lake, "select count(*) as n, count(known_until) as u from vintages").iloc[0].tolist() == [9, 4]


def test_later_splits_are_not_known_then(lake, raw, origin):
    """The bars of the day before a split are in the units of that day."""
    closes = {"2012-03-05": 10.0, "2012-03-06": 12.0, "2012-03-07": 6.5}
    frame = raw(closes, split={"2012-03-07": 2.0})
    lake.write("AAPL", frame.iloc[:2], origin(day=6))
    lake.write("AAPL", frame, origin(day=7))
    question = "select close from bars order by session"
    assert ask(lake, question)["close"].tolist() == [5.0, 6.0, 6.5]
    assert ask(lake, question, known_at=origin(day=6).fetched_at)["close"].tolist() == [10.0, 12.0]


def test_a_split_that_was_taken_back_does_not_count(lake, raw, origin):
    """Only the rows that hold now adjust."""
    closes = {"2012-03-05": 10.0, "2012-03-06": 12.0}
    lake.write("AAPL", raw(closes, split={"2012-03-06": 2.0}), origin(day=6))
    lake.write("AAPL", raw(closes), origin(day=7))
    assert ask(lake, "select close from bars order by session")["close"].tolist() == [10.0, 12.0]


@pytest.mark.parametrize("symbol", STRANGE)
def test_strange_symbols_are_exact(lake, week, origin, symbol):
    """None becomes a number, a truth value or a missing value."""
    lake.write(symbol, week, origin())
    assert ask(lake, "select distinct ticker from bars")["ticker"].tolist() == [symbol]
    assert ask(lake, "select count(*) as n from bars where ticker = $t", {"t": symbol})["n"].tolist() == [5]
    assert contents(lake)["ticker"].tolist() == [symbol]


def test_sessions_are_days_and_instants_are_utc(lake, week, origin):
    """They join with other frames of ours."""
    lake.write("AAPL", week, origin())
    answer = ask(lake, "select session, known_at from vintages order by session")
    assert answer["session"].tolist() == week.index.tolist()
    assert set(answer["known_at"]) == {pd.Timestamp("2012-03-09 23:00", tz="UTC")}


@pytest.mark.parametrize(
    "question",
    [
        "pivot bars on ticker using first(close) group by session",
        "  PIVOT traded ON ticker USING max(high) GROUP BY session",
        "with high as (select max(close) as c from bars) from high",
        "from bars",
        "describe traded",
        "summarize bars",
        "show tables",
        "values (1)",
    ],
)
def test_questions_of_every_kind(lake, week, origin, question):
    """Whatever asks and does not change."""
    lake.write("AAPL", week, origin())
    assert len(ask(lake, question)) > 0


def test_an_empty_lake_answers(lake):
    """With no rows, before its folder exists."""
    for relation in ("bars", "traded", "vintages"):
        assert len(ask(lake, f"from {relation}")) == 0
    assert contents(lake).empty
    assert contents(lake).dtypes["known_at"] == "datetime64[us, UTC]"


# Damage


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def foreign(path):
    pd.DataFrame({"close": [1.0, 2.0]}).to_parquet(path)


def another_ticker(path):
    shutil.copy(path.with_name("MSFT.parquet"), path)


def one_byte(path):
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [half, foreign, another_ticker, one_byte])
def test_a_damaged_file_is_left_out_and_named(lake, week, origin, damage):
    """The others stay queryable, and each answer says what it lacks, the second as the first."""
    for symbol in ("AAPL", "GOOG", "MSFT"):
        lake.write(symbol, week, origin())
    ask(lake, "from bars")
    damage(lake.path("AAPL"))
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"^Left out: .*AAPL\.parquet is damaged") as caught:
            answer = ask(lake, "select distinct ticker from bars order by ticker")
        assert answer["ticker"].tolist() == ["GOOG", "MSFT"]
        assert len(caught) == 1
    with pytest.warns(UserWarning, match=r"AAPL\.parquet is damaged"):
        assert contents(lake)["ticker"].tolist() == ["GOOG", "MSFT"]


def test_a_file_that_is_not_named_after_a_ticker_is_left_out_and_named(lake, week, origin):
    """Somebody's export beside the prices."""
    lake.write("AAPL", week, origin())
    shutil.copy(lake.path("AAPL"), lake.path("AAPL").with_name("my export.parquet"))
    assert lake.tickers() == ("AAPL",)
    with pytest.warns(UserWarning, match="my export.parquet is not named after a ticker"):
        assert ask(lake, "select count(*) as n from bars")["n"].tolist() == [5]
    with pytest.warns(UserWarning, match="my export.parquet is not named after a ticker"):
        assert len(contents(lake)) == 1


def test_what_is_written_is_seen_at_once(lake, week, origin):
    """No answer is older than the lake."""
    for number in range(1, 6):
        lake.write("AAPL", week.iloc[:number], origin(day=4 + number))
        assert ask(lake, "select count(*) as n from bars")["n"].tolist() == [number]


def test_questions_while_files_are_replaced(lake, week, origin):
    """Readers and a writer at once: every answer is of whole files."""
    lake.write("AAPL", week, origin(day=1))
    factors = [1.0 + n for n in range(25)]

    def write():
        for number, factor in enumerate(factors[1:], start=2):
            lake.write("AAPL", week * factor, origin(day=number))

    def read():
        answer = ask(lake, "select count(*) as n, sum(close) as c from traded")
        return tuple(answer.iloc[0])

    with ThreadPoolExecutor(3) as pool:
        writing = pool.submit(write)
        answers = [future.result() for future in [pool.submit(read) for _ in range(30)]]
        writing.result()
    assert {rows for rows, _ in answers} == {5}
    assert {total for _, total in answers} <= {35.0 * factor for factor in factors}


def test_a_file_that_is_replaced_in_the_middle_of_a_question(lake, week, origin, monkeypatch):
    """The answer is of one moment; the next one is of the next."""
    lake.write("AAPL", week, origin(day=8))
    check, question = query._check_question, "select sum(close) as c from traded"

    def slow(*args):
        check(*args)
        lake.write("AAPL", week * 3, origin(day=9))

    with monkeypatch.context() as patch:
        patch.setattr(query, "_check_question", slow)
        assert ask(lake, question)["c"].tolist() == [35.0]
    assert ask(lake, question)["c"].tolist() == [105.0]


def test_only_what_was_written_is_read_again(lake, week, origin, monkeypatch):
    """The rest is still in memory, checked; what is gone is not."""
    for symbol in ("AAPL", "GOOG", "MSFT"):
        lake.write(symbol, week, origin(day=8))
    read, names = Local.read, []
    monkeypatch.setattr(Local, "read", lambda self, name: [names.append(name), read(self, name)][1])
    question = "select ticker, sum(close) as c from bars group by ticker order by ticker"
    ask(lake, question)
    assert sorted(names) == ["AAPL", "GOOG", "MSFT"]
    names.clear()
    ask(lake, question)
    assert names == []
    monkeypatch.undo()
    lake.write("GOOG", week.assign(close=week["close"] * 2), origin(day=9))
    lake.path("MSFT").unlink()
    assert ask(lake, question).to_numpy().tolist() == [["AAPL", 35.0], ["GOOG", 70.0]]


# It looks, and touches nothing


def open_files():
    """What this process has open on disk."""
    return {str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.exists()}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists what is open")
def test_no_file_stays_open(lake, week, origin):
    """Neither after an answer nor after an error: a writer on Windows could not replace it."""
    lake.write("AAPL", week, origin())
    ask(lake, "from bars")
    with pytest.raises(QueryError):
        ask(lake, "select nothing from bars")
    assert not [name for name in open_files() if str(lake.root) in name]


CHANGES = [
    "copy bars to 'stolen.csv'",
    "copy (select 1) to '{lake}/1d/AAPL.parquet' (format parquet)",
    "create table t as select 1",
    "create temp table t as pivot bars on ticker using first(close)",
    "insert into bars values (1)",
    "with x as (insert into bars values (1) returning *) from x",
    "delete from bars",
    "drop view bars",
    "attach 'other.db'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "pragma version",
    "call pragma_version()",
    "export database 'out'",
    "import database 'out'",
    "begin",
    "select 1; drop view bars",
    "explain analyze copy bars to 'stolen.csv'",
    "",
    "-- nothing",
]


@pytest.mark.parametrize("question", CHANGES)
def test_what_is_no_question_is_refused(lake, week, origin, question, tmp_path, monkeypatch):
    """And nothing appears anywhere."""
    monkeypatch.chdir(tmp_path)
    lake.write("AAPL", week, origin())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(QueryError) as caught:
        ask(lake, question.replace("{lake}", str(lake.root)))
    assert "There are bars and traded" in caught.value.remedy
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert len(ask(lake, "from bars")) == 5


@pytest.mark.parametrize(
    "source",
    [
        "'{secret}'",
        "read_text('{secret}')",
        "read_csv('{secret}')",
        "read_blob('{lake}/../secret.csv')",
        "glob('{secret}*')",
        "read_parquet('{lake}/1d/../../other.parquet')",
        "'http://127.0.0.1:9/x.parquet'",
        "'s3://bucket/x.parquet'",
        "frame",
        "globals",
    ],
)
@pytest.mark.parametrize("filled", [True, False])
def test_nothing_else_can_be_read(lake, week, origin, source, filled, tmp_path):
    """No other file, no address, no variable of who asks; of an empty lake neither."""
    (tmp_path / "secret.csv").write_text("key\ncanary\n", encoding="utf-8")
    week.to_parquet(tmp_path / "other.parquet")
    frame = week  # noqa: F841 - what DuckDB would find
    if filled:
        lake.write("AAPL", week, origin())
    question = "from " + source.format(secret=tmp_path / "secret.csv", lake=lake.root)
    with pytest.raises(QueryError) as caught:
        ask(lake, question)
    assert "canary" not in str(caught.value)


def test_an_error_says_what_duckdb_says(lake, week, origin):
    """Where it is, and the nearest name."""
    lake.write("AAPL", week, origin())
    with pytest.raises(QueryError, match='Referenced column "closing" not found') as caught:
        ask(lake, "select closing from bars")
    assert "close" in caught.value.message
    with pytest.raises(QueryError, match="syntax error"):
        ask(lake, "selekt * from bars")


FORKED = """
import os, sys
from pathlib import Path
from tickerbook.market.lake import Lake
from tickerbook.market.query import ask
lake = Lake(Path(sys.argv[1]))
print(len(ask(lake, "from bars")), flush=True)
child = os.fork()
if child == 0:
    print(len(ask(lake, "from bars")), flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_can_ask_too(lake, week, origin):
    """It does not wait for threads that were left behind in its parent."""
    lake.write("AAPL", week, origin())
    done = subprocess.run(
        [sys.executable, "-c", FORKED, lake.root], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["5", "5", "0"]


# As an analyst calls it


@pytest.fixture
def told(project, week, origin):
    """A project with AAPL, restated on the 9th."""
    lake = Lake(load_settings(project).lake)
    lake.write("AAPL", week.iloc[:4], origin(day=8))
    lake.write("AAPL", week * 2, origin(day=9))
    return lake


@pytest.mark.usefixtures("told")
def test_sql_asks_the_project_s_lake(monkeypatch):
    """As known now, then, and under --as-of."""
    question = "select max(close) as high from bars where ticker = ?"
    assert tb.sql(question, ["AAPL"])["high"].tolist() == [18.0]
    assert tb.sql(question, ["AAPL"], known_at="2012-03-08")["high"].tolist() == [8.0]
    monkeypatch.setenv(AS_OF, "2012-03-08")
    assert tb.sql(question, ["AAPL"])["high"].tolist() == [8.0]
    with pytest.raises(ConfigError, match="known_at='soon'"):
        tb.sql(question, ["AAPL"], known_at="soon")


def test_lake_lists_what_is_there(told, week, origin, monkeypatch):
    """From when to when, how many, how often restated, from whom, and when the newest was learnt."""
    told.write("MSFT", week, origin(day=9, provider="other", currency="EUR"))
    aapl, msft = tb.lake().to_dict("records")
    assert aapl == {
        "ticker": "AAPL",
        "interval": "1d",
        "first": pd.Timestamp("2012-03-05"),
        "last": pd.Timestamp("2012-03-09"),
        "sessions": 5,
        "restated": 4,
        "provider": "fake",
        "source": "fake 1.0",
        "calendar": "XNYS",
        "currency": "USD",
        "known_at": pd.Timestamp("2012-03-09 23:00", tz="UTC"),
    }
    assert (msft["provider"], msft["currency"], msft["restated"]) == ("other", "EUR", 0)
    monkeypatch.setenv(AS_OF, "2012-03-08")
    (then,) = tb.lake().to_dict("records")
    assert (then["ticker"], then["last"].date(), then["restated"]) == ("AAPL", date(2012, 3, 8), 0)


def test_lake_lists_every_interval(told, week, origin):
    """Minutes beside days, counted in sessions."""
    minutes = pd.date_range("2012-03-09 14:30", periods=5, freq="min", tz="UTC", name="session").as_unit("ns")
    told.write("AAPL", week.set_axis(minutes), origin(), interval="1m")
    listed = tb.lake()[["interval", "first", "last", "sessions"]].to_numpy().tolist()
    days = [pd.Timestamp(day) for day in ("2012-03-05", "2012-03-09")]
    assert listed == [["1d", *days, 5], ["1m", days[1], days[1], 1]]
    assert tb.sql("select count(*) as n from bars")["n"].tolist() == [5]


def test_questions_in_the_docs_are_answered(told, root):
    """Every query that docs/lake.md shows."""
    text = (root / "docs" / "lake.md").read_text(encoding="utf-8")
    questions = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert len(questions) > 3
    for question in questions:
        ask(told, question)
