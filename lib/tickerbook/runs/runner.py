"""The runner: every notebook for every ticker, in order, in parallel, nothing twice."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from typing import Any, Literal

from tickerbook.errors import TakenOverError
from tickerbook.files import left_halfway, tidy
from tickerbook.runs.attempt import Workshop
from tickerbook.runs.decide import Decider
from tickerbook.runs.hands import LOCAL, Hands, open_hands
from tickerbook.runs.inputs import look_around, read_prices
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.ledger.leases import Runner, open_runner
from tickerbook.runs.plan import Node, Plan, make_plan
from tickerbook.settings import Settings
from tickerbook.store import RunResult

_LOOK_UP = 0.5  # seconds
_KILL_AGAIN = 0.2  # seconds


@dataclass(frozen=True)
class RunEvent:
    """Something to show while a batch goes on.

    Attributes:
        ticker: None for a notebook over the universe.
        done: how many runs of the batch are finished.
        total: how many it has.
        result: what became of this one, when it is finished.
    """

    kind: Literal["started", "finished"]
    notebook: str
    ticker: str | None
    done: int
    total: int
    result: RunResult | None = None


def run_all(
    settings: Settings,
    tickers: Sequence[str],
    *,
    notebooks: Sequence[str] | None = None,
    session: date | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    workers: int = 2,
    force: bool = False,
    executor: str = LOCAL,
    clock: Callable[[], datetime],
    on_event: Callable[[RunEvent], None] = lambda _event: None,
) -> list[RunResult]:
    """Run notebooks for tickers, each behind what it needs; a result that is stored is not computed again.

    One failure stops only what needs its facts. Everything that finishes is stored at once and recorded in
    the ledger, also when the batch is interrupted. A notebook over the universe runs last, over every ticker
    of the universe that has what it needs, be it from this batch or stored before.

    Args:
        settings: the project.
        tickers: symbols of the universe.
        notebooks: which; None for all. What they need and is not among them is taken from the run store.
        session: the newest session whose prices are used; None for the newest of each ticker.
        overrides: notebook → parameter → value; they go before those of params/.
        workers: how many notebooks execute at the same time.
        force: execute even what is stored.
        executor: where notebooks execute, see `tickerbook.runs.hands.open_hands`.
        clock: gives the present instant, aware.
        on_event: is told of each start and end, in the calling thread.

    Returns:
        What became of each run, ticker by ticker, the universe last.

    Raises:
        ConfigError: before anything runs, for a ticker, notebook, parameter or ledger that does not fit.
        NotebookError: before anything runs, for a notebook that cannot be run as it is written.
        TakenOverError: if it was paused so long that others have gone on in its place.
        KeyboardInterrupt: handed on when every kernel is gone and every outcome is recorded.
    """
    from tickerbook.runs.kernels import open_kernels  # noqa: PLC0415 - papermill costs 2 s, --help needs none

    plan = make_plan(settings, tickers, notebooks, session, overrides or {})
    ledger = Ledger(settings.ledger)
    with (
        open_kernels(settings.project, workers=workers) as kernels,
        open_runner(ledger, kernels.folder, clock) as runner,
    ):
        _tidy_up(settings, runner)
        shop = Workshop(settings, kernels, runner, clock, force)
        with open_hands(executor, shop, workers) as hands:
            batch = _Batch(plan, shop, hands, ledger, workers, on_event)
            try:
                batch.drive()
            finally:
                batch.close()
    return [batch.results[node] for node in batch.order]


def _tidy_up(settings: Settings, runner: Runner) -> None:
    """Mend what killed runners left in the run store, unless one that lives may be at work there."""
    left = left_halfway(settings.runs)
    if runner.is_only_one:  # so nobody is at work on what was seen before
        tidy(left)


class _Batch:
    """A batch while it goes on. It decides and records in one thread; workers only execute."""

    def __init__(
        self,
        plan: Plan,
        shop: Workshop,
        hands: Hands,
        ledger: Ledger,
        workers: int,
        on_event: Callable[[RunEvent], None],
    ) -> None:
        graph = plan.graph
        self.shop = shop
        self.hands = hands
        self.ledger = ledger
        self.workers = workers
        self.on_event = on_event
        self.order = {node: rank for rank, node in enumerate(graph)}
        self.results: dict[Node, RunResult] = {}
        self.running: dict[Future[RunResult], Node] = {}
        self.sorter = TopologicalSorter(graph)
        prices = cache(partial(read_prices, shop.settings, until=plan.session))
        around = look_around(shop.settings.project)
        self.decider = Decider(plan, shop, around, prices, self.results)
        self.number = ledger.begin(shop.clock(), graph)
        self.runs = ledger.runs_of(self.number)

    def drive(self) -> None:
        """Begin what is ready, the first ticker first; wait when every worker is busy."""
        ready: list[tuple[int, Node]] = []
        self.sorter.prepare()
        while self.sorter.is_active():
            for node in self.sorter.get_ready():
                heappush(ready, (self.order[node], node))
            if ready and len(self.running) < self.workers:
                self._begin(heappop(ready)[1])
                continue
            # Look up now and then: a Ctrl-C that comes just before a wait does not end it.
            for future in wait(self.running, _LOOK_UP, FIRST_COMPLETED).done:
                self._finish(self.running[future], future.result())
                del self.running[future]

    def close(self) -> None:
        """End what still runs, if the batch was interrupted, and record what became of it."""
        self.hands.stop()
        while wait(self.running, timeout=_KILL_AGAIN).not_done:
            self.hands.stop()  # again and again: a kernel may have been starting
        with suppress(TakenOverError):  # then others have recorded what became of it
            for future, node in self.running.items():
                if not (future.cancelled() or future.exception() or node in self.results):
                    self._finish(node, future.result())
            whole = len(self.results) == len(self.order)
            self.ledger.end(self.number, self.shop.clock(), "finished" if whole else "interrupted")

    def _begin(self, node: Node) -> None:
        self._tell("started", node)
        decided = self.decider.decide(node)
        if isinstance(decided, RunResult):
            self._finish(node, decided)
        else:
            self.running[self.hands.submit(decided, self.runs[node])] = node

    def _finish(self, node: Node, result: RunResult) -> None:
        self.ledger.record(self.number, result, self.shop.clock())
        self.results[node] = result
        self.sorter.done(node)
        self._tell("finished", node, result)

    def _tell(
        self, kind: Literal["started", "finished"], node: Node, result: RunResult | None = None
    ) -> None:
        self.on_event(RunEvent(kind, *node, done=len(self.results), total=len(self.order), result=result))
