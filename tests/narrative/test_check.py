"""The check of a draft: clean prose passes, and no figure, date or name of its own gets through."""

import re
import sys
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tickerbook.errors import NarrativeError
from tickerbook.facts import Fact, Facts
from tickerbook.narrative.check import check, faults
from tickerbook.narrative.draft import SLOT, Part, fill, slots

FACTS = Facts(
    [
        Fact("ticker", "AAPL", "ticker"),
        Fact("price.close", 431.2, "last close", "USD", 2),
        Fact("support.low", 425.0, "zone from", "USD", 2),
        Fact("support.high", 427.0, "zone to", "USD", 2),
        Fact("support.method", "pivot S1", "found by"),
        Fact("resistance.price", None, "nearest resistance", "USD", 2),
        Fact("equity.benchmark", (1.0, 1.1), "buy and hold"),
    ]
)
CLEAN = [
    "{ticker} closed at {price.close}.",
    "The nearest support is the zone from {support.low} to {support.high} ({support.method}).",
    "A close below {support.low}, under the whole zone, leaves that zone behind.",
    "Is that so? Price and average true range (ATR) say so.",
    "“{support.method}” is how the level was found; it's a well-known, old way.",
    "Nothing was bought, none of it was sold, and the lessons of often touched stones remain.",
    "It may rise or march on; often, alone, weighty, tense, tenacious or handsome.",
]
NUMERALS = [chr(c) for c in range(sys.maxunicode) if unicodedata.numeric(chr(c), None) is not None]
NUMBER_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "seven",
    "ten",
    "twelve",
    "thirteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "ninety",
    "hundred",
    "thousand",
    "million",
    "billion",
    "dozen",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "ninth",
    "twelfth",
    "twentieth",
    "hundredth",
    "half",
    "quarter",
    "thirds",
    "tenths",
    "once",
    "twice",
    "double",
    "single",
    "twofold",
    "twenty-one",
    "fifty-fifth",
    "seventeen-fold",
    "hundreds",
    "thirties",
    "One",
    "TWO",
]
SYMBOLS = ["AAPL", "MSFT", "BRK.B", "BF-B", "T", "V", "NA", "ON", "^GSPC", "EURUSD=X", "$TSLA", "Apple"]
DATES = ["January", "may", "May", "March", "Sept", "Monday", "fridays", "today", "Yesterday"]


def _draft(*sentences):
    return (Part("context", "Context", sentences),)


def _faults(sentence):
    return list(faults(sentence, FACTS))


def _gaps(sentence):
    """Places outside slots where something can be put."""
    inside = {i for slot in SLOT.finditer(sentence) for i in range(slot.start() + 1, slot.end())}
    return [i for i in range(len(sentence) + 1) if i not in inside]


def _spaces(sentence):
    return [i for i in _gaps(sentence) if i < len(sentence) and sentence[i] == " "]


@st.composite
def mutants(draw, additions, places):
    """A clean sentence with something put in."""
    sentence = draw(st.sampled_from(CLEAN))
    at = draw(st.sampled_from(places(sentence)))
    return sentence[:at] + draw(additions) + sentence[at:]


@pytest.mark.parametrize("sentence", CLEAN)
def test_clean_prose_passes(sentence):
    """Words that only look like numbers, months or names are let through."""
    assert _faults(sentence) == []


@given(mutants(st.sampled_from(NUMERALS), _gaps))
def test_no_digit_of_any_alphabet_passes(mutant):
    """Superscripts, fractions, fullwidth, Roman and Chinese numerals are digits, wherever they stand."""
    assert any(fault.startswith("has a digit") for fault in _faults(mutant))


@pytest.mark.parametrize("numeral", ["0", "9", "٣", "²", "½", "５", "𝟙", "①", "Ⅷ", "三", "௰", "↉"])
def test_famous_digits_are_digits(numeral):
    """One of each kind, so that the kinds are known to be among the numerals."""
    assert numeral in NUMERALS
    assert _faults(f"It closed at {numeral} or so.")[0] == f"has a digit outside a slot, “{numeral}”"


@given(mutants(st.sampled_from(NUMBER_WORDS).map(lambda word: f" {word}"), _spaces))
def test_no_number_word_passes(mutant):
    """Cardinals, ordinals, fractions and multiples are numbers, however they are joined."""
    assert any(fault.startswith("spells out a number") for fault in _faults(mutant))


@given(mutants(st.sampled_from(SYMBOLS).map(lambda symbol: f" {symbol}"), _spaces))
def test_no_symbol_passes(mutant):
    """A ticker or company typed by hand is refused, of the universe or not."""
    assert _faults(mutant)


@given(mutants(st.sampled_from(DATES).map(lambda day: f" in {day}"), _spaces))
def test_no_date_passes(mutant):
    """Months, weekdays and days seen from now are dates."""
    assert any(fault.startswith("names a date") for fault in _faults(mutant))


@given(st.sampled_from(CLEAN), st.from_regex(r"[a-z]{2,9}(\.[a-z0-9]{1,9}){0,2}", fullmatch=True))
def test_no_unknown_slot_passes(sentence, name):
    """A slot that no fact fills is refused by name."""
    assume(name not in FACTS)
    assert any(
        f"asks for {{{name}}}, which is no fact" in fault for fault in _faults(f"{sentence} {{{name}}}.")
    )


