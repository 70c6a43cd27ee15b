"""Publishing facts: how anything leaves a notebook."""

from collections.abc import Iterable
from html import escape
from typing import Any

from tickerbook.display.tables import span
from tickerbook.facts import MIME, Fact, Facts


def publish(facts: Facts | Iterable[Fact], *, hidden: bool = False) -> None:
    """Show facts with two faces: a table for whoever looks, and a private MIME type for the runner.

    Args:
        facts: what the notebook found. Names are unique within the notebook.
        hidden: whether to show no table.

    Raises:
        DataError: if two facts share a name.
    """
    from IPython.display import display  # noqa: PLC0415 - whoever only draws pages needs no IPython

    facts = facts if isinstance(facts, Facts) else Facts(facts)
    display(_bundle(facts, hidden=hidden), raw=True)  # type: ignore[no-untyped-call] # IPython's has no types


def _bundle(facts: Facts, *, hidden: bool) -> dict[str, Any]:
    bundle: dict[str, Any] = {MIME: {"facts": facts.to_json()}}
    return bundle if hidden else {**bundle, "text/html": _table(facts), "text/plain": _plain(facts)}


def _table(facts: Facts) -> str:
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(fact.label)}</th>'
        f"<td>{span(fact, fact.text)}</td><td><code>{escape(fact.name)}</code></td></tr>"
        for fact in facts.values()
    )
    return f'<details class="tb-facts"><summary>Published facts</summary><table>{rows}</table></details>'


def _plain(facts: Facts) -> str:
    return "\n".join(f"{fact.name} = {fact.text}" for fact in facts.values())
