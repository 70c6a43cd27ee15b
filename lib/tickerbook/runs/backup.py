"""A backup in one file, and back: ledger, run store, prices and what else cannot be made again.

A tar file, compressed: `ledger.db` (SQLite, wherever the ledger is), the folders, and at the end
`backup.json` with the SHA-256 of each file. It may be made while notebooks run. The ledger is read first, as
at one moment; a run is stored before the ledger says so, and before anything points to it, so all that is
named is there.
"""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

from sqlalchemy import func, select

from tickerbook.errors import ConfigError, TornFileError
from tickerbook.files import dump_json, whole_file
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger.tables import BATCHES, CHANGES, RUNS
from tickerbook.runs.ledger.transfer import transfer
from tickerbook.settings import Settings

_LEDGER, _ABOUT = "ledger.db", "backup.json"
_FIRST = "latest"  # of the run store: what points to runs is read before the runs
_PASSING = (".part", ".old", ".lock")
_TRIES = 5


@dataclass(frozen=True)
class Contents:
    """What a backup has.

    Attributes:
        made_at: ISO instant.
        runs: rows of the ledger.
        last_change: number of the ledger's newest change: the moment that it shows.
        files: name → SHA-256.
    """

    made_at: str
    runs: int
    last_change: int
    files: dict[str, str]


def back_up(settings: Settings, ledger: Ledger, file: Path, now: datetime) -> Contents:
    """Write a backup; what was at `file` before stays until the new one is whole.

    Raises:
        OSError: if it cannot be written.
    """
    digests: dict[str, str] = {}
    with whole_file(file) as part, tarfile.open(part, "w:gz", compresslevel=3) as tar:
        copy, (runs, last) = _ledger_copy(ledger, now)
        digests[_LEDGER] = _add(tar, _LEDGER, copy)
        for name, folder in _folders(settings).items():
            for path, content in _contents(folder):
                member = f"{name}/{path.relative_to(folder).as_posix()}"
                digests[member] = _add(tar, member, content)
        contents = Contents(now.isoformat(), runs, last, digests)
        _add(tar, _ABOUT, dump_json(asdict(contents)).encode())
    return contents


def restore(settings: Settings, file: Path, now: datetime) -> Contents:
    """Put a backup's content in place, in a project that has no data yet.

    Nothing is in place before every file was found to be as it was.

    Raises:
        ConfigError: if there is data already, or no such file.
        TornFileError: if the backup is damaged, or none.
    """
    ledger = Ledger(settings.ledger)
    _check_empty(settings, ledger)
    data = settings.project / "data"
    data.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data, prefix=".restore-") as folder:
        contents = _unpacked(file, Path(folder))
        for name, target in _folders(settings).items():
            if (Path(folder) / name).is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.is_dir():
                    target.rmdir()  # it is empty
                shutil.move(Path(folder) / name, target)
        copy = Ledger(f"sqlite:///{Path(folder) / _LEDGER}")
        with copy.database.reading() as source:
            ledger.write(lambda target: transfer(source, target, now))
        copy.database.engine.dispose()
    return contents


def _folders(settings: Settings) -> dict[str, Path]:
    """Name in the backup → folder. A lake on shared storage has backups of its own."""
    data = settings.project / "data"
    named = {name: data / name for name in ("runs", "trials", "quarantine", "prices")}
    return named | ({"lake": settings.lake} if isinstance(settings.lake, Path) else {})


def _ledger_copy(ledger: Ledger, now: datetime) -> tuple[bytes, tuple[int, int]]:
    """The ledger as an SQLite file, how many runs it has, and its newest change."""
    with tempfile.TemporaryDirectory(prefix="tickerbook-copy-") as folder:
        path = Path(folder) / _LEDGER
        copy = Ledger(f"sqlite:///{path}")
        with ledger.database.reading() as source:
            copy.write(lambda target: transfer(source, target, now))
        with copy.database.reading() as connection:
            runs = connection.execute(select(func.count()).select_from(RUNS)).scalar() or 0
            last = connection.execute(select(func.max(CHANGES.c.id))).scalar() or 0
        copy.database.engine.dispose()  # the last connection to leave writes everything into the one file
        return path.read_bytes(), (runs, last)


def _contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below a folder; the files of one folder are of one moment."""
    top = [path for path in folder.iterdir() if not _passes(path)] if folder.is_dir() else []
    for path in sorted(top, key=lambda one: (one.name != _FIRST, one.name)):
        yield from (_of_one_moment(path) if path.is_dir() else [(path, path.read_bytes())])


def _of_one_moment(folder: Path) -> list[tuple[Path, bytes]]:
    """The files of a folder that another may take the place of meanwhile."""
    for _ in range(_TRIES):
        try:
            before = folder.stat().st_ino
            found = [(p, p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file() and not _passes(p)]
            if folder.stat().st_ino == before:
                return found
        except FileNotFoundError:
            continue
    return []


def _passes(path: Path) -> bool:
    """Whether a file or folder is of a moment only."""
    return path.name.startswith(".") or path.suffix in _PASSING


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> str:
    """Add a file; its digest."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, BytesIO(content))
    return hashlib.sha256(content).hexdigest()


def _check_empty(settings: Settings, ledger: Ledger) -> None:
    taken = [folder for folder in _folders(settings).values() if folder.is_dir() and any(folder.iterdir())]
    with ledger.database.reading() as connection:
        ran = connection.execute(select(BATCHES.c.id).limit(1)).first() is not None
    if taken or ran:
        what = str(taken[0]) if taken else "the ledger"
        raise ConfigError(
            f"There is data in this project already: {what}.",
            "A backup is restored where there is none: move data/ away, or take another copy of the project.",
        )


def _unpacked(file: Path, folder: Path) -> Contents:
    """The content of a backup, in a folder, each file as it was."""
    with _translated(file), tarfile.open(file, "r:gz") as tar:
        for member in tar:
            _extract(tar, member, folder)
        contents = Contents(**json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
        digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in contents.files}
    if digests != contents.files:
        raise TornFileError(f"{file} is not as it was written.", "Take another backup.")
    return contents


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one file of an archive; whatever is no plain file inside the folder is refused.

    `TarFile.extractall` has a filter for this since Python 3.11.4.
    """
    path, content = (folder / member.name).resolve(), tar.extractfile(member) if member.isfile() else None
    if content is None or not path.is_relative_to(folder.resolve()):
        raise tarfile.TarError(f"it holds {member.name!r}, which is no file of a backup")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.read())


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if os.fspath(file) == error.filename:
            raise ConfigError(
                f"There is no file {file}.", "Name one that `tickerbook backup` wrote."
            ) from error
        raise TornFileError(f"{file} is damaged: {error}.", "Take another backup.") from error
    except (tarfile.TarError, EOFError, ValueError, TypeError, OSError) as error:
        raise TornFileError(f"{file} is no backup, or damaged: {error}.", "Take another backup.") from error
