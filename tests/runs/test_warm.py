"""Warm kernels: forked, fresh, gone with whoever wanted them, and never of old code."""

import os
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

from tickerbook.runs import warm
from tickerbook.runs.kernels import KERNEL

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only"),
    pytest.mark.xdist_group("warm"),  # one zygote for all of them
]
LONG = 60  # seconds; what is waited for takes a fraction of one


@pytest.fixture(scope="module")
def forks():
    """The forks of this module's kernels."""
    return warm.KERNELS


class Asked:
    """A kernel, and a client that asks it."""

    def __init__(self, manager):
        self.manager = manager
        self.client = manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LONG)

    def value(self, expression, before=""):
        """What an expression is worth in the kernel."""
        done = self.client.execute(before, user_expressions={"it": expression}, reply=True, timeout=LONG)
        content = done["content"]
        assert content["status"] == "ok", content
        return content["user_expressions"]["it"]["data"]["text/plain"].strip("'")

    def number(self, expression, before=""):
        """The same, as an int."""
        return int(self.value(expression, before))

    @property
    def pid(self):
        """Its process number."""
        return self.manager.provisioner.pid


@contextmanager
def kernel(folder, name="k"):
    """A kernel of the project's kernelspec."""
    manager = KernelManager(kernel_name=KERNEL, transport="ipc", connection_file=str(folder / f"{name}.json"))
    manager.start_kernel()
    asked = Asked(manager)
    try:
        yield asked
    finally:
        asked.client.stop_channels()
        manager.shutdown_kernel(now=True)


def wait_gone(pid):
    """Wait until a process has ended."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([watched], [], [], LONG)
        assert ended, f"process {pid} goes on"
    finally:
        os.close(watched)


@pytest.fixture
def pair(tmp_path, forks):
    """Two kernels at a time."""
    assert isinstance(forks, warm.Forks)
    with kernel(tmp_path, "a") as one, kernel(tmp_path, "b") as other:
        yield one, other


def test_kernels_have_their_imports_before_their_first_cell(pair):
    """Both are forked from one process that has imported what notebooks import."""
    one, other = pair
    assert one.number("os.getppid()", "import os") == other.number("os.getppid()", "import os")
    loaded = "{'vectorbt', 'pandas', 'plotly', 'tickerbook.display.candles'} <= set(sys.modules)"
    assert one.value(loaded, "import sys") == "True"


def test_kernels_share_nothing_that_chance_made(pair):
    """Random numbers differ, globals are apart, each has a session and process group of its own."""
    drawn = "random.random(), numpy.random.random(), numpy.random.default_rng().random()"
    one, other = (k.value(drawn, "import random, numpy") for k in pair)
    assert not set(one.strip("()").split(", ")) & set(other.strip("()").split(", "))
    pair[0].value("leak", "leak = 1")
    assert pair[1].value("'leak' in globals()") == "False"
    assert pair[0].number("os.getsid(0)", "import os") == pair[0].pid == os.getpgid(pair[0].pid)


def test_what_forks_has_nothing_that_must_not_be_forked(pair):
    """No thread of Python's, no file but its pipes and sockets, no database, no library's open file."""
    zygote = pair[0].number("os.getppid()", "import os")
    names = [str(link.readlink()) for link in Path(f"/proc/{zygote}/fd").iterdir()]
    kinds = {name.partition(":")[0] for name in names} - {"/dev/null"}
    assert kinds <= {"pipe", "socket", "anon_inode"}
    assert sum(name.startswith("socket") for name in names) == 1


def test_threads_of_libraries_work_in_a_kernel(pair):
    """Linear algebra, Arrow, DuckDB and a thread pool of Python's."""
    code = """
import concurrent.futures, duckdb, numpy as np, pandas as pd, pyarrow as pa, pyarrow.compute as pc
a = np.random.default_rng(1).random((300, 300))
solved = np.allclose(a @ np.linalg.inv(a), np.eye(300), atol=1e-6)
summed = pc.sum(pa.array(range(1_000_000))).as_py()
frame = pd.DataFrame({"x": range(100_000)})
counted = duckdb.sql("select count(*) from frame where x % 2 = 0").fetchall()[0][0]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    mapped = sum(pool.map(lambda n: n * n, range(100)))
"""
    assert pair[0].value("solved, summed, counted, mapped", code) == "(True, 499999500000, 50000, 328350)"


def test_an_interrupt_stops_the_cell_and_not_the_kernel(pair):
    """As with the ordinary kernel."""
    one, _ = pair
    asked = one.client.execute("import time\nprint('now', flush=True)\ntime.sleep(600)")
    while one.client.get_iopub_msg(timeout=LONG)["content"].get("text") != "now\n":
        pass
    one.manager.interrupt_kernel()
    while (reply := one.client.get_shell_msg(timeout=LONG))["parent_header"]["msg_id"] != asked:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert one.number("1 + 1") == 2


