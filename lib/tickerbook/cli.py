"""The verbs. The only place that prints, reads the clock and sets exit codes.

Exit codes: 0 all well, 1 something failed, 2 wrong configuration, 130 interrupted.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from jupyter_client.kernelspec import KernelSpecManager
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tickerbook import cli_runs, cli_schedule
from tickerbook.bars import Bars
from tickerbook.certificates import Certificate
from tickerbook.cli_board import shown
from tickerbook.cli_show import Show, showing
from tickerbook.errors import (
    ConfigError,
    DataError,
    NoFactsError,
    ParameterError,
    SiteError,
    TickerbookError,
)
from tickerbook.market.doctor import diagnose
from tickerbook.market.lake import AS_OF, newest_known, project_lake
from tickerbook.market.lakewhen import instant
from tickerbook.market.providers import provider
from tickerbook.market.quarantine import Quarantine
from tickerbook.market.scorecard import Score, Scorecard
from tickerbook.market.sourcing import FetchResult
from tickerbook.market.sourcing import fetch as fetch_prices
from tickerbook.market.sourcing import prefetch as prefetch_prices
from tickerbook.narrative.explain import explained
from tickerbook.narrative.narrate import narrate as narrate_ticker
from tickerbook.narrative.style import Style, check_markdown, load_style
from tickerbook.promotions import Promotions
from tickerbook.runs.certify import certify_notebooks
from tickerbook.runs.hands import LOCAL
from tickerbook.runs.ledger import Ledger
from tickerbook.runs.runner import RunEvent, run_all
from tickerbook.runs.template import Template, check_parameters, load_templates, parse_parameter
from tickerbook.runs.why import Reason
from tickerbook.runs.why import why as explain
from tickerbook.sessions import last_completed
from tickerbook.settings import Settings, load_settings, nearest
from tickerbook.site.renderers import Renderer
from tickerbook.store import TIMELESS, UNIVERSE, RunResult, RunStore
from tickerbook.trialbook import TrialBook

if TYPE_CHECKING:
    from tickerbook.narrative.model import ModelNarrator
    from tickerbook.research.gates import Verdict
    from tickerbook.site.build import BuildResult

app = typer.Typer(
    help="A book per ticker: levels, backtests and position sizes, from prices to a published site.\n\n"
    "`tickerbook update` does everything; the verbs below do one stage each: fetch, run, narrate, build.\n\n"
    "They exit with 0 if all went well, 1 if something failed, 2 if the configuration is wrong.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(cli_schedule.app, name="schedule")
app.command()(cli_schedule.metrics)
app.add_typer(cli_runs.app, name="runs")
for _verb in (cli_runs.backup, cli_runs.restore, cli_runs.verify):
    app.command()(_verb)
# what is piped or logged has no width of its own
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, soft_wrap=True)

_COUNTS = ("new", "restated", "repaired", "quarantined")
_EXAMINED = ("provider", "key", "reachable", "quota left", "last failure")
_SCORED = (
    "last 30 days",
    "asked",
    "delivered",
    "median",
    "19 of 20",
    "sessions late",
    "compared",
    "disagreed",
)
_NO_BARS = "no bars"  # the kind of failure of what could not start
_INTERRUPTED = 130  # what typer makes of Ctrl-C
_GOES_ON = "[yellow]Interrupted.[/] What was finished is kept: the same command goes on."

Project = Annotated[
    Path | None,
    typer.Option("--project", help="The project's directory; default: the one this command runs in."),
]
Tickers = Annotated[
    list[str] | None,
    typer.Argument(help="Symbols such as AAPL; default: every ticker in params/universe.toml."),
]
Session = Annotated[
    str | None,
    typer.Option("--session", help="Use prices up to this session only (YYYY-MM-DD); default: the newest."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Compute with what was known then: a day, or an instant such as 2026-03-04T22:00Z. "
        "Prices that were learnt or restated later do not exist; nothing is fetched.",
    ),
]
Notebooks = Annotated[
    list[str] | None, typer.Option("--notebook", help="Only this notebook; may be given more than once.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        help="name=value, for the notebooks that declare it; typed by their parameters cell. "
        "`tickerbook list levels` shows what there is. May be given more than once.",
    ),
]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="How many tickers at the same time.")]
ExecutorOption = Annotated[
    str,
    typer.Option(
        "--executor",
        help="Where notebooks execute: local, or dask://HOST:PORT, whose workers must see this folder.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Execute even what has not changed.")]
Why = Annotated[bool, typer.Option("--why", help="Only say why each notebook would run, or would not.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Say what happens as JSON lines, one for each event, for programs.")
]
RendererOption = Annotated[
    Renderer,
    typer.Option("--renderer", help="auto takes Quarto where its command is installed, else pandoc."),
]


def now() -> datetime:
    """The clock; tests put another in its place."""
    return datetime.now(UTC)


def main() -> None:
    """Entry point of the command `tickerbook`."""
    for name in ("SIGTERM", "SIGHUP"):  # ended from outside is ended as by Ctrl-C: kernels go, outcomes stay
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        app()
    except ConfigError as error:
        _complain(error)
        sys.exit(2)
    except TickerbookError as error:
        _complain(error)
        sys.exit(1)
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            err.print(_GOES_ON)
        raise
    except KeyboardInterrupt:  # before typer was there to take it
        err.print(_GOES_ON)
        sys.exit(_INTERRUPTED)
    except OSError as error:
        err.print(f"[red]The disk said no{escape(_refused(error))}.[/]")
        err.print(
            "Free some space or mend the permissions, then run the same command again: nothing was lost."
        )
        sys.exit(1)


# --- the four stages -------------------------------------------------------------------------------------


@app.command()
def fetch(tickers: Tickers = None, *, project: Project = None) -> None:
    """Bring prices into the lake (data/lake), asking only for what is missing.

    Providers are named in params/universe.toml. One ticker's failure does not stop the others.
    """
    settings = load_settings(project)
    results = _fetch(settings, _chosen(settings, tickers))
    out.print(_fetch_table(results))
    for result in results:
        if result.status == "failed":
            err.print(f"[red]✗[/] {result.ticker}: {escape(_said(result))}\n  {escape(result.remedy)}")
    _exit(any(r.status == "failed" for r in results))


@app.command()
def prefetch(tickers: Tickers = None, *, project: Project = None) -> None:
    """Fetch what the next run will need, ahead of its time, so that the run waits for no vendor.

    Call it some minutes before a scheduled `tickerbook update`; what it brought is not asked for again.
    """
    settings = load_settings(project)
    results = _fetch(settings, _chosen(settings, tickers), prefetch_prices)
    current = sum(result.status == "ok" for result in results)
    out.print(f"{current} of {_tickers(results)} ready for the next run.")
    _exit(current < len(results))


@app.command()
def run(
    tickers: Tickers = None,
    *,
    notebook: Notebooks = None,
    session: Session = None,
    as_of: AsOf = None,
    parameter: Parameters = None,
    workers: Workers = 2,
    executor: ExecutorOption = LOCAL,
    force: Force = False,
    why: Why = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    project: Project = None,
) -> None:
    """Execute the notebooks for every ticker; what has not changed is not executed again.

    For example: `tickerbook run AAPL --notebook sizing -p risk_fraction=0.005`.
    `tickerbook run --why AAPL` only says what would run, and what has changed since it last did.
    """
    settings = load_settings(project)
    symbols = _chosen(settings, tickers)
    _know(as_of)
    _check_parameters(settings)
    overrides = _overrides(settings, notebook, parameter)
    if why:
        out.print(
            _reasons(
                explain(settings, symbols, notebooks=notebook, session=_day(session), overrides=overrides)
            )
        )
        return
    day = _day(session)
    with showing(settings, "run", now, out, err, quiet=quiet, as_json=as_json) as show:
        results = _run(settings, symbols, notebook, day, overrides, workers, executor, show, force=force)
        out.print(_summary(_outcomes(results)))
        out.print(_what_ran(results))
        failed = any(r.status == "failed" for r in results)
        show.ended(results, failed=failed)
    _exit(failed)


@app.command()
def narrate(
    tickers: Tickers = None,
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show drafts, the verdict on each sentence, and the final text.")
    ] = False,
    as_of: AsOf = None,
    project: Project = None,
) -> None:
    """Write the narrative of each ticker from the facts of its newest report.

    It needs what `tickerbook run` stored, and is stored beside it. Every number in it is a fact; prose with
    a number of its own is refused. For example: `tickerbook narrate AAPL`. Where OPENAI_BASE_URL or
    OPENAI_API_KEY is set, a model writes, and what fails the checks is replaced by plain sentences.
    """
    settings = load_settings(project)
    _know(as_of)
    failures = _narrate(settings, _chosen(settings, tickers), explain=explain)
    for symbol, reason in failures.items():
        err.print(f"[red]✗[/] {escape(symbol)}: {escape(reason)}")
    _exit(bool(failures))


@app.command()
def style(
    files: Annotated[list[Path], typer.Argument(help="Markdown files.")], *, project: Project = None
) -> None:
    """Hold Markdown against the house style of params/style.toml; says file, line and what is wrong."""
    rules, wrong = load_style(load_settings(project).project), 0
    for file in files:
        for line, fault in check_markdown(file.read_text(encoding="utf-8"), rules):
            wrong += 1
            err.print(f"{file}:{line}: it {fault}", markup=False, highlight=False)
    out.print(f"{wrong} against the style." if wrong else "Nothing is against the style.")
    _exit(wrong > 0)


@app.command()
def build(
    tickers: Tickers = None,
    *,
    renderer: RendererOption = Renderer.AUTO,
    as_of: AsOf = None,
    project: Project = None,
) -> None:
    """Render the site from stored runs and put it in place as a whole (_site).

    Nothing is fetched or executed. Until the new site is complete the old one stands. `tickerbook build AAPL`
    makes the page of AAPL anew; the site has every ticker all the same.
    """
    settings = load_settings(project)
    _know(as_of)
    result = _build(settings, _chosen(settings, tickers), renderer)
    _where(settings, result)
    _exit(bool(result.failures))


@app.command()
def update(
    tickers: Tickers = None,
    *,
    renderer: RendererOption = Renderer.AUTO,
    session: Session = None,
    as_of: AsOf = None,
    workers: Workers = 2,
    executor: ExecutorOption = LOCAL,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    project: Project = None,
) -> None:
    """Fetch, run, narrate, build: everything, in order. This is what a scheduler calls.

    What has not changed is not executed again, one ticker's failure does not stop the others, and after
    Ctrl-C the same command goes on. It ends with a table: ticker, outcome, seconds, what failed and why.
    """
    settings = load_settings(project)
    symbols = _chosen(settings, tickers)
    _know(as_of)
    _check_parameters(settings)
    day = _day(session)
    with showing(settings, "update", now, out, err, quiet=quiet, as_json=as_json) as show:
        fetched = [] if os.environ.get(AS_OF) else _fetch(settings, symbols, show=show)
        results = _run(settings, symbols, None, day, {}, workers, executor, show, force=force)
        mute = _narrate(settings, symbols)
        show.narrated(mute)
        outcomes = _outcomes(results)
        for one in fetched:
            if one.status == "failed":
                outcomes.setdefault(one.ticker, Outcome()).begin_with(f"fetch: {_said(one)}")
        try:
            built = _build(settings, symbols, renderer)
            for symbol, reason in (*mute.items(), *built.failures.items()):
                outcomes.setdefault(symbol, Outcome()).add_problem(reason)
        finally:  # what ran is told also where the site could not be built
            out.print(_summary(outcomes))
            out.print(_what_ran(results))
        failed = any(outcome.failed for outcome in outcomes.values())
        show.built(built.pages, built.renderer, built.failures)
        show.ended(results, failed=failed)
        _where(settings, built)
    _exit(failed)


# --- deciding ---------------------------------------------------------------------------------------------


@app.command()
def promote(
    strategy: Annotated[str, typer.Argument(help="A strategy, such as ma_cross.")], *, project: Project = None
) -> None:
    """Move a strategy to its next stage (dev, paper, production) if its evidence holds.

    The thresholds are in params/gates.toml. What was asked and answered is kept in params/promotions. The
    holdout is opened when everything else passes, and only once.
    """
    settings = load_settings(project)
    verdict = _verdict(settings, strategy)
    promotions = Promotions(settings.project)
    asked_at = now().isoformat(timespec="seconds")
    if verdict.opened:  # spent, whatever follows
        promotions.add(strategy, "holdouts", {**verdict.opened.to_json(), "asked_at": asked_at})
    promotions.add(strategy, "decisions", {**verdict.to_json(), "asked_at": asked_at})
    table = Table("", "threshold", "figure", "limit", box=SIMPLE_HEAD, pad_edge=False)
    for one in verdict.checks:
        mark = "[green]✓[/]" if one.passed else "[red]✗[/]"
        table.add_row(mark, escape(one.name), one.figure, f"{one.rule} {one.limit}")
    out.print(table)
    if not verdict.granted:
        missing = sum(not one.passed for one in verdict.checks)
        err.print(f"[red]{strategy} stays at {verdict.stage}:[/] {missing} of {len(verdict.checks)} missing.")
        raise typer.Exit(1)
    promotions.move(strategy, verdict.target)
    out.print(f"[green]{strategy} is at {verdict.target} now.[/] `tickerbook update` shows it on the pages.")


@app.command()
def certify(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Indicators, level methods, strategies or notebooks; default: all there are."),
    ] = None,
    *,
    project: Project = None,
) -> None:
    """Look for look-ahead: take the future away, replace it by others, and see whether the past changes.

    Prints a certificate for each name, on made-up histories and on the first ticker in the lake; notebooks
    are executed in a copy of the project. Ends with 1 where one fails.

    For example: `tickerbook certify ma_cross`
    """
    found = list(_certificates(load_settings(project), names))
    failed = sum(not one.passed for one in found)
    word = f"[red]{failed} failed[/]" if failed else "[green]all passed[/]"
    out.print(f"{len(found)} certificate{'' if len(found) == 1 else 's'}, {word}.")
    _exit(bool(failed))


# --- looking -----------------------------------------------------------------------------------------------


@app.command(name="list")
def list_(
    notebook: Annotated[str | None, typer.Argument(help="Show this notebook's parameters.")] = None,
    *,
    as_of: AsOf = None,
    project: Project = None,
) -> None:
    """List the universe and the notebooks, or the parameters of one notebook with their meaning.

    For example: `tickerbook list sizing` shows what params/ and `tickerbook run --notebook sizing -p …` set.
    """
    settings = load_settings(project)
    templates = load_templates(settings.notebooks)
    if notebook:
        template = _template(templates, notebook)
        table = Table("parameter", "type", "default", "in params/", "meaning", title=template.title)
        given = settings.parameters.get(notebook, {})
        for p in template.parameters:
            own = repr(given[p.name]) if p.name in given else ""
            table.add_row(p.name, p.type, escape(repr(p.default)), escape(own), escape(p.comment))
        out.print(table)
        return
    _know(as_of)
    lake = project_lake(settings)
    universe = Table("ticker", "name", "providers", "calendar", "in the lake", title=settings.title)
    for ticker in settings.tickers:
        period = lake.period(ticker.symbol)
        stored = f"{period[0]} to {period[1]}" if period else "nothing to read yet"
        universe.add_row(ticker.symbol, ticker.name, ", ".join(ticker.providers), ticker.calendar, stored)
    out.print(universe)
    books = Table("notebook", "question", "over", "needs", title="Notebooks, in the order they run")
    for template in templates:
        books.add_row(template.name, template.title, template.over, ", ".join(template.needs))
    out.print(books)


@app.command()
def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    project: Project = None,
) -> None:
    """Show what the last run did: outcomes, seconds, what failed and why.

    With --json it is a list with one object for each notebook and ticker: ticker, notebook, session, status
    (ok, failed, skipped), reused, seconds, failure (null, or what and where), key, started_at.
    """
    settings = load_settings(project)
    rows = Ledger(settings.ledger).last_batch()
    if as_json:
        sys.stdout.write(json.dumps([row.to_json() for row in rows], indent=1, allow_nan=False) + "\n")
        return
    if not rows:
        out.print("Nothing has run yet. `tickerbook update` runs everything.")
        return
    table = Table("ticker", "notebook", "session", "outcome", "seconds", "what failed and why")
    for row in rows:
        outcome = "unchanged" if row.reused else row.status
        table.add_row(
            row.ticker or "universe",
            row.notebook,
            str(row.session) if row.session and row.session != TIMELESS else "–",
            _coloured(outcome),
            f"{row.seconds:.1f}",
            escape(row.problem),
        )
    out.print(table)


@app.command()
def check(project: Project = None) -> None:
    """Look whether everything is here that tickerbook needs, and say what to do where it is not.

    It reads params/ and the notebooks' parameters, and looks for the kernel, the data folder and a renderer.
    Nothing is fetched or executed; `tickerbook doctor` asks the providers.
    """
    settings = load_settings(project)
    bad = False
    for name, problem, remedy in _checks(settings):
        out.print(
            f"[green]✓[/] {escape(name)}" if not problem else f"[red]✗[/] {escape(name)}: {escape(problem)}"
        )
        if problem and remedy:
            out.print(f"  {escape(remedy)}")
        bad = bad or bool(problem)
    if bad:
        raise typer.Exit(2)


@app.command()
def doctor(
    ticker: Annotated[
        str | None, typer.Argument(help="Ask nobody; show what is known of this ticker's prices.")
    ] = None,
    *,
    project: Project = None,
) -> None:
    """Ask each provider once, and say: key present, reachable, quota left, last failure, how it did lately.

    With a ticker: what the quality gate found in its prices, what was restated, how far vendors are apart.
    """
    settings = load_settings(project)
    if ticker:
        _record(settings, settings.ticker(ticker).symbol)
        return
    found = diagnose(
        settings.tickers,
        now_at=now(),
        params=settings.providers,
        data=settings.project / "data",
        ledger=settings.ledger,
    )
    table = Table(*_EXAMINED, box=SIMPLE_HEAD, pad_edge=False)
    for one in found:
        reachable = {True: "[green]yes[/]", False: "[red]no[/]", None: "not asked"}[one.reachable]
        last = one.score.last_failure if one.score else None
        failure = f"{last.asked_at:%Y-%m-%d %H:%M}: {last.outcome}" if last else ""
        table.add_row(one.provider, escape(one.key), reachable, one.quota or "no limit set", failure)
    out.print(table)
    if any(one.score for one in found):
        out.print(_scores([one.score for one in found if one.score]))
    for one in found:
        if one.used:
            mark = "[green]✓[/]" if one.well else "[red]✗[/]"
            out.print(f"{mark} {one.provider}: {escape(one.answer)}")
            if one.remedy:
                out.print(f"  {escape(one.remedy)}")
    _exit(not all(one.well for one in found))


@app.command()
def serve(
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free port.")] = 8000,
    project: Project = None,
) -> None:
    """Show the site at http://localhost:8000 (this machine only) until Ctrl-C.

    It shows what `tickerbook build` made, and each newer site as soon as it is in place.
    """
    settings = load_settings(project)
    if not (settings.site / "index.html").is_file():
        raise SiteError("There is no site yet.", "Run `tickerbook update` first.")
    handler = partial(_QuietHandler, directory=str(settings.site))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise ConfigError(
            f"Port {port} cannot be used: {error.strerror}.", "Take another with --port."
        ) from error
    with server:
        out.print(f"The site is at http://localhost:{server.server_port}  (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            out.print("\nGood bye.")


@app.command()
def lab(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Handed to JupyterLab; behind --, as in: -- --no-browser")
    ] = None,
    *,
    as_of: AsOf = None,
    project: Project = None,
) -> None:
    """Open JupyterLab on notebooks/ with the project's kernel.

    It listens on this machine only, and asks for the token in the address that it prints. What you try out
    belongs into notebooks/scratch, which is never scheduled.

    For example: `tickerbook lab -- --no-browser --port 8890`
    """
    settings = load_settings(project)
    _know(as_of)
    os.environ["TICKERBOOK_PROJECT"] = str(settings.project)
    (settings.notebooks / "scratch").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={settings.notebooks}"]
    if os.name == "posix" and os.geteuid() == 0:  # as in a container, where JupyterLab would refuse to start
        command.append("--allow-root")
    command += arguments or []
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell


# --- how ------------------------------------------------------------------------------------------------


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing about each request."""


