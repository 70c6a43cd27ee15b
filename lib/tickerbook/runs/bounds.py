"""Bounds of a supervised kernel: an IPython extension that keeps a cell's output and the process's memory.

The runner loads it into the kernels it starts (`--ext=tickerbook.runs.bounds`); an analyst's are not bounded.
Output is cut where it is made: 200 MB that were printed would else travel, be parsed and be stored.
"""

import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from IPython.core.error import StdinNotImplementedError

MEMORY = "TICKERBOOK_KERNEL_MEMORY"  # bytes; environment of a kernel
OUTPUT = 5_000_000  # bytes, or characters of text, that a cell may show
CUT = f"\n[Cut here: the output of this cell is longer than {OUTPUT // 1_000_000} MB.]\n"


class Allowance:
    """What is left of a cell's output."""

    def __init__(self, limit: int = OUTPUT) -> None:
        self.limit = limit
        self.left = limit
        self.told = False

    def renew(self, *_: Any) -> None:
        """A new cell begins."""
        self.left, self.told = self.limit, False

    def take(self, text: str) -> str:
        """As much of a text as may still be shown, and at its end, once, that it was cut."""
        kept = text[: self.left]
        self.left -= len(kept)
        return kept if len(kept) == len(text) else kept + self.cut()

    def whole(self, size: int) -> bool:
        """Whether something that cannot be cut may still be shown."""
        if size > self.left:
            self.left = 0
            return False
        self.left -= size
        return True

    def cut(self) -> str:
        """What is said of a cell's missing output, the first time."""
        said = "" if self.told else CUT
        self.told = True
        return said


def load_ipython_extension(shell: Any) -> None:
    """Bound this kernel."""
    _bound_memory()
    sys.breakpointhook = _nobody
    allowance = Allowance()
    shell.events.register("pre_run_cell", allowance.renew)
    for stream in (sys.stdout, sys.stderr):
        vars(stream)["write"] = _bounded(stream.write, allowance)
    shell.display_pub.register_hook(_displayed(allowance))
    made = shell.displayhook.compute_format_data
    shell.displayhook.compute_format_data = lambda result: _kept(allowance, *made(result))


def _nobody(*_: Any, **__: Any) -> None:
    raise StdinNotImplementedError("a breakpoint waits for somebody to answer")


def _bound_memory() -> None:
    """A bound on what the process writes to; what it maps from files, such as libraries, is not in it."""
    wanted = int(os.environ.get(MEMORY, "0"))
    if wanted:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _bounded(write: Callable[[str], Any], allowance: Allowance) -> Callable[[str], int]:
    def bounded(text: str) -> int:
        shown = allowance.take(text) if isinstance(text, str) else text
        if shown:
            write(shown)
        return len(text)

    return bounded


def _displayed(allowance: Allowance) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def hook(message: dict[str, Any]) -> dict[str, Any]:
        data, _ = _kept(allowance, message["content"]["data"], {})
        return {**message, "content": {**message["content"], "data": data}}

    return hook


def _kept(
    allowance: Allowance, data: dict[str, Any], metadata: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A display, or in its place that it was too large."""
    size = sum(len(str(part)) for part in data.values())
    if allowance.whole(size):
        return data, metadata
    return {"text/plain": allowance.cut().strip() or "…"}, {}
