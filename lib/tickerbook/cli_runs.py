"""`tickerbook runs`, `backup`, `restore`, `verify`: what ran, what is kept of it, and whether it is whole."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ByteSize, TypeAdapter, ValidationError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tickerbook.errors import ConfigError, DataError
from tickerbook.runs import backup as backups
from tickerbook.runs.ledger import Change, Ledger, Outcome
from tickerbook.runs.ledger.leases import Runner, open_runner
from tickerbook.runs.retention import Limits, Pruning, choose, in_use, published, stored_runs
from tickerbook.runs.retention import prune as remove_runs
from tickerbook.runs.scratch import own_folder
from tickerbook.runs.verify import problems
from tickerbook.settings import load_settings, nearest
from tickerbook.store import RunStore

app = typer.Typer(
    help="Show the newest runs: when, what became of them, and why.\n\n"
    "For example: `tickerbook runs --ticker AAPL --status failed`. `tickerbook runs show 1234` tells every "
    "change of one, `tickerbook runs prune` removes what is old.",
    invoke_without_command=True,
    rich_markup_mode="markdown",
)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, soft_wrap=True)

_STATES = ("queued", "leased", "running", "ok", "failed", "skipped", "unchanged", "interrupted", "lost")
_COLOURS = {"ok": "green", "unchanged": "green", "failed": "red", "lost": "red"}
_SHORT = 12  # digits of a key that tell it from others

Project = Annotated[
    Path | None,
    typer.Option("--project", help="The project's directory; default: the one this command runs in."),
]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def now() -> datetime:
    """The clock; tests put another in its place."""
    return datetime.now(UTC)


@app.callback()
def runs(
    context: typer.Context,
    *,
    ticker: Annotated[str | None, typer.Option("--ticker", help="Only this ticker's runs.")] = None,
    notebook: Annotated[str | None, typer.Option("--notebook", help="Only runs of this notebook.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help=f"Only runs that stand so: {', '.join(_STATES)}.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 50,
    before: Annotated[
        int | None, typer.Option("--before", min=1, help="Only runs before this number: the next page.")
    ] = None,
    as_json: Json = False,
    project: Project = None,
) -> None:
    """Show the newest runs. For example: `tickerbook runs --ticker AAPL --status failed`."""
    if context.invoked_subcommand:
        return
    if status is not None and status not in _STATES:
        raise ConfigError(
            f"{status!r} is no state of a run.{nearest(status, list(_STATES))}",
            f"There are {', '.join(_STATES)}.",
        )
    ledger = Ledger(load_settings(project).ledger)
    found = ledger.page(limit, before=before, ticker=ticker, notebook=notebook, state=status)
    if as_json:
        _print_json([one.to_json() for one in found])
        return
    if not found:
        out.print(
            "There is no such run." if ticker or notebook or status or before else "Nothing has run yet."
        )
        return
    out.print(_table(found))
    if len(found) == limit:
        out.print(f"Older ones: add `--before {found[-1].id}`.")


@app.command()
def show(
    key: Annotated[
        str, typer.Argument(help="A run's key or its beginning, or its number in the list of runs.")
    ],
    *,
    as_json: Json = False,
    project: Project = None,
) -> None:
    """Tell every change of a run, with when and why, and where its notebook is.

    For example: `tickerbook runs show 1234`, a number from `tickerbook runs`. The same work in several
    batches has one key, so that there may be more than one.
    """
    settings = load_settings(project)
    ledger, store = Ledger(settings.ledger), RunStore(settings.runs)
    found = ledger.find(key)
    if not found:
        raise ConfigError(
            f"The ledger has no run {key!r}.", "`tickerbook runs` lists them, with their numbers."
        )
    changes = ledger.changes([one.id for one in found])
    if as_json:
        told = {
            one.id: [
                {"state": c.state, "at": c.at.isoformat(), "why": c.why} for c in changes if c.run == one.id
            ]
            for one in found
        }
        _print_json([one.to_json() | {"changes": told[one.id]} for one in found])
        return
    for one in found:
        out.print(_story(one, changes))
        if one.failure:
            out.print(f"[red]{escape(one.problem)}[/] {escape(one.failure.remedy)}")
    for name in dict.fromkeys(one.key for one in found if one.key):
        out.print(f"Key {name}")
        for folder in (store.folder(name), store.folder(name, "failed"), store.folder(name, "skipped")):
            if folder.is_dir():
                out.print(f"  {escape(str(folder / 'run.ipynb'))}")


@app.command()
def prune(
    *,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="Runs to keep of each ticker and notebook.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Remove what was last used more days ago.")
    ] = None,
    disk: Annotated[
        str | None,
        typer.Option("--disk", help="What all stored runs may take, such as 5GB; the oldest go first."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    project: Project = None,
) -> None:
    """Remove stored runs beyond a count, an age or a size, and their rows in the ledger.

    What a published page shows stays in any case: the newest run of each ticker and notebook, the newest good
    one, and all that the finished sites in data/releases name. For example: `tickerbook runs prune --days 400
    --disk 5GB --dry-run`
    """
    limits = Limits(keep, days, _size(disk))
    if limits == Limits():
        raise ConfigError(
            "There is no limit to prune by.", "Give --keep, --days or --disk, perhaps with --dry-run."
        )
    settings = load_settings(project)
    ledger, store = Ledger(settings.ledger), RunStore(settings.runs)
    with own_folder() as folder, open_runner(ledger, folder, now) as runner:
        if not (runner.is_only_one or dry_run):
            raise DataError("Notebooks are being run.", "Prune when they have ended, or see --dry-run.")
        shown = in_use(store) | published(settings.project / "data" / "releases")
        pruning = choose(stored_runs(store, ledger), shown, limits, now())
        if not dry_run:
            remove_runs(store, ledger, pruning, limits, now())
    out.print(_pruned(pruning, dry_run=dry_run))
    if limits.disk is not None and pruning.left > limits.disk:
        takes = ByteSize(pruning.left).human_readable(decimal=True)
        err.print(f"[red]What pages show takes {takes}, more than the budget.[/]")
        raise typer.Exit(1)


def backup(
    file: Annotated[Path, typer.Argument(help="Where to, such as backups/monday.tar.gz.")],
    *,
    project: Project = None,
) -> None:
    """Write ledger, runs, prices, trials and quarantine into one file; notebooks may run meanwhile.

    params/, notebooks/ and reports/ belong into version control, and the site is built again by `tickerbook
    build`. For example: `tickerbook backup monday.tar.gz`
    """
    settings = load_settings(project)
    made = backups.back_up(settings, Ledger(settings.ledger), file.absolute(), now())
    out.print(f"{len(made.files):,} files and {made.runs:,} runs of the ledger are in {escape(str(file))}.")
    if not isinstance(settings.lake, Path):
        out.print(f"The lake is on shared storage ({escape(str(settings.lake))}) and is not among them.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `tickerbook backup` wrote.")], *, project: Project = None
) -> None:
    """Put a backup in place, in a project that has no data yet.

    Every file is compared with its digest first. For example, in a fresh copy of the project:
    `tickerbook restore monday.tar.gz`
    """
    settings = load_settings(project)
    made = backups.restore(settings, file.absolute(), now())
    out.print(
        f"{len(made.files):,} files and {made.runs:,} runs of the ledger are back, as of {made.made_at}."
    )
    out.print("`tickerbook verify` looks at them; `tickerbook build` makes the site.")


def verify(*, project: Project = None) -> None:
    """Look whether stored runs, ledger and prices are whole and fit together.

    Digests of every stored file are computed, so it takes a while. It ends with 1 if anything is wrong. What
    a killed runner left open in the ledger is told as interrupted first, as the next run does.
    """
    settings = load_settings(project)
    ledger = Ledger(settings.ledger)
    Runner(ledger, settings.project, now).sweep()
    found = list(problems(settings, ledger))
    for problem in found:
        err.print(f"[red]✗[/] {escape(problem)}")
    if found:
        err.print("A run that is damaged is made again by `tickerbook run`; prices by `tickerbook fetch`.")
        raise typer.Exit(1)
    count = len(RunStore(settings.runs).folders())
    out.print(f"[green]✓[/] {count:,} stored runs, the ledger and the lake are whole.")


def _table(found: list[Outcome]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "ticker", "notebook", "session", "outcome", "when (UTC)", "seconds", "key", "why"):
        table.add_column(
            name, justify="right" if name in {"run", "seconds"} else "left", no_wrap=name != "why"
        )
    for one in found:
        table.add_row(
            str(one.id),
            one.ticker or "universe",
            escape(one.notebook),
            str(one.session or ""),
            _coloured(one.state),
            f"{one.changed_at:%Y-%m-%d %H:%M}",
            f"{one.seconds:.1f}" if one.started_at else "",
            one.key[:_SHORT],
            escape(one.problem),
        )
    return table


def _story(one: Outcome, changes: Sequence[Change]) -> Table:
    """Every change of one run."""
    whose = f"{one.ticker or 'universe'} {one.notebook}, session {one.session or 'not known yet'}"
    title = f"Run {one.id}: {whose}, batch {one.batch}"
    table = Table("state", "when (UTC)", "why", title=escape(title), title_justify="left", box=SIMPLE_HEAD)
    for change in changes:
        if change.run == one.id:
            table.add_row(_coloured(change.state), f"{change.at:%Y-%m-%d %H:%M:%S}", escape(change.why))
    return table


def _coloured(state: str) -> str:
    return f"[{_COLOURS.get(state, 'yellow')}]{state}[/]"


def _pruned(pruning: Pruning, *, dry_run: bool) -> str:
    verb = "would be removed" if dry_run else "removed"
    freed, left = (ByteSize(size).human_readable(decimal=True) for size in (pruning.freed, pruning.left))
    shown = f", {pruning.shown:,} of them only because pages show them" if pruning.shown else ""
    return (
        f"{len(pruning.doomed):,} stored runs {verb} ({freed}); {len(pruning.kept):,} stay ({left}){shown}."
    )


def _size(text: str | None) -> int | None:
    try:
        return None if text is None else int(TypeAdapter(ByteSize).validate_python(text))
    except ValidationError as error:
        raise ConfigError(f"--disk {text} is no size.", "Write it as 500MB or 5GB.") from error


def _print_json(told: list[dict[str, object]]) -> None:
    sys.stdout.write(json.dumps(told, indent=1, allow_nan=False) + "\n")
