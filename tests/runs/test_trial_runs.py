"""A notebook that uses the trial ledger runs again when something new was tried, and only then."""

from dataclasses import replace

import pytest
from books import OVER_ALL, cells, front, publishing, write_book

from tickerbook.trialbook import TrialBook
from tickerbook.trials import Trials

TRIALS = Trials("x", "AAPL", ({},), "d", "r", (0.1,), None, None, 0, (), (0,), ((),), (None,), (None,))


@pytest.fixture
def using(desk, kernels):
    """A desk with a notebook that uses the ledger and one that does not."""
    assert kernels is not None
    for name, more in (("uses", ", trials: true"), ("ignores", "")):
        head = front("universe").replace("needs: []", f"needs: []{more}")
        made = cells(publishing(f"{name}.value", "1"), head=head, parameters=OVER_ALL)
        write_book(desk.project / "notebooks", name, made)
    desk.run()
    return desk


def reused(desk):
    """Which of the two were not executed."""
    return {name for (name, _), result in desk.run().items() if result.reused}


def test_nothing_new_was_tried(using):
    """Both stored results stand."""
    assert reused(using) == {"uses", "ignores"}


def test_something_new_was_tried(using):
    """Only what uses the ledger runs again; then it stands."""
    ledger = TrialBook(using.settings.trials)
    ledger.add(TRIALS)
    assert reused(using) == {"ignores"}
    ledger.add(TRIALS)
    assert reused(using) == {"uses", "ignores"}
    ledger.add(replace(TRIALS, data_digest="e"))
    assert reused(using) == {"ignores"}


def test_a_result_says_which_trials_it_rests_on(using):
    """So that whoever judges it knows whether it is up to date."""
    found = using.store.latest_ok("uses", None)
    assert found.origin["upstream"]["trials"] == TrialBook(using.settings.trials).digest


def test_a_trial_made_meanwhile_makes_it_run_anew(using, kernels):
    """What is stored is what was computed from the ledger as it then was."""
    ledger = TrialBook(using.settings.trials)
    ledger.add(TRIALS)
    before = len(kernels.asked)

    def answer(_parameters):
        if len(kernels.asked) == before + 1:
            ledger.add(replace(TRIALS, data_digest="meanwhile"))
        return {"value": 1}

    kernels.answers["uses"] = answer
    using.run()
    assert [name for name, _ in kernels.asked[before:]] == ["uses", "uses"]
    assert using.store.latest_ok("uses", None).origin["upstream"]["trials"] == ledger.digest
