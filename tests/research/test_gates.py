"""Gates: mined noise stays out, a planted edge comes in, the holdout is spent once."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from evidence_data import LAST, SESSIONS, best_of, book, noise, recorded

from tickerbook.certificates import Audit, Certificate, certificate_facts
from tickerbook.errors import DataError
from tickerbook.research.evidence import study
from tickerbook.research.evidence_facts import evidence_facts
from tickerbook.research.gates import judge, next_stage, spent_before
from tickerbook.settings import Gate

GATE = Gate(
    deflated_sharpe=0.90,
    overfitting=0.30,
    trades=50,
    sessions=756,
    drawdown=0.40,
    break_even_bps=15.0,
    certificate=False,
    holdout_sharpe=0.0,
)
SKILL = (
    2.2 / np.sqrt(252) * 0.01 * np.sqrt(2 / 3)
)  # a Sharpe ratio of 2.2 a year for what trades like the noise


@pytest.fixture(autouse=True)
def _no_interval(monkeypatch):
    """The interval of a Sharpe ratio takes most of the time, and no gate asks for it."""
    bounds = {name: [np.nan] for name in ("sharpe", "excess_sharpe", "cagr", "max_drawdown")}
    nothing = SimpleNamespace(low=bounds, high=bounds)
    monkeypatch.setattr("tickerbook.research.evidence.intervals", lambda _returns, **_: nothing)


def searched(seed, edge=0.0, trials=200):
    """The verdict on the best of random strategies on noise, one of which may have an edge."""
    returns = noise(seed, trials)
    returns[:, 5] += edge
    books = {"AAA": book(best_of(returns))}
    facts = evidence_facts(study(books, recorded(returns), LAST))
    return judge(facts, books, "mined", GATE)


def single(gate=GATE, spent=(), edge=0.002, holdout=252, certificate=None, **columns):
    """The verdict on one strategy that was tried once and has an edge."""
    returns = noise(1, 1) + edge
    books = {"AAA": book(returns[:, 0], **columns)}
    proofs = (
        []
        if certificate is None
        else [Certificate("mined", "strategy", (Audit("replay", certificate, ""),), 9)]
    )
    facts = evidence_facts(
        study(books, recorded(returns), LAST, holdout=holdout, certificates=certificate_facts(proofs))
    )
    return judge(facts, books, "mined", gate, spent)


def failing(verdict):
    """Names of the checks that do not pass."""
    return [check.name for check in verdict.checks if not check.passed]


def test_mined_noise_stays_out():
    """The best of 200 random strategies passes in no more than the 10 % that the gate's 90 % allow (40 searches)."""
    passed = [searched(seed).granted for seed in range(40)]
    assert np.mean(passed) <= 0.10


def test_mined_noise_would_pass_without_the_ledger():
    """The control: had the author typed a single trial, most of the mined noise would look like skill."""
    looks = []
    for seed in range(10):
        best = best_of(noise(seed, 200))[:, None]
        facts = evidence_facts(study({"AAA": book(best[:, 0])}, recorded(best), LAST))
        looks.append(facts["evidence.1.dsr"].value >= 0.90)
    assert np.mean(looks) > 0.8


def test_a_planted_edge_comes_in():
    """A Sharpe ratio of 2.2 among 200 random strategies passes at least seven times of ten (20 searches)."""
    passed = [searched(seed, SKILL).granted for seed in range(20)]
    assert np.mean(passed) >= 0.7


