"""The other side of the zygote: asking it for kernels, and watching those it has forked."""

import array
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tickerbook.runs.zygote import HEAD, READY, RETIRE

_IMPORTS = 120.0  # seconds that a zygote may take to import; a cold disk needs many
_LOOK = 0.005  # seconds between two looks at whether a kernel has ended


@dataclass(frozen=True)
class Request:
    """A kernel that is wanted.

    Attributes:
        python: the interpreter.
        argv: of the kernel's launcher.
        out, err: descriptors of its standard output and error.
    """

    python: str
    argv: list[str]
    env: Mapping[str, str]
    cwd: str
    out: int
    err: int

    @property
    def text(self) -> bytes:
        """What the new process needs to know, as JSON."""
        return json.dumps({"argv": self.argv, "env": dict(self.env), "cwd": self.cwd}).encode()


class ForkedKernel:
    """A forked kernel, as `subprocess.Popen` would show it.

    Attributes:
        pid: its process number, and that of its session and process group.
        returncode: None while it runs; then its exit code, or minus the signal that ended it.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, ended: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended
        self._lock = threading.Lock()
        os.set_blocking(ended, False)

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        with self._lock:
            if self.returncode is None:
                with contextlib.suppress(BlockingIOError):
                    # Nothing to be read means that the zygote has gone, and its kernels with it.
                    self.returncode = int(os.read(self._ended, 16) or -signal.SIGKILL)
                    os.close(self._ended)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, when it has ended.

        Raises:
            subprocess.TimeoutExpired: after `timeout` seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("kernel", timeout or 0.0)
            time.sleep(_LOOK)
        return code

    def send_signal(self, signum: int) -> None:
        """Signal it, if it has not ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Zygote:
    """A process that forks kernels for this one.

    Raises:
        OSError: if it cannot be had.
    """

    def __init__(self, request: Request) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own module, with the kernel's interpreter
                [request.python, "-P", "-m", "tickerbook.runs.zygote"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(request.env),
                start_new_session=True,  # Ctrl-C in a terminal is for the program that it serves
            )
        self._line.settimeout(_IMPORTS)
        try:
            ready = self._line.recv(len(READY)) == READY
        except OSError:
            ready = False
        if not ready:
            self.close()
            raise ConnectionError("no zygote")

    def fork(self, request: Request) -> ForkedKernel:
        """A kernel.

        Raises:
            OSError: if the zygote has ended.
        """
        ended, tell = os.pipe()
        try:
            self._send(request.text, request.out, request.err, tell)
            pid = int(self._line.recv(16) or b"0")
            if not pid:
                raise ConnectionError("the zygote has ended")
        except OSError:
            os.close(ended)
            raise
        finally:
            os.close(tell)
        return ForkedKernel(pid, ended)

    def retire(self) -> None:
        """Let it end with the last of its kernels."""
        with contextlib.suppress(OSError):
            self._send(json.dumps(RETIRE).encode())

    def close(self) -> None:
        """End it and its kernels."""
        self._line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()

    def _send(self, body: bytes, *pipes: int) -> None:
        rights = array.array("i", pipes).tobytes()
        with_it: Any = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if pipes else []
        self._line.sendmsg([len(body).to_bytes(HEAD, "big")], with_it)
        self._line.sendall(body)
