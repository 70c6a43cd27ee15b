"""The vendor's adjusted close against the vendor's own dividends.

The lake keeps prices and actions, and adjusts on reading: a wrong adjusted close is told and does no harm.
"""

import numpy as np

from tickerbook.market.checks import Checked
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._paid import implied

ORDER = 98
_SHARE = 0.1  # relative to the dividend
_ROUNDING = 3e-4  # relative to the price: adjusted closes are rounded, some to a cent
_HUGE = 1e6  # times the close


def check(delivery: Delivery) -> Checked:
    """Tell where the adjusted close is impossible, or steps otherwise than the dividends say."""
    if "adj_close" not in delivery.frame:
        return delivery, []
    told, close = delivery.frame["adj_close"].to_numpy(), delivery.prices[:, 3]
    ours = "ours is derived from the dividends."
    message = f"The vendor's adjusted close is infinite, zero or negative; {ours}"
    impossible = (told <= 0) | (np.abs(told) > _HUGE * np.abs(close))
    findings = delivery.notice(impossible, "adjusted.impossible", message)
    if delivery.context.interval != "1d":
        return delivery, findings  # longer bars are adjusted at the next bar
    step, listed = implied(delivery) / np.exp(delivery.tape.before), delivery.tape.share
    wrong = np.abs(step - listed) > _SHARE * listed + _ROUNDING
    absent = wrong & (listed > 0) & (np.abs(step) < _ROUNDING)
    unlisted = wrong & (listed == 0)
    message = f"The vendor's adjusted close leaves out a dividend; {ours}"
    findings += delivery.notice(absent, "adjusted.missing", message)
    message = f"The vendor's adjusted close contradicts a dividend; {ours}"
    findings += delivery.notice(wrong & ~absent & ~unlisted, "adjusted.contradiction", message)
    message = f"The vendor's adjusted close allows for a dividend that is not there; {ours}"
    return delivery, findings + delivery.notice(unlisted, "adjusted.unlisted", message)
