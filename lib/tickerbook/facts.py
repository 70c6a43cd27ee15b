"""Facts: the only thing that leaves a notebook.

A fact is one value with its meaning. Rows of a table are facts too, named `group.number.column`, so that
every figure a reader meets has a name: `level.3.low`.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from tickerbook.errors import DataError
from tickerbook.files import digest

Scalar = bool | int | float | str | None
Value = Scalar | tuple[Scalar, ...]

MIME = "application/vnd.tickerbook.facts+json"
MISSING = "–"
MINUS = "−"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value with its meaning.

    Attributes:
        name: dotted, unique within a notebook; `group.number.column` for a cell of a table.
        value: a scalar, or a tuple of scalars for a series; None where it is missing (NaN becomes None).
            Fractions are fractions (0.05, not 5); dates are ISO strings.
        label: what a reader calls it.
        unit: a currency code, "fraction", "sessions", "shares", "bps", "ATR", "R", "date" or "" (a plain
            number or text).
        digits: decimals to show; None shows the value as it is.
        as_of: the session it describes.
        notebook, cell: the notebook that computed it and the index of the cell; None until it is harvested.
    """

    name: str
    value: Value
    label: str
    unit: str = ""
    digits: int | None = None
    as_of: date | None = None
    notebook: str | None = None
    cell: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _plain(self.name, self.value))

    @property
    def text(self) -> str:
        """The value as a reader sees it, unit included: `$431.20`, `5.0 %`, `1 share`, `–` if missing."""
        return MISSING if self.value is None else _text(self)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON knows it; `text` is there so that programs show what pages show."""
        return {
            "value": list(self.value) if isinstance(self.value, tuple) else self.value,
            "label": self.label,
            "unit": self.unit,
            "digits": self.digits,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "notebook": self.notebook,
            "cell": self.cell,
            "text": None if isinstance(self.value, tuple) else self.text,
        }


class Facts(Mapping[str, Fact]):
    """Facts by name, in the order they were given. Immutable.

    Raises:
        DataError: if two facts share a name.
    """

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts: dict[str, Fact] = {}
        for fact in facts:
            if fact.name in self._facts:
                raise DataError(f"Two facts are named {fact.name!r}.", "Publish each name once.")
            self._facts[fact.name] = fact

    def __getitem__(self, name: str) -> Fact:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __or__(self, other: "Facts") -> "Facts":
        return Facts([*self.values(), *other.values()])

    def value(self, name: str, default: Any = None) -> Any:
        """The value of a fact, or `default` where the fact is absent or missing."""
        fact = self._facts.get(name)
        return default if fact is None or fact.value is None else fact.value

    def rows(self, group: str) -> list[dict[str, Fact]]:
        """The rows of a table: facts `group.number.column` as column → fact, by rising number."""
        rows: dict[int, dict[str, Fact]] = {}
        for name, fact in self._facts.items():
            head, _, rest = name.partition(".")
            number, _, column = rest.partition(".")
            if head == group and number.isdecimal() and column:
                rows.setdefault(int(number), {})[column] = fact
        return [rows[number] for number in sorted(rows)]

    def published(self, notebook: str, cell: int) -> "Facts":
        """The same facts with who published them; facts of other notebooks keep their own."""
        return Facts(
            fact if fact.notebook else replace(fact, notebook=notebook, cell=cell) for fact in self.values()
        )

    @property
    def digest(self) -> str:
        """SHA-256 over names, values and meanings; their order and who published them are not in it."""
        told = {name: fact | {"notebook": None, "cell": None} for name, fact in self.to_json().items()}
        return digest(json.dumps(told, allow_nan=False, sort_keys=True))  # on one line: ten times as fast

    def to_json(self) -> dict[str, Any]:
        """Name → fact, as JSON knows it."""
        return {name: fact.to_json() for name, fact in self._facts.items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Mapping[str, Any]]) -> "Facts":
        """What `to_json` gave.

        Raises:
            DataError: if it is something else.
        """
        try:
            return cls(_from_json(name, entry) for name, entry in stored.items())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"This is not a set of facts: {error!r}.") from error


def _from_json(name: str, entry: Mapping[str, Any]) -> Fact:
    value = entry["value"]
    return Fact(
        name=name,
        value=tuple(value) if isinstance(value, list) else value,
        label=entry["label"],
        unit=entry["unit"],
        digits=entry["digits"],
        as_of=date.fromisoformat(entry["as_of"]) if entry["as_of"] else None,
        notebook=entry["notebook"],
        cell=entry["cell"],
    )


def _plain(name: str, value: Any) -> Value:
    """A value as JSON knows it. NaN becomes None; infinity and foreign types are refused."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(_scalar(name, item) for item in value)
    return _scalar(name, value)


def _scalar(name: str, value: Any) -> Scalar:
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[D]")  # finer units would become numbers
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, float):
        if math.isinf(value):
            raise DataError(f"Fact {name!r} is infinite.", "Publish None where a value does not exist.")
        return None if math.isnan(value) else value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise DataError(
        f"Fact {name!r} has a value of type {type(value).__name__}.",
        "A fact is a number, text, date, truth value, None, or a list of these.",
    )


_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_MINOR = 2
_COUNTED = ("sessions", "shares")


def _text(fact: Fact) -> str:
    value = fact.value
    if isinstance(value, tuple):
        return f"{len(value)} values"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    assert value is not None  # noqa: S101 - `text` has answered for None
    if fact.unit == "fraction":
        return _number(value * 100, 1 if fact.digits is None else fact.digits) + " %"
    number = _number(value, fact.digits)
    if fact.unit in _SIGNS:
        number = _number(value, _MINOR if fact.digits is None else fact.digits)
        sign = MINUS if number.startswith(MINUS) else ""
        return sign + _SIGNS[fact.unit] + number.removeprefix(MINUS)
    unit = fact.unit.removesuffix("s") if value == 1 and fact.unit in _COUNTED else fact.unit
    return f"{number} {unit}".strip()


def _number(value: float, digits: int | None) -> str:
    text = f"{value:,}" if digits is None else f"{value:,.{digits}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")  # no negative zero
    return text.replace("-", MINUS)
