"""What a strategy is, and where to find one.

A strategy is a frozen dataclass in a file of its own in `research/strategies/`; the file's name is the
strategy's name and its fields are the parameters, each with the range of its values. There is nothing to
register.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.errors import ConfigError, StrategyError, TickerbookError
from tickerbook.research import strategies
from tickerbook.research.ranges import Parameter, combinations
from tickerbook.research.resting import Exits
from tickerbook.settings import nearest

__all__ = [
    "Decisions",
    "Parameter",
    "Strategy",
    "checked_exposure",
    "decide",
    "family",
    "strategy",
    "strategy_name",
    "strategy_names",
    "strategy_parameters",
    "strategy_title",
    "together",
]

Array = npt.NDArray[np.float64]


class Strategy(Protocol):
    """A rule that says how much to hold. Parameters are the fields of the (frozen) dataclass.

    Three things more a strategy may have, and most need none of them:

    - `title`, a class variable: what readers call it.
    - `exits(bars)`: stops and targets that rest in the market, as a frame with the columns `stop` and
      `target` (NaN for none), decided at each close for the next session. After one was filled nothing is
      held until `exposure` changes.
    - `exposures(bars, rules)`, a static method: the exposures of many of its kind at once, a column each, so
      that thousands of combinations of parameters take no longer than they must.
    """

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
        ConfigError: for an unknown name or parameter (names the nearest), or a value that does not fit or is
            outside its range.
        StrategyError: if its file does not hold exactly one strategy.
    """
    if name not in strategy_names():
        raise ConfigError(
            f"There is no strategy named {name!r}.{nearest(name, list(strategy_names()))}",
            f"The strategies are {', '.join(strategy_names())}.",
        )
    cls = _strategy_class(importlib.import_module(f"{strategies.__name__}.{name}"))
    for key, value in parameters.items():
        _check_parameter(name, key, value, _defaults(cls))
    return cast("Strategy", cls(**parameters))


def _defaults(cls: type[Any]) -> dict[str, Any]:
    return {field.name: field.default for field in dataclasses.fields(cls)}


def strategy_name(rule: Strategy) -> str:
    """The name of a strategy: its file's, or its class's where it was written elsewhere (in a notebook)."""
    package, _, module = type(rule).__module__.rpartition(".")
    return module if package == strategies.__name__ else type(rule).__name__


def strategy_parameters(rule: Strategy) -> dict[str, Parameter]:
    """The parameters of a strategy, by name; what is no plain value (another strategy) as a text."""
    if not dataclasses.is_dataclass(rule):
        raise StrategyError(
            f"The strategy {strategy_name(rule)} is not a dataclass.",
            "Write `@dataclass(frozen=True)` above its class; its fields are its parameters.",
        )
    values = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}
    return {name: value if isinstance(value, Parameter) else str(value) for name, value in values.items()}


def strategy_title(rule: Strategy) -> str:
    """What readers call a strategy, in the middle of a sentence."""
    return str(getattr(type(rule), "title", "") or strategy_name(rule).replace("_", " "))


def family(name: str, values: Mapping[str, Sequence[Parameter]] | None = None) -> tuple[Strategy, ...]:
    """A strategy with every combination of parameters that goes together.

    Args:
        name: of the strategy.
        values: parameter → values to combine. Default: those that the ranges of its parameters say are tried.

    Raises:
        ConfigError: as `strategy`; also where no combination goes together.
    """
    cls = type(strategy(name))
    for key, tried in (values or {}).items():
        for value in tried:
            _check_parameter(name, key, value, _defaults(cls))
    rules, refusal = [], ""
    for parameters in combinations(cls, values):
        try:
            rules.append(cls(**parameters))
        except ConfigError as error:  # a fast average that is slower than the slow one
            refusal = error.message
    if not rules:
        raise ConfigError(f"No combination of parameters of {name} goes together: {refusal}", "Try others.")
    return tuple(rules)


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Decisions:
    """What strategies decided: rows are sessions, columns are strategies.

    Attributes:
        exposures: at each close, −1…1.
        exits: stops and targets for the next session; None where no strategy has any.
    """

    exposures: Array
    exits: Exits | None

    def since(self, row: int) -> "Decisions":
        """Those at the closes from row `row` on."""
        return Decisions(self.exposures[row:], self.exits and self.exits.of(slice(row, None)))


def together(parts: Sequence[Decisions]) -> Decisions:
    """Decisions of several strategies side by side; all of them have exits, or none."""
    exits = [part.exits for part in parts if part.exits]
    stacked = (
        Exits(np.hstack([e.stop for e in exits]), np.hstack([e.target for e in exits])) if exits else None
    )
    return Decisions(np.hstack([part.exposures for part in parts]), stacked)


