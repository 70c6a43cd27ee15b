"""The zygote: a process that has imported what notebooks import, and forks a ready kernel for each that asks.

`python -m tickerbook.runs.zygote` is started by `tickerbook.runs.warm`, with one end of a socket pair as its
standard input; nobody else can reach it. A request is one message: JSON with `argv` (of the kernel), `env`
and `cwd`, and with it three descriptors: the kernel's standard output and error, and a pipe that tells its
end. The answer is the kernel's process number. When a kernel ends, its wait status is written to its pipe.

What is inherited by fork must be fit for it: no threads, no event loop, no database, no open file of the
lake. The zygote ends when its socket closes, that is with the process that started it, and when nobody has
asked for a while. Kernels end with it.

With `--once` it forks nothing: it reads one request from its standard input and becomes the kernel. That is
for systems on which a process that has loaded native libraries cannot be forked safely.
"""

import array
import atexit
import contextlib
import ctypes
import gc
import json
import os
import random
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

IDLE = 600.0  # seconds without a request or a kernel, after which it ends
READY = b"ready"
HEAD = 8  # bytes of a request's length, before it
SUPERVISED = "--ext=tickerbook.runs.bounds"
RETIRE = {"retire": True}
_PIPES = 3
_GENERATIONS = 100  # of daemons that start daemons
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_EXECUTING = (
    "vectorbt",
    "arch.bootstrap",
    "plotly.io",
    "duckdb",
    "pyarrow.parquet",
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "tickerbook.runs.bounds",
)


def main() -> None:
    """Import, then serve until the other end closes; with `--once`, be the kernel that is asked for."""
    once = "--once" in sys.argv
    line = None if once else socket.socket(fileno=os.dup(0))
    asked = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    shell = _shell()
    _warm()
    if line is None:
        with os.fdopen(asked) as request:
            _become(json.loads(request.readline()), [], shell)
    os.close(asked)
    _refuse_threads()
    _Server(line, shell).serve()


def _shell() -> Any:
    """The shell of the kernels to come; libraries look for one when they are imported, and set up for it.

    Its history is a database written by a thread, so it is kept off until the kernel has been forked.
    """
    from ipykernel.zmqshell import ZMQInteractiveShell  # noqa: PLC0415
    from IPython.core.history import HistoryManager  # noqa: PLC0415 - after the socket has been taken

    with patch.object(HistoryManager, "enabled", new=False):
        return ZMQInteractiveShell.instance()


def _warm() -> None:
    """Import all that a notebook author's vocabulary leads to, and what executes cells."""
    import tickerbook  # noqa: PLC0415

    for name in tickerbook.__all__:
        getattr(tickerbook, name)
    for name in _EXECUTING:
        with contextlib.suppress(ImportError):
            import_module(name)
    tqdm = sys.modules.get("tqdm")
    if tqdm is not None:
        tqdm.tqdm.monitor_interval = 0  # its monitor is a thread
    gc.collect()
    gc.freeze()  # what is shared stays shared: the collector of a child does not touch it


def _refuse_threads() -> None:
    """A thread that holds a lock while the process is forked leaves it locked in the child, for ever."""
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if others:
        sys.exit(f"an import has started {', '.join(others)}: nothing may be forked")


