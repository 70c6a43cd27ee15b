"""How many different ideas were tried: the effective number of trials.

Neighbours in a parameter grid trade almost alike, so that a thousand of them are few different chances to be
lucky. Source of the idea: López de Prado and Lewis, "Detection of False Investment Strategies Using
Unsupervised Learning Methods", Quantitative Finance 19(9), 2019; they choose the number of clusters by
silhouettes, we cut a tree at a stated correlation, which is deterministic and needs no search.
"""

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from tickerbook.errors import DataError

Array = npt.NDArray[np.float64]
ALIKE = 0.5  # mean correlation from which trials are one idea
_NO_RISK = 1e-12


def clusters(returns: Array, alike: float = ALIKE) -> npt.NDArray[np.int64]:
    """The number of the cluster that each trial belongs to, from 1.

    Average linkage on the distance 1 − ρ: two clusters become one if the mean correlation between their
    trials is at least `alike`. Trials that never vary are one cluster together.

    Args:
        returns: a row for each period, a column for each trial.
        alike: a correlation.

    Raises:
        DataError: for returns that are missing or no table.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():  # noqa: PLR2004 - a table
        raise DataError(
            f"Returns of the shape {values.shape} cannot be clustered.",
            "Give a finite return for each period (rows) of each trial (columns).",
        )
    if values.shape[1] == 1:
        return np.ones(1, dtype=np.int64)
    tree = linkage(squareform(1 - _correlations(values), checks=False), "average")
    return np.asarray(fcluster(tree, 1 - alike, "distance"), dtype=np.int64)


def effective_trials(returns: Array, alike: float = ALIKE) -> int:
    """How many clusters of trials there are; arguments and errors as `clusters`."""
    return int(clusters(returns, alike).max())


def _correlations(values: Array) -> Array:
    """Correlations of the columns; columns that never vary are alike to each other and to nothing else."""
    apart = values - values.mean(axis=0)
    lengths = np.sqrt((apart**2).sum(axis=0))
    flat = lengths <= _NO_RISK
    units = np.divide(apart, lengths, out=np.zeros_like(apart), where=~flat)
    correlations: Array = np.clip(units.T @ units, -1, 1)
    correlations[np.ix_(flat, flat)] = 1
    np.fill_diagonal(correlations, 1)
    return correlations
