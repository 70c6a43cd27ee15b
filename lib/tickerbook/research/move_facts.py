"""What may be said of the last close: moves and whether they are more than noise, ranks, averages.

Computed here, so that prose has a fact for every direction, superlative and comparison, and no model counts.
"""

from collections.abc import Iterator

import numpy as np

from tickerbook.bars import Bars
from tickerbook.facts import Fact, Facts
from tickerbook.research.indicators import sma

MOVES = (1, 5, 21, 63, 252)  # sessions: the last one, a week, a month, a quarter, a year
AVERAGES = (50, 200)
NOISE = 0.25  # of a usual move of the same length; what is less counts as unchanged
USUAL = 252  # sessions in which moves are counted that are called usual
RANKED = 20  # sessions of which a close must be the highest for that to be worth saying
_CENTS, _FINE = 2, 4


def move_facts(bars: Bars) -> Facts:
    """Moves of the close over several windows, its rank, and its distance from moving averages.

    - `move.N.…` for each window that the history covers: `sessions`, `since` (the session whose close it is
      compared with), `change` (signed fraction), `size` (its absolute value), `usual` (median size of moves
      of that length that ended in the 252 sessions before), `noise` (a quarter of that) and `direction`:
      "up", "down", or "unchanged" where the size is no more than the noise.
    - `rank.high_sessions`: of how many sessions the last close is the highest, itself counted, and
      `rank.high_since`: the newest session before with a close as high. Missing where that is less than 20
      sessions; `since` also where there was no such close. `rank.low_…` likewise.
    - `average.N.…`: `sessions`, `price` (mean of the last closes) and `gap` (last close above it).
    """
    closes = bars.frame["close"].to_numpy(dtype="float64")
    days = [day.date().isoformat() for day in bars.frame.index]
    facts = [
        *_moves(closes, days),
        *_rank(closes, days, "high"),
        *_rank(-closes, days, "low"),
        *_averages(bars),
    ]
    return Facts(
        Fact(fact.name, fact.value, fact.label, fact.unit, fact.digits, bars.session) for fact in facts
    )


def _moves(closes: np.ndarray, days: list[str]) -> Iterator[Fact]:
    for number, sessions in enumerate(MOVES, start=1):
        if len(closes) <= sessions or closes[-1 - sessions] <= 0:
            continue
        row, what = f"move.{number}", "last move" if sessions == 1 else f"move over {sessions} sessions"
        change = float(closes[-1] / closes[-1 - sessions] - 1)
        usual = _usual(closes[:-1], sessions)
        noise = NOISE * usual if usual is not None else None
        yield Fact(f"{row}.sessions", sessions, f"{what}: sessions", "sessions", 0)
        yield Fact(f"{row}.since", days[-1 - sessions], f"{what}: since the close of", "date")
        yield Fact(f"{row}.change", change, what, "fraction", 1)
        yield Fact(f"{row}.size", abs(change), f"{what}: size", "fraction", 1)
        yield Fact(f"{row}.usual", usual, f"{what}: usual size", "fraction", 1)
        yield Fact(f"{row}.noise", noise, f"{what}: size that is noise", "fraction", 2)
        yield Fact(f"{row}.direction", _direction(change, noise), f"{what}: direction")


def _usual(closes: np.ndarray, sessions: int) -> float | None:
    """Median size of the moves of that length that ended in the last `USUAL` sessions; None without any."""
    window = closes[-USUAL - sessions :]
    before = window[:-sessions]
    if len(before) == 0 or (before <= 0).any():
        return None
    return float(np.median(np.abs(window[sessions:] / before - 1)))


def _direction(change: float, noise: float | None) -> str | None:
    if noise is None:
        return None
    return "unchanged" if abs(change) <= noise else "up" if change > 0 else "down"


def _rank(closes: np.ndarray, days: list[str], side: str) -> Iterator[Fact]:
    """Of how many sessions the last close is the highest; of negated closes, the lowest."""
    as_high = np.flatnonzero(closes[:-1] >= closes[-1])
    sessions = len(closes) - 1 - int(as_high[-1]) if len(as_high) else len(closes)
    told = sessions >= RANKED
    what = f"{side}est close"
    yield Fact(f"rank.{side}_sessions", sessions if told else None, f"{what} of", "sessions", 0)
    since = days[int(as_high[-1])] if told and len(as_high) else None
    yield Fact(f"rank.{side}_since", since, f"{what} since", "date")


def _averages(bars: Bars) -> Iterator[Fact]:
    close = bars.frame["close"]
    digits = _CENTS if abs(float(close.iloc[-1])) >= 1 else _FINE
    for number, sessions in enumerate(AVERAGES, start=1):
        if len(close) < sessions:
            continue
        mean, row = float(sma(close, sessions).iloc[-1]), f"average.{number}"
        what = f"mean of {sessions} closes"
        yield Fact(f"{row}.sessions", sessions, f"{what}: sessions", "sessions", 0)
        yield Fact(f"{row}.price", mean, what, bars.currency, digits)
        gap = float(close.iloc[-1]) / mean - 1 if mean > 0 else None
        yield Fact(f"{row}.gap", gap, f"close above the {what}", "fraction", 1)
