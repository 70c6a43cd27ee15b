"""Hands: where notebooks execute, on this machine or on the workers of a Dask cluster."""

import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from tickerbook.errors import ConfigError
from tickerbook.runs.attempt import INTERRUPTED, Workshop, attempt, unmade
from tickerbook.runs.inputs import Work
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger.leases import open_runner
from tickerbook.settings import load_settings
from tickerbook.store import Failure, RunResult

LOCAL = "local"
_DASK = "dask://"
_REACHING = 30  # seconds to find a scheduler


class Hands(Protocol):
    """Executes pieces of work."""

    def submit(self, work: Work, run: int) -> "Future[RunResult]":
        """Begin when there is room; `run` is its number in the ledger."""

    def stop(self) -> None:
        """End what runs, at once; may be called again."""


@contextmanager
def open_hands(name: str, shop: Workshop, workers: int) -> Iterator[Hands]:
    """Hands by name: "local", or the address of a Dask scheduler such as dask://10.0.0.5:8786.

    With Dask, the project's folder with lake and run store must be on storage that all machines see under the
    same path, the ledger where all reach it, and the same tickerbook installed on each.

    Raises:
        ConfigError: for another name, a scheduler that does not answer, or without the package distributed.
    """
    if name == LOCAL:
        with ThreadPoolExecutor(workers, thread_name_prefix="tickerbook-run") as pool:
            yield _Here(shop, pool)
    elif name.startswith(_DASK):
        client = _client(name.removeprefix(_DASK))
        try:
            yield _Elsewhere(shop, client)
        finally:
            client.close()
    else:
        raise ConfigError(
            f"There is no executor {name!r}.", "It is local, or dask://HOST:PORT of a scheduler."
        )


@dataclass(frozen=True)
class _Here:
    shop: Workshop
    pool: ThreadPoolExecutor

    def submit(self, work: Work, run: int) -> "Future[RunResult]":
        return self.pool.submit(attempt, work, self.shop, run)

    def stop(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.shop.kernels.stop()


@dataclass
class _Elsewhere:
    shop: Workshop
    client: Any
    stopped: bool = False
    theirs: list[Any] = field(default_factory=list)

    def submit(self, work: Work, run: int) -> "Future[RunResult]":
        now_at = self.shop.clock()
        project = str(self.shop.settings.project)
        theirs = self.client.submit(execute, work, run, project, now_at, self.shop.force, pure=False)
        ours: Future[RunResult] = Future()
        self.theirs.append(theirs)
        theirs.add_done_callback(lambda done: ours.set_result(self._result(done, work, now_at)))
        return ours

    def stop(self) -> None:
        self.stopped = True
        self.client.cancel(self.theirs, force=True)

    def _result(self, theirs: Any, work: Work, now_at: datetime) -> RunResult:
        """What became of it on a worker; a lost worker is a failure like any other."""
        try:
            return cast("RunResult", theirs.result())
        except (Exception, CancelledError) as error:  # noqa: BLE001 - the border: whatever a cluster raises
            return unmade(work, "", "failed", INTERRUPTED if self.stopped else _lost(error), now_at)


def _lost(error: BaseException) -> Failure:
    return Failure(
        "worker",
        f"The worker that executed it was lost: {str(error) or type(error).__name__}",
        "See the cluster's log for why, and run again; what was finished is stored.",
    )


def execute(work: Work, run: int, project: str, now_at: datetime, force: bool) -> RunResult:
    """Execute a piece of work in this process, which is a worker's; `now_at` is the clock of who asks."""
    from tickerbook.runs.kernels import open_kernels  # noqa: PLC0415 - papermill costs 2 s, --help needs none

    settings = load_settings(Path(project))
    clock = partial(_since, now_at, time.monotonic())
    with (
        open_kernels(settings.project) as kernels,
        open_runner(Ledger(settings.ledger), kernels.folder, clock) as runner,
    ):
        return attempt(work, Workshop(settings, kernels, runner, clock, force), run)


def _since(now_at: datetime, began: float) -> datetime:
    return now_at + timedelta(seconds=time.monotonic() - began)


def _client(address: str) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError(
            "The executor dask needs the package distributed.", 'Install it: pip install "tickerbook[dask]".'
        ) from error
    try:
        return Client(f"tcp://{address}", timeout=_REACHING, set_as_default=False)  # type: ignore[no-untyped-call]  # has no types
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"No Dask scheduler answers at {address}: {error}",
            "Start one with `dask scheduler`, and workers with `dask worker HOST:PORT`.",
        ) from error
