"""The study of one ticker: what it follows, when it changes, and what it gives for bad prices."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from odds_data import PLANTED, random_walk

from tickerbook.errors import DataError
from tickerbook.facts import Facts
from tickerbook.research.frozen import REACH
from tickerbook.research.level_facts import level_facts
from tickerbook.research.levels import METHODS, Method
from tickerbook.research.odds import study_facts, study_from_facts, touch_study
from tickerbook.research.study import FIRST, STEP, Study
from tickerbook.research.view import Found

FEW = tuple(method for method in METHODS if method.name in {"prior", "round_numbers"})


@pytest.fixture(scope="module")
def walk():
    """A random walk of 700 sessions."""
    return random_walk(3, sessions=700)


def totals(study):
    return {tally.kind: (tally.n.sum(), tally.bounces.sum()) for tally in study.tallies}


def test_a_study_ends_before_the_newest_quarter(walk):
    """The last session that counts is the last one before the quarter of the newest."""
    study = touch_study(walk, methods=FEW)
    quarter = pd.Timestamp(walk.session).to_period("Q")
    assert pd.Timestamp(study.through) == walk.frame.index[walk.frame.index < quarter.start_time][-1]
    assert study.quarters == tuple(sorted(study.quarters))
    assert study.quarters[-1] < str(quarter)


def test_facts_change_with_a_quarter_and_not_with_a_bar(walk):
    """Sessions of the same quarter, or their prices, make no difference; the next quarter does."""
    days = walk.frame.index
    last = days[-1].to_period("Q")
    within = walk.until(days[days.to_period("Q") == last][0].date())
    spoilt = walk.frame.copy()
    spoilt.loc[days.to_period("Q") == last] *= 3
    facts = study_facts(touch_study(walk, methods=FEW)).to_json()
    assert study_facts(touch_study(within, methods=FEW)).to_json() == facts
    assert study_facts(touch_study(replace(walk, frame=spoilt), methods=FEW)).to_json() == facts
    before = walk.until(days[days.to_period("Q") < last][-1].date())
    assert study_facts(touch_study(before, methods=FEW)).to_json() != facts


def test_what_was_settled_stays(walk):
    """Touches and bounces of quarters whose races were over are the same in a longer study."""
    shorter, longer = touch_study(walk.until(walk.frame.index[600].date())), touch_study(walk)
    settled = len(shorter.quarters) - 1
    later = {tally.kind: tally for tally in longer.tallies}
    assert settled >= 3
    for tally in shorter.tallies:
        assert tally.n[:settled].tolist() == later[tally.kind].n[:settled].tolist()
        assert tally.bounces[:settled].tolist() == later[tally.kind].bounces[:settled].tolist()


def test_every_known_level_is_frozen_and_none_that_is_not(walk):
    """Methods are asked at every so many sessions only, and see nothing beyond."""
    seen = []

    def spy(view):
        seen.append(view.row)
        assert len(view.closes) == len(view.days) == view.row + 1
        assert (view.swings.known <= view.row).all()
        return [Found(view.close * 0.98, "spy", "spy", 0, view.row)]

    touch_study(walk, methods=[Method("spy", "spy", spy)])
    assert min(seen) - FIRST in range(STEP)
    assert set(np.diff(seen)) == {STEP}


def test_levels_out_of_reach_or_at_the_close_are_not_followed(walk):
    """A zone that holds the close is no level to wait for; one too far is not waited for."""

    def find(view):
        for away, kind in ((0.1, "at hand"), (1.0, "near"), (REACH + 1, "far")):
            yield Found(view.close - away * view.atr, kind, kind, 0, view.row)

    assert set(totals(touch_study(walk, methods=[Method("three", "test", find)]))) == {"near"}


def test_counts_by_part_add_up(walk):
    """Touches and bounces by visits and trend, and by age, are those by quarter."""
    for tally in touch_study(walk).tallies:
        for part in (tally.cells, tally.ages):
            assert part[0].sum() == tally.n.sum()
            assert part[1].sum() == tally.bounces.sum()
        assert tally.cells[2].sum() == pytest.approx(tally.excess.sum())
        assert abs(tally.excess.sum()) <= tally.n.sum()
        assert (tally.bounces <= tally.n).all()


def test_a_study_is_the_same_each_time(walk):
    """Placebos are drawn from a seed."""
    assert study_facts(touch_study(walk)).to_json() == study_facts(touch_study(walk)).to_json()


def test_prices_in_another_unit_give_the_same_counts(walk):
    """Cents or dollars; by a power of two, so that no digit is lost."""
    prices = ["open", "high", "low", "close"]
    scaled = replace(walk, frame=walk.frame.assign(**walk.frame[prices] * 4))
    few = [method for method in METHODS if method.name != "round_numbers"]
    assert totals(touch_study(scaled, methods=few)) == totals(touch_study(walk, methods=few))


def test_a_study_survives_its_facts(walk):
    """Stored as JSON among other facts and read again, to the decimals that are kept."""
    study = touch_study(walk, methods=FEW)
    stored = Facts.from_json((study_facts(study) | level_facts([], walk)).to_json())
    read = study_from_facts(stored)
    assert (read.ticker, read.through, read.quarters) == (study.ticker, study.through, study.quarters)
    for one, other in zip(read.tallies, study.tallies, strict=True):
        assert (one.kind, one.family, one.n.tolist()) == (other.kind, other.family, other.n.tolist())
        np.testing.assert_allclose(one.excess, other.excess, atol=1e-4)
        np.testing.assert_allclose(one.cells, other.cells, atol=1e-4)


@pytest.mark.parametrize("sessions", [1, 15, 200, 290])
def test_a_short_history_has_no_study(sessions):
    """A missing figure, not a wrong one."""
    study = touch_study(random_walk(1, sessions=sessions))
    assert study == Study(study.ticker, None, (), ())
    assert study_facts(study).value("study.through") is None
    assert study_from_facts(study_facts(study)) == study
    assert study_from_facts(Facts()).tallies == ()


def test_prices_that_stand_still_have_no_touches(walk):
    """Without an ATR there is nothing to race to."""
    flat = walk.frame.assign(open=50.0, high=50.0, low=50.0, close=50.0)
    assert touch_study(replace(walk, frame=flat)).tallies == ()


def test_unknown_volume_takes_only_what_is_weighted_by_it(walk):
    """Other methods keep their touches."""
    bare = totals(touch_study(replace(walk, frame=walk.frame.assign(volume=np.nan))))
    full = totals(touch_study(walk))
    assert "anchored VWAP" in full
    assert "anchored VWAP" not in bare
    assert bare["swings"] == full["swings"]


def test_incomplete_facts_are_refused(walk):
    """A row without its counts is not guessed."""
    facts = study_facts(touch_study(walk, methods=[PLANTED]))
    broken = Facts(fact for name, fact in facts.items() if name != "study.1.n")
    with pytest.raises(DataError, match="study of levels are incomplete"):
        study_from_facts(broken)


def test_prices_as_traded_are_not_studied(walk):
    """A split among them would break every level at once."""
    with pytest.raises(DataError, match="as traded"):
        touch_study(replace(walk, adjustment="none"))
