"""The renderer built in: pandoc from its wheel with the look's template and filter, in one process."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pypandoc

from tickerbook.errors import SiteError
from tickerbook.site import notebooks
from tickerbook.site.staging import Stage, page_name

CONVERTER = Path(__file__).parent / "assets" / "convert.lua"
TIMEOUT = 600.0
_INCLUDE = re.compile(r"^\{\{<\s*include\s+(\S+)\s*>\}\}\s*$", re.MULTILINE)
_DEEPEST = 5


def render(stage: Stage) -> dict[str, str]:
    """Render a stage; source → why it could not be rendered.

    Raises:
        SiteError: if pandoc as a whole fails, or takes too long.
    """
    failures: dict[str, str] = {}
    documents = []
    for source in stage.sources:
        try:
            text = _text(stage.folder / source, stage.folder)
        except SiteError as error:
            failures[source] = error.message
            continue
        output = stage.output / page_name(source)
        output.parent.mkdir(parents=True, exist_ok=True)
        documents.append({"source": source, "text": text, "output": str(output)})
    for name in stage.resources:
        (stage.output / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stage.folder / name, stage.output / name)
    return failures | _convert(stage, documents)


def _convert(stage: Stage, documents: list[dict[str, str]]) -> dict[str, str]:
    """Source → why pandoc could not convert it."""
    job = {
        "documents": documents,
        "template": str(stage.folder / stage.config["format"]["html"]["template"]),
        "filters": [str(stage.folder / name) for name in stage.config.get("filters", [])],
        "metadata": {"lang": stage.config.get("lang", "en")},
    }
    path = stage.folder / ".job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    try:
        done = subprocess.run(  # noqa: S603 - pandoc of the installed wheel, without a shell
            [pypandoc.get_pandoc_path(), "lua", str(CONVERTER), str(path)],
            cwd=stage.folder,
            env={"LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SiteError(
            f"pandoc cannot be run: {error}", "Make the environment anew: make clean, make env."
        ) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-300:]
        raise SiteError(
            f"pandoc ended with code {done.returncode}: {said}", "The template or the filter is at fault."
        )
    return dict(json.loads(done.stdout))


def _text(path: Path, root: Path) -> str:
    """The Markdown of a source, includes put in; a notebook is its front matter and its Markdown cells.

    Raises:
        SiteError: if the source, or what it includes, cannot be read.
    """
    if path.suffix != ".ipynb":
        return _included(path, root)
    book = notebooks.read(path.read_text(encoding="utf-8"))
    prose = [cell["source"] for cell in book["cells"] if cell["cell_type"] in {"raw", "markdown"}]
    return "\n\n".join(map(notebooks.text_of, prose)) + "\n"


def _included(path: Path, root: Path, depth: int = 0) -> str:
    """A text with the files that it includes, each named on a line of its own, relative to the text."""
    if depth > _DEEPEST or not path.resolve().is_relative_to(root.resolve()):
        raise SiteError(f"{path.name} cannot be included: it is outside reports/ or includes itself.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{path.name} cannot be read: {error}") from error
    return _INCLUDE.sub(lambda match: _included(path.parent / match[1], root, depth + 1), text)
