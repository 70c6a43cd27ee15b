"""params/gates.toml and the stages in params/strategies.toml, read strictly."""

import pytest

from tickerbook.errors import ConfigError
from tickerbook.settings import load_settings

TABLE = """\
deflated_sharpe = 0.9
overfitting = 0.3
trades = 50
sessions = 756
drawdown = 0.4
break_even_bps = 15.0
certificate = true
holdout_sharpe = 0.0
"""
GATES = f"[paper]\n{TABLE}\n[production]\n{TABLE}"


def with_gates(make_project, text):
    """Settings of a project with that gates.toml."""
    return load_settings(make_project(params={"gates.toml": text}))


def with_stages(make_project, text):
    """Settings of a project whose [strategies] say that."""
    project = make_project(params={"strategies.toml": f"[strategies]\n{text}"})
    (project / "notebooks" / "strategies.ipynb").write_text("", encoding="utf-8")
    return load_settings(project)


def test_gates_are_read(make_project):
    """Each stage but the first has its thresholds."""
    gates = with_gates(make_project, GATES).gates
    assert list(gates) == ["paper", "production"]
    assert (gates["paper"].trades, gates["paper"].certificate) == (50, True)


def test_a_project_without_gates_has_none(project):
    """Then nothing can be promoted, and everything else works."""
    assert load_settings(project).gates == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("trades = 50", "trade = 50", "Did you mean trades?"),
        ("trades = 50\n", "", "'paper.trades' is missing"),
        ("trades = 50", 'trades = "many"', "paper.trades"),
        ("trades = 50", "trades = -1", "paper.trades"),
        ("deflated_sharpe = 0.9", "deflated_sharpe = 90.0", "paper.deflated_sharpe"),
        ("deflated_sharpe = 0.9", "deflated_sharpe = nan", "paper.deflated_sharpe"),
        ("drawdown = 0.4", "drawdown = -0.4", "paper.drawdown"),
        ("holdout_sharpe = 0.0", "holdout_sharpe = -inf", "paper.holdout_sharpe"),
        ("[production]", "[live]", "live"),
    ],
)
def test_gates_that_do_not_fit_are_refused(make_project, old, new, said):
    """A threshold that is misspelt, left out or impossible is no open gate."""
    with pytest.raises(ConfigError) as refused:
        with_gates(make_project, GATES.replace(old, new, 1))
    assert said in str(refused.value)
    assert "gates.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stage = "live"', "dev, paper, production"),
        ('paper = ["ma_crss"]', "Did you mean ma_cross?"),
        ('paper = ["ma_cross"]\nproduction = ["ma_cross"]', "more than once"),
        ('paper = ["ma_cross", "ma_cross"]', "more than once"),
    ],
)
def test_stages_that_do_not_fit_are_refused(make_project, text, said):
    """A strategy is at one stage that there is."""
    with pytest.raises(ConfigError) as refused:
        with_stages(make_project, text)
    assert said in str(refused.value)


def test_stages_are_read(make_project):
    """What no list names is at the first stage."""
    settings = with_stages(make_project, 'paper = ["ma_cross"]\nproduction = ["level_bounce"]')
    stages = [settings.stage(name) for name in ("ma_cross", "level_bounce", "donchian")]
    assert stages == ["paper", "production", "dev"]
