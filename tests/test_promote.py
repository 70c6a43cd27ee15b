"""`tickerbook promote`, as a person types it."""

import json
import sys
from datetime import UTC, date, datetime

import pytest

from tickerbook import cli
from tickerbook.facts import Fact, Facts
from tickerbook.settings import load_settings
from tickerbook.store import Run, RunResult, RunStore
from tickerbook.trialbook import TrialBook

NOW_AT = datetime(2022, 1, 17, 12, tzinfo=UTC)
SESSION = date(2022, 1, 14)
GATE = """\
deflated_sharpe = 0.9
overfitting = 0.3
trades = 50
sessions = 756
drawdown = 0.4
break_even_bps = 15.0
certificate = false
holdout_sharpe = 0.0
"""
GOOD = {"dsr": 0.97, "pbo": 0.1, "oos_sessions": 1200, "oos_trades": 80, "oos_max_drawdown": -0.2}
GOOD |= {"break_even_bps": 40.0, "exposure": 0.5}


@pytest.fixture
def verb(monkeypatch, capsys):
    """A runner of `promote`: exit code, and what was printed."""
    monkeypatch.setattr(cli, "now", lambda: NOW_AT)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["tickerbook", "promote", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, " ".join((printed.out + printed.err).split())

    return run


@pytest.fixture
def evidence(project):
    """A maker of a project with evidence for `ma_cross`: `evidence(dsr=0.5)`, `evidence(gain=-0.001)`."""
    (project / "notebooks" / "strategies.ipynb").write_text("", encoding="utf-8")
    (project / "params" / "gates.toml").write_text(f"[paper]\n{GATE}\n[production]\n{GATE}", encoding="utf-8")
    (project / "params" / "strategies.toml").write_text(
        "[strategies]\npaper = []  # tried on paper\n", encoding="utf-8"
    )

    def make(stage="dev", gain=0.001, **figures):
        settings = load_settings(project)
        rows = {"strategy": "ma_cross", "stage": stage, **GOOD, **figures}
        facts = [Fact(f"evidence.1.{name}", value, name) for name, value in rows.items()]
        facts += [Fact("evidence.holdout_first", "2021-12-01", ""), Fact("evidence.until", "2021-12-31", "")]
        days = [f"2021-12-{day:02}" for day in range(1, 31)]
        returns = [gain + 0.001 * (-1) ** day for day in range(30)]
        book = [
            Fact("strategy.1.name", "ma_cross", ""),
            Fact("oos.sessions", days, ""),
            Fact("oos.ma_cross", returns, ""),
        ]
        trials = TrialBook(settings.trials).digest
        store(settings, "strategies", None, facts, {"tickers": ["AAPL"]}, {"upstream": {"trials": trials}})
        store(settings, "backtest", "AAPL", book, {}, {})
        return project

    return make


def store(settings, notebook, ticker, facts, parameters, origin):
    """Put a good run into the project's store."""
    run = Run(notebook, ticker, SESSION, parameters, f"key-of-{notebook}")
    RunStore(settings.runs).put(RunResult(run, "ok", Facts(facts), 1.0, NOW_AT, origin=origin), "{}")


def stored(project):
    """What is kept about ma_cross."""
    return json.loads((project / "params" / "promotions" / "ma_cross.json").read_text(encoding="utf-8"))


def test_evidence_that_holds_moves_a_strategy(verb, evidence):
    """It is at the next stage, its comments stay, and decision and holdout are kept."""
    project = evidence()
    code, printed = verb("ma_cross")
    assert code == 0
    assert "ma_cross is at paper now" in printed
    assert load_settings(project).stage("ma_cross") == "paper"
    assert "# tried on paper" in (project / "params" / "strategies.toml").read_text(encoding="utf-8")
    kept = stored(project)
    assert (kept["decisions"][0]["granted"], kept["decisions"][0]["asked_at"]) == (
        True,
        "2022-01-17T12:00:00+00:00",
    )
    assert (kept["holdouts"][0]["first"], kept["holdouts"][0]["last"]) == ("2021-12-01", "2021-12-30")


def test_a_refusal_lists_what_is_missing(verb, evidence):
    """Each figure with its threshold; the strategy stays, and the holdout is not spent."""
    project = evidence(dsr=0.61, oos_trades=12)
    code, printed = verb("ma_cross")
    assert code == 1
    assert "stays at dev: 3 of 7 missing" in printed
    assert "0.61 at least 0.9" in printed
    assert "12 at least 50" in printed
    assert load_settings(project).stage("ma_cross") == "dev"
    kept = stored(project)
    assert (kept["holdouts"], kept["decisions"][0]["granted"]) == ([], False)


def test_a_holdout_is_spent_once(verb, evidence):
    """A second try after a lost holdout is refused by the recorded figure, whatever it would be today."""
    project = evidence(gain=-0.002)
    assert verb("ma_cross")[0] == 1
    evidence(gain=0.002)
    assert verb("ma_cross")[0] == 1
    kept = stored(project)
    assert len(kept["holdouts"]) == 1
    assert len(kept["decisions"]) == 2


def test_stages_are_climbed_one_by_one(verb, evidence):
    """From dev to paper to production, and no further; the holdout that was opened counts for both."""
    project = evidence()
    assert verb("ma_cross")[0] == 0
    evidence(stage="paper")
    assert verb("ma_cross")[0] == 0
    assert len(stored(project)["holdouts"]) == 1
    evidence(stage="production")
    code, printed = verb("ma_cross")
    assert (code, "is at the last stage" in printed) == (2, True)


def test_evidence_from_before_the_last_trial_does_not_count(verb, evidence):
    """Who tried more since must let it be counted first."""
    project = evidence()
    (project / "data" / "trials" / "ma_cross").mkdir(parents=True)
    (project / "data" / "trials" / "ma_cross" / f"{'a' * 64}.json").write_text("{}", encoding="utf-8")
    code, printed = verb("ma_cross")
    assert code == 1
    assert "tickerbook update" in printed
    assert not (project / "params" / "promotions").exists()


@pytest.mark.parametrize(
    ("words", "said"), [(["ma_crss"], "Did you mean ma_cross?"), (["other"], "no evidence for")]
)
def test_an_unknown_strategy_is_refused(verb, evidence, words, said):
    """With the nearest name."""
    evidence()
    code, printed = verb(*words)
    assert (code, said in printed) == (2, True)


def test_without_evidence_nothing_is_promoted(verb, project):
    """A fresh project says what to run."""
    assert project
    code, printed = verb("ma_cross")
    assert (code, "tickerbook update" in printed) == (1, True)


def test_without_gates_nothing_is_promoted(verb, evidence):
    """No threshold is no free pass."""
    project = evidence()
    (project / "params" / "gates.toml").unlink()
    code, printed = verb("ma_cross")
    assert (code, "no gate [paper]" in printed) == (2, True)