def decide(rules: Sequence[Strategy], bars: Bars) -> Decisions:
    """What strategies of one kind decide at each close of `bars`, checked against the protocol.

    Raises:
        StrategyError: as `checked_exposure`; also for exits that are not prices above zero, or that are on
            the wrong side of the close at which a position is decided.
    """
    vectors: Any = getattr(type(rules[0]), "exposures", None)
    if vectors is None or len({type(rule) for rule in rules}) > 1:
        alone = np.column_stack([checked_exposure(rule, bars).to_numpy() for rule in rules])
        return Decisions(alone, _exits_of(rules, alone, bars))
    said = _asked(rules[0], "exposures", lambda: np.asarray(vectors(bars, rules), dtype=np.float64))
    if said.shape != (len(bars), len(rules)):
        told = f"gives {said.shape} for {len(bars)} sessions and {len(rules)} strategies"
        raise _broken(rules[0], told, "one number for each session and strategy", "exposures")
    early = np.arange(len(bars))[:, None] < np.array([rule.warmup for rule in rules])
    if not np.abs(said).max() <= 1 or said[: early.any(axis=1).sum()][early[early.any(axis=1)]].any():
        for number, rule in enumerate(rules):  # to say which, and when
            _check(rule, pd.Series(said[:, number], bars.frame.index))
    return Decisions(said, _exits_of(rules, said, bars))


def _asked(rule: Strategy, method: str, ask: Callable[[], Any]) -> Any:
    """What a strategy answers; whatever it raises is told as an error of that strategy, with its cause."""
    try:
        return ask()
    except TickerbookError:
        raise
    except Exception as error:
        raise StrategyError(
            f"The strategy {strategy_name(rule)} raised {type(error).__name__}: {error}.",
            f"Its `{method}` must answer for any bars; what it raised stands above.",
        ) from error


def _exits_of(rules: Sequence[Strategy], said: Array, bars: Bars) -> Exits | None:
    return _stacked([_exits(rule, said[:, number], bars) for number, rule in enumerate(rules)])


def _exits(rule: Strategy, exposure: Array, bars: Bars) -> Exits | None:
    """Where a strategy's positions end inside a session, if it says so."""
    exits: Any = getattr(rule, "exits", None)
    if exits is None:
        return None
    said = _asked(rule, "exits", lambda: exits(bars))
    _check_exits(rule, said, bars)
    found = Exits(*(said[side].to_numpy(np.float64)[:, None] for side in ("stop", "target")))
    _check_sides(rule, exposure, found, bars)
    return found


def _stacked(found: Sequence[Exits | None]) -> Exits | None:
    known = [one for one in found if one is not None]
    if not known:
        return None
    blank = np.full(known[0].stop.shape, np.nan)
    return Exits(
        np.hstack([one.stop if one else blank for one in found]),
        np.hstack([one.target if one else blank for one in found]),
    )


def _check_exits(rule: Strategy, said: Any, bars: Bars) -> None:
    wanted = "a frame of `stop` and `target` with a price above zero, or NaN, for each session"
    if not isinstance(said, pd.DataFrame) or not said.index.equals(bars.frame.index):
        raise _broken(rule, f"gives {_shape(said)} as exits of {len(bars)} sessions", wanted, "exits")
    sides = [pd.to_numeric(said.get(side), errors="coerce") for side in ("stop", "target") if side in said]
    if len(sides) < 2 or any((one.isna() & said[one.name].notna()).any() for one in sides):  # noqa: PLR2004 - both
        raise _broken(rule, "gives exits that are no prices", wanted, "exits")
    if any(((one <= 0) | np.isinf(one)).any() for one in sides):
        raise _broken(rule, "gives exits that are no prices", wanted, "exits")


def _check_sides(rule: Strategy, exposure: Array, exits: Exits, bars: Bars) -> None:
    """Where a position begins, its stop is where it loses and its target where it gains.

    Later a stop may be beyond the close: what it has ended is decided until the rule says otherwise.
    """
    side = np.sign(exposure)
    begins = (side != 0) & (side != np.concatenate(([0.0], side[:-1])))
    close = bars.frame["close"].to_numpy()
    for name, gains, price in (("stop", -1, exits.stop[:, 0]), ("target", 1, exits.target[:, 0])):
        wrong = begins & (gains * side * (price - close) <= 0)
        if wrong.any():
            row = int(wrong.argmax())
            told = f"gives a {name} at {price[row]:g} on {bars.frame.index[row]:%Y-%m-%d}"
            wanted = "for each position a stop on its losing and a target on its gaining side of the close"
            raise _broken(rule, f"{told}, with the close at {close[row]:g}", wanted, "exits")


def checked_exposure(rule: Strategy, bars: Bars) -> pd.Series:
    """What a strategy says, as float64, if it keeps to the protocol.

    Raises:
        StrategyError: for whatever it raises, a wrong length or other sessions, NaN, a value outside −1…1, or
            a decision during the warm-up; names the first session concerned.
    """
    said = _asked(rule, "exposure", lambda: rule.exposure(bars))
    if not isinstance(said, pd.Series) or not said.index.equals(bars.frame.index):
        raise _broken(rule, f"gives {_shape(said)} for {len(bars)} sessions", "one number for each session")
    return _check(rule, said)


def _check(rule: Strategy, said: pd.Series) -> pd.Series:
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


def _broken(rule: Strategy, what: str, wanted: str, method: str = "exposure") -> StrategyError:
    return StrategyError(
        f"The strategy {strategy_name(rule)} {what}.", f"`{method}` must give {wanted} of the bars."
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
