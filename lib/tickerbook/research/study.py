"""The study of one ticker: how often its levels held after a touch, against placebo levels.

Protocol (the docs page "How levels are scored" tells it to traders):

1. At the close of every `STEP`-th session, after `FIRST` and a few more that hang on the ticker's name, the
   levels of every method that were known then are frozen, as `find_levels` would have given them: all, not
   only those that a page shows. Followed are those whose zone lies clear of the close and at most `REACH` ATR
   away. (Were all tickers looked at on the same dates, they would tell little more than one of them.)
2. Each is followed through the next `HORIZON` sessions (`research/race.py`).
3. For each, `PLACEBOS` placebo levels are followed in the same way: same ticker, same date, same side, same
   ATR, at a distance `OFFSETS` ATR nearer or farther, so that their zones do not overlap with the real one.
4. A bounce is compared with the base rate: how often placebos of all methods bounced in the same stratum,
   that is side, distance from the close, trend, and width of the last bar. From what is over, the same of
   the method's own placebos is taken off: they were frozen at the same closes, so that whatever those dates
   had in common goes too.

What counts is the excess: bounces less those that the placebos let expect. It is kept by quarter of the
freeze, because levels overlap in time and hang together: the league draws quarters, not touches.

Everything ends with the last calendar quarter before the bars' newest session: a study says nothing that was
not settled by then, and stays the same all quarter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from zlib import crc32

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.research.frozen import REACH, Frozen, freeze, placebos
from tickerbook.research.levels import METHODS, Method
from tickerbook.research.race import WINDOW, Outcome, Paths, follow
from tickerbook.research.view import History, Search

STEP = 10  # sessions from one freeze to the next
FIRST = 252  # sessions before the first freeze
TREND = 200  # sessions of the mean that tells rising from falling
DISTANCES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, REACH)  # ATR: borders of the strata
WIDTHS = (0.75, 1.25)  # ATR: borders between last bars that were narrow, usual and wide
LAGS = (0, 1, 5)  # sessions to the touch: 1, 2 to 5, more
TOUCHES = ("none", "1 or 2", "3 or more")
REGIMES = ("rising", "falling")
AGES = ("1 session", "2 to 5", "6 to 20", "21 to 60", "older")
_AGE_BORDERS = (1, 5, 20, 60)
_TOUCH_BORDERS = (0, 2)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one method for one ticker.

    Attributes:
        kind: the method by the name under which its odds are measured.
        family: its family.
        n: decided touches, by quarter.
        bounces: of those, by quarter.
        excess: bounces less what the placebos let expect, by quarter; with the part of the placebos' own
            chance in it, so that it varies from quarter to quarter as much as the edge does.
        cells: n, bounces and excess by touches before the freeze and trend, in the order of
            `TOUCHES` × `REGIMES`; shape (3, 6).
        ages: n, bounces and excess by sessions from when the level was known to its touch, in the order of
            `AGES`; shape (3, 5).
    """

    kind: str
    family: str
    n: np.ndarray
    bounces: np.ndarray
    excess: np.ndarray
    cells: np.ndarray
    ages: np.ndarray


@dataclass(frozen=True, slots=True)
class Study:
    """What became of a ticker's levels.

    Attributes:
        ticker: the symbol.
        through: the last session that counts; None where the history is too short.
        quarters: "2012Q3"; those in which levels were frozen, oldest first.
        tallies: one for each kind of level, by name.
    """

    ticker: str
    through: date | None
    quarters: tuple[str, ...]
    tallies: tuple[Tally, ...]


def touch_study(bars: Bars, search: Search | None = None, methods: Iterable[Method] = METHODS) -> Study:
    """Follow the levels of a ticker, and as many placebos, as told above.

    Args:
        bars: daily bars; those of the newest session's quarter do not count.
        search: what the levels are found with.
        methods: those to study.

    Raises:
        DataError: if the prices are not adjusted for splits.
    """
    bars.check_adjusted()
    settled = _settled(bars)
    last = len(settled) - 1 - WINDOW if settled else -1
    rows = np.arange(FIRST + crc32(bars.ticker.encode()) % STEP, last + 1, STEP)
    if settled is None or len(rows) == 0:
        return Study(bars.ticker, None, (), ())
    history = History(settled, search or Search())
    kinds: dict[str, str] = {}
    real = freeze(history, rows.tolist(), tuple(methods), kinds)
    return _studied(history, rows, real, kinds)


def _settled(bars: Bars) -> Bars | None:
    """The bars before the newest session's calendar quarter; None where there are none."""
    begin = pd.Timestamp(bars.session).to_period("Q").start_time
    frame = bars.frame.iloc[: int(bars.frame.index.searchsorted(begin))]
    return replace(bars, frame=frame) if len(frame) else None


def _raced(history: History, levels: Frozen) -> Outcome:
    unit, close = history.atr[levels.row], history.closes[levels.row]
    edges = close + np.where(levels.is_support, -1.0, 1.0) * levels.distance * unit
    paths = Paths(history.opens, history.highs, history.lows, history.closes)
    return follow(paths, levels.row, edges, unit, levels.is_support)


@dataclass(frozen=True, slots=True)
class _Events:
    """Decided touches; `stratum` is known at the freeze, `lagged` adds how soon the touch came."""

    kind: np.ndarray
    stratum: np.ndarray
    lagged: np.ndarray
    quarter: np.ndarray
    regime: np.ndarray
    bounced: np.ndarray
    age: np.ndarray
    visits: np.ndarray

    def of(self, kept: np.ndarray) -> "_Events":
        """Some of them."""
        return _Events(*(getattr(self, one.name)[kept] for one in fields(self)))


