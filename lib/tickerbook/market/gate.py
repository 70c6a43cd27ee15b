"""The gate between a provider and the lake: accept, repair with a record, or quarantine.

Every family of checks in `checks/` sees the frame as the families before it left it. What can be derived is
put right, what cannot is set aside, and each finding keeps what was delivered. Nothing is filled in or
invented; a row that was set aside comes back only where the stored history or another provider has it.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from tickerbook.market.checks import Context, Finding, families
from tickerbook.market.checks._delivery import Delivery
from tickerbook.market.raw import PRICES, RAW

__all__ = ["Context", "Decision", "Finding", "Verdict", "judge"]

Decision = Literal["accept", "repair", "quarantine"]
_WRONG = ("blank.", "signs.", "ohlc.", "stale.", "order.undecided")  # rows set aside for what is in them
_TOO_MANY = 0.1  # share of rows set aside for that, at which the rest is not trusted either


@dataclass(frozen=True, eq=False)
class Verdict:
    """What became of a delivered frame.

    Attributes:
        decision: "accept" as delivered, perhaps with doubts; "repair": something was put right or set aside;
            "quarantine": keep the last good data.
        frame: what may be stored, columns of `market.raw.RAW` as far as delivered, in the delivered
            adjustment; None in quarantine.
        findings: everything that was noticed, in the order of the checks.
    """

    decision: Decision
    frame: pd.DataFrame | None = field(repr=False)
    findings: tuple[Finding, ...]


def judge(delivered: pd.DataFrame, context: Context) -> Verdict:
    """Check what a provider delivered.

    Args:
        delivered: columns open high low close volume, and dividend and split where known (0 or 1 where there
            is none); `adj_close` and `capital_gain` are weighed as evidence where given. The index holds
            dates or instants, in any order.
        context: what it is judged by.
    """
    context = replace(context, stored=_witness(context.stored), second=_witness(context.second))
    delivery, findings = Delivery(delivered, context), list[Finding]()
    for _, check in families():
        delivery, found = check(delivery)
        findings += found
        if not len(delivery):
            findings.append(Finding("gate.nothing", "fatal", (), "No row is left."))
        if any(finding.severity == "fatal" for finding in findings):
            return Verdict("quarantine", None, tuple(findings))
    lost = sum(len(f.sessions) for f in findings if f.check.startswith(_WRONG) and _removed(f))
    if lost > _TOO_MANY * (len(delivery) + lost):
        message = f"{lost} rows had to be set aside; the rest is not trusted either."
        return Verdict("quarantine", None, (*findings, Finding("gate.many", "fatal", (), message)))
    decision: Decision = "repair" if any(f.severity == "error" for f in findings) else "accept"
    frame = delivery.frame[[name for name in RAW if name in delivery.frame]]
    return Verdict(decision, frame, tuple(findings))


def _witness(frame: pd.DataFrame | None) -> pd.DataFrame | None:
    """What a stored history or another provider has to tell: sound rows, each session once."""
    if frame is None or frame.empty:
        return None
    names = [name for name in RAW if name in frame]
    columns = {name: frame[name].to_numpy(dtype="float64", na_value=np.nan) for name in names}
    plain = pd.DataFrame(columns, frame.index.tz_localize(None))
    sound = np.isfinite([columns[name] for name in PRICES]).all(axis=0)
    sound &= ~plain.index.duplicated(keep="last")
    plain = plain if sound.all() else plain[sound]
    return plain if plain.index.is_monotonic_increasing else plain.sort_index()


def _removed(finding: Finding) -> bool:
    return finding.before is not None and finding.after is None
