"""Certificates of indicators."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from tickerbook.bars import Bars
from tickerbook.certificates import Certificate
from tickerbook.errors import ConfigError
from tickerbook.research import indicators
from tickerbook.research.causality.futures import OF_SERIES
from tickerbook.research.causality.histories import frame_of, histories
from tickerbook.research.causality.replay import replay

Indicator = Callable[..., Any]
_SESSIONS = 320
_WINDOWS = (5, 14)
# Those that mark a bar later than at its close, as their docstrings say: name → parameter that says how much.
_MARKED_LATER = {"swing_highs": "span", "swing_lows": "span"}


def indicator_names() -> tuple[str, ...]:
    """The indicators there are: the public functions of research/indicators.py, by name."""
    found = vars(indicators).items()
    return tuple(
        sorted(
            name
            for name, thing in found
            if inspect.isfunction(thing)
            and thing.__module__ == indicators.__name__
            and not name.startswith("_")
        )
    )


def certify_indicator(function: Indicator, others: Mapping[str, Bars], *, seed: int = 7) -> Certificate:
    """What is known of an indicator: a function of bars or of series of prices, and of lengths of windows.

    Raises:
        ConfigError: if it has a parameter that nobody knows how to fill.
    """
    name = getattr(function, "__name__", type(function).__name__)
    frames = {**histories(_SESSIONS), **{key: frame_of(bars.last(_SESSIONS)) for key, bars in others.items()}}
    _arguments(function, _WINDOWS[0], next(iter(frames.values())))
    later = name in _MARKED_LATER and function is getattr(indicators, name)
    runs = [
        replay(
            partial(_computed, function, window), frames, OF_SERIES, settles=window if later else 0, seed=seed
        )
        for window in (_WINDOWS if _has_window(function) else _WINDOWS[:1])
    ]
    checks = next((audits for _, audits in runs if not all(a.passed for a in audits)), runs[0][1])
    return Certificate(name, "indicator", checks, sum(seen.cuts for seen, _ in runs))


def _computed(function: Indicator, window: int, frame: pd.DataFrame) -> Any:
    return function(*_arguments(function, window, frame))


def _arguments(function: Indicator, window: int, frame: pd.DataFrame) -> list[Any]:
    return [_argument(function, parameter, frame, window) for parameter in _open(function)]


def _argument(
    function: Indicator, parameter: inspect.Parameter, frame: pd.DataFrame, window: int
) -> pd.DataFrame | pd.Series | int:
    if parameter.annotation is pd.DataFrame or parameter.name in {"frame", "bars"}:
        return frame
    if parameter.annotation is int:
        return window
    if parameter.annotation is pd.Series or parameter.name in frame.columns:
        return frame[parameter.name if parameter.name in frame.columns else "close"]
    raise ConfigError(
        f"{function.__name__} cannot be certified: what is its parameter {parameter.name!r}?",
        "Annotate it as pd.DataFrame (bars), pd.Series (prices) or int (sessions), or give it a default.",
    )


def _open(function: Indicator) -> list[inspect.Parameter]:
    """What has to be given: parameters without a default, and windows, which are worth trying."""
    parameters = inspect.signature(function).parameters.values()
    return [p for p in parameters if p.default is p.empty]


def _has_window(function: Indicator) -> bool:
    return any(parameter.annotation is int for parameter in _open(function))