def test_everything_holds():
    """One strategy with an edge and enough of everything may move on, with the holdout opened."""
    verdict = single()
    assert verdict.granted
    assert (verdict.stage, verdict.target) == ("dev", "paper")
    assert verdict.opened.sessions == 252
    assert len(verdict.checks) == 7


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"edge": 0.0}, "chance of skill"),
        ({"oos_trades": 49}, "closed trades"),
        ({"oos_trades": None}, "closed trades"),
        ({"break_even_bps": 14.0}, "costs of a fill"),
        ({"break_even_bps": None}, "costs of a fill"),
        ({"gate": GATE.model_copy(update={"sessions": 5000})}, "time out of sample"),
        ({"gate": GATE.model_copy(update={"drawdown": 0.001})}, "deepest drawdown"),
        ({"gate": GATE.model_copy(update={"certificate": True})}, "certificate"),
        ({"gate": GATE.model_copy(update={"certificate": True}), "certificate": False}, "certificate"),
    ],
)
def test_a_refusal_names_what_is_missing(change, missing):
    """Each threshold alone refuses, with figure and limit; then the holdout stays closed."""
    verdict = single(**change)
    assert not verdict.granted
    assert verdict.opened is None
    names = failing(verdict)
    assert any(missing in name for name in names[:-1])
    assert "holdout (not opened)" in names[-1]
    assert all(check.figure and check.limit for check in verdict.checks)


def test_a_passed_certificate_counts():
    """It is asked for by name."""
    assert single(gate=GATE.model_copy(update={"certificate": True}), certificate=True).granted


def test_a_strategy_that_is_always_invested_needs_no_trades():
    """However long it is watched, it makes few."""
    assert single(oos_trades=1, oos_exposure=0.97).granted
    assert not single(oos_trades=1, oos_exposure=0.5).granted


def test_the_holdout_is_opened_once():
    """Asked again, the figure that was recorded counts, also where today's would be better."""
    opened = single().opened
    bad = replace(opened, sharpe=-0.4)
    verdict = single(spent=[bad])
    assert verdict.opened is None
    assert not verdict.granted
    assert failing(verdict) == [f"Sharpe ratio in the holdout, {bad.first} to {bad.last}"]


def test_a_new_holdout_may_be_opened():
    """When none of its sessions was in the one before."""
    opened = single().opened
    old = replace(
        opened, first=opened.first.replace(year=2015), last=opened.first.replace(year=2016), sharpe=-0.4
    )
    assert single(spent=[old]).opened == opened


def test_a_lost_holdout_refuses_and_is_spent():
    """What fails there is refused, and whoever asked is told that it was opened."""
    returns = noise(1, 1) + 0.003
    returns[-270:] = noise(2, 1, 270) - 0.002
    books = {"AAA": book(returns[:, 0])}
    facts = evidence_facts(study(books, recorded(returns), LAST))
    verdict = judge(facts, books, "mined", GATE)
    assert verdict.opened is not None
    assert verdict.opened.sharpe < 0
    assert [name for name in failing(verdict) if "holdout" in name] == failing(verdict) != []


def test_without_a_holdout_nothing_is_promoted():
    """A record too short to hold anything out is not enough."""
    verdict = single(holdout=0)
    assert not verdict.granted
    assert verdict.opened is None


def test_what_was_opened_is_read_back():
    """The record of a holdout loses nothing."""
    opened = single().opened
    assert spent_before([opened.to_json()]) == (opened,)
    with pytest.raises(DataError, match="holdout"):
        spent_before([{"first": "once"}])


def test_stages_follow_each_other():
    """Nothing skips a stage, and the last has none after it."""
    assert [next_stage(stage) for stage in ("dev", "paper", "production")] == ["paper", "production", None]


def test_unknown_and_finished_strategies_are_refused():
    """No evidence is an error, and so is the last stage."""
    returns = noise(1, 1)
    books = {"AAA": book(returns[:, 0])}
    facts = evidence_facts(study(books, recorded(returns), LAST, production=["mined"]))
    with pytest.raises(DataError, match="no evidence for other"):
        judge(facts, books, "other", GATE)
    with pytest.raises(DataError, match="in production already"):
        judge(facts, books, "mined", GATE)


def test_the_record_is_long_enough_for_these_tests():
    """Six years and a quarter, as the stated power assumes."""
    assert SESSIONS == 1600
