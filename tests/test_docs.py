"""What documents say is true: examples run, recipes work, commands and links exist."""

import doctest
import importlib
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import typer
from markdown_it import MarkdownIt

from recipes import Block, Section, carry_out, copy_project, read_sections

ROOT = Path(__file__).parent.parent
LIB = ROOT / "lib"
DOCUMENTS = [path for name in ("README.md", "CONTRIBUTING.md") if (path := ROOT / name).is_file()]
SECTIONS = [section for document in DOCUMENTS for section in read_sections(document)]
EXAMPLES = [path for path in sorted(LIB.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
ADDITIONS = {
    "strategy": r"lib/tickerbook/research/strategies/\w+\.py",
    "provider": r"lib/tickerbook/market/providers/\w+\.py",
    "notebook": r"notebooks/\w+\.ipynb",
    "page": r"reports/[\w/-]+\.qmd",
}


def _name(path):
    return ".".join(path.relative_to(LIB).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", EXAMPLES, ids=_name)
def test_examples_in_docstrings_are_true(path):
    """Each `>>>` prints what the docstring says."""
    done = doctest.testmod(importlib.import_module(_name(path)))
    assert done.attempted > 0
    assert done.failed == 0


@pytest.mark.parametrize("recipe", [s for s in SECTIONS if s.is_recipe], ids=str)
def test_recipes_work(recipe, tmp_path):
    """Who does what the section says, in a fresh copy of the project, gets what it says."""
    carry_out(recipe, copy_project(ROOT, tmp_path / "project"))


@pytest.mark.parametrize("kind", ADDITIONS)
def test_contributing_has_a_recipe_for_each_addition(kind):
    """Adding a strategy, provider, notebook or page touches exactly one file, besides settings and its test."""
    added = [
        [file for file in section.files if not file.startswith(("tests/", "params/"))]
        for section in SECTIONS
        if section.document == "CONTRIBUTING.md"
    ]
    assert [files for files in added if len(files) == 1 and re.fullmatch(ADDITIONS[kind], files[0])]


def _typed():
    """Every command that the documents tell a person to type."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        blocks = [b for s in read_sections(document) for b in s.blocks if b.language in {"console", "sh", ""}]
        lines = re.findall(r"`([^`\n]+)`", text) + [line for b in blocks for line in b.text.splitlines()]
        for line in lines:
            words = re.sub(r"\s#.*", "", line).removeprefix("$ ").removeprefix(".venv/bin/").split()
            if words and words[0] in {"make", "tickerbook"}:
                yield pytest.param(words, id=f"{document.name}: {' '.join(words)}")


@pytest.mark.parametrize("words", list(_typed()))
def test_commands_exist(words):
    """Targets, verbs and options that a document names are there."""
    tool, *arguments = words
    if tool == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert {word for word in arguments if "=" not in word} <= set(targets)
        return
    group = typer.main.get_command(importlib.import_module("tickerbook.cli").app)
    verbs = [word for word in arguments[:1] if not word.startswith("-")]
    assert set(verbs) <= set(group.commands)
    known = {"--help", *(o for verb in verbs for param in group.commands[verb].params for o in param.opts)}
    assert {word.split("=")[0] for word in arguments if word.startswith("-")} <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    """A relative link or picture names a file of the repository."""
    tokens = MarkdownIt().parse(document.read_text(encoding="utf-8"))
    parts = [part for token in tokens for part in token.children or []]
    links = [str(part.attrs.get("href") or part.attrs.get("src")) for part in parts if part.attrs]
    files = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]
    assert [file for file in files if not (document.parent / file).exists()] == []


@pytest.mark.parametrize("block", [b for s in SECTIONS for b in s.blocks if b.language == "toml"])
def test_toml_is_toml(block):
    """What a person copies into params/ can be read."""
    assert tomllib.loads(block.text)


DOCUMENT = """\
# A title

```python title="notebooks/gap.ipynb"
# %% [raw]
# title: Gaps
# %% [markdown]
# How often?
#
# Well.
# %% tags=["parameters"]
ticker = "AAPL"  # symbol
# %%
ticker
```

## Use

```toml title="params/a b.toml"
[gap]
```

```console
$ ls params | grep 'a b'
a b.toml
$ cat 'params/a b.toml' && echo done
...
done
$ make nothing
```

```console no-run
$ false
```

### No recipe

```console
$ false
```
"""


@pytest.fixture
def sections(tmp_path):
    """The sections of a small document."""
    (tmp_path / "DOCUMENT.md").write_text(DOCUMENT, encoding="utf-8")
    return read_sections(tmp_path / "DOCUMENT.md")


def test_sections_are_read(sections):
    """Blocks belong to the heading above them."""
    assert [(s.heading, s.files, s.is_recipe) for s in sections] == [
        ("A title", ["notebooks/gap.ipynb"], True),
        ("Use", ["params/a b.toml"], True),
        ("No recipe", [], False),
    ]


def test_cells_become_a_notebook(sections, tmp_path):
    """Percent format keeps kinds, tags and text, and the notebook is valid."""
    carry_out(sections[0], tmp_path)
    notebook = nbformat.read(tmp_path / "notebooks" / "gap.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert [(cell.cell_type, cell.metadata["tags"], cell.source) for cell in notebook.cells] == [
        ("raw", [], "title: Gaps"),
        ("markdown", [], "How often?\n\nWell."),
        ("code", ["parameters"], 'ticker = "AAPL"  # symbol'),
        ("code", [], "ticker"),
    ]


def test_commands_are_run_and_compared(sections, tmp_path):
    """Files are there for the commands; what they print is as written; `no-run` is left alone."""
    carry_out(sections[1], tmp_path)


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        (Block("console", "", "$ echo a\nb"), "echo a prints\na\n"),
        (Block("console", "", "$ echo broken; false"), "ends with 1:\nbroken"),
        (Block("console", "", "$ false | true"), "ends with 1"),
        (Block("python", "", "import nothing_there"), "No module named 'nothing_there'"),
    ],
)
def test_what_is_not_true_is_told(block, complaint, tmp_path):
    """A failing command or another output fails the document, and shows what was printed."""
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        carry_out(Section("D.md", "H", (block,)), tmp_path)


def test_a_recipe_uses_the_copys_sources(tmp_path):
    """What a recipe adds to lib/ is what its commands find."""
    module = tmp_path / "lib" / "tickerbook" / "__init__.py"
    module.parent.mkdir(parents=True)
    module.write_text("", encoding="utf-8")
    code = f"import tickerbook\nassert tickerbook.__file__ == {str(module)!r}, tickerbook.__file__"
    carry_out(Section("D.md", "H", (Block("python", "", code),)), tmp_path)
