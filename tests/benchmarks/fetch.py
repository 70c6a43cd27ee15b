"""How fast prices are fetched: with nothing to do, and from a vendor that takes its time and limits its rate.

    python tests/benchmarks/fetch.py

Reads ../shared/bars/sp500_daily (or TICKERBOOK_SHARED): 250 tickers of up to eight years. The vendor is a server on
this machine, in a process of its own, that answers after 200 ms. The real providers ask it over HTTP, at most 50 times a
second: Polygon needs three requests for each ticker (bars, splits, dividends), Alpha Vantage one. What the limit allows
is (requests − 50) / 50 + 0.2 s: the first fifty at once, the others as their places come, and the time of the last
answer. Everything else of a fetch is included: reading what is stored, the quality gate, writing the lake (synced to the
disk), quotas and scorecard.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pandas as pd

from tickerbook.market.lake import Lake
from tickerbook.market.raw import RAW, undo_splits
from tickerbook.market.sourcing import FetchResult, fetch
from tickerbook.settings import ProviderParams, Ticker

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "market"))
import stub_shapes  # noqa: E402 - the shapes that the tests' vendors speak

SHARED = Path(os.environ.get("TICKERBOOK_SHARED") or ROOT.parent / "shared")
TICKERS, RATE, DELAY = 250, 50, 0.2
COMPACT = 100  # rows of Alpha Vantage's short answers
BEFORE = datetime(2023, 12, 28, 23, tzinfo=UTC)
AFTER = datetime(2023, 12, 29, 23, tzinfo=UTC)


def frames() -> Iterator[tuple[str, pd.DataFrame]]:
    """Prices as traded, of the tickers that trade to the end."""
    found = 0
    for path in sorted((SHARED / "bars" / "sp500_daily").glob("*.parquet")):
        table = pd.read_parquet(path).rename(columns={"dividends": "dividend", "splits": "split"})
        table.index = pd.DatetimeIndex(table.pop("date"), name="session").as_unit("ns")
        frame = table[list(RAW)].astype("float64").replace({"split": {0.0: 1.0}})
        if len(frame) and f"{frame.index[-1]:%Y-%m-%d}" == "2023-12-29" and found < TICKERS:
            found += 1
            yield path.stem, undo_splits(frame)


def serve() -> None:
    """Be the vendors; print the port, then for each day read from the input how many requests came before it."""
    whole = dict(frames())
    series = {symbol: _series(frame) for symbol, frame in whole.items()}
    stub = SimpleNamespace(frames=whole, lacks=set(), page=50_000, url="")
    asked, until = 0, ""

    @cache
    def body(path: str, query: str, until: str) -> bytes:
        told = dict(parse_qsl(query))
        if path != "/query":
            return json.dumps(stub_shapes.polygon(stub, path, told)[0]).encode()
        rows = [(day, bar) for day, bar in series[told["symbol"]] if day <= until]
        chosen = dict(rows[:COMPACT] if told["outputsize"] == "compact" else rows)
        meta = {"1. Information": "Prices", "2. Symbol": told["symbol"], "5. Time Zone": "US/Eastern"}
        return json.dumps({"Meta Data": meta, "Time Series (Daily)": chosen}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while head := await reader.readline():
            while (await reader.readline()).strip():
                pass
            asked += 1
            began = time.perf_counter()
            target = urlsplit(head.split()[1].decode())
            told = body(target.path, target.query, until)
            await asyncio.sleep(max(DELAY - (time.perf_counter() - began), 0.0))
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(told)}\r\n\r\n".encode() + told)
            await writer.drain()

    def heard() -> None:
        nonlocal asked, until
        until = sys.stdin.readline().strip()
        for symbol in series:  # what takes long to write is written before the clock runs
            for size in ("full", "compact"):
                query = f"function=TIME_SERIES_DAILY_ADJUSTED&symbol={symbol}&outputsize={size}"
                body("/query", query, until)
        stub.frames = {symbol: frame.loc[:until] for symbol, frame in whole.items()}
        sys.stdout.write(f"{asked}\n")
        sys.stdout.flush()
        asked = 0

    async def work() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        asyncio.get_running_loop().add_reader(sys.stdin, heard)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()

    asyncio.run(work())


def _series(frame: pd.DataFrame) -> list[tuple[str, dict[str, str]]]:
    """Bars as Alpha Vantage writes them, the newest first."""
    names = [f"{n}. {name}" for n, name in enumerate(RAW[:4], 1)]
    told = []
    for day, *prices, volume, dividend, split in frame.reset_index().itertuples(index=False):
        bar = dict(zip(names, (f"{price:.4f}" for price in prices), strict=True))
        bar |= {"6. volume": f"{volume:.0f}", "7. dividend amount": f"{dividend:.4f}"}
        told.append((f"{day:%Y-%m-%d}", bar | {"8. split coefficient": f"{split}"}))
    return told[::-1]


class Vendor:
    """The other process."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", __file__, "--serve"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self._line()}"

    def has(self, until: datetime) -> int:
        """Let it have prices until that day; how many requests came before."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{until:%Y-%m-%d}\n")
        self.process.stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def timed(
    name: str, vendor: Vendor, folder: Path, at: datetime, symbols: list[str]
) -> tuple[float, float, list[FetchResult]]:
    """Seconds by the clock and of this process, and the results, of a fetch at an instant."""
    given = {"calendar": "XNYS", "currency": "USD", "providers": (name,)}
    params = ProviderParams(base_url=vendor.url, per_second=RATE, premium=True, timeout=30.0, project=folder)
    data = folder / "data"
    places = {"data": data, "ledger": f"sqlite:///{data / 'ledger.db'}"}
    tickers = [Ticker(symbol=symbol, name=symbol, **given) for symbol in symbols]
    began, worked = time.perf_counter(), time.process_time()
    results = fetch(tickers, Lake(data / "lake"), now_at=at, params={name: params}, **places)
    return time.perf_counter() - began, time.process_time() - worked, results


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of exchange_calendars under pandas 3
    os.environ["ALPHAVANTAGE_API_KEY"] = os.environ["POLYGON_API_KEY"] = "benchmark"
    symbols = [symbol for symbol, _ in frames()]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    told = f"{os.cpu_count()} processors, {load:.1f} programs wanted one before"
    sys.stdout.write(f"{len(symbols)} tickers, {RATE} requests a second, {DELAY} s an answer; {told}\n")
    vendor = Vendor()
    try:
        for name in ("polygon", "alphavantage"):
            with tempfile.TemporaryDirectory() as folder:
                for line in _lines(name, vendor, Path(folder), symbols):
                    sys.stdout.write(line + "\n")
                    sys.stdout.flush()
    finally:
        vendor.process.kill()
        vendor.process.wait()


def _lines(name: str, vendor: Vendor, folder: Path, symbols: list[str]) -> Iterator[str]:
    for what, until in (("whole histories", BEFORE), ("one new session", AFTER)):
        vendor.has(until)
        seconds, worked, results = timed(name, vendor, folder, until, symbols)
        requests, new = vendor.has(until), sum(result.new_rows for result in results)
        failed = sum(result.status == "failed" for result in results)
        allowed = (requests - RATE) / RATE + DELAY
        yield (
            f"{name}, {what}: {seconds:.2f} s = {seconds / allowed:.2f} times the {allowed:.1f} s that the limit allows "
            f"(target 1.2); {requests} requests, {new:,} sessions new, {failed} failed; {worked:.1f} s of processor"
        )
    best = min(timed(name, vendor, folder, AFTER, symbols)[0] for _ in range(3))
    yield f"{name}, nothing to do: {best:.2f} s (target 2), {vendor.has(AFTER)} requests"


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
