"""What every test stands on: no network, no keys, a home and a project of its own."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest

# The same examples on every machine, however slow: whether a commit is good does not hang on luck.
hypothesis.settings.register_profile("tickerbook", deadline=None, derandomize=True)
hypothesis.settings.load_profile("tickerbook")

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("TICKERBOOK_SHARED") or ROOT.parent / "shared")
LOOPBACK = ("127.", "::1", "localhost")
UNIVERSE = """\
title = "Test universe"
providers = ["sample"]
tickers = ["AAPL", "MSFT"]
"""


class NetworkRefusedError(RuntimeError):
    """A test tried to leave this machine. Not an OSError, so that no library mistakes it for a bad line."""


@pytest.fixture(scope="session", autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the person who runs the tests, and no network, reaches a test or what it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("TICKERBOOK_", "OPENAI_", "XDG_", "JUPYTER", "IPYTHON")):
                patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        # Guards below do not see libraries written in C, nor other processes; a dead proxy stops those.
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.setenv(name, "http://127.0.0.1:9")
            patch.setenv(name.upper(), "http://127.0.0.1:9")
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "localhost,127.0.0.1,::1")
        _refuse_network(patch)
        yield


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has an empty home, and hands on no setting that a verb has made in this process."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    before = set(os.environ)
    yield
    for name in set(os.environ) - before:
        if name.startswith("TICKERBOOK_"):
            del os.environ[name]


def _refuse_network(patch: pytest.MonkeyPatch) -> None:
    """Let sockets reach this machine only."""
    connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(host: object) -> None:
        text = host.decode() if isinstance(host, bytes) else str(host or "localhost")
        if not text.startswith(LOOPBACK):
            raise NetworkRefusedError(
                f"A test may not reach {text}. Record the answer, or serve it on 127.0.0.1."
            )

    def guard(sock: socket.socket, address: object) -> None:
        if sock.family != socket.AF_UNIX:
            check(address[0])

    def guarded_connect(sock, address):
        guard(sock, address)
        return connect(sock, address)

    def guarded_connect_ex(sock, address):
        guard(sock, address)
        return connect_ex(sock, address)

    def guarded_lookup(host, *args, **kwargs):
        check(host)
        return lookup(host, *args, **kwargs)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_lookup)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference data beside the repository, or where TICKERBOOK_SHARED says."""
    if not SHARED.is_dir():
        pytest.skip(f"no reference data in {SHARED}; name its folder in TICKERBOOK_SHARED")
    return SHARED


@pytest.fixture(scope="session")
def answers() -> Path:
    """Small truths from outside, each with its source."""
    return ROOT / "tests" / "answers"


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Path]:
    """A maker of temporary projects.

    `make_project(universe=UNIVERSE, notebooks=("levels",), params={"risk.toml": "…"})`: notebooks are copied
    by name from the repository, "*" for all of them.
    """

    def make(
        universe: str = UNIVERSE, *, notebooks: Sequence[str] = (), params: dict[str, str] | None = None
    ) -> Path:
        project = tmp_path / "project"
        for folder in ("params", "notebooks"):
            (project / folder).mkdir(parents=True)
        for name, text in {"universe.toml": universe, **(params or {})}.items():
            (project / "params" / name).write_text(text, encoding="utf-8")
        for name in notebooks:
            for path in (ROOT / "notebooks").glob(f"{name}.ipynb"):
                shutil.copy(path, project / "notebooks")
        return project

    return make


@pytest.fixture
def project(make_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary project of two tickers, without notebooks; the test runs inside it."""
    project = make_project()
    monkeypatch.chdir(project)
    return project
