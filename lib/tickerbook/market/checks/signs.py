"""Prices that are zero or below, and negative dividends."""

from typing import Any

import numpy as np
import pandas as pd

from tickerbook.market.checks import Checked
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.raw import PRICES

ORDER = 50
_NEAR = 0.25  # a turned price is within this of the others of its bar, or of the close before


def check(delivery: Delivery) -> Checked:
    """Set aside zeros, turn the sign where only that is wrong, and keep negative prices that hang together.

    A price of exactly zero is a missing one. A negative price can be true (crude oil settled at −37.63 USD on
    2020-04-20); then the bar is in order as it stands. Where turning the sign puts the bar in order and back
    among its neighbours, the sign was the error.
    """
    message = "A negative dividend does not exist; it is removed."
    owed = {"dividend": np.maximum(delivery.action("dividend"), 0.0)} if "dividend" in delivery.frame else {}
    delivery, none = delivery.put(owed, "signs.dividend", message)
    delivery, findings = _prices(delivery)
    return delivery, none + findings


def _prices(delivery: Delivery) -> Checked:
    if (delivery.prices > 0).all():
        return delivery, []
    turned = dict(zip(PRICES, _turned(delivery.prices).T, strict=True))
    message = "The minus sign is an error; the size fits and is kept."
    delivery, findings = delivery.put(turned, "signs.turned", message)
    prices = delivery.prices
    zero, negative = (prices == 0).any(axis=1), (prices < 0).any(axis=1)
    true = negative & ~zero & _ordered(prices)
    message = "The price is negative and the bar is in order: unusual, but true ones exist; it is kept."
    findings += delivery.notice(true, "signs.negative", message)
    impossible = "A negative price contradicts its bar; the row is set aside."
    delivery, found = delivery.set_aside(
        [
            (zero, "signs.zero", "A price is zero; the row is set aside."),
            (negative & ~zero & ~true, "signs.impossible", impossible),
        ]
    )
    return delivery, findings + found


def _ordered(prices: Any) -> Any:
    return (prices[:, 1] >= prices.max(axis=1)) & (prices[:, 2] <= prices.min(axis=1))


def _turned(prices: Any) -> Any:
    """The prices, without sign in the rows where only the sign is wrong."""
    sizes = np.abs(prices)
    negative = (prices < 0).any(axis=1)
    logs = np.log(np.where(sizes > 0, sizes, np.nan))
    before = pd.Series(np.where(negative, np.nan, logs[:, 3])).ffill().bfill().to_numpy()
    whole = (prices < 0).all(axis=1)
    near = np.where(whole, np.abs(logs[:, 3] - before), np.ptp(logs, axis=1)) < _NEAR
    return np.where((negative & near & _ordered(sizes))[:, None], sizes, prices)
