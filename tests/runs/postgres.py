"""A PostgreSQL server for the tests of the ledger, where its programs are installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("initdb", "pg_ctl")
QUICK = "-c fsync=off -c listen_addresses='' -c shared_buffers=16MB -c max_connections=40"


class Server:
    """A server that listens in its own folder only."""

    def __init__(self, folder: Path, user: str | None) -> None:
        self.folder = folder
        self._user = user
        self._databases = 0

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._do(
            "pg_ctl",
            "-D",
            self.data,
            "-w",
            "-l",
            f"{self.folder}/log",
            "-o",
            f"{QUICK} -k {self.folder}",
            "start",
        )

    def stop(self) -> None:
        """End it at once, as a machine that fails does."""
        self._do("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    @property
    def data(self) -> str:
        """Where its files are."""
        return str(self.folder / "data")

    def new_database(self) -> str:
        """URL of an empty database."""
        import psycopg  # noqa: PLC0415 - an extra

        self._databases += 1
        name = f"ledger{self._databases}"
        with psycopg.connect(f"host={self.folder} user=ledger dbname=postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")  # our own name
        return f"postgresql+psycopg://ledger@/{name}?host={self.folder}"

    def make(self) -> None:
        """Make its files."""
        self._do(
            "initdb", "-D", self.data, "-U", "ledger", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"
        )

    def _do(self, *command: str) -> None:
        options = {"user": self._user} if self._user else {}
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **options,
        )


def missing() -> str:
    """Why there can be no server; empty where there can."""
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    if absent:
        return f"PostgreSQL's {' and '.join(absent)} are not installed"
    try:
        import psycopg  # noqa: F401, PLC0415 - only looked for
    except ImportError:
        return "psycopg is not installed: pip install tickerbook[postgresql]"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is no other user"
    return ""


@contextmanager
def running_server() -> Iterator[Server]:
    """A server, until the block ends."""
    user = _other_user() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user:
        shutil.chown(folder, user)
    server = Server(folder, user)
    try:
        server.make()
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _other_user() -> str | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None
