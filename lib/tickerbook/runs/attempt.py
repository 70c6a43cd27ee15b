"""One run, from its key to a stored result. This is what a worker does."""

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from tickerbook.errors import DataError
from tickerbook.facts import Facts
from tickerbook.runs.harvest import harvest
from tickerbook.runs.inputs import Prices, Work, ingredients, look_around, origin, read_prices, stored
from tickerbook.runs.key import Ingredients, versions
from tickerbook.runs.ledger.leases import Runner, StoppedError
from tickerbook.settings import Settings
from tickerbook.store import Failure, Run, RunResult, RunStore, Status

if TYPE_CHECKING:
    from tickerbook.runs.kernels import Kernels  # imports papermill: 2 s

_TRIES = 3
_PACKAGES = ("tickerbook", "numpy", "pandas", "papermill", "plotly", "vectorbt")
INTERRUPTED = Failure("interrupted", "The run was interrupted.", "Run the same command again.")
CHANGED = Failure(
    "changed",
    "Prices, facts or code went on changing while it ran.",
    "Run again when they have come to rest.",
)


@dataclass(frozen=True)
class Workshop:
    """What every run of a batch is made with."""

    settings: Settings
    kernels: "Kernels"
    runner: Runner
    clock: Callable[[], datetime]
    force: bool

    @property
    def store(self) -> RunStore:
        """Where results go, as long as nobody has taken over."""
        return RunStore(self.settings.runs, self.runner.fence)


def attempt(work: Work, shop: Workshop, run: int) -> RunResult:
    """Execute a piece of work and store the result, or take the one that is stored.

    Another process with the same work at the same time executes it, or waits and takes the result. If what
    the run is computed from changes meanwhile, nothing is stored under the old key and it is executed anew.

    Args:
        work: what to do.
        shop: with what.
        run: its number in the ledger.

    Raises:
        TakenOverError: if others gave this process up, as after a pause.
    """
    started_at = shop.clock()
    made_of = None
    try:
        for _ in range(_TRIES):
            prices = _reader(work, shop)
            made_of = _made_of(work, shop, prices)
            with shop.runner.alone(made_of.key, run, lambda: shop.kernels.stopped):
                result = None if shop.force else taken(shop.store, made_of.key)
                result = result or _executed(work, made_of, prices, shop, started_at, run)
            if result is not None:
                return result
        failure = CHANGED
    except StoppedError:
        failure = INTERRUPTED
    except DataError as error:
        failure = Failure("no bars", error.message, error.remedy)
    except OSError as error:
        failure = _disk(error)
    key = made_of.key if made_of else ""
    return unmade(work, key, "failed", failure, started_at, (shop.clock() - started_at).total_seconds())


def unmade(
    work: Work, key: str, status: Status, failure: Failure, started_at: datetime, seconds: float = 0.0
) -> RunResult:
    """The result of a piece of work that gave no facts."""
    run = Run(work.template.name, work.ticker, work.session, work.parameters, key)
    return RunResult(run, status, Facts(), seconds, started_at, failure)


def taken(store: RunStore, key: str) -> RunResult | None:
    """The good result stored under a key, which then stands for its session; None where there is none."""
    found = stored(store, key)
    if found is None:
        return None
    store.stand(found)
    return replace(found, reused=True)


def kept(store: RunStore, result: RunResult, notebook: str) -> RunResult:
    """The result, stored; a failure where the disk refuses."""
    try:
        store.put(result, notebook)
    except OSError as error:
        return replace(result, status="failed", facts=Facts(), failure=_disk(error))
    return result


def _disk(error: OSError) -> Failure:
    return Failure(
        "disk",
        f"The run could not be stored: {error.strerror or error}.",
        "Make room, or let data/ be written; then run again. What was stored before is intact.",
    )


def _made_of(work: Work, shop: Workshop, prices: Callable[[str], Prices]) -> Ingredients:
    return ingredients(work, shop.store, look_around(shop.settings.project), prices)


def _reader(work: Work, shop: Workshop) -> Callable[[str], Prices]:
    """Prices by ticker, each read once."""
    return cache(partial(read_prices, shop.settings, until=work.session))


def _executed(
    work: Work,
    made_of: Ingredients,
    prices: Callable[[str], Prices],
    shop: Workshop,
    started_at: datetime,
    run: int,
) -> RunResult | None:
    """The result, stored; None if it cannot be said what it was made of."""
    shop.runner.ledger.change(run, "running", shop.clock(), session=work.session)
    done = shop.kernels.execute(work.template, work.parameters)
    facts, failure = (Facts(), done.failure) if done.failure else harvest(done.notebook, work.template.name)
    if failure and shop.kernels.stopped:
        failure = INTERRUPTED
    if failure is None and _made_of(work, shop, _reader(work, shop)) != made_of:
        return None
    result = RunResult(
        run=Run(work.template.name, work.ticker, work.session, work.parameters, made_of.key),
        status="failed" if failure else "ok",
        facts=facts,
        seconds=(shop.clock() - started_at).total_seconds(),
        started_at=started_at,
        failure=failure,
        origin=origin(work, made_of, prices),
        versions={"python": platform.python_version()} | versions(_PACKAGES),
    )
    return result if failure is INTERRUPTED else kept(shop.store, result, done.text)
