"""Bars that repeat the bar before, volume included."""

import numpy as np

from tickerbook.market.checks import Checked
from tickerbook.market.checks._delivery import Delivery

ORDER = 45


def check(delivery: Delivery) -> Checked:
    """Set aside rows that a vendor repeated for want of new ones.

    Two days may well have the same prices, and idle days have no volume: only repeated trading is impossible.
    A single repeat is kept, as it may be chance in thin trading.
    """
    prices, volume = delivery.prices, delivery.frame["volume"].to_numpy()
    same = np.zeros(len(delivery), dtype=bool)
    same[1:] = (prices[1:] == prices[:-1]).all(axis=1) & (volume[1:] == volume[:-1])
    same &= (volume > 0) & (prices[:, 1] > prices[:, 2])
    if not same.any():
        return delivery, []
    again = same & (np.append(same[1:], False) | np.append(False, same[:-1]))
    once = "The bar is the same as the one before, volume included; kept, as it may be chance."
    findings = delivery.notice(same & ~again, "stale.once", once)
    message = "The bar repeats the one before, volume included; the row is set aside."
    delivery, found = delivery.set_aside([(again, "stale.repeated", message)])
    return delivery, findings + found
