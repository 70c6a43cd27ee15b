"""What a batch is to run: templates, tickers and parameters, checked before anything starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tickerbook.errors import ConfigError, ParameterError
from tickerbook.runs.template import Template, check_parameters, load_templates
from tickerbook.settings import Settings, nearest

Node = tuple[str, str | None]  # a template's name, and a ticker or None for the universe
_OURS = {
    "ticker": "Name tickers behind `tickerbook run`.",
    "tickers": "The universe is in params/universe.toml.",
    "session": "Give it with --session.",
}


@dataclass(frozen=True)
class Plan:
    """What a batch is to run.

    Attributes:
        templates: all there are by name, each behind those it needs.
        chosen: names of those to run.
        tickers: whose notebooks run, each once.
        given: template → parameter → value, from params/ and then the command line.
        session: the newest session to use; None for the newest there is.
    """

    templates: Mapping[str, Template]
    chosen: frozenset[str]
    tickers: tuple[str, ...]
    given: Mapping[str, Mapping[str, Any]]
    session: date | None

    @property
    def graph(self) -> dict[Node, set[Node]]:
        """Every run with the runs before it, in the order to prefer: ticker by ticker, the universe last."""
        chosen = [t for t in self.templates.values() if t.name in self.chosen]
        graph: dict[Node, set[Node]] = {
            (t.name, ticker): set(self.needs(t, (ticker,)))
            for ticker in self.tickers
            for t in chosen
            if t.over == "ticker"
        }
        graph |= {(t.name, None): set(self.needs(t, self.tickers)) for t in chosen if t.over == "universe"}
        return {node: {need for need in needs if need[0] in self.chosen} for node, needs in graph.items()}

    def needs(self, template: Template, tickers: Sequence[str]) -> list[Node]:
        """The runs whose facts a template uses when it runs for these tickers."""
        over = {need: self.templates[need].over for need in template.needs}
        return [
            (need, ticker) for need in over for ticker in (tickers if over[need] == "ticker" else (None,))
        ]

    def parameters(self, template: Template, ours: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter with its value.

        Args:
            template: one of `templates`.
            ours: what the runner sets: ticker or tickers, and session; where the template declares them.
        """
        kept = {name: value for name, value in ours.items() if template.declares(name)}
        return check_parameters(template, {**self.given.get(template.name, {}), **kept})


def make_plan(
    settings: Settings,
    tickers: Sequence[str],
    notebooks: Sequence[str] | None,
    session: date | None,
    overrides: Mapping[str, Mapping[str, Any]],
) -> Plan:
    """Check everything that can be checked before a kernel starts.

    Raises:
        ConfigError: for a ticker that is not in the universe or a notebook that is not there.
        ParameterError: for a parameter that a notebook does not declare, or of another type.
        NotebookError: for a notebook that cannot be run as it is written.
    """
    templates = {t.name: t for t in load_templates(settings.notebooks)}
    for name in notebooks or ():
        _check_known(name, list(templates))
    chosen = frozenset(templates if notebooks is None else notebooks)
    for name in overrides:
        _check_known(name, sorted(chosen))
    given = {n: {**settings.parameters.get(n, {}), **overrides.get(n, {})} for n in chosen}
    symbols = tuple(dict.fromkeys(settings.ticker(symbol).symbol for symbol in tickers))
    plan = Plan(templates, chosen, symbols, given, session)
    for name in chosen:
        _check_given(templates[name], given[name])
        plan.parameters(templates[name], {"ticker": "", "tickers": [], "session": ""})
    return plan


def _check_known(name: str, known: list[str]) -> None:
    if name not in known:
        raise ConfigError(
            f"There is no notebook {name!r} to run.{nearest(name, known)}",
            f"The notebooks are {', '.join(known) or 'not there at all'}.",
        )


def _check_given(template: Template, given: Mapping[str, Any]) -> None:
    for name in given:
        if name in _OURS:
            raise ParameterError(f"{template.name}: {name} is set by the run itself.", _OURS[name])