class Outcome:
    """What the closing table says of one ticker."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.executed = 0
        self.reused = 0
        self.skipped = 0
        self.problems: list[str] = []
        self.skips: list[str] = []

    @property
    def failed(self) -> bool:
        """Whether anything went wrong for the ticker."""
        return bool(self.problems)

    @property
    def word(self) -> str:
        """The outcome in one word."""
        if self.failed:
            return "failed"
        if self.executed:
            return "ok"
        return "skipped" if self.skipped else "unchanged"

    @property
    def why(self) -> str:
        """What failed and why; else why something was skipped. What is said once is not said again."""
        return "\n".join(dict.fromkeys(self.problems or self.skips))

    def begin_with(self, text: str) -> None:
        """Note what failed before anything could run: the cause of what follows."""
        self.problems.insert(0, text)

    def add_problem(self, text: str) -> None:
        """Note what failed and why."""
        self.problems.append(text)

    def add(self, result: RunResult) -> None:
        """Count one run."""
        self.seconds += 0.0 if result.reused else result.seconds
        self.reused += result.reused
        self.executed += _executed(result)
        self.skipped += result.status == "skipped"
        if result.failure:
            said = f"{result.failure.message} {result.failure.remedy}".strip()
            cell = f", cell {result.failure.cell}" if result.failure.cell is not None else ""
            where = "" if result.failure.kind == _NO_BARS else f"{result.run.notebook}{cell}: "
            (self.problems if result.status == "failed" else self.skips).append(where + said)


def _executed(result: RunResult) -> bool:
    """Whether a notebook was executed for it."""
    tried = result.status != "skipped" and not result.reused
    return tried and not (result.failure and result.failure.kind == _NO_BARS)


def _verdict(settings: Settings, strategy: str) -> "Verdict":
    """What the newest evidence says about a strategy's next stage."""
    from tickerbook.research.gates import judge, next_stage, spent_before  # noqa: PLC0415 - imports scipy

    store = RunStore(settings.runs)
    found = store.latest_ok("strategies", None)
    if found is None:
        raise NoFactsError("There is no evidence yet.", "Run `tickerbook update` first.")
    rows = {str(row["strategy"].value): str(row["stage"].value) for row in found.facts.rows("evidence")}
    if strategy not in rows:
        raise ConfigError(
            f"There is no evidence for a strategy {strategy!r}.{nearest(strategy, list(rows))}",
            f"There is evidence for {', '.join(rows)}.",
        )
    told = found.origin.get("upstream", {}).get("trials")
    stage = settings.stage(strategy)
    if told != TrialBook(settings.trials).digest or stage != rows[strategy]:
        raise DataError(
            "Strategies were tried or moved since the evidence was gathered, so it no longer counts.",
            "Run `tickerbook update` first.",
        )
    target = next_stage(stage)
    if target is None or target not in settings.gates:
        why = "is at the last stage" if target is None else f"cannot be judged: no gate [{target}]"
        raise ConfigError(f"{strategy} {why}.", "The gates are in params/gates.toml.")
    tickers = found.run.parameters.get("tickers", [])
    books = {t: r.facts for t in tickers if (r := store.latest_ok("backtest", t, found.run.session))}
    spent = spent_before(Promotions(settings.project).read(strategy)["holdouts"])
    return judge(found.facts, books, strategy, settings.gates[target], spent)


