"""Low ≤ open, close ≤ high."""

from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.checks import Checked, Finding
from tickerbook.market.checks._delivery import Delivery

ORDER = 80
_CENT = 0.0101  # rounding, and trades reported late
_SHARE = 0.0015  # of the price; the same for large prices
_SERIOUS = 0.75  # of a usual day's range
_HABIT = (
    0.01,
    5,
)  # share and number of rows from which disorder is how a market quotes: thin names in London
_HABITUAL = 3  # times the largest usual disorder of such a market
_WIDTH = 41  # rows that know what range is usual


def check(delivery: Delivery) -> Checked:
    """Exchange high and low where that orders the bar; set aside bars that contradict themselves grossly.

    Tolerant on purpose: a cent is rounding, and where quotes are thin the official open or close regularly
    lies outside the traded range. Such bars stay as they are.
    """
    prices = delivery.prices
    small = np.maximum(_SHARE * np.abs(prices[:, 3]), _CENT)
    if not (_disorder(prices) > small).any():
        return delivery, []
    wrong = (prices[:, 1] < prices[:, 2]) & (_disorder(prices) > small)
    wrong &= _disorder(prices[:, [0, 2, 1, 3]]) <= small
    turned = {
        "high": np.where(wrong, prices[:, 2], prices[:, 1]),
        "low": np.where(wrong, prices[:, 1], prices[:, 2]),
    }
    message = "High and low are exchanged; they are put right."
    delivery, findings = delivery.put(turned, "ohlc.swapped", message)
    delivery, found = _judged(delivery, _disorder(delivery.prices), small)
    return delivery, findings + found


def _disorder(prices: Any) -> Any:
    """By how much a bar breaks its order, in money."""
    opened, high, low, close = prices.T
    return np.maximum.reduce([np.maximum(opened, close) - high, low - np.minimum(opened, close), low - high])


def _judged(delivery: Delivery, off: Any, small: Any) -> Checked:
    odd = off > small
    habit = odd.sum() >= _HABIT[1] and odd.mean() >= _HABIT[0]
    limit = _SERIOUS * _usual_range(delivery.prices)
    if habit:
        limit = np.maximum(limit, _HABITUAL * np.quantile(off[odd], 0.95))
    loose = "Open or close lies outside low to high, as thin markets quote; kept as delivered."
    severity: Any = "info" if habit else "warning"
    findings: list[Finding] = delivery.notice(odd & (off <= limit), "ohlc.loose", loose, severity)
    gross = "Open, high, low and close contradict each other, and which is wrong cannot be told; set aside."
    delivery, found = delivery.set_aside([(odd & (off > limit), "ohlc.contradiction", gross)])
    return delivery, findings + found


def _usual_range(prices: Any) -> Any:
    """How far high and low usually are apart around each row, in money; at least twice rounding."""
    ranges = (prices[:, 1] - prices[:, 2]) / np.abs(prices[:, 3])
    usual = (
        pd.Series(np.where(ranges > 0, ranges, np.nan)).rolling(_WIDTH, center=True, min_periods=1).median()
    )
    return np.fmax(usual.to_numpy(), 2 * _SHARE) * np.abs(prices[:, 3])
