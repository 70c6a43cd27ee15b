"""Every provider on a bench: given prices, it is made to deliver them, each in its own way.

A provider found in its folder that has no bench here is held to what needs none.
"""

import asyncio
from pathlib import Path

import pandas as pd
from stub import KEYS, Stub

from tickerbook.market.providers import close, provider
from tickerbook.market.raw import RAW
from tickerbook.settings import ProviderParams

NETWORKED = ("alphavantage", "finnhub", "massive", "polygon", "yahoo")
KEYED = tuple(KEYS)


class Bench:
    """One provider and what it is to deliver.

    Attributes:
        name: the provider's.
        provider: made anew.
        stub: the server it asks; None without one.
    """

    def __init__(self, name: str, folder: Path, stub: Stub | None, **params):
        self.name, self.folder, self.stub = name, folder, stub
        self.provider = provider(name, ProviderParams(project=folder, **params))

    def holds(self, symbol: str, raw: pd.DataFrame, intraday: pd.DataFrame | None = None) -> None:
        """From now on it has these prices, as traded."""
        if self.stub is not None:
            self.stub.holds(symbol, raw, intraday)
            return
        for place, table in (("data/prices", raw), ("data/prices/5m", intraday)):
            if table is not None:
                path = self.folder / place / f"{symbol}.csv"
                path.parent.mkdir(parents=True, exist_ok=True)
                table.rename_axis("Date").to_csv(path)

    def ask(self, what: str, *arguments):
        """The result of a method of the provider, in an event loop of its own."""
        return asyncio.run(self.asked(what, *arguments))

    async def asked(self, what: str, *arguments):
        try:
            return await getattr(self.provider, what)(*arguments)
        finally:
            await close([self.provider])

    def history(self, ticker, first, last, *interval):
        return self.ask("history", ticker, first, last, *interval)


def truth(answers: Path) -> pd.DataFrame:
    """AAPL around its split of 2020-08-31, as traded, with the dividend that Apple declared."""
    table = pd.read_csv(answers / "aapl_split_2020.csv", comment="#", index_col="session", parse_dates=True)
    factor = pd.Series([4.0 if f"{day:%m-%d}" < "08-31" else 1.0 for day in table.index], index=table.index)
    prices = list(RAW[:4])
    table[prices] = table[prices].mul(factor, axis=0).round(2)
    table["volume"] = table["volume"] / factor
    table["dividend"] = [0.82 if f"{day:%m-%d}" == "08-07" else 0.0 for day in table.index]
    table["split"] = [4.0 if f"{day:%m-%d}" == "08-31" else 1.0 for day in table.index]
    table.index = table.index.as_unit("ns")
    return table[list(RAW)]


def five_minutes() -> pd.DataFrame:
    """Half an hour of 5-minute bars after the opening of 2020-09-02, by instants. SYNTHETIC."""
    index = pd.date_range("2020-09-02T13:30Z", periods=6, freq="5min", name="began_at").as_unit("ns")
    close = pd.Series([137.6, 137.2, 136.9, 137.1, 136.5, 136.0], index=index)
    frame = pd.DataFrame({"open": close + 0.1, "high": close + 0.3, "low": close - 0.3, "close": close})
    return frame.assign(volume=[9e5, 8e5, 7e5, 6e5, 5e5, 4e5])
