"""What is seen while notebooks run: tickers × notebooks, how many in which state, how long it may take."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean

from rich.box import SIMPLE
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tickerbook.runs.runner import RunEvent
from tickerbook.runs.template import Template
from tickerbook.store import RunResult

Node = tuple[str, str | None]  # notebook and ticker; None for the universe
_SIGNS = {
    "running": ("▸", "cyan"),
    "ok": ("✓", "green"),
    "unchanged": ("=", "dim"),
    "failed": ("✗", "red"),
    "skipped": ("-", "yellow"),
}
_WAITS = ("·", "dim")
_FRAME = 6  # lines that are not rows of tickers
_MINUTE, _HOUR = 60, 3600
_FEW_MINUTES = 90


@dataclass
class Board:
    """How a batch stands.

    Attributes:
        tickers: rows, in order.
        sizes: notebook → how many runs it has; columns, in order.
        workers: how many notebooks execute at a time.
        total: how many runs the batch has, once that is known.
    """

    tickers: Sequence[str]
    sizes: Mapping[str, int]
    workers: int
    total: int = 0
    states: dict[Node, str] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def take(self, event: RunEvent) -> None:
        """Note what happened."""
        self.total = event.total
        self.states[event.notebook, event.ticker] = outcome(event.result) if event.result else "running"
        if event.result:
            took = 0.0 if event.result.reused else event.result.seconds
            self.seconds.setdefault(event.notebook, []).append(took)

    @property
    def counts(self) -> Counter[str]:
        """How many runs are in each state; those that wait are not among them."""
        return Counter(self.states.values())

    @property
    def done(self) -> int:
        """How many runs have come to their end."""
        return sum(count for state, count in self.counts.items() if state != "running")

    def left(self) -> float | None:
        """Seconds that what remains may take, by what runs of each notebook took; None before the first."""
        known = [took for all_of_one in self.seconds.values() for took in all_of_one]
        if not known or not self.total:
            return None
        ended = Counter(notebook for (notebook, _), state in self.states.items() if state != "running")
        rest = {notebook: max(size - ended[notebook], 0) for notebook, size in self.sizes.items()}
        usual = fmean(known)
        foreseen = sum(
            count * (fmean(self.seconds[notebook]) if notebook in self.seconds else usual)
            for notebook, count in rest.items()
        )
        return foreseen / self.workers

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """A bar with counts; below it the tickers that fit, else those in which something happens."""
        yield self._line()
        yield self._grid(max((options.height or console.height) - _FRAME, 0))

    def _line(self) -> RenderableType:
        line = Table.grid(padding=(0, 1))
        counts = [f"{self.counts[state]} {state}" for state in _SIGNS if self.counts[state]]
        left = self.left()
        bar = ProgressBar(total=self.total or 1, completed=self.done, width=30)
        texts = " · ".join([f"{self.done} of {self.total}", *counts, *([] if left is None else [span(left)])])
        line.add_row(bar, Text(texts))
        return line

    def _grid(self, room: int) -> RenderableType:
        rows: list[str | None] = [*self.tickers, None]
        if len(rows) > room:
            lively = {ticker for (_, ticker), state in self.states.items() if state in {"running", "failed"}}
            rows = [ticker for ticker in rows if ticker in lively][-room:] if room else []
        grid = Table(box=SIMPLE, pad_edge=False, show_edge=False)
        for name in ("", *self.sizes):
            grid.add_column(name, justify="center" if name else "left", no_wrap=True)
        for ticker in rows:
            signs = [_SIGNS.get(self.states.get((name, ticker), ""), _WAITS) for name in self.sizes]
            grid.add_row(ticker or "universe", *(Text(sign, style) for sign, style in signs))
        return grid if rows else Text()


def outcome(result: RunResult) -> str:
    """What became of a run, in one word."""
    return "unchanged" if result.reused else result.status


def span(seconds: float) -> str:
    """Time that is left, in words."""
    if seconds < _FEW_MINUTES:
        return f"{seconds:.0f} s left"
    if seconds < _FEW_MINUTES * _MINUTE:
        return f"{seconds / _MINUTE:.0f} min left"
    return f"{seconds / _HOUR:.1f} h left"


@contextmanager
def shown(
    console: Console, tickers: Sequence[str], templates: Sequence[Template], workers: int
) -> Iterator[Callable[[RunEvent], None]]:
    """Show the board of a batch on a terminal, and nothing elsewhere; gives what takes its events."""
    sizes = {one.name: len(tickers) if one.over == "ticker" else 1 for one in templates}
    board = Board(tickers, sizes, workers)
    if not console.is_terminal or console.quiet:
        yield board.take
        return
    with Live(board, console=console, transient=True, refresh_per_second=4):
        yield board.take
