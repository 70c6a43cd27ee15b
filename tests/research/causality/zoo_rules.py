"""The zoo: strategies, fills and methods of levels that look ahead, and the honest way beside each."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tickerbook.research.causality.fills import simulated
from tickerbook.research.view import Found

_RNG = np.random.default_rng(3)


@dataclass(frozen=True)
class Rule:
    """A strategy made of a function of bars."""

    says: object

    warmup = 0

    def exposure(self, bars):
        return pd.Series(self.says(bars.frame), bars.frame.index, dtype="float64")


@dataclass(frozen=True)
class Stopped(Rule):
    """… with a stop."""

    stop: object = None

    def exits(self, bars):
        return pd.DataFrame({"stop": self.stop(bars.frame), "target": np.nan}, bars.frame.index)


@dataclass(frozen=True)
class Vectors(Rule):
    """… with a second way to be asked, for thousands of parameters."""

    vector: object = None

    @staticmethod
    def exposures(bars, rules):
        return np.column_stack([rule.vector(bars.frame) for rule in rules]).astype("float64")


def _rising(frame):
    return (frame["close"] > frame["close"].shift(1)).astype(float)


def _rises(frame):
    return (frame["close"].shift(-1) > frame["close"]).astype(float)


def _trend(frame):
    return (frame["close"] > frame["close"].rolling(20).mean()).astype(float)


def _held_today(frame):
    """What is held in a session, at that session: decided a day later than it stands."""
    return _trend(frame).shift(-1).fillna(0)


def _out_before_crashes(frame):
    return (frame["close"].shift(-1) / frame["close"] > 0.85).astype(float)


def _out_after_crashes(frame):
    return (frame["close"] / frame["close"].shift(1) > 0.85).astype(float)


def _best(frame):
    lengths = (5, 10, 20, 40)
    gain = frame["close"].pct_change().shift(-1)
    worth = [(gain * (frame["close"] > frame["close"].rolling(n).mean())).sum() for n in lengths]
    return lengths[int(np.argmax(worth))]


def _fitted(frame):
    return (frame["close"] > frame["close"].rolling(_best(frame)).mean()).astype(float)


def _fitted_early(frame):
    if len(frame) <= 200:
        return np.zeros(len(frame))
    said = frame["close"] > frame["close"].rolling(_best(frame.iloc[:200])).mean()
    return np.where(np.arange(len(frame)) >= 200, said, 0).astype(float)


def _cheap(frame):
    """Below 50 in prices that later splits will change."""
    return (frame["close"] < 50).astype(float)


def _cheap_for_itself(frame):
    return (frame["close"] < frame["close"].expanding().mean()).astype(float)


def _drawn(frame):
    return _RNG.integers(0, 2, len(frame)).astype(float)


def _drawn_by_price(frame):
    return (np.round(frame["close"] / frame["open"], 4) * 1e4 % 2 < 1).astype(float)


def _volume_tomorrow(frame):
    return (frame["volume"].shift(-1) > frame["volume"]).astype(float)


def _volume_today(frame):
    return (frame["volume"] > frame["volume"].shift(1)).astype(float)


def _normed(frame):
    return (frame["close"] > frame["close"].median()).astype(float)


def _normed_so_far(frame):
    return (frame["close"] > frame["close"].expanding().median()).astype(float)


STRATEGIES = {  # name → (leak, twin)
    "tomorrow's rise": (Rule(_rises), Rule(_rising)),
    "held, not decided": (Rule(_held_today), Rule(_trend)),
    "out before crashes": (Rule(_out_before_crashes), Rule(_out_after_crashes)),
    "fitted on everything": (Rule(_fitted), Rule(_fitted_early)),
    "price in later shares": (Rule(_cheap), Rule(_cheap_for_itself)),
    "without a seed": (Rule(_drawn), Rule(_drawn_by_price)),
    "tomorrow's volume": (Rule(_volume_tomorrow), Rule(_volume_today)),
    "median of everything": (Rule(_normed), Rule(_normed_so_far)),
    "stop at the next low": (
        Stopped(
            _trend, lambda frame: frame["low"].shift(-1).fillna(frame["low"]).clip(upper=frame["low"]) * 0.999
        ),
        Stopped(_trend, lambda frame: frame["low"] * 0.999),
    ),
    "only in the sweep": (Vectors(_trend, _held_today), Vectors(_trend, _trend)),
}


def _compounded(exposure, gain):
    """Equity of holding `exposure` of the close before, with gains of our own."""
    held = np.concatenate(([0.0], exposure[:-1]))
    return np.cumprod(1 + held * gain)


def same_close(frame, exposure):
    """Decided at a close and filled at that close."""
    close = frame["close"].to_numpy()
    return _compounded(exposure, np.diff(close, prepend=close[0]) / np.append(close[0], close[:-1]))


def same_session(frame, exposure):
    """Decided at a close, and earning since that session's open."""
    return np.cumprod(1 + exposure * (frame["close"] / frame["open"] - 1).to_numpy())


