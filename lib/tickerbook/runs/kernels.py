"""Execution of notebooks: papermill over kernels that are gone when their run is."""

import logging
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop, run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill import PapermillExecutionError, execute_notebook
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.execute import remove_error_markers

from tickerbook import errors
from tickerbook.runs import bounds
from tickerbook.runs.client import QuickClient
from tickerbook.runs.scratch import own_folder
from tickerbook.runs.template import Template
from tickerbook.runs.zygote import SUPERVISED
from tickerbook.store import Failure

KERNEL = "tickerbook"
FALLBACK = "python3"  # always there: the kernel of the interpreter we run in
CELL_TIMEOUT = 600  # seconds
NOTEBOOK_TIMEOUT = 3600  # seconds
START_TIMEOUT = 120  # seconds; a cold disk needs many
_SOCKET_NAME = 90  # bytes; systems take 104 or more, and "-ipc-5" follows
_ENGINE = "tickerbook"
_QUIET = logging.getLogger("tickerbook.kernels")
_QUIET.addHandler(logging.NullHandler())  # what the client logs is in the failure we return


@dataclass(frozen=True)
class Executed:
    """An executed notebook, however it ended.

    Attributes:
        notebook: with its outputs as far as it came; the cell that failed and those that never ran say so.
        failure: why it did not come to its end; None where it did.
    """

    notebook: NotebookNode
    failure: Failure | None = None

    @property
    def text(self) -> str:
        """The notebook as a file holds it."""
        return str(nbformat.writes(self.notebook))  # type: ignore[no-untyped-call]  # has no types


@dataclass
class _Attempt:
    """One execution while it goes on; papermill hands it through to the engine."""

    manager: AsyncKernelManager
    where: Mapping[str, Any]  # arguments of the kernel's start
    timeout: int
    notebook: NotebookNode | None = None
    process: Any = None  # of the kernel, as subprocess.Popen
    overdue: bool = False  # whether it was ended for taking too long in all

    def end(self) -> None:
        """The time for the whole notebook is up."""
        self.overdue = True
        if self.process is not None:
            self.process.kill()


