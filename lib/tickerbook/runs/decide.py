"""What to do with each run of a batch: execute it, take the stored result, or skip it and say why."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from tickerbook.errors import DataError, SymbolError
from tickerbook.runs.attempt import Workshop, kept, taken, unmade
from tickerbook.runs.inputs import Around, Prices, Work, ingredients, standing
from tickerbook.runs.plan import Node, Plan
from tickerbook.runs.template import Template
from tickerbook.store import TIMELESS, Failure, RunResult, Status
from tickerbook.trialbook import TrialBook


@dataclass(frozen=True)
class Decider:
    """Decides from what is on disk and what became of the runs before.

    Attributes:
        around: library and packages when the batch began.
        prices: gives a ticker's prices, or raises DataError.
        results: what became of the runs of this batch so far.
    """

    plan: Plan
    shop: Workshop
    around: Around
    prices: Callable[[str], Prices]
    results: Mapping[Node, RunResult]

    def decide(self, node: Node) -> Work | RunResult:
        """What to execute, or what became of it without executing."""
        template, ticker = self.plan.templates[node[0]], node[1]
        return self._for_ticker(template, ticker) if ticker else self._for_universe(template)

    def _for_ticker(self, template: Template, ticker: str) -> Work | RunResult:
        try:
            session = self.prices(ticker).session
        except DataError as error:
            return self._without_bars(template, ticker, error)
        work = self._work(template, ticker, (ticker,), session)
        for need in work.needs:
            # What is known of the universe is context: a ticker goes without where it is not there yet.
            if need[1] and not self._stands(need, session, same_session=True):
                return self._skipped(work, self._missing(*need))
        return self._taken(work) or work

    def _for_universe(self, template: Template) -> Work | RunResult:
        """Over every ticker of the universe that has what is needed; the others are left out."""
        if not template.prices:
            work = self._work(template, None, (), TIMELESS)
            return self._taken(work) or work
        symbols = [ticker.symbol for ticker in self.shop.settings.tickers]
        sessions = {s: day for s in symbols if (day := self._session_with_needs(template, s))}
        if not sessions:
            work = self._work(template, None, (), self._asked())
            needs = " and ".join(template.needs)
            why = f"No ticker has good facts of {needs}." if needs else "No ticker has prices."
            return self._unmade(work, "skipped", Failure("upstream", why, "Run `tickerbook update`."))
        session = max(sessions.values())
        work = self._work(template, None, tuple(sessions), session)
        for need in self.plan.needs(template, ()):
            if not self._stands(need, session, same_session=False):
                return self._skipped(work, self._missing(*need))
        return self._taken(work) or work

    def _session_with_needs(self, template: Template, ticker: str) -> date | None:
        """The newest session of a ticker, if it has all that a template over the universe needs of it."""
        try:
            session = self.prices(ticker).session
        except DataError:
            return None
        needs = [need for need in self.plan.needs(template, (ticker,)) if need[1]]
        return session if all(self._stands(need, session, same_session=False) for need in needs) else None

    def _stands(self, need: Node, session: date, *, same_session: bool) -> bool:
        """Whether the facts of a run can be used: of this batch, else as stored."""
        if need in self.results:
            return self.results[need].status == "ok"
        return standing(self.shop.store, *need, session, same_session=same_session) is not None

    def _missing(self, notebook: str, ticker: str | None) -> Failure:
        """Why something that needs a run is skipped."""
        result = self.results.get((notebook, ticker))
        if result and result.failure:
            verb = "failed" if result.status == "failed" else "was skipped"
            return Failure("upstream", f"{notebook} {verb}, and its facts are needed.", result.failure.remedy)
        command = f"tickerbook run {f'{ticker} ' if ticker else ''}--notebook {notebook}"
        whose = f"{ticker} and this session" if ticker else "the universe"
        return Failure("upstream", f"{notebook} has no good facts for {whose}.", f"Run `{command}` first.")

    def _work(self, template: Template, ticker: str | None, tickers: tuple[str, ...], session: date) -> Work:
        ours: dict[str, Any] = {"ticker": ticker} if ticker else {"tickers": list(tickers)}
        parameters = self.plan.parameters(template, ours | {"session": session.isoformat()})
        needs = tuple(self.plan.needs(template, tickers))
        trials = TrialBook(self.shop.settings.trials) if template.trials else None
        peers = tuple(self._peers(parameters))
        return Work(template, ticker, tickers, needs, session, parameters, trials, peers)

    def _peers(self, parameters: Mapping[str, Any]) -> Iterator[str]:
        """Tickers of open positions with prices: the first words of the texts in a parameter `positions`."""
        for text in parameters.get("positions", ()):
            ticker = text.partition(" ")[0]
            with suppress(DataError, SymbolError):  # the notebook says what is wrong with it
                self.prices(ticker)
                yield ticker

    def _taken(self, work: Work) -> RunResult | None:
        return None if self.shop.force else taken(self.shop.store, self._key(work))

    def _key(self, work: Work) -> str:
        return ingredients(work, self.shop.store, self.around, self.prices).key

    def _skipped(self, work: Work, failure: Failure) -> RunResult:
        """A run that cannot be made; stored, with the notebook as it is written, so that pages can say so."""
        result = unmade(work, self._key(work), "skipped", failure, self.shop.clock())
        return kept(self.shop.store, result, work.template.text)

    def _without_bars(self, template: Template, ticker: str, error: DataError) -> RunResult:
        work = self._work(template, ticker, (ticker,), self._asked())
        before = [need for need in work.needs if need in self.results]
        if before:
            return self._unmade(work, "skipped", self._missing(*before[0]))
        return self._unmade(work, "failed", Failure("no bars", error.message, error.remedy))

    def _unmade(self, work: Work, status: Status, failure: Failure) -> RunResult:
        """A run without prices. Without a session of its own it stands for none, so it is not stored."""
        return unmade(work, "", status, failure, self.shop.clock())

    def _asked(self) -> date:
        """The day until which prices were asked for, where there are none that tell a session."""
        return self.plan.session or self.shop.clock().date()
