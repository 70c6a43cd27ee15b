"""One vendor is asked at its pace, again where that helps, and never for longer than it may take."""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
import virtual_time

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.asking import Bounds, Desk, Question
from tickerbook.market.circuits import FAILURES, Circuits
from tickerbook.market.limits import Limits
from tickerbook.market.memory import Memory
from tickerbook.market.providers import History, permitted
from tickerbook.market.providers.massive import Massive
from tickerbook.market.providers.polygon import Polygon
from tickerbook.settings import ProviderParams

UNREACHABLE, LIMITED = ProviderFault.UNREACHABLE, ProviderFault.RATE_LIMITED
NOW = datetime(2012, 3, 9, 23, tzinfo=UTC).timestamp()


class Scripted:
    """Answers in turn: an error to raise, seconds to take first, or a frame; the last one for ever."""

    def __init__(self, *script, requests=1):
        self.script, self.requests = list(script), requests
        self.asked_at: list[float] = []

    async def history(self, *_question, **_more):
        for _ in range(self.requests):
            await permitted()
            self.asked_at.append(asyncio.get_running_loop().time())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            step = self.script[-1]
        return History(step, "scripted 1.0")


def error(kind, retry_after=None):
    """A failure of a kind."""
    return ProviderError(kind, f"AAPL: {kind}.", "Wait.", retry_after)


@pytest.fixture
def ask(ticker, now_at):
    """Ask a vendor; its answer or error, the virtual seconds, and the desk."""

    def do(vendor, patience=20.0, times=1, bounds=None, seconds=240.0, **params):
        memory = Memory()

        async def work():
            loop = asyncio.get_running_loop()
            desk = Desk(
                {"v": vendor},
                {"v": ProviderParams(**params)},
                Limits(memory),
                Circuits(memory),
                lambda: now_at.timestamp() + loop.time(),
                bounds or Bounds(),
            )
            question = Question(ticker(), date(2012, 3, 5), date(2012, 3, 9))

            async def one():
                async with asyncio.timeout(seconds) as budget:
                    return await desk.ask("v", question, patience=patience, budget=budget)

            return desk, await asyncio.gather(*(one() for _ in range(times)), return_exceptions=True)

        (desk, answers), took = virtual_time.run(work())
        memory.close()
        return (answers if times > 1 else answers[0]), took, desk

    return do


def test_a_vendor_that_answers_is_asked_once(ask, week):
    """And the answer is noted."""
    vendor = Scripted(0.25, week)
    answer, took, desk = ask(vendor)
    assert answer.frame is week
    (noted,) = desk.asks
    assert (noted.outcome, noted.rows, noted.behind, noted.message) == ("delivered", 5, 0, "")
    assert noted.seconds == pytest.approx(0.25)
    assert (noted.asked_at.timestamp(), took) == (NOW, pytest.approx(0.25))


@pytest.mark.parametrize("kind", [UNREACHABLE, LIMITED, ProviderFault.MALFORMED])
def test_what_may_pass_is_tried_again_after_growing_pauses(ask, week, kind):
    """500, then 500, then good."""
    vendor = Scripted(error(kind), error(kind), week)
    answer, took, desk = ask(vendor)
    assert answer.frame is week
    first, second, third = vendor.asked_at
    assert 0.5 <= second - first <= 1.0
    assert 1.0 <= third - second <= 1.5
    assert took < 3
    assert [noted.outcome for noted in desk.asks] == [kind, kind, "delivered"]


@pytest.mark.parametrize(
    "kind", sorted(set(ProviderFault) - {"unreachable", "rate limited", "malformed answer"})
)
def test_what_stays_is_not_tried_again(ask, kind):
    """A symbol does not come to be by asking."""
    vendor = Scripted(error(kind))
    answer, took, _ = ask(vendor)
    assert (answer.kind, len(vendor.asked_at), took) == (kind, 1, 0)


def test_attempts_come_to_an_end(ask):
    """Three, then the last error."""
    vendor = Scripted(error(UNREACHABLE))
    answer, took, _ = ask(vendor)
    assert (answer.kind, len(vendor.asked_at)) == (UNREACHABLE, 3)
    assert took < 3


def test_a_vendor_that_says_how_long_is_obeyed(ask, week):
    """Not sooner, and not much later."""
    vendor = Scripted(error(LIMITED, 7.0), week)
    answer, took, _ = ask(vendor)
    assert answer.frame is week
    assert took == pytest.approx(7.0, abs=0.1)


def test_a_vendor_that_wants_too_long_a_wait_is_left(ask):
    """At once, with what it said."""
    answer, took, _ = ask(Scripted(error(LIMITED, 3600.0)), patience=20)
    assert (answer.retry_after, took) == (3600.0, 0)
    _, took, _ = ask(Scripted(error(LIMITED, 30.0)), patience=60)
    assert took == pytest.approx(60, abs=1)


def test_what_one_is_told_all_obey(ask, week):
    """Ten questions at once: the wait is of the vendor, not of the question."""
    vendor = Scripted(error(LIMITED, 7.0), week)
    answers, took, _ = ask(vendor, times=10, bounds=Bounds(at_once=1))
    assert [answer.frame is week for answer in answers] == [True] * 10
    assert len(vendor.asked_at) == 11
    assert all(at >= 7.0 for at in vendor.asked_at[1:])
    assert took < 8


