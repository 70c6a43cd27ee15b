"""Movements far beyond what is usual, and what speaks for them."""

from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.checks import Checked, Finding, Severity
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._tape import Tape
from tickerbook.market.checks.splits import RATIOS
from tickerbook.market.raw import PRICES

ORDER = 90
_FAR = 8.0  # times the noise
_WICK = 12.0  # times the noise, for a high or a low far from open and close
_LEAST = 0.08  # and at least that, in logarithms
_RETURN = 0.25  # share of a spike that may remain after it
_LOUD = np.log(2.0)  # volume against usual that corroborates a movement
_EXACT = 0.06  # logarithms: a day's movement beside a split
_BREAK = np.log(3.0)  # between two closes
_ODD = 4.0  # times the noise, for a movement that another provider denies
_SAME = 0.01  # relative: within this two providers agree
_AROUND = 41  # rows that tell on what scale another provider is


def check(delivery: Delivery) -> Checked:
    """Name spikes that nothing corroborates; put them right only where another provider tells how.

    Corroborated by a listed dividend or split, by volume, or by another provider, a movement is real. A spike
    that returns within a day on usual volume is doubtful, and so is a lone high or low far away.
    """
    jumps, wicks = _jumps(delivery.tape), _wicks(delivery.tape)
    back = np.append(np.nan_to_num(delivery.tape.change)[1:], 0.0)
    spikes = (jumps != 0) & (np.abs(jumps + back) < _RETURN * np.abs(jumps))
    findings: list[Finding] = []
    if delivery.context.second is not None:
        delivery, findings, told = _asked(delivery, spikes | wicks, delivery.context.second)
        spikes, wicks = spikes & ~told, wicks & ~told
    message = "Prices jump and return at once on usual volume; nothing corroborates it; kept."
    findings += delivery.notice(spikes, "outliers.spike", message)
    message = "The high or low lies far from open and close; nothing corroborates it; kept."
    findings += delivery.notice(wicks & ~spikes, "outliers.wick", message)
    return delivery, findings + _levels(delivery, spikes)


def _levels(delivery: Delivery, spikes: Any) -> list[Finding]:
    """Lasting changes of level: by the ratio of a split, or by more than a market moves.

    Where splits are listed they are doubts; where none are, a change by a split's ratio is to be expected.
    """
    jumps = np.where(spikes, 0.0, _unexplained(delivery.tape))
    like_split = np.abs(np.abs(jumps)[:, None] - np.log(RATIOS)).min(axis=1) < _EXACT
    quiet = like_split & (_jumps(delivery.tape) != 0)
    listed: Severity = "warning" if "split" in delivery.frame else "info"
    message = "Prices change level by the ratio of a split that is not listed, on usual volume; kept."
    findings = delivery.notice(quiet, "outliers.step", message, listed)
    message = "Prices change level by more than a market moves: a split, another company or a disaster; kept."
    beyond = (np.abs(jumps) > _BREAK) & ~quiet
    findings += delivery.notice(beyond & like_split, "outliers.break", message, listed)
    return findings + delivery.notice(beyond & ~like_split, "outliers.break", message)


def _unexplained(tape: Tape) -> Any:
    """Changes without what dividends explain."""
    rest = tape.change - tape.owed
    return np.nan_to_num(np.where(np.abs(rest) < np.abs(tape.change), rest, tape.change))


def _jumps(tape: Tape) -> Any:
    """Changes far beyond the noise that neither dividend nor volume explain; 0 elsewhere."""
    jump = _unexplained(tape)
    return np.where(_beyond(tape, np.abs(jump), _FAR), jump, 0.0)


def _wicks(tape: Tape) -> Any:
    opened, high, low, close = tape.logs.T
    wick = np.maximum(high - np.maximum(opened, close), np.minimum(opened, close) - low)
    return _beyond(tape, np.nan_to_num(wick), _WICK)


def _beyond(tape: Tape, sizes: Any, times: float) -> Any:
    """Where sizes are far beyond the noise, on volume that is not unusual."""
    far = sizes > _LEAST
    if far.any():
        far &= (sizes > times * tape.change_noise) & ~(tape.bustle > _LOUD)
    return far


def _asked(delivery: Delivery, doubtful: Any, second: pd.DataFrame) -> tuple[Delivery, list[Finding], Any]:
    """What another provider says: the delivery, findings, and which rows are answered.

    Where prices differ and ours are the ones that move unusually, theirs are taken.
    """
    ours, theirs = delivery.prices, _on_scale(delivery, second)
    apart = np.abs(theirs / ours - 1).max(axis=1)
    known = np.isfinite(apart)
    same = doubtful & known & (apart <= _SAME)
    message = "An unusual movement; another provider has it too."
    findings = delivery.notice(same, "outliers.corroborated", message, "info")
    tape = delivery.tape
    other = np.abs(np.log(theirs[:, 3]) - tape.before)
    moved = np.abs(tape.change) > np.maximum(_ODD * tape.change_noise, other)
    wrong = known & (apart > _SAME) & (doubtful | moved)
    values = dict(zip(PRICES, np.where(wrong[:, None], theirs, ours).T, strict=True))
    message = "An unusual movement that another provider does not have; its prices are taken."
    delivery, found = delivery.put(values, "outliers.refuted", message)
    return delivery, findings + found, same | wrong


def _on_scale(delivery: Delivery, second: pd.DataFrame) -> Any:
    """Another provider's prices, on the scale of ours around each row; NaN where it has none."""
    theirs = second[PRICES].reindex(delivery.frame.index).to_numpy(dtype=float)
    theirs = np.where((theirs > 0).all(axis=1, keepdims=True), theirs, np.nan)
    ratio = pd.Series(delivery.prices[:, 3] / theirs[:, 3])
    return theirs * ratio.rolling(_AROUND, center=True, min_periods=1).median().to_numpy()[:, None]
