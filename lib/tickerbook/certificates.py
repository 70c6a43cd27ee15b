"""Certificates of causality: what was done to find look-ahead in something, and what it showed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tickerbook.facts import Fact, Facts

Kind = Literal["indicator", "level method", "strategy", "notebook"]


@dataclass(frozen=True)
class Audit:
    """One question put to it.

    Attributes:
        name: the question, in short: "prefix replay", "poisoned future", …
        passed: whether nothing was found.
        told: the first breach, with sessions and values; where there is none, what was compared.
    """

    name: str
    passed: bool
    told: str


@dataclass(frozen=True)
class Certificate:
    """What is known of one indicator, level method, strategy or notebook.

    Attributes:
        name: as in its folder.
        kind: what it is.
        checks: the questions put to it.
        cuts: closes at which the future was taken away or replaced.
        seconds: how long that took; None where nobody measured.
    """

    name: str
    kind: Kind
    checks: tuple[Audit, ...]
    cuts: int
    seconds: float | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was found. Without a check, or a cut, nothing was looked for."""
        return bool(self.checks) and self.cuts > 0 and all(check.passed for check in self.checks)

    @property
    def breaches(self) -> tuple[str, ...]:
        """What was found; empty where it passed."""
        return tuple(f"{check.name}: {check.told}" for check in self.checks if not check.passed)


def certificate_facts(certificates: Iterable[Certificate], as_of: date | None = None) -> Facts:
    """A row `certificate.N.name|kind|passed|checks|cuts|breach` for each certificate.

    How long it took is not among them: facts are the same whenever they are computed.
    """
    rows = enumerate(certificates, start=1)
    return Facts(fact for number, one in rows for fact in _row(f"certificate.{number}", one, as_of))


def _row(group: str, one: Certificate, as_of: date | None) -> Iterator[Fact]:
    for column, value, label, digits in (
        ("name", one.name, "certificate of", None),
        ("kind", one.kind, "which is a kind of", None),
        ("passed", one.passed, "passed", None),
        ("checks", len(one.checks), "questions put to it", 0),
        ("cuts", one.cuts, "closes at which the future was replaced", 0),
        ("breach", "; ".join(one.breaches) or None, "what was found", None),
    ):
        yield Fact(f"{group}.{column}", value, f"{one.name}: {label}", digits=digits, as_of=as_of)
