"""A lake elsewhere: in memory and in a bucket, as whole, as safe and as remembering as in a folder."""

import errno
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import fsspec
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from tickerbook.errors import ConfigError, DataError, NoBarsError, TornFileError
from tickerbook.market import lakefolder
from tickerbook.market.lake import Lake, Written, load_bars
from tickerbook.market.lakefolder import Draft, Local, Remote, open_folder
from tickerbook.market.query import ask, contents
from tickerbook.settings import load_settings


@pytest.fixture(scope="session")
def bucket():
    """A server that speaks S3, on this machine; the URL of a bucket in it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        fsspec.filesystem("s3").mkdir("prices")
        yield "s3://prices"
        server.stop()


@pytest.fixture(params=["memory", "s3"])
def elsewhere(request):
    """An empty lake that is not in a folder."""
    place = "memory:/" if request.param == "memory" else request.getfixturevalue("bucket")
    return Lake(f"{place}/{uuid.uuid4().hex}/lake")


def objects(lake):
    """Names of what is stored."""
    fs, path = fsspec.core.url_to_fs(lake.root, use_listings_cache=False)
    return sorted(name.rpartition("/lake/")[2] for name in fs.find(path))


def put(lake, name, content):
    """Store something behind the lake's back."""
    fs, path = fsspec.core.url_to_fs(lake.root)
    fs.pipe_file(f"{path}/{name}", content)


# As in a folder


def test_what_is_written_is_read(elsewhere, week, origin):
    """Same values, same origin; nothing there before."""
    assert elsewhere.tickers() == ()
    assert not elsewhere.holds("BRK.B")
    with pytest.raises(NoBarsError):
        elsewhere.read("BRK.B")
    assert elsewhere.write("BRK.B", week, origin()) == Written(rows=5, new=5)
    pd.testing.assert_frame_equal(elsewhere.read("BRK.B").frame, week, check_freq=False)
    assert elsewhere.read("BRK.B").origin == origin()
    assert elsewhere.holds("BRK.B")
    assert elsewhere.tickers() == ("BRK.B",)


def test_the_past_stays_known(elsewhere, week, origin):
    """And the same history writes nothing."""
    elsewhere.write("AAPL", week.iloc[:4], origin(day=8))
    assert elsewhere.write("AAPL", week * 2, origin(day=9)) == Written(rows=5, new=1, restated=4)
    before = objects(elsewhere)
    assert elsewhere.write("AAPL", week * 2, origin(day=9)) == Written(rows=5)
    assert objects(elsewhere) == before
    then = elsewhere.read("AAPL", known_at=origin(day=8).fetched_at).frame
    pd.testing.assert_frame_equal(then, week.iloc[:4], check_freq=False)


def test_names_that_begin_alike_do_not_meet(elsewhere, raw, origin):
    """A, A.B and AA are three tickers; so are BRK.V1 and the first version of BRK."""
    symbols = ["A", "A.B", "AA", "BRK", "BRK.V1", "^GSPC"]
    for number, symbol in enumerate(symbols):
        elsewhere.write(symbol, raw({"2012-03-05": 1.0 + number}), origin())
    assert elsewhere.tickers() == tuple(sorted(symbols))
    assert [elsewhere.bars(symbol).frame["close"].iloc[0] for symbol in symbols] == [1, 2, 3, 4, 5, 6]


def test_questions_and_contents(elsewhere, week, origin):
    """In SQL, and in one table; of an empty lake too."""
    assert ask(elsewhere, "select count(*) as n from bars")["n"].tolist() == [0]
    assert contents(elsewhere).empty
    for symbol in ("AAPL", "BRK.B"):
        elsewhere.write(symbol, week, origin())
    closes = ask(elsewhere, "select ticker, sum(close) as total from bars group by ticker order by ticker")
    assert closes["total"].tolist() == [35.0, 35.0]
    assert contents(elsewhere)["ticker"].tolist() == ["AAPL", "BRK.B"]


def test_a_damaged_file_is_named_set_aside_and_left_out(elsewhere, week, origin):
    """It is kept under another name; the others are not concerned."""
    elsewhere.write("AAPL", week, origin())
    elsewhere.write("MSFT", week, origin())
    put(elsewhere, "1d/AAPL.v2.parquet", b"half a file")
    with pytest.raises(TornFileError, match=r"AAPL\.parquet is damaged"):
        elsewhere.read("AAPL")
    with pytest.warns(UserWarning, match=r"Left out: .*AAPL\.parquet is damaged"):
        assert ask(elsewhere, "select distinct ticker from bars")["ticker"].tolist() == ["MSFT"]
    written = elsewhere.write("AAPL", week, origin())
    assert (written.new, written.aside.name) == (5, "AAPL.v2.parquet.torn")
    assert elsewhere.tickers() == ("AAPL", "MSFT")
    assert "1d/AAPL.v2.parquet.torn" in objects(elsewhere)
    assert len(elsewhere.read("AAPL").frame) == 5


