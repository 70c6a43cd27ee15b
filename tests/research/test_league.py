"""The league: pooling, intervals, discoveries, scores, and the odds that levels get from it."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.facts import Facts
from tickerbook.research import scores
from tickerbook.research.level import Level
from tickerbook.research.odds import league_facts, odds_facts, pool, study_facts, with_odds
from tickerbook.research.study import Study, Tally

DAY = date(2020, 9, 30)
QUARTERS = tuple(f"{year}Q{quarter}" for year in range(2015, 2021) for quarter in range(1, 5))


def tally(kind, n=40, rate=0.45, edge=0.0, seed=0, noise=1.0):
    """Counts of a method with that rate and edge, by quarter."""
    rng = np.random.default_rng(seed)
    bounces = np.round(n * rate + noise * rng.normal(0, 1, len(QUARTERS)))
    excess = n * edge + noise * rng.normal(0, 1, len(QUARTERS))
    total = np.full(len(QUARTERS), float(n))
    cells = np.tile(np.array([total.sum(), bounces.sum(), excess.sum()])[:, None] / 6, 6)
    ages = np.tile(np.array([total.sum(), bounces.sum(), excess.sum()])[:, None] / 5, 5)
    return Tally(kind, "family", total, bounces, excess, cells, ages)


def study(ticker, *tallies):
    return Study(ticker, DAY, QUARTERS, tallies)


@pytest.fixture(scope="module")
def league():
    """A winner, a loser, a method like chance, and one hardly seen, on six tickers."""
    return pool(
        study(
            f"T{number}",
            tally("winner", edge=0.1, rate=0.55, seed=number),
            tally("loser", edge=-0.1, rate=0.35, seed=10 + number),
            tally("coin", edge=0.0, seed=20 + number),
            tally("rare", n=2, noise=0.1, seed=30 + number),
        )
        for number in range(6)
    )


def row(facts, kind):
    """Its facts in the league."""
    return next(row for row in facts.rows("method") if row["name"].value == kind)


def level(kind, price=100.0):
    return Level(price, price - 1, price + 1, "support", "test", DAY, DAY, 0, "family", kind)


def test_methods_stand_by_their_edge_losers_too_and_the_unknown_last(league):
    """With a verdict in words."""
    assert [(one.kind, one.verdict) for one in league.methods] == [
        ("winner", "better than chance"),
        ("coin", "not told from chance"),
        ("loser", "worse than chance"),
        ("rare", "not enough evidence"),
    ]


def test_counts_are_pooled_over_tickers(league):
    """Six tickers, 24 quarters, 40 touches."""
    winner = league.methods[0]
    assert (league.tickers, winner.n, league.quarters) == (6, 6 * 24 * 40, QUARTERS)
    assert winner.bounce.value == pytest.approx(0.55, abs=0.01)
    assert winner.placebo == pytest.approx(0.45, abs=0.01)
    assert winner.edge.low < 0.1 < winner.edge.high


def test_a_method_without_evidence_has_no_figure(league):
    """Not even in its facts; only how little there is."""
    facts = row(league_facts(league), "rare")
    assert facts["n"].value == 288
    assert facts["verdict"].text == "not enough evidence"
    for name in ("bounce", "placebo", "edge", "edge_low", "p"):
        assert facts[name].value is None
        assert facts[name].text == "–"


def test_all_facts_of_the_league_are_as_of_its_last_session(league):
    """They change with a quarter."""
    assert {fact.as_of for fact in league_facts(league).values()} == {DAY}


def test_no_study_makes_an_empty_league():
    """Facts are there, without values."""
    empty = pool([study_of_nothing := Study("NEW", None, (), ())])
    assert (empty.methods, empty.tickers, empty.forecasts) == ((), 0, None)
    assert league_facts(empty).value("league.through") is None
    assert pool([]) == pool([study_of_nothing])


def test_tickers_of_different_quarters_are_pooled_by_quarter():
    """One begins later: the earlier quarters are the other's alone."""
    short = tally("coin")
    late = Study(
        "LATE", DAY, QUARTERS[12:], (Tally("coin", "family", *(np.ones((3, 12))), short.cells, short.ages),)
    )
    both = pool([study("OLD", tally("coin")), late])
    assert both.quarters == QUARTERS
    assert both.methods[0].n == 24 * 40 + 12


def test_a_level_gets_the_odds_of_its_method(league):
    """A ticker without touches of its own has those of all."""
    (found,) = with_odds([level("winner")], league_facts(league), Facts())
    winner = league.methods[0]
    assert found.odds.sufficient
    assert found.odds.estimate == pytest.approx(winner.bounce.value)
    assert found.odds.edge == pytest.approx(winner.edge.value)
    assert found.odds.placebo == pytest.approx(winner.placebo)
    assert found.odds.low < found.odds.estimate < found.odds.high
    assert found.odds.edge_low < found.odds.edge < found.odds.edge_high
    assert found.odds.n == winner.n


