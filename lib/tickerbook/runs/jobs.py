"""A tick's work as a process of its own, which ends when the scheduler does, however that ends."""

import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

TICK = "TICKERBOOK_TICK"  # names the tick to the process that works for it
_BEGIN = (
    "from tickerbook.runs.jobs import end_with_scheduler; end_with_scheduler(); "
    "from tickerbook.cli import main; main()"
)
_PROBLEMS = {
    0: "",
    1: "something failed: `tickerbook status` says what",
    2: "the configuration is wrong: `tickerbook check` says how",
}


class CommandJob:
    """A command of tickerbook, running.

    Args:
        words: the verb and what follows it.
        tick: whose work it is.
        env: the environment.
    """

    def __init__(self, words: Sequence[str], tick: str, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command, without a shell
            [sys.executable, "-P", "-c", _BEGIN, *words],
            stdin=subprocess.PIPE,  # nothing is ever written: its end is the sign that the scheduler is gone
            env={**env, TICK: tick},
            start_new_session=True,  # Ctrl-C in a terminal is for the scheduler, which passes it on
        )

    def poll(self) -> str | None:
        """None while it goes on; then what went wrong, empty where nothing did."""
        code = self._process.poll()
        if code is None:
            return None
        if self._process.stdin:
            self._process.stdin.close()
        if code < 0:
            return f"ended by signal {-code} ({signal.strsignal(-code)})"
        return _PROBLEMS.get(code, f"ended with code {code}")

    def stop(self) -> None:
        """Ask it to end: kernels go, outcomes stay."""
        if self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """End it at once, with what it started."""
        if self._process.poll() is None:
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()


def end_with_scheduler() -> None:
    """Let this process be asked to end when the one that started it is gone."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="tickerbook-scheduler", daemon=True).start()


@contextmanager
def lifeline(folder: Path) -> Iterator[str]:
    """A name for this process that no other ever has, by which others see whether it lives.

    Args:
        folder: for a file that is locked as long as the process lives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}-{uuid4().hex[:8]}.alive"
    with FileLock(path):
        try:
            yield f"{platform.node()}:{path.name}"
        finally:
            path.unlink(missing_ok=True)


def is_alive(name: str, folder: Path) -> bool | None:
    """Whether the process of that name still lives; None where that cannot be known from this machine."""
    host, _, file = name.rpartition(":")
    if host != platform.node():
        return None
    path = folder / Path(file).name
    if not path.is_file():
        return False
    try:
        with FileLock(path, timeout=0):
            path.unlink(missing_ok=True)
    except Timeout:
        return True
    return False