@given(mutants(st.characters(exclude_characters=" ,.;:!?()'’“”\"-", exclude_categories=["L"]), _gaps))
def test_no_character_beside_letters_and_points_passes(mutant):
    """Markup, currency signs, control characters, marks and emoji have no place in prose."""
    assert _faults(mutant)


@given(mutants(st.characters(categories=["Lu", "Ll", "Lo", "Lm"], min_codepoint=0x100), _gaps))
def test_no_letter_of_another_alphabet_passes(mutant):
    """A Cyrillic o in "one" would hide a number from the check, so it is refused itself."""
    assert _faults(mutant)


@given(st.sampled_from([s for s in CLEAN if "{" in s]), st.sampled_from("-+.,kx%{}a"), st.booleans())
def test_nothing_sticks_to_a_slot(sentence, character, before):
    """`-{price}` would turn a sign, `{price}k` a unit."""
    name = slots(sentence)[0]
    glued = f"{character}{{{name}}}" if before else f"{{{name}}}{character}a"
    assert _faults(sentence.replace(f"{{{name}}}", glued))


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        (
            "It closed at {prise.close}.",
            "asks for {prise.close}, which is no fact. Did you mean price.close?",
        ),
        ("It is below {resistance.price}.", "asks for {resistance.price}, which is missing"),
        ("The curve is {equity.benchmark}.", "asks for {equity.benchmark}, which is a series"),
        ("It closed at {price.close", "has a character that prose does not need, left curly bracket"),
        ("It closed at {Price.Close}.", "has a character that prose does not need, left curly bracket"),
        ("It closed at {price.close!r}.", "has a character that prose does not need, left curly bracket"),
        ("It closed at {price.close}", "is not a whole sentence"),
        ("and closed at {price.close}.", "is not a whole sentence"),
        ("", "is not a whole sentence"),
        ("It fell by -{price.close}.", "changes a sign, “-”"),
        ("It fell to {price.close}k.", "glues a slot to other text"),
        ("It fell to {support.low}{support.high}.", "glues a slot to other text"),
        ("It changed by minus {price.close}.", "changes a sign, “minus”"),
        ("It changed by - {price.close}.", "changes a sign, “-”"),
        ("It closed at {price.close} percent.", "names a unit, “percent”"),
        ("It made a low last week.", "names a date, “last week”"),
        ("It closed above MSFT.", "names a symbol, “MSFT”"),
        ("T closed at {price.close}.", "names a symbol, “T”"),
        ("It closed above Microsoft.", "has a name, “Microsoft”"),
        ("You should act.", "gives advice, “You”"),
        ("It is time to buy.", "gives advice, “buy”"),
        ("The level will hold.", "is too sure, “will”"),
        ("It is a guaranteed gain.", "is too sure, “guaranteed”"),
        ("It closed at <b>{price.close}</b>.", "has a character that prose does not need, less-than sign"),
        ("It closed at\n{price.close}.", "has a character that prose does not need, u+000a"),
        ("Twenty\u00adone closes.", "has a character that prose does not need, soft hyphen"),
    ],
)
def test_each_fault_is_named(sentence, fault):
    """Who writes a narrator reads what is wrong, first things first."""
    assert _faults(sentence)[0] == fault


def test_the_error_names_the_sentence():
    """A refused draft says which sentence of which part, why, and what to write instead."""
    with pytest.raises(NarrativeError) as caught:
        check(_draft(CLEAN[0], "It closed ten higher."), FACTS)
    assert str(caught.value) == (
        "A sentence of the context was refused, because it spells out a number, “ten”: It closed ten higher.\n"
        "Figures, dates, units and names come from slots such as {price.close}."
    )


def test_a_clean_draft_passes():
    """Nothing is raised where nothing is wrong."""
    check(_draft(*CLEAN), FACTS)


def test_slots_are_filled_with_what_readers_see():
    """Text, template and slots are kept together, so that a page can prove each figure."""
    assert fill(_draft(CLEAN[0]), FACTS) == [
        {
            "name": "context",
            "title": "Context",
            "sentences": [
                {
                    "template": "{ticker} closed at {price.close}.",
                    "text": "AAPL closed at $431.20.",
                    "slots": {"ticker": "AAPL", "price.close": "$431.20"},
                }
            ],
        }
    ]


def test_a_fact_that_looks_like_a_slot_is_not_filled_again():
    """What a fact says is text, whatever it says."""
    facts = Facts([Fact("ticker", "{price.close}", "ticker"), FACTS["price.close"]])
    text = fill(_draft(CLEAN[0]), facts)[0]["sentences"][0]["text"]
    assert text == "{price.close} closed at $431.20."


@pytest.mark.parametrize("text", ["a ", "one-", "{a", "{a.", "thirt", " ", "A. ", "{ticker} "])
def test_a_wild_draft_keeps_nobody_busy(text):
    """A hundred kilobytes are refused for their length alone."""
    assert _faults(text * (100_000 // len(text))) == ["is longer than 2000 characters"]


@pytest.mark.parametrize("text", ["one-", "{a.", "thirt", "twentytwenty", "{ticker}", "I", "ix"])
def test_no_text_makes_a_pattern_slow(text):
    """Texts made to keep patterns busy are refused like others."""
    assert _faults(text * (2000 // len(text)))


def test_numerals_are_many():
    """The alphabet of digits that the tests draw from is the whole of Unicode's."""
    assert len(NUMERALS) > 1500
    assert all(re.fullmatch(r"\S", numeral) for numeral in NUMERALS)