def test_a_ticker_s_own_touches_draw_its_odds_towards_them(league):
    """The more of them, the nearer; never beyond either."""
    pooled = league.methods[0].bounce.value
    odds = []
    for n in (1, 40, 4000):
        own = study_facts(study("OWN", tally("winner", n=n, rate=0.8, edge=0.3, noise=0.0)))
        (found,) = with_odds([level("winner")], league_facts(league), own)
        odds.append(found.odds)
    estimates = [one.estimate for one in odds]
    assert pooled < estimates[0] < estimates[1] < estimates[2] <= 0.8 + 1e-9
    assert odds[0].edge < odds[1].edge < odds[2].edge


def test_an_edge_that_is_no_discovery_reaches_to_zero(league):
    """However good it looks for one ticker."""
    own = study_facts(study("OWN", tally("coin", n=40_000, rate=0.6, edge=0.1, noise=0.0)))
    (found,) = with_odds([level("coin")], league_facts(league), own)
    assert found.odds.edge > 0.05
    assert found.odds.edge_low == 0.0
    (winner,) = with_odds([level("winner")], league_facts(league), Facts())
    assert winner.odds.edge_low > 0


def test_a_level_without_evidence_says_so(league):
    """Rare methods have odds that are not to be told; unknown ones have none."""
    rare, unknown = with_odds([level("rare"), level("new")], league_facts(league), Facts())
    assert rare.odds is not None
    assert not rare.odds.sufficient
    assert unknown.odds is None
    assert with_odds([level("winner")], Facts(), Facts())[0].odds is None


def test_odds_are_facts_beside_those_of_the_level(league):
    """Of each level in its order, and of the nearest support; missing where there is not enough evidence."""
    levels = with_odds([level("rare", 98.0), level("winner", 95.0)], league_facts(league), Facts())
    facts = odds_facts(levels, 100.0, DAY)
    assert facts.value("level.2.odds") == levels[1].odds.estimate
    assert facts["level.2.odds_n"].text == "5,760"
    assert facts["level.1.odds"].value is None
    assert facts["level.1.odds_n"].value == 288
    assert facts["support.edge"].value is None
    assert facts["resistance.odds_n"].value is None
    assert {fact.as_of for fact in facts.values()} == {DAY}


def test_discoveries_are_those_of_benjamini_and_hochberg():
    """Their own example of 15 p-values: four at 5 % (JRSS B 57, 1995, section 3.2)."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    assert scores.discoveries(np.array(p), 0.05).tolist() == [True] * 4 + [False] * 11
    assert scores.discoveries(np.array(p[::-1]), 0.05).tolist() == [False] * 11 + [True] * 4


def test_a_p_value_is_student_s():
    """t = 2.262 with 9 degrees of freedom is 5 % two-sided, as tables have it."""
    assert scores.p_value(2.262, 1.0, 10) == pytest.approx(0.05, abs=1e-4)
    assert scores.p_value(-2.262, 1.0, 10) == scores.p_value(2.262, 1.0, 10)


def test_the_brier_score_is_the_mean_squared_distance():
    """By hand: 0.7 said of four, three of which came; 0.2 of one that did not."""
    got = scores.brier(np.array([0.7, 0.2]), np.array([3.0, 0.0]), np.array([4.0, 1.0]))
    assert got == pytest.approx((3 * 0.09 + 0.49 + 0.04) / 5)


@given(
    counts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=40
    )
)
def test_calibration_counts_every_touch_once(counts):
    """Groups rise by forecast and hold all touches."""
    forecast, held, other = (np.array(column, dtype=float) for column in zip(*counts, strict=True))
    if (held + other).sum() == 0:
        return
    groups = scores.calibration(forecast, held, held + other)
    assert sum(n for _, _, n in groups) == (held + other).sum()
    assert (np.diff([one[0] for one in groups]) >= -1e-9).all()


def test_every_draw_has_as_many_quarters_in_blocks_of_two():
    """Drawn with their neighbours, the last with the first."""
    draws = scores.block_draws(7, 500)
    assert (draws.sum(axis=1) == 7).all()
    assert draws.mean(axis=0) == pytest.approx(np.ones(7), abs=0.15)


def test_nineteen_in_twenty_intervals_hold_the_truth():
    """Of means over 40 independent quarters; one in ten may miss at most."""
    rng = np.random.default_rng(5)
    n, draws = np.full(40, 10.0), scores.block_draws(40)
    found = [scores.ratio(rng.normal(0, 1, 40), n, draws) for _ in range(400)]
    assert 0.9 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.98


def test_likeness_of_tickers_is_found_again():
    """Counts drawn with M = 60 give something near it, tickers all alike something large."""
    rng = np.random.default_rng(2)
    n = np.full(300, 200.0)
    unlike = rng.binomial(200, rng.beta(60 * 0.45, 60 * 0.55, 300)).astype(float)
    alike = rng.binomial(200, 0.45, 300).astype(float)
    assert 40 < scores.concentration(unlike, n, 0.45) < 90
    assert scores.concentration(alike, n, 0.45) > 1000


@given(n=st.floats(0, 1e6), prior=st.floats(20, 20_000))
def test_the_own_frequency_never_weighs_more_than_all(n, prior):
    """Between nothing and one."""
    assert 0 <= scores.weight_of_own(n, prior) < 1