def test_a_hanging_vendor_is_left_behind(ask):
    """After six times its timeout, three times; it is unreachable."""
    answer, took, _ = ask(Scripted(*[1e9] * 4), timeout=2.0)
    assert (answer.kind, took) == (UNREACHABLE, pytest.approx(3 * 12, abs=4))
    assert "did not answer within 12 seconds" in answer.message


def test_a_ticker_s_time_is_bounded(ask):
    """Whatever the attempts."""
    answer, took, _ = ask(Scripted(*[1e9] * 4), timeout=1000.0, seconds=100.0)
    assert isinstance(answer, TimeoutError)
    assert took == 100


def test_the_pace_is_the_vendor_s(ask, week):
    """25 questions at 10 a second take two seconds; waiting is nobody's fault and no vendor's slowness."""
    answers, took, desk = ask(Scripted(week), times=25, per_second=10)
    assert len(answers) == 25
    assert took == pytest.approx(2.1, abs=0.01)
    assert max(noted.seconds for noted in desk.asks) == pytest.approx(0, abs=0.01)


def test_each_request_of_a_question_counts(ask, week):
    """Bars, splits, dividends: three."""
    vendor = Scripted(week, requests=3)
    _, took, _ = ask(vendor, times=4, patience=100, per_minute=6)
    assert took == pytest.approx(60.05, abs=0.01)
    assert sum(at < 60 for at in vendor.asked_at) == 6


def test_waiting_for_our_turn_is_not_counted_against_the_vendor(ask, week):
    """Neither its timeout nor the ticker's time runs meanwhile, and its circuit stays closed."""
    vendor = Scripted(week, requests=2)
    answers, took, _ = ask(vendor, times=8, patience=1000, seconds=30, timeout=1.0, per_minute=2)
    assert [isinstance(answer, History) for answer in answers] == [True] * 8
    assert took == pytest.approx(7 * 60.05, abs=0.1)


def test_a_used_up_quota_is_told_and_no_failure_of_the_vendor(ask, week):
    """Eight refusals would have opened its circuit: they say what quota is used up instead."""
    vendor = Scripted(week)
    answers, took, _ = ask(vendor, times=10, per_day=2)
    kinds = [getattr(answer, "kind", "delivered") for answer in answers]
    assert (kinds.count("delivered"), kinds.count(LIMITED), took) == (2, 8, 0)
    assert len(vendor.asked_at) == 2
    refusals = [answer for answer in answers if isinstance(answer, ProviderError)]
    assert all("2 requests a day" in refusal.message for refusal in refusals)
    assert all(refusal.retry_after == pytest.approx(86400, abs=1) for refusal in refusals)


def test_a_vendor_that_is_down_is_not_asked_by_everybody(ask):
    """Fifty questions, and it is asked little more often than its circuit allows."""
    vendor = Scripted(error(UNREACHABLE))
    answers, took, _ = ask(vendor, times=50, bounds=Bounds(at_once=4))
    assert {answer.kind for answer in answers} == {UNREACHABLE}
    assert len(vendor.asked_at) < FAILURES + 4
    assert took < 5


def test_no_more_questions_at_once_than_allowed(ask, week):
    """The rest wait in line, without losing their time."""
    answers, took, _ = ask(Scripted(*[5.0] * 6, week), times=6, seconds=8, bounds=Bounds(at_once=2))
    assert [isinstance(answer, History) for answer in answers] == [True] * 6
    assert took == 15


@pytest.mark.parametrize("oddity", [KeyError("canary"), ZeroDivisionError("canary"), RuntimeError("canary")])
def test_a_vendor_s_oddity_is_a_failure_without_its_words(ask, oddity):
    """They might hold a key."""
    answer, _, desk = ask(Scripted(oddity))
    assert answer.kind is ProviderFault.MALFORMED
    assert type(oddity).__name__ in answer.message
    assert "test_asking.py:" in answer.message
    assert "canary" not in answer.message + desk.asks[0].message


def test_an_old_answer_is_noted_as_behind(ask, week):
    """By how many sessions."""
    _, _, desk = ask(Scripted(week.iloc[:3]))
    assert desk.asks[0].behind == 2


def test_two_names_of_one_vendor_share_its_quota(ticker, now_at, month):
    """As polygon and massive do: what one has asked, the other may not ask again."""
    memory, limit = Memory(), ProviderParams(per_day=2)
    one, two, other = (Scripted(month) for _ in range(3))
    one.account = two.account = Massive.account
    desk = Desk(
        {"polygon": one, "massive": two, "else": other},
        {"polygon": limit, "massive": limit, "else": limit},
        Limits(memory),
        Circuits(memory),
        now_at.timestamp,
    )

    async def work():
        for name in ("polygon", "massive", "polygon", "massive", "else"):
            with suppress(ProviderError):
                await desk.probe(name, Question(ticker(), date(2012, 3, 1), date(2012, 3, 9)))

    asyncio.run(work())
    memory.close()
    assert [len(vendor.asked_at) for vendor in (one, two, other)] == [1, 1, 1]
    assert Massive.account == Polygon.account
