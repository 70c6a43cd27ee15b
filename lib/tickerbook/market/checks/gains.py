"""Capital gains of funds, which some vendors list apart and also count inside the dividend."""

import numpy as np

from tickerbook.market.checks import Checked, Finding
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.checks._paid import paid
from tickerbook.market.checks._tape import later

ORDER = 96
_DECIDES = 1.0  # log likelihood by which prices must prefer one reading


def check(delivery: Delivery) -> Checked:
    """Make of dividend and capital gain what was paid: their sum, or the dividend that holds the gain."""
    frame, tape = delivery.frame, delivery.tape
    if "capital_gain" not in frame or not (frame["capital_gain"] > 0).any():
        return delivery, []
    gain = frame["capital_gain"].fillna(0.0).to_numpy()
    rows = np.flatnonzero(gain > 0)
    scaled = gain[rows] / (later(tape.split)[rows] if delivery.context.adjustment == "none" else 1.0)
    inside = paid(tape, rows, tape.dividend[rows])
    apart = paid(tape, rows, tape.dividend[rows] + scaled)
    whole = tape.dividend[rows] >= scaled  # a part is not more than the whole
    score = float((inside - apart)[whole].sum())
    twice = np.zeros(len(frame), dtype=bool)
    twice[rows[whole]] = score > _DECIDES
    message = "The capital gain is inside the dividend already, as prices show; it is not counted again."
    findings: list[Finding] = delivery.notice(twice, "gains.twice", message)
    if whole.any() and abs(score) <= _DECIDES:
        message = "Whether the capital gain is inside the dividend cannot be told from prices; it is added."
        findings += delivery.notice(rows[whole], "gains.unclear", message)
    total = delivery.action("dividend") + np.where(twice, 0.0, gain)
    message = "Dividend and capital gain were paid together; they are added."
    delivery, found = delivery.put({"dividend": total}, "gains.added", message)
    return delivery, findings + found