def _certificates(settings: Settings, names: Sequence[str] | None) -> Iterator[Certificate]:
    """The certificates of what is named, each printed when it is there."""
    from tickerbook.research.causality import certifiable, certify_one  # noqa: PLC0415 - imports scipy

    things = certifiable()
    books = [template.name for template in load_templates(settings.notebooks)]
    known = [*(name for _, name in things), *books]
    for name in names or ():
        if name not in known:
            raise ConfigError(
                f"There is nothing named {name!r} to certify.{nearest(name, known)}",
                f"There are {', '.join(known)}.",
            )
    real = _real_bars(settings)
    for kind, name in things:
        if not names or name in names:
            yield _certified(certify_one(kind, name, real, timer=perf_counter))
    chosen = [name for name in books if not names or name in names]
    if chosen:
        out.print(f"Executing {len(chosen)} notebook{'' if len(chosen) == 1 else 's'} without their future …")
        for one in certify_notebooks(settings, chosen, clock=now, timer=perf_counter):
            yield _certified(one)


def _real_bars(settings: Settings) -> dict[str, Bars]:
    """The bars of the first ticker that has some."""
    for ticker in settings.tickers:
        with suppress(DataError):
            return {ticker.symbol: project_lake(settings).bars(ticker.symbol)}
    return {}


