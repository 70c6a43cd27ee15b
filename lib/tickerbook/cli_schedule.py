"""`tickerbook schedule`: work by itself, when exchanges and clocks say so."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tickerbook.cadences import Cadence
from tickerbook.cli_export import Target, exported
from tickerbook.cli_logs import open_log
from tickerbook.cli_metrics import as_text, serving
from tickerbook.errors import ConfigError
from tickerbook.files import write_text
from tickerbook.runs.jobs import CommandJob, is_alive, lifeline
from tickerbook.runs.schedule import Tick, next_tick
from tickerbook.runs.scheduler import Scheduler, World
from tickerbook.runs.tickbook import TickBook, TickRow
from tickerbook.settings import Settings, load_settings

app = typer.Typer(
    help="Work by itself at the times of params/schedule.toml, in the foreground, until Ctrl-C.\n\n"
    "Sessions with half days and holidays, both nights when clocks change, restarts and a second scheduler "
    "are seen to: each tick is done once. `tickerbook schedule list` shows what comes and what was; "
    "`tickerbook schedule export` writes files for systemd, cron or GitHub.",
    invoke_without_command=True,
    rich_markup_mode="markdown",
)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 120)

_WRITTEN = "tickerbook schedule export"  # in the first lines of what is exported
_LATE = 60.0  # seconds from which a start is told as late
_COLOURS = {
    "ok": "green",
    "failed": "red",
    "missed": "yellow",
    "skipped": "yellow",
    "interrupted": "yellow",
    "running": "cyan",
    "waiting": "cyan",
}
_SHOWN = 5

Project = Annotated[
    Path | None,
    typer.Option("--project", help="The project's directory; default: the one this command runs in."),
]


def now() -> datetime:
    """The clock; tests put another in its place."""
    return datetime.now(UTC)


@app.callback()
def schedule(
    context: typer.Context,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Do what is due now and end, as cron calls it.")
    ] = False,
    metrics_at: Annotated[
        str, typer.Option("--metrics", help="Where metrics are told over HTTP: host:port, or off.")
    ] = "127.0.0.1:9477",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say everything as JSON lines, for programs.")
    ] = False,
    project: Project = None,
) -> None:
    """See the help of the group."""
    context.obj = project
    if context.invoked_subcommand is not None:
        return
    settings = _scheduled(project)
    log = open_log(settings, now, "schedule")
    say = partial(_say, mode="json" if as_json else "quiet" if quiet else "words", settings=settings, log=log)
    with _scheduler(settings, say, modes=_modes(quiet, as_json)) as scheduler:
        if once:
            scheduler.serve(once=True)
            raise typer.Exit(1 if scheduler.failed else 0)
        with serving(settings, metrics_at, now, say):
            scheduler.serve()


@app.command(name="list")
def list_(context: typer.Context, *, project: Project = None) -> None:
    """Show each cadence: what comes next, what became of the last ticks, and which were missed or late."""
    settings = _scheduled(project or context.obj)
    book = TickBook(settings.ledger)
    coming = Table("cadence", "when", "next", "session", "does", box=SIMPLE_HEAD, pad_edge=False)
    for cadence in settings.cadences:
        tick = next_tick(cadence, now())
        at, session = (_local(tick.starts_at), str(tick.session or "")) if tick else ("none is known", "")
        tickers = f" {', '.join(cadence.tickers)}" if cadence.tickers else ""
        coming.add_row(cadence.name, escape(cadence.says), at, session, cadence.does + tickers)
    out.print(coming)
    been = Table("cadence", "tick", "due", "outcome", "started", "note", box=SIMPLE_HEAD, pad_edge=False)
    for cadence in settings.cadences:
        for row in book.rows(cadence.name, newest=_SHOWN)[::-1]:
            been.add_row(*_told(row))
    out.print(been if been.row_count else "Nothing was due yet.")
    for cadence in settings.cadences:
        missed = [row.tick.key for row in book.rows(cadence.name, ("missed",), newest=_SHOWN + 1)]
        if missed:
            more = " and more before" if len(missed) > _SHOWN else ""
            out.print(f"[yellow]Missed[/] of {cadence.name}: {', '.join(missed[:_SHOWN])}{more}.")
    leader = book.leader()
    alive = leader and is_alive(leader.holder, _folder(settings))
    if leader is None or alive is False:
        out.print("No scheduler runs now. `tickerbook schedule` is one.")
    else:
        out.print(f"Scheduler: {escape(leader.holder)}")


@app.command()
def export(
    context: typer.Context,
    target: Annotated[Target, typer.Argument(help="For whom.")],
    *,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="The file; - prints it. Default: deploy/ or .github/workflows/."),
    ] = None,
    project: Project = None,
) -> None:
    """Write a working file for systemd, cron or GitHub Actions (which publishes to Pages).

    It fits this project, its cadences and this environment. For example: `tickerbook schedule export systemd`
    """
    settings = _scheduled(project or context.obj)
    made = exported(target, settings, Path(sys.executable).parent / "tickerbook", now())
    if str(to) == "-":
        sys.stdout.write(made.text)
        return
    path = to or settings.project / made.path
    if path.exists() and _WRITTEN not in path.read_text(encoding="utf-8", errors="replace")[:500]:
        raise ConfigError(
            f"{path} was not written by tickerbook.", "Remove it, or name another file with --to."
        )
    write_text(path, made.text)
    out.print(f"Written: {escape(str(path))}")
    for line in made.steps:
        out.print(f"  {escape(line.format(path=path))}")


def metrics(*, project: Project = None) -> None:
    """Print metrics as Prometheus reads them: runs, durations, prices, vendors, cadences.

    A scheduler tells the same at http://127.0.0.1:9477/metrics.
    """
    sys.stdout.write(as_text(load_settings(project), now))


# --- how ---------------------------------------------------------------------------------------------------


def _scheduled(project: Path | None) -> Settings:
    settings = load_settings(project)
    if not settings.cadences:
        raise ConfigError(
            "params/schedule.toml has no cadence.",
            'Write one, such as:\n[cadence.close]\nwhen = "30 min after XNYS close"',
        )
    for cadence in settings.cadences:
        next_tick(cadence, now())  # refuses a calendar that there is not
    return settings


def _folder(settings: Settings) -> Path:
    return settings.project / "data" / "schedule"


@contextmanager
def _scheduler(settings: Settings, say: Callable[..., None], modes: list[str]) -> Iterator[Scheduler]:
    """A scheduler in the real world."""
    folder = _folder(settings)
    with lifeline(folder) as name:
        world = World(
            clock=now,
            steady=time.monotonic,
            sleep=time.sleep,
            launch=partial(_launch, settings, modes),
            tell=say,
            is_alive=lambda holder: is_alive(holder, folder),
        )
        yield Scheduler(settings.cadences, TickBook(settings.ledger, name), world, settings.at_once)


def _launch(settings: Settings, modes: list[str], cadence: Cadence, tick: Tick) -> CommandJob:
    """A tick's work: the same verb that a person types, in a process of its own."""
    words = [cadence.does, *cadence.tickers, "--project", str(settings.project)]
    if cadence.does == "update":
        words += [*(["--session", tick.session.isoformat()] if tick.session else []), *modes]
    return CommandJob(words, f"{tick.cadence}@{tick.key}", os.environ)