class _Server:
    """Forks a kernel for each request, and tells of each that has ended.

    Attributes:
        line: where requests come from.
        kernels: process number → the pipe to tell its end to.
        retired: whether there is a newer zygote; this one ends with its last kernel.
    """

    def __init__(self, line: socket.socket, shell: Any) -> None:
        self.line = line
        self.shell = shell
        self.kernels: dict[int, int] = {}
        self.retired = False
        self.woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.watch = selectors.DefaultSelector()
        self.watch.register(line, selectors.EVENT_READ)
        self.watch.register(self.woken, selectors.EVENT_READ)
        self.own = {self.woken, wake, line.fileno()}

    def serve(self) -> None:
        """Until nobody is left to serve."""
        _adopt_orphans()
        self.line.sendall(READY)
        while self.kernels or not self.retired:
            ready = {key.fd for key, _ in self.watch.select(None if self.kernels else IDLE)}
            if not ready:
                break
            if self.woken in ready:
                os.read(self.woken, 4096)
                self._reap()
            if self.line.fileno() in ready and not self._answer():
                break
        for pid in self.kernels:
            _kill_group(pid)
        _kill_orphans(keep=())

    def _answer(self) -> bool:
        """Fork what is asked for; False if the other end has closed."""
        try:
            request, pipes = _receive(self.line)
        except OSError:
            return False
        if request == RETIRE:
            self.retired = True
            return True
        pid = os.fork()
        if not pid:
            self._forget()
            _become(request, pipes, self.shell)
        *streams, self.kernels[pid] = pipes
        for fd in streams:
            os.close(fd)
        self.line.sendall(str(pid).encode())
        return True

    def _forget(self) -> None:
        """In the child: nothing of the server."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.watch.close()
        self.line.detach()
        for fd in {*self.own, *self.kernels.values()}:
            os.close(fd)

    def _reap(self) -> None:
        """Tell how each ended kernel ended, and end what it leaves behind."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            tell = self.kernels.pop(pid, None)
            if tell is not None:
                _kill_group(pid)
                _kill_orphans(keep=self.kernels)
                with contextlib.suppress(OSError):  # nobody may be listening any more
                    os.write(tell, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(tell)


def _adopt_orphans() -> None:
    """Become the parent of what descendants leave behind, so that it can be ended. Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _kill_orphans(keep: Iterable[int]) -> None:
    """End every child that is no kernel, again and again: an ended one hands its children to us."""
    for _ in range(_GENERATIONS):
        try:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
        except OSError:
            return
        strangers = [int(pid) for pid in children if int(pid) not in keep]
        if not strangers:
            return
        for pid in strangers:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _receive(line: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next request with its descriptors.

    Raises:
        OSError: if the other end has closed.
    """
    head, sent, _, _ = line.recvmsg(HEAD, socket.CMSG_SPACE(_PIPES * array.array("i").itemsize))
    pipes = array.array("i")
    for _, _, data in sent:
        pipes.frombytes(data)
    length, body = int.from_bytes(head, "big"), b""
    while len(body) < length and (part := line.recv(length - len(body))):
        body += part
    if not body:
        raise ConnectionError("closed")
    return json.loads(body), list(pipes)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def _become(request: dict[str, Any], pipes: list[int], shell: Any) -> NoReturn:
    """Be the kernel that was asked for, to the end of this process."""
    status = 1
    try:
        _settle(request, pipes)
        # A spare's parent may have ended while it imported; then it must not take init for its parent.
        parent = os.getppid() if pipes else int(request["env"]["JPY_PARENT_PID"])
        _run(request["argv"], shell, parent)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - nothing may return into the zygote's loop
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()  # noqa: SLF001 - what an ordinary end of the interpreter does, short of ending it
        os._exit(status)


def _settle(request: dict[str, Any], pipes: list[int]) -> None:
    """A session, streams, environment and randomness of its own."""
    if pipes:
        _separate(*pipes)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # the global state that a notebook may draw from


def _separate(out: int, err: int, tell: int) -> None:
    zygote = os.getppid()
    os.setsid()
    os.dup2(out, 1)
    os.dup2(err, 2)
    for fd in (out, err, tell):
        os.close(fd)
    _adopt_orphans()  # what its cells leave behind stays with it, and is ended with it
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:
        os._exit(1)


def _run(argv: list[str], shell: Any, parent: int) -> None:
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415

    atexit.unregister(shell.atexit_operations)
    type(shell).clear_instance()  # the kernel makes its own, with a history
    if SUPERVISED in argv:  # nobody will debug it, and looking through all modules for that takes long
        vars(sys.modules["ipykernel.debugger"])["_is_debugpy_available"] = False
    sys.argv = argv
    app: Any = IPKernelApp.instance(parent_handle=parent)
    app.initialize(argv[1:])
    app.start()


if __name__ == "__main__":
    main()
