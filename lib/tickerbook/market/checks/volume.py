"""Shares traded: what cannot be, and what is doubtful."""

from typing import Any

import numpy as np

from tickerbook.market.checks import Checked
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._tape import Tape

ORDER = 85
_RARE = 0.05  # share of days without volume below which they stand out
_LOT = np.log(100.0)  # shares in a round lot
_OFF = 0.8  # how far a change of unit may be from that: volume is restless
_STEADY = 0.6  # spread of volume (logarithms) below which a factor of 100 stands out


def check(delivery: Delivery) -> Checked:
    """Make negative volumes unknown; name zeros among trading days, and volumes in lots for shares.

    Zero volume is true for idle days, indices and thin names, so it is never altered.
    """
    volume = delivery.frame["volume"].to_numpy()
    known = np.where(volume < 0, np.nan, volume)
    message = "A negative volume counts as unknown."
    delivery, findings = delivery.put({"volume": known}, "volume.negative", message)
    zero = (volume == 0) & ((volume == 0).mean() < _RARE)
    moved = delivery.prices[:, 1] > delivery.prices[:, 2]
    message = "Prices moved on a day without volume, which is doubtful; kept."
    findings += delivery.notice(zero & moved, "volume.zero", message)
    message = "A day without trading among trading days."
    findings += delivery.notice(zero & ~moved, "volume.idle", message, "info")
    message = "Volume is off by about 100, as lots are from shares; kept."
    return delivery, findings + delivery.notice(_lots(delivery.tape), "volume.unit", message)


def _lots(tape: Tape) -> Any:
    """Rows whose volume is off by about a round lot from steady volume around them."""
    none = np.zeros(len(tape.shares), dtype=bool)
    known = tape.shares[np.isfinite(tape.shares)]
    if not len(known) or np.ptp(known) < _LOT - _OFF or (tape.volume == 0).mean() > _RARE:
        return none
    if np.nanmedian(np.abs(tape.bustle)) > _STEADY:
        return none
    return np.abs(np.abs(np.nan_to_num(tape.bustle)) - _LOT) < _OFF
