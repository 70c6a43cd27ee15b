"""Tables of facts as HTML. Every figure stands in an element that names its fact.

A cell is written as a template, `{low} to {high}`: text with the names of facts in braces. `{change:sign}`
puts a sign of direction before the figure and `{passed:check}` a tick or a cross, so that colour is never
alone; `{note:maybe}` is nothing where the fact is missing. Every other missing fact is a dash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from string import Formatter

from tickerbook.display.sparkline import sparkline
from tickerbook.errors import DataError
from tickerbook.facts import MISSING, Fact, Facts
from tickerbook.settings import nearest

_TABLE = 'class="tb-table" style="border-collapse:collapse;font-variant-numeric:tabular-nums"'
_NUMBER = ' class="tb-number" style="text-align:right;white-space:nowrap"'
_CAPTION = 'style="text-align:left"'
_DT = "float:none;width:auto;font-size:.85em;font-weight:normal;opacity:.75"  # JupyterLab floats terms
_DD = "float:none;width:auto;margin:0;font-weight:600"
_TEXT = ' style="text-align:left"'


@dataclass(frozen=True)
class Html:
    """A piece of a page, shown by Jupyter as it is."""

    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html


def table(facts: Facts, group: str, columns: Mapping[str, str], caption: str) -> Html:
    """A table of the facts `group.number.column`, one row a number.

    Args:
        facts: those that have the rows.
        group: such as "level".
        columns: heading → template of the columns' names.
        caption: what the table shows; where there is no row, it says so.

    Raises:
        DataError: if a template names a column that no row has.
    """
    rows = facts.rows(group)
    if not rows:
        return Html(f'<p class="tb-empty">{escape(caption)}: none.</p>')
    numeric = {heading: _is_numeric(template, rows) for heading, template in columns.items()}
    head = "".join(f'<th scope="col"{_NUMBER if numeric[h] else _TEXT}>{escape(h)}</th>' for h in columns)
    body = "".join(
        f"<tr>{''.join(_cell(t, row, numeric[h]) for h, t in columns.items())}</tr>" for row in rows
    )
    return Html(
        f'<div class="tb-scroll" style="overflow-x:auto" role="region" tabindex="0" '
        f'aria-label="{escape(caption)}">'
        f"<table {_TABLE}><caption {_CAPTION}>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def strip(facts: Facts, items: Mapping[str, str]) -> Html:
    """Key figures side by side: heading → template of facts' names. Where nothing of it is known, a dash.

    Raises:
        DataError: if a template names a fact that is not there.
    """
    cells = "".join(
        f'<div style="min-width:7.5em"><dt style="{_DT}">{escape(heading)}</dt>'
        f'<dd style="{_DD}">{fill(template, facts)}</dd></div>'
        for heading, template in items.items()
    )
    look = "display:flex;flex-wrap:wrap;gap:.75em 1.75em;margin:.75em 0;font-variant-numeric:tabular-nums"
    return Html(f'<dl class="tb-strip" style="{look}">{cells}</dl>')


def fill(template: str, facts: Mapping[str, Fact]) -> str:
    """A template as HTML, its facts filled in. Where all of them are missing, a dash stands for the whole.

    Raises:
        DataError: if it names a fact that is not there.
    """
    parts = [
        (text, name and _named(name, facts), spec) for text, name, spec, _ in Formatter().parse(template)
    ]
    found = [fact for _, fact, _ in parts if fact]
    if found and all(fact.value is None for fact in found):
        return span(found[0], MISSING)
    return "".join(escape(text) + (_figure(fact, spec or "") if fact else "") for text, fact, spec in parts)


def span(fact: Fact, text: str) -> str:
    """A text marked as the figure of a fact."""
    return f'<span data-fact="{escape(fact.name)}">{escape(text)}</span>'


def _figure(fact: Fact, spec: str) -> str:
    if isinstance(fact.value, tuple):
        return f'<span data-fact="{escape(fact.name)}">{sparkline(fact.value, fact.label)}</span>'  # type: ignore[arg-type] # a series that is shown is of numbers
    value, mark = fact.value, ""
    if spec == "maybe" and value is None:
        return ""
    if spec == "check" and isinstance(value, bool):
        mark = _mark("✓", "tb-yes") if value else _mark("✗", "tb-no")
    elif spec == "sign" and isinstance(value, int | float) and value:
        mark = _mark("▲", "tb-rise") if value > 0 else _mark("▼", "tb-fall")
    return mark + span(fact, fact.text)


def _mark(sign: str, look: str) -> str:
    """A sign beside a figure that says the same: not read aloud, and on one line with it."""
    return f'<span class="tb-mark {look}" aria-hidden="true">{sign}</span>&nbsp;'


def _cell(template: str, row: Mapping[str, Fact], numeric: bool) -> str:
    return f"<td{_NUMBER if numeric else _TEXT}>{fill(template, row)}</td>"


def _is_numeric(template: str, rows: list[dict[str, Fact]]) -> bool:
    """Whether a column holds numbers or dates, which stand at the right and on one line."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    values = [
        row[name].value for row in rows for name in names if name in row and row[name].value is not None
    ]
    return bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _named(name: str, facts: Mapping[str, Fact]) -> Fact:
    try:
        return facts[name]
    except KeyError:
        raise DataError(
            f"There is no fact named {name!r} here.{nearest(name, list(facts))}",
            f"There are {', '.join(facts)}." if len(facts) < 20 else "",  # noqa: PLR2004 - a list nobody reads
        ) from None
