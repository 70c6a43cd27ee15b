"""The parameters cell is a notebook's signature: names, types, defaults, meanings."""

import ast
import io
import math
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tickerbook.errors import NotebookError, ParameterError
from tickerbook.settings import nearest

_SCALARS: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
_OPTIONAL = " | None"
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: `name: type = default  # comment`.

    Attributes:
        type: "bool", "int", "float", "str" or a list of one of these ("list[str]"), perhaps with " | None".
        comment: meaning and unit, as the author wrote them.
    """

    name: str
    type: str
    default: Any
    comment: str


class _MisfitError(ValueError):
    """A value is not of a parameter's type."""


def read_parameters(source: str, where: str) -> tuple[Parameter, ...]:
    """The parameters that the source of a parameters cell declares, in its order.

    Args:
        source: the cell's text.
        where: what to call the notebook in errors.

    Raises:
        NotebookError: if a line is anything but an assignment of a literal to a new name.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise _refused(where, f"line {error.lineno} is not Python: {error.msg}") from error
    comments = _comments(source)
    found = [_read(s, comments.get(s.end_lineno or s.lineno, ""), where) for s in statements]
    names = [parameter.name for parameter in found]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise _refused(where, f"{twice[0]} is assigned twice")
    return tuple(found)


def check_values(parameters: Sequence[Parameter], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Every parameter with its value: the given one, else the default.

    Args:
        parameters: what the notebook declares.
        given: name → value. An int is taken for a float; nothing else is converted.
        where: what to call the notebook in errors.

    Raises:
        ParameterError: for an unknown name or a value of another type; NaN and infinity are no values.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values = {parameter.name: parameter.default for parameter in parameters}
    for name, value in given.items():
        parameter = _known(known, name, where)
        try:
            values[name] = _converted(parameter.type, value)
        except _MisfitError as error:
            raise ParameterError(
                f"{where}: {name} takes {_words(parameter.type)}, not {_shown(value)}.",
                f"Its default is {parameter.default!r}. {parameter.comment}".strip(),
            ) from error
    return values


def parse_value(parameters: Sequence[Parameter], text: str, where: str) -> tuple[str, Any]:
    """Name and value of a text `name=value`, typed by what the notebook declares and never guessed.

    A list is written with commas; nothing behind the equals sign is an empty text, an empty list or None.

    Raises:
        ParameterError: for an unknown name or a text that is no value of the type.
    """
    name, equals, raw = text.partition("=")
    name = name.strip()
    if not equals:
        raise ParameterError(f"{text!r} does not give a parameter a value.", "Write it as name=value.")
    parameter = _known({p.name: p for p in parameters}, name, where)
    try:
        return name, _converted(parameter.type, _parsed(parameter.type, raw))
    except ValueError as error:
        raise ParameterError(
            f"{where}: {name} takes {_words(parameter.type)}, not {_shown(raw)}.",
            f"Its default is {parameter.default!r}. {parameter.comment}".strip(),
        ) from error


def _read(statement: ast.stmt, comment: str, where: str) -> Parameter:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            annotation = ""
        case ast.AnnAssign(target=ast.Name(id=name), annotation=written, value=ast.expr() as value):
            annotation = ast.unparse(written)
        case _:
            raise _refused(where, f"line {statement.lineno} is not an assignment: {ast.unparse(statement)}")
    try:
        default = ast.literal_eval(value)
    except (ValueError, TypeError) as error:
        raise _refused(
            where, f"the default of {name} is not a literal value: {ast.unparse(value)}"
        ) from error
    kind = annotation or _kind(default)
    if kind is None or not _is_kind(kind):
        raise _refused(
            where, f"the type of {name} cannot be told from {annotation or ast.unparse(value)}", name
        )
    try:
        return Parameter(name, kind, _converted(kind, default), comment)
    except _MisfitError as error:
        raise _refused(where, f"the default of {name} is not {_words(kind)}: {ast.unparse(value)}") from error


def _comments(source: str) -> dict[int, str]:
    """Line number → the comment on that line, without its mark."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("#").strip() for t in tokens if t.type == tokenize.COMMENT}


def _is_kind(kind: str) -> bool:
    base = kind.removesuffix(_OPTIONAL)
    return base in _SCALARS or _item(base) in _SCALARS


def _item(base: str) -> str:
    """The type of a list's items; empty if it is not a list."""
    return base[len("list[") : -1] if base.startswith("list[") and base.endswith("]") else ""


def _kind(default: Any) -> str | None:
    """The type of an unannotated default, where it can be told."""
    if not isinstance(default, list):
        name = type(default).__name__
        return name if name in _SCALARS else None
    names = {type(item).__name__ for item in default}
    if names == {"int", "float"}:
        names = {"float"}
    return f"list[{names.pop()}]" if len(names) == 1 else None


def _converted(kind: str, value: Any) -> Any:
    """`value` as a parameter of this type holds it.

    Raises:
        _MisfitError: if it is of another type.
    """
    base = kind.removesuffix(_OPTIONAL)
    if value is None and base != kind:
        return None
    if not _item(base):
        return _converted_scalar(base, value)
    if not isinstance(value, (list, tuple)):
        raise _MisfitError
    return [_converted_scalar(_item(base), item) for item in value]


def _converted_scalar(name: str, value: Any) -> Any:
    if name == "float" and type(value) is int:
        try:
            value = float(value)
        except OverflowError as error:
            raise _MisfitError from error
    # The exact type: True is no int, and a subclass such as numpy's float64 would not survive storing.
    if type(value) is not _SCALARS[name] or (isinstance(value, float) and not math.isfinite(value)):
        raise _MisfitError
    return value


def _parsed(kind: str, raw: str) -> Any:
    base = kind.removesuffix(_OPTIONAL)
    if not raw and base != kind:
        return None
    if _item(base):
        return [_parsed(_item(base), part.strip()) for part in raw.split(",")] if raw.strip() else []
    if base == "bool":
        return _TRUTH.get(raw.strip().lower(), raw)
    return raw if base == "str" else _SCALARS[base](raw)


def _known(parameters: Mapping[str, Parameter], name: str, where: str) -> Parameter:
    if name not in parameters:
        raise ParameterError(
            f"{where}: there is no parameter {_shown(name)}.{nearest(name, list(parameters))}",
            f"Its parameters are {', '.join(parameters) or 'none at all'}.",
        )
    return parameters[name]


def _words(kind: str) -> str:
    """A type, as a sentence names it."""
    words = {"bool": "true or false", "int": "a whole number", "float": "a number", "str": "a text"}
    plural = {"bool": "truth values", "int": "whole numbers", "float": "numbers", "str": "texts"}
    base = kind.removesuffix(_OPTIONAL)
    text = f"a list of {plural[_item(base)]}" if _item(base) else words[base]
    return f"{text}, or nothing" if base != kind else text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"  # noqa: PLR2004 - enough to recognise it by


def _refused(where: str, problem: str, name: str = "") -> NotebookError:
    remedy = (
        f"Say what it is: {name}: list[str] = []; types are bool, int, float, str, lists of these, or | None."
        if name
        else "The cell has one assignment a line: name = literal  # meaning, unit."
    )
    return NotebookError(f"{where}: in the parameters cell {problem}.", remedy)
