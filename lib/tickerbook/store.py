"""The run store: what each stage leaves on disk for the next.

    data/runs/<key>/                   a finished run: run.ipynb, facts.json, run.json (narrative.json), and
                                       SHA256SUMS with the digests of the first three
    data/runs/<key>.failed/            the newest failed attempt of that run, its half-run notebook kept
    data/runs/latest/<ticker>/<notebook>/<session>.json    which run stands for that session

Folders appear whole or not at all.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from tickerbook.errors import NoFactsError, TornFileError
from tickerbook.facts import Facts
from tickerbook.files import dump_json, slug, whole_folder, write_text
from tickerbook.settings import load_settings

Status = Literal["ok", "failed", "skipped"]
UNIVERSE = "_universe"
TIMELESS = date(1970, 1, 1)  # the session of what uses no prices: before all others, so that all can use it
_LATEST = "latest"
_SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Run:
    """One execution: a notebook, a ticker (None for the whole universe), a session and parameters.

    Attributes:
        key: digest of all that could change the outcome.
    """

    notebook: str
    ticker: str | None
    session: date
    parameters: Mapping[str, Any]
    key: str


@dataclass(frozen=True)
class Failure:
    """Why a run failed or was skipped.

    Attributes:
        kind: a short name: "error", "timeout", "kernel died", "no facts", "interrupted", "upstream",
            "no bars".
        message: what happened, in one line.
        remedy: what to do.
        cell: index of the cell it happened in, where there is one.
    """

    kind: str
    message: str
    remedy: str = ""
    cell: int | None = None


@dataclass(frozen=True)
class RunResult:
    """What became of a run.

    Attributes:
        origin: where the numbers come from: source, period, digests of data and code, fetched_at.
        versions: package → version.
        reused: whether a stored result was taken instead of executing; not stored.
    """

    run: Run
    status: Status
    facts: Facts
    seconds: float
    started_at: datetime
    failure: Failure | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    reused: bool = False


@dataclass(frozen=True)
class RunStore:
    """Stored runs under `root` (data/runs of a project).

    Attributes:
        fence: gives a block in which what was prepared becomes visible: a runner's, so that one that others
            have given up writes no more.
    """

    root: Path
    fence: Callable[[], AbstractContextManager[None]] = field(default=nullcontext, repr=False, compare=False)

    def folder(self, key: str, status: Status = "ok") -> Path:
        """Where a run of that key and outcome is, or would be."""
        return self.root / _folder_name(key, status)

    def get(self, key: str, status: Status = "ok") -> RunResult | None:
        """The stored result; None where there is none.

        Raises:
            TornFileError: if it is there and cannot be read.
        """
        folder = self.folder(key, status)
        if not (folder / "run.json").is_file():
            return None
        try:
            record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            facts = Facts.from_json(json.loads((folder / "facts.json").read_text(encoding="utf-8")))
            return _result(record, facts)
        except Exception as error:
            raise TornFileError(
                f"The stored run {folder.name} cannot be read: {error!r}.",
                f"Remove {folder} and run again.",
            ) from error

    def put(self, result: RunResult, notebook: str) -> Path:
        """Store a result with its executed notebook (text of the .ipynb); it then stands for its session."""
        folder = self.folder(result.run.key, result.status)
        with whole_folder(folder, self.fence) as part:
            (part / "run.ipynb").write_text(notebook, encoding="utf-8")
            (part / "facts.json").write_text(dump_json(result.facts.to_json()), encoding="utf-8")
            (part / "run.json").write_text(dump_json(_record(result)), encoding="utf-8")
            (part / _SUMS).write_text(_sums(part), encoding="utf-8")
        self.stand(result)
        return folder

    def folders(self) -> list[Path]:
        """Every stored run, good or not."""
        found = self.root.iterdir() if self.root.is_dir() else ()
        return sorted(
            path for path in found if path.is_dir() and path.name[0] != "." and path.name != _LATEST
        )

    def pointers(self) -> dict[Path, dict[str, Any]]:
        """Every file that says what stands for a session → what it says: `ok`, `last` and its `status`."""
        return {path: _pointer_at(path) for path in sorted((self.root / _LATEST).glob("*/*/[0-9]*.json"))}

    def problem(self, folder: Path) -> str:
        """What is wrong with a stored run; empty where nothing is."""
        key, _, status = folder.name.partition(".")
        try:
            result = self.get(key, status or "ok")  # type: ignore[arg-type]  # another status is another key
            sums = folder / _SUMS
            if result is None or result.run.key != key:
                return "is not the run that its name says"
            if sums.is_file() and sums.read_text(encoding="utf-8") != _sums(folder):  # runs of old have none
                return "was changed after it was stored"
        except (TornFileError, OSError) as error:
            return f"cannot be read: {error}".partition("\n")[0]
        return ""

    def remove(self, doomed: Collection[Path]) -> None:
        """Remove stored runs; first, so that nothing points to nowhere, they stand for nothing any more."""
        gone = {folder.name for folder in doomed}
        for path, pointer in self.pointers().items():
            left = _without(pointer, gone)
            if left is None:
                path.unlink(missing_ok=True)
            elif left != pointer:
                write_text(path, dump_json(left))
        for folder in doomed:
            shutil.rmtree(folder, ignore_errors=True)

    def stand(self, result: RunResult) -> None:
        """Let a stored result stand for its notebook, ticker and session."""
        path = self._pointer(result.run.notebook, result.run.ticker, result.run.session)
        old = _pointer_at(path)
        good = result.run.key if result.status == "ok" else old.get("ok")
        new = {"ok": good, "last": result.run.key, "status": result.status}
        if new != old:
            with self.fence():
                write_text(path, dump_json(new))

    def latest(self, notebook: str, ticker: str | None, session: date | None = None) -> RunResult | None:
        """The newest attempt, of the newest session not after `session`."""
        for path in self._sessions(notebook, ticker, session):
            pointer = _pointer_at(path)
            if pointer:
                return self.get(pointer["last"], pointer["status"])
        return None

    def latest_ok(self, notebook: str, ticker: str | None, session: date | None = None) -> RunResult | None:
        """The newest good result, of the newest session not after `session` that has one."""
        for path in self._sessions(notebook, ticker, session):
            key = _pointer_at(path).get("ok")
            if key:
                return self.get(key)
        return None

    def sessions(self, notebook: str, ticker: str | None) -> list[date]:
        """Sessions with any attempt, newest first."""
        return [date.fromisoformat(path.stem) for path in self._sessions(notebook, ticker, None)]

    def notebooks(self, ticker: str | None) -> list[str]:
        """Names of the notebooks that were ever attempted for a ticker, sorted."""
        return sorted(path.name for path in self._shelves(ticker).glob("*") if path.is_dir())

    def notebook(self, result: RunResult) -> str:
        """Text of the executed notebook."""
        return (self.folder(result.run.key, result.status) / "run.ipynb").read_text(encoding="utf-8")

    def put_narrative(self, result: RunResult, narrative: Mapping[str, Any]) -> None:
        """Store the narrative beside the run it describes."""
        write_text(self.folder(result.run.key, result.status) / "narrative.json", dump_json(narrative))

    def narrative(self, result: RunResult) -> dict[str, Any] | None:
        """The stored narrative; None where there is none."""
        path = self.folder(result.run.key, result.status) / "narrative.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def _pointer(self, notebook: str, ticker: str | None, session: date) -> Path:
        return self._shelf(notebook, ticker) / f"{session.isoformat()}.json"

    def _shelf(self, notebook: str, ticker: str | None) -> Path:
        return self._shelves(ticker) / notebook

    def _shelves(self, ticker: str | None) -> Path:
        return self.root / _LATEST / (slug(ticker) if ticker else UNIVERSE)

    def _sessions(self, notebook: str, ticker: str | None, until: date | None) -> list[Path]:
        paths = self._shelf(notebook, ticker).glob("[0-9]*.json")
        kept = [p for p in paths if until is None or p.stem <= until.isoformat()]
        return sorted(kept, reverse=True)


def load_facts(
    notebook: str, ticker: str | None = None, session: str = "", *, default: Facts | None = None
) -> Facts:
    """Facts that another notebook published, for use in a notebook.

    Args:
        notebook: its name, such as "levels".
        ticker: the symbol; None for a notebook over the universe.
        session: ISO date; the newest good run not after it is taken. Empty for the newest of all.
        default: given where that notebook has not been run well; without it that is an error.

    Raises:
        NoFactsError: if that notebook has not been run well, and there is no default.
    """
    store = RunStore(load_settings().runs)
    result = store.latest_ok(notebook, ticker, date.fromisoformat(session) if session else None)
    if result is None and default is not None:
        return default
    if result is None:
        whose = f"{ticker or 'the universe'}{' until ' + session if session else ''}"
        raise NoFactsError(
            f"There are no facts of {notebook!r} for {whose}.",
            f"Run `tickerbook run {ticker or ''} --notebook {notebook}` first.".replace("  ", " "),
        )
    return result.facts


def pointed(pointer: Mapping[str, Any]) -> set[str]:
    """Names of the folders that a pointer leads to."""
    last = _folder_name(pointer["last"], pointer["status"]) if pointer else None
    return {name for name in (last, pointer.get("ok")) if name}


def _folder_name(key: str, status: str) -> str:
    return key if status == "ok" else f"{key}.{status}"


def _without(pointer: dict[str, Any], gone: Collection[str]) -> dict[str, Any] | None:
    """A pointer when some folders are gone; None where nothing is left of it."""
    good = pointer.get("ok") if pointer.get("ok") not in gone else None
    if pointer and _folder_name(pointer["last"], pointer["status"]) not in gone:
        return {**pointer, "ok": good}
    return {"ok": good, "last": good, "status": "ok"} if good else None


def _sums(folder: Path) -> str:
    """Digests of a run's files, as `sha256sum` writes them."""
    names = ("facts.json", "run.ipynb", "run.json")
    return "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)


def _pointer_at(path: Path) -> dict[str, Any]:
    """What stands for a session; nothing where nothing does, or the file is damaged."""
    try:
        pointer = json.loads(path.read_text(encoding="utf-8"))
        return {name: pointer[name] for name in ("ok", "last", "status")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _record(result: RunResult) -> dict[str, Any]:
    record = asdict(result)
    del record["facts"], record["reused"]
    record["run"]["session"] = result.run.session.isoformat()
    record["started_at"] = result.started_at.isoformat()
    return record


def _result(record: dict[str, Any], facts: Facts) -> RunResult:
    run = Run(**{**record["run"], "session": date.fromisoformat(record["run"]["session"])})
    failure = Failure(**record["failure"]) if record["failure"] else None
    started_at = datetime.fromisoformat(record["started_at"])
    return RunResult(**{**record, "run": run, "failure": failure, "started_at": started_at}, facts=facts)
