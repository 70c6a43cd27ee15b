"""Putting a finished site in place as a whole, and keeping the one before it.

data/releases/<id>/    a finished site
_site                  a link to one of them, replaced by a rename; where the system has no links, a folder
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tickerbook.errors import SiteError
from tickerbook.files import whole_folder
from tickerbook.settings import Settings

KEPT = 2  # the site in place and the one before it
_PATIENCE = 1800.0  # seconds to wait for another build


@contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Let one build work at a time; another waits for its turn.

    Raises:
        SiteError: if the other takes too long.
    """
    lock = settings.project / "data" / "site.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=_PATIENCE):
            yield
    except Timeout as error:
        raise SiteError(
            "Another build has not finished for half an hour.", "End it, then build again."
        ) from error


@contextmanager
def release(settings: Settings, now_at: datetime) -> Iterator[Path]:
    """Give an empty folder; when it was filled without an error, it is the site.

    Until then, and after any error, readers see the site that was there before.
    """
    home = settings.project / "data" / "releases"
    _put_back(settings.site)
    name = _free_name(home, now_at)
    with whole_folder(home / name) as part:
        yield part
    put_in_place(home / name, settings.site)
    _tidy(home, home / name)


def put_in_place(finished: Path, site: Path) -> None:
    """Let `site` be `finished`, in one step where the system has links."""
    beside, aside = site.with_name(f".{site.name}.new"), _aside(site)
    _remove(beside)
    _remove(aside)
    try:
        beside.symlink_to(os.path.relpath(finished, site.parent), target_is_directory=True)
    except OSError:  # Windows without the privilege, or a disk without links
        shutil.copytree(finished, beside)
    if site.exists() and not (site.is_symlink() and beside.is_symlink()):
        site.rename(aside)  # a folder cannot be replaced by a rename, so for a moment there is none
    beside.replace(site)
    _remove(aside)


def _put_back(site: Path) -> None:
    """Without links, a build killed between its two renames left no site: restore the one before."""
    aside = _aside(site)
    if aside.exists() and not site.exists():
        aside.rename(site)


def _aside(site: Path) -> Path:
    return site.with_name(f".{site.name}.old")


def _free_name(home: Path, now_at: datetime) -> str:
    """A name that sorts by time and is not taken."""
    base = f"{now_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    taken = {path.name for path in home.glob(f"{base}*")}
    return next(name for n in range(len(taken) + 1) if (name := f"{base}-{n:03d}") not in taken)


def _tidy(home: Path, current: Path) -> None:
    """Remove all but the newest releases, and what a killed build left; the one in place always stays."""
    for left in home.glob(".*.part"):
        _remove(left)
    old = sorted((path for path in home.iterdir() if path.is_dir() and path != current), reverse=True)
    for path in old[KEPT - 1 :]:
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        with contextlib.suppress(OSError):  # what cannot be removed is tried again by the next build
            shutil.rmtree(path)
