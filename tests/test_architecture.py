"""The picture in DESIGN.md, "Who may import whom", held against the sources."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

LIB = Path(__file__).parent.parent / "lib" / "tickerbook"
NOUNS = {
    "cadences",
    "certificates",
    "errors",
    "files",
    "facts",
    "sessions",
    "bars",
    "settings",
    "store",
    "trials",
    "trialbook",
    "promotions",
}
LAKE = "tickerbook.market.lake"
QUERY = "tickerbook.market.query"  # the lake in SQL
MAY_IMPORT = {  # room → rooms; a room may always import itself
    "nouns": set(),
    "research": {"nouns"},
    "market": {"nouns"},
    "display": {"nouns", "research"},
    "runs": {"nouns", LAKE},
    "narrative": {"nouns", LAKE},
    "site": {"nouns", LAKE},
    "vocabulary": {"nouns", "research", "display", LAKE, QUERY},
    "cli": {"nouns", "research", "market", "display", "runs", "narrative", "site", "vocabulary"},
    "__main__": {"cli"},
}
STORING = {
    "tickerbook.files",
    "tickerbook.store",
    "tickerbook.trialbook",
    "tickerbook.promotions",
}  # the nouns that write
OUTSIDE = re.compile(
    r"(asyncio|ftplib|glob|http|httpx|io|multiprocessing|openai|os|pathlib|random|requests|secrets|select|shutil|"
    r"smtplib|socket|sqlalchemy|sqlite3|ssl|subprocess|tempfile|threading|time|urllib|uuid|yfinance)(\..*)?"
)
FILING = re.compile(r"(.*\.)?(open|read_\w+|to_(csv|parquet|json|sql|excel|pickle)|save|savez|savetxt)")
CLOCK = re.compile(r".*\.(now|utcnow|today)|time\.time(_ns)?")


def _module(path: Path, lib: Path = LIB) -> str:
    """`…/lib/tickerbook/market/lake.py` → `tickerbook.market.lake`."""
    parts = path.relative_to(lib.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(path): path for path in sorted(LIB.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def _imports(tree: ast.AST, name: str, *, package: bool = False) -> Iterator[str]:
    """Every module that a module imports, wherever in it the import stands; texts naming our modules count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = name.split(".")[: (1 if package else 0) - node.level or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base
        elif isinstance(node, ast.Constant) and node.value in MODULES and node.value != "tickerbook":
            yield node.value


ZYGOTE = "tickerbook.runs.zygote"
# What runs as a process of its own, or is loaded into a kernel: it has streams and decides how it ends.
VERBS = {name for name in MODULES if re.match(r"tickerbook\.cli(_|$)", name)}
PROGRAMS = {"tickerbook.__main__", *VERBS, "tickerbook.runs.bounds", ZYGOTE}


def _room(module: str) -> str:
    """Which room of the design a module of ours stands in."""
    part = [*module.split("."), "vocabulary"][1]
    if part.startswith("cli_"):  # verbs that stand in modules of their own
        return "cli"
    return "nouns" if part in NOUNS else part


def _forbidden_imports(tree: ast.AST, name: str, *, package: bool = False) -> list[str]:
    allowed = MAY_IMPORT[_room(name)]
    return [
        f"{name} imports {target}"
        for target in _imports(tree, name, package=package)
        if target.split(".")[0] == "tickerbook"
        and _room(target) not in {_room(name), *allowed}
        and target not in allowed
    ]


def _impurities(tree: ast.AST, name: str) -> list[str]:
    """What reaches out of pure mathematics: files, network, clock, randomness without a seed."""
    found = [t for t in _imports(tree, name) if OUTSIDE.fullmatch(t) or t in STORING]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        # A generator's own method random() is as good as its seed; the modules of that name are not.
        unseeded = "random" in called.split(".")[:-1] and not (
            called.endswith("default_rng") and (node.args or node.keywords)
        )
        if unseeded or FILING.fullmatch(called):
            found.append(f"{called}()")
    return [f"{name}: {what}" for what in found + _clocks(tree)]


def _clocks(tree: ast.AST) -> list[str]:
    """Every look at the wall clock, called or handed on. Measuring a duration (monotonic) is not one."""
    seen = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return [text for text in seen + _from_imports(tree) if CLOCK.fullmatch(text)]


def _from_imports(tree: ast.AST) -> list[str]:
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]


def _speech(tree: ast.AST, name: str) -> list[str]:
    """What only the command line does: print, and decide how the process ends."""
    spoken = {"print", "input", "sys.exit", "os._exit", "sys.stdout", "sys.stderr", "SystemExit"}
    nodes = [n for n in ast.walk(tree) if isinstance(n, (ast.Name, ast.Attribute))]
    found = [text for node in nodes if (text := ast.unparse(node)) in spoken]
    return found + [t for t in _imports(tree, name) if t.split(".")[0] in {"rich", "typer", "click"}]


def _is_package(name: str) -> bool:
    return MODULES[name].name == "__init__.py"


