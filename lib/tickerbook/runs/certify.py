"""Certificates of causality for notebooks: executed at a close, without a future and with a wild one.

Two copies of the project are made. One has prices up to a close and no more. In the other, prices go on after
it: jumps up and down, other volumes, a split and a dividend each day; and facts of every notebook are stored
for a later session, all of them wrong. A notebook that is asked for that close must publish the same in both.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tickerbook.certificates import Audit, Certificate
from tickerbook.errors import DataError
from tickerbook.facts import Fact, Facts
from tickerbook.files import digest
from tickerbook.market.lake import Lake, Stored, project_lake
from tickerbook.runs.plan import make_plan
from tickerbook.runs.runner import run_all
from tickerbook.settings import Settings, load_settings
from tickerbook.store import RunResult, RunStore

_HISTORY, _AFTER, _LEAST = 620, 60, 300  # sessions before the cut, after it, and that must be there
_WILD = 64.0
_LATER = timedelta(days=30)
_ELSEWHERE = ("TICKERBOOK_LAKE", "TICKERBOOK_LEDGER", "TICKERBOOK_AS_OF")
Runs = Mapping[tuple[str, str | None], RunResult]


@dataclass(frozen=True)
class _Project:
    """A copy of a project."""

    settings: Settings
    ticker: str
    session: date
    clock: Callable[[], datetime]

    def run(self, notebooks: Sequence[str], *, force: bool = False) -> Runs:
        """What became of the notebooks at the session."""
        results = run_all(
            self.settings,
            [self.ticker],
            notebooks=notebooks,
            session=self.session,
            force=force,
            clock=self.clock,
        )
        return {(result.run.notebook, result.run.ticker): result for result in results}


def certify_notebooks(
    settings: Settings,
    names: Sequence[str],
    *,
    clock: Callable[[], datetime],
    timer: Callable[[], float] | None = None,
) -> list[Certificate]:
    """The certificates of notebooks, on the prices of the first ticker with enough of them.

    They are cut before the largest move of the newest year, since that is what looking ahead would tell.

    Args:
        settings: the project; it is left as it is.
        names: of notebooks. What they need is run, too.
        clock: gives the present instant, aware.
        timer: gives seconds; a certificate then says its share of the time it took.

    Raises:
        ConfigError: for a notebook that there is not, or one that cannot be run.
        DataError: if no ticker has enough prices in the lake.
    """
    begun = timer() if timer else 0.0
    templates = make_plan(settings, [], names, None, {}).templates
    chosen = _with_needs(names, {name: template.needs for name, template in templates.items()})
    ticker, lake = _longest(settings)
    with tempfile.TemporaryDirectory(prefix="tickerbook-certify-") as folder, _apart():
        cut = _cut(lake[ticker].frame)
        without = _copy(settings, Path(folder) / "without", lake, cut)
        first = _Project(load_settings(without), ticker, cut, clock).run(chosen)
        wild = Path(shutil.copytree(without, Path(folder) / "wild"))
        _go_on(Lake(load_settings(wild).lake), lake, cut)
        _store_later(RunStore(load_settings(wild).runs), first, cut + _LATER)
        second = _Project(load_settings(wild), ticker, cut, clock).run(chosen, force=True)
    found = [_certificate(name, first, second, cut) for name in names]
    share = (timer() - begun) / max(1, len(found)) if timer else None
    return [replace(one, seconds=share) for one in found]


@contextmanager
def _apart() -> Iterator[None]:
    """Let no setting of this process lead the copies to the project's own prices or ledger."""
    kept = {name: os.environ.pop(name) for name in _ELSEWHERE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _with_needs(names: Sequence[str], needs: Mapping[str, Sequence[str]]) -> list[str]:
    wanted, open_ = set(), list(names)
    while open_:
        name = open_.pop()
        if name not in wanted:
            wanted.add(name)
            open_ += needs[name]
    return sorted(wanted)


def _longest(settings: Settings) -> tuple[str, dict[str, Stored]]:
    """What the lake has, and the first ticker with enough of it."""
    lake, found = project_lake(settings), {}
    for ticker in settings.tickers:
        with suppress(DataError):
            found[ticker.symbol] = lake.read(ticker.symbol)
    long = [symbol for symbol, stored in found.items() if len(stored.frame) >= _LEAST + _AFTER]
    if not long:
        raise DataError(
            f"No ticker of {settings.title} has {_LEAST + _AFTER} sessions in the lake.",
            "Run `tickerbook fetch` first: notebooks are certified on prices.",
        )
    return long[0], found


def _cut(frame: pd.DataFrame) -> date:
    """The session before the largest move of the last year that has a future."""
    closes = frame["close"].iloc[-_LEAST - _AFTER : -_AFTER]
    moves = closes.pct_change().abs().to_numpy()[1:]
    return closes.index[int(np.argmax(moves))].date()  # type: ignore[no-any-return] # pandas has no types


def _copy(settings: Settings, to: Path, lake: Mapping[str, Stored], cut: date) -> Path:
    """The project with prices up to a close."""
    shutil.copytree(settings.project / "params", to / "params")
    shutil.copytree(settings.notebooks, to / "notebooks", ignore=shutil.ignore_patterns(".*", "scratch"))
    for symbol, stored in lake.items():
        past = stored.frame.loc[: pd.Timestamp(cut)].iloc[-_HISTORY:]
        if len(past):
            Lake(load_settings(to).lake).write(symbol, past, stored.origin)
    return to


def _go_on(to: Lake, lake: Mapping[str, Stored], cut: date) -> None:
    """Prices after a close, as none ever were."""
    for symbol, stored in lake.items():
        after = stored.frame.loc[pd.Timestamp(cut) + pd.Timedelta(days=1) :].iloc[:_AFTER].copy()
        past = stored.frame.loc[: pd.Timestamp(cut)].iloc[-_HISTORY:]
        if len(after) and len(past):
            factor = np.where(np.arange(len(after)) % 2 == 0, _WILD, 1 / _WILD)
            prices = ["open", "high", "low", "close"]
            after[prices] = after[prices].mul(factor, axis=0)
            after = after.assign(volume=1e3 * (after["volume"] + 1), dividend=1.0, split=2.0)
            to.write(symbol, pd.concat([past, after]), stored.origin)


def _store_later(store: RunStore, runs: Runs, session: date) -> None:
    """Wrong facts of a later session for every notebook."""
    for result in runs.values():
        if result.status == "ok":
            run = replace(result.run, session=session, key=digest("later", result.run.key))
            wrong = Facts(_wrong(fact) for fact in result.facts.values())
            store.put(replace(result, run=run, facts=wrong), store.notebook(result))


def _wrong(fact: Fact) -> Fact:
    number = isinstance(fact.value, float) or (isinstance(fact.value, int) and fact.value > 1)
    return replace(fact, value=3 * fact.value) if number else fact  # type: ignore[operator] # it is a number


def _certificate(name: str, first: Runs, second: Runs, cut: date) -> Certificate:
    pairs = [(first[node], second[node]) for node in first if node[0] == name]
    failed = [run.failure for pair in pairs for run in pair if run.failure]
    facts = sum(len(one.facts) for one, _ in pairs)
    changed = [told for one, other in pairs for told in _changed(one.facts, other.facts)]
    late = [
        f"{fact.name} is of {fact.as_of}"
        for pair in pairs
        for run in pair
        for fact in run.facts.values()
        if fact.as_of and fact.as_of > cut
    ]
    checks = (
        _audit("executed", [failure.message for failure in failed], "with and without a future"),
        _audit(
            "poisoned future", changed, f"{facts} facts of {cut} are the same with a wild future after it"
        ),
        _audit("timestamps", late, f"no fact is of a later session than {cut}"),
    )
    return Certificate(name, "notebook", checks, len(pairs))


def _audit(name: str, breaches: Sequence[str], told: str) -> Audit:
    more = f", and {len(breaches) - 1} more" if len(breaches) > 1 else ""
    return Audit(name, not breaches, breaches[0] + more if breaches else told)


def _changed(one: Facts, other: Facts) -> list[str]:
    names = dict.fromkeys([*one, *other])
    pairs = [(name, one.get(name), other.get(name)) for name in names]
    return [
        f"{name} was {_said(a)} and is {_said(b)}"
        for name, a, b in pairs
        if a is None or b is None or a.to_json() != b.to_json()
    ]


def _said(fact: Fact | None) -> str:
    return "not there" if fact is None else f"{fact.value!r:.60}"
