"""Evidence: pooled out of sample, judged after the search, frozen at the quarter's end."""

import math
from datetime import date

import numpy as np
import pytest
from evidence_data import LAST, best_of, book, noise, recorded

from tickerbook.errors import ConfigError, DataError
from tickerbook.facts import Fact, Facts
from tickerbook.research.evidence import study
from tickerbook.research.evidence_facts import evidence_facts
from tickerbook.research.metrics import sharpe
from tickerbook.research.pooling import pool


def case(seed=1, trials=20, **options):
    """A study of the best of some random strategies."""
    returns = noise(seed, trials)
    options = {"session": LAST, **options}
    return study({"AAA": book(best_of(returns))}, recorded(returns), **options)


def test_figures_are_of_the_sessions_before_the_holdout():
    """The newest year of the completed quarters is not looked at."""
    found = case(holdout=252)
    (row,) = found.rows
    assert found.until == date(2021, 12, 31)
    assert row.last < found.holdout_first <= found.until
    kept = found.pools["mined"]
    assert (len(kept), kept.index[-1].date()) == (row.sessions, row.last)
    assert row.sharpe == pytest.approx(sharpe(kept))
    assert row.low < row.sharpe < row.high


def test_the_search_takes_from_the_result():
    """The more was tried, the less the same result is worth; luck's own Sharpe ratio is told."""
    one, many = case(trials=2).rows[0], case(trials=200).rows[0]
    assert (one.trials, many.trials) == (2, 200)
    assert many.dsr < many.psr
    assert many.lucky > one.lucky
    assert many.lucky == pytest.approx(2.75 * math.sqrt(252 / 1590), rel=0.15)


def test_all_searches_count_beside_the_family_s_own():
    """Trials of other families lower the library's figure, not the family's."""
    returns = noise(2, 5)
    own = recorded(returns)
    others = recorded(noise(3, 300), family="other")
    books = {"AAA": book(best_of(returns))}
    alone, beside = study(books, own, LAST).rows[0], study(books, own + others, LAST).rows[0]
    assert beside.dsr == alone.dsr
    assert beside.dsr_library < alone.dsr_library
    assert study(books, own + others, LAST).trials == 305


def test_a_day_later_the_facts_are_the_same():
    """One more session, in backtest and ledger, changes no fact until the quarter is over."""
    returns = noise(4, 10)
    longer = np.vstack([returns, noise(5, 10, 1)])
    today = study({"AAA": book(best_of(returns))}, recorded(returns), LAST)
    best = (returns.mean(axis=0) / returns.std(axis=0)).argmax()
    later = recorded(returns) + recorded(longer, last="2022-01-17")
    tomorrow = study({"AAA": book(longer[:, best], last=date(2022, 1, 17))}, later, date(2022, 1, 17))
    assert evidence_facts(today).digest == evidence_facts(tomorrow).digest


def test_a_result_without_recorded_trials_is_no_evidence():
    """An empty ledger is not a search of one."""
    (row,) = study({"AAA": book(noise(6, 1)[:, 0])}, [], LAST).rows
    assert (row.sharpe, row.dsr, row.trials) == (None, None, 0)
    assert "no trial" in row.note


def test_a_short_record_is_no_evidence():
    """Below a year the row says so and has no figure."""
    returns = noise(7, 3, 200)
    (row,) = study({"AAA": book(returns[:, 0])}, recorded(returns), LAST).rows
    assert (row.sharpe, row.psr, row.trials) == (None, None, 3)
    assert "252 are needed" in row.note


def test_without_any_session_out_of_sample_there_is_a_row_that_says_so():
    """A universe of shares that were just listed has backtests, trials, and no result to judge."""
    returns = noise(7, 3, 200)
    told = book(returns[:, 0]).values()
    untested = Facts(fact for fact in told if not fact.name.startswith("oos."))
    (row,) = study({"AAA": untested}, recorded(returns), LAST).rows
    assert (row.sharpe, row.sessions, row.spa_p, row.trials) == (None, 0, None, 3)
    assert "0 sessions" in row.note


def test_what_never_traded_has_no_probability():
    """Zero returns are no Sharpe ratio of zero."""
    (row,) = study({"AAA": book(np.zeros(1600))}, recorded(np.zeros((1600, 1))), LAST).rows
    assert (row.sharpe, row.psr, row.dsr, row.min_trl) == (None, None, None, None)


