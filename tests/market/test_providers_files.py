"""A folder of files: as people save them, whole or not at all, with the line that is wrong."""

import asyncio
from contextlib import suppress
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import ConfigError, ProviderError, ProviderFault
from tickerbook.market.providers import provider
from tickerbook.market.providers._table import RefusedError, days, decoded, numbers, placed, read_text
from tickerbook.settings import ProviderParams

FIRST, LAST = date(1990, 1, 1), date(2030, 1, 1)
GOOD = """\
Date,Open,High,Low,Close,Volume
2020-01-02,10.0,11.0,9.5,10.5,1000
2020-01-03,10.5,12.0,10.0,11.5,2000
"""


@pytest.fixture
def read(tmp_path, ticker):
    """The history of a file with that content: `read(GOOD)`, `read(bytes, "AAPL.txt", adjustment="split")`."""

    def make(content, name="AAPL.csv", symbol="AAPL", interval="1d", calendar="XNYS", **params):
        path = tmp_path / "prices" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path)
        elif content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        files = provider("files", ProviderParams(project=tmp_path, folder="prices", **params))
        return asyncio.run(files.history(ticker(symbol, calendar=calendar), FIRST, LAST, interval))

    return make


@pytest.fixture
def refused(read):
    def make(*args, **options):
        with pytest.raises(ProviderError) as caught:
            read(*args, **options)
        assert caught.value.remedy
        return caught.value

    return make


def rows(frame):
    """Session → open, high, low, close, volume."""
    return {
        f"{day:%Y-%m-%d}": values for day, values in zip(frame.index, frame.to_numpy().tolist(), strict=True)
    }


EXPECTED = {"2020-01-02": [10.0, 11.0, 9.5, 10.5, 1000.0], "2020-01-03": [10.5, 12.0, 10.0, 11.5, 2000.0]}
COMMA = (
    GOOD.replace(",", ";")
    .replace(".", ",")
    .replace("Date;Open;High;Low;Close;Volume", "Datum;Eröffnung;Hoch;Tief;Schlusskurs;Volumen")
)

SAVED = {
    "plain": GOOD,
    "UTF-8 with a mark": GOOD.encode("utf-8-sig"),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16 without a mark": GOOD.encode("utf-16-le"),
    "UTF-16 the other way round": GOOD.encode("utf-16-be"),
    "Windows' line ends": GOOD.replace("\n", "\r\n"),
    "old line ends": GOOD.replace("\n", "\r"),
    "without a last line end": GOOD.rstrip(),
    "with empty lines": GOOD.replace("\n", "\n\n") + "\n\n",
    "quoted": "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in GOOD.splitlines()),
    "spaces": GOOD.replace(",", " , "),
    "tabs": GOOD.replace(",", "\t"),
    "bars": GOOD.replace(",", "|"),
    "semicolons": GOOD.replace(",", ";"),
    "semicolons and decimal commas": COMMA,
    "the same in Latin-1": COMMA.encode("latin-1"),
    "Excel's first line": "sep=;\n" + COMMA,
    "comments": "# from a colleague\n# on a Monday\n" + GOOD,
    "newest first": "\n".join([GOOD.splitlines()[0], *GOOD.splitlines()[:0:-1]]),
    "small letters": GOOD.lower(),
    "capitals": GOOD.upper(),
    "pandas with an unnamed index": GOOD.replace("Date,", ","),
    "numbered rows": "\n".join(
        f"{n},{line}" for n, line in zip(["Row", 0, 1], GOOD.splitlines(), strict=True)
    ),
    "other names": GOOD.replace("Date,Open,High,Low,Close,Volume", "timestamp,o,h,l,c,v"),
    "Nasdaq": "Date,Close/Last,Volume,Open,High,Low\n01/31/2020,$1,1,$1,$1,$1\n"
    "01/03/2020,$11.5,2000,$10.5,$12.0,$10.0\n01/02/2020,$10.5,1000,$10.0,$11.0,$9.5\n",
    "Investing.com": '"Date","Price","Open","High","Low","Vol.","Change %"\n'
    '"Jan 03, 2020","11.5","10.5","12.0","10.0","2.00K","9.52%"\n"Jan 02, 2020","10.5","10.0","11.0","9.5","1.00K","5.00%"\n',
    "Alpha Vantage": GOOD.replace("Date", "timestamp").lower().replace("\n", "\r\n"),
    "Stooq": GOOD.replace("-", "").replace("Date,", "<DATE>,").replace("Open", "<OPEN>").replace("High", "<HIGH>").replace("Low", "<LOW>").replace("Close", "<CLOSE>").replace("Volume", "<VOL>"),
    "a column of symbols": GOOD.replace("Date", "Ticker,Date").replace("\n2020", "\nAAPL,2020"),
    "times": GOOD.replace("-02,", "-02 00:00:00,").replace("-03,", "-03 00:00:00,"),
    "times with offsets": GOOD.replace("-02,", "-02 00:00:00-05:00,").replace("-03,", "-03 00:00:00-05:00,"),
    "ISO times in UTC": GOOD.replace("-02,", "-02T14:30:00Z,").replace("-03,", "-03T14:30:00Z,"),
    "slashes": GOOD.replace("2020-01-", "2020/01/"),
    "points": GOOD.replace("2020-01-02", "02.01.2020").replace("2020-01-03", "03.01.2020"),
    "names of months": GOOD.replace("2020-01-02", "2-Jan-2020").replace("2020-01-03", "3-Jan-2020"),
    "seconds since 1970": GOOD.replace("2020-01-02", "1577975400").replace("2020-01-03", "1578061800"),
    "milliseconds": GOOD.replace("2020-01-02", "1577975400000").replace("2020-01-03", "1578061800000"),
    "an adjusted close besides": GOOD.replace("Close,", "Close,Adj Close,").replace("10.5,1000", "10.5,9.9,1000").replace("11.5,2000", "11.5,10.8,2000"),
}  # fmt: skip