def next_session(frame, exposure):
    """Decided at a close, and earning from each next open to close."""
    return _compounded(exposure, (frame["close"] / frame["open"] - 1).to_numpy())


def best_of_day(frame, exposure):
    """Filled at the low of the session of the decision."""
    held = np.concatenate(([0.0], exposure[:-1]))
    low = frame["low"].shift(1).fillna(frame["low"]).to_numpy()
    return np.cumprod(1 + held * (frame["close"].to_numpy() / low - 1))


FILLS = {"same close": (same_close, simulated), "same session": (same_session, next_session)}
FILLS["low of the day"] = (best_of_day, next_session)


# --- levels -----------------------------------------------------------------------------------------------


def _beyond_leak(view):
    """The arrays of a view are parts of longer ones."""
    whole = view.closes.base if view.closes.base is not None else view.closes
    yield Found(float(np.max(whole[-1])), "highest", "toy", 0, view.row)


def _beyond_twin(view):
    yield Found(float(np.max(view.closes)), "highest", "toy", 0, view.row)


_HIGHEST: dict[object, float] = {}


def _memory_leak(view):
    """Remembers the highest price of any view of the same ticker."""
    key = view.days[0]
    _HIGHEST[key] = max(_HIGHEST.get(key, 0.0), float(view.highs.max()))
    yield Found(_HIGHEST[key], "highest", "toy", 0, view.row)


def _memory_twin(view):
    yield Found(float(view.highs.max()), "highest", "toy", int(view.highs.argmax()), view.row)


def _swings(view, lag):
    turns = view.swings
    for price, row, known, high in zip(turns.prices, turns.rows, turns.known, turns.is_high, strict=True):
        yield Found(float(price), "high" if high else "low", "toy", int(row), int(known) - lag(high))


def _swing_leak(view):
    """Known when it was made, it says."""
    yield from _swings(view, lambda _: 5)


def _swing_twin(view):
    yield from _swings(view, lambda _: 0)


def _low_leak(view):
    """Lows a session early, highs honestly."""
    yield from _swings(view, lambda high: 0 if high else 1)


def _mean(view, known):
    begin = view.row - view.row % 40
    volume = view.volumes[begin:]
    price = float(view.closes[begin:] @ volume / volume.sum()) if volume.sum() > 0 else view.close
    yield Found(price, "mean price", "toy", begin, known(begin))


def _mean_leak(view):
    """A mean up to now, known at its anchor, it says."""
    yield from _mean(view, lambda begin: begin)


def _mean_twin(view):
    yield from _mean(view, lambda _: view.row)


def _tomorrow_leak(view):
    yield Found(view.close, "close", "toy", view.row, view.row + 1)


def _tomorrow_twin(view):
    yield Found(view.close, "close", "toy", view.row, view.row)


def _born_later_leak(view):
    yield Found(float(view.closes[-2]), "close", "toy", view.row, view.row - 1)


def _born_later_twin(view):
    yield Found(float(view.closes[-2]), "close", "toy", view.row - 1, view.row)


METHODS = {
    "beyond the view": (_beyond_leak, _beyond_twin),
    "memory": (_memory_leak, _memory_twin),
    "unconfirmed swings": (_swing_leak, _swing_twin),
    "lows a session early": (_low_leak, _swing_twin),
    "mean known at its anchor": (_mean_leak, _mean_twin),
    "known tomorrow": (_tomorrow_leak, _tomorrow_twin),
    "formed after it was known": (_born_later_leak, _born_later_twin),
}