def test_a_restarted_kernel_is_fresh(tmp_path):
    """Another process, none of the old names."""
    with kernel(tmp_path) as one:
        one.value("x", "x = 1")
        before = one.pid
        one.manager.restart_kernel(now=True)
        one.client.wait_for_ready(timeout=LONG)
        assert one.pid != before
        assert one.value("'x' in globals()") == "False"


@pytest.mark.parametrize(
    ("code", "status"), [("os.kill(os.getpid(), 9)", -9), ("os.abort()", -6), ("os._exit(3)", 3)]
)
def test_the_end_of_a_kernel_is_told(tmp_path, code, status):
    """Its exit code, or the signal, as an ordinary process tells it."""
    with kernel(tmp_path) as one:
        one.client.execute(f"import os\n{code}")
        assert one.manager.provisioner.process.wait(LONG) == status
        assert not one.manager.is_alive()


def test_nothing_that_a_kernel_started_outlives_it(tmp_path):
    """Not even what has left its process group and its parent."""
    with kernel(tmp_path) as one:
        code = (
            "import subprocess, sys\n"
            "child = subprocess.Popen(['setsid', 'sh', '-c', 'sleep 600 & echo $!; exec sleep 600'],"
            " stdout=subprocess.PIPE)\n"
            "grandchild = int(child.stdout.readline())"
        )
        started = [one.number("child.pid", code), one.number("grandchild")]
        os.kill(one.pid, signal.SIGKILL)
        for pid in started:
            wait_gone(pid)


def test_changed_code_is_never_old_in_a_new_kernel(tmp_path, monkeypatch):
    """The next kernel is of a process that has read the changed file; running ones are left alone."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "code.py").write_text("x = 1", encoding="utf-8")
    monkeypatch.setattr(warm, "LIBRARY", library)
    with kernel(tmp_path, "a") as one:
        first = one.number("os.getppid()", "import os")
        (library / "code.py").write_text("x = 12", encoding="utf-8")
        with kernel(tmp_path, "b") as other:
            assert other.number("os.getppid()", "import os") != first
            assert one.number("40 + 2") == 42
    wait_gone(first)


def test_without_what_forks_the_next_kernel_has_another(tmp_path):
    """Whatever ends it; its kernels end with it."""
    with kernel(tmp_path, "a") as one:
        zygote = one.number("os.getppid()", "import os")
        os.kill(zygote, signal.SIGKILL)
        assert one.manager.provisioner.process.wait(LONG) == -signal.SIGKILL
        wait_gone(one.pid)
    with kernel(tmp_path, "b") as other:
        assert other.number("os.getppid()", "import os") != zygote


WANTING = """
import sys
from pathlib import Path
from jupyter_client.manager import KernelManager
from tickerbook.runs import warm
if sys.argv[3] == "spare":
    warm.KERNELS = warm.Spares()
manager = KernelManager(kernel_name=sys.argv[1], transport="ipc", connection_file=sys.argv[2])
manager.start_kernel()
print(manager.provisioner.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["forked", "spare"])
def test_kernels_end_with_the_program_that_wanted_them(tmp_path, kind):
    """Killed, it cannot tell them; a spare may not even have done its imports."""
    wanting = subprocess.Popen(
        [sys.executable, "-c", WANTING, KERNEL, str(tmp_path / "k.json"), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with wanting:
        pid = int(wanting.stdout.readline())
        others = {process.pid for process in psutil.Process(wanting.pid).children(recursive=True)}
        wanting.kill()
    for one in {pid, *others}:
        wait_gone(one)


def test_where_none_can_be_forked_an_ordinary_kernel_starts(tmp_path, monkeypatch):
    """A kernel that starts slowly is better than none."""

    def refused(_request):
        raise ConnectionError("no zygote")

    monkeypatch.setattr(warm.KERNELS, "start", refused)
    with kernel(tmp_path) as one:
        assert one.number("6 * 7") == 42
        assert one.number("os.getppid()", "import os") == os.getpid()


def test_a_zygote_that_cannot_start_is_told(tmp_path):
    """An interpreter that is none, and one that lacks our modules."""
    request = warm.Request("/bin/false", ["x"], dict(os.environ), str(tmp_path), 1, 2)
    with pytest.raises(OSError, match="no zygote"):
        warm.Zygote(request)


def test_a_spare_kernel_waits_until_it_is_wanted(tmp_path, monkeypatch):
    """Where forking is not safe the next kernel has done its imports before it is asked for."""
    spares = warm.Spares()
    monkeypatch.setattr(warm, "KERNELS", spares)
    try:
        with kernel(tmp_path, "a") as one:
            waiting = spares._spare.pid
            assert one.value("'vectorbt' in sys.modules", "import sys") == "True"
            assert one.pid != waiting
    finally:
        spares.close()
    wait_gone(waiting)


def test_kernels_come_and_go_without_leaving_anything(tmp_path):
    """Descriptors and children, here and in what forks, are after many kernels what they were after one."""

    def descriptors():
        with kernel(tmp_path) as one:
            zygote = one.number("os.getppid()", "import os")
        return psutil.Process().num_fds(), psutil.Process(zygote).num_fds()

    before = descriptors()
    assert [descriptors() for _ in range(5)][-1] <= before
