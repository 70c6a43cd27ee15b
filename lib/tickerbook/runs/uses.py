"""What of tickerbook a notebook uses: the modules that its code cells name, and whatever those import."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

NAME = "tickerbook"
_MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)  # a line for IPython, which is not Python


def modules_used(code: Sequence[str], sources: Mapping[str, bytes]) -> frozenset[str]:
    """Names of the modules that code can reach.

    A module that imports by name (`import_module`) reaches every file of its own folder and of the folders it
    imports. Code that cannot be read, or that handles the vocabulary as a whole, reaches everything.

    Args:
        code: the cells of a notebook.
        sources: module → its source; a package under its own name.
    """
    homes = _homes(sources.get(NAME, b""))
    found: set[str] = set()
    for cell in code:
        named = _named(cell, homes)
        if named is None:
            return frozenset(sources)
        found |= named
    return frozenset(_closure(found, sources) - {NAME})  # the vocabulary only says where its words live


def _closure(names: set[str], sources: Mapping[str, bytes]) -> set[str]:
    reached: set[str] = set()
    waiting = _modules(names, sources)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting |= _modules(_imports(module, sources[module]), sources)
    return reached


def _modules(names: Iterable[str], sources: Mapping[str, bytes]) -> set[str]:
    """The modules among names, and the packages they stand in; `a.b.c` may be the name c of `a.b`."""
    found: set[str] = set()
    for name in names:
        if name.endswith(".*"):
            found |= {module for module in sources if module.startswith(name[:-1])}
        parts = name.split(".")
        found |= {prefix for n in range(1, len(parts) + 1) if (prefix := ".".join(parts[:n])) in sources}
    return found


@cache
def _imports(module: str, source: bytes) -> frozenset[str]:
    """Everything of tickerbook that a module imports, also inside functions; `a.b.*` for a whole folder."""
    if module == NAME:
        return frozenset()  # the vocabulary: its names are looked up one by one
    found = set(_statements(ast.parse(source)))
    if b"import_module" in source:
        found |= {f"{name}.*" for name in (module, *found)}
    return frozenset(found)


def _statements(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == NAME)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == NAME:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _named(cell: str, homes: Mapping[str, str]) -> set[str] | None:
    """What a cell names of tickerbook; None where that cannot be said."""
    try:
        tree = ast.parse(_MAGIC.sub("", cell))
    except (SyntaxError, ValueError):
        return None
    found = set()
    for name in _statements(tree):
        if name != NAME:
            rest = name.removeprefix(f"{NAME}.")
            found.add(f"{NAME}.{homes.get(rest, rest)}")
    words = _words(tree)
    return None if words is None else found | {f"{NAME}.{homes[word]}" for word in words if word in homes}


def _words(tree: ast.AST) -> set[str] | None:
    """Attributes of `tb` or `tickerbook` that are used; None where it is handed on as a whole."""
    held = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_ours(node.value)]
    whole = [node for node in ast.walk(tree) if _is_ours(node) and node not in [at.value for at in held]]
    return None if whole else {node.attr for node in held}


def _is_ours(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in {"tb", NAME} and isinstance(node.ctx, ast.Load)


@cache
def _homes(vocabulary: bytes) -> Mapping[str, str]:
    """Word → module, as the vocabulary's table `_HOMES` says."""
    for node in ast.parse(vocabulary).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            return dict(ast.literal_eval(node.value))
    return {}
