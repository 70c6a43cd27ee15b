"""The key of a run: a digest of all that could change its outcome, and of nothing else."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tickerbook.files import digest, dump_json

ROOT = Path(__file__).parent.parent
# What a notebook cannot import, or what cannot change a number that it computes from given bars.
_OUTSIDE = ("cli.py", "market/providers/", "market/sourcing", "narrative/", "runs/", "site/")
_COMPUTING = ("numpy", "pandas", "plotly", "vectorbt")


@dataclass(frozen=True)
class Ingredients:
    """All that could change the outcome of a run.

    Attributes:
        code: digest of the notebook's code cells; its prose is not in it.
        parameters: every parameter with its value.
        bars: digest of the prices.
        upstream: notebook (and ticker, for a notebook over the universe) → digest of the facts it published.
        library: digest of the part of tickerbook that a notebook can import.
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


def library_digest(root: Path = ROOT) -> str:
    """Digest of the files of tickerbook that a notebook can import, found by being there."""
    names = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    kept = sorted(name for name in names if not name.startswith(_OUTSIDE))
    return digest(*(part for name in kept for part in (name, names[name].read_bytes())))


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
