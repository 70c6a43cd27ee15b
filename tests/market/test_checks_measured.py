"""The figures of docs/data-quality.md hold on the reference data, as the command that prints them measures."""

import importlib

import numpy as np
import pandas as pd
import pytest

from tickerbook.market.gate import Context, judge


@pytest.fixture
def quality(shared, root, monkeypatch):
    """The benchmark, looking at the reference data."""
    monkeypatch.syspath_prepend(root / "tests" / "benchmarks")
    monkeypatch.setattr(importlib.import_module("deliveries"), "SHARED", shared)
    return importlib.import_module("quality")


def test_every_error_of_yahoo_is_detected_and_repaired_as_by_its_maintainers(quality):
    """All pairs but one: a week that is right as it stands (see test_checks_splits)."""
    pairs = [pair for pair in quality.deliveries.pairs() if pair.right is not None]
    assert len(pairs) >= 19
    verdicts = {pair.name: (pair, judge(pair.served, pair.context)) for pair in pairs}
    assert [name for name, (pair, v) in verdicts.items() if not quality.detected(pair, v)] == []
    apart = [name for name, (pair, v) in verdicts.items() if quality.difference(pair, v) > quality.SAME]
    assert apart == ["AV-L-1wk-bad-stock-split"]


def test_what_must_not_change_does_not(quality):
    """Good tables of Yahoo's, volatile or with tiny dividends."""
    good = [pair for pair in quality.deliveries.pairs() if pair.right is None]
    assert len(good) >= 3
    for pair in good:
        verdict = judge(pair.served, pair.context)
        assert (verdict.decision, quality.alarms(verdict)) == ("accept", [])
        served = pair.served[verdict.frame.columns].assign(
            split=lambda t: t["split"].where(t["split"] > 0, 1)
        )
        np.testing.assert_array_equal(verdict.frame, served.astype(float))


def test_every_labelled_defect_is_detected_and_no_other_row_named(quality):
    """Eighteen defects each in two histories of thirteen years."""
    for base, frame, _, defects in quality.deliveries.corrupted():
        last = quality.deliveries.last_completed(defects, frame)
        verdict = judge(frame, Context("XNYS", "none", last=last))
        named = {day for finding in quality.alarms(verdict) for day in finding.sessions}
        broken = [set(pd.date_range(entry["first"], entry["last"]).date) for entry in defects]
        assert all(days & named for days in broken), base
        assert named <= set().union(*broken), base


def test_good_histories_are_left_alone(quality):
    """Every twelfth ticker of the S&P 500 in eight years: accepted, to the last digit."""
    paths = sorted((quality.deliveries.SHARED / "bars/sp500_daily").glob("*.parquet"))[::12]
    for path in paths:
        frame = quality.deliveries.sp500(path)
        verdict = judge(frame, Context("XNYS"))
        assert verdict.decision == "accept", path.stem
        prices = ["open", "high", "low", "close", "volume", "dividend"]
        np.testing.assert_array_equal(verdict.frame[prices], frame[prices])


def test_other_histories_broken_anew(quality):
    """SYNTHETIC defects of each kind in three tickers: nearly all are named, and no row beside is altered."""
    paths = sorted((quality.deliveries.SHARED / "bars/sp500_daily").glob("*.parquet"))[7::100]
    frames = [quality.deliveries.sp500(path) for path in paths]
    counts = np.zeros(4, dtype=int)
    for kind, make in quality.MAKERS.items():
        for number, clean in enumerate(frames):
            broken = make(clean, np.random.default_rng([number, *kind.encode()]))
            counts += quality.tried(broken) if broken else 0
    made, found, _, beside = counts
    assert found / made >= 0.95
    assert beside == 0
