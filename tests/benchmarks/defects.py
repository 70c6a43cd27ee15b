"""SYNTHETIC defects: real bars, broken on purpose in one known place. Seeded; nothing here is served by a vendor.

Each maker takes a clean frame (split-adjusted, as Yahoo serves it, with dividends, splits and adjusted close) and a
generator of random numbers, and gives a `Broken`. A maker that cannot break a frame in its way gives None.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

PRICES = ["open", "high", "low", "close"]
ALL = [*PRICES, "adj_close"]


@dataclass(frozen=True, eq=False)
class Broken:
    """A frame with a defect.

    Attributes:
        frame: what the gate is given.
        sessions: the days that a check must name (one of them is enough); empty where it concerns the whole.
        right: what should come out.
        context: what the gate is told besides.
    """

    frame: pd.DataFrame
    sessions: tuple[date, ...]
    right: pd.DataFrame
    context: dict[str, Any] = field(default_factory=dict)


Maker = Callable[[pd.DataFrame, np.random.Generator], Broken | None]
MAKERS: dict[str, Maker] = {}


def maker(make: Maker) -> Maker:
    """Put a maker on the list, under its name."""
    MAKERS[make.__name__] = make
    return make


def _spot(clean: pd.DataFrame, rng: np.random.Generator, length: int = 1) -> slice:
    first = int(rng.integers(100, len(clean) - 100 - length))
    return slice(first, first + length)


def _without(clean: pd.DataFrame, rows: Any) -> pd.DataFrame:
    """The clean frame without rows whose values cannot be known; their dividends go to the next row."""
    gone = clean.index[rows]
    kept = clean.drop(gone)
    for day in gone:
        after = kept.index[kept.index > day][:1]
        kept.loc[after, "dividend"] += clean.loc[day, "dividend"]
    return kept


def _broken(clean: pd.DataFrame, frame: pd.DataFrame, rows: Any, **context: Any) -> Broken:
    return Broken(frame, tuple(clean.index[rows].date), clean, context)


def _scaled(clean: pd.DataFrame, rows: Any, factor: float, columns: list[str] | None = None) -> pd.DataFrame:
    frame = clean.copy()
    for name in columns or ALL:
        values = frame[name].to_numpy(copy=True)
        values[rows] *= factor
        frame[name] = values
    return frame


def _with(clean: pd.DataFrame, rows: Any, **values: Any) -> pd.DataFrame:
    frame = clean.copy()
    for name, value in values.items():
        changed = frame[name].to_numpy(copy=True)
        changed[rows] = value
        frame[name] = changed
    return frame


@maker
def unit_row(clean, rng):
    """One row 100 times too large or too small."""
    rows = _spot(clean, rng)
    return _broken(clean, _scaled(clean, rows, rng.choice([100.0, 0.01])), rows)


@maker
def unit_block(clean, rng):
    """A run of 3 to 40 rows in the other unit."""
    rows = _spot(clean, rng, int(rng.integers(3, 40)))
    return _broken(clean, _scaled(clean, rows, rng.choice([100.0, 0.01])), rows)


@maker
def unit_before(clean, rng):
    """Everything before a day in the other unit."""
    rows = slice(0, int(rng.integers(50, len(clean) - 50)))
    return _broken(clean, _scaled(clean, rows, rng.choice([100.0, 0.01])), rows)


@maker
def unit_last_row(clean, _rng):
    """The newest row alone in the other unit."""
    rows = slice(len(clean) - 1, len(clean))
    return _broken(clean, _scaled(clean, rows, 100.0), rows)


@maker
def unit_flip_flop(clean, rng):
    """Units that change to and fro."""
    edges = np.sort(rng.choice(np.arange(50, len(clean) - 50), 5, replace=False))
    rows = np.concatenate([np.arange(a, b) for a, b in zip(edges[:-1:2], edges[1::2], strict=True)])
    return _broken(clean, _scaled(clean, rows, 0.01), rows)


@maker
def unit_two_fields(clean, rng):
    """Two prices of one bar in the other unit."""
    rows = _spot(clean, rng)
    names = list(rng.choice(PRICES, 2, replace=False))
    return _broken(clean, _scaled(clean, rows, rng.choice([100.0, 0.01]), names), rows)


@maker
def unit_thousand(clean, rng):
    """A run in thousandths."""
    rows = _spot(clean, rng, 10)
    return _broken(clean, _scaled(clean, rows, 1000.0), rows)


@maker
def high_below_low(clean, rng):
    """High and low exchanged."""
    rows = _spot(clean, rng)
    high, low = clean["high"].iloc[rows], clean["low"].iloc[rows]
    if ((high / low - 1) < 0.005).any():
        return None
    return _broken(clean, _with(clean, rows, high=low, low=high), rows)


@maker
def close_above_high(clean, rng):
    """A close 3 % above the high."""
    rows = _spot(clean, rng)
    frame = _with(clean, rows, close=clean["high"].iloc[rows] * 1.03)
    return Broken(frame, tuple(clean.index[rows].date), _without(clean, rows))


@maker
def blank_row(clean, rng):
    """A row without prices, on a day with a dividend where there is one."""
    paid = np.flatnonzero(clean["dividend"].to_numpy()[:-1] > 0)
    row = int(rng.choice(paid)) if len(paid) else int(rng.integers(100, len(clean) - 100))
    rows = slice(row, row + 1)
    nothing = dict.fromkeys([*ALL, "volume"], np.nan)
    return Broken(_with(clean, rows, **nothing), tuple(clean.index[rows].date), _without(clean, rows))


@maker
def zero_volume(clean, rng):
    """No volume on a day that traded."""
    rows = _spot(clean, rng)
    return _broken(clean, _with(clean, rows, volume=0.0), rows)


@maker
def zero_price(clean, rng):
    """One price is zero."""
    rows = _spot(clean, rng)
    frame = _with(clean, rows, **{str(rng.choice(PRICES)): 0.0})
    return Broken(frame, tuple(clean.index[rows].date), _without(clean, rows))


@maker
def minus_sign(clean, rng):
    """A row with the wrong sign."""
    rows = _spot(clean, rng)
    return _broken(clean, _scaled(clean, rows, -1.0, PRICES), rows)


@maker
def repeated(clean, rng):
    """Five rows that repeat the one before them."""
    rows = _spot(clean, rng, 5)
    before = {name: clean[name].iloc[rows.start - 1] for name in [*ALL, "volume"]}
    return Broken(_with(clean, rows, **before), tuple(clean.index[rows].date), _without(clean, rows))


@maker
def copied(clean, rng):
    """A row twice."""
    rows = _spot(clean, rng)
    return _broken(clean, pd.concat([clean, clean.iloc[rows]]).sort_index(kind="stable"), rows)


@maker
def conflicting(clean, rng):
    """A second row for a day: a snapshot at 40 % of its volume, before or after the right one."""
    rows = _spot(clean, rng)
    bar = clean.iloc[rows]
    other = bar.assign(close=bar["open"], high=bar[["open", "high"]].mean(axis=1), volume=bar["volume"] * 0.4)
    pair = [clean, other] if rng.random() < 0.5 else [other, clean]
    return _broken(clean, pd.concat(pair).sort_index(kind="stable"), rows)


@maker
def missing(clean, rng):
    """A session without a row."""
    rows = _spot(clean, rng)
    frame = clean.drop(clean.index[rows])
    return Broken(frame, tuple(clean.index[rows].date), frame)


@maker
def weekend(clean, rng):
    """A row on a Saturday, as the Friday before or at three times its price."""
    friday = clean[clean.index.day_of_week == 4].iloc[[int(rng.integers(10, 200))]]
    row = friday.assign(volume=0.0, dividend=0.0, split=0.0).set_axis(friday.index + pd.Timedelta(days=1))
    row[ALL] *= rng.choice([1.0, 3.0])
    return Broken(pd.concat([clean, row]).sort_index(), tuple(row.index.date), clean)


@maker
def unsorted(clean, rng):
    """Two neighbours exchanged."""
    row = _spot(clean, rng).start
    order = np.arange(len(clean))
    order[[row, row + 1]] = row + 1, row
    return _broken(clean, clean.iloc[order], slice(row, row + 2))


@maker
def partial(clean, _rng):
    """The day under way as the last row."""
    last = clean.index[-2].date()
    frame = clean.copy()
    frame.iloc[-1, frame.columns.get_loc("volume")] *= 0.05
    return Broken(frame, (clean.index[-1].date(),), clean.iloc[:-1], {"last": last})


@maker
def future(clean, _rng):
    """A row of next year."""
    row = clean.iloc[[-1]].set_axis(clean.index[-1:] + pd.Timedelta(days=364))
    return Broken(pd.concat([clean, row]), tuple(row.index.date), clean, {"last": clean.index[-1].date()})


@maker
def shifted(clean, _rng):
    """All rows dated a day early."""
    frame = clean.set_axis(clean.index - pd.Timedelta(days=1))
    return Broken(frame, (), clean)


@maker
def shifted_run(clean, rng):
    """Six to thirty rows dated a day early or late."""
    rows = _spot(clean, rng, int(rng.integers(6, 30)))
    days = clean.index.to_numpy(copy=True)
    days[rows] += np.timedelta64(int(rng.choice([-1, 1])), "D")
    return _broken(clean, clean.set_axis(pd.DatetimeIndex(days)), rows)


@maker
def spike(clean, rng):
    """One day 25 to 60 % off, and back."""
    rows = _spot(clean, rng)
    factor = 1 + rng.choice([-1, 1]) * rng.uniform(0.25, 0.6)
    return _broken(clean, _scaled(clean, rows, factor), rows)


@maker
def volume_in_lots(clean, rng):
    """Five rows with volume in lots of 100."""
    rows = _spot(clean, rng, 5)
    return _broken(clean, _scaled(clean, rows, 0.01, ["volume"]), rows)


RATIOS = (2.0, 3.0, 4.0, 5.0, 10.0, 1.5, 0.76, 0.4714, 0.4406, 0.1, 0.02, 1e-4)


def _split(clean: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, int, float]:
    """The same bars had there been a split; the day and the ratio of it."""
    ratio, day = float(rng.choice(RATIOS)), _spot(clean, rng).start
    return _with(clean, slice(day, day + 1), split=ratio), day, ratio


def _off(clean: pd.DataFrame, rows: slice, factor: float, volume: bool = True) -> pd.DataFrame:
    frame = _scaled(clean, rows, factor)
    return _scaled(frame, rows, 1 / factor, ["volume"]) if volume else frame


@maker
def split_not_applied(clean, rng):
    """Everything before the split, or before a day near it, on the old scale."""
    right, day, ratio = _split(clean, rng)
    rows = slice(0, day + int(rng.integers(-3, 5)))
    return _broken(right, _off(right, rows, ratio), rows)


@maker
def split_applied_twice(clean, rng):
    """Everything before the split divided twice."""
    right, day, ratio = _split(clean, rng)
    rows = slice(0, day + int(rng.integers(-3, 5)))
    return _broken(right, _off(right, rows, 1 / ratio), rows)


@maker
def split_one_row(clean, rng):
    """One row near the split on the old scale."""
    right, day, ratio = _split(clean, rng)
    first = day + int(rng.integers(-3, 1))
    rows = slice(first, first + 1)
    return _broken(right, _off(right, rows, rng.choice([ratio, 1 / ratio])), rows)


@maker
def split_some_rows(clean, rng):
    """A run of rows, years before the split perhaps, that the adjustment left out."""
    right, day, ratio = _split(clean, rng)
    if day < 150:
        return None
    first, length = int(rng.integers(20, day - 60)), int(rng.integers(2, 50))
    rows = slice(first, first + length)
    return _broken(right, _off(right, rows, ratio), rows)


@maker
def split_prices_only(clean, rng):
    """Everything before the split: prices on the old scale, volume on the new."""
    right, day, ratio = _split(clean, rng)
    rows = slice(0, day)
    return _broken(right, _off(right, rows, ratio, volume=False), rows)


@maker
def split_unlisted_run(clean, rng):
    """A run of rows on another scale, and no split in the list."""
    rows = _spot(clean, rng, int(rng.integers(1, 30)))
    factor = float(rng.choice([2.0, 3.0, 4.0, 5.0, 10.0]))
    return _broken(clean, _off(clean, rows, rng.choice([factor, 1 / factor])), rows)


def _payer(clean: pd.DataFrame) -> Any:
    paid = np.flatnonzero(clean["dividend"].to_numpy() > 0)
    return paid if len(paid) >= 4 else paid[:0]


def _readjusted(frame: pd.DataFrame) -> pd.DataFrame:
    """The adjusted close that follows from the dividends, as Yahoo makes it."""
    kept = (1 - frame["dividend"] / frame["close"].shift()).fillna(1.0).clip(lower=1e-6)
    return frame.assign(adj_close=frame["close"] * kept[::-1].cumprod().shift(fill_value=1.0)[::-1])


@maker
def dividends_x100(clean, rng):
    """All dividends 100 times too large; the adjusted close is right, or follows them."""
    paid = _payer(clean)
    if not len(paid):
        return None
    frame = _with(clean, paid, dividend=clean["dividend"].to_numpy()[paid] * 100)
    return _broken(clean, _readjusted(frame) if rng.random() < 0.5 else frame, paid)


@maker
def dividend_x100(clean, rng):
    """One dividend 100 times too large."""
    paid = _payer(clean)
    if not len(paid):
        return None
    row = rng.choice(paid, 1)
    frame = _with(clean, row, dividend=clean["dividend"].to_numpy()[row] * 100)
    return _broken(clean, _readjusted(frame) if rng.random() < 0.5 else frame, row)


@maker
def dividend_div100(clean, rng):
    """One dividend 100 times too small; the adjusted close is right, or follows it."""
    paid = _payer(clean)
    if not len(paid):
        return None
    row = rng.choice(paid, 1)
    frame = _with(clean, row, dividend=clean["dividend"].to_numpy()[row] / 100)
    return _broken(clean, _readjusted(frame) if rng.random() < 0.5 else frame, row)


@maker
def dividends_div100(clean, rng):
    """All dividends 100 times too small; the adjusted close is right, or follows them."""
    paid = _payer(clean)
    if not len(paid):
        return None
    frame = _with(clean, paid, dividend=clean["dividend"].to_numpy()[paid] / 100)
    return _broken(clean, _readjusted(frame) if rng.random() < 0.5 else frame, paid)


@maker
def dividend_twice(clean, rng):
    """The same dividend again one to four days before or after."""
    paid = _payer(clean)[1:-1]
    if not len(paid):
        return None
    row = int(rng.choice(paid))
    other = row + int(rng.choice([-1, 1])) * int(rng.integers(1, 5))
    amount = clean["dividend"].iloc[row] * rng.choice([1.0, 1.0, 0.95])
    frame = _readjusted(_with(clean, slice(other, other + 1), dividend=amount))
    return _broken(clean, frame, [row, other])


@maker
def dividend_phantom(clean, rng):
    """A dividend of 6 to 12 % that nobody paid."""
    rows = _spot(clean, rng)
    if (clean["dividend"].iloc[rows.start - 15 : rows.start + 15] > 0).any():
        return None
    amount = clean["close"].iloc[rows.start - 1] * rng.uniform(0.06, 0.12)
    return _broken(clean, _readjusted(_with(clean, rows, dividend=amount)), rows)


@maker
def dividend_not_adjusted(clean, rng):
    """A dividend that the adjusted close leaves out."""
    paid = _payer(clean)[1:]
    if not len(paid):
        return None
    row = rng.choice(paid, 1)
    told = _readjusted(_with(clean, row, dividend=0.0))["adj_close"]
    return _broken(clean, clean.assign(adj_close=told), row)


@maker
def adjusted_impossible(clean, rng):
    """A negative or infinite adjusted close."""
    rows = _spot(clean, rng, 30)
    return _broken(clean, _with(clean, rows, adj_close=rng.choice([-1.0, np.inf])), rows)


@maker
def other_company(clean, _rng):
    """Another security's bars, where this one's history is stored."""
    frame = clean.assign(**{name: clean[name].to_numpy()[::-1] for name in PRICES})
    frame[["high", "low"]] = np.column_stack([frame[PRICES].max(axis=1), frame[PRICES].min(axis=1)])
    return Broken(frame, (), clean, {"stored": clean[[*PRICES, "volume"]], "quarantine": True})


@maker
def restated(clean, rng):
    """Ten stored rows that come with other prices."""
    rows = _spot(clean, rng, 10)
    frame = _scaled(clean, rows, 1.02)
    return Broken(frame, tuple(clean.index[rows].date), frame, {"stored": clean[[*PRICES, "volume"]]})


@maker
def refilled(clean, rng):
    """A blank row that another provider has, on another scale."""
    rows = _spot(clean, rng)
    frame = _with(clean, rows, **dict.fromkeys([*ALL, "volume"], np.nan))
    second = clean[[*PRICES, "volume"]].copy()
    second[PRICES] *= 2.0
    second["volume"] /= 2.0
    return _broken(clean, frame, rows, second=second)


@maker
def spike_refuted(clean, rng):
    """A spike that another provider does not have."""
    rows = _spot(clean, rng)
    return _broken(clean, _scaled(clean, rows, 1.4), rows, second=clean[[*PRICES, "volume"]])


@maker
def newest_unit(clean, _rng):
    """Sixty stored rows asked for again, and a new one in the other unit."""
    frame = _scaled(clean, slice(len(clean) - 1, len(clean)), 100.0).iloc[-61:]
    return Broken(frame, (clean.index[-1].date(),), clean.iloc[-61:], {"stored": clean.iloc[:-1]})


@maker
def newest_dividend(clean, rng):
    """Forty stored rows asked for again, and a new one with a dividend 100 times too large."""
    paid = _payer(clean)
    if not len(paid):
        return None
    row = int(rng.choice(paid[3:]))
    right = clean.iloc[row - 40 : row + 1].drop(columns="adj_close")
    frame = _with(right, slice(40, 41), dividend=right["dividend"].iloc[-1] * 100)
    return Broken(frame, (right.index[-1].date(),), right, {"stored": clean.iloc[:row]})
