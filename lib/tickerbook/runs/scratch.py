"""A process's own temporary folder, by which others of this machine see whether it is alive."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "tickerbook-"
_LOCK = "alive"  # held as long as the process lives; the system lets go of it when it is killed


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that only its owner may enter, gone at the end; those of killed processes go first."""
    _sweep(Path(tempfile.gettempdir()))
    with _locked_folder() as folder:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def is_alive(folder: Path) -> bool:
    """Whether the process of a folder of this machine still runs."""
    lock = folder / _LOCK
    if not lock.is_file():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except (Timeout, OSError):  # held; or another user's, of which we cannot tell
        return True


@contextmanager
def _locked_folder() -> Iterator[Path]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with FileLock(folder / _LOCK):
            if (folder / _LOCK).exists():  # nobody swept it before we held it
                yield folder
                return


def _sweep(place: Path) -> None:
    """Remove the folders of our own killed processes."""
    for folder in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if _is_ours(folder) and (folder / _LOCK).is_file():
                with contextlib.suppress(Timeout), FileLock(folder / _LOCK, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    return not folder.is_symlink() and (os.name != "posix" or folder.stat().st_uid == os.getuid())
