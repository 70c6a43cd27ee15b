"""Does the best of many beat the benchmark, or was it lucky? Studentised superior predictive ability.

Source: Hansen, "A Test for Superior Predictive Ability", Journal of Business & Economic Statistics 23(4),
2005; the resampling is Politis and Romano's stationary bootstrap, and the variance its own (Hansen's ω̂²).
`reality_check` is White's, Econometrica 68(5), 2000: not studentised, and blunted by poor candidates.

This is our own since arch's SPA (8.0) divides by no standard error whatever its `studentize` says.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tickerbook.errors import DataError

Array = npt.NDArray[np.float64]
REPETITIONS = 2_000
_NO_RISK = 1e-12
_LEAST = 10  # periods; what fewer say is chance


@dataclass(frozen=True, slots=True)
class Superiority:
    """How often luck alone gives a best candidate as good as the best one found.

    Attributes:
        p: the consistent p-value, which leaves candidates out that are clearly poor.
        p_low: the same if every candidate that is worse than the benchmark were hopeless.
        p_high: the same if none were: the most cautious of the three.
        best: the column of the best candidate.
    """

    p: float
    p_low: float
    p_high: float
    best: int


def superior_ability(
    losses: Array, benchmark: Array, block: float = 10.0, repetitions: int = REPETITIONS, seed: int = 7
) -> Superiority:
    """Test that no candidate has a smaller expected loss than the benchmark.

    Args:
        losses: a row for each period, a column for each candidate. A loss of returns is −return.
        benchmark: the benchmark's loss in each period.
        block: mean length of a block of periods that is drawn together.
        repetitions: draws.
        seed: of the draws; the same gives the same.

    Raises:
        DataError: for losses that are missing or do not fit, fewer than ten periods, or a block shorter
            than one period.
    """
    gains = _gains(losses, benchmark, block)
    spread = np.sqrt(_long_run_variance(gains, block))
    alive = spread > _NO_RISK
    if not alive.any():  # every candidate is the benchmark
        return Superiority(1.0, 1.0, 1.0, 0)
    periods = len(gains)
    means = gains.mean(axis=0)[alive]
    scores = np.sqrt(periods) * means / spread[alive]
    drawn = stationary_means(gains[:, alive], block, repetitions, seed)
    poor = scores <= -np.sqrt(2 * np.log(np.log(periods)))
    centres = np.maximum(means, 0), np.where(poor, 0, means), means
    found = max(float(scores.max()), 0.0)
    p_low, p, p_high = (
        float(((np.sqrt(periods) * (drawn - c) / spread[alive]).max(axis=1).clip(0) > found).mean())
        if found > 0
        else 1.0
        for c in centres
    )
    return Superiority(p, p_low, p_high, int(np.flatnonzero(alive)[scores.argmax()]))


def reality_check(
    losses: Array, benchmark: Array, block: float = 10.0, repetitions: int = REPETITIONS, seed: int = 7
) -> float:
    """White's p-value for the same question; arguments and errors as `superior_ability`."""
    gains = _gains(losses, benchmark, block)
    drawn = stationary_means(gains, block, repetitions, seed)
    best = gains.mean(axis=0).max()
    return float(((drawn - gains.mean(axis=0)).max(axis=1) >= best).mean())


def stationary_means(values: Array, block: float, repetitions: int, seed: int) -> Array:
    """Means of stationary bootstrap draws: a row for each draw, a column for each series.

    A block goes on to the next period with probability 1 − 1/block, from the last to the first. A draw needs
    only how often each period was taken, so the means of all series are one product of matrices.
    """
    periods = len(values)
    draw = np.random.default_rng(seed)
    taken = np.zeros((repetitions, periods))
    rows = np.arange(repetitions)
    where = draw.integers(periods, size=repetitions)
    for _ in range(periods):
        taken[rows, where] += 1
        jump = draw.random(repetitions) < 1 / block
        where = np.where(jump, draw.integers(periods, size=repetitions), (where + 1) % periods)
    means: Array = taken @ values / periods
    return means


def _long_run_variance(gains: Array, block: float) -> Array:
    """Variance of √n times the mean under the stationary bootstrap (Politis and Romano 1994; Hansen 2005).

    γ₀ + 2 Σ κ(i) γᵢ with κ(i) = (n − i)/n (1 − q)^i + i/n (1 − q)^(n − i) and q = 1/block.
    """
    periods, keep = len(gains), 1 - 1 / block
    apart = gains - gains.mean(axis=0)
    total = (apart**2).mean(axis=0)
    for lag in range(1, periods):
        weight = (periods - lag) / periods * keep**lag + lag / periods * keep ** (periods - lag)
        if weight > _NO_RISK:
            total = total + 2 * weight * (apart[:-lag] * apart[lag:]).sum(axis=0) / periods
    variance: Array = np.maximum(total, 0)
    return variance


def _gains(losses: Array, benchmark: Array, block: float) -> Array:
    ours, theirs = np.asarray(losses, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    fits = ours.ndim == 2 and ours.shape[1] and theirs.shape == (len(ours),)  # noqa: PLR2004 - a table
    if not fits or len(ours) < _LEAST or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise DataError(
            f"Losses of the shape {ours.shape} against {theirs.shape} cannot be compared.",
            f"Give a finite loss for each of {_LEAST} or more periods (rows), and the benchmark's.",
        )
    if not block >= 1:
        raise DataError(f"block = {block} is no length.", "Take one period or more.")
    return theirs[:, None] - ours