@pytest.mark.parametrize("way", SAVED)
def test_ways_in_which_people_save_prices(read, way):
    """The same two bars each; a third where a date needs it to be clear."""
    frame = read(SAVED[way]).frame
    assert rows(frame.loc[:"2020-01-03"]) == EXPECTED
    assert frame.index.is_monotonic_increasing
    assert set(frame.dtypes) == {np.dtype("float64")}


BROKEN = {
    "a field too many": (
        GOOD.replace("11.0,9.5", "11.0,9.5,7"),
        "line 2 has 7 fields, its header 6",
    ),
    "a field too many in every row, where pandas moves all columns": (
        GOOD.replace("00\n", "00,\n"),
        "line 2 has 7 fields, its header 6",
    ),
    "a field too few": (GOOD.replace("12.0,", ""), "line 3 has 5 fields, its header 6"),
    "a row cut off": (GOOD[:-8], "line 3 has 5 fields, its header 6"),
    "a quote that is not closed": (
        GOOD.replace("\n2020-01-03", '\n"2020-01-03') + "2020-01-06,1,1,1,1,1\n",
        "line 3 cannot be read (unexpected end of data)",
    ),
    "a quote that is closed later": (
        GOOD.replace("\n2020-01-03", '\n"2020-01-03') + '2020-01-06",1,1,1,1,1\n',
        "a quote that begins on line 3 is not closed there",
    ),
    "a column twice": (GOOD.replace("High", "Open"), "line 1 has the column 'Open' twice"),
    "two columns for one": (
        GOOD.replace("High", "Last"),
        "its columns 'Last' and 'Close' both mean close; say which in `columns`",
    ),
    "a header only": (GOOD.splitlines()[0] + "\n", "line 1 is a header and nothing follows"),
    "nothing": ("", "it is empty"),
    "comments only": ("# nothing\n\n", "it is empty"),
    "no header": (
        GOOD.split("\n", 1)[1],
        "its first line names no column of prices ('2020-01-02,10.0,11.0,9.5,10.5,1000')",
    ),
    "no low": (GOOD.replace("Low", "Lo w w"), "it has no column for low among 'Date', 'Open', 'High', 'Lo w w', 'Close', 'Volume'"),
    "an adjusted close only": (
        GOOD.replace("Close", "Adj Close"),
        "it has no column for close among 'Date', 'Open', 'High', 'Low', 'Adj Close', 'Volume'",
    ),
    "a text for a price": (GOOD.replace("12.0", "twelve"), "line 3: 'twelve' in 'High' is not a number"),
    "infinity": (GOOD.replace("12.0", "inf"), "line 3: 'inf' in 'High' is not a number"),
    "a spreadsheet's error": (GOOD.replace("12.0", "#REF!"), "line 3: '#REF!' in 'High' is not a number"),
    "two points": (GOOD.replace("12.0", "1.2.0"), "line 3: '1.2.0' in 'High' is not a number"),
    "a date that is none": (GOOD.replace("01-03", "02-30"), "line 3: '2020-02-30' in 'Date' is not a date"),
    "no date": (GOOD.replace("2020-01-03", ""), "line 3: '' in 'Date' is not a date"),
    "dates in two ways": (GOOD.replace("2020-01-03", "03.01.2020"), "line 3: '03.01.2020' in 'Date' is not a date"),
    "day and month either way round": (
        GOOD.replace("2020-01-02", "01/02/2020").replace("2020-01-03", "01/03/2020"),
        "line 2: day and month of '01/02/2020' may be either way round, and no row tells",
    ),
    "another company's rows": (
        GOOD.replace("Date", "Symbol,Date").replace("\n2020-01-02", "\nAAPL,2020-01-02").replace("\n2020-01-03", "\nMSFT,2020-01-03"),
        "it has rows of MSFT",
    ),
    "a web page": ("<!DOCTYPE html><html>\n<p>Please log in", "its first line names no column of prices ('<!DOCTYPE html><html>')"),
    "an archive": (b"PK\x03\x04\x00\x00\x00\x00", "it is not a text"),
    "a negative split": (
        GOOD.replace("Volume", "Volume,Split").replace("1000", "1000,0").replace("2000", "2000,-2"),
        "line 3: a split is not negative",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", BROKEN)
def test_what_cannot_be_right_is_not_taken(refused, way):
    """Not a row of it, and with the line."""
    content, why = BROKEN[way]
    error = refused(content)
    assert error.kind is ProviderFault.MALFORMED
    assert error.message == f"AAPL: AAPL.csv is not taken: {why}."
    assert "AAPL.csv right" in error.remedy


# Columns


def test_an_action_without_a_column_is_unknown(read):
    """Not none."""
    assert read(GOOD).actions == ()


def test_dividends_and_splits(read):
    """A cell without one means none; a split is a number, a ratio, or 0."""
    text = (
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2020-01-02,1,1,1,1,1,,0\n2020-01-03,1,1,1,1,1,0.25,4:1\n2020-01-06,1,1,1,1,1,0,1/10\n2020-01-07,1,1,1,1,1,0,1.5\n"
    )
    frame = read(text).frame
    assert frame["dividend"].tolist() == [0.0, 0.25, 0.0, 0.0]
    assert frame["split"].tolist() == [1.0, 4.0, 0.1, 1.5]


def test_a_missing_volume_is_unknown(read):
    """NaN, not 0; so is a missing price, on which quality decides."""
    frame = read("Date,Open,High,Low,Close\n2020-01-02,1,2,1,null\n").frame
    assert frame["volume"].isna().all()
    assert frame["close"].isna().all()
    assert frame["high"].tolist() == [2.0]


def test_columns_are_mapped_by_params(read):
    """A name told goes before one that is recognised."""
    text = GOOD.replace("Close", "Settle").replace("Volume", "Last")
    columns = {"close": "Settle", "volume": "Last"}
    assert rows(read(text, columns=columns).frame) == EXPECTED


def test_a_mapped_column_that_is_not_there(refused):
    """Told by both names."""
    error = refused(GOOD, columns={"close": "Settle"})
    assert "it has no column 'Settle', which `columns` says is close" in error.message


def test_mapping_what_is_no_column_of_ours():
    """When the provider is made, with the nearest."""
    with pytest.raises(ConfigError, match=r"has no 'clos'\. Did you mean close") as caught:
        provider("files", ProviderParams(columns={"clos": "Settle"}))
    assert "It takes date, open" in caught.value.remedy


def test_prices_that_are_adjusted_for_their_splits(read):
    """`adjustment = "split"`: turned back into prices as traded."""
    text = (
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2020-08-28,126,127,124.5,124.8075,400,0.205,0\n2020-08-31,127.58,131,126,129.04,200,0,4\n"
    )
    frame = read(text, adjustment="split").frame
    assert frame.iloc[0][["close", "volume", "dividend"]].tolist() == [499.23, 100.0, 0.82]
    assert frame.iloc[1][["close", "volume", "split"]].tolist() == [129.04, 200.0, 4.0]


def test_adjusted_prices_without_their_splits(refused):
    """Nobody can undo what is not told."""
    assert "no column of splits to undo them" in refused(GOOD, adjustment="split").message


# Numbers


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,234.56", 1234.56),
        ("1,234,567", 1_234_567.0),
        ("-37.63", -37.63),
        ("−37.63", -37.63),
        ("+1", 1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("$12.50", 12.5),
        ("12.5M", 12_500_000.0),
        ("n/a", np.nan),
        ("-", np.nan),
        ("", np.nan),
    ],
)
def test_numbers_as_people_write_them(written, number):
    """With a decimal point."""
    text = read_text(f'Date,Open,High,Low,Close,Volume\n2020-01-02,1,1,1,1,"{written}"\n', {})
    assert numbers(text, 5).tolist() == pytest.approx([number], nan_ok=True)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1.234,56", 1234.56),
        ("1 234,56", 1234.56),
        ("1\u202f234,56", 1234.56),
        ("1'234,5", 1234.5),
        ("0,5", 0.5),
        ("1.234.567", 1_234_567.0),
        ("12", 12.0),
    ],
)
def test_numbers_with_decimal_commas(written, number):
    """Where the prices of the file have them."""
    text = read_text(f"Date;Open;High;Low;Close;Volume\n2020-01-02;1,5;1,5;1,5;1,5;{written}\n", {})
    assert numbers(text, 5).tolist() == [number]


