"""Each vendor is examined: its key, whether it answers, what is left of its quota, what failed last."""

from datetime import UTC, datetime, timedelta

import pytest
from benches import truth
from stub import CANARY, Stub

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.circuits import FAILURES, Circuits
from tickerbook.market.doctor import diagnose
from tickerbook.market.memory import Memory
from tickerbook.market.scorecard import Ask, Scorecard
from tickerbook.settings import ProviderParams

NOW = datetime(2020, 9, 3, 1, tzinfo=UTC)


@pytest.fixture
def places(tmp_path):
    """Where things are remembered."""
    return {"data": tmp_path / "data", "ledger": f"sqlite:///{tmp_path / 'ledger.db'}"}


@pytest.fixture
def stub(answers):
    """A vendor that has AAPL."""
    with Stub("polygon") as stub:
        stub.holds("AAPL", truth(answers))
        yield stub


@pytest.fixture
def examine(stub, ticker, tmp_path, places, monkeypatch):
    """The diagnosis of polygon on the stub."""

    def do(providers=("polygon",), key=True, **params):
        for name, value in stub.environment.items():
            if key or not name.endswith("KEY"):
                monkeypatch.setenv(name, value)
        told = {"polygon": ProviderParams(project=tmp_path, **params)}
        (found,) = diagnose([ticker(providers=providers)], now_at=NOW, params=told, **places)
        assert CANARY not in repr(found)
        return found

    return do


def test_a_vendor_that_is_well(examine, stub):
    """Key, answer, quota; nothing to do."""
    found = examine(per_minute=5, per_day=100)
    assert found.key == "POLYGON_API_KEY in the environment"
    assert (found.reachable, found.used, found.well, found.remedy) == (True, True, True, "")
    assert found.answer.startswith("AAPL up to 2020-09-02, in 0.")
    assert found.quota == f"{5 - len(stub.asked)} of 5 a minute, {100 - len(stub.asked)} of 100 a day"
    assert found.score is None


def test_a_vendor_without_a_key_is_not_asked(examine, stub):
    """And where to get one is said."""
    found = examine(key=False)
    assert (found.key, found.reachable, found.well, stub.asked) == ("missing", None, False, [])
    assert "POLYGON_API_KEY" in found.remedy


def test_a_vendor_that_nobody_names_is_not_asked(examine, stub):
    """It costs nothing, and nothing needs to be done."""
    found = examine(providers=("yahoo",), key=False)
    assert (found.used, found.reachable, found.well, stub.asked) == (False, None, True, [])
    assert found.answer == "not asked: no ticker names it"


def test_a_used_up_quota_is_not_exceeded(examine, stub):
    """Not even by the doctor."""
    examine(per_day=3)
    before = len(stub.asked)
    found = examine(per_day=3)
    assert (found.quota, found.reachable, len(stub.asked)) == ("0 of 3 a day", None, before)
    assert found.answer == "not asked: its quota is used up"


@pytest.mark.parametrize(
    ("fault", "reachable"), [("429", True), ("403", True), ("500", False), ("truncated", True)]
)
def test_a_vendor_that_refuses_or_fails(examine, stub, fault, reachable):
    """A refusal is an answer; what to do is said; it is the last failure next time."""
    stub.fails(fault)
    found = examine()
    assert (found.reachable, found.well) == (reachable, False)
    assert found.answer.startswith("AAPL: Polygon")
    assert found.remedy
    assert len(stub.asked) == 1
    stub.fails(None)
    assert examine().score.last_failure.message == found.answer


def test_a_vendor_left_alone_is_asked_and_taken_back(examine, places):
    """Who calls the doctor wants to know."""
    memory = Memory(places["data"] / "limits.db")
    circuits = Circuits(memory)
    for _ in range(FAILURES):
        circuits.failed("polygon", ProviderError(ProviderFault.UNREACHABLE, "Down."), NOW.timestamp())
    with pytest.raises(ProviderError):
        circuits.admit("polygon", NOW.timestamp())
    assert examine().reachable
    circuits.admit("polygon", NOW.timestamp())
    memory.close()


def test_an_old_failure_is_forgotten(examine, places):
    """After a month."""
    old = Ask(NOW - timedelta(days=31), "AAPL", "polygon", "unreachable", 1.0, message="Down.")
    Scorecard(places["ledger"]).record([old])
    assert examine().score is None


def test_a_wrong_address_is_told(ticker, places, tmp_path):
    """With the other vendors' diagnoses, not instead of them."""
    params = {
        "polygon": ProviderParams(project=tmp_path, base_url="ftp://nowhere"),
        "sample": ProviderParams(),
    }
    wrong, sample = diagnose([ticker(providers=("polygon", "sample"))], now_at=NOW, params=params, **places)
    assert (wrong.reachable, wrong.well, sample.well) == (None, False, True)
    assert "base_url" in wrong.answer


def test_a_vendor_without_a_network_needs_no_key(ticker, places, tmp_path):
    """The sample; what it has is old."""
    params = {"sample": ProviderParams(project=tmp_path)}
    (found,) = diagnose([ticker(providers=("sample",))], now_at=NOW, params=params, **places)
    assert (found.key, found.reachable, found.well) == ("not needed", True, True)
    assert "AAPL" in found.answer
