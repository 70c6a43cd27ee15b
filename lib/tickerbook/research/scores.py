"""What measured frequencies are worth: intervals, shrinkage, false discoveries, scored forecasts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, stdtr

BLOCK = 2  # quarters: what happens at the turn of one reaches into the next
DRAWS = 2000
LEVEL = 0.95
_SEED = 7
_CONCENTRATIONS = np.geomspace(20, 20_000, 61)


def block_draws(blocks: int, draws: int = DRAWS) -> np.ndarray:
    """How often each of so many quarters is drawn: a circular block bootstrap, shape (draws, blocks).

    Source: Politis and Romano, "A circular block-resampling procedure for stationary data", 1992.
    """
    rng = np.random.default_rng(_SEED)
    starts = rng.integers(0, blocks, (draws, -(-blocks // BLOCK)))
    drawn = (starts[:, :, None] + np.arange(BLOCK)).reshape(draws, -1)[:, :blocks] % blocks
    counts = np.zeros((draws, blocks))
    np.add.at(counts, (np.arange(draws)[:, None], drawn), 1)
    return counts


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of sums with its uncertainty: 95 % interval and standard error."""

    value: float
    low: float
    high: float
    error: float


def ratio(over: np.ndarray, n: np.ndarray, draws: np.ndarray) -> Ratio:
    """Σ over / Σ n with the interval of its bootstrap.

    Few blocks vary too little when they are drawn from: deviations are widened by √(B/(B − 1)).

    Args:
        over: numerator by block.
        n: denominator by block.
        draws: as `block_draws` gives them.
    """
    total = draws @ n
    drawn = (draws @ over)[total > 0] / total[total > 0]
    value = float(over.sum() / n.sum())
    apart = (drawn - value) * np.sqrt(len(n) / max(1, len(n) - 1))
    low, high = np.quantile(apart, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Ratio(value, value + float(low), value + float(high), float(apart.std()))


def p_value(edge: float, error: float, blocks: int) -> float:
    """Two-sided probability of an edge as far from zero by luck: Student's t, as there are few blocks."""
    return float(2 * stdtr(max(1, blocks - 1), -abs(edge) / error)) if error > 0 else 1.0


def discoveries(p_values: np.ndarray, rate: float) -> np.ndarray:
    """Which are discoveries if at most `rate` of those may be false ones.

    Source: Benjamini and Hochberg, "Controlling the false discovery rate", 1995.
    """
    order = np.argsort(p_values)
    passed = p_values[order] <= rate * np.arange(1, len(order) + 1) / max(1, len(order))
    found = np.zeros(len(order), dtype="bool")
    if passed.any():
        found[order[: np.flatnonzero(passed)[-1] + 1]] = True
    return found


def concentration(bounces: np.ndarray, n: np.ndarray, mean: float) -> float:
    """How alike tickers are: M of the beta-binomial with that mean under which their counts are likeliest.

    The probability of a ticker is Beta(M·mean, M·(1 − mean)); a large M says that all are the same. Source:
    Gelman et al., Bayesian Data Analysis, 3rd edition, 5.3; M here by maximum likelihood on a grid.
    """
    mean = min(max(mean, 1e-6), 1 - 1e-6)
    a, b = _CONCENTRATIONS * mean, _CONCENTRATIONS * (1 - mean)
    likelihood = betaln(bounces[:, None] + a, (n - bounces)[:, None] + b) - betaln(a, b)
    return float(_CONCENTRATIONS[likelihood.sum(axis=0).argmax()])


def weight_of_own(n: float, prior: float) -> float:
    """How much a ticker's own frequency weighs against that of all, which counts as `prior` touches."""
    return n / (n + prior)


def brier(forecast: np.ndarray, bounces: np.ndarray, n: np.ndarray) -> float:
    """Mean squared distance of forecasts from what happened, 0 or 1, over all touches (Brier, 1950)."""
    return float((bounces * (1 - forecast) ** 2 + (n - bounces) * forecast**2).sum() / n.sum())


def calibration(
    forecast: np.ndarray, bounces: np.ndarray, n: np.ndarray, groups: int = 5
) -> list[tuple[float, float, int]]:
    """Forecast and observed frequency and touches, in groups of rising forecasts and equal size."""
    order = np.argsort(forecast, kind="stable")
    done = np.cumsum(n[order])
    group = np.minimum((done - n[order] / 2) / done[-1] * groups, groups - 1).astype("int64")
    found = []
    for number in range(groups):
        rows = order[group == number]
        total = n[rows].sum()
        if total > 0:
            mean = float(forecast[rows] @ n[rows] / total)
            found.append((mean, float(bounces[rows].sum() / total), int(total)))
    return found
