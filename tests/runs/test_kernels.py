"""Real kernels: whatever a notebook does to its kernel is told, and nothing of it is left."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from books import PARAMETERS, book, cells, front, publishing, write_book
from jupyter_client.kernelspec import NoSuchKernel

from tickerbook.errors import NoBarsError
from tickerbook.runs import kernels as kernels_module
from tickerbook.runs.harvest import harvest
from tickerbook.runs.kernels import KERNEL, Kernels, open_kernels
from tickerbook.runs.template import load_templates

ODD = "N\"A'N\\n\n{ticker.__class__}${HOME}\u2028é"


HOLDING_ON = """
import ctypes, signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
ctypes.PyDLL(None).pause()
"""


@pytest.fixture
def kernels(project):
    """Kernels of a project, with a second for each cell to spare."""
    with open_kernels(project, timeout=20) as opened:
        yield opened


@pytest.fixture
def execute(project, kernels):
    """Execute a notebook with these code cells behind its parameters cell, which is the third."""

    def run(*code, **parameters):
        book(project, "toy", *code)
        (template,) = load_templates(project / "notebooks")
        return kernels.execute(template, parameters)

    return run


def statuses(executed):
    """What the kept notebook says of each code cell."""
    return [c.metadata.papermill.status for c in executed.notebook.cells if c.cell_type == "code"]


def texts(executed):
    """Everything that cells printed."""
    outputs = [output for cell in executed.notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.get("text", "") for output in outputs)


def children():
    """Kernels and what they started, of this process; what forks kernels stays for the next one."""
    ours = [process for process in psutil.Process().children() if not is_gone(process.pid)]
    forking = {process.pid for process in ours if "tickerbook.runs.zygote" in process.cmdline()}
    pids = {process.pid for process in psutil.Process().children(recursive=True)} - forking
    return {pid for pid in pids if not is_gone(pid)}


def is_gone(pid):
    """Whether a process has ended; one that nobody has waited for yet has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_notebook_runs_as_in_its_folder(execute, project):
    """Parameters arrive to the letter, the working directory is notebooks/, facts can be harvested."""
    before = Path.cwd()
    done = execute(
        "import os, ast\nprint(ascii(ticker), n)\nprint(os.getcwd(), os.environ['TICKERBOOK_PROJECT'])",
        publishing("a.b", "n + x"),
        ticker=ODD,
        n=4,
        x=0.25,
    )
    assert done.failure is None
    assert texts(done) == f"{ODD!a} 4\n{project / 'notebooks'} {project}\n"
    assert harvest(done.notebook, "toy")[0]["a.b"].value == 4.25
    assert done.notebook.metadata.papermill["input_path"] == "notebooks/toy.ipynb"
    assert Path.cwd() == before


def test_an_exception_is_told_with_its_cell(execute):
    """Name and message in one line; cells behind it never ran and say so; papermill's banners are gone."""
    done = execute("a = 1", "raise NameError('first\\nsecond')", "print('never')")
    assert (done.failure.kind, done.failure.message) == ("error", "NameError: first")
    assert "raise NameError" in done.notebook.cells[done.failure.cell].source
    assert "tickerbook lab" in done.failure.remedy
    assert statuses(done)[-3:] == ["completed", "failed", "pending"]
    assert texts(done) == ""
    assert "papermill-error" not in done.text


def test_an_error_of_ours_brings_its_remedy(execute):
    """What the library advises is what the page will say."""
    error = NoBarsError("The lake has no bars for AAPL.", "Run `tickerbook fetch AAPL`.")
    done = execute(f"from tickerbook.errors import NoBarsError\nraise NoBarsError(*{error.args!r})")
    assert done.failure.message == "NoBarsError: The lake has no bars for AAPL."
    assert done.failure.remedy == "Run `tickerbook fetch AAPL`."


def test_a_killed_kernel_is_told(execute):
    """The cell, the signal, and what was printed before; what the kernel had started is gone too."""
    done = execute(
        "import os, subprocess\nprint(subprocess.Popen(['sleep', '600']).pid)",
        "os.kill(os.getpid(), 9)",
        "print('never')",
    )
    assert done.failure.kind == "kernel died"
    assert "signal 9" in done.failure.message
    assert "os.kill" in done.notebook.cells[done.failure.cell].source
    assert statuses(done)[-3:] == ["completed", "failed", "pending"]
    assert done.notebook.cells[done.failure.cell].outputs[-1].evalue == done.failure.message
    assert is_gone(int(texts(done)))


def test_a_cell_that_does_not_end_is_ended(project):
    """A loop is cut at the limit; the cell is named and the kernel is gone."""
    book(project, "toy", "while True:\n    pass", "print('never')")
    (template,) = load_templates(project / "notebooks")
    with open_kernels(project, timeout=1) as kernels:
        done = kernels.execute(template, {})
    assert (done.failure.kind, "1 seconds" in done.failure.message) == ("timeout", True)
    assert "while True" in done.notebook.cells[done.failure.cell].source
    assert statuses(done)[-2:] == ["failed", "pending"]
    assert children() == set()


@pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "raise SystemExit('enough')"])
def test_ending_itself_is_no_success(execute, code):
    """papermill takes an exit for success; half a notebook is not."""
    done = execute(code, publishing("a.b", "1"))
    assert (done.failure.kind, done.failure.cell is None) == ("exit", False)
    assert statuses(done)[-2:] == ["failed", "pending"]


