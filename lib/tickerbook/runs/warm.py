"""Warm kernels: kernels that start at once, because what notebooks import has been imported before.

Jupyter's programs (JupyterLab, papermill, nbval) start kernels of the kernelspec `tickerbook` through
`WarmProvisioner`. On Linux a zygote forks them (`tickerbook.runs.zygote`); there is one for each process
that wants kernels, begun with the first. On macOS, where forking is not safe, the next kernel is begun before
it is wanted. Either is replaced as soon as code or packages change. Where neither can be had, and on
Windows, an ordinary kernel is started.
"""

import asyncio
import atexit
import contextlib
import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from tickerbook.runs.forks import ForkedKernel, Request, Zygote

LIBRARY = Path(__file__).parent.parent
_LOOK = 0.005  # seconds
_LAUNCHER = "ipykernel_launcher"
_LOADED_EARLY = ("PYTHON", "NUMBA_", "OMP_", "OPENBLAS_", "MKL_", "LD_", "TZ")  # read when libraries load


class Forks:
    """Kernels out of a zygote."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made_of: object = None
        self._zygote: Zygote | None = None
        self._retired: list[Zygote] = []

    def start(self, request: Request) -> ForkedKernel:
        """A kernel that runs.

        Raises:
            OSError: if none can be had.
        """
        with self._lock:
            if self._made_of != (made_of := _made_of(request)):
                self._replace()
                self._made_of = made_of
            self._sweep()
            if self._zygote is not None:
                with contextlib.suppress(OSError):  # it has ended for want of work
                    return self._zygote.fork(request)
                self._zygote.close()
            self._zygote = None
            self._zygote = Zygote(request)
            return self._zygote.fork(request)

    def close(self) -> None:
        """End every zygote with its kernels."""
        with self._lock:
            self._replace()
            for zygote in self._retired:
                zygote.close()
            self._retired = []

    def _replace(self) -> None:
        """Old kernels stay as they are; new ones are of another zygote."""
        if self._zygote is not None:
            self._zygote.retire()
            self._retired.append(self._zygote)
            self._zygote = None

    def _sweep(self) -> None:
        """Forget the old ones that have ended."""
        for zygote in [zygote for zygote in self._retired if zygote.process.poll() is not None]:
            zygote.close()
            self._retired.remove(zygote)


class Spares:
    """Kernels that were begun before they were wanted; one is always kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made_of: object = None
        self._spare: subprocess.Popen[bytes] | None = None

    def start(self, request: Request) -> subprocess.Popen[bytes]:
        """A kernel that runs.

        Raises:
            OSError: if none can be had.
        """
        with self._lock:
            made_of = _made_of(request)
            taken = self._spare if self._made_of == made_of else None
            if taken is None or taken.poll() is not None:
                self._end()
                taken = _spare(request)
            self._made_of, self._spare = made_of, _spare(request)
        assert taken.stdin is not None  # noqa: S101 - it was given a pipe
        taken.stdin.write(request.text + b"\n")
        taken.stdin.close()
        return taken

    def close(self) -> None:
        """End the one that nobody wanted."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._spare is not None:
            self._spare.kill()
            self._spare.communicate()
            self._spare = None


def _of_this_system() -> Forks | Spares | None:
    return Forks() if sys.platform == "linux" else Spares() if sys.platform == "darwin" else None


KERNELS = _of_this_system()
if KERNELS is not None:
    atexit.register(KERNELS.close)


class WarmProvisioner(LocalProvisioner):
    """Starts warm kernels; ordinary ones where there are none, and for other launchers than ipykernel's."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """A kernel, ready in a fraction of the time that its imports take."""
        started = _start(cmd, kwargs) if KERNELS and _LAUNCHER in cmd else None
        if started is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = started  # type: ignore[assignment] # Jupyter declares None
        self.pid = self.pgid = started.pid
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info

    async def wait(self) -> int | None:
        """Its exit code, as soon as it has ended; Jupyter's own looks ten times a second."""
        while self.process is not None and await self.poll() is None:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(_LOOK)
        return await super().wait()


def _start(cmd: list[str], kwargs: Mapping[str, Any]) -> ForkedKernel | subprocess.Popen[bytes] | None:
    with contextlib.ExitStack() as opened:
        request = Request(
            python=cmd[0],
            argv=cmd[cmd.index(_LAUNCHER) :],
            env={**(kwargs.get("env") or os.environ), "JPY_PARENT_PID": str(os.getpid())},
            cwd=str(kwargs.get("cwd") or Path.cwd()),
            out=_descriptor(kwargs.get("stdout"), 1, opened),
            err=_descriptor(kwargs.get("stderr"), 2, opened),
        )
        try:
            return KERNELS.start(request) if KERNELS else None
        except OSError:
            return None


def _descriptor(stream: Any, inherited: int, opened: contextlib.ExitStack) -> int:
    if stream == subprocess.DEVNULL:
        fd = os.open(os.devnull, os.O_WRONLY)
        opened.callback(os.close, fd)
        return fd
    if stream is None:
        return inherited
    return stream if isinstance(stream, int) else int(stream.fileno())


def _spare(request: Request) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module, with the kernel's interpreter
        [request.python, "-P", "-m", "tickerbook.runs.zygote", "--once"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(request.env),
        start_new_session=True,
    )


def _made_of(request: Request) -> object:
    """All that would be loaded differently: the library's files, the packages, settings read early."""
    early = tuple(sorted(item for item in request.env.items() if item[0].startswith(_LOADED_EARLY)))
    stats = ((str(path), path.stat()) for path in sorted(LIBRARY.rglob("*.py")))
    files = tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)
    packages = Path(sysconfig.get_path("purelib")).stat().st_mtime_ns  # to install is to add a folder here
    return request.python, early, files, packages