def _studied(history: History, rows: np.ndarray, real: Frozen, kinds: dict[str, str]) -> Study:
    dates = _dates(history, rows)
    ours, theirs = (_events(history, one, dates) for one in (real, placebos(real)))
    over = _residuals(ours.stratum, ours.bounced, theirs.stratum, theirs.bounced)
    # By age, base rates are matched by how soon the touch came, too: that is most of the age.
    later = _residuals(ours.lagged, ours.bounced, theirs.lagged, theirs.bounced)
    tallies = []
    for number, (kind, family) in enumerate(kinds.items()):
        mine, placebo = ours.kind == number, theirs.kind == number
        if mine.any():
            own = _Excess.over(over, mine, placebo), _Excess.over(later, mine, placebo)
            tallies.append(
                _tally(kind, family, (ours.of(mine), theirs.of(placebo)), own, len(dates.quarters))
            )
    named = tuple(sorted(tallies, key=lambda tally: tally.kind))
    return Study(history.bars.ticker, history.bars.session, dates.quarters, named)


def _residuals(
    real: np.ndarray, bounced: np.ndarray, placebo: np.ndarray, rebounded: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bounces over the base rate of their stratum: of real touches and of placebos."""
    base, own = _base(placebo, rebounded, real)
    return bounced - base, rebounded - own


@dataclass(frozen=True, slots=True)
class _Excess:
    """Of one kind: bounces over those expected, of its real touches and of its placebos."""

    real: np.ndarray
    placebo: np.ndarray

    @classmethod
    def over(
        cls, residuals: tuple[np.ndarray, np.ndarray], mine: np.ndarray, placebo: np.ndarray
    ) -> "_Excess":
        """Take the mean of the kind's own placebos off both."""
        theirs = residuals[1][placebo]
        dates = float(theirs.mean()) if len(theirs) else 0.0
        return cls(residuals[0][mine] - dates, theirs - dates)


@dataclass(frozen=True, slots=True)
class _Dates:
    """What the sessions are, by row: place in `quarters`, trend, and how wide the last bar was."""

    quarters: tuple[str, ...]
    quarter: np.ndarray
    regime: np.ndarray
    width: np.ndarray


def _dates(history: History, rows: np.ndarray) -> _Dates:
    codes, quarters = pd.factorize(pd.PeriodIndex(pd.DatetimeIndex(history.days[rows]), freq="Q"))
    quarter = np.zeros(len(history.days), dtype="int64")
    quarter[rows] = codes
    closes = history.bars.frame["close"]
    falling = (closes < closes.rolling(TREND).mean()).to_numpy().astype("int64")
    with np.errstate(invalid="ignore", divide="ignore"):  # only rows with an ATR above zero are looked at
        width = np.searchsorted(WIDTHS, (history.highs - history.lows) / history.atr)
    return _Dates(tuple(map(str, quarters)), quarter, falling, width)


def _events(history: History, levels: Frozen, dates: _Dates) -> _Events:
    outcome = _raced(history, levels)
    kept = outcome.decided
    row, lag = levels.row[kept], outcome.lag[kept]
    place = np.searchsorted(DISTANCES, levels.distance[kept]) * 2 + levels.is_support[kept]
    stratum = (place * len(REGIMES) + dates.regime[row]) * (len(WIDTHS) + 1) + dates.width[row]
    return _Events(
        kind=levels.kind[kept],
        stratum=stratum,
        lagged=stratum * (len(LAGS) + 1) + np.searchsorted(LAGS, lag),
        quarter=dates.quarter[row],
        regime=dates.regime[row],
        bounced=outcome.bounced[kept],
        age=levels.age[kept] + lag,
        visits=levels.visits[kept],
    )


def _tally(
    kind: str, family: str, events: tuple[_Events, _Events], own: tuple[_Excess, _Excess], quarters: int
) -> Tally:
    """Counts of one kind: from its touches, real and placebo, and its excess, over all and by age."""
    (real, placebo), (over, later) = events, own
    bounced, one = real.bounced.astype("float64"), np.ones(len(real.bounced))
    n, bounces, excess = _sums(real.quarter, quarters, one, bounced, over.real)
    # The placebos' own luck is in the excess too: each has its part in it, and all parts sum to zero.
    luck = np.bincount(placebo.quarter, over.placebo, quarters) * (len(one) / max(1, len(over.placebo)))
    cell = np.searchsorted(_TOUCH_BORDERS, real.visits) * len(REGIMES) + real.regime
    cells = _sums(cell, len(TOUCHES) * len(REGIMES), one, bounced, over.real)
    ages = _sums(np.searchsorted(_AGE_BORDERS, real.age), len(AGES), one, bounced, later.real)
    return Tally(kind, family, n, bounces, excess - luck, cells, ages)


def _base(strata: np.ndarray, bounced: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often placebos bounced in the stratum of each real touch and of each placebo.

    A stratum that has no placebo takes the rate of all.
    """
    size = 1 + int(max(strata.max(initial=0), real.max(initial=0)))
    count, held = np.bincount(strata, minlength=size), np.bincount(strata, bounced, size)
    rate = np.where(count > 0, held / np.maximum(count, 1), bounced.mean() if len(bounced) else 0.5)
    return rate[real], rate[strata]


def _sums(group: np.ndarray, size: int, *values: np.ndarray) -> np.ndarray:
    """Sums of each of the values by group, one row each."""
    return np.array([np.bincount(group, value, size) for value in values])
