"""Real deliveries, right and wrong, as the gate would get them."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from tickerbook.market.gate import Context

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("TICKERBOOK_SHARED") or ROOT.parent / "shared")
YAHOO = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
    "Dividends": "dividend",
    "Stock Splits": "split",
    "Capital Gains": "capital_gain",
}
CALENDARS = {  # Yahoo's suffixes of exchanges
    "AX": "XASX",
    "DE": "XETR",
    "HK": "XHKG",
    "IL": "XLON",
    "JO": "XJSE",
    "L": "XLON",
    "MI": "XMIL",
    "OL": "XOSL",
    "PA": "XPAR",
    "SA": "BVMF",
    "ST": "XSTO",
    "SW": "XSWX",
    "T": "XTKS",
    "TO": "XTSE",
    "V": "XTSE",
}


@dataclass(frozen=True, eq=False)
class Pair:
    """What Yahoo served and what its maintainers hold to be right (None: leave it alone)."""

    name: str
    kind: str
    what: str
    served: pd.DataFrame
    right: pd.DataFrame | None
    context: Context


def pairs() -> Iterator[Pair]:
    """The pairs and the files that must not be altered, of ../shared/yf_repair."""
    folder = SHARED / "yf_repair"
    for name, entry in json.loads((folder / "manifest.json").read_text(encoding="utf-8")).items():
        ticker, _, rest = name.partition("-1")
        if not ticker.isalnum():  # TICKER-EXCHANGE-1d-what
            ticker, rest = name.split("-1")[0], name.split("-1")[-1]
        interval = "1" + rest.split("-")[0]
        calendar = CALENDARS.get(ticker.rpartition("-")[2], "XNYS")
        right = entry.get("fixed")
        yield Pair(
            name,
            entry["kind"],
            entry["what"],
            served(folder / entry["file"]),
            served(folder / right) if right else None,
            Context(calendar, interval=interval),
        )


def served(path: Path) -> pd.DataFrame:
    """One of Yahoo's tables: local midnights with offset become dates."""
    frame = pd.read_csv(path, index_col=0)
    local = frame.index.astype(str).str.slice(0, 19)
    return frame.rename(columns=YAHOO).set_axis(pd.DatetimeIndex(pd.to_datetime(local)))[
        [YAHOO[name] for name in frame if name in YAHOO]
    ]


def corrupted() -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame, list[dict[str, Any]]]]:
    """Name, frame, clean frame and labelled defects of ../shared/bars/corrupt_synth."""
    clean = _csv(SHARED / "bars/pypi/bokeh_sampledata_2026.1_stocks.csv.gz")
    for truth in sorted((SHARED / "bars/corrupt_synth").glob("*_truth.json")):
        told = json.loads(truth.read_text(encoding="utf-8"))
        frame = _csv(truth.with_name(truth.name.replace("_truth.json", ".csv")))
        yield told["base"], frame, clean[clean["ticker"] == told["base"]], told["defects"]


def clean() -> Iterator[tuple[str, str, pd.DataFrame, Context]]:
    """Set, name, frame and context of everything that is served as good."""
    for path in sorted((SHARED / "bars/sp500_daily").glob("*.parquet")):
        frame = sp500(path)
        if len(frame):
            yield "sp500_daily", path.stem, frame, Context("XNYS")
    for path in sorted((SHARED / "bars/market_lab/long").glob("*.csv.gz")):
        yield "market_lab/long", path.name.split(".")[0], _csv(path), Context("XNYS")
    for path in sorted((SHARED / "bars/lean_raw").glob("*.csv.gz")):
        name = path.name.split(".")[0]
        yield "lean_raw", name, _with_splits(_csv(path), name), Context("XNYS", "none")
    for pair in pairs():
        if pair.right is None:
            yield "yf_repair, must not change", pair.name, pair.served, pair.context


def sp500(path: Path) -> pd.DataFrame:
    """A table of ../shared/bars/sp500_daily."""
    frame = pd.read_parquet(path).rename(columns={"dividends": "dividend", "splits": "split"})
    index = pd.DatetimeIndex(pd.to_datetime(frame.pop("date")))
    return frame.astype("float64").set_axis(index)


def _csv(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path)
    frame.columns = [name.lower() for name in frame.columns]
    return frame.set_axis(pd.DatetimeIndex(pd.to_datetime(frame.pop("date"))))


def _with_splits(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Bars as traded with the splits of their factor file, where there is one."""
    path = SHARED / f"bars/lean_raw/factor_files/{name.lower()}.csv"
    if not path.exists():
        return frame
    factors = pd.read_csv(path, header=None, index_col=0)[2]
    ratios = (factors.shift(-1) / factors).dropna()
    split = pd.Series(1.0, frame.index)
    for day, ratio in ratios[(ratios - 1).abs() > 1e-9].items():
        after = frame.index[frame.index > pd.Timestamp(str(day))]
        split.loc[after[0]] = round(ratio, 4)
    return frame.assign(split=split)


def last_completed(defects: list[dict[str, Any]], frame: pd.DataFrame) -> date:
    """The last completed session of a corrupted file: the one before its live bar."""
    live = [entry["first"] for entry in defects if "as_of" in entry]
    before = frame.index[frame.index < pd.Timestamp(live[0])] if live else frame.index
    return before.max().date()