@pytest.mark.parametrize(
    "code", ["input('well?')", "breakpoint()", "1/0 if 0 else __import__('pdb').set_trace()"]
)
def test_a_question_fails_at_once(execute, code):
    """Nobody is there to answer, not even to a debugger."""
    done = execute(code)
    assert (done.failure.kind, "parameter" in done.failure.remedy) == ("input", True)


def test_a_notebook_that_does_not_end_is_ended(project):
    """Each cell may be quick enough and the whole be too slow."""
    book(project, "toy", "while True:\n    pass", "print('never')")
    (template,) = load_templates(project / "notebooks")
    with open_kernels(project, timeout=60, deadline=3) as kernels:
        done = kernels.execute(template, {})
    assert (done.failure.kind, "3 seconds" in done.failure.message) == ("timeout", True)
    assert statuses(done)[-2:] == ["failed", "pending"]
    assert children() == set()


@pytest.mark.parametrize("code", ["import os\nos.kill(os.getpid(), 19)", HOLDING_ON])
def test_what_ignores_everything_is_ended(project, code):
    """A stopped process, and one that has blocked every signal and never lets another thread run."""
    book(project, "toy", code)
    (template,) = load_templates(project / "notebooks")
    with open_kernels(project, timeout=2) as kernels:
        assert kernels.execute(template, {}).failure.kind == "timeout"
    assert children() == set()


def test_what_a_cell_shows_is_bounded(execute):
    """The cell says that it was cut; the next has its own allowance."""
    done = execute(
        "print('x' * 20_000_000)\nprint('y' * 20_000_000)",
        "import sys\nfor n in range(1_000_000):\n    sys.stderr.write(f'line {n}\\n')",
        "'z' * 20_000_000",
        "from IPython.display import HTML, display\ndisplay(HTML('w' * 20_000_000))\ndisplay(HTML('v'))",
        "print('whole')",
    )
    assert done.failure is None
    sizes = [len(str(c.get("outputs", ""))) for c in done.notebook.cells]
    assert max(sizes) < 6_000_000
    shown = [str(c.get("outputs")) for c in done.notebook.cells if c.cell_type == "code"][1:]
    assert ["Cut here" in text for text in shown] == [True, True, True, True, False]
    assert "whole" in shown[-1]


def test_what_a_kernel_holds_is_bounded(execute):
    """It ends, with the reason; the machine goes on."""
    done = execute("x = bytearray(2**45)", "print('never')")
    assert (done.failure.kind, statuses(done)[-1]) == ("memory", "pending")
    total = psutil.virtual_memory().total
    assert execute(f"import numpy\nx = numpy.ones({total} // 8)").failure.kind == "memory"


def test_a_kernel_that_cannot_start_is_told(execute, kernels):
    """A missing kernelspec is a failure with the way out, not an exception."""
    kernels.name = "no-such-kernel"
    done = execute("1")
    assert (done.failure.kind, done.failure.cell) == ("no kernel", None)
    assert "no-such-kernel" in done.failure.message
    assert "tickerbook check" in done.failure.remedy
    assert done.text


def test_a_stopped_batch_starts_nothing(execute, kernels):
    """After an interruption no further kernel appears."""
    kernels.stop()
    assert execute("1").failure.kind == "interrupted"
    assert children() == set()


def test_a_notebook_may_name_any_kernel(project, kernels):
    """What a notebook's metadata say of kernels does not matter: an analyst's machine has others."""
    path = write_book(project / "notebooks", "toy", cells("1", head=front(), parameters=PARAMETERS))
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            '"metadata": {},\n "nbformat"',
            '"metadata": {"kernelspec": {"name": "julia", "display_name": "J"}},\n "nbformat"',
        ),
        encoding="utf-8",
    )
    (template,) = load_templates(project / "notebooks")
    assert "julia" in template.text
    assert kernels.execute(template, {"n": 1}).failure is None


def test_nothing_is_left(project, execute, kernels):
    """No process, no socket, no file, whatever happened; the folder was for its owner only."""
    assert kernels.folder.stat().st_mode & 0o077 == 0
    before = list(kernels.folder.iterdir())  # the sign that its owner lives
    execute("1 / 0")
    assert children() == set()
    assert list(kernels.folder.iterdir()) == before
    with open_kernels(project) as others:
        folder = others.folder
    assert not folder.exists()
    assert folder.parent == Path(tempfile.gettempdir())


def test_descriptors_do_not_grow(execute):
    """A thousand runs, each in a thread that ends, must not end for want of open files."""

    def once(code):
        with ThreadPoolExecutor(1) as executor:
            executor.submit(execute, code).result()

    once("1")
    before = psutil.Process().num_fds()
    once("1 / 0")
    assert psutil.Process().num_fds() <= before


def test_the_kernelspec_of_the_project_is_taken_where_it_is(monkeypatch):
    """Where it was not installed, the interpreter's own kernel serves."""

    def missing(_self, name):
        raise NoSuchKernel(name)

    monkeypatch.setattr(kernels_module.KernelSpecManager, "get_kernel_spec", lambda _self, _name: None)
    assert kernels_module._kernel_name() == KERNEL
    monkeypatch.setattr(kernels_module.KernelSpecManager, "get_kernel_spec", missing)
    assert kernels_module._kernel_name() == "python3"


def test_kernels_of_a_batch_are_apart(project):
    """Each run has a kernel of its own: what one defines another does not see."""
    book(project, "first", "leak = 1", publishing("a.b", "1"))
    book(project, "second", "leak")
    first, second = load_templates(project / "notebooks")
    with open_kernels(project) as kernels:
        assert isinstance(kernels, Kernels)
        assert kernels.execute(first, {}).failure is None
        assert "NameError" in kernels.execute(second, {}).failure.message
