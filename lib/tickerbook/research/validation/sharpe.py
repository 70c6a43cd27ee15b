"""The Sharpe ratio's own uncertainty: probabilistic and deflated Sharpe ratio, track record length.

Sources: Bailey and López de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk 15(2), 2012
(`probabilistic_sharpe`, `least_track_record`); the same, "The Deflated Sharpe Ratio", Journal of Portfolio
Management 40(5), 2014 (`expected_best`, `deflated_sharpe`).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from tickerbook.errors import DataError

Array = npt.NDArray[np.float64]
_EULER = float(np.euler_gamma)
_NO_RISK = 1e-12


@dataclass(frozen=True, slots=True)
class Moments:
    """What the probability of a Sharpe ratio follows from.

    Attributes:
        sharpe: of one period.
        sessions: returns it was measured on.
        skew: skewness of the returns.
        kurtosis: 3 for a normal distribution.
    """

    sharpe: float
    sessions: int
    skew: float = 0.0
    kurtosis: float = 3.0

    @property
    def variance(self) -> float:
        """Of the estimated Sharpe ratio, times n − 1: 1 − γ₃ SR + (γ₄ − 1)/4 SR²."""
        return 1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2


def moments(returns: Array) -> Moments:
    """The moments of returns; NaN figures where the returns do not vary, or are fewer than two.

    Raises:
        DataError: for returns that are not finite.
    """
    values = np.asarray(returns, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DataError("A return is missing or infinite.", "Leave out sessions without a return.")
    deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if deviation <= _NO_RISK:
        return Moments(math.nan, len(values), math.nan, math.nan)
    apart = (values - values.mean()) / values.std()
    return Moments(
        float(values.mean()) / deviation, len(values), float((apart**3).mean()), float((apart**4).mean())
    )


def probabilistic_sharpe(of: Moments, target: float = 0.0) -> float:
    """The probability that the true Sharpe ratio is above `target` (of one period); NaN where unknown.

    Φ[(SR − SR*) √(n − 1) / √(1 − γ₃ SR + (γ₄ − 1)/4 SR²)].
    """
    if of.sessions < 2 or not of.variance > 0:  # noqa: PLR2004 - one return has no deviation
        return math.nan
    return float(norm.cdf((of.sharpe - target) * math.sqrt(of.sessions - 1) / math.sqrt(of.variance)))


def expected_best(trials: float, variance: float) -> float:
    """The best Sharpe ratio to expect of so many trials without any skill; 0 for a single one.

    √V [(1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e))], with Euler's γ: the expected maximum of N independent
    normal figures.

    Args:
        trials: how many were made, 1 or more.
        variance: of their Sharpe ratios (of one period).

    Raises:
        DataError: for fewer than one trial, or a negative or unknown variance.
    """
    if not trials >= 1 or not variance >= 0:
        raise DataError(
            f"{trials} trials with a variance of {variance} have no expected best.",
            "Take both from the trial ledger.",
        )
    if trials == 1:
        return 0.0
    high = (1 - _EULER) * norm.ppf(1 - 1 / trials) + _EULER * norm.ppf(1 - 1 / (trials * math.e))
    return max(float(math.sqrt(variance) * high), 0.0)


def deflated_sharpe(of: Moments, trials: float, variance: float) -> float:
    """The probability that there is skill although the best of so many trials was taken.

    The probabilistic Sharpe ratio against what luck alone would have given (`expected_best`).

    Raises:
        DataError: as `expected_best`.
    """
    return probabilistic_sharpe(of, expected_best(trials, variance))


def least_track_record(of: Moments, target: float = 0.0, confidence: float = 0.95) -> float:
    """Sessions needed before a Sharpe ratio like this says that the true one is above `target`.

    1 + (1 − γ₃ SR + (γ₄ − 1)/4 SR²) (z / (SR − SR*))²; NaN where it is not above the target, since no record
    is long enough then.

    Raises:
        DataError: if `confidence` is not between a half and one.
    """
    if not 0.5 < confidence < 1:  # noqa: PLR2004 - a half is a coin
        raise DataError(f"confidence = {confidence} is none.", "Take one between 0.5 and 1, such as 0.95.")
    if not of.sharpe > target:
        return math.nan
    return 1 + of.variance * float(norm.ppf(confidence) / (of.sharpe - target)) ** 2
