"""Tickers whose newest prices were refused: why, since when, and what was delivered.

    data/quarantine/AAPL.json       the reason; there as long as nothing better has come
    data/quarantine/AAPL.parquet    what was delivered, for looking at

The lake keeps the last good prices of such a ticker. They are stale, and a page must say so.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from tickerbook.files import dump_json, slug, unslug, whole_file, write_text
from tickerbook.market.checks import Finding


@dataclass(frozen=True)
class Quarantined:
    """A ticker in quarantine.

    Attributes:
        ticker: the symbol.
        provider: whose prices were refused last.
        since: when prices were first refused (UTC).
        reason: what is wrong with them, for a reader.
        checks: names of the checks that say so.
        session: newest session of the last good prices; None where there never were any.
    """

    ticker: str
    provider: str
    since: datetime
    reason: str
    checks: tuple[str, ...]
    session: date | None


@dataclass(frozen=True)
class Quarantine:
    """The folder (data/quarantine of a project)."""

    root: Path

    def all(self) -> dict[str, Quarantined]:
        """Every ticker that is in quarantine, by its symbol."""
        symbols = sorted(unslug(path.stem) for path in self.root.glob("*.json"))
        return {symbol: one for symbol in symbols if (one := self.get(symbol)) is not None}

    def get(self, ticker: str) -> Quarantined | None:
        """Why a ticker is in quarantine; None where it is not. A damaged note still says that it is."""
        path = self._path(ticker, "json")
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            told["since"] = datetime.fromisoformat(told["since"])
            told["session"] = date.fromisoformat(told["session"]) if told["session"] else None
            return Quarantined(**told | {"checks": tuple(told["checks"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, LookupError):
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            why = f"the note that says why is damaged ({path.name})"
            return Quarantined(ticker, "its provider", since, why, (), since.date())

    def put(
        self,
        ticker: str,
        provider: str,
        findings: Sequence[Finding],
        delivered: pd.DataFrame,
        *,
        at: datetime,
        session: date | None,
    ) -> Quarantined:
        """Refuse what was delivered and keep it aside. `at` is when it was refused first, if it is now.

        Raises:
            OSError: if the disk refuses.
        """
        before = self.get(ticker)
        grave = [finding for finding in findings if finding.severity == "fatal"] or list(findings)
        refused = Quarantined(
            ticker=ticker,
            provider=provider,
            since=before.since if before else at,
            reason=" ".join(finding.message for finding in grave),
            checks=tuple(finding.check for finding in grave),
            session=session,
        )
        with whole_file(self._path(ticker, "parquet")) as part:
            delivered.to_parquet(part)
        told = asdict(refused) | {"since": refused.since.isoformat()}
        told["session"] = session.isoformat() if session else None
        write_text(self._path(ticker, "json"), dump_json(told))
        return refused

    def lift(self, ticker: str) -> None:
        """Good prices came."""
        for kind in ("json", "parquet"):
            self._path(ticker, kind).unlink(missing_ok=True)

    def _path(self, ticker: str, kind: str) -> Path:
        return self.root / f"{slug(ticker)}.{kind}"
