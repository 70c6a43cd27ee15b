"""What a search through many backtests amounts to, from the trial ledger."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.errors import DataError
from tickerbook.research.validation.clusters import effective_trials
from tickerbook.research.validation.overfitting import overfitting
from tickerbook.research.validation.superiority import superior_ability
from tickerbook.trials import Trials, count_trials

Array = npt.NDArray[np.float64]
_Case = tuple[str, str, str]  # family, configuration, ticker
_Place = tuple[Trials, int]  # a record, and which of its configurations
LEAST_MONTHS = 24
_BLOCKS, _MONTHS_A_BLOCK = 10, 3  # 252 splits where there are two and a half years or more
_WHOLE = 0.8  # of the longest record: what is shorter would shorten the comparison of all
_SPA_BLOCK = 3.0  # months


@dataclass(frozen=True, eq=False)
class Search:
    """Trials of one family, or of all of them.

    Attributes:
        count: configurations tried (`count_trials`).
        variance: of their Sharpe ratios of one session; None where fewer than two are known.
    """

    count: int
    variance: float | None
    _chosen: Mapping[_Case, Sequence[_Place]] = field(repr=False)

    @cached_property
    def monthly(self) -> pd.DataFrame:
        """Returns of months (rows) of configurations (columns), the mean over the tickers.

        Those that left their returns and were measured on most of the time; months that all have.
        """
        rows = [
            (f"{family} {name}", month, value)
            for (family, name, _), variants in self._chosen.items()
            for month, value in _kept(*variants[0])
        ]
        long = pd.DataFrame(rows, columns=["trial", "month", "value"])
        wide = long.pivot_table("value", "month", "trial")
        months = wide.notna().sum()
        return wide.loc[:, months >= _WHOLE * months.max()].dropna() if len(wide) else pd.DataFrame()

    @property
    def effective(self) -> int | None:
        """How many different ideas are among those that left their returns; None where too few did."""
        known = len(self.monthly) >= LEAST_MONTHS and self.monthly.shape[1] > 0
        return effective_trials(self.monthly.to_numpy()) if known else None

    @property
    def overfitting(self) -> float | None:
        """The probability of backtest overfitting; None for too few returns, 0 for a single trial."""
        if self.count == 1:
            return 0.0
        blocks = min(_BLOCKS, len(self.monthly) // _MONTHS_A_BLOCK // 2 * 2)
        if self.monthly.shape[1] < 2 or len(self.monthly) < LEAST_MONTHS:  # noqa: PLR2004 - one has no rank
            return None
        return overfitting(self.monthly.to_numpy(), blocks).probability

    def superiority(self, benchmark: pd.Series) -> float | None:
        """How likely luck alone gives a best configuration as far above the benchmark; None where unknown.

        Args:
            benchmark: its return in each month.
        """
        shared = self.monthly.join(benchmark.rename("benchmark"), how="inner").dropna()
        if len(shared) < LEAST_MONTHS or shared.shape[1] < 2:  # noqa: PLR2004 - the benchmark alone
            return None
        losses = -shared.to_numpy()
        return superior_ability(losses[:, :-1], losses[:, -1], _SPA_BLOCK).p


def search(records: Sequence[Trials], until: date, tickers: Collection[str] | None = None) -> Search:
    """Sum up trials.

    All of them count. Variance and returns are of those on the `tickers` (default: of all), so that they can
    be compared with what was made of these.

    A configuration that was measured on a ticker more than once counts with its newest measurement that ends
    not after `until`, else with its earliest: so what is measured again later changes nothing.

    Raises:
        DataError: if the records are of no trial.
    """
    if not records:
        raise DataError("There are no trials to sum up.", "Run the backtests first.")
    chosen = _chosen([r for r in records if tickers is None or r.ticker in tickers], until)
    return Search(count_trials(records), _variance(chosen), chosen)


def _chosen(records: Sequence[Trials], until: date) -> dict[_Case, list[_Place]]:
    """Family, configuration, ticker → the record that counts and the place in it; variants side by side."""
    found: dict[_Case, dict[str, list[_Place]]] = {}
    for _, record in sorted({one.digest: one for one in records}.items()):
        for place, name in enumerate(record.names):
            case = found.setdefault((record.family, name, record.ticker), {})
            case.setdefault(record.data_digest, []).append((record, place))
    return {key: min(case.values(), key=lambda same: _rank(same[0][0], until)) for key, case in found.items()}


def _rank(record: Trials, until: date) -> tuple[bool, int, int, str]:
    last = record.last or date.min
    late = last > until
    return late, last.toordinal() * (1 if late else -1), -record.sessions, record.data_digest


def _variance(chosen: Mapping[_Case, Sequence[_Place]]) -> float | None:
    """Mean over the tickers of the variance between configurations, weighted by how many were tried."""
    rows = [
        (ticker, sharpe)
        for (_, _, ticker), variants in chosen.items()
        for record, place in variants
        if (sharpe := record.sharpes[place]) is not None
    ]
    groups = (
        pd.DataFrame(rows, columns=["ticker", "sharpe"]).groupby("ticker")["sharpe"].agg(["var", "count"])
    )
    known = groups.dropna()
    return float(np.average(known["var"], weights=known["count"])) if len(known) else None


def _kept(record: Trials, place: int) -> Iterator[tuple[str, float]]:
    """The returns of the months that a configuration left, if it did."""
    if place in record.sampled:
        yield from zip(record.months, record.monthly[record.sampled.index(place)], strict=True)