@pytest.mark.parametrize(
    "written", ["1,23", "12,34,567", "1,234,5", "0x10", "1_000", "1.5.5", "٣", "--1", "1e", "1 2"]
)
def test_numbers_that_are_none(written):
    """Grouped wrongly, or not numbers here."""
    text = read_text(f'Date,Open,High,Low,Close,Volume\n2020-01-02,1,1,1,1,"{written}"\n', {})
    with pytest.raises(RefusedError, match="line 2"):
        numbers(text, 5)


@given(st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=1, max_size=30))
def test_what_python_writes_is_read_back(values):
    """Every float, to its last bit."""
    lines = "\n".join(f"2020-01-02,{value!r},1,1,1,1" for value in values)
    text = read_text(f"Date,Open,High,Low,Close,Volume\n{lines}\n", {})
    assert numbers(text, 1).tolist() == values


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    """Nothing else is raised, whatever stands there."""
    with suppress(RefusedError):
        table = read_text(decoded(("Date,Open,High,Low,Close\n" + text).encode("utf-8", "surrogatepass")), {})
        at = placed(table.header, {})
        days(table, at["date"])
        for name in ("open", "close"):
            numbers(table, at[name])


def test_days_first_where_a_row_tells(read):
    """A 31 is no month."""
    text = GOOD.replace("2020-01-02", "02/01/2020").replace("2020-01-03", "31/01/2020")
    assert [f"{day:%Y-%m-%d}" for day in read(text).frame.index] == ["2020-01-02", "2020-01-31"]


