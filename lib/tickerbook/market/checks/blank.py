"""Rows without prices."""

import numpy as np

from tickerbook.market.checks import Checked
from tickerbook.market.checks._delivery import Delivery

ORDER = 40


def check(delivery: Delivery) -> Checked:
    """Set aside rows in which a price is missing; their actions move to the next session."""
    missing = np.isnan(delivery.prices)
    blank, partly = missing.all(axis=1), missing.any(axis=1)
    return delivery.set_aside(
        [
            (blank, "blank.row", "There are no prices; the row is set aside, nothing is filled in."),
            (
                partly & ~blank,
                "blank.price",
                "A price is missing; the row is set aside, nothing is filled in.",
            ),
        ]
    )