class _Engine(Engine):  # type: ignore[misc]  # papermill has no types
    """papermill's way of running cells on a kernel of ours, of which nothing is left."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, attempt: _Attempt, **_unused: Any
    ) -> None:
        """Execute every cell; see papermill.engines.Engine."""
        attempt.notebook = nb_man.nb

        def started(**_: Any) -> None:
            attempt.process = _process(attempt.manager)

        client = PapermillNotebookClient(
            nb_man,
            km=attempt.manager,
            kernel_name=kernel_name,
            timeout=attempt.timeout,
            startup_timeout=START_TIMEOUT,
            iopub_timeout=attempt.timeout,
            extra_arguments=[SUPERVISED],
            on_notebook_start=started,
            log=_QUIET,
        )
        try:
            client.execute(**attempt.where)
        finally:
            _end(client, attempt.manager)


papermill_engines.register(_ENGINE, _Engine)


@dataclass
class Kernels:
    """The kernels of one batch of runs, each living as long as its run. Thread-safe.

    Attributes:
        project: named to every kernel in TICKERBOOK_PROJECT.
        folder: owner-only, for sockets and connection files.
        name: the kernelspec.
        memory: bytes a kernel may use.
        timeout: seconds a cell may take.
        deadline: seconds a notebook may take, its kernel's start included.
        stopped: whether `stop` was called; nothing starts any more.
    """

    project: Path
    folder: Path
    name: str
    memory: int
    timeout: int = CELL_TIMEOUT
    deadline: int = NOTEBOOK_TIMEOUT
    stopped: bool = False
    _alive: dict[int, AsyncKernelManager] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def execute(self, template: Template, parameters: Mapping[str, Any]) -> Executed:
        """Execute a template with parameters that were checked, on a kernel of its own.

        Never raises for what a notebook or its kernel does: that is in the result.
        """
        if self.stopped:
            return Executed(_read(template), Failure("interrupted", "The batch has ended."))
        manager = self._manager()
        attempt = _Attempt(manager, self._where(template), self.timeout)
        self._alive[id(manager)] = manager
        ending = threading.Timer(self.deadline, attempt.end)
        ending.daemon = True
        ending.start()
        try:
            with _own_loop():
                failure = _execute(template, parameters, attempt)
        finally:
            ending.cancel()
            del self._alive[id(manager)]
        if attempt.overdue:
            failure = _overdue(self.deadline, attempt)
        notebook = attempt.notebook or _read(template)
        return Executed(_tidied(notebook, template, failure), failure)

    def stop(self) -> None:
        """End every kernel and what it started, at once; may be called again."""
        self.stopped = True
        for manager in list(self._alive.values()):
            process = _process(manager)
            if process is not None:
                process.kill()  # whoever waits for it then ends what it had started

    def _manager(self) -> AsyncKernelManager:
        """A manager whose sockets are files in our folder: nobody else reads them, no two race for a port."""
        name = f"k{next(self._numbers)}"
        if os.name != "posix" or len(os.fsencode(self.folder / name)) > _SOCKET_NAME:
            return AsyncKernelManager(kernel_name=self.name, client_factory=QuickClient)
        connection = {"transport": "ipc", "connection_file": str(self.folder / f"{name}.json")}
        return AsyncKernelManager(kernel_name=self.name, client_factory=QuickClient, **connection)

    def _where(self, template: Template) -> dict[str, Any]:
        return {
            "cwd": str(template.path.parent),
            "env": {**os.environ, "TICKERBOOK_PROJECT": str(self.project), bounds.MEMORY: str(self.memory)},
            "stdout": subprocess.DEVNULL,  # what cells print travels as messages; this is the process's own
            "stderr": subprocess.DEVNULL,
        }


@contextmanager
def open_kernels(
    project: Path, timeout: int = CELL_TIMEOUT, *, deadline: int = NOTEBOOK_TIMEOUT, workers: int = 1
) -> Iterator[Kernels]:
    """Kernels for a project; none is left at the end, nor a file.

    Args:
        project: the folder of the project.
        timeout: seconds a cell may take.
        deadline: seconds a notebook may take.
        workers: kernels at a time; together they leave a share of the machine's memory to the rest of it.
    """
    memory = psutil.virtual_memory().total // (workers + 1)
    with own_folder() as folder:
        kernels = Kernels(project.resolve(), folder, _kernel_name(), memory, timeout, deadline)
        try:
            yield kernels
        finally:
            kernels.stop()


def _kernel_name() -> str:
    try:
        KernelSpecManager().get_kernel_spec(KERNEL)
    except NoSuchKernel:
        return FALLBACK
    return KERNEL


def _execute(template: Template, parameters: Mapping[str, Any], attempt: _Attempt) -> Failure | None:
    """Let papermill execute; why it failed, None where it did not."""
    try:
        execute_notebook(
            _read(template),
            None,
            parameters=dict(parameters),
            engine_name=_ENGINE,
            kernel_name=attempt.manager.kernel_name,
            language="python",
            progress_bar=False,
            log_output=False,
            autosave_cell_every=0,
            attempt=attempt,
        )
    except Exception as error:  # noqa: BLE001 - the border: many libraries, each with errors of its own
        return _why(error, attempt)
    return _exited(attempt.notebook)


def _why(error: Exception, attempt: _Attempt) -> Failure:
    """What an exception of papermill, its client or the kernel's manager says, in our words."""
    match error:
        case PapermillExecutionError():
            return _raised(error.ename, error.evalue, error.cell_index)
        case CellTimeoutError():
            message = f"A cell took longer than {attempt.timeout} seconds."
            remedy = "Let it do less, or look for a loop that does not end."
            return Failure("timeout", message, remedy, _last_started(attempt.notebook))
        case DeadKernelError():
            message = f"The kernel died{_how(attempt.process)}."
            remedy = "If the machine was short of memory, run with --workers 1 or let the cell use less."
            return Failure("kernel died", message, remedy, _last_started(attempt.notebook))
        case _:
            message = f"The kernel {attempt.manager.kernel_name!r} could not execute it: {_line(error)}"
            return Failure(
                "no kernel", message, "Run `tickerbook check`; `make env` makes the environment again."
            )


def _overdue(deadline: int, attempt: _Attempt) -> Failure:
    return Failure(
        "timeout",
        f"The notebook took longer than {deadline} seconds.",
        "Let it do less, or divide it into two notebooks.",
        _last_started(attempt.notebook),
    )


def _read(template: Template) -> NotebookNode:
    notebook: NotebookNode = nbformat.reads(template.text, as_version=4)  # type: ignore[no-untyped-call]  # no types
    return notebook


