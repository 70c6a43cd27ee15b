"""The delivered history against the stored one: restated rows, and another company under the symbol."""

from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.checks import Checked, Finding
from tickerbook.market.checks._delivery import Delivery, counted
from tickerbook.market.raw import PRICES

ORDER = 100
_COMMON = 5  # sessions needed to judge
_SAME = 0.002  # relative: rounding of vendors
_OTHER = 0.2  # share of common sessions with other movements from which it is another history
_RESCALED = 0.01  # relative: a level that differs from the stored one by more is told


def check(delivery: Delivery) -> Checked:
    """Name what changed since it was stored; quarantine what is not the same security any more.

    Movements are compared, not levels: a split or another scale changes every level and no movement.
    """
    stored = delivery.context.stored
    if stored is None:
        return delivery, []
    common = delivery.frame.index.intersection(stored.index)
    if len(common) < _COMMON:
        message = (
            f"Only {len(common)} sessions are stored too; whether it is the same history cannot be told."
        )
        return delivery, [Finding("history.apart", "warning", (), message)]
    new = delivery.prices[delivery.frame.index.get_indexer(common)]
    old = np.column_stack([stored[name].to_numpy() for name in PRICES])[stored.index.get_indexer(common)]
    moved = np.abs(np.diff(_logs(new)) - np.diff(_logs(old))) > _SAME
    if moved.mean() > _OTHER:
        message = (
            f"{moved.mean():.0%} of the movements differ from the stored history: another security under "
            "this symbol, or another kind of prices."
        )
        return delivery, [Finding("history.other", "fatal", tuple(common.date), message)]
    return delivery, _restated(new, old, common) + _gone(delivery.frame.index, stored.index)


def _logs(prices: Any) -> Any:
    close = np.abs(prices[:, -1])
    return np.log(np.where(close > 0, close, np.nan))


def _restated(new: Any, old: Any, common: pd.DatetimeIndex) -> list[Finding]:
    scale = float(np.exp(np.nanmedian(_logs(new) - _logs(old))))
    findings = []
    if abs(scale - 1) > _RESCALED:
        message = f"Prices are {scale:.6g} times the stored ones throughout, as after a split."
        findings.append(Finding("history.scale", "warning", (), message))
    changed = (np.abs(new - old * scale) > _SAME * np.abs(old * scale)).any(axis=1)
    if changed.any():
        days = common[changed]
        before, after = (pd.DataFrame(prices[changed], days, PRICES) for prices in (old, new))
        message = f"{counted(len(days), 'stored session')} came with other prices this time."
        findings.append(Finding("history.restated", "warning", tuple(days.date), message, before, after))
    return findings


def _gone(delivered: pd.DatetimeIndex, stored: pd.DatetimeIndex) -> list[Finding]:
    inside = stored[(stored >= delivered[0]) & (stored <= delivered[-1])].difference(delivered)
    message = f"{counted(len(inside), 'stored session')} not delivered any more."
    return [Finding("history.gone", "warning", tuple(inside.date), message)] if len(inside) else []
