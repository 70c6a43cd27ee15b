"""Tables of prices as people save them: read, or refused with the line that is wrong. Nothing is guessed.

A table is all right or not taken at all: a row with one field too many or a quote that nobody closed moves
every number behind it into another column.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

from tickerbook.bars import COLUMNS
from tickerbook.errors import ConfigError
from tickerbook.market.raw import RAW
from tickerbook.settings import nearest

NAMES = {
    "date": "date datetime time timestamp day session tradedate tradingday datum zeit fecha data index "
    "unnamed0",
    "open": "open o openprice opening eröffnung eroeffnung erster ouverture apertura opn",
    "high": "high h highprice hoch höchst hoechst tageshoch haut máximo maximo max",
    "low": "low l lowprice tief tiefst tagestief bas mínimo minimo min",
    "close": "close c closeprice closing closelast last price lastprice schluss schlusskurs schlußkurs "
    "clôture cloture dernier cierre último ultimo",
    "adj_close": "adjclose adjustedclose adjclosing closeadj closeadjusted",
    "volume": "volume v vol vol volumen umsatz stück stueck shares",
    "dividend": "dividend dividends divcash cashdividend dividendamount dividende",
    "split": "split splits stocksplits stocksplit splitfactor splitratio splitcoefficient",
    "symbol": "symbol ticker",
}
NEEDED = ("date", "open", "high", "low", "close")
_KNOWN = {word: ours for ours, words in NAMES.items() for word in words.split()}
_MISSING = {"", "null", "nan", "n/a", "na", "none", "-", "--", "n.a."}
_SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9}
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y")
_NAMED_DAYS = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%m-%d-%Y", "%d-%m-%Y")
_SIGN = r"[-+−]?[$€£]?"
_DOT = re.compile(rf"{_SIGN}(\d+|\d{{1,3}}(,\d{{3}})+)?(\.\d*)?([eE][-+]?\d+)?[kKmMbB]?", re.ASCII)
_COMMA = re.compile(
    rf"{_SIGN}(\d+|\d{{1,3}}([.'’ \u00a0\u202f]\d{{3}})+)?(,\d*)?([eE][-+]?\d+)?[kKmMbB]?", re.ASCII
)


class RefusedError(ValueError):
    """A table that cannot be right; the message says where and why."""


@dataclass(frozen=True)
class Text:
    """Rows of texts.

    Attributes:
        header: names of the columns.
        rows: as many fields each.
        lines: the line that each row begins on.
        decimal: "." or ",".
    """

    header: tuple[str, ...]
    rows: list[list[str]] = field(repr=False)
    lines: list[int] = field(repr=False)
    decimal: str


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 with or without a mark, else Windows' Latin-1.

    Raises:
        RefusedError: if it is not a text.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in content[:200]:
        encodings = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise RefusedError("it is not a text")


def read_text(text: str, columns: Mapping[str, str]) -> Text:
    """The table in a text, whatever separates its fields.

    Args:
        text: with a header line; lines before it that begin with "#", and Excel's "sep=;", are passed over.
        columns: our column → its name in the header, where it is told.

    Raises:
        RefusedError: if it is none; names the line.
    """
    lines = text.splitlines(keepends=True)
    skipped = 0
    while skipped < len(lines) and re.match(r"\s*$|#|sep=.$", lines[skipped].strip(), re.IGNORECASE):
        skipped += 1
    if skipped == len(lines):
        raise RefusedError("it is empty")
    separator = _separator(lines[skipped], columns)
    header, rows, numbers = _records(lines[skipped:], separator, skipped)
    if not rows:
        raise RefusedError(f"line {skipped + 1} is a header and nothing follows")
    return Text(header, rows, numbers, _decimal(separator, header, rows, columns))


def _separator(line: str, columns: Mapping[str, str]) -> str:
    def found(separator: str) -> int:
        return len(_recognised(next(csv.reader([line], delimiter=separator), []), columns))

    best = max(",;\t|", key=found)
    if found(best) == 0:
        shown = line.strip()[:60]
        raise RefusedError(f"its first line names no column of prices ({shown!r})")
    return best


def _records(
    lines: list[str], separator: str, skipped: int
) -> tuple[tuple[str, ...], list[list[str]], list[int]]:
    """Header, rows and the lines they begin on."""
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    rows, numbers, begin = list[list[str]](), list[int](), 1
    try:
        for row in reader:
            line, begin = skipped + begin, reader.line_num + 1
            if any("\n" in cell or "\r" in cell for cell in row):
                raise RefusedError(f"a quote that begins on line {line} is not closed there")
            if row and len(row) != len(rows[0] if rows else row):
                raise RefusedError(f"line {line} has {len(row)} fields, its header {len(rows[0])}")
            if row:
                rows.append([cell.strip() for cell in row])
                numbers.append(line)
    except csv.Error as error:
        raise RefusedError(f"line {skipped + begin} cannot be read ({error})") from error
    return tuple(rows[0]), rows[1:], numbers[1:]


def _plain(name: str) -> str:
    """A column's name without what differs between programs."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _recognised(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, list[int]]:
    """Our column → where it stands; a name told in params goes before those that are recognised."""
    found: dict[str, list[int]] = {}
    for at, name in enumerate(header):
        ours = _KNOWN.get(_plain(name)) or ("date" if at == 0 and not name.strip() else None)
        told = [our for our, theirs in columns.items() if theirs == name]
        for our in told or ([ours] if ours and ours not in columns else []):
            found.setdefault(our, []).append(at)
    return found


