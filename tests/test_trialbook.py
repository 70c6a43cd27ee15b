"""The trial ledger on disk."""

import multiprocessing
from dataclasses import replace

import pytest

from test_trials import TRIALS
from tickerbook.errors import DataError, TornFileError
from tickerbook.trialbook import TrialBook, load_trials


def variant(number):
    """Trials that differ from all others."""
    return replace(TRIALS, data_digest=f"d{number}")


def add_many(root, first):
    """What one process of several does: its own trials, and some that all have."""
    for number in (*range(first, first + 20), *range(10)):
        TrialBook(root).add(variant(number))


@pytest.fixture
def ledger(tmp_path):
    """An empty ledger."""
    return TrialBook(tmp_path / "trials")


def test_the_same_trial_twice_counts_once(ledger):
    """Nothing is added, and the digest stays, so that nothing that uses the ledger runs again."""
    ledger.add(TRIALS)
    before = ledger.digest
    ledger.add(TRIALS)
    assert ledger.read() == (TRIALS,)
    assert ledger.digest == before


def test_a_new_trial_changes_the_digest(ledger):
    """What uses the ledger runs again."""
    empty = ledger.digest
    ledger.add(TRIALS)
    one = ledger.digest
    ledger.add(variant(2))
    assert len({empty, one, ledger.digest}) == 3


def test_order_does_not_matter(tmp_path):
    """Two ledgers with the same trials are the same, whichever came first."""
    one, other = TrialBook(tmp_path / "one"), TrialBook(tmp_path / "other")
    for number in range(5):
        one.add(variant(number))
        other.add(variant(4 - number))
    assert one.read() == other.read()
    assert one.digest == other.digest


def test_several_processes_write_at_once(ledger):
    """Nothing is lost, doubled or torn."""
    start = multiprocessing.get_context("spawn").Process
    workers = [start(target=add_many, args=(ledger.root, 100 * n)) for n in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(ledger.read()) == 70


def test_what_cannot_be_counted_is_refused(tmp_path):
    """A backtest whose trial cannot be written is an error, not a result nobody counted."""
    (tmp_path / "trials").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be recorded"):
        TrialBook(tmp_path / "trials").add(TRIALS)


def test_a_damaged_record_is_told(ledger):
    """It is not left out of the count silently."""
    ledger.add(TRIALS)
    (path,) = ledger.root.glob("*/*.json")
    path.write_text(path.read_text(encoding="utf-8")[:50], encoding="utf-8")
    with pytest.raises(TornFileError, match=path.name):
        ledger.read()


def test_unfinished_and_foreign_files_are_no_records(ledger):
    """What a killed process left behind, and what somebody else put there, is not read."""
    ledger.add(TRIALS)
    for name in (".x.json.abc.part", "notes.json"):
        (next(ledger.root.iterdir()) / name).write_text("{", encoding="utf-8")
    assert ledger.read() == (TRIALS,)


def test_a_notebook_reads_its_project_s(project):
    """`load_trials` finds the ledger as `load_bars` finds the lake."""
    assert load_trials() == ()
    TrialBook(project / "data" / "trials").add(TRIALS)
    assert load_trials() == (TRIALS,)
