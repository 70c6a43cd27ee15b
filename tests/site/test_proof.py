"""The second check of prose: a rendered page says what its facts say, or it is not published."""

import json

import pytest
import toys

from tickerbook.facts import Fact, Facts
from tickerbook.narrative.draft import Part, fill
from tickerbook.site import pages
from tickerbook.site.proof import unproven
from tickerbook.store import RunStore

FACTS = Facts(
    [
        Fact("ticker", "AAPL", "ticker"),
        Fact("price.close", 1431.204, "close", "USD", 2),
        Fact("price.session", "2013-03-01", "session", "date"),
        Fact("price.change", -0.0251, "change", "fraction", 1),
        Fact("price.sessions", 3270, "sessions", "sessions", 0),
        Fact("support.distance_atr", 1.5, "distance", "ATR", 1),
        Fact("plan.shares", 1, "size", "shares", 0),
        Fact("plan.passed", True, "passed"),
        Fact("support.method", "value area low, 120 sessions", "method"),
        Fact("rate", 1e-7, "rate"),
    ]
)
SENTENCES = (
    "{ticker} closed at {price.close} on {price.session}, a change of {price.change}.",
    "It has {price.sessions}; support is {support.distance_atr} away ({support.method}).",
    "The size is {plan.shares}, passed: {plan.passed}, at the rate “{rate}”.",
)
RECORD = {"ticker": "AAPL", "page": "tickers/AAPL.html", "facts": FACTS.to_json()}
NARRATIVE = {"parts": fill((Part("context", "Context", SENTENCES),), FACTS), "receipt": "3 sentences."}
PAGE = f"<main><p>12 of 13</p>{pages._narrative({**RECORD, 'narrative': NARRATIVE})}<p>99</p></main>"


def test_a_true_page_is_proven():
    """Money, signs, shares, dates, counts, units, words; numbers elsewhere and in the receipt are not prose."""
    assert unproven(PAGE, RECORD) == []


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("$1,431.20", "$1,431.21", "says of price.close what it is not"),
        ("$1,431.20", "1,431.20", "says"),
        ("$1,431.20", "€1,431.20", "says"),
        ("$1,431.20", "$1,431.2", None),
        ("−2.5 %", "2.5 %", "says"),
        ("−2.5 %", "−2.5", "says"),
        ("−2.5 %", "−2.5 ATR", "says"),
        ("2013-03-01", "2013-03-02", "says"),
        ("3,270 sessions", "3,270 shares", "says"),
        ("3,270 sessions", "３,270 sessions", "says"),
        ("1 share", "2 shares", "says"),
        ("yes", "no", "says"),
        ("120 sessions", "121 sessions", "says"),
        (' data-fact="price.close"', "", "has a number that no fact gives"),
        ("price.close", "price.open", "which is not there"),
        ("price.close", "price.session", "says"),
        ("It has", "It has ²", "has a number that no fact gives"),
        ("It has", "It has <b>1</b>2", "has a number that no fact gives"),
        ("It has", "It has <a href='#'>5</a>", "has a number that no fact gives"),
        ("It has", "<table><tr><td>7</td></tr></table>It has", "has a number that no fact gives"),
        ("It has", "It has seven", "spells out a number"),
        ("It has", "It has a hundred", "spells out a number"),
        ("a change of <", "a change of −<", "glues something to a figure"),
        ("</span> on <", "</span>k on <", "glues something to a figure"),
        ("$1,431.20", "$1,4<b>3</b>1.20", None),
        ("$1,431.20", "$1,4<b>4</b>1.20", "says"),
        ("AAPL</span>", "AAPL</span>9", "has a number that no fact gives"),
    ],
)
def test_what_a_page_says_otherwise_is_seen(old, new, why):
    """Digits, signs, units, dates, numbers of its own in any dress; markup inside a figure changes nothing."""
    assert old in PAGE
    found = unproven(PAGE.replace(old, new), RECORD)
    assert found == [] if why is None else any(why in fault for fault in found)


def test_an_unproven_page_is_not_published(toy, put_good, build_toy):
    """The page before stays, says so, and the build names the fact."""
    put_good("AAPL")
    build_toy()
    before = (toy.site / "tickers/AAPL.html").read_text(encoding="utf-8")
    store = RunStore(toy.runs)
    narrative = store.narrative(store.latest_ok("report", "AAPL"))
    text = json.dumps(narrative).replace("$431.20", "$431.30")
    store.put_narrative(store.latest_ok("report", "AAPL"), json.loads(text))
    result = build_toy()
    assert "price.close" in result.failures["tickers/AAPL.html"]
    after = (toy.site / "tickers/AAPL.html").read_text(encoding="utf-8")
    assert "$431.30" not in after
    assert before.count("$431.20") == after.count("$431.20")
    assert toys.SESSION.isoformat() in after
