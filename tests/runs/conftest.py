"""A project to run, and kernels that only pretend."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import postgres
import pytest
from books import bars, payload

from tickerbook.runs.kernels import Executed, Kernels
from tickerbook.runs.key import Library
from tickerbook.runs.runner import run_all
from tickerbook.settings import load_settings
from tickerbook.store import Failure, RunStore

STARTED_AT = datetime(2024, 1, 16, 12, 0, tzinfo=UTC)


class Clock:
    """An instant later by a second each time it is asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return STARTED_AT + timedelta(seconds=self.asked)


@dataclass
class Pretended:
    """What pretended kernels were asked for, and what they answer.

    `answers[notebook]` is a function of the parameters that gives fact values, or a Failure.
    """

    asked: list[tuple[str, dict]] = field(default_factory=list)
    answers: dict = field(default_factory=dict)

    @property
    def names(self) -> list[tuple[str, object]]:
        """Notebook and ticker (or tickers) of each execution."""
        return [(name, p.get("ticker", p.get("tickers"))) for name, p in self.asked]

    def execute(self, template, parameters):
        """Take the place of Kernels.execute."""
        self.asked.append((template.name, dict(parameters)))
        answer = self.answers.get(template.name, lambda _parameters: {"value": 1})(parameters)
        notebook = nbformat.reads(template.text, as_version=4)
        if isinstance(answer, Failure):
            return Executed(notebook, answer)
        bundle = payload(**{f"{template.name}__{name}": value for name, value in answer.items()})
        notebook.cells[-1].outputs = [nbformat.v4.new_output("display_data", data=bundle)]
        return Executed(notebook)


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server."""
    if why := postgres.missing():
        pytest.skip(why)
    with postgres.running_server() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """Where a ledger is going to be: in a folder that is not there yet, or on a server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'ledger.db'}"
    return request.getfixturevalue("server").new_database()


@pytest.fixture
def library_at_rest(monkeypatch):
    """Somebody who edits the library while tests run changes nothing for them."""
    monkeypatch.setattr("tickerbook.runs.inputs.read_library", lambda: Library({}))


@pytest.fixture
def kernels(monkeypatch, library_at_rest):  # noqa: ARG001 - pytest's way to have one fixture use another
    """Kernels that only pretend to execute."""
    pretended = Pretended()
    monkeypatch.setattr(Kernels, "execute", lambda _self, *args: pretended.execute(*args))
    return pretended


@dataclass
class Desk:
    """A project at hand."""

    project: Path
    events: list = field(default_factory=list)

    @property
    def settings(self):
        """Read anew, as each command does."""
        return load_settings(self.project)

    @property
    def store(self):
        """Its run store."""
        return RunStore(self.settings.runs)

    def run(self, *tickers, **options):
        """Run all; gives {(notebook, ticker): result}."""
        settings = self.settings
        chosen = tickers or [t.symbol for t in settings.tickers]
        options = {"clock": Clock(), "on_event": self.events.append, **options}
        return {(r.run.notebook, r.run.ticker): r for r in run_all(settings, chosen, **options)}

    def params(self, text):
        """Write parameters into params/."""
        (self.project / "params" / "toy.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def make_desk(make_project):
    """A maker of projects of these tickers, with five bars each and no notebook yet."""

    def make(*tickers):
        listed = ", ".join(f'"{ticker}"' for ticker in tickers)
        project = make_project(f'title = "Toy"\nproviders = ["sample"]\ntickers = [{listed}]\n')
        for ticker in tickers:
            bars(project, ticker)
        return Desk(project)

    return make


@pytest.fixture
def desk(make_desk):
    """A project of AAPL and MSFT. Nothing runs inside it: the runner is told where it is."""
    return make_desk("AAPL", "MSFT")
