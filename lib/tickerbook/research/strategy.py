"""What a strategy is, and where to find one.

A strategy is a frozen dataclass in a file of its own in `research/strategies/`; the file's name is the
strategy's name and its fields are the parameters. There is nothing to register.
"""

import dataclasses
import importlib
import pkgutil
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError, StrategyError
from tickerbook.research import strategies
from tickerbook.settings import nearest

Parameter = bool | int | float | str


class Strategy(Protocol):
    """A rule that says how much to hold. Parameters are the fields of the (frozen) dataclass."""

    @property
    def warmup(self) -> int:
        """Sessions before the first decision: at row `warmup`, counted from 0, the rule can first decide."""

    def exposure(self, bars: Bars) -> pd.Series:
        """What to hold, as a fraction of equity in −1…1, for each session of `bars`.

        Decided at that session's close from what was known by then, held from the next session's open until
        a session decides otherwise. 0 during the warm-up.
        """


def strategy_names() -> tuple[str, ...]:
    """The strategies there are, by name."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(strategies.__path__)))


def strategy(name: str, **parameters: Parameter) -> Strategy:
    """The strategy of that name, with its default parameters except for those given.

    Raises:
        ConfigError: for an unknown name or parameter (names the nearest), or a value that does not fit.
        StrategyError: if its file does not hold exactly one strategy.
    """
    if name not in strategy_names():
        raise ConfigError(
            f"There is no strategy named {name!r}.{nearest(name, list(strategy_names()))}",
            f"The strategies are {', '.join(strategy_names())}.",
        )
    cls = _strategy_class(importlib.import_module(f"{strategies.__name__}.{name}"))
    defaults = {field.name: field.default for field in dataclasses.fields(cls)}
    for key, value in parameters.items():
        _check_parameter(name, key, value, defaults)
    return cast("Strategy", cls(**parameters))


def strategy_name(rule: Strategy) -> str:
    """The name of a strategy: its file's, or its class's where it was written elsewhere (in a notebook)."""
    package, _, module = type(rule).__module__.rpartition(".")
    return module if package == strategies.__name__ else type(rule).__name__


def strategy_parameters(rule: Strategy) -> dict[str, Parameter]:
    """The parameters of a strategy, by name."""
    if not dataclasses.is_dataclass(rule):
        raise StrategyError(
            f"The strategy {strategy_name(rule)} is not a dataclass.",
            "Write `@dataclass(frozen=True)` above its class; its fields are its parameters.",
        )
    return {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}


def checked_exposure(rule: Strategy, bars: Bars) -> pd.Series:
    """What a strategy says, as float64, if it keeps to the protocol.

    Raises:
        StrategyError: for a wrong length or other sessions, NaN, a value outside −1…1, or a decision during
            the warm-up; names the first session concerned.
    """
    said = rule.exposure(bars)
    if not isinstance(said, pd.Series) or not said.index.equals(bars.frame.index):
        raise _broken(rule, f"gives {_shape(said)} for {len(bars)} sessions", "one number for each session")
    values = pd.to_numeric(said, errors="coerce").astype("float64")
    faults = {
        "is not a number": values.isna(),
        "is outside −1…1": values.abs() > 1,
        "is decided before the warm-up is over": (values != 0) & (np.arange(len(values)) < rule.warmup),
    }
    for fault, where in faults.items():
        if where.any():
            session = where.idxmax()
            told = f"gives {said.loc[session]!r} on {session:%Y-%m-%d}, which {fault}"
            raise _broken(rule, told, "a number in −1…1 for each session, 0 during the warm-up")
    return values.rename(strategy_name(rule))


def _broken(rule: Strategy, what: str, wanted: str) -> StrategyError:
    return StrategyError(
        f"The strategy {strategy_name(rule)} {what}.", f"`exposure` must give {wanted} of the bars."
    )


def _shape(said: Any) -> str:
    return f"a series of {len(said)}" if isinstance(said, pd.Series) else f"a {type(said).__name__}"


def _strategy_class(module: ModuleType) -> type[Any]:
    """The one dataclass with an `exposure` that a strategy's file defines."""
    found = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and thing.__module__ == module.__name__ and hasattr(thing, "exposure")
    ]
    if len(found) != 1 or not dataclasses.is_dataclass(found[0]):
        raise StrategyError(
            f"{module.__name__} holds {len(found)} classes with an `exposure`.",
            "A strategy's file defines one frozen dataclass with `warmup` and `exposure`.",
        )
    return found[0]


def _check_parameter(name: str, key: str, value: Parameter, defaults: dict[str, Any]) -> None:
    if key not in defaults:
        raise ConfigError(
            f"The strategy {name} has no parameter {key!r}.{nearest(key, list(defaults))}",
            f"Its parameters are {', '.join(defaults)}.",
        )
    kind = type(defaults[key])
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise ConfigError(
            f"{name}: {key} = {value!r} is not of type {kind.__name__}.",
            f"The default is {defaults[key]!r}.",
        )
