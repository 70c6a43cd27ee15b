"""What `run` and `update` tell: words for a person, JSON lines for programs, or only problems.

Whatever is told is also in the log.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.markup import escape

from tickerbook.cli_board import outcome
from tickerbook.cli_logs import Log, open_log
from tickerbook.errors import TickerbookError
from tickerbook.market.sourcing import FetchResult
from tickerbook.runs.runner import RunEvent
from tickerbook.settings import Settings
from tickerbook.store import RunResult

_RUN_ID = 12  # digits of a run's key that tell it from others


class Mode(StrEnum):
    """How it is told."""

    WORDS = "words"
    QUIET = "quiet"
    JSON = "json"


@dataclass
class Show:
    """Takes what happens.

    Attributes:
        err: where problems are told in quiet mode.
        log: where everything is.
        clock: the present instant.
    """

    mode: Mode
    err: Console
    log: Log
    clock: Callable[[], datetime]

    def fetched(self, result: FetchResult) -> None:
        """A ticker's prices are there, or are not."""
        told = {
            "ticker": result.ticker,
            "status": result.status,
            "provider": result.provider,
            "why": result.why,
            "message": result.message,
            "new": result.new_rows,
            "restated": result.restated,
            "session": result.session.isoformat() if result.session else None,
            "seconds": round(result.seconds, 3),
        }
        self.tell("fetched", told, result.message if result.status == "failed" else "")

    def ran(self, event: RunEvent) -> None:
        """A run began, or has ended."""
        told: dict[str, Any] = {"notebook": event.notebook, "ticker": event.ticker}
        counts = {"done": event.done, "total": event.total}
        if event.result is None:
            self.tell("run started", told | counts)
            return
        told |= {"run": event.result.run.key[:_RUN_ID], "session": event.result.run.session.isoformat()}
        told |= {"status": outcome(event.result), "seconds": round(event.result.seconds, 3)}
        failure = event.result.failure
        problem = ""
        if failure is not None and event.result.status == "failed":
            problem = f"{event.ticker or 'universe'} {event.notebook}: {failure.message}"
        self.tell("run finished", told | {"failure": asdict(failure) if failure else None} | counts, problem)

    def narrated(self, failures: Mapping[str, str]) -> None:
        """Narratives are written; ticker → reason where that did not work."""
        problems = [f"{ticker}: {reason}" for ticker, reason in failures.items()]
        self.tell("narrated", {"failures": dict(failures)}, *problems)

    def built(self, pages: int, renderer: str, failures: Mapping[str, str]) -> None:
        """The site is in place."""
        self.tell("built", {"pages": pages, "renderer": renderer, "failures": dict(failures)})

    def ended(self, results: Sequence[RunResult], *, failed: bool) -> None:
        """Everything was done; `failed` where something went wrong."""
        words = [outcome(result) for result in results]
        counts = {word: words.count(word) for word in ("ok", "unchanged", "failed", "skipped")}
        self.tell("ended", {"failed": failed, "runs": counts})

    def tell(self, event: str, told: Mapping[str, Any], *problems: str) -> None:
        """Tell one thing; `problems` is what a person must know even of a quiet command."""
        bad = [problem for problem in problems if problem]
        (self.log.warning if bad else self.log.info)(event, **told)
        if self.mode is Mode.JSON:
            at = self.clock().isoformat(timespec="milliseconds")
            sys.stdout.write(json.dumps({"event": event, "at": at, **told}, allow_nan=False) + "\n")
            sys.stdout.flush()
        elif self.mode is Mode.QUIET:
            for problem in bad:
                self.err.print(f"[red]✗[/] {escape(problem)}")


@contextmanager
def showing(
    settings: Settings,
    verb: str,
    clock: Callable[[], datetime],
    out: Console,
    err: Console,
    *,
    quiet: bool = False,
    as_json: bool = False,
) -> Iterator[Show]:
    """Tell what a verb does until the block ends; `out` is silent where words are not wanted."""
    mode = Mode.JSON if as_json else Mode.QUIET if quiet else Mode.WORDS
    log = open_log(settings, clock, verb)
    before, out.quiet = out.quiet, out.quiet or mode is not Mode.WORDS
    log.info("began")
    try:
        yield Show(mode, err, log, clock)
    except TickerbookError as error:
        log.warning("refused", message=error.message, remedy=error.remedy)
        raise
    except KeyboardInterrupt:
        log.warning("interrupted")
        raise
    finally:
        out.quiet = before