def _certified(one: Certificate) -> Certificate:
    """Print a certificate."""
    word = "[green]passed[/]" if one.passed else "[red]failed[/]"
    cuts = f"{one.cuts} close{'' if one.cuts == 1 else 's'}"
    out.print(f"[bold]{escape(one.name)}[/], {one.kind}: {word}, {cuts}, {one.seconds or 0:.1f} s")
    for check in one.checks:
        mark = "[green]✓[/]" if check.passed else "[red]✗[/]"
        out.print(f"  {mark} {check.name}: {escape(check.told)}")
    return one


def _chosen(settings: Settings, symbols: Sequence[str] | None) -> list[str]:
    """The symbols asked for, checked, each once; all of the universe where none is."""
    if not symbols:
        return [ticker.symbol for ticker in settings.tickers]
    return list(dict.fromkeys(settings.ticker(symbol).symbol for symbol in symbols))


def _know(as_of: str | None) -> None:
    """Let this command and its kernels see what was known then."""
    if as_of:
        instant(as_of, "--as-of")
        os.environ[AS_OF] = as_of


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise ConfigError(f"{text!r} is not a session.", "Write it as YYYY-MM-DD.") from error


def _template(templates: Sequence[Template], name: str) -> Template:
    for template in templates:
        if template.name == name:
            return template
    raise ConfigError(
        f"There is no notebook {name!r}.{nearest(name, [t.name for t in templates])}",
        f"The notebooks are {', '.join(t.name for t in templates)}.",
    )


