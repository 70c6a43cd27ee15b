"""Where the files of a lake are: a folder of this machine, or one of any storage that fsspec reaches.

Here, a file is `AAPL.parquet`; who writes it holds `AAPL.lock`, and puts a whole file in its place. Elsewhere
nothing can be locked or renamed, but a file can be created on the condition that it is not there yet: each
write is a version of its own, `AAPL.v7.parquet`, the highest is the file, and of two writers of one version
the second starts anew from what the first wrote. (A file without a version, such as one that was copied
there from a folder, is older than all that have one.)
"""

import os
import re
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple, Protocol

import fsspec
from filelock import FileLock

from tickerbook.errors import ConfigError
from tickerbook.files import whole_file

PATIENCE = 60.0  # seconds to wait for other programs that write the same file
_VERSIONED = re.compile(r"(?P<name>[^a-z]+)(?:\.v(?P<version>\d+))?\.parquet")  # a slug has no small letter


class Draft(NamedTuple):
    """What shall become of a file.

    Attributes:
        content: what to store; None to leave it as it is.
        aside: whether what is stored is damaged, and shall be kept under another name.
    """

    content: bytes | None
    aside: bool = False


class Folder(Protocol):
    """Files that appear whole or not at all. Names are slugs; what `update` raises is an OSError."""

    def identities(self) -> Mapping[str, Hashable]:
        """Name → what tells a file from the next that takes its place; of the files there are, sorted."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is a file."""
        ...

    def read(self, name: str) -> bytes:
        """A file's content.

        Raises:
            FileNotFoundError: if there is none.
            OSError: if it cannot be read.
        """
        ...

    def read_many(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """Names with contents, or why they cannot be read."""
        ...

    def update(self, name: str, change: Callable[[bytes | None], Draft]) -> PurePath | None:
        """Change a file that nobody else changes meanwhile.

        Args:
            name: of the file.
            change: gives what to store for what is stored, None where that is nothing. May be called more
                than once.

        Returns:
            Where a damaged file was put, if `change` says that it is damaged.

        Raises:
            TimeoutError: if others write it all the time.
            OSError: if the storage refuses; what was there before is intact.
        """
        ...

    def where(self, name: str = "") -> str:
        """The place of a file, or of the folder, for people."""
        ...


@dataclass(frozen=True)
class Local:
    """A folder of this machine."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where a file is, or would be."""
        return self.folder / f"{name}.parquet"

    def where(self, name: str = "") -> str:
        """See Folder."""
        return str(self.path(name) if name else self.folder)

    def identities(self) -> Mapping[str, Hashable]:
        """See Folder."""
        found = {}
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(".parquet"):
                    seen = entry.stat()
                    found[entry.name.removesuffix(".parquet")] = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        return dict(sorted(found.items()))

    def has(self, name: str) -> bool:
        """See Folder."""
        return self.path(name).is_file()

    def read(self, name: str) -> bytes:
        """See Folder."""
        return self.path(name).read_bytes()

    def read_many(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """See Folder."""
        return ((name, _tried(self, name)) for name in names)

    def update(self, name: str, change: Callable[[bytes | None], Draft]) -> PurePath | None:
        """See Folder."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=PATIENCE):
            for leftover in os.listdir(path.parent):  # noqa: PTH208 - half the time of iterdir, at each write
                if leftover.startswith(f".{path.name}.") and leftover.endswith(".part"):  # of a killed writer
                    path.with_name(leftover).unlink(missing_ok=True)
            draft = change(self.read(name) if path.exists() else None)
            aside = _set_aside(path) if draft.aside else None
            if draft.content is not None:
                with whole_file(path) as part:
                    part.write_bytes(draft.content)
            return aside


@dataclass(frozen=True)
class Remote:
    """A folder of an object store or another storage."""

    url: str

    @cached_property
    def _place(self) -> tuple[Any, str]:
        try:
            fs, folder = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise ConfigError(
                f"A lake at {self.where()} cannot be reached: {error}.",
                "Install what fsspec needs for it, for S3 `pip install tickerbook[s3]`, or name a folder.",
            ) from error
        return fs, folder.rstrip("/")

    def where(self, name: str = "") -> str:
        """See Folder; never with a password."""
        return re.sub("//[^/@]*@", "//", self.url) + (f"/{name}.parquet" if name else "")

    def identities(self) -> Mapping[str, Hashable]:
        """See Folder."""
        return {name: _identity(one) for name, one in self._newest().items()}

    def folders(self) -> list[str]:
        """Names of the folders in it, sorted."""
        fs, folder = self._place
        with _as_os_error():
            try:
                found = fs.ls(folder, detail=True)
            except FileNotFoundError:
                return []
        return sorted(one["name"].rpartition("/")[2] for one in found if one["type"] == "directory")

    def has(self, name: str) -> bool:
        """See Folder."""
        return bool(self._versions(name, needed=False))

    def read(self, name: str) -> bytes:
        """See Folder."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self._versions(name)
            try:
                return self._content(found[max(found)])
            except FileNotFoundError:  # others have written twice since we looked
                if time.monotonic() > deadline:
                    raise

    def read_many(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """See Folder."""
        fs, _ = self._place
        newest = self._newest() if names else {}
        paths = {name: newest[name]["name"] for name in names if name in newest}
        with _as_os_error():
            contents = fs.cat(list(paths.values()), on_error="return") if paths else {}
        for name, path in paths.items():
            content = contents.get(path)
            yield name, content if isinstance(content, bytes) else _tried(self, name)

    def update(self, name: str, change: Callable[[bytes | None], Draft]) -> PurePath | None:
        """See Folder."""
        aside = None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self._versions(name, needed=False)
            newest = max(found, default=0)
            try:
                draft = change(self._content(found[newest]) if found else None)
            except FileNotFoundError:
                continue
            if draft.aside:
                aside = self._copy_aside(found[newest])
            if draft.content is None or self._create(name, newest + 1, draft.content):
                return aside
        raise TimeoutError(f"{self.where(name)} is written by others all the time")

    def _create(self, name: str, version: int, content: bytes) -> bool:
        """Add a version; False where others were faster."""
        fs, folder = self._place
        path = f"{folder}/{name}.v{version}.parquet"
        with _as_os_error():
            try:
                fs.pipe_file(path, content, mode="create")
            except Exception:  # each storage says in its own words that there is one already
                if not fs.exists(path):
                    raise
                return False
        found = self._versions(name)
        if max(found) > version:  # others have added more, perhaps before us, and tidied up; look again
            return False
        self._remove([found[old] for old in found if old < version - 1])  # readers may be at the last but one
        return True

    def _versions(self, name: str, *, needed: bool = True) -> dict[int, str]:
        """Version → path of one file."""
        fs, folder = self._place
        with _as_os_error():
            try:
                paths = fs.find(folder, prefix=f"{name}.")
            except FileNotFoundError:
                paths = []
        found = {version: path for path in paths for own, version in [_parsed(path)] if own == name}
        if needed and not found:
            raise FileNotFoundError(self.where(name))
        return found

    def _newest(self) -> dict[str, dict[str, Any]]:
        """Name → what the storage says of its highest version."""
        fs, folder = self._place
        with _as_os_error():
            try:
                found = {one["name"]: one for one in fs.ls(folder, detail=True)}
            except FileNotFoundError:
                found = {}
        parsed = sorted((*_parsed(path), path) for path in found)
        return {name: found[path] for name, _, path in parsed if name}

    def _content(self, path: str) -> bytes:
        fs, _ = self._place
        with _as_os_error():
            return bytes(fs.cat_file(path))

    def _copy_aside(self, path: str) -> PurePath:
        fs, _ = self._place
        aside = f"{path}.torn"
        with _as_os_error():
            fs.cp_file(path, aside)
        return PurePosixPath(aside)

    def _remove(self, paths: list[str]) -> None:
        fs, _ = self._place
        for path in paths:
            with suppress(OSError), _as_os_error():  # the next writer will try again; others tidy up too
                fs.rm_file(path)


def open_folder(root: Path | str, name: str) -> Local | Remote:
    """A folder below a root: a path, or a URL that fsspec knows."""
    if isinstance(root, Path):
        return Local(root / name)
    protocol, _, path = root.partition("://")
    if not path or protocol in {"file", "local"}:
        return Local(Path(path or root) / name)
    return Remote(f"{root.rstrip('/')}/{name}")


def intervals(root: Path | str) -> list[str]:
    """Names of the folders below a root, sorted."""
    top = open_folder(root, "")
    if isinstance(top, Remote):
        return top.folders()
    found = top.folder.iterdir() if top.folder.is_dir() else ()
    return sorted(path.name for path in found if path.is_dir())


def _identity(one: Mapping[str, Any]) -> Hashable:
    """Tells an object from others: its version's name, and what the storage knows of its content."""
    return one["name"], one.get("size"), *(str(one.get(key)) for key in ("ETag", "created", "LastModified"))


def _parsed(path: str) -> tuple[str, int]:
    """Name and version of a file; no name for a file that is none of ours."""
    hit = _VERSIONED.fullmatch(path.rpartition("/")[2])
    return (hit["name"], int(hit["version"] or 0)) if hit else ("", 0)


def _tried(folder: Folder, name: str) -> bytes | OSError:
    try:
        return folder.read(name)
    except OSError as error:
        return error


def _set_aside(path: Path) -> Path:
    """Rename a damaged file to the first free name ending in .torn."""
    number = 0
    while True:
        aside = path.with_name(f"{path.name}{f'.{number}' if number else ''}.torn")
        if not aside.exists():
            return path.rename(aside)
        number += 1


@contextmanager
def _as_os_error() -> Iterator[None]:
    """What the libraries below fsspec raise, as what a disk would raise."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
