"""Agreement of families, and which levels a page shows."""

from datetime import date

import numpy as np

from tickerbook.research.confluence import families_within, selected
from tickerbook.research.levels import Level


def at(price, *, families=1, touches=0, side="support"):
    """A level with a zone of 1 to each side."""
    day = date(2020, 1, 2)
    return Level(price, price - 1, price + 1, side, "test", day, day, touches, "test", "test", families)


def test_a_family_counts_once_within_a_zone():
    """Three pivots and a gap within the half-width are two families; what lies outside does not count."""
    prices = np.array([100.0, 100.4, 99.7, 100.9, 102.0])
    families = ["pivots", "pivots", "pivots", "gaps", "VWAP"]
    assert families_within(prices, families, 1.0).tolist() == [2, 2, 1, 2, 1]


def test_no_level_makes_no_families():
    """Nothing in, nothing out."""
    assert families_within(np.array([]), [], 1.0).tolist() == []


def test_where_methods_crowd_the_level_of_most_families_stands_for_all():
    """Then the one visited most often, then the nearest."""
    crowd = [at(99.5), at(99.0, families=3), at(98.6, families=2, touches=9)]
    assert [one.price for one in selected(crowd, 100.0)] == [99.0]
    assert [one.price for one in selected([at(99.5), at(99.0, touches=2)], 100.0)] == [99.0]
    assert [one.price for one in selected([at(99.5), at(99.0)], 100.0)] == [99.5]


def test_the_nearest_on_each_side_are_kept():
    """Of five supports and three resistances two each."""
    levels = [at(100.0 - 3 * n) for n in range(5)]
    levels += [at(101.5 + 3 * n, side="resistance") for n in range(3)]
    assert [one.price for one in selected(levels, 100.0, 2)] == [100.0, 97.0, 101.5, 104.5]
