"""Why each notebook would run, or would not: what has changed since it was last run. Nothing is executed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from graphlib import TopologicalSorter
from typing import Any, Literal

from tickerbook.errors import DataError, TornFileError
from tickerbook.runs.inputs import (
    Around,
    Prices,
    Work,
    ingredients,
    look_around,
    read_prices,
    standing,
    stored,
)
from tickerbook.runs.key import Ingredients
from tickerbook.runs.plan import Node, Plan, make_plan
from tickerbook.runs.template import Template
from tickerbook.settings import Settings
from tickerbook.store import TIMELESS, RunResult, RunStore
from tickerbook.trialbook import TrialBook

Answer = Literal["runs", "may run", "stands", "cannot run"]


@dataclass(frozen=True)
class Reason:
    """What would become of a notebook for a ticker, and why.

    Attributes:
        ticker: None for a notebook over the universe.
        answer: "may run" where that hangs on what a notebook before it gives.
    """

    notebook: str
    ticker: str | None
    answer: Answer
    because: tuple[str, ...]


def why(
    settings: Settings,
    tickers: Sequence[str],
    *,
    notebooks: Sequence[str] | None = None,
    session: date | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Reason]:
    """What `run_all` with the same arguments would do, in its order.

    Raises:
        ConfigError, NotebookError: as `run_all` does.
    """
    plan = make_plan(settings, tickers, notebooks, session, overrides or {})
    prices = cache(partial(read_prices, settings, until=session))
    look = _Look(settings, plan, look_around(settings.project), prices, {})
    for node in TopologicalSorter(plan.graph).static_order():
        look.reasons[node] = look.reason(node)
    return [look.reasons[node] for node in plan.graph]


@dataclass(frozen=True)
class _Look:
    """A look at what is on disk; `reasons` has those of the runs before."""

    settings: Settings
    plan: Plan
    around: Around
    prices: Callable[[str], Prices]
    reasons: dict[Node, Reason]

    def reason(self, node: Node) -> Reason:
        """Why a run would be made."""
        template, ticker = self.plan.templates[node[0]], node[1]
        needs = self.plan.needs(template, (ticker,) if ticker else ())
        barred = [name for name, whose in needs if whose == ticker and self._barred((name, whose))]
        if barred:
            return Reason(*node, "cannot run", (f"{barred[0]} cannot run, and its facts are needed",))
        try:
            tickers = (ticker,) if ticker else self._with_needs(template) if template.prices else ()
            session = max(self.prices(t).session for t in tickers) if template.prices else TIMELESS
            return self._of(self._work(template, ticker, tickers, session))
        except DataError as error:
            return Reason(*node, "cannot run", (error.message,))
        except ValueError:
            return Reason(*node, "cannot run", ("no ticker has what it needs",))

    def _barred(self, need: Node) -> bool:
        return need in self.reasons and self.reasons[need].answer == "cannot run"

    def _with_needs(self, template: Template) -> tuple[str, ...]:
        """Tickers of the universe that have, or will have, what a notebook over the universe needs."""
        return tuple(t.symbol for t in self.settings.tickers if self._has_needs(template, t.symbol))

    def _has_needs(self, template: Template, ticker: str) -> bool:
        try:
            session = self.prices(ticker).session
        except DataError:
            return False
        store = RunStore(self.settings.runs)
        needs = [need for need in self.plan.needs(template, (ticker,)) if need[1]]
        return all(
            not self._barred(need)
            if need in self.reasons
            else standing(store, *need, session, same_session=False) is not None
            for need in needs
        )

    def _work(self, template: Template, ticker: str | None, tickers: tuple[str, ...], session: date) -> Work:
        ours: dict[str, Any] = {"ticker": ticker} if ticker else {"tickers": list(tickers)}
        parameters = self.plan.parameters(template, ours | {"session": session.isoformat()})
        trials = TrialBook(self.settings.trials) if template.trials else None
        needs = tuple(self.plan.needs(template, tickers))
        return Work(template, ticker, tickers, needs, session, parameters, trials)

    def _of(self, work: Work) -> Reason:
        node = (work.template.name, work.ticker)
        store = RunStore(self.settings.runs)
        made_of = ingredients(work, store, self.around, self.prices)
        before = {need[0] for need in work.needs if need in self.reasons and self._moves(need)}
        if stored(store, made_of.key) is None:
            return Reason(*node, "runs", _changes(work, made_of, _last(store, work)))
        if before:
            waiting = f"{' and '.join(sorted(before))} may give other facts"
            return Reason(*node, "may run", (waiting,))
        return Reason(*node, "stands", ("nothing has changed",))

    def _moves(self, need: Node) -> bool:
        return self.reasons[need].answer in {"runs", "may run"}


def _last(store: RunStore, work: Work) -> RunResult | None:
    try:
        return store.latest(work.template.name, work.ticker, work.session)
    except TornFileError:
        return None


def _changes(work: Work, now: Ingredients, last: RunResult | None) -> tuple[str, ...]:
    """What differs from the last attempt, in words."""
    if last is None:
        return ("it has not been run yet",)
    old = last.origin
    found = [f"its last run {last.status}: {last.failure.message}"] if last.failure else []
    if last.run.session != work.session:
        found.append(f"a newer session: {last.run.session} was the last, now {work.session}")
    elif old.get("bars_digest") != now.bars:
        found.append("prices up to that session have changed")
    found += _parameters(last.run.parameters, work.parameters)
    for name, value, what in (
        ("notebook_digest", now.code, "its code cells have"),
        ("code_digest", now.library, "the part of tickerbook that it uses has"),
        ("dependencies_digest", now.dependencies, "the installed packages have"),
    ):
        if old.get(name) != value:
            found.append(f"{what} changed")
    upstream = old.get("upstream", {})
    found += [
        f"facts of {name} have changed" for name in now.upstream if upstream.get(name) != now.upstream[name]
    ]
    return tuple(found) or ("its stored result is gone or damaged",)


def _parameters(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    names = [name for name in new if name not in {"session", "tickers"} and old.get(name) != new[name]]
    return [f"{name} was {old.get(name)!r} and is {new[name]!r}" for name in names]
