"""Causality: proof by trial that something uses no future.

`certify` takes the future away at many closes, replaces it by others, and looks whether anything moves that
was settled by then; and whether dates are what they say. What is in `research/indicators.py`,
`research/levels/` and `research/strategies/` is found by being there; notebooks are certified in
`runs/certify.py`, which executes them.

That nothing was found is no proof that there is nothing, but each kind of look-ahead in
`tests/research/causality/` is found in this way.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tickerbook.bars import Bars
from tickerbook.certificates import Audit, Certificate, Kind, certificate_facts
from tickerbook.errors import ConfigError
from tickerbook.research import indicators
from tickerbook.research.causality.of_indicators import certify_indicator, indicator_names
from tickerbook.research.causality.of_methods import certify_method
from tickerbook.research.causality.of_strategies import certify_strategy
from tickerbook.research.levels import METHODS, Method
from tickerbook.research.strategy import strategy, strategy_names
from tickerbook.settings import nearest

__all__ = [
    "Audit",
    "Certificate",
    "Kind",
    "certifiable",
    "certificate_facts",
    "certificates",
    "certify",
    "certify_one",
]

Timer = Callable[[], float]


def certifiable() -> tuple[tuple[Kind, str], ...]:
    """Everything here that gets a certificate: kind and name, found by being in its folder."""
    return (
        *(("indicator", name) for name in indicator_names()),
        *(("level method", method.name) for method in METHODS),
        *(("strategy", name) for name in strategy_names()),
    )


def certify(
    thing: Any, others: Mapping[str, Bars] | None = None, *, timer: Timer | None = None, seed: int = 7
) -> Certificate:
    """Look for look-ahead in one thing.

    Args:
        thing: a name of `certifiable`, a strategy, a `Method` that finds levels, or an indicator: a function
            of bars (`pd.DataFrame`) or series of prices, and of lengths of windows (`int`).
        others: name → bars to look at besides the made-up ones, such as real ones.
        timer: gives seconds, for `Certificate.seconds`; such as `time.perf_counter`.
        seed: of the closes at which the future is replaced.

    Raises:
        ConfigError: for a name that there is not (names the nearest), or a function that cannot be called.
    """
    begun = timer() if timer else None
    found = _certified(_resolved(thing) if isinstance(thing, str) else thing, others or {}, seed)
    return found if timer is None or begun is None else replace(found, seconds=timer() - begun)


def certify_one(
    kind: Kind, name: str, others: Mapping[str, Bars] | None = None, *, timer: Timer | None = None
) -> Certificate:
    """The certificate of one of `certifiable`; see `certify`."""
    return certify(_thing(kind, name), others, timer=timer)


def certificates(kind: Kind | None = None, *, timer: Timer | None = None) -> tuple[Certificate, ...]:
    """The certificates of everything here, or of everything of one kind."""
    return tuple(certify_one(one, name, timer=timer) for one, name in certifiable() if kind in {None, one})


def _certified(thing: Any, others: Mapping[str, Bars], seed: int) -> Certificate:
    if isinstance(thing, Method):
        return certify_method(thing, others, seed=seed)
    if hasattr(thing, "exposure"):
        return certify_strategy(thing() if isinstance(thing, type) else thing, others, seed=seed)
    return certify_indicator(thing, others, seed=seed)


def _resolved(name: str) -> Any:
    kinds = [kind for kind, known in certifiable() if known == name]
    if not kinds:
        known = [known for _, known in certifiable()]
        raise ConfigError(
            f"There is nothing named {name!r} to certify.{nearest(name, known)}",
            f"There are {', '.join(known)}.",
        )
    return _thing(kinds[-1], name)


def _thing(kind: Kind, name: str) -> Any:
    if kind == "level method":
        return next(method for method in METHODS if method.name == name)
    return strategy(name) if kind == "strategy" else getattr(indicators, name)
