"""What the tests of the gate stand on: real bars that break well, and real bars that came broken."""

from functools import cache
from pathlib import Path

import pandas as pd
from bokeh_sampledata import stocks

from tickerbook.market.gate import Context, Finding, Verdict, judge

PRICES = ["open", "high", "low", "close"]
BROKEN = Path(__file__).parents[1] / "answers" / "bad_prices"
NEW_YORK = Context("XNYS", adjustment="none")


@cache
def bars(symbol: str) -> pd.DataFrame:
    """A whole real history of NYSE or Nasdaq, as traded, without actions."""
    frame = pd.DataFrame(getattr(stocks, symbol))[["date", *PRICES, "volume"]]
    index = pd.DatetimeIndex(pd.to_datetime(frame.pop("date")))
    return frame.astype("float64").set_axis(index.as_unit("ns").rename("session"))


def good(symbol: str = "IBM", rows: int = 600) -> pd.DataFrame:
    """The newest rows of a real history of NYSE or Nasdaq, as traded, without actions; no split in them."""
    return bars(symbol).iloc[-rows:].copy()


def served(name: str) -> pd.DataFrame:
    """A table as Yahoo served it, with what its maintainers hold to be right in columns `right_…`."""
    return pd.read_csv(BROKEN / f"{name}.csv", comment="#", index_col="session", parse_dates=True)


def checks(verdict: Verdict) -> set[str]:
    """Names of the checks that found more than a note."""
    return {finding.check for finding in verdict.findings if finding.severity != "info"}


def one(verdict: Verdict, check: str) -> Finding:
    """The only finding of a check."""
    (finding,) = [finding for finding in verdict.findings if finding.check == check]
    return finding


def changed(frame: pd.DataFrame, day: str, **values: float) -> pd.DataFrame:
    """The frame with other values on one day."""
    frame = frame.copy()
    for name, value in values.items():
        frame.loc[pd.Timestamp(day), name] = value
    return frame


def scaled(frame: pd.DataFrame, rows: slice, factor: float, columns: list[str] | None = None) -> pd.DataFrame:
    """The frame with some rows times a factor."""
    frame = frame.copy()
    places = [frame.columns.get_loc(name) for name in columns or PRICES]
    frame.iloc[rows, places] *= factor
    return frame


__all__ = ["NEW_YORK", "PRICES", "bars", "changed", "checks", "good", "judge", "one", "scaled", "served"]
