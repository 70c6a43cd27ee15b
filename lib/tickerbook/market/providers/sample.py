"""Real daily prices that come with tickerbook's dependencies: no network, no key, nothing newer than 2013."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import as_file, files

import numpy as np
import pandas as pd

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.providers import History, not_served
from tickerbook.market.providers._frames import not_empty, within
from tickerbook.market.raw import RAW
from tickerbook.settings import ProviderParams, Ticker

_PACKAGE = "bokeh_sampledata"
_LARGEST_PART = 20  # of a split ratio: 20:1 and 3:20 exist, 331:298 is a dividend
_SMALLEST_SPLIT = 1.2  # 5:4 is the smallest usual split; dividends move the price by less
_EXACT = 1e-6  # relative; the file has 14 digits
_MICRO = 6  # decimals of a dividend


@dataclass(frozen=True)
class Sample:
    """AAPL, FB, GOOG, IBM and MSFT, 2000-03-01 to 2013-03-01, as traded.

    From Quandl's WIKI prices (public domain), as bokeh_sampledata ships them. Splits and dividends are
    derived: see `actions`.
    """

    params: ProviderParams = field(default_factory=ProviderParams)

    async def history(self, ticker: Ticker, first: date, last: date, interval: str = "1d") -> History:
        """Bars of the file, actions derived.

        Raises:
            ProviderError: NOT_FOUND for a ticker that is not in the file, NOT_ENTITLED for an interval.
        """
        if interval != "1d":
            raise not_served("The sample", ticker, interval)
        return await asyncio.to_thread(self._history, ticker, first, last)

    def _history(self, ticker: Ticker, first: date, last: date) -> History:
        table = _table()
        known = sorted(table["Ticker"].unique())
        if ticker.symbol not in known:
            raise ProviderError(
                ProviderFault.NOT_FOUND,
                f"The sample has no {ticker.symbol}; it has {', '.join(known)}.",
                'For other tickers set providers = ["yahoo"] in params/universe.toml.',
            )
        rows = table[table["Ticker"] == ticker.symbol].set_index("Date").rename(columns=str.lower)
        raw = rows.join(actions(rows["close"], rows["adj close"]))[list(RAW)].astype("float64")
        source = f"sample ({_PACKAGE} {version(_PACKAGE)})"
        return History(not_empty(within(raw, first, last), ticker.symbol, "The sample"), source, "USD")


def actions(close: pd.Series, adjusted_close: pd.Series) -> pd.DataFrame:
    """Dividends and splits from the jumps of adjusted close / close.

    The file multiplies that factor by the split ratio at a split and by (close + dividend) / close of the
    same session at a dividend. A jump is a split when it is at least 1.2 (or at most 1/1.2) and equals, to
    one part in a million, a fraction of whole numbers up to 20, such as 2:1; every other jump is a dividend,
    rounded to a millionth of the currency.

    Returns:
        Columns dividend and split of a raw frame.
    """
    factor = adjusted_close / close
    jump = (factor / factor.shift()).fillna(1.0)
    split = jump.where(jump.map(_is_split), 1.0)
    split = split.map(lambda ratio: float(Fraction(ratio).limit_denominator(_LARGEST_PART)))
    dividend = (close * (jump / split - 1.0)).round(_MICRO) + 0.0  # no negative zero
    return pd.DataFrame({"dividend": dividend, "split": split})


def _is_split(jump: float) -> bool:
    if abs(np.log(jump)) < np.log(_SMALLEST_SPLIT):
        return False
    ratio = Fraction(jump).limit_denominator(_LARGEST_PART)
    return ratio.numerator <= _LARGEST_PART and abs(float(ratio) / jump - 1.0) < _EXACT


@lru_cache(maxsize=1)
def _table() -> pd.DataFrame:
    """The file as it is; no ticker is read as a missing value."""
    with as_file(files(_PACKAGE) / "_data" / "stocks.csv.gz") as path:
        return pd.read_csv(path, dtype={"Ticker": str}, keep_default_na=False, parse_dates=["Date"])
