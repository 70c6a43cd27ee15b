"""Tables of facts as HTML."""

import re
from html.parser import HTMLParser

import pytest

from tickerbook.display.tables import fill, strip, table
from tickerbook.errors import DataError
from tickerbook.facts import Fact, Facts

FACTS = Facts(
    [
        Fact("level.1.price", 431.2, "price", "USD"),
        Fact("level.1.method", "prior <week> high", "method"),
        Fact("level.1.away", None, "away", "ATR", 1),
        Fact("level.2.price", 1040.5, "price", "USD"),
        Fact("level.2.method", "pivot P", "method"),
        Fact("level.2.away", 1.26, "away", "ATR", 1),
        Fact("price.change", -0.0249, "change", "fraction", 1),
        Fact("plan.passed", False, "passed"),
        Fact("plan.entry", None, "entry", "USD"),
        Fact("plan.stop", None, "stop", "USD"),
    ]
)
COLUMNS = {"Price": "{price}", "Method": "{method}", "Away": "{away}"}


class Reader(HTMLParser):
    """Facts and texts of a piece of HTML; every element must be closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.facts, self.outside = [], {}, ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append((tag, dict(attrs).get("data-fact")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        name = next((fact for _, fact in self.open if fact), None)
        if name:
            self.facts[name] = data
        else:
            self.outside += data


def test_every_figure_names_its_fact():
    """Each cell has the text of its fact in an element with the fact's name."""
    read = Reader(table(FACTS, "level", COLUMNS, "Levels").html)
    assert read.facts == {name: fact.text for name, fact in FACTS.items() if name.startswith("level.")}


def test_no_figure_stands_outside_a_fact():
    """What is not a fact has no digit."""
    html = (
        table(FACTS, "level", COLUMNS, "Levels").html + strip(FACTS, {"Change": "{price.change:sign}"}).html
    )
    assert not re.search(r"\d", Reader(html).outside)


def test_texts_of_tables_are_escaped():
    """Facts, headings, templates and captions cannot become markup."""
    html = table(FACTS, "level", {"<i>": "{method} & <b>"}, "<caption>").html
    assert "<i>" not in html
    assert "<b>" not in html
    assert html.count("<caption") == 1
    assert "prior &lt;week&gt; high" in html


def test_numbers_stand_at_the_right():
    """Columns of numbers are marked, columns of text are not."""
    heads = re.findall(r"<th [^>]*>", table(FACTS, "level", COLUMNS, "Levels").html)
    assert ["tb-number" in head for head in heads] == [True, False, True]


def test_an_empty_table_says_so():
    """Where there is no row, the caption says there is none."""
    assert (
        table(FACTS, "target", {"Price": "{price}"}, "Targets").html
        == '<p class="tb-empty">Targets: none.</p>'
    )


def test_an_unknown_column_is_an_error():
    """A misspelt name is refused, with the nearest."""
    with pytest.raises(DataError, match=r"'prise'.*Did you mean price"):
        table(FACTS, "level", {"Price": "{prise}"}, "Levels")


def test_a_direction_has_a_sign_beside_its_colour():
    """A fall is marked with a sign that is not read aloud; the text stays that of the fact."""
    html = fill("{price.change:sign}", FACTS)
    assert "▼" in html
    assert Reader(html).facts == {"price.change": "−2.5 %"}


def test_a_verdict_has_a_sign():
    """A failed check is marked with a cross on one line with its word."""
    assert "✗</span>&nbsp;<span" in fill("{plan.passed:check}", FACTS)
    assert "✓" in fill("{x:check}", {"x": Fact("x", True, "x")})


def test_a_truth_that_is_no_verdict_has_no_sign():
    """A limit that does not decide has not failed."""
    assert fill("{x}", {"x": Fact("x", False, "x")}) == '<span data-fact="x">no</span>'


def test_a_template_without_any_known_fact_is_one_dash():
    """Words around missing figures are left out with them."""
    assert Reader(fill("buy at {plan.entry}, stop {plan.stop}", FACTS)).facts == {"plan.entry": "–"}
    assert Reader(fill("buy at {plan.entry}, stop {plan.stop}", FACTS)).outside == ""


def test_a_missing_fact_beside_a_known_one_is_a_dash():
    """Missing stays visible."""
    assert Reader(fill("{price.change} {plan.stop}", FACTS)).facts == {
        "price.change": "−2.5 %",
        "plan.stop": "–",
    }


def test_a_note_may_be_missing():
    """`maybe` leaves nothing where there is nothing to say."""
    assert Reader(fill("{price.change}{plan.stop:maybe}", FACTS)).facts == {"price.change": "−2.5 %"}


def test_a_series_is_a_sparkline():
    """A fact of many values is shown by its shape."""
    html = fill("{closes}", {"closes": Fact("closes", [1.0, 2.0, 3.0], "newest closes")})
    assert '<span data-fact="closes"><svg' in html
    assert "<title>newest closes</title>" in html


def test_strip_has_a_heading_for_each_figure():
    """Key figures are a list of terms and descriptions."""
    html = strip(FACTS, {"Change": "{price.change}", "Entry": "{plan.entry}"}).html
    assert re.findall(r"<dt[^>]*>(.*?)</dt>", html) == ["Change", "Entry"]
