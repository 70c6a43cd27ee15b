"""A program that fetches from a vendor of its own: for tests that run several at once, or kill them.

    python fetching.py FOLDER DAY TICKERS [PER_DAY]

Each ticker's history ends at DAY (of March 2012). A line is written to FOLDER/asked for each request, and one to the
standard output for each ticker that is done. SYNTHETIC prices: every ticker's own, the same every time.
"""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from tickerbook.market.lake import Lake
from tickerbook.market.providers import History, permitted
from tickerbook.market.sourcing import FetchResult, fetch
from tickerbook.sessions import sessions_between
from tickerbook.settings import ProviderParams, Ticker

FIRST = date(2007, 6, 1)


def ticker(number: int) -> Ticker:
    """T0, T1, …"""
    symbol = f"T{number}"
    return Ticker(symbol=symbol, name=symbol, providers=("fake",), calendar="XNYS", currency="USD")


def truth(symbol: str, day: int) -> pd.DataFrame:
    """What the lake must have of a ticker after a fetch of that day."""
    index = sessions_between("XNYS", FIRST, date(2012, 3, day)).as_unit("ns").rename("session")
    rng = np.random.default_rng(int(symbol[1:]))
    close = (50 * np.exp(np.cumsum(rng.normal(0, 0.01, 1500))))[: len(index)].round(4)
    prices = {"open": close, "high": close * 1.004, "low": close * 0.996, "close": close}
    volume = rng.lognormal(14, 0.2, 1500).round()[: len(index)]
    return pd.DataFrame(prices, index).assign(volume=volume, dividend=0.0, split=1.0)


class Fake:
    """Gives what is asked for, and writes down that it was asked."""

    def __init__(self, folder: Path, day: int) -> None:
        self.folder, self.day = folder, day

    async def history(self, asked, first, last, _interval="1d"):
        await permitted()
        with (self.folder / "asked").open("a", encoding="utf-8") as log:
            log.write(f"{asked.symbol}\n")
        rows = truth(asked.symbol, self.day).loc[pd.Timestamp(first) : pd.Timestamp(last)]
        return History(rows, "fake 1.0", "USD")


def main(folder: Path, day: int, tickers: int, per_day: int | None = None) -> list[FetchResult]:
    """Fetch so many tickers as of the evening of a day."""

    def told(result: FetchResult) -> None:
        sys.stdout.write(f"{result.status} {result.ticker} {result.message}\n")
        sys.stdout.flush()

    return fetch(
        [ticker(number) for number in range(tickers)],
        Lake(folder / "data" / "lake"),
        now_at=datetime(2012, 3, day, 23, tzinfo=UTC),
        on_done=told,
        params={"fake": ProviderParams(per_day=per_day)},
        data=folder / "data",
        ledger=f"sqlite:///{folder / 'data' / 'ledger.db'}",
        named=lambda _: Fake(folder, day),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(text) for text in sys.argv[2:]))
