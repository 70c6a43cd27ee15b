"""From the newest good report to its narrative: draft, check, fill, store."""

from collections.abc import Callable
from datetime import date
from typing import Any

from tickerbook.facts import Fact, Facts
from tickerbook.narrative import plain
from tickerbook.narrative.check import check
from tickerbook.narrative.draft import SLOT, Draft, Part, fill
from tickerbook.store import RunResult, RunStore

REPORT = "report"

Narrator = Callable[[Facts], Draft]

_ABSTENTION: Draft = (
    Part(
        "context",
        "Context",
        (
            "There is no text about {ticker} for this report, because its draft did not pass the check.",
            "The figures, levels and charts on this page do not depend on it.",
        ),
    ),
)


def narrate(
    store: RunStore, ticker: str, session: date | None = None, *, narrator: Narrator = plain.draft
) -> dict[str, Any] | None:
    """Write the narrative of a ticker's newest good report and store it beside that run.

    A narrator that fails never blocks the page: the narrative then says that there is none, and its receipt
    says why. What is stored already is not written again while it would be the same.

    Args:
        store: the run store.
        ticker: the symbol.
        session: the newest good report not after it is taken; None for the newest of all.
        narrator: gives a draft for facts.

    Returns:
        The narrative as stored: narrator, facts_digest, receipt, and parts with their sentences (template,
        text, and slots as name → text). None where there is no good report.

    Raises:
        TornFileError: if the report cannot be read.
    """
    report = store.latest_ok(REPORT, ticker, session)
    if report is None:
        return None
    narrative = _narrative(report, ticker, narrator)
    if narrative != _stored(store, report):
        store.put_narrative(report, narrative)
    return narrative


def _narrative(report: RunResult, ticker: str, narrator: Narrator) -> dict[str, Any]:
    facts = report.facts if "ticker" in report.facts else Facts([_ticker(report, ticker)]) | report.facts
    try:
        draft = narrator(facts)
        check(draft, facts)
        name, receipt = "plain", _receipt(draft)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a narrator, the page comes out
        draft, name = _ABSTENTION, "none"
        receipt = f"No narrative: {getattr(error, 'message', None) or repr(error)}"
    return {
        "narrator": name,
        "facts_digest": report.facts.digest,
        "receipt": receipt,
        "parts": fill(draft, facts),
    }


def _ticker(report: RunResult, ticker: str) -> Fact:
    return Fact("ticker", ticker, "ticker", as_of=report.run.session)


def _receipt(draft: Draft) -> str:
    """What the check found, in a line for the foot of a page."""
    sentences = [sentence for part in draft for sentence in part.sentences]
    filled = sum(len(SLOT.findall(sentence)) for sentence in sentences)
    counted = f"{_count(len(sentences), 'sentence')}, {_count(filled, 'slot')} filled from facts"
    return f"{counted}, no figure typed by hand."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _stored(store: RunStore, report: RunResult) -> dict[str, Any] | None:
    """The narrative that is there; none where it cannot be read."""
    try:
        return store.narrative(report)
    except (OSError, ValueError):
        return None
