"""Threads for what may hang: the end of the program does not wait for them."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Thread
from typing import Any


class Background(ThreadPoolExecutor):
    """One thread for each task, as an event loop's default executor.

    A vendor's library that drips along for ever cannot be stopped, only left behind. The threads of an
    ordinary pool would be waited for when the loop closes, and again when the program ends.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Start a thread; the future has what becomes of it."""
        future: Future[Any] = Future()
        Thread(target=_run, args=(future, partial(fn, *args, **kwargs)), name="vendor", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nobody."""


def _run(future: "Future[Any]", task: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = task()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who waits for the future
        future.set_exception(error)
    else:
        future.set_result(result)
