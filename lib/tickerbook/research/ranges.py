"""Ranges of a strategy's parameters: which values are possible, and which are tried."""

import dataclasses
import typing
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from tickerbook.errors import ConfigError

Parameter = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Range:
    """What a parameter may be, written beside its type: `fast: Annotated[int, Range(1, 250)] = 20`.

    Attributes:
        low, high: the smallest and the largest value, both possible.
        tried: the values that a walk-forward and a sweep choose from; where there are none, the default.
    """

    low: float
    high: float
    tried: tuple[Parameter, ...] = ()


def ranges(cls: type[Any]) -> Mapping[str, Range]:
    """The ranges of a strategy's class, by parameter; those of parameters that have one."""
    return _ranges(cls)  # type: ignore[arg-type] # classes are hashable; mypy thinks of instances


@lru_cache(maxsize=256)
def _ranges(cls: Hashable) -> Mapping[str, Range]:
    hints = typing.get_type_hints(cls, include_extras=True)
    found = {
        name: [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Range)]
        for name, hint in hints.items()
    }
    return {name: given[0] for name, given in found.items() if given}


def check_ranges(rule: Any) -> None:
    """Refuse a strategy with a parameter outside its range; call it in `__post_init__`.

    Raises:
        ConfigError: names the parameter and its range.
    """
    for name, allowed in ranges(type(rule)).items():
        value = getattr(rule, name)
        if not allowed.low <= value <= allowed.high:  # also NaN
            raise ConfigError(
                f"{type(rule).__name__}: {name} = {value} is outside {allowed.low:g}…{allowed.high:g}.",
                f"Use a value from {allowed.low:g} to {allowed.high:g}.",
            )


def combinations(
    cls: type[Any], values: Mapping[str, Sequence[Parameter]] | None = None
) -> tuple[dict[str, Parameter], ...]:
    """Every combination of values of a strategy's parameters, the first parameter slowest.

    Args:
        cls: the strategy's class.
        values: parameter → values. Default: the values that each range says are tried.
    """
    fields = [field.name for field in dataclasses.fields(cls)]
    tried = {name: allowed.tried for name, allowed in ranges(cls).items() if allowed.tried}
    chosen = tried if values is None else values
    names = [name for name in fields if name in chosen]
    return tuple(dict(zip(names, one, strict=True)) for one in product(*(chosen[name] for name in names)))
