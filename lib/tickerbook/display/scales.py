"""Scales: round values for axes, dates, labels that do not touch, and short names."""

import math
import re
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd


def ticks(low: float, high: float, most: int) -> list[float]:
    """Up to `most` round values between low and high: multiples of 1, 2 or 5 times a power of ten."""
    smallest = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (smallest * factor for factor in (1, 2, 5, 10, 20)):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < most:
            break
    return [n * step for n in range(first, last + 1)]


def ratio_ticks(low: float, high: float, most: int) -> list[float]:
    """Up to `most` values for a scale of ratios: powers of ten and their multiples, as many as fit."""
    for factors in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high]
        if len(found) <= most:
            break
    return found if len(found) > 1 else ticks(low, high, most)


def time_ticks(sessions: pd.DatetimeIndex, most: int) -> list[tuple[int, str]]:
    """Position and label of up to `most` first sessions of a month or year, evenly spaced."""
    months = sessions.year * 12 + sessions.month - 1
    starts = np.flatnonzero(np.diff(months)) + 1
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240):  # months
        kept = [int(i) for i in starts if months[i] % step == 0]
        if len(kept) <= most:
            break
    if not kept:
        return [(0, day(sessions[0]))]
    if step % 12 == 0:
        return [(i, f"{sessions[i]:%Y}") for i in kept]
    return [(i, f"{sessions[i]:{'%b' if _plain_month(sessions, i, kept) else '%b %Y'}}") for i in kept]


def _plain_month(sessions: pd.DatetimeIndex, i: int, kept: Sequence[int]) -> bool:
    """Whether a label can do without its year, as one of that year stands before it."""
    return any(k < i and sessions[k].year == sessions[i].year for k in kept)


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Ascending places moved as little as possible until they are `gap` apart and within low … high.

    With the gaps taken out, that is the nearest ascending sequence (least squares), found by pooling
    neighbours that are in each other's way. scipy has it too, for half a second of import.
    """
    pools: list[tuple[float, int]] = []  # sum and number of places without gaps
    for n, place in enumerate(places):
        total, count = place - n * gap, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, others = pools.pop()
            total, count = total + before, count + others
        pools.append((total, count))
    bare = [total / count for total, count in pools for _ in range(count)]
    last = max(low, high - gap * (len(bare) - 1))
    return [min(max(place, low), last) + n * gap for n, place in enumerate(bare)]


def initials(words: str) -> str:
    """A label for narrow screens, as traders write it: prior week high → PWH; pivot R1 → PR1.

    What stands in brackets or after a comma is left out.
    """
    first = re.split(r" \(|,", words, maxsplit=1)[0]
    return "".join(w if any(map(str.isdigit, w)) else w[0].upper() for w in first.split() if w != "and")


def shorten(words: str, most: int) -> str:
    """Words for a label: without what stands in brackets or after a comma, cut at `most` characters."""
    plain = re.split(r" \(|,", words, maxsplit=1)[0]
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


def day(session: date) -> str:
    """A date for a reader: 1 Mar 2013."""
    return f"{session.day} {session:%b %Y}"
