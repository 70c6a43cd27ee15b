"""Evidence for a strategy: its pooled out-of-sample result, and what the search for it leaves of that.

Everything is measured up to the end of the last completed quarter and before the holdout: the newest sessions
of it, which only a promotion looks at, once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from tickerbook.errors import ConfigError, DataError
from tickerbook.facts import Facts
from tickerbook.research.intervals import Intervals, intervals
from tickerbook.research.metrics import SESSIONS_A_YEAR, performance
from tickerbook.research.pooling import Pool, pool, strategies_of
from tickerbook.research.search import Search, search
from tickerbook.research.validation.sharpe import (
    Moments,
    deflated_sharpe,
    expected_best,
    least_track_record,
    moments,
    probabilistic_sharpe,
)
from tickerbook.sessions import quarter_end
from tickerbook.settings import STAGES
from tickerbook.trials import Trials

BENCHMARK = "benchmark"  # what backtests call buying and holding
LEAST_SESSIONS = 252  # a year out of sample; less is no evidence


@dataclass(frozen=True)
class Evidence:
    """What speaks for a strategy. A figure that does not exist is None; fractions are fractions.

    Attributes:
        strategy: its name.
        title: what readers call it.
        stage: "dev", "paper" or "production".
        used: whether pages and plans may use it: its stage is at or above the one that is asked for.
        tickers: with out-of-sample returns.
        first, last: the first and last session of the pooled returns that count.
        sessions: how many those are.
        sharpe, low, high: pooled Sharpe ratio a year, and its 95 % interval (block bootstrap).
        excess, excess_low, excess_high: Sharpe ratio a year above buy and hold's, and its interval.
        cagr, drawdown: growth a year and deepest drawdown of the pooled returns, each with its interval.
        trades: closed trades out of sample, all tickers together.
        break_even_bps: what a fill may cost until the edge is gone.
        exposure: mean share of the equity that was held.
        psr: probability that the true Sharpe ratio is above zero.
        dsr: the same above what luck gives the best of the family's trials.
        dsr_library: the same with the trials of all strategies, a warning where it is much lower.
        lucky: Sharpe ratio a year that luck alone gives the best of the family's trials.
        pbo: probability of backtest overfitting within the family.
        min_trl: sessions needed to be sure of a Sharpe ratio above zero, at 95 %.
        spa_p: probability that luck gives a best of the family as far above buy and hold.
        trials, effective_trials: configurations of the family ever tried, and how many ideas they are.
        certificate: whether its certificate of causality passed; None where it has none.
        note: why figures are missing; empty where none are.
    """

    strategy: str
    title: str
    stage: str
    used: bool
    tickers: int
    first: date | None = None
    last: date | None = None
    sessions: int = 0
    sharpe: float | None = None
    low: float | None = None
    high: float | None = None
    excess: float | None = None
    excess_low: float | None = None
    excess_high: float | None = None
    cagr: float | None = None
    cagr_low: float | None = None
    cagr_high: float | None = None
    drawdown: float | None = None
    drawdown_low: float | None = None
    drawdown_high: float | None = None
    trades: int | None = None
    break_even_bps: float | None = None
    exposure: float | None = None
    psr: float | None = None
    dsr: float | None = None
    dsr_library: float | None = None
    lucky: float | None = None
    pbo: float | None = None
    min_trl: int | None = None
    spa_p: float | None = None
    trials: int = 0
    effective_trials: int | None = None
    certificate: bool | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Study:
    """The evidence for every strategy, and what it rests on.

    Attributes:
        rows: one a strategy.
        pools: strategy → its pooled out-of-sample returns before the holdout.
        stage: the least stage of a strategy that is used.
        until: the end of the quarter that everything is measured up to.
        holdout_first: the first session of the holdout; None where there are too few sessions for one.
        trials: configurations ever tried, of all strategies.
        tickers: with out-of-sample returns of any strategy.
    """

    rows: tuple[Evidence, ...]
    pools: Mapping[str, pd.Series]
    stage: str
    until: date
    holdout_first: date | None
    trials: int
    tickers: int


def study(
    books: Mapping[str, Facts],
    trials: Sequence[Trials],
    session: date | str = "",
    *,
    holdout: int = SESSIONS_A_YEAR,
    paper: Sequence[str] = (),
    production: Sequence[str] = (),
    stage: str = "dev",
    certificates: Facts | None = None,
) -> Study:
    """Gather the evidence for every strategy that was tested.

    Args:
        books: ticker → facts of its `backtest`.
        trials: every backtest ever run.
        session: the newest session, a date or an ISO date; the quarter it lies in does not count. Empty for
            the newest that any of the backtests is of.
        holdout: newest sessions of the completed quarters that are held out.
        paper: strategies at that stage.
        production: strategies at that one; all others are at "dev".
        stage: the least stage of a strategy that is used.
        certificates: of causality, as facts; those of strategies are taken.

    Raises:
        ConfigError: for a negative holdout, an unknown stage, or a strategy at two stages.
        DataError: if there is no backtest.
    """
    until = quarter_end(_newest(books, session))
    names = strategies_of(books)
    stages = _stages(names, paper, production)
    if stage not in STAGES or holdout < 0:
        raise ConfigError(
            f"stage = {stage!r} and holdout = {holdout} do not fit.",
            f"The stages are {', '.join(STAGES)}; a holdout has 0 sessions or more.",
        )
    pools = {name: pool(books, name, until) for name in names}
    first = holdout_start(list(pools.values()), holdout)
    library = search(trials, until, books) if trials else None
    held = before(pool(books, BENCHMARK, until), first).returns
    proven = _proven(certificates or Facts())
    rows = []
    for name, whole in pools.items():
        own = [record for record in trials if record.family == name]
        found = search(own, until, books) if own else None
        used = STAGES.index(stages[name]) >= STAGES.index(stage)
        row = Evidence(name, whole.title, stages[name], used, whole.tickers, certificate=proven.get(name))
        rows.append(_judged(row, before(whole, first), found, library, held))
    kept = {name: before(whole, first).returns for name, whole in pools.items()}
    tickers = max((one.tickers for one in pools.values()), default=0)
    return Study(tuple(rows), kept, stage, until, first, library.count if library else 0, tickers)


def _newest(books: Mapping[str, Facts], session: date | str) -> date:
    if session:
        return date.fromisoformat(str(session))
    days = [fact.as_of for book in books.values() for fact in book.values() if fact.as_of]
    if not days:
        raise DataError("There is no backtest to gather evidence from.", "Run `tickerbook run` first.")
    return max(days)


def holdout_start(pools: Sequence[Pool], holdout: int) -> date | None:
    """The first of the newest `holdout` sessions; None where a year before them is not there, or for 0."""
    days = sorted({day for one in pools for day in one.returns.index})
    return days[-holdout].date() if holdout and len(days) >= holdout + LEAST_SESSIONS else None


def before(whole: Pool, first: date | None) -> Pool:
    """A pool without what lies in the holdout."""
    returns = whole.returns if first is None else whole.returns[whole.returns.index < pd.Timestamp(first)]
    return replace(whole, returns=returns)


def _proven(certificates: Facts) -> dict[str, bool]:
    """Strategy → whether its certificate passed."""
    rows = certificates.rows("certificate")
    strategies = (row for row in rows if row["kind"].value == "strategy")
    return {str(row["name"].value): row["passed"].value is True for row in strategies}


def _stages(names: Sequence[str], paper: Sequence[str], production: Sequence[str]) -> dict[str, str]:
    twice = set(paper) & set(production)
    if twice:
        raise ConfigError(f"{', '.join(sorted(twice))} is at two stages.", "Keep the one it has reached.")
    return {
        name: "production" if name in production else "paper" if name in paper else "dev" for name in names
    }


def _judged(
    row: Evidence, own: Pool, found: Search | None, library: Search | None, held: pd.Series
) -> Evidence:
    counted = {
        "trials": found.count if found else 0,
        "effective_trials": found.effective if found else None,
        "pbo": found.overfitting if found else None,
        "spa_p": found.superiority(held.groupby(held.index.strftime("%Y-%m")).sum()) if found else None,
    }
    if len(own.returns) < LEAST_SESSIONS:
        note = f"Not enough evidence: {len(own.returns)} sessions out of sample, {LEAST_SESSIONS} are needed."
        return _with(row, **counted, sessions=len(own.returns), note=note)
    if found is None or library is None:  # a result without its trials must not look like evidence
        note = "Not enough evidence: no trial of it is recorded."
        return _with(row, **counted, sessions=len(own.returns), note=note)
    of = moments(own.returns.to_numpy())
    if math.isnan(of.sharpe):
        return _with(row, **counted, sessions=of.sessions, note="Not enough evidence: it was never invested.")
    return _with(row, **counted, **_result(own, held), **_chances(of, found, library, own.year))


def _result(own: Pool, held: pd.Series) -> dict[str, object]:
    figures = performance(own.returns, own.year)
    both = pd.concat([held, own.returns], axis=1).loc[own.returns.index].to_numpy()
    known = bool(np.isfinite(both).all())
    bounds = intervals(both if known else both[:, 1:], periods=own.year, benchmark=0 if known else None)
    theirs = performance(held.loc[own.returns.index], own.year).sharpe if known else math.nan
    return {
        "first": own.returns.index[0].date(),
        "last": own.returns.index[-1].date(),
        "sessions": len(own.returns),
        "sharpe": figures.sharpe,
        **_interval("", bounds, "sharpe"),
        "excess": figures.sharpe - theirs,
        **(_interval("excess_", bounds, "excess_sharpe") if known else {}),
        "cagr": figures.cagr,
        **_interval("cagr_", bounds, "cagr"),
        "drawdown": figures.max_drawdown,
        **_interval("drawdown_", bounds, "max_drawdown"),
        "trades": own.trades,
        "break_even_bps": own.break_even_bps,
        "exposure": own.exposure,
    }


def _interval(field: str, bounds: Intervals, figure: str) -> dict[str, object]:
    """Both ends for the strategy, which is the last column."""
    ends = (("low", bounds.low), ("high", bounds.high))
    return {f"{field}{name}": float(end[figure][-1]) for name, end in ends}


def _chances(of: Moments, found: Search, library: Search, year: int) -> dict[str, object]:
    """Probabilities; where the trials' variance is not known, that of luck alone: one over the sessions."""
    own, every = (s.variance if s.variance is not None else 1 / of.sessions for s in (found, library))
    needed = least_track_record(of)
    return {
        "psr": probabilistic_sharpe(of),
        "dsr": deflated_sharpe(of, found.count, own),
        "dsr_library": deflated_sharpe(of, library.count, every),
        "lucky": expected_best(found.count, own) * math.sqrt(year),
        "min_trl": None if math.isnan(needed) else math.ceil(needed),
    }


def _with(row: Evidence, **figures: object) -> Evidence:
    known = {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in figures.items()}
    return replace(row, **known)  # type: ignore[arg-type]  # names and types are those of the fields