def _exited(notebook: NotebookNode | None) -> Failure | None:
    """The failure of a notebook that ended itself with sys.exit(), which papermill takes for success."""
    for index, cell in enumerate(notebook.cells if notebook else ()):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                return _raised(output.ename, output.evalue, index)
    return None


def _raised(name: str, text: str, cell: int) -> Failure:
    """An exception in a cell. An error of tickerbook brings its own remedy, in its second line."""
    message, _, rest = text.strip().partition("\n")
    known = getattr(errors, name, None)
    ours = isinstance(known, type) and issubclass(known, errors.TickerbookError)
    remedy = rest.splitlines()[0] if ours and rest else ""
    if name in _KINDS:
        return _KINDS[name](message, cell)
    return Failure(
        "error",
        f"{name}: {message}" if message else name,
        remedy or "Open the notebook with `tickerbook lab`, set the parameters of this run, and run it.",
        cell,
    )


_KINDS: Mapping[str, Callable[[str, int], Failure]] = {
    "SystemExit": lambda said, cell: Failure(
        "exit", f"The notebook ended itself ({said or 0}).", "Let it run to its last cell.", cell
    ),
    "StdinNotImplementedError": lambda _, cell: Failure(
        "input",
        "A cell waits for an answer, and nobody is there to give one.",
        "Make the question a parameter; take out input() and breakpoint().",
        cell,
    ),
    "MemoryError": lambda said, cell: Failure(
        "memory",
        f"A cell needs more memory than a run may use{f': {said}' if said else ''}.",
        "Let it load less, or run with fewer --workers, which leaves each more.",
        cell,
    ),
}


def _tidied(notebook: NotebookNode, template: Template, failure: Failure | None) -> NotebookNode:
    """The notebook as it is kept: papermill's marks replaced by what really happened to each cell."""
    notebook = remove_error_markers(notebook)
    about = notebook.metadata.setdefault("papermill", {})
    about["input_path"] = f"notebooks/{template.path.name}"  # papermill puts the whole notebook here
    if failure is None or failure.cell is None:
        return notebook
    failed, *unrun = notebook.cells[failure.cell :]
    failed.metadata.papermill["status"] = "failed"
    for cell in unrun:
        cell.metadata.papermill["status"] = "pending"
    if not any(output.output_type == "error" for output in failed.outputs):  # the kernel could not say it
        said = {"ename": failure.kind, "evalue": failure.message, "traceback": [failure.message]}
        failed.outputs.append(_node({"output_type": "error", **said}))
    return notebook


def _node(content: dict[str, Any]) -> NotebookNode:
    node: NotebookNode = nbformat.from_dict(content)  # type: ignore[no-untyped-call]  # has no types
    return node


def _last_started(notebook: NotebookNode | None) -> int | None:
    """Index of the last code cell that papermill began; it calls those that never ran "completed", too."""
    cells = enumerate(notebook.cells if notebook else ())
    started = [i for i, c in cells if c.cell_type == "code" and c.metadata.papermill.get("start_time")]
    return started[-1] if started else None


def _end(client: PapermillNotebookClient, manager: AsyncKernelManager) -> None:
    """Close the client's sockets, end the kernel and what it started, remove its files."""
    if client.kc is not None:
        client.kc.stop_channels()
        client.kc = None
    process = _process(manager)
    if (
        process is not None
    ):  # Jupyter's manager looks ten times a second whether it has ended; this does not wait
        process.kill()
        process.wait()
    if manager.has_kernel:
        run_sync(manager.shutdown_kernel)(now=True)
    else:
        run_sync(manager.cleanup_resources)()


def _process(manager: AsyncKernelManager) -> subprocess.Popen[bytes] | None:
    """The kernel's process, where it has one on this machine and is started."""
    return getattr(manager.provisioner, "process", None)


def _how(process: subprocess.Popen[bytes] | None) -> str:
    code = process.returncode if process else None
    if code is None:
        return ""
    return f" (signal {-code}, {signal.strsignal(-code)})" if code < 0 else f" (exit code {code})"


def _line(error: Exception) -> str:
    text = re.sub(r"\s+", " ", str(error)).strip()
    return text or type(error).__name__


@contextmanager
def _own_loop() -> Iterator[None]:
    """Give the client an event loop of this thread, and close it afterwards."""
    loop = ensure_event_loop()
    try:
        yield
    finally:
        loop.close()
