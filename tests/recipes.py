"""Documents that tests execute: sections with titled blocks are recipes, carried out in a copy of the project.

A fenced block means, by what stands behind its fence:

    python title="lib/…/gap.py"     this file is written; any language. A `.ipynb` is written as cells that
                                    start with `# %%`, `# %% [markdown]`, `# %% [raw]`, perhaps with
                                    `tags=["parameters"]`; lines of text begin with `# `
    python                          executed in the copy
    console                         lines that start with `$ ` are executed (`make` is only looked up); lines
                                    below a command are what it prints, `...` stands for anything; without any,
                                    the command only has to succeed
    … no-run                        looked at, not executed
"""

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt

GENERATED = shutil.ignore_patterns(".*", "_site", "data", "__pycache__", "*.egg-info", "build", "dist")
_TITLE = re.compile(r'\btitle="([^"]+)"')
_CELL = re.compile(r"^# %%(?: \[(\w+)\])?(?: tags=(\[.*\]))?$", re.MULTILINE)
_SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else stands behind the fence, and its text."""

    language: str
    info: str
    text: str

    @property
    def title(self) -> str:
        """The file it is, relative to the project; empty where it is none."""
        found = _TITLE.search(self.info)
        return found[1] if found else ""

    @property
    def runs(self) -> bool:
        """Whether it may be executed."""
        return "no-run" not in _TITLE.sub("", self.info).split()

    def commands(self) -> list[tuple[str, str]]:
        """Commands of a console block, each with what it prints."""
        found: list[tuple[str, str]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            elif found:
                found[-1] = (found[-1][0], found[-1][1] + line + "\n")
        return found


@dataclass(frozen=True)
class Section:
    """A heading of a document, with the blocks below it up to the next heading of any level."""

    document: str
    heading: str
    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        return f"{self.document}: {self.heading}"

    @property
    def files(self) -> list[str]:
        """The files that it writes."""
        return [block.title for block in self.blocks if block.title]

    @property
    def is_recipe(self) -> bool:
        """Whether it says something to execute: a file, or Python."""
        return any(block.runs and (block.title or block.language == "python") for block in self.blocks)


def read_sections(path: Path) -> list[Section]:
    """The sections of a Markdown file, in their order."""
    found: list[tuple[str, list[Block]]] = [("", [])]
    tokens = MarkdownIt().parse(path.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            found.append((token.content, []))
        elif token.type == "fence":
            language, _, info = token.info.strip().partition(" ")
            found[-1][1].append(Block(language, info, token.content))
    return [Section(path.name, heading, tuple(blocks)) for heading, blocks in found if heading or blocks]


def copy_project(root: Path, to: Path) -> Path:
    """The project's sources without what it generates."""
    return Path(shutil.copytree(root, to, ignore=GENERATED))


def carry_out(section: Section, project: Path) -> None:
    """Do what a recipe says, block by block, in a copy of the project.

    Raises:
        AssertionError: names the first command that fails or prints something else, and shows what it printed.
    """
    for block in section.blocks:
        if not block.runs:
            continue
        if block.title:
            path = project / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            text = _notebook(block.text) if path.suffix == ".ipynb" else block.text
            path.write_text(text, encoding="utf-8")
        elif block.language == "python":
            _run([sys.executable, "-W", "error", "-c", block.text], project, "the Python block")
        elif block.language == "console":
            for command, printed in block.commands():
                if not command.startswith("make"):
                    got = _run(["bash", "-euo", "pipefail", "-c", command], project, command)
                    _expect(printed, got, command)


def _run(arguments: list[str], project: Path, what: str) -> str:
    """Run in the copy, with the copy's sources before the installed ones; what was printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(project / "lib"), "COLUMNS": "100", "NO_COLOR": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        arguments,
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{what} ends with {done.returncode}:\n{done.stdout}"
    return done.stdout


def _expect(printed: str, got: str, command: str) -> None:
    if printed.strip():
        same = doctest.OutputChecker().check_output(printed, got, _SAME)
        assert same, f"{command} prints\n{got}\nand the document says\n{printed}"


def _notebook(text: str) -> str:
    """A notebook from its cells in percent format."""
    parts = _CELL.split(text)[1:]
    cells = []
    for kind, tags, source in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        lines = source.strip("\n")
        words = re.sub(r"^# ?", "", lines, flags=re.MULTILINE)
        make = {"markdown": nbformat.v4.new_markdown_cell, "raw": nbformat.v4.new_raw_cell}.get(kind)
        cell = make(words) if make else nbformat.v4.new_code_cell(lines)
        cell.metadata["tags"] = json.loads(tags or "[]")
        cells.append(cell)
    kernel = {"name": "tickerbook", "display_name": "tickerbook", "language": "python"}
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}))