def _overrides(
    settings: Settings, notebooks: Sequence[str] | None, texts: Sequence[str] | None
) -> dict[str, dict[str, Any]]:
    """-p name=value for each chosen notebook that declares the name."""
    templates = load_templates(settings.notebooks)
    chosen = [_template(templates, name) for name in notebooks] if notebooks else list(templates)
    found: dict[str, dict[str, Any]] = {}
    for text in texts or ():
        name = text.partition("=")[0]
        declaring = [t for t in chosen if name in [p.name for p in t.parameters]]
        if not declaring:
            raise _unknown_parameter(name, chosen)
        for template in declaring:
            key, value = parse_parameter(template, text)
            found.setdefault(template.name, {})[key] = value
    return found


def _unknown_parameter(name: str, chosen: Sequence[Template]) -> ParameterError:
    known = sorted({p.name for template in chosen for p in template.parameters})
    return ParameterError(
        f"No chosen notebook declares a parameter {name!r}.{nearest(name, known)}",
        f"`tickerbook list {chosen[0].name if chosen else ''}` shows what there is.",
    )


@contextmanager
def _progress(title: str, total: int) -> Iterator[Progress]:
    """A bar on a terminal; nothing but the printed lines elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        progress.add_task(title, total=total)
        yield progress


def _fetch(
    settings: Settings,
    symbols: Sequence[str],
    bring: Callable[..., list[FetchResult]] | None = None,
    show: Show | None = None,
) -> list[FetchResult]:
    lake = project_lake(settings)
    lake.check_present()
    out.print(f"[bold]Prices[/] for {_tickers(symbols)}")
    with _progress("fetching", len(symbols)) as progress:

        def done(result: FetchResult) -> None:
            progress.advance(progress.task_ids[0])
            if show:
                show.fetched(result)
            mark = "[red]✗[/]" if result.status == "failed" else "[green]✓[/]"
            progress.console.print(f"  {mark} {result.ticker:<8} {escape(_said(result))}")

        chosen = [settings.ticker(symbol) for symbol in symbols]
        return (bring or fetch_prices)(
            chosen,
            lake,
            now_at=now(),
            on_done=done,
            params=settings.providers,
            data=settings.project / "data",
            ledger=settings.ledger,
        )


def _run(
    settings: Settings,
    symbols: Sequence[str],
    notebooks: Sequence[str] | None,
    session: date | None,
    overrides: dict[str, dict[str, Any]],
    workers: int,
    executor: str,
    show: Show,
    *,
    force: bool,
) -> list[RunResult]:
    out.print(f"[bold]Notebooks[/] for {_tickers(symbols)}, {workers} at a time")
    templates = [one for one in load_templates(settings.notebooks) if not notebooks or one.name in notebooks]
    with shown(out, symbols, templates, workers) as board:

        def event(event: RunEvent) -> None:
            board(event)
            show.ran(event)
            if event.result is not None and not event.result.reused:
                out.print(_run_line(event.result))

        return run_all(
            settings,
            symbols,
            notebooks=notebooks,
            session=session,
            overrides=overrides,
            workers=workers,
            force=force,
            executor=executor,
            clock=now,
            on_event=event,
        )


def _run_line(result: RunResult) -> str:
    marks = {"ok": "[green]✓[/]", "failed": "[red]✗[/]", "skipped": "[yellow]-[/]"}
    name = f"{result.run.ticker or 'universe':<8} {result.run.notebook:<9}"
    why = f"  {escape(result.failure.message)}" if result.failure else ""
    return f"  {marks[result.status]} {name} {result.seconds:5.1f} s{why}"


def _narrate(settings: Settings, symbols: Sequence[str], *, explain: bool = False) -> dict[str, str]:
    """Narrate each ticker; ticker → reason where it did not work."""
    store, lake, style = RunStore(settings.runs), project_lake(settings), load_style(settings.project)
    model = _model(settings, style)
    failures = {}

    def one(symbol: str) -> dict[str, Any] | None:
        try:
            return narrate_ticker(store, symbol, newest_known(lake, symbol), model=model, style=style)
        except TickerbookError as error:
            failures[symbol] = f"narrative: {error.message}"
            return None

    with ThreadPoolExecutor(style.model.at_once) as pool:
        told = list((pool.map if model else map)(one, symbols))
    for symbol, narrative in zip(symbols, told, strict=True):
        if explain and narrative:
            out.print(f"[bold]{escape(symbol)}[/]")
            out.print("\n".join(explained(narrative)), markup=False, highlight=False)
    used = f"; {model.used:,} tokens" if model else ""
    out.print(f"[bold]Narrative[/] for {_tickers([s for s in symbols if s not in failures])}{used}")
    return failures


def _model(settings: Settings, style: Style) -> "ModelNarrator | None":
    """The model that writes; importing openai costs a second, which no run without one pays."""
    given = [os.environ.get(name) for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY")]
    if not any(given) and not (settings.project / ".env").is_file():
        return None
    from tickerbook.narrative.model import project_model  # noqa: PLC0415 - see above

    return project_model(settings.project, style)


def _build(settings: Settings, symbols: Sequence[str], renderer: Renderer) -> "BuildResult":
    from tickerbook.site.build import build as build_site  # noqa: PLC0415 - reading notebooks costs 1.5 s

    out.print("[bold]Site[/]")
    return build_site(
        settings,
        RunStore(settings.runs),
        tickers=symbols,
        notices=_notices(settings),
        renderer=renderer,
        now_at=now(),
        on_progress=lambda text: out.print(f"  {escape(text)}"),
    )


def _notices(settings: Settings) -> dict[str, str]:
    """What each page must say of prices in quarantine, as far as that was known."""
    held = Quarantine(settings.project / "data" / "quarantine").all()
    then = project_lake(settings).known_at
    return {
        symbol: f"Since {one.since:%Y-%m-%d} the prices that {one.provider} delivers are in quarantine: "
        f"{one.reason.rstrip('.')}. "
        + ("What is shown rests on the last good ones." if one.session else "There never were good ones.")
        for symbol, one in held.items()
        if then is None or one.since <= then
    }


def _outcomes(results: Sequence[RunResult]) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    for result in results:
        outcomes.setdefault(result.run.ticker or UNIVERSE, Outcome()).add(result)
    return outcomes


def _coloured(word: str) -> str:
    colours = {"ok": "green", "unchanged": "green", "stands": "green", "failed": "red", "skipped": "yellow"}
    return f"[{colours.get(word, 'white')}]{word}[/]"


def _summary(outcomes: dict[str, Outcome]) -> Table:
    table = Table("ticker", "outcome", "seconds", "what failed and why")
    for ticker, outcome in outcomes.items():
        name = "universe" if ticker == UNIVERSE else ticker
        table.add_row(name, _coloured(outcome.word), f"{outcome.seconds:.1f}", escape(outcome.why))
    return table


def _reasons(reasons: Sequence[Reason]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("ticker", "notebook", "would it run?", "why"):
        table.add_column(name, no_wrap=name != "why")
    for r in reasons:
        table.add_row(r.ticker or "universe", r.notebook, _coloured(r.answer), escape("; ".join(r.because)))
    return table


def _what_ran(results: Sequence[RunResult]) -> str:
    executed = sum(map(_executed, results))
    reused = sum(r.reused for r in results)
    if executed == 0 and reused:
        return f"Nothing has changed: no notebook was executed ({reused} stored runs stand)."
    return f"{executed} notebook{'' if executed == 1 else 's'} executed, {reused} unchanged."


def _fetch_table(results: Sequence[FetchResult]) -> Table:
    """The closing table: provider used and why, sessions new, restated, repaired, quarantined."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("ticker", "outcome", "provider", "why", *_COUNTS, "newest"):
        table.add_column(name, justify="right" if name in _COUNTS else "left", no_wrap=name != "why")
    for r in results:
        newest = r.session.isoformat() if r.session else ""
        counts = (f"{count:,}" if count else "" for count in _counts(r))
        table.add_row(r.ticker, _coloured(r.status), r.provider, r.why, *counts, newest)
    return table


