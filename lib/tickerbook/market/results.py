"""What became of a ticker in a fetch, in numbers and words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pandas as pd

from tickerbook.market.answers import Answer, Case
from tickerbook.market.checks import Finding
from tickerbook.market.lake import Written

_NORMAL = ("sessions.partial", "order.copied")  # set aside every day, and nothing is lost by it


@dataclass(frozen=True)
class FetchResult:
    """What became of one ticker.

    Attributes:
        ticker: the symbol.
        status: "ok" also where nothing was new.
        provider: whose prices the lake has now; after a failure those who were asked.
        rows: sessions in the lake now.
        new_rows: sessions added.
        session: the newest session in the lake now; None where there is none.
        message: what happened, in one line.
        remedy: what to do, after a failure.
        seconds: how long it took.
        why: why this provider: "first choice", or who was preferred and how it failed; empty where nobody
            was asked.
        restated: stored sessions that came with other values, and are stored with them.
        repaired: sessions that the quality gate put right.
        quarantined: sessions that it set aside; after a failure, rows that it refused.
    """

    ticker: str
    status: Literal["ok", "failed"]
    provider: str
    rows: int
    new_rows: int
    session: date | None
    message: str
    remedy: str
    seconds: float
    why: str = ""
    restated: int = 0
    repaired: int = 0
    quarantined: int = 0


def reasons(case: Case, chosen: str | None = None) -> str:
    """Why a provider was chosen: how those before it failed; of all of them where none was."""
    names = list(case.ticker.providers)
    before = names if chosen is None else names[: names.index(chosen)]
    return ", ".join(f"{name}: {case.refusals[name].kind}" for name in before if name in case.refusals)


def changed(written: Written, case: Case, answer: Answer) -> str:
    """What a write changed, in words."""
    if written.older or (case.stored is not None and answer.newest < case.stored.session):
        return f"the answer of {answer.provider} ends before what is stored, which was kept as it is"
    counts = {
        "new": written.new,
        "restated": written.restated,
        "withdrawn with the former provider": written.withdrawn,
        f"kept that {answer.provider} no longer has": 0 if written.withdrawn else _forgotten(case, answer),
    }
    found = ", ".join(_counted(count, "session", what) for what, count in counts.items() if count)
    aside = f"; a damaged file was set aside as {written.aside.name}" if written.aside else ""
    return (found or "nothing new") + aside


def _forgotten(case: Case, answer: Answer) -> int:
    """Stored sessions within the answer that it does not have."""
    if case.stored is None:
        return 0
    index = case.stored.frame.index
    begin = index.searchsorted(pd.Timestamp(answer.first))
    inside = index[begin : index.searchsorted(answer.frame.index[-1], side="right")]
    return int((answer.frame.index.get_indexer(inside) < 0).sum())


def repaired(findings: Iterable[Finding]) -> int:
    """Sessions that were put right."""
    return len({day for f in findings if f.severity == "error" and f.after is not None for day in f.sessions})


def set_aside(findings: Iterable[Finding]) -> int:
    """Sessions whose row was set aside for what was wrong with it."""
    return len({day for f in findings if _removes(f) and f.check not in _NORMAL for day in f.sessions})


def remarks(findings: Sequence[Finding]) -> list[str]:
    """Findings in words: how many sessions each check concerned."""
    found: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        if finding.severity != "info":
            what = (
                "set aside"
                if _removes(finding)
                else "repaired"
                if finding.severity == "error"
                else "in doubt"
            )
            found[what, finding.check] += len(finding.sessions)
    return [
        _counted(count, "session", f"{what} ({check})") if count else f"{what} ({check})"
        for (what, check), count in found.items()
    ]


def _removes(finding: Finding) -> bool:
    return finding.before is not None and finding.after is None


def _counted(count: int, noun: str, what: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'} {what}"
