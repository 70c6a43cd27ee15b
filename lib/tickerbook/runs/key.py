"""The key of a run: a digest of all that could change its outcome, and of nothing else."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tickerbook.files import digest, dump_json
from tickerbook.runs.uses import NAME, modules_used

ROOT = Path(__file__).parent.parent
_COMPUTING = ("numpy", "pandas", "plotly", "vectorbt")


@dataclass(frozen=True)
class Ingredients:
    """All that could change the outcome of a run.

    Attributes:
        code: digest of the notebook's code cells; its prose is not in it.
        parameters: every parameter with its value.
        bars: digest of the prices.
        upstream: notebook (and ticker, for a notebook over the universe) → digest of the facts it published.
        library: digest of the part of tickerbook that the notebook can reach.
        dependencies: digest of the locked and the installed packages.
    """

    notebook: str
    ticker: str | None
    session: date
    parameters: Mapping[str, Any]
    code: str
    bars: str
    upstream: Mapping[str, str]
    library: str
    dependencies: str

    @property
    def key(self) -> str:
        """SHA-256 over everything, as 64 hex digits."""
        return digest(dump_json(asdict(self) | {"session": self.session.isoformat()}))


@dataclass(frozen=True)
class Library:
    """The code of tickerbook at one moment.

    Attributes:
        sources: module → its source.
    """

    sources: Mapping[str, bytes]
    _digests: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False, compare=False)

    def digest(self, code: Sequence[str]) -> str:
        """Digest of the modules that a notebook's code can reach."""
        cells = tuple(code)
        if cells not in self._digests:  # a batch asks once for each ticker
            used = sorted(modules_used(cells, self.sources))
            self._digests[cells] = digest(*(part for name in used for part in (name, self.sources[name])))
        return self._digests[cells]


def read_library(root: Path = ROOT) -> Library:
    """Every module of tickerbook, found by being there; read again when a file has changed."""
    stats = [(path, path.stat()) for path in sorted(root.rglob("*.py"))]
    return _read(root, tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats))


@lru_cache(maxsize=4)
def _read(root: Path, files: tuple[tuple[Path, int, int], ...]) -> Library:
    return Library({_module(path.relative_to(root)): path.read_bytes() for path, _, _ in files})


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join((NAME, *(parts[:-1] if parts[-1] == "__init__" else parts)))


def dependencies_digest(project: Path) -> str:
    """Digest of the project's requirements.lock, where it has one, and of what is installed."""
    lock = project / "requirements.lock"
    locked = lock.read_bytes() if lock.is_file() else b""
    return digest(locked, dump_json(versions(_COMPUTING)), f"{sys.version_info[0]}.{sys.version_info[1]}")


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Package → installed version; a package that is not installed is left out."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