def _scores(scores: Sequence[Score]) -> Table:
    """How each provider did: questions, answers, seconds, lateness, agreement with others."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in _SCORED:
        table.add_column(name, justify="left" if name == _SCORED[0] else "right", no_wrap=True)
    for one in scores:
        seconds = [f"{s:.1f} s" if s is not None else "" for s in (one.median_seconds, one.slow_seconds)]
        late = f"{one.behind:.1f}" if one.behind is not None else ""
        compared = (f"{one.compared:,}", f"{one.disagreements:,}") if one.compared else ("", "")
        table.add_row(one.provider, f"{one.asked:,}", f"{one.delivered:,}", *seconds, late, *compared)
    return table


def _record(settings: Settings, symbol: str) -> None:
    """What the ledger knows of a ticker's prices."""
    scorecard = Scorecard(settings.ledger)
    held = Quarantine(settings.project / "data" / "quarantine").get(symbol)
    if held:
        out.print(
            f"[red]In quarantine[/] since {held.since:%Y-%m-%d}, {held.provider}: {escape(held.reason)}"
        )
    findings = scorecard.findings(symbol)
    table = Table("found on", "provider", "check", "sessions", "what", box=SIMPLE_HEAD, pad_edge=False)
    for row in findings.itertuples():
        days = row.sessions.split(",")
        when = days[0] if len(days) == 1 else f"{days[0]} … {days[-1]} ({len(days):,})"
        table.add_row(f"{row.found_at:%Y-%m-%d}", row.provider, row.check, when, escape(row.message))
    out.print(table if len(findings) else f"{symbol}: the quality gate found nothing wrong or doubtful.")
    for one in scorecard.restatements(symbol):
        what = f"{one.column} of {one.sessions:,} sessions, most on {one.session}"
        out.print(
            f"restated on {one.learnt_at:%Y-%m-%d} by {one.provider}: {what}: {one.before} → {one.after}"
        )
    spreads = scorecard.spreads(symbol)
    if spreads:
        widest = max(spreads, key=lambda one: one.spread)
        disputed = ", ".join(str(one.session) for one in spreads if one.disputed)
        out.print(
            f"{len(spreads):,} sessions were compared between vendors ({widest.providers}); they are at most "
            f"{widest.spread:.2%} apart, on {widest.session}. In dispute: {disputed or 'none'}."
        )


