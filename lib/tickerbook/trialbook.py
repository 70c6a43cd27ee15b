"""The trial ledger: every backtest that was ever run on this project's prices.

    data/trials/<family>/<digest>.json    one call: a backtest, or a sweep with all its configurations

It is written by the lake's side, not by the notebook's: bars that `load_bars` lends know whom to tell what
was tried on them (`Bars.witness`), and each backtest tells. So a notebook in JupyterLab, a cell that was run
again and overwritten, a script and a scheduled run are counted alike, whether or not anything is published.

A file is named by what makes it the same trials, holds no time, and appears whole or not at all: the same
trials twice are one file, also when several processes write at once. Nothing is ever changed or removed.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tickerbook.errors import DataError, TornFileError
from tickerbook.files import digest, dump_json, slug, write_text
from tickerbook.settings import load_settings
from tickerbook.trials import Trials

_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TrialBook:
    """The trials stored under `root` (data/trials of a project)."""

    root: Path

    def add(self, trials: Trials) -> None:
        """Record trials; those that are recorded already are left as they are.

        Raises:
            DataError: if they cannot be written. What is not counted must not be looked at.
        """
        folder = trials.family if trials.family.isidentifier() else slug(trials.family)
        path = self.root / folder / f"{trials.digest}.json"
        if path.is_file():
            return
        try:
            write_text(path, dump_json(trials.to_json()))
        except OSError as error:
            raise DataError(
                f"A trial of {trials.family} cannot be recorded in {self.root}: {error.strerror or error}.",
                "Make room, or let the folder be written; a backtest that is not counted proves nothing.",
            ) from error

    def read(self) -> tuple[Trials, ...]:
        """Everything recorded, in an order that does not depend on when.

        Raises:
            TornFileError: if a record cannot be read.
        """
        return tuple(map(_read, self._paths()))

    @property
    def digest(self) -> str:
        """Digest of what is recorded; the same as long as nothing new was tried."""
        return digest(*(path.stem for path in self._paths()))

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.root.glob("*/*.json") if _NAME.fullmatch(path.stem))


def load_trials() -> tuple[Trials, ...]:
    """Every backtest ever run in this project, for use in a notebook.

    A notebook that uses them says so in its front matter (`trials: true`), so that it runs again when
    something new was tried.

    Raises:
        TornFileError: if a record cannot be read.
    """
    return TrialBook(load_settings().trials).read()


def _read(path: Path) -> Trials:
    try:
        return Trials.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, DataError) as error:
        raise TornFileError(
            f"The trials in {path} cannot be read: {error}.",
            "Restore the file from a backup, or remove it; then that trial is not counted.",
        ) from error
