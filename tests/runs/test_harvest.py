"""Facts are heard from what cells display."""

import nbformat
import pytest
from books import payload

from tickerbook.facts import MIME
from tickerbook.runs.harvest import harvest


def displaying(*bundles):
    """An executed notebook whose cells displayed these MIME bundles, one each, behind a cell of prose."""
    shown = [nbformat.v4.new_output("display_data", data=dict(bundle)) for bundle in bundles]
    code = [nbformat.v4.new_code_cell("publish()", outputs=[output]) for output in shown]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("prose"), *code])


def test_facts_know_their_notebook_and_cell():
    """What is published carries who published it and where."""
    facts, failure = harvest(displaying({"text/plain": "x"}, payload(price__close=1.5)), "levels")
    assert failure is None
    assert (facts["price.close"].value, facts["price.close"].notebook, facts["price.close"].cell) == (
        1.5,
        "levels",
        2,
    )


def test_what_several_cells_publish_is_one_set():
    """A notebook may publish as it goes."""
    facts, failure = harvest(displaying(payload(a=1), payload(b=2)), "levels")
    assert failure is None
    assert {name: fact.cell for name, fact in facts.items()} == {"a": 1, "b": 2}


def test_facts_of_another_notebook_stay_its_own():
    """A report that passes on levels does not claim them."""
    levels, _ = harvest(displaying(payload(a=1)), "levels")
    facts, _ = harvest(displaying({MIME: {"facts": levels.to_json()}}), "report")
    assert (facts["a"].notebook, facts["a"].cell) == ("levels", 1)


def test_a_result_of_a_cell_counts_too():
    """A last expression publishes as a display does."""
    output = nbformat.v4.new_output("execute_result", data=payload(a=1), execution_count=1)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("f", outputs=[output])])
    assert list(harvest(book, "levels")[0]) == ["a"]


def test_a_name_published_twice_is_a_failure():
    """Which of the two is meant must not be a guess; the cell of the second is named."""
    facts, failure = harvest(displaying(payload(a=1), payload(a=1)), "levels")
    assert not facts
    assert (failure.kind, failure.cell) == ("error", 2)
    assert "'a'" in failure.message
    assert failure.remedy


@pytest.mark.parametrize("bundles", [(), ({"text/html": "<p>"},), (payload(),)])
def test_no_facts_is_a_failure_of_its_own(bundles):
    """A notebook that tells nothing has not done its work."""
    facts, failure = harvest(displaying(*bundles), "levels")
    assert not facts
    assert failure.kind == "no facts"
    assert "tb.publish" in failure.remedy


@pytest.mark.parametrize(
    "content",
    [{}, {"facts": {"a": {"value": 1}}}, {"facts": {"a": 1}}, {"facts": []}, {"facts": None}, [], "x", 3],
)
def test_what_is_no_set_of_facts_is_a_failure(content):
    """Something else under our MIME type is told, with its cell."""
    _, failure = harvest(displaying(payload(a=1), {MIME: content}), "levels")
    assert (failure.kind, failure.cell) == ("error", 2)
