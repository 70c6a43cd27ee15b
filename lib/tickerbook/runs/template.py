"""Templates: the parameterised notebooks of a project, read and checked before anything runs."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from tickerbook.errors import NotebookError
from tickerbook.runs.parameters import Parameter, check_values, parse_value, read_parameters
from tickerbook.settings import nearest

__all__ = ["Parameter", "Template", "check_parameters", "load_templates", "parse_parameter"]

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---\s*\Z", re.DOTALL)
_FRONT_REMEDY = (
    "Its first cell is a raw cell with: --- / title: … / tickerbook: {over: ticker, needs: []} / ---. "
    "A notebook that is not to be run belongs in notebooks/scratch/."
)


@dataclass(frozen=True)
class Template:
    """A notebook in notebooks/.

    Attributes:
        name: the file's name without its ending.
        over: whether it runs for each ticker or once for the whole universe.
        needs: names of the notebooks whose facts it uses.
        trials: whether it uses the trial ledger.
        prices: whether it uses prices; what does not is of no session, and not run again for a new close.
        text: the file as it was read, so that what is keyed is what is executed.
        code: the sources of its code cells.
    """

    name: str
    path: Path
    title: str
    over: Literal["ticker", "universe"]
    needs: tuple[str, ...]
    trials: bool
    prices: bool
    parameters: tuple[Parameter, ...]
    text: str = field(repr=False)
    code: tuple[str, ...] = field(repr=False)

    def declares(self, name: str) -> bool:
        """Whether the parameters cell has that name."""
        return any(parameter.name == name for parameter in self.parameters)


class _Purpose(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    over: Literal["ticker", "universe"]
    needs: list[str] = []
    trials: bool = False
    prices: bool = True


class _Front(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)  # other keys are Quarto's
    title: str
    tickerbook: _Purpose


class _Loader(yaml.SafeLoader):
    """YAML without the two features by which a small text becomes something else than it looks."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it refers to another part of itself with *")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise yaml.YAMLError(f"the key {twice[0]!r} stands there twice")
        return super().construct_mapping(node, deep)


def load_templates(folder: Path) -> tuple[Template, ...]:
    """Every notebook of a folder, each behind the ones it needs.

    Raises:
        NotebookError: if one cannot be run as it is written, needs what is not there, or itself.
    """
    paths = [path for path in sorted(folder.glob("*.ipynb")) if not path.name.startswith(".")]
    templates = {path.stem: _load(path) for path in paths}
    for template in templates.values():
        _check_needs(template, templates)
    try:
        order = TopologicalSorter({t.name: t.needs for t in templates.values()}).static_order()
        return tuple(templates[name] for name in order)
    except CycleError as error:
        raise NotebookError(
            f"Notebooks need each other in a circle: {' → '.join(error.args[1])}.",
            "Take one of them out of the other's `needs`.",
        ) from error


def check_parameters(template: Template, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of a template with its value: the given one, else the cell's default.

    Raises:
        ParameterError: for an unknown name (names the nearest) or a value of another type.
    """
    return check_values(template.parameters, given, template.name)


def parse_parameter(template: Template, text: str) -> tuple[str, Any]:
    """Name and value of a text `name=value`, typed by the parameters cell: `0700` can be a text.

    Raises:
        ParameterError: for an unknown name, or a text that is no value of the type.
    """
    return parse_value(template.parameters, text, template.name)


def _load(path: Path) -> Template:
    where = f"notebooks/{path.name}"
    text, cells = _cells(path, where)
    front = _front(cells, where)
    tagged = [c for c in cells if c["cell_type"] == "code" and "parameters" in c["metadata"].get("tags", [])]
    if len(tagged) != 1:
        number = "no cell" if not tagged else f"{len(tagged)} cells"
        raise NotebookError(
            f"{where} has {number} tagged `parameters`.",
            "Tag one code cell `parameters` (in JupyterLab: the gear at the right, Cell Tags).",
        )
    return Template(
        name=path.stem,
        path=path,
        title=front.title,
        over=front.tickerbook.over,
        needs=tuple(front.tickerbook.needs),
        trials=front.tickerbook.trials,
        prices=front.tickerbook.prices,
        parameters=read_parameters(tagged[0]["source"], where),
        text=text,
        code=tuple(cell["source"] for cell in cells if cell["cell_type"] == "code"),
    )


def _cells(path: Path, where: str) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """Text and cells of a notebook file."""
    import nbformat  # noqa: PLC0415 - costs 1.5 s, and verbs that run nothing import this module too

    try:
        text = path.read_text(encoding="utf-8")
        with warnings.catch_warnings():
            # Notebooks of older editors have no cell ids; nbformat adds them and warns.
            warnings.simplefilter("ignore", nbformat.warnings.MissingIDFieldWarning)
            notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]  # has no types
            nbformat.validate(notebook)
    except (OSError, ValueError, AttributeError, KeyError, nbformat.ValidationError) as error:
        raise NotebookError(
            f"{where} is not a notebook that can be read: {str(error).splitlines()[0]}",
            "Open it in JupyterLab and save it, or move it out of notebooks/.",
        ) from error
    return text, notebook.cells


def _front(cells: Sequence[Mapping[str, Any]], where: str) -> _Front:
    """The front matter: YAML between --- lines in a raw cell that stands first."""
    found = _FRONT.match(cells[0]["source"].strip()) if cells and cells[0]["cell_type"] == "raw" else None
    if not found:
        raise NotebookError(f"{where} has no front matter.", _FRONT_REMEDY)
    try:
        return _Front.model_validate(yaml.load(found.group(1), Loader=_Loader))  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    raise NotebookError(f"{where}: the front matter does not fit: {problem}.", _FRONT_REMEDY)


def _check_needs(template: Template, templates: Mapping[str, Template]) -> None:
    where = f"notebooks/{template.path.name}"
    if not template.prices and (template.needs or template.over == "ticker"):
        raise NotebookError(
            f"{where} uses no prices, and so can neither run for a ticker nor need other notebooks.",
            "Take out `prices: false`, or say `over: universe` and `needs: []`.",
        )
    for need in template.needs:
        if need not in templates:
            raise NotebookError(
                f"{where} needs {need!r}, which is not there.{nearest(need, list(templates))}",
                f"The notebooks are {', '.join(templates)}.",
            )
