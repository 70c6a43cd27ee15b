"""Publishing facts from a notebook."""

import json

import pytest
from IPython.core import display_functions

from tickerbook.display.publish import publish
from tickerbook.errors import DataError
from tickerbook.facts import MIME, Fact, Facts

FACTS = Facts([Fact("price.close", 431.2, "last <close>", "USD"), Fact("equity.x", [1.0, 1.1], "curve")])


@pytest.fixture
def shown(monkeypatch):
    """What was displayed."""
    bundles = []

    def display(*bundle, raw):
        assert raw
        bundles.extend(bundle)

    monkeypatch.setattr("IPython.display.display", display)
    assert display_functions.display is not display
    return bundles


def test_facts_are_displayed_for_the_runner(shown):
    """The private MIME type has every fact, as JSON knows it."""
    publish(FACTS)
    payload = json.loads(json.dumps(shown[0][MIME]))
    assert Facts.from_json(payload["facts"])["price.close"] == FACTS["price.close"]


def test_facts_are_displayed_for_a_person(shown):
    """The table has label, text and name, escaped."""
    publish(FACTS)
    html = shown[0]["text/html"]
    assert "last &lt;close&gt;" in html
    assert '<span data-fact="price.close">$431.20</span>' in html
    assert "price.close = $431.20" in shown[0]["text/plain"]


def test_hidden_facts_have_no_face(shown):
    """Hidden facts reach the runner only."""
    publish(FACTS, hidden=True)
    assert list(shown[0]) == [MIME]


def test_any_iterable_of_facts_is_published(shown):
    """A list of facts does as well."""
    publish([Fact("a", 1, "a")])
    assert list(shown[0][MIME]["facts"]) == ["a"]


def test_a_name_is_published_once(shown):
    """Two facts of one name are refused before anything is shown."""
    with pytest.raises(DataError, match="'a'"):
        publish([Fact("a", 1, "a"), Fact("a", 2, "a")])
    assert shown == []