def placed(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Our column → its place.

    Raises:
        RefusedError: where a column is missing, or there are two for one.
    """
    twice = sorted({name for name in header if name and list(header).count(name) > 1})
    if twice:
        raise RefusedError(f"line 1 has the column {twice[0]!r} twice")
    found = _recognised(header, columns)
    for ours, places in found.items():
        if len(places) > 1:
            names = " and ".join(repr(header[at]) for at in places)
            raise RefusedError(f"its columns {names} both mean {ours}; say which in `columns`")
    for ours, theirs in columns.items():
        if ours not in found:
            raise RefusedError(f"it has no column {theirs!r}, which `columns` says is {ours}")
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise RefusedError(f"it has no column for {', '.join(missing)} among {', '.join(map(repr, header))}")
    return {ours: places[0] for ours, places in found.items()}


def check_columns(columns: Mapping[str, str]) -> None:
    """Raises ConfigError where `columns` names one that is not ours."""
    known = ["date", *RAW, "symbol"]
    for ours in columns:
        if ours not in known:
            raise ConfigError(
                f"params/providers.toml: `columns` of [files] has no {ours!r}.{nearest(ours, known)}",
                f"It takes {', '.join(known)}, each with the name of its column in the files.",
            )


def _decimal(separator: str, header: Sequence[str], rows: list[list[str]], columns: Mapping[str, str]) -> str:
    """The decimal sign: a comma where it separates no fields and is in prices, never before a point."""
    if separator == ",":
        return "."
    places = [at for ours, ats in _recognised(header, columns).items() if ours in COLUMNS[:4] for at in ats]
    cells = [row[at] for row, at in product(rows, places)]
    return (
        ","
        if any("," in cell for cell in cells) and not any(re.search(r",.*\.", cell) for cell in cells)
        else "."
    )


def numbers(text: Text, at: int) -> np.ndarray:
    """A column as numbers; what is written as missing is NaN.

    Raises:
        RefusedError: at the first that is neither; names the line.
    """
    form = _COMMA if text.decimal == "," else _DOT
    values = np.full(len(text.rows), np.nan)
    for n, row in enumerate(text.rows):
        cell = row[at]
        if cell.casefold() in _MISSING:
            continue
        if not form.fullmatch(cell) or not any(sign.isdigit() for sign in cell):
            raise RefusedError(f"line {text.lines[n]}: {cell[:40]!r} in {text.header[at]!r} is not a number")
        values[n] = _value(cell, text.decimal)
    return values


def _value(cell: str, decimal: str) -> float:
    plain = re.sub(r"[$€£'’ \u00a0\u202f]", "", cell).replace("−", "-")
    plain = plain.replace(".", "").replace(",", ".") if decimal == "," else plain.replace(",", "")
    factor = _SUFFIXES.get(plain[-1].casefold(), 1.0)
    return float(plain.rstrip("kKmMbB")) * factor


def split_ratios(text: Text, at: int) -> np.ndarray:
    """A column of splits: 4, 4:1 or 4/1; nothing, 0 and 1 are none.

    Raises:
        RefusedError: at the first that is none of these; names the line.
    """
    pairs = [re.fullmatch(r"(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)", row[at]) for row in text.rows]
    plain = Text(
        text.header,
        [
            [*row[:at], "" if pair else row[at], *row[at + 1 :]]
            for row, pair in zip(text.rows, pairs, strict=True)
        ],
        text.lines,
        text.decimal,
    )
    values = np.nan_to_num(numbers(plain, at), nan=0.0)
    for n, pair in enumerate(pairs):
        if pair and float(pair[2]) > 0:
            values[n] = float(pair[1]) / float(pair[2])
    if (values < 0).any():
        raise RefusedError(f"line {text.lines[int(np.argmax(values < 0))]}: a split is not negative")
    return np.where(values == 0, 1.0, values)


def days(text: Text, at: int) -> pd.DatetimeIndex:
    """A column as dates or times: aware where it says an offset or counts seconds, else naive.

    A way of writing dates must fit every row. Where day and month could be either way round in all of them,
    nobody knows which is meant.

    Raises:
        RefusedError: where none fits, or several do; names the line.
    """
    cells = pd.Series([row[at] for row in text.rows], dtype="str")
    for digits, unit in (("10", "s"), ("13", "ms")):
        if cells.str.fullmatch(rf"\d{{{digits}}}").all():
            return pd.DatetimeIndex(pd.to_datetime(cells.astype("int64"), unit=unit, utc=True))
    aware = cells.str.contains(r"\d:\d\d.*(?:Z|[+-]\d\d:?\d\d)$", regex=True)
    if aware.all():
        return _parsed(text, at, pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce"))
    ways = {
        way: pd.to_datetime(cells, format=way, errors="coerce").dt.as_unit("us")
        for way in (*_DAYS, *_NAMED_DAYS)
    }
    ways["ISO8601"] = (
        pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=True)
        .dt.tz_localize(None)
        .dt.as_unit("us")
    )
    fitting = [way for way, values in ways.items() if values.notna().all() and not aware.any()]
    if any(not ways[way].equals(ways[fitting[0]]) for way in fitting):
        raise RefusedError(
            f"line {text.lines[0]}: day and month of {cells[0]!r} may be either way round, and no row tells"
        )
    best = fitting[0] if fitting else max(ways, key=lambda way: int(ways[way].notna().sum()))
    return _parsed(text, at, ways[best])


def _parsed(text: Text, at: int, values: pd.Series) -> pd.DatetimeIndex:
    wrong = np.flatnonzero(values.isna())
    if len(wrong):
        cell = text.rows[wrong[0]][at]
        raise RefusedError(f"line {text.lines[wrong[0]]}: {cell[:40]!r} in {text.header[at]!r} is not a date")
    return pd.DatetimeIndex(values)