def _modes(quiet: bool, as_json: bool) -> list[str]:
    return ["--json"] if as_json else ["--quiet"] if quiet else []


def _say(event: str, *, mode: str, settings: Settings, log: Any, **facts: Any) -> None:
    """Tell what the scheduler does: to whoever looks, and to the log."""
    tick = facts.pop("tick", None)
    named = {"cadence": tick.cadence, "tick": tick.key, "due_at": tick.due_at.isoformat()} if tick else {}
    told = named | facts
    bad = event in _WARNINGS or facts.get("state") in {"failed", "missed"}
    (log.warning if bad else log.info)(f"schedule: {event}", **told)
    if mode == "json":
        line = {"event": f"schedule: {event}", "at": now().isoformat(timespec="seconds"), **told}
        sys.stdout.write(json.dumps(line, default=str) + "\n")
        sys.stdout.flush()
    elif mode == "words" or bad:
        what = _words(event, tick, facts, settings)
        stamp = f"{now().astimezone():%Y-%m-%d %H:%M:%S}"
        out.print(f"[dim]{stamp}[/] [{'yellow' if bad else 'default'}]{escape(what)}[/]")


_CLOCKS = {"clock", "clock behind"}
_WARNINGS = _CLOCKS | {"taken over", "no sessions", "missed", "skipped", "no metrics", "trouble"}


def _words(event: str, tick: Tick | None, facts: dict[str, Any], settings: Settings) -> str:
    """An event, for a person."""
    what = f"{tick.cadence} {tick.key}" if tick else ""
    note = f": {facts['note']}" if facts.get("note") else ""
    match event:
        case "leading":
            nexts = [
                (tick.starts_at, one.name) for one in settings.cadences if (tick := next_tick(one, now()))
            ]
            first = min(nexts, default=None)
            return f"Scheduling. Next: {first[1]}, {_local(first[0])}." if first else "Scheduling."
        case "idle":
            return (
                f"Another scheduler works on this ledger ({facts['leader']}). This one does nothing, and "
                "takes over when that one ends."
            )
        case "started":
            late = f", {facts['late']:.0f} s late" if facts["late"] >= _LATE else ""
            return f"{what} started{late}"
        case "ended":
            seconds = f" after {facts['seconds']:.0f} s" if "seconds" in facts else ""
            return f"{what} {facts['state']}{seconds}{note}"
        case "clock":
            return f"The clock jumped by {facts['seconds']:+,.0f} s. Nothing is done twice for it."
        case "clock behind":
            return (
                f"{facts['cadence']}: the clock is {facts['seconds']:,.0f} s behind what was looked after. "
                "Ticks that were run stay run."
            )
        case "no sessions":
            return f"{facts['cadence']}: the calendar knows of no coming session."
        case "metrics":
            return f"Metrics: {facts['address']}"
        case _:
            return f"{what} {event}{note}".strip()


def _told(row: TickRow) -> tuple[str, ...]:
    late = f" ({row.late / 60:.0f} min late)" if row.late is not None and row.late >= _LATE else ""
    started = f"{_local(row.started_at)}{late}" if row.started_at else ""
    state = f"[{_COLOURS[row.state]}]{row.state}[/]{', caught up' if row.catch_up else ''}"
    return row.tick.cadence, row.tick.key, _local(row.tick.due_at), state, started, escape(row.note)


def _local(instant: datetime) -> str:
    return f"{instant.astimezone():%a %Y-%m-%d %H:%M %Z}"
