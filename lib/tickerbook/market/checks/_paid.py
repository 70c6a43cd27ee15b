"""What prices, and a vendor's adjusted close, say about dividends.

On its day a dividend takes its amount off the price. One day proves little against a day's noise, so the
likelihoods of all days that would share an error are added up before anything is changed.
"""

from typing import Any

import numpy as np

from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._tape import Tape

LEANS = 1.0  # log likelihood by which prices must speak for a change at all
DECIDES = 3.0  # and, with other evidence, for it to be made
SURE = 6.0  # to say that a dividend did not happen, when nothing else speaks against it
_IMPOSSIBLE = -20.0  # log likelihood of a dividend larger than the price


def paid(tape: Tape, rows: Any, amounts: Any) -> Any:
    """Log likelihood of prices at `rows` had `amounts` been paid there."""
    share = amounts / np.exp(tape.before[rows])
    possible = share < 1
    told = tape.surprise(rows, np.log1p(-np.where(possible, share, 0.0)))
    return np.where(possible, np.nan_to_num(told), _IMPOSSIBLE)


def implied(delivery: Delivery) -> Any:
    """The dividend that the vendor's adjusted close takes off at each row; NaN where it has none to tell."""
    if "adj_close" not in delivery.frame:
        return np.full(len(delivery), np.nan)
    told = delivery.frame["adj_close"].to_numpy()
    ratio = np.where((told > 0) & np.isfinite(told), told, np.nan) / np.exp(delivery.tape.logs[:, 3])
    step = np.append(np.nan, ratio[:-1] / ratio[1:])[: len(ratio)]
    return (1 - step) * np.exp(delivery.tape.before)


def chains(amounts: Any, ratio: float) -> list[Any]:
    """Positions of amounts, cut where the next larger one is more than `ratio` times as large."""
    order = np.argsort(amounts, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(np.log(amounts[order])) > np.log(ratio)) + 1)