# Files


def test_a_file_that_is_not_there(refused):
    """With the name it should have."""
    error = refused(GOOD, "MSFT.csv")
    assert error.kind is ProviderFault.NOT_FOUND
    assert "there is no file for it in" in error.message
    assert "AAPL.csv or AAPL.parquet" in error.remedy


def test_a_folder_that_is_not_there(refused):
    """The same."""
    assert refused(None, "../elsewhere/AAPL.csv").kind is ProviderFault.NOT_FOUND


def test_two_files_for_one_ticker(read, refused):
    """Which is meant?"""
    read(GOOD, "AAPL.txt")
    error = refused(GOOD, "aapl.csv")
    assert error.kind is ProviderFault.MALFORMED
    assert "there are AAPL.txt and aapl.csv in" in error.message


@pytest.mark.parametrize("symbol", ["BRK.B", "^GSPC", "0700", "NAN", "CON"])
def test_strange_symbols(read, symbol):
    """A file's name is the symbol."""
    assert rows(read(GOOD, f"{symbol}.csv", symbol).frame) == EXPECTED


def test_a_file_that_may_not_be_read(refused, tmp_path):
    """A folder with a file's name."""
    (tmp_path / "prices" / "AAPL.csv").mkdir(parents=True)
    assert refused(None).kind is ProviderFault.UNREACHABLE


