"""The project that a renderer sees: reports/ as its root, and nothing else of this machine in reach."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tickerbook.errors import SiteError

CONFIG, REPORTS, OUTPUT = "_quarto.yml", "reports", "_out"


@dataclass(frozen=True)
class Stage:
    """A Quarto website project, ready to be rendered into its folder `_out`.

    Attributes:
        sources: page sources, relative to the folder.
    """

    folder: Path
    config: Mapping[str, Any]
    sources: tuple[str, ...]

    @property
    def output(self) -> Path:
        """Where the rendered pages go."""
        return self.folder / OUTPUT

    def without(self, sources: set[str]) -> "Stage":
        """The same project without some sources."""
        return Stage(self.folder, self.config, tuple(s for s in self.sources if s not in sources))

    @property
    def resources(self) -> tuple[str, ...]:
        """Files that stand in the site as they are."""
        return tuple(_matching(self.folder, self.config["project"].get("resources", [])))


def page_name(source: str) -> str:
    """The page that a source becomes: `tickers/AAPL.ipynb` → `tickers/AAPL.html`."""
    return source.rpartition(".")[0] + ".html"


def stage(project: Path, folder: Path) -> Stage:
    """Lay out `folder` anew as a website project with reports/ as its root.

    Raises:
        SiteError: if the project has no _quarto.yml or reports/, or the file is not a website's.
    """
    config = _rerooted(_config(project / CONFIG))
    if not (project / REPORTS).is_dir():
        raise SiteError(
            f"{project} has no folder {REPORTS}/.", "It holds the site's pages; restore it from git."
        )
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(project / REPORTS, folder)
    config["project"] = {**config["project"], "output-dir": OUTPUT}
    (folder / CONFIG).write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return Stage(folder, config, tuple(_matching(folder, config["project"].get("render", []))))


def _config(path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SiteError(
            f"{path} cannot be read: {error}", "Restore it from git, or mend what is named."
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("project"), dict):
        raise SiteError(f"{path} does not describe a project.", "It needs a table `project`.")
    return config


def _rerooted(value: Any) -> Any:
    """The configuration with every path seen from reports/."""
    if isinstance(value, dict):
        return {key: _rerooted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rerooted(item) for item in value]
    return value.removeprefix(f"{REPORTS}/") if isinstance(value, str) else value


def _matching(folder: Path, patterns: list[str]) -> list[str]:
    """Files that match a pattern, sorted; nothing hidden, and no include: their names start with `_`."""
    found = {
        path.relative_to(folder).as_posix() for p in patterns for path in folder.glob(p) if path.is_file()
    }
    return sorted(name for name in found if not name.startswith("_") and "/." not in f"/{name}")
