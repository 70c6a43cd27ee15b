"""The renderer where Quarto's command is installed."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

import yaml

from tickerbook.errors import SiteError
from tickerbook.site.staging import CONFIG, Stage

TIMEOUT = 1800.0  # seconds for the whole site; 200 pages took 300 at most
_MOST_FAILURES = 10
_CONTROL = re.compile(r"\x1b\[[0-9;]*m")
_PROGRESS = re.compile(r"^\[\s*\d+/\d+\]\s+(\S.*?)\s*$", re.MULTILINE)


def render(stage: Stage, command: str) -> dict[str, str]:
    """Render a stage; source → why it could not be rendered.

    Quarto stops at the first page that it cannot render: such a page is taken out and the rest rendered anew.

    Raises:
        SiteError: if Quarto fails otherwise, or takes too long.
    """
    failures: dict[str, str] = {}
    while len(failures) < _MOST_FAILURES:
        _list_sources(stage.without(set(failures)))
        code, said = _run(stage.folder, command)
        if code == 0:
            return failures
        guilty = _guilty(stage.without(set(failures)), said)
        if not guilty:
            raise SiteError(f"Quarto ended with code {code}: {_tail(said)}", "Try --renderer pandoc.")
        failures[guilty] = _tail(said)
    raise SiteError(
        f"Quarto cannot render {', '.join(failures)}.", f"The first says: {next(iter(failures.values()))}"
    )


def _list_sources(stage: Stage) -> None:
    """Name every source, as a file that is not named could be rendered too."""
    config = {**stage.config, "project": {**stage.config["project"], "render": list(stage.sources)}}
    (stage.folder / CONFIG).write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def _run(folder: Path, command: str) -> tuple[int, str]:
    """Quarto's exit code and what it said. It gets an empty home and none of our environment."""
    with tempfile.TemporaryDirectory() as home:
        clean = {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "NO_COLOR": "1"}
        with subprocess.Popen(  # noqa: S603 - the command that shutil.which found, without a shell
            [command, "render", str(folder)],
            env=clean,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired as error:
                raise SiteError(
                    f"Quarto did not finish in {TIMEOUT:.0f} seconds.", "Try --renderer pandoc."
                ) from error
            finally:
                _end(process)
    return process.returncode, _CONTROL.sub("", said.decode(errors="replace"))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Let nothing that Quarto started outlive it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _guilty(stage: Stage, said: str) -> str:
    """The source that the error names, else the one that was being rendered; empty where neither is known."""
    error = said[max(0, said.find("ERROR")) :]
    named = [source for source in stage.sources if f"{stage.folder / source}" in error]
    begun = [source for source in _PROGRESS.findall(said) if source in stage.sources]
    return (named or begun[-1:] or [""])[0]


def _tail(said: str) -> str:
    """What Quarto said about the error, in one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    at = next((n for n, line in enumerate(lines) if line.startswith("ERROR")), max(0, len(lines) - 3))
    return " ".join(lines[at : at + 3])[:300] or "it said nothing"
