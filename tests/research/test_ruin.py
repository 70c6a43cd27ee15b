"""The chance of a drawdown, against what is known of it."""

import numpy as np
import pandas as pd
import pytest

from tickerbook.errors import ConfigError, NotEnoughBarsError
from tickerbook.research.sizing import drawdown_chance

NOISE = pd.Series(np.random.default_rng(3).normal(0, 0.01, 4000))


def test_it_agrees_with_a_random_walk():
    """A drawdown without drift is a reflected walk (Lévy), whose chance to stay below a height is known."""
    limit, sessions = 0.2, 252
    distance = -np.log(1 - limit) / (NOISE.std() * np.sqrt(sessions))
    odd = np.arange(20)
    stays = (
        4
        / np.pi
        * np.sum((-1) ** odd / (2 * odd + 1) * np.exp(-((2 * odd + 1) ** 2) * np.pi**2 / 8 / distance**2))
    )
    assert drawdown_chance(NOISE + 0.001, limit, sessions, paths=4000) == pytest.approx(1 - stays, abs=0.06)


def test_more_in_it_is_never_safer():
    """Twice the weight has at least the chance; nothing has none."""
    chances = [drawdown_chance(NOISE * weight, 0.15) for weight in (0, 0.5, 1, 2)]
    assert chances == sorted(chances)
    assert chances[0] == 0
    assert chances[-1] > 0.5


def test_the_same_returns_give_the_same_chance():
    """The generator has a seed."""
    assert drawdown_chance(NOISE, 0.1) == drawdown_chance(NOISE.copy(), 0.1)


def test_runs_of_losses_stay_together():
    """Losses that come in a row fall deeper than the same ones mixed: blocks keep them."""
    runs = pd.Series(np.where(np.arange(2000) // 20 % 2 == 0, -0.01, 0.0102))
    mixed = runs.sample(frac=1, random_state=1)
    assert drawdown_chance(runs, 0.2) > drawdown_chance(mixed, 0.2) + 0.2


def test_what_says_nothing_is_refused():
    """A handful of returns, and limits that are none."""
    with pytest.raises(NotEnoughBarsError, match="59 returns"):
        drawdown_chance(NOISE[:59], 0.2)
    with pytest.raises(NotEnoughBarsError):
        drawdown_chance(pd.Series([np.nan] * 500), 0.2)
    for limit in (0, -0.1, np.nan):
        with pytest.raises(ConfigError):
            drawdown_chance(NOISE, limit)