def test_tickers_are_pooled_with_equal_shares():
    """Each session's return is the mean over the tickers that have one; trades add up, costs are the median."""
    one, two = noise(8, 1, 400)[:, 0], noise(9, 1, 300)[:, 0]
    books = {"AAA": book(one, break_even_bps=10.0), "BBB": book(two, break_even_bps=None)}
    pooled = pool(books, "mined", LAST)
    assert pooled.returns.iloc[0] == pytest.approx(one[0], abs=1e-6)
    assert pooled.returns.iloc[-1] == pytest.approx((one[-1] + two[-1]) / 2, abs=1e-6)
    assert (pooled.tickers, pooled.trades, pooled.break_even_bps) == (2, 160, 5.0)


def test_sessions_and_returns_must_fit():
    """A torn pair of series is refused."""
    good = book(noise(10, 1, 300)[:, 0])
    torn = Facts(f for f in good.values() if f.name != "oos.sessions") | Facts(
        [type(good["oos.sessions"])("oos.sessions", good["oos.sessions"].value[:-1], "sessions")]
    )
    with pytest.raises(DataError, match="299 sessions"):
        pool({"AAA": torn}, "mined", LAST)


@pytest.mark.parametrize(
    ("options", "stage", "used"),
    [
        ({}, "dev", True),
        ({"stage": "paper"}, "dev", False),
        ({"stage": "paper", "paper": ["mined"]}, "paper", True),
        ({"stage": "paper", "production": ["mined"]}, "production", True),
        ({"stage": "production", "paper": ["mined"]}, "paper", False),
    ],
)
def test_stages_decide_what_is_used(options, stage, used):
    """A strategy is used from the asked stage on."""
    (row,) = case(**options).rows
    assert (row.stage, row.used) == (stage, used)


@pytest.mark.parametrize(
    "options", [{"stage": "live"}, {"holdout": -1}, {"paper": ["mined"], "production": ["mined"]}]
)
def test_what_does_not_fit_is_refused(options):
    """A stage that there is not, a negative holdout, a strategy at two stages."""
    with pytest.raises(ConfigError):
        case(**options)


def test_no_backtest_is_no_study():
    """Nothing to gather from is an error, not an empty page."""
    with pytest.raises(DataError, match="no backtest"):
        study({}, [])


def test_facts_have_every_figure():
    """Names that other notebooks and the gates read."""
    facts = evidence_facts(case())
    (row,) = facts.rows("evidence")
    expected = {
        "strategy",
        "stage",
        "used",
        "oos_sharpe",
        "oos_sharpe_low",
        "oos_sharpe_high",
        "psr",
        "dsr",
        "pbo",
    }
    expected |= {
        "min_trl",
        "trials",
        "effective_trials",
        "oos_trades",
        "oos_max_drawdown",
        "break_even_bps",
        "curve",
    }
    assert expected <= set(row)
    assert all(fact.as_of == date(2021, 12, 31) for fact in facts.values())
    assert row["curve"].value[0] == 1.0


def test_a_year_is_the_exchange_s():
    """What never closes has 365 sessions a year, in the Sharpe ratio as in that of luck alone."""
    returns = noise(1, 3) + 0.001
    trials = recorded(returns)
    usual, never = (
        study({"AAA": Facts([*book(returns[:, 0]).values(), *year])}, trials, LAST).rows[0]
        for year in ([], [Fact("test.sessions_a_year", 365, "sessions a year")])
    )
    assert never.sharpe / usual.sharpe == pytest.approx((365 / 252) ** 0.5)
    assert never.lucky / usual.lucky == pytest.approx((365 / 252) ** 0.5)
    assert never.dsr == usual.dsr


def test_no_headline_figure_is_bare():
    """Each that a page leads with has its interval, and lies in it."""
    (row,) = evidence_facts(case()).rows("evidence")
    for name in ("oos_sharpe", "oos_cagr", "oos_max_drawdown", "oos_excess_sharpe"):
        low, value, high = (row[f"{name}{end}"].value for end in ("_low", "", "_high"))
        assert low < value < high, name
