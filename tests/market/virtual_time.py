"""An event loop whose time passes only while everybody waits: hours of waiting take no time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class _Selector:
    """Gives the loop what happened; where nothing did, lets its time jump to the next timer."""

    def __init__(self, loop: "VirtualTime", inner: Any) -> None:
        self._loop, self._inner = loop, inner

    def select(self, timeout: float | None = None) -> list[Any]:
        if self._loop.threads or timeout is None:
            return self._inner.select(30 if timeout != 0 else 0)  # a thread that ends wakes it
        happened = self._inner.select(0)
        if not happened:
            self._loop.passed += timeout
        return happened

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class VirtualTime(asyncio.SelectorEventLoop):
    """The loop. Time stands still while threads that it started work."""

    def __init__(self) -> None:
        self.passed, self.threads = 0.0, 0
        super().__init__()
        self._selector = _Selector(self, self._selector)

    def time(self) -> float:
        return self.passed

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        self.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._ended)
        return future

    def _ended(self, _future: Any) -> None:
        self.threads -= 1


def run(work: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    """What a coroutine gives, and how many virtual seconds it took."""
    with asyncio.Runner(loop_factory=VirtualTime) as runner:
        result = runner.run(work)
        return result, runner.get_loop().time()