def test_a_lake_that_was_copied_from_a_folder_goes_on(elsewhere, lake, week, origin):
    """A file without a version is the oldest."""
    lake.write("BRK.B", week.iloc[:4], origin(day=8))
    put(elsewhere, "1d/BRK.B.parquet", lake.path("BRK.B").read_bytes())
    assert elsewhere.bars("BRK.B").digest == lake.bars("BRK.B").digest
    assert elsewhere.write("BRK.B", week, origin(day=9)) == Written(rows=5, new=1)
    assert len(elsewhere.read("BRK.B", known_at=origin(day=8).fetched_at).frame) == 4


# Versions instead of locks


def test_only_the_newest_two_versions_are_kept(elsewhere, week, origin):
    """The last but one, for who is reading it; vintages are inside."""
    for number in range(1, 6):
        elsewhere.write("AAPL", week.iloc[:number], origin(day=number))
    assert objects(elsewhere) == ["1d/AAPL.v4.parquet", "1d/AAPL.v5.parquet"]


def test_writers_at_once_lose_nothing(elsewhere, raw, origin):
    """Six threads add a session each; whoever comes second starts from what the first wrote."""
    days = pd.bdate_range("2012-03-05", periods=6)
    sessions = [raw({days[-1]: 1.0, day: 2.0}).sort_index() for day in days[:-1]]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda frame: Lake(elsewhere.root).write("ALL", frame, origin()), sessions))
    assert elsewhere.read("ALL").frame["close"].tolist() == [2.0] * 5 + [1.0]


def folder_of(lake):
    """The lake's daily files."""
    return open_folder(lake.root, "1d")


def test_the_second_writer_starts_anew_from_what_the_first_wrote(elsewhere):
    """Neither knows of the other until it writes."""
    folder = folder_of(elsewhere)
    seen = []

    def slow(content):
        seen.append(content)
        if len(seen) == 1:
            folder.update("A", lambda _: Draft(b"first"))
        return Draft((content or b"") + b" second")

    folder.update("A", slow)
    assert seen == [None, b"first"]
    assert folder.read("A") == b"first second"


def test_a_writer_that_slept_through_two_others_loses_nothing(elsewhere):
    """Its version was written and tidied away meanwhile, so that it can be created again: it is not the newest."""
    folder = folder_of(elsewhere)
    folder.update("A", lambda _: Draft(b"0"))
    seen = []

    def asleep(content):
        seen.append(content)
        if len(seen) == 1:
            for number in (b"1", b"2", b"3", b"4"):
                folder.update("A", lambda old, number=number: Draft(old + number))
        return Draft(content + b"!")

    folder.update("A", asleep)
    assert seen == [b"0", b"01234"]
    assert folder.read("A") == b"01234!"


def test_a_writer_that_changes_nothing_stores_nothing(elsewhere):
    """Not even a version."""
    folder_of(elsewhere).update("A", lambda _: Draft(None))
    assert objects(elsewhere) == []


def test_a_writer_that_others_never_let_through_is_told(elsewhere, week, origin, monkeypatch):
    """Waiting has an end."""
    monkeypatch.setattr(lakefolder, "PATIENCE", 0.2)
    monkeypatch.setattr(Remote, "_create", lambda *_: False)
    with pytest.raises(DataError, match="another program"):
        elsewhere.write("AAPL", week, origin())


def test_a_reader_whose_version_was_tidied_away_looks_again(elsewhere, monkeypatch):
    """Two writes may pass between looking and reading."""
    folder = folder_of(elsewhere)
    folder.update("A", lambda _: Draft(b"old"))
    read, paths = Remote._content, []

    def late(self, path):
        paths.append(path)
        if len(paths) == 1:
            monkeypatch.setattr(Remote, "_content", read)
            for number in (b"1", b"2"):
                folder.update("A", lambda _, number=number: Draft(number))
        return read(self, path)

    monkeypatch.setattr(Remote, "_content", late)
    assert folder.read("A") == b"2"


