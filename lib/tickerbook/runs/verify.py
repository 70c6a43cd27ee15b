"""Whether what is stored is whole, and fits together: run store, ledger and lake."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, select, text

from tickerbook.errors import DataError
from tickerbook.market.lake import project_lake
from tickerbook.runs.ledger import OPEN, Ledger
from tickerbook.runs.ledger.tables import BATCHES, RUNS
from tickerbook.settings import Settings
from tickerbook.store import RunStore, pointed


def problems(settings: Settings, ledger: Ledger) -> Iterator[str]:
    """Everything that is wrong, one sentence each. Nothing is changed.

    The ledger is read before the store, so a run that ends meanwhile is no problem.
    """
    with ledger.database.reading() as connection:
        found = list(_in_ledger(connection))
        good = select(RUNS.c.key).where(RUNS.c.state.in_(("ok", "unchanged"))).distinct()
        keys = connection.execute(good).scalars().all()
    yield from found
    yield from _in_store(RunStore(settings.runs), keys)
    yield from _in_lake(settings)


def _in_ledger(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        told = connection.execute(text("PRAGMA integrity_check")).scalars().all()
        yield from (f"The ledger's file is damaged: {line}." for line in told if line != "ok")
    over = select(BATCHES.c.id).where(BATCHES.c.state != "running")
    stuck = select(RUNS).where(RUNS.c.state.in_(OPEN), RUNS.c.batch.in_(over))
    for row in connection.execute(stuck):
        yield f"Run {row.id} ({row.notebook} {row.ticker}) is {row.state} in a batch that is over."


def _in_store(store: RunStore, keys: Sequence[str]) -> Iterator[str]:
    pointers = store.pointers()
    folders = store.folders()
    for folder in folders:
        if what := store.problem(folder):
            yield f"The stored run {folder.name} {what}."
    names = {folder.name for folder in folders}
    for path, pointer in pointers.items():
        if not pointer:
            yield f"{_short(path, store)} cannot be read."
        for name in sorted(pointed(pointer) - names):
            yield f"{_short(path, store)} names the run {name}, which is not stored."
    for key in sorted(set(keys) - names):
        yield f"The ledger has a good run {key}, which is not stored."


def _in_lake(settings: Settings) -> Iterator[str]:
    lake = project_lake(settings)
    for interval in lake.intervals():
        for ticker in lake.tickers(interval):
            try:
                lake.log(ticker, interval)
            except DataError as error:
                yield f"Prices of {ticker} ({interval}): {error.message}"


def _short(path: Path, store: RunStore) -> str:
    return str(path.relative_to(store.root.parent))
