"""How a backtest tells what was tried: everything that simulates a strategy on bars calls `tell`."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.sessions import quarter_end
from tickerbook.trials import Scalar, Trials

Array = npt.NDArray[np.float64]
SAMPLE = 256  # configurations of a sweep that leave their returns
_DIGITS = 6  # of returns, so that rounding errors of another machine make no new trial
_NO_RISK = 1e-12


def sampled(configurations: int) -> tuple[int, ...]:
    """Which configurations of a sweep leave their returns: all, or `SAMPLE` of them at equal distances."""
    if configurations <= SAMPLE:
        return tuple(range(configurations))
    return tuple(int(n) for n in np.linspace(0, configurations - 1, SAMPLE).round())


def tell(
    bars: Bars,
    family: str,
    parameters: Sequence[Mapping[str, Scalar]],
    returns: pd.DataFrame,
    *,
    conditions: str,
    sharpes: Sequence[float] | None = None,
) -> None:
    """Tell the witness of the bars, if they have one, which configurations were tried and what came of it.

    Args:
        bars: what they were tried on.
        family: the strategy's name.
        parameters: of each configuration.
        returns: a row for each session and a column for each configuration; where `sharpes` is given, a
            column for each of `sampled(len(parameters))` only. Those of quarters that are not over are left
            out.
        conditions: whatever else the returns depend on, as a text: costs, cash, the base session.
        sharpes: the Sharpe ratio of each configuration's returns, not annualised, of a sweep that is too
            large for all its returns.
    """
    if bars.witness is None:
        return
    until = quarter_end(bars.session)
    kept = returns.loc[: pd.Timestamp(until)].dropna(how="all")
    values = kept.to_numpy(dtype=np.float64)
    columns = sampled(len(parameters))
    told = _sharpes(values) if sharpes is None else _plain(np.asarray(sharpes, dtype=np.float64))
    sample = values if sharpes is not None else values[:, list(columns)]
    months, monthly = _monthly(kept.index, sample)
    bars.witness(
        Trials(
            family=family,
            ticker=bars.ticker,
            parameters=tuple(dict(one) for one in parameters),
            data_digest=_data(bars, until, conditions),
            returns_digest=_digest(values.round(_DIGITS) + 0.0, np.array(told, np.float64)),
            sharpes=told,
            first=kept.index[0].date() if len(kept) else None,
            last=kept.index[-1].date() if len(kept) else None,
            sessions=len(kept),
            months=months,
            sampled=columns,
            monthly=monthly,
            skews=_moments(sample, 3),
            kurtoses=_moments(sample, 4),
        )
    )


def _data(bars: Bars, until: date, conditions: str) -> str:
    known = bars.frame.index[0].date() <= until
    prices = bars.until(until).digest if known else "none"
    return hashlib.sha256(f"{prices} {conditions}".encode()).hexdigest()


def _digest(*arrays: Array) -> str:
    total = hashlib.sha256()
    for values in arrays:
        total.update(f"{values.shape}".encode() + values.astype("<f8").tobytes())
    return total.hexdigest()


def _sharpes(values: Array) -> tuple[float | None, ...]:
    if len(values) < 2:  # noqa: PLR2004 - one return has no deviation
        return tuple(None for _ in values.T)
    deviation = values.std(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Array = np.where(deviation > _NO_RISK, values.mean(axis=0) / deviation, np.nan)
    return _plain(ratio)


def _plain(values: Array) -> tuple[float | None, ...]:
    """Figures as they are stored; None where one does not exist."""
    figures: list[float] = values.tolist()
    return tuple(round(v, 9) if math.isfinite(v) else None for v in figures)


def _monthly(days: pd.DatetimeIndex, values: Array) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
    names = days.strftime("%Y-%m")
    sums = pd.DataFrame(values, index=names).groupby(level=0).sum().round(_DIGITS) + 0.0
    return tuple(sums.index), tuple(map(tuple, sums.to_numpy().T.tolist()))


def _moments(values: Array, power: int) -> tuple[float | None, ...]:
    """Standardised central moments: skewness (3) and kurtosis (4, a normal distribution has 3)."""
    if not len(values):
        return tuple(None for _ in values.T)
    apart = values - values.mean(axis=0)
    deviation = values.std(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        moment: Array = np.where(deviation > _NO_RISK, (apart**power).mean(axis=0) / deviation**power, np.nan)
    return _plain(moment)