@pytest.mark.parametrize("step", ["pipe_file", "find"])
def test_a_storage_that_refuses_leaves_the_old_file(elsewhere, week, origin, monkeypatch, step):
    """Whatever its library raises, the error says so in our words."""
    elsewhere.write("AAPL", week.iloc[:3], origin(day=7))
    fs, _ = fsspec.core.url_to_fs(elsewhere.root, use_listings_cache=False)

    def refuse(*_args, **_kwargs):
        raise RuntimeError("quota exceeded")

    with monkeypatch.context() as patch:
        patch.setattr(fs, step, refuse)
        with pytest.raises(
            DataError, match=r"could not be stored in .*: RuntimeError: quota exceeded"
        ) as caught:
            elsewhere.write("AAPL", week, origin())
    assert "what was stored before is intact" in caught.value.remedy
    assert len(elsewhere.read("AAPL").frame) == 3
    assert elsewhere.write("AAPL", week, origin()).new == 2


def test_a_storage_that_cannot_be_reached(elsewhere, week, origin, monkeypatch):
    """Every way of looking says so, and none takes it for an empty lake."""
    elsewhere.write("AAPL", week, origin())
    fs, _ = fsspec.core.url_to_fs(elsewhere.root, use_listings_cache=False)

    def refuse(*_args, **_kwargs):
        raise RuntimeError("no line")

    for step in ("find", "ls", "cat_file"):
        monkeypatch.setattr(fs, step, refuse)
    for look in (
        lambda: elsewhere.read("AAPL"),
        elsewhere.tickers,
        lambda: elsewhere.holds("AAPL"),
        lambda: ask(elsewhere, "from bars"),
        lambda: contents(elsewhere),
    ):
        with pytest.raises(DataError, match="cannot be read: RuntimeError: no line"):
            look()


def test_tidying_up_that_fails_does_no_harm(elsewhere, week, origin, monkeypatch):
    """The write was done; the next one tidies up."""
    fs, _ = fsspec.core.url_to_fs(elsewhere.root, use_listings_cache=False)

    def refuse(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "not yours")

    with monkeypatch.context() as patch:
        patch.setattr(fs, "rm_file", refuse)
        for number in (1, 2, 3):
            elsewhere.write("AAPL", week.iloc[:number], origin(day=number))
    assert len(elsewhere.read("AAPL").frame) == 3
    elsewhere.write("AAPL", week, origin())
    assert objects(elsewhere) == ["1d/AAPL.v3.parquet", "1d/AAPL.v4.parquet"]


# Naming a place


def test_a_file_url_is_a_folder(tmp_path):
    """Here is here, however it is written."""
    assert open_folder(f"file://{tmp_path}", "1d") == open_folder(tmp_path, "1d") == Local(tmp_path / "1d")


@pytest.mark.parametrize("url", ["nowhere://prices/lake", "gs://prices/lake"])
def test_a_place_that_nothing_here_can_reach(url):
    """An unknown storage, or one whose library is not installed: what to do about it."""
    with suppress(ImportError):
        __import__("gcsfs")
        pytest.skip("gcsfs is installed")
    with pytest.raises(ConfigError, match="cannot be reached") as caught:
        Lake(url).tickers()
    assert "pip install" in caught.value.remedy


def test_passwords_in_an_address_are_not_told():
    """A lake's address stands in messages."""
    folder = open_folder("sftp://somebody:canary@host/lake", "1d")
    assert folder.where("AAPL") == "sftp://host/lake/1d/AAPL.parquet"


def test_a_lake_elsewhere_has_no_path():
    """Who needs one is told why there is none."""
    with pytest.raises(ConfigError, match="not in a folder"):
        Lake("memory://lake").path("AAPL")


def test_the_environment_names_the_lake(project, elsewhere, week, origin, monkeypatch):
    """An address, a folder of the project, or any other."""
    monkeypatch.setenv("TICKERBOOK_LAKE", elsewhere.root)
    elsewhere.write("AAPL", week, origin())
    assert load_bars("AAPL").session == week.index[-1].date()
    for given, expected in [
        ("prices", project / "prices"),
        (f"{os.sep}srv{os.sep}lake", Path(f"{os.sep}srv{os.sep}lake")),
        ("~/lake", Path.home() / "lake"),
        ("", project / "data" / "lake"),
    ]:
        monkeypatch.setenv("TICKERBOOK_LAKE", given)
        assert load_settings(project).lake == expected


def test_a_folder_on_this_machine_needs_no_fsspec(lake, week, origin, monkeypatch):
    """Nothing of it is between a notebook and its prices."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("fsspec was asked")

    monkeypatch.setattr(fsspec.core, "url_to_fs", refuse)
    lake.write("AAPL", week, origin())
    lake.write("AAPL", week, origin(day=10))
    assert lake.bars("AAPL").session == week.index[-1].date()
    assert ask(lake, "select count(*) as n from bars")["n"].tolist() == [5]
