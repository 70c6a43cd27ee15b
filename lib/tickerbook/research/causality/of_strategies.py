"""Certificates of strategies."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.certificates import Audit, Certificate
from tickerbook.research.causality.fills import Fills, audit_fills, simulated
from tickerbook.research.causality.futures import OF_BARS
from tickerbook.research.causality.histories import bars_of, frame_of, histories
from tickerbook.research.causality.replay import replay, same
from tickerbook.research.strategy import (
    Strategy,
    checked_exposure,
    decide,
    family,
    strategy,
    strategy_name,
    strategy_names,
)

_LEAST = 340  # sessions of a made-up history; longer where the warm-up is
_SPLIT = 2.0  # a power of two divides prices without rounding


def certify_strategy(
    rule: Strategy, others: Mapping[str, Bars], *, seed: int = 7, fills: Fills = simulated
) -> Certificate:
    """What is known of a strategy.

    One of the folder that decides for many parameters at once is asked for the last of its family, too.

    Args:
        rule: the strategy.
        others: name → bars to look at besides the made-up ones.
        seed: of the cuts.
        fills: how its decisions are filled.
    """
    rules = _variants(rule)
    count = max([_LEAST, *(2 * one.warmup + 140 for one in rules)])
    frames = {**histories(count), **{name: frame_of(bars.last(count)) for name, bars in others.items()}}
    seen, audits = replay(partial(_decided, rules), frames, OF_BARS, seed=seed)
    first = next(iter(frames.values()))
    checks = (*audits, _audit_sessions(rules, frames), _audit_split(rules, frames), audit_fills(first, fills))
    return Certificate(strategy_name(rule), "strategy", checks, seen.cuts)


def _variants(rule: Strategy) -> tuple[Strategy, ...]:
    """A strategy as it is, and where it is one of the folder with other parameters too."""
    name = strategy_name(rule)
    if name not in strategy_names() or type(strategy(name)) is not type(rule):
        return (rule,)
    if not hasattr(type(rule), "exposures"):  # one at a time takes long, and shows little more
        return (rule,)
    tried = family(name)
    return tuple(dict.fromkeys((rule, tried[-1])))


def _decided(rules: Sequence[Strategy], frame: pd.DataFrame) -> np.ndarray:
    """All that strategies say at each close: exposures, stops and targets."""
    said = decide(rules, bars_of(frame))
    exits = [said.exits.stop, said.exits.target] if said.exits else []
    return np.hstack([said.exposures, *exits])


def _audit_sessions(rules: Sequence[Strategy], frames: Mapping[str, pd.DataFrame]) -> Audit:
    """Whether each decision stands at its session, none before enough is known, however it is asked for."""
    name = "timestamps"
    for where, frame in frames.items():
        for part in (frame, frame.iloc[: len(frame) // 2]):
            try:
                bars = bars_of(part)
                alone = np.column_stack([checked_exposure(rule, bars) for rule in rules])
                if not same(decide(rules, bars).exposures, alone).all():
                    told = f"{where}: `exposures` and `exposure` do not say the same"
                    return Audit(name, passed=False, told=told)
            except Exception as error:  # noqa: BLE001 - whatever a rule raises is the finding
                return Audit(name, passed=False, told=f"{where}: {getattr(error, 'message', repr(error))}")
    return Audit(name, passed=True, told="a decision for each session, none before the warm-up is over")


def _audit_split(rules: Sequence[Strategy], frames: Mapping[str, pd.DataFrame]) -> Audit:
    """Whether a later split (or dividend), which rescales all adjusted prices, would change a decision."""
    name = "later split"
    for where, frame in frames.items():
        halved = frame.copy()
        halved.iloc[:, :4] /= _SPLIT
        halved["volume"] *= _SPLIT
        try:
            agree = same(_exposed(rules, halved), _exposed(rules, frame))
        except Exception as error:  # noqa: BLE001 - whatever a rule raises is the finding
            return Audit(name, passed=False, told=f"{where}: {type(error).__name__}: {error}")
        if not agree.all():
            day = frame.index[np.argwhere(~agree)[0][0]]
            told = f"{where}: with prices halved by a later split, {day:%Y-%m-%d} is decided otherwise"
            return Audit(name, passed=False, told=told)
    return Audit(name, passed=True, told="prices as adjusted for a later split give the same decisions")


def _exposed(rules: Sequence[Strategy], frame: pd.DataFrame) -> np.ndarray:
    exposures = decide(rules, bars_of(frame)).exposures
    return np.round(exposures, 9)  # logarithms of half a price round otherwise
