"""Which stored runs go: those beyond a count, an age or a budget of disk, unless a page shows them."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, delete, func, select

from tickerbook.runs.ledger import OPEN, Ledger
from tickerbook.runs.ledger.rows import utc
from tickerbook.runs.ledger.tables import BATCHES, RUNS
from tickerbook.store import RunStore, pointed

_KEY = re.compile(rb"\b[0-9a-f]{64}\b")
_TEXTS = {".html", ".json"}
_MANY = 500  # keys in one statement


@dataclass(frozen=True)
class Limits:
    """How much is kept; None for no limit.

    Attributes:
        count: runs of each notebook and ticker.
        days: days since a run was last used.
        disk: bytes of all stored runs.
    """

    count: int | None = None
    days: int | None = None
    disk: int | None = None


@dataclass(frozen=True)
class StoredRun:
    """A folder of the run store.

    Attributes:
        of: its notebook and ticker; those that the ledger does not know are of one kind.
        used_at: when it was made, or last found unchanged.
        size: bytes.
    """

    folder: Path
    of: tuple[str, str]
    used_at: datetime
    size: int

    @property
    def key(self) -> str:
        """The run's."""
        return self.folder.name.partition(".")[0]


@dataclass(frozen=True)
class Pruning:
    """What is to be removed, and what is kept.

    Attributes:
        doomed: what goes.
        kept: what stays.
        shown: how many of these stay only because a page shows them.
    """

    doomed: tuple[StoredRun, ...]
    kept: tuple[StoredRun, ...]
    shown: int

    @property
    def freed(self) -> int:
        """Bytes of what goes."""
        return sum(one.size for one in self.doomed)

    @property
    def left(self) -> int:
        """Bytes of what stays."""
        return sum(one.size for one in self.kept)


def published(releases: Path) -> set[str]:
    """Keys of runs that finished sites name, be they in place or the ones before."""
    files = (path for path in releases.rglob("*") if path.suffix in _TEXTS and path.is_file())
    return {key.decode() for path in files for key in _KEY.findall(path.read_bytes())}


def stored_runs(store: RunStore, ledger: Ledger) -> list[StoredRun]:
    """Every folder of the run store, the one used last first."""
    newest = select(RUNS.c.key, RUNS.c.notebook, RUNS.c.ticker, func.max(RUNS.c.changed_at).label("at"))
    newest = newest.where(RUNS.c.key != "").group_by(RUNS.c.key, RUNS.c.notebook, RUNS.c.ticker)
    with ledger.database.reading() as connection:
        known = {row.key: ((row.notebook, row.ticker), utc(row.at)) for row in connection.execute(newest)}
    found = [_stored_run(folder, known) for folder in store.folders()]
    return sorted(found, key=lambda one: (one.used_at, one.folder.name), reverse=True)


def choose(runs: Sequence[StoredRun], shown: Collection[str], limits: Limits, now: datetime) -> Pruning:
    """What goes of runs, of which the one used last comes first.

    Args:
        runs: what is stored.
        shown: names of folders and keys that stay in any case.
        limits: how much is kept.
        now: from when days count back.
    """
    beyond = {one.folder for one in runs if _is_old(one, limits, now)} | _surplus(runs, limits)
    size = sum(one.size for one in runs if one.folder not in beyond or _is_shown(one, shown))
    for one in reversed(runs):
        if limits.disk is not None and size > limits.disk and one.folder not in beyond:
            beyond.add(one.folder)
            size -= 0 if _is_shown(one, shown) else one.size
    going = {one.folder for one in runs if one.folder in beyond and not _is_shown(one, shown)}
    doomed = tuple(one for one in runs if one.folder in going)
    kept = tuple(one for one in runs if one.folder not in going)
    return Pruning(doomed, kept, sum(one.folder in beyond for one in kept))


def in_use(store: RunStore) -> set[str]:
    """What pages are made from: of each notebook and ticker the newest run, and the newest good one."""
    shelves: dict[Path, list[dict[str, str]]] = defaultdict(list)
    for path, pointer in sorted(store.pointers().items(), reverse=True):
        shelves[path.parent].append(pointer)
    newest = [pointers[0] for pointers in shelves.values()]
    good = [next((one for one in pointers if one.get("ok")), {}) for pointers in shelves.values()]
    return {name for one in (*newest, *good) for name in pointed(one)}


def prune(store: RunStore, ledger: Ledger, pruning: Pruning, limits: Limits, now: datetime) -> None:
    """Remove what goes; of what is old, the ledger keeps a row for what is stored.

    The ledger goes first: what is stored and not in the ledger is no trouble, the reverse would be.
    """
    left = {one.key for one in pruning.kept}
    keys = sorted({one.key for one in pruning.doomed} - left)

    def work(connection: Connection) -> None:
        for start in range(0, len(keys), _MANY):
            connection.execute(delete(RUNS).where(RUNS.c.key.in_(keys[start : start + _MANY])))
        if limits.days is not None:
            newest = select(func.max(RUNS.c.id)).where(RUNS.c.key != "").group_by(RUNS.c.key)
            old = RUNS.c.changed_at < (now - timedelta(days=limits.days)).astimezone(UTC)
            over = RUNS.c.state.not_in(OPEN)
            connection.execute(delete(RUNS).where(old, over, RUNS.c.id.not_in(newest)))
        used = select(RUNS.c.batch)
        ended = BATCHES.c.state != "running"
        newest_batch = select(func.max(BATCHES.c.id)).scalar_subquery()
        connection.execute(
            delete(BATCHES).where(ended, BATCHES.c.id.not_in(used), BATCHES.c.id != newest_batch)
        )

    ledger.write(work)
    store.remove([one.folder for one in pruning.doomed])


def _stored_run(folder: Path, known: Mapping[str, tuple[tuple[str, str], datetime]]) -> StoredRun:
    of, used_at = known.get(folder.name.partition(".")[0], (("", ""), None))
    stats = [path.stat() for path in folder.iterdir()]
    newest = max((one.st_mtime for one in stats), default=folder.stat().st_mtime)
    made_at = datetime.fromtimestamp(newest, UTC)
    return StoredRun(folder, of, used_at or made_at, sum(one.st_size for one in stats))


def _is_old(run: StoredRun, limits: Limits, now: datetime) -> bool:
    return limits.days is not None and now - run.used_at > timedelta(days=limits.days)


def _surplus(runs: Iterable[StoredRun], limits: Limits) -> set[Path]:
    """What comes behind the newest of each notebook and ticker."""
    if limits.count is None:
        return set()
    shelves: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for one in runs:
        shelves[one.of].append(one.folder)
    return {folder for folders in shelves.values() for folder in folders[limits.count :]}


def _is_shown(run: StoredRun, shown: Collection[str]) -> bool:
    return run.key in shown or run.folder.name in shown