def test_the_source_names_the_file(read):
    """The reader sees whose prices they are."""
    assert read(GOOD).source == "files (AAPL.csv)"


def test_rows_delivered_twice_stay_twice(read):
    """Quality decides which is right."""
    assert len(read(GOOD + GOOD.splitlines()[2] + "\n").frame) == 3


def test_times_of_another_exchange(read):
    """15:00 UTC is already tomorrow in Tokyo; a naive time is the exchange's."""
    text = "Date,Open,High,Low,Close\n2020-01-05T15:00:00Z,1,1,1,1\n"
    assert read(text, calendar="XTKS").frame.index[0] == pd.Timestamp("2020-01-06")


def test_intraday_files_stand_in_a_folder_of_their_own(read):
    """Naive times are the exchange's: 09:30 in New York is 14:30 UTC in winter."""
    text = GOOD.replace("2020-01-02", "2020-01-02 09:30").replace("2020-01-03", "2020-01-02 09:35")
    frame = read(text, "5m/AAPL.csv", interval="5m").frame
    assert [f"{at:%m-%d %H:%M %Z}" for at in frame.index] == ["01-02 14:30 UTC", "01-02 14:35 UTC"]
    assert "dividend" not in frame


# Parquet


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "Open": [10.0, 10.5],
            "High": [11.0, 12.0],
            "Low": [9.5, 10.0],
            "Close": [10.5, 11.5],
            "Volume": [1000, 2000],
        },
        index=pd.DatetimeIndex(["2020-01-02", "2020-01-03"], name="Date"),
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame,
        lambda frame: frame.reset_index(),
        lambda frame: frame.rename_axis(None),
        lambda frame: frame.astype("float32"),
        lambda frame: frame.set_axis(frame.index.tz_localize("America/New_York")),
        lambda frame: frame.set_axis(frame.index.strftime("%Y-%m-%d")).rename_axis("Date"),
        lambda frame: frame.set_axis(frame.index.date).rename_axis("Date"),
        lambda frame: frame.assign(Ticker="AAPL"),
        lambda frame: frame.iloc[::-1],
    ],
)
def test_parquet(read, table, change):
    """However pandas wrote it."""
    assert rows(read(change(table), "AAPL.parquet").frame) == EXPECTED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda frame: frame.iloc[:0], "it has columns and no rows"),
        (lambda frame: frame.drop(columns="Low"), "it has no column for low"),
        (lambda frame: frame.assign(Close=["many", "few"]), "its column 'Close' has something that is not a number"),
        (lambda frame: frame.set_axis(pd.DatetimeIndex([None, "2020-01-03"])), "row 1 has no date"),
        (lambda frame: frame.assign(Ticker=["AAPL", "MSFT"]), "it has rows of MSFT"),
        (lambda frame: frame.assign(Last=1.0), "both mean close"),
    ],
)  # fmt: skip
def test_parquet_that_cannot_be_right(refused, table, change, why):
    """All or nothing, here too."""
    error = refused(change(table), "AAPL.parquet")
    assert error.kind is ProviderFault.MALFORMED
    assert why in error.message


def test_what_is_no_parquet(refused):
    """A CSV with another name."""
    error = refused(GOOD, "AAPL.parquet")
    assert error.kind is ProviderFault.MALFORMED
    assert "it is not a Parquet file that can be read" in error.message
