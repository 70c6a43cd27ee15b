"""From the newest good report to its narrative: draft, check, fill, store."""

from collections.abc import Callable
from datetime import date
from typing import Any, Protocol

from tickerbook.errors import NarrativeError
from tickerbook.facts import Fact, Facts
from tickerbook.narrative import plain
from tickerbook.narrative.draft import Draft, Part, fill
from tickerbook.narrative.policy import Verdict, receipt, sift
from tickerbook.narrative.style import Style
from tickerbook.store import RunResult, RunStore

REPORT = "report"

_USUAL = Style()
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


class Model(Protocol):
    """A narrator that asks a model.

    Attributes:
        name: what pages call it.
    """

    name: str

    def key(self, facts: Facts) -> str:
        """Digest of all that could change its prose: facts, prompt, style, model."""
        ...

    def write(self, facts: Facts, spare: Draft) -> tuple[Draft, list[dict[str, Any]]]:
        """A draft, and a record of each attempt.

        Raises:
            NarrativeError: if none came about that is worth keeping; `attempts` of the model has why.
        """
        ...


def narrate(
    store: RunStore,
    ticker: str,
    session: date | None = None,
    *,
    narrator: Narrator = plain.draft,
    model: Model | None = None,
    style: Style = _USUAL,
) -> dict[str, Any] | None:
    """Write the narrative of a ticker's newest good report and store it beside that run.

    A narrator that fails never blocks the page: what fails the check is replaced by plain sentences, or
    dropped; where nothing is left, the narrative says that there is none, and its receipt says why. What is
    stored already is not written again while it would be the same, and no model is asked for it.

    Args:
        store: the run store.
        ticker: the symbol.
        session: the newest good report not after it is taken; None for the newest of all.
        narrator: gives a plain draft for facts.
        model: writes instead, where there is one.
        style: the house style, which every sentence is held against.

    Returns:
        The narrative as stored: narrator, key, facts_digest, receipt, parts with their sentences (template,
        text, and slots as name → text), verdicts and attempts. None where there is no good report.

    Raises:
        TornFileError: if the report cannot be read.
    """
    report = store.latest_ok(REPORT, ticker, session)
    if report is None:
        return None
    stored = _stored(store, report)
    facts = report.facts if "ticker" in report.facts else Facts([_ticker(report, ticker)]) | report.facts
    if model and stored and stored.get("key") == model.key(facts) and stored.get("narrator") == model.name:
        return stored
    narrative = _narrative(report, facts, narrator, model, style)
    if narrative != stored:
        store.put_narrative(report, narrative)
    return narrative


def _narrative(
    report: RunResult, facts: Facts, narrator: Narrator, model: Model | None, style: Style
) -> dict[str, Any]:
    name, why = "plain", ""
    attempts: list[dict[str, Any]] = []
    draft, verdicts, fault = _sifted(narrator, facts, style)
    if model and draft:
        try:
            written, attempts = model.write(facts, draft)
            draft, verdicts = sift(written, facts, draft, style.faults)
            name = model.name
        except NarrativeError as error:
            why, attempts = error.message, list(getattr(error, "attempts", ()))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a model, the page comes out
            why = f"The model could not be asked: {error!r}."
    if not draft:
        name, draft, why = "none", _ABSTENTION, ""
    line = f"No narrative: {fault}" if name == "none" else receipt(draft, verdicts)
    return {
        "narrator": name,
        "key": model.key(facts) if model else "",
        "facts_digest": report.facts.digest,
        "receipt": " ".join(filter(None, (line, why, style.disclaimer))),
        "parts": fill(draft, facts),
        "verdicts": [verdict.to_json() for verdict in verdicts],
        "attempts": attempts,
    }


def _sifted(narrator: Narrator, facts: Facts, style: Style) -> tuple[Draft, tuple[Verdict, ...], str]:
    """What the plain narrator may say; nothing, and why, where it may say nothing."""
    try:
        draft, verdicts = sift(narrator(facts), facts, style=style.faults)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a narrator, the page comes out
        return (), (), getattr(error, "message", None) or repr(error)
    failed = next((f"it {v.reasons[0]}: {v.sentence}" for v in verdicts if v.reasons), "")
    why = f"A sentence was refused, because {failed}" if failed else "The narrator said nothing."
    return draft, verdicts, "" if draft else why


def _ticker(report: RunResult, ticker: str) -> Fact:
    return Fact("ticker", ticker, "ticker", as_of=report.run.session)


def _stored(store: RunStore, report: RunResult) -> dict[str, Any] | None:
    """The narrative that is there; none where it cannot be read."""
    try:
        return store.narrative(report)
    except (OSError, ValueError):
        return None