def _counts(result: FetchResult) -> tuple[int, ...]:
    return result.new_rows, result.restated, result.repaired, result.quarantined


def _said(result: FetchResult) -> str:
    """The message, without the ticker where that is shown beside it."""
    return result.message.removeprefix(f"{result.ticker}: ")


def _where(settings: Settings, result: "BuildResult") -> None:
    for page, reason in result.failures.items():
        err.print(f"[red]✗[/] page {escape(page)}: {escape(reason)}")
    out.print(f"{result.pages} pages, rendered by {result.renderer}.")
    index = settings.site / "index.html"
    out.print(f"The site is in {escape(str(settings.site))}")
    out.print(f"Look at it: open {escape(index.as_uri())} in a browser, or run `.venv/bin/tickerbook serve`.")


def _checks(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Each check: its name, what is wrong (empty where nothing is), the remedy."""
    name = f"params/: {settings.title}, {_tickers(settings.tickers)}"
    try:
        _check_parameters(settings)
        _check_universe(settings)
    except ConfigError as error:
        yield name, error.message, error.remedy
    else:
        yield name, "", ""
    templates = load_templates(settings.notebooks)
    yield f"notebooks: {', '.join(t.name for t in templates)}", "", ""
    yield from _machine_checks(settings)


def _check_parameters(settings: Settings) -> None:
    """Refuse a value in params/ that its notebook does not take, also if that notebook does not run now."""
    for template in load_templates(settings.notebooks):
        check_parameters(template, settings.parameters.get(template.name, {}))


def _check_universe(settings: Settings) -> None:
    """Refuse a provider or an exchange calendar that there is not."""
    for name in dict.fromkeys(name for ticker in settings.tickers for name in ticker.providers):
        provider(name)
    for calendar in dict.fromkeys(ticker.calendar for ticker in settings.tickers):
        last_completed(calendar, now())


def _machine_checks(settings: Settings) -> Iterator[tuple[str, str, str]]:
    kernels = KernelSpecManager().find_kernel_specs()
    missing = "" if "tickerbook" in kernels else "is not installed"
    yield "kernel tickerbook", missing, "Run `make env`; until then notebooks use this Python's own kernel."
    data = settings.project / "data"
    data.mkdir(exist_ok=True)
    readonly = "" if os.access(data, os.W_OK) else "cannot be written"
    yield f"folder {data}", readonly, "Mend its permissions."
    quarto = shutil.which("quarto")
    yield (
        f"renderer: {'Quarto at ' + quarto if quarto else 'pandoc, built in (no quarto command found)'}",
        "",
        "",
    )


def _tickers(symbols: Sequence[object]) -> str:
    return f"{len(symbols)} ticker{'' if len(symbols) == 1 else 's'}"


def _exit(failed: bool) -> None:
    if failed:
        raise typer.Exit(1)


def _refused(error: OSError) -> str:
    """To what the disk said no, and why; of many files that could not be copied, the first."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        _, target, why = error.args[0][0]
        return f" to {target}: {str(why).partition(': ')[0]}"
    where = f" to {error.filename}" if error.filename else ""
    return f"{where}: {error.strerror or error}"


def _complain(error: TickerbookError) -> None:
    err.print(f"[red]{escape(error.message)}[/]")
    if error.remedy:
        err.print(escape(error.remedy))
