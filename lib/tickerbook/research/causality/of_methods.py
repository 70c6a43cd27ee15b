"""Certificates of methods that find levels."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.certificates import Certificate
from tickerbook.research.causality.cuts import cuts
from tickerbook.research.causality.futures import OF_BARS, changed, name_of, nothing
from tickerbook.research.causality.histories import bars_of, frame_of, histories
from tickerbook.research.causality.replay import RTOL, Seen
from tickerbook.research.levels import Method
from tickerbook.research.view import Found, History

_SESSIONS = 300
_FIRST = 120  # row of the first cut: before, levels are few
_WINDOW = 75  # closes in a row that are looked at one by one
_NUDGE = 1e-7
_NUDGED = 4  # levels of a view whose later bars are nudged
_LEAST = 3  # prices of a name, before it is judged
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, eq=False)
class Scene:
    """A history, and the same with other futures.

    Attributes:
        name: of the history.
        whole: the history itself.
        others: name of the future, row of the last close before it, and the history with it.
    """

    name: str
    whole: History
    others: tuple[tuple[str, int, History], ...]


def certify_method(method: Method, others: Mapping[str, Bars], *, seed: int = 7) -> Certificate:
    """What is known of a method that finds levels.

    At each cut it is asked for the levels at that close, in the whole history and with other futures; at
    `_WINDOW` closes in a row, whether its dates are true.
    """
    scenes = [
        *_scenes(seed),
        *(_scene(name, frame_of(b.last(_SESSIONS)), seed) for name, b in others.items()),
    ]
    seen, sightings = Seen(), Sightings()
    for scene in scenes:
        try:
            _replay(method, scene, seen)
            _stamps(method, scene, seen, sightings)
        except Exception as error:  # noqa: BLE001 - whatever a method raises is the finding
            seen.breach("repeatable", f"{scene.name}: {type(error).__name__}: {error}")
    for told in sightings.never_in_time():
        seen.breach("known", told)
    checks = (
        seen.audit("prefix replay", f"{seen.replays} beginnings give the levels that the whole gives"),
        seen.audit("poisoned future", f"{seen.poisons} other futures change no level"),
        seen.audit("repeatable", "the same bars give the same levels again"),
        seen.audit("timestamps", "formed ≤ known ≤ the close they are given at"),
        seen.audit(
            "known", "no price depends on bars after it is known, and it is found as early as it is known"
        ),
    )
    return Certificate(method.name, "level method", checks, seen.cuts)


@lru_cache(maxsize=2)
def _scenes(seed: int) -> tuple[Scene, ...]:
    """The made-up ones, the same for every method: certifying all of them takes little more than one."""
    made = enumerate(histories(_SESSIONS).items())
    return tuple(_scene(name, frame, seed + number) for number, (name, frame) in made)


def _scene(name: str, frame: pd.DataFrame, seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    rows = [row for row in cuts(frame, frame.to_numpy(), rng) if row >= min(_FIRST, len(frame) // 2)]
    made = []
    for number, row in enumerate(rows):
        for future in (nothing, OF_BARS[number % len(OF_BARS)]):
            other = History(bars_of(changed(frame, row, future, rng)))
            made.append((name_of(future), row, other))
    return Scene(name, History(bars_of(frame)), tuple(made))


def _replay(method: Method, scene: Scene, seen: Seen) -> None:
    days = scene.whole.days
    rows = {row for _, row, _ in scene.others}
    given = {row: _found(method, scene.whole, row) for row in sorted(rows)}
    for label, row, other in scene.others:
        question = "prefix replay" if label == name_of(nothing) else "poisoned future"
        found = _found(method, other, row)
        if not _agree(given[row], found):
            told = f"{scene.name}, {label} after {days[row]}: {_first_difference(given[row], found)}"
            seen.breach(question, told)
        seen.replays += label == name_of(nothing)
        seen.poisons += label != name_of(nothing)
    for row, found in given.items():
        if not _agree(found, _found(method, scene.whole, row)):
            seen.breach("repeatable", f"{scene.name}: asked twice on {days[row]}, it answers differently")
    seen.cuts += len(rows)


def _found(method: Method, history: History, row: int) -> list[Found]:
    return list(method.find(history.at(row)))


def _agree(one: Sequence[Found], other: Sequence[Found]) -> bool:
    return len(one) == len(other) and all(
        _near(a.price, b.price) and a[1:] == b[1:] for a, b in zip(one, other, strict=True)
    )


def _near(one: float, other: float, rtol: float = RTOL) -> bool:
    return one == other or abs(one - other) <= rtol * max(abs(one), abs(other))


def _first_difference(one: Sequence[Found], other: Sequence[Found]) -> str:
    for a, b in zip(one, other, strict=False):
        if not _agree([a], [b]):
            return f"{a.method} at {a.price:.10g} is {b.method} at {b.price:.10g}"
    return f"{len(one)} levels are {len(other)}"


def _stamps(method: Method, scene: Scene, seen: Seen, sightings: "Sightings") -> None:
    """Look at `_WINDOW` closes in a row."""
    end = len(scene.whole.days) - 1
    begin = max(_FIRST, end - _WINDOW)
    given = {row: _found(method, scene.whole, row) for row in range(begin, end)}
    for row, found in given.items():
        for one in found:
            if not 0 <= one.formed <= one.known <= row:
                told = f"formed in row {one.formed}, known in row {one.known}"
                day = scene.whole.days[row]
                seen.breach("timestamps", f"{scene.name}: {one.method} given on {day}, row {row}: {told}")
    sightings.add(given, scene.whole.closes)
    for row in range(begin + _WINDOW // 6, end, _WINDOW // 3):
        for told in _moved(method, scene.whole, row):
            seen.breach("known", f"{scene.name}: {told}")


class Sightings:
    """When levels were first found, by name, beside when they say they were known."""

    def __init__(self) -> None:
        self._in_time: set[str] = set()
        self._late: dict[str, list[int]] = defaultdict(list)

    def add(self, given: Mapping[int, Sequence[Found]], closes: np.ndarray) -> None:
        """Count what was given at closes in a row.

        A level may be given late where others were nearer to the price: it is late only if at the close
        it says it was known at, one further away on the same side was given in its place.
        """
        met: set[tuple[str, float]] = set()
        for row, found in given.items():
            for one in found:
                key = _DIGITS.sub("", one.method), float(f"{one.price:.11g}")
                if key in met or one.known not in given:
                    continue
                met.add(key)
                if row == one.known:
                    self._in_time.add(key[0])
                elif _left_out(one.price, [other.price for other in given[one.known]], closes[one.known]):
                    self._late[key[0]].append(row - one.known)

    def never_in_time(self) -> Iterator[str]:
        """Names of which none was found at the close at which it says it was known."""
        for name, late in self._late.items():
            if len(late) >= _LEAST and name not in self._in_time:
                yield f"{name} says it is known {min(late)} or more sessions before it is ever found"


def _left_out(price: float, given: Sequence[float], close: float) -> bool:
    """Whether a price was not given although one further from the close on its side was."""
    side = [abs(other - close) for other in given if (other <= close) == (price <= close)]
    return bool(side) and abs(price - close) < max(side)


def _moved(method: Method, whole: History, row: int) -> Iterator[str]:
    """Levels whose price moves when bars after they were known are moved a little."""
    found = [one for one in _found(method, whole, row) if one.known < row]
    for known in sorted({one.known for one in found})[-_NUDGED:]:
        frame = whole.bars.frame.iloc[: row + 1].copy()
        rng = np.random.default_rng(known)
        prices = frame.iloc[known + 1 :, :4].to_numpy()
        frame.iloc[known + 1 :, :4] = prices * (1 + rng.uniform(-_NUDGE, _NUDGE, (len(prices), 1)))
        frame.iloc[known + 1 :, 4] *= 1 + _NUDGE
        now = _found(method, History(bars_of(frame)), row)
        for one in found:
            same = [other.price for other in now if other.method == one.method and other.formed == one.formed]
            if one.known != known or any(_near(one.price, price) for price in same):
                continue
            if any(_near(one.price, price, 100 * _NUDGE) for price in same):
                yield f"{one.method} known on {whole.days[known]} moves with bars after that"