def test_rooms_are_those_of_the_design():
    """A new room, or a module beside the rooms, is a decision for DESIGN.md first."""
    assert {_room(name) for name in MODULES} <= set(MAY_IMPORT)


def test_imports_go_one_way():
    """Each room imports what the design lets it, inside functions too."""
    assert [
        breach
        for name, tree in TREES.items()
        for breach in _forbidden_imports(tree, name, package=_is_package(name))
        if breach != f"{ZYGOTE} imports tickerbook"  # on behalf of the notebooks it forks kernels for
    ] == []


def test_no_module_imports_itself_by_detours():
    """There is no cycle, not even one hidden inside functions."""
    graph = {
        name: {t for t in _imports(tree, name, package=_is_package(name)) if t in MODULES and t != name}
        for name, tree in TREES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' → '.join(error.args[1])}")


def test_vocabulary_only_looks_into_the_lake():
    """`import tickerbook` reaches the lake for its bars, for questions in SQL and for what there is; it cannot write."""
    taken = [t for t in _from_imports(TREES["tickerbook"]) if t.startswith((LAKE, QUERY))]
    assert set(taken) <= {f"{LAKE}.load_bars", f"{QUERY}.sql", f"{QUERY}.lake"}


def test_research_is_pure():
    """Mathematics over bars touches no file, network, clock or unseeded randomness."""
    assert [
        what for name, tree in TREES.items() if _room(name) == "research" for what in _impurities(tree, name)
    ] == []


def test_only_programs_speak():
    """Nothing else prints, asks or ends the process."""
    assert {
        name: said for name, t in TREES.items() if name not in PROGRAMS and (said := _speech(t, name))
    } == {}


def test_only_the_command_line_reads_the_clock():
    """Every other module is told what time it is."""
    assert {name: seen for name, t in TREES.items() if _room(name) != "cli" and (seen := _clocks(t))} == {}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("tickerbook.bars", "from tickerbook.research import indicators"),
        ("tickerbook.research.metrics", "import tickerbook.display.charts"),
        ("tickerbook.research.metrics", "import tickerbook"),
        ("tickerbook.research.metrics", "from tickerbook import load_bars"),
        ("tickerbook.market.lake", "def f():\n    from tickerbook.runs import key"),
        ("tickerbook.runs.runner", "from tickerbook.market import sourcing"),
        ("tickerbook.runs.runner", "from tickerbook.research.levels import find_levels"),
        ("tickerbook.narrative.plain", "from ..site import build"),
        ("tickerbook.site.build", "if True:\n    import tickerbook.cli"),
        ("tickerbook", "LAZY = {'run_all': 'tickerbook.narrative'}"),
    ],
)
def test_forbidden_imports_are_seen(name, source):
    """The reader of imports sees each way of writing one."""
    assert _forbidden_imports(ast.parse(source), name, package=name == "tickerbook")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("tickerbook.runs.runner", "from tickerbook.market.lake import Lake"),
        ("tickerbook.display.charts", "from tickerbook.research.levels import Level"),
        ("tickerbook.narrative.plain", "from . import check"),
        ("tickerbook.cli", "from tickerbook.site import build"),
        ("tickerbook", "from tickerbook.market.lake import load_bars"),
    ],
)
def test_allowed_imports_pass(name, source):
    """The reader of imports lets pass what the design allows."""
    assert not _forbidden_imports(ast.parse(source), name, package=name == "tickerbook")


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from pathlib import Path",
        "def f():\n    import requests",
        "from tickerbook.store import load_facts",
        "open('x')",
        "pd.read_csv('x')",
        "frame.to_parquet('x')",
        "np.random.default_rng()",
        "np.random.normal(3)",
        "pd.Timestamp.now()",
        "datetime.now(UTC)",
        "f(clock=date.today)",
    ],
)
def test_impurities_are_seen(source):
    """The reader of research sees each way of reaching out."""
    assert _impurities(ast.parse(source), "tickerbook.research.odds")


def test_seeded_randomness_is_pure():
    """A generator with a seed gives the same numbers every day."""
    assert not _impurities(
        ast.parse("rng = np.random.default_rng(7)\nrng.normal()"), "tickerbook.research.odds"
    )


@pytest.mark.parametrize("source", ["print(1)", "sys.stderr.write('x')", "import rich.table", "sys.exit(1)"])
def test_speech_is_seen(source):
    """The reader of speech sees each way of speaking."""
    assert _speech(ast.parse(source), "tickerbook.site.build")


@pytest.mark.parametrize(
    "source", ["time.time()", "from time import time", "datetime.now", "pd.Timestamp.today()"]
)
def test_clocks_are_seen(source):
    """The reader of clocks sees each way of asking the time."""
    assert _clocks(ast.parse(source))


def test_a_stop_watch_is_no_clock():
    """How long something took may be measured anywhere."""
    assert not _clocks(ast.parse("time.monotonic(); time.perf_counter()"))
