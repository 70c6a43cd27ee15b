"""Decisions about strategies, and the line of params/ that they change."""

import tomllib

import pytest

from tickerbook.errors import ConfigError, TornFileError
from tickerbook.promotions import Promotions
from tickerbook.settings import load_settings

STRATEGIES = """\
# What is tested.
[backtest]
cash = 1000.0   # to start with

[strategies]
stage = "dev"   # least stage
paper = []      # strategies at the stage paper
production = [] # and at production
"""


@pytest.fixture
def promotions(project):
    """Those of a project whose strategies have stages."""
    (project / "notebooks" / "backtest.ipynb").write_text("", encoding="utf-8")
    (project / "notebooks" / "strategies.ipynb").write_text("", encoding="utf-8")
    (project / "params" / "strategies.toml").write_text(STRATEGIES, encoding="utf-8")
    return Promotions(project)


def text(promotions):
    """The file as it is."""
    return (promotions.project / "params" / "strategies.toml").read_text(encoding="utf-8")


def test_a_strategy_moves_and_comments_stay(promotions):
    """One list changes; every other character of the file is as it was."""
    promotions.move("ma_cross", "paper")
    assert text(promotions) == STRATEGIES.replace("paper = []", 'paper = ["ma_cross"]')
    assert load_settings(promotions.project).stage("ma_cross") == "paper"


def test_a_strategy_is_at_one_stage(promotions):
    """Moving on takes it from the list it was in; others stay."""
    promotions.move("ma_cross", "paper")
    promotions.move("level_bounce", "paper")
    promotions.move("ma_cross", "production")
    settings = load_settings(promotions.project)
    assert [settings.stage(name) for name in ("ma_cross", "level_bounce", "donchian")] == [
        "production",
        "paper",
        "dev",
    ]


def test_a_file_without_stages_gets_them(promotions):
    """Who never had the table finds it made."""
    path = promotions.project / "params" / "strategies.toml"
    path.write_text("[backtest]\ncash = 1000.0\n", encoding="utf-8")
    promotions.move("ma_cross", "paper")
    assert tomllib.loads(text(promotions)) == {
        "backtest": {"cash": 1000.0},
        "strategies": {"paper": ["ma_cross"]},
    }


@pytest.mark.parametrize("broken", ["[strategies", "strategies = 3\n", "[strategies]\npaper = 3\n"])
def test_a_file_that_does_not_fit_is_left_alone(promotions, broken):
    """It is told, with what to write by hand."""
    path = promotions.project / "params" / "strategies.toml"
    path.write_text(broken, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"ma_cross"):
        promotions.move("ma_cross", "paper")
    assert text(promotions) == broken


def test_decisions_are_kept_in_order(promotions):
    """Nothing is replaced; holdouts and decisions are apart."""
    for number in (1, 2):
        promotions.add("ma_cross", "decisions", {"granted": False, "number": number})
    promotions.add("ma_cross", "holdouts", {"sharpe": 0.5})
    found = promotions.read("ma_cross")
    assert [entry["number"] for entry in found["decisions"]] == [1, 2]
    assert found["holdouts"] == [{"sharpe": 0.5}]
    assert promotions.strategies() == ("ma_cross",)


def test_nothing_asked_is_nothing_decided(promotions):
    """A new strategy has no history."""
    assert promotions.read("ma_cross") == {"holdouts": [], "decisions": []}
    assert promotions.strategies() == ()


def test_a_damaged_file_is_no_unspent_holdout(promotions):
    """What cannot be read is not taken for empty."""
    promotions.folder.mkdir()
    (promotions.folder / "ma_cross.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TornFileError, match="holdout"):
        promotions.read("ma_cross")
