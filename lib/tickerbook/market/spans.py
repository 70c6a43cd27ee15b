"""Which sessions to ask a vendor for: those that should be stored and are not, and some before them."""

from collections.abc import Collection
from datetime import date

import numpy as np
import pandas as pd

from tickerbook.market.lake import Stored
from tickerbook.market.raw import PRICES
from tickerbook.sessions import sessions_between
from tickerbook.settings import Ticker

OVERLAP = 60  # stored sessions that are asked for again, so that restatements and splits show
_PROBE = 3  # of them, the oldest: where they differ, what is older may differ too
_SAME = 1e-4  # relative; a cent of 100
_CLOSE = 0.005  # relative: within this two vendors agree on a close
_MOSTLY = 0.9  # of the sessions in common
_COMMON = 5  # sessions needed to say so


def absent(stored: Stored, ticker: Ticker, due: date) -> pd.DatetimeIndex:
    """Sessions from the first that is stored to the one that is due, that are not stored."""
    expected = sessions_between(ticker.calendar, stored.frame.index[0].date(), due)
    return expected[~expected.isin(stored.frame.index)]


def first_to_ask(stored: Stored, ticker: Ticker, due: date, known_holes: Collection[date]) -> date | None:
    """The first session to ask for; None where nothing is missing.

    Args:
        stored: what the lake has.
        ticker: whose it is.
        due: the last completed session.
        known_holes: sessions that were asked for lately, and nobody has.
    """
    gone = absent(stored, ticker, due)
    inside = gone < stored.frame.index[-1]
    wanted = gone[~(inside & gone.isin(pd.DatetimeIndex(sorted(known_holes))))]
    if wanted.empty:
        return None
    place = int(stored.frame.index.searchsorted(wanted[0]))
    return stored.frame.index[max(place - OVERLAP, 0)].date()  # type: ignore[no-any-return]


def holes(index: pd.DatetimeIndex, calendar: str, first: date) -> list[date]:
    """Sessions without a row from `first` to the end of `index`."""
    expected = sessions_between(calendar, max(first, index[0].date()), index[-1].date())
    return list(expected[~expected.isin(index)].date)


def agrees(told: pd.DataFrame, stored: pd.DataFrame) -> bool:
    """Whether another vendor's bars continue what is stored: nearly all closes in common are the same."""
    rows = told[~told.index.duplicated()].sort_index()["close"].dropna()
    common = rows.index.intersection(stored.index)
    same = np.isclose(rows.loc[common], stored.loc[common, "close"], rtol=_CLOSE)
    return len(common) >= _COMMON and bool(same.mean() >= _MOSTLY and same[-_PROBE:].all())


def merged(told: pd.DataFrame, stored: pd.DataFrame, *, restate: bool) -> pd.DataFrame:
    """What is stored, with what was told. `restate`: the told row counts where both have one."""
    rows = told if restate else told[~told.index.isin(stored.index)]
    return pd.concat([stored[~stored.index.isin(rows.index)], rows]).sort_index()


def reaches_back(told: pd.DataFrame, stored: pd.DataFrame) -> bool:
    """Whether what was told shows that older sessions than those asked for may have changed too.

    So it is where the oldest of the sessions in common came with other prices, where a split came that is not
    stored, and where there is no session in common.
    """
    rows = told[~told.index.duplicated()].sort_index()
    places = stored.index.get_indexer(rows.index)
    common = np.flatnonzero(places >= 0)
    if not len(common):
        return True
    oldest = common[:_PROBE]
    for name in PRICES:
        new, old = rows[name].to_numpy(float)[oldest], stored[name].to_numpy()[places[oldest]]
        if (np.isfinite(new) & ~np.isclose(new, old, rtol=_SAME)).any():
            return True
    if "split" not in rows:
        return False
    known = np.where(places >= 0, stored["split"].to_numpy()[places], 1.0)
    told_splits = rows["split"].to_numpy(float)
    return bool((~np.isclose(np.where(np.isnan(told_splits), 1.0, told_splits), known, rtol=_SAME)).any())
