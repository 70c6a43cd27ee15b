"""Promotions: what was asked of each strategy's evidence, what was answered, and which holdouts were spent.

    params/promotions/<strategy>.json    every decision and every opened holdout, oldest first

The files belong to params/ since they say why a strategy stands where it stands: they are committed with the
line of params/strategies.toml that they explain. Nothing is removed from them, so a holdout stays spent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from filelock import FileLock
from tomlkit.exceptions import TOMLKitError

from tickerbook.errors import ConfigError, TornFileError
from tickerbook.files import dump_json, write_text
from tickerbook.settings import STAGES

_PARTS = ("holdouts", "decisions")


@dataclass(frozen=True)
class Promotions:
    """The decisions about strategies in a project.

    Attributes:
        project: the project's directory.
    """

    project: Path

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.project / "params" / "promotions"

    def read(self, strategy: str) -> dict[str, list[dict[str, Any]]]:
        """Decisions and holdouts of a strategy, oldest first; empty lists where nothing was asked.

        Raises:
            TornFileError: if the file cannot be read.
        """
        path = self.folder / f"{strategy}.json"
        if not path.exists():
            return {part: [] for part in _PARTS}
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return {part: [dict(entry) for entry in stored[part]] for part in _PARTS}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TornFileError(
                f"params/promotions/{path.name} cannot be read: {error!r}.",
                "Restore it from git: it says which holdout is spent.",
            ) from error

    def strategies(self) -> tuple[str, ...]:
        """Those that anything was asked for, sorted."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.json")))

    def add(self, strategy: str, part: str, entry: Mapping[str, Any]) -> None:
        """Add a decision ("decisions") or an opened holdout ("holdouts")."""
        lock = self.project / "data" / ".promotions.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            known = self.read(strategy)
            known[part].append(dict(entry))
            write_text(self.folder / f"{strategy}.json", dump_json(known))

    def move(self, strategy: str, stage: str) -> None:
        """Write the stage of a strategy into params/strategies.toml; comments and order stay as they are.

        Raises:
            ConfigError: if the file cannot be read or written, or has no list for that stage.
        """
        path = self.project / "params" / "strategies.toml"
        try:
            document = (
                tomlkit.parse(path.read_text(encoding="utf-8-sig")) if path.exists() else tomlkit.document()
            )
            table = document.setdefault("strategies", tomlkit.table())
            for name in STAGES[1:]:
                _set(table, name, strategy, listed=name == stage)
            write_text(path, tomlkit.dumps(document))
        except (OSError, TOMLKitError, AttributeError, TypeError) as error:
            raise ConfigError(
                f"params/{path.name} cannot be changed: {error}.",
                f'Write it yourself: `{stage} = ["{strategy}"]` below [strategies].',
            ) from error


def _set(table: Any, name: str, strategy: str, *, listed: bool) -> None:
    """Let a list of a TOML table have a strategy, or not."""
    names: Sequence[str] = table.get(name, [])
    if listed == (strategy in names):
        return
    if name not in table:
        table[name] = tomlkit.array()
    if listed:
        table[name].append(strategy)
    else:
        table[name].remove(strategy)
