"""Hostile and legitimate markup on its way to a page."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import Page, live

from tickerbook.site.clean import block, clean_html, clean_markdown, clean_svg, data_script, literal, picture

NASTY = st.lists(
    st.sampled_from(
        [
            *(
                "<",
                ">",
                '"',
                "'",
                "`",
                "```",
                "{{<",
                ">}}",
                "{=html}",
                "\n",
                "\r\n",
                "---",
                ":::",
                "</",
                "/>",
                " ",
            ),
            *(
                "<script>",
                "</script>",
                "<svg>",
                "</svg>",
                "<table>",
                "<td>",
                "</div>",
                "<style>",
                "</style>",
                "<!--",
            ),
            *(
                "onerror=x",
                "javascript:",
                "href=",
                "src=",
                "title=",
                "<img ",
                "<a ",
                "&lt;",
                "&#106;",
                "x",
                "alert(1)",
            ),
            *(
                "<math>",
                "<p>",
                "<title>",
                "</title>",
                "<textarea>",
                "<noscript>",
                "<![CDATA[",
                "]]>",
                "\x00",
                "data-a=",
            ),
        ]
    ),
    max_size=20,
).map("".join)


@given(NASTY)
def test_a_block_is_one_line_that_means_nothing_to_markdown(text):
    """Whatever stands in a block, no line of it can end it, begin front matter or be a shortcode."""
    first, line, *rest = block(clean_html(text) + literal(text)).split("\n")
    assert (first, rest) == ("```{=html}", ["```", ""])
    assert not {"`", "{{"} & {c for c in ("`", "{{") if c in line}


@given(NASTY)
def test_nothing_of_html_is_live(text):
    """No mixture of markup leaves anything that runs or loads."""
    assert live(Page(clean_html(text))) == []


@given(NASTY)
def test_nothing_of_markdown_is_live(text):
    """Markup inside Markdown is text."""
    assert live(Page(clean_markdown(text))) == []


@given(NASTY)
def test_nothing_of_a_drawing_is_live(text):
    """A drawing keeps shapes and texts only."""
    wrapped = f'<svg xmlns="http://www.w3.org/2000/svg"><text>{text}</text></svg>'
    assert live(Page(clean_svg(wrapped) + clean_svg(text))) == []


@given(st.text() | NASTY)
def test_data_for_scripts_comes_back(text):
    """JSON inside a page is what was put in, and cannot end its element."""
    script = data_script({"a": text, "b": {"c": {}}})
    inside = script.removeprefix('<script type="application/json">').removesuffix("</script>")
    assert json.loads(inside) == {"a": text, "b": {"c": {}}}
    assert "<" not in inside
    assert block(script).count(inside) == 1


def test_scripts_are_shown_as_text():
    """A reader sees what the data held."""
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in clean_html("<p>x<script>alert(1)</script></p>")


def test_tables_stay():
    """Tables, marks of facts and links to pages are legitimate."""
    table = '<table class="x"><tr><td data-fact="a.b" colspan="2">1</td><td><a href="AAPL.html">A</a></td></tr></table>'
    cleaned = clean_html(table)
    assert 'data-fact="a.b" colspan="2">1</td>' in cleaned.replace(
        'colspan="2" data-fact="a.b"', 'data-fact="a.b" colspan="2"'
    )
    assert '<a href="AAPL.html">A</a>' in cleaned


def test_a_table_scrolls_in_a_frame_of_its_own():
    """A wide table does not widen a phone's page; one that has a frame gets no second."""
    assert clean_html("<table></table>").startswith('<div class="scroll"><table>')
    assert clean_html('<div class="tb-scroll"><table></table></div>').count("<div") == 1


def test_styles_of_data_are_left_out():
    """The page's sheet rules; pandas' Styler brings its own."""
    assert (
        clean_html(
            "<style>#T td{color:red}</style><table id='T'><tr><td style='color:red'>1</td></tr></table>"
        ).count("red")
        == 0
    )


def test_a_drawing_inside_html_is_cleaned_as_a_drawing():
    """A sparkline in a cell stays, without what could run."""
    cell = '<td><svg viewBox="0 0 9 9" onload="x"><path d="M0 0L9 9"/><script>x</script></svg></td>'
    cleaned = clean_html(f"<table><tr>{cell}</tr></table>")
    assert '<svg viewBox="0 0 9 9"><path d="M0 0L9 9"></path></svg>' in cleaned


def test_a_drawing_inside_an_attribute_stays_text():
    """Nothing breaks out of an attribute."""
    page = Page(clean_html("""<p title='<svg><text>" onclick="x</text></svg>'>a</p>"""))
    assert live(page) == []
    assert [tag for tag, _ in page.elements] == ["p"]


@pytest.mark.parametrize(
    "value", ["url(https://x/y)", "u\\72l(x)", "image-set('x')", "expression(x)", "red;} @import 'x'; a{"]
)
def test_a_drawing_reaches_nothing_outside(value):
    """Paints and styles may point into the drawing only."""
    drawing = clean_svg(
        f'<svg><style>a{{fill:{value}}}</style><path fill="{value}" style="fill:{value}"/></svg>'
    )
    assert drawing == "<svg><path></path></svg>"


def test_a_drawing_may_point_into_itself():
    """Clips and gradients work."""
    assert 'clip-path="url(#a)"' in clean_svg('<svg><g clip-path="url(#a)"/></svg>')


@pytest.mark.parametrize("text", ["<svg", "<html/>", '<!DOCTYPE s [<!ENTITY a "b">]><svg>&a;</svg>', ""])
def test_what_is_no_drawing_is_shown_as_text(text):
    """Broken or foreign XML, or XML with entities, is never a drawing."""
    assert clean_svg(text).startswith('<pre class="printed">')


@pytest.mark.parametrize(
    "href", ["javascript:x", "JaVa\tscript:x", " data:text/html,x", "vbscript:x", "&#106;avascript:x"]
)
def test_links_to_scripts_lose_their_target(href):
    """A link leads to a page, or nowhere."""
    assert clean_html(f'<a href="{href}">x</a>') == "<a>x</a>"


def test_terminal_colours_are_left_out():
    """What a terminal would colour is plain on a page."""
    assert literal("\x1b[31mred\x1b[0m <b>") == '<pre class="printed">red &lt;b&gt;</pre>'


def test_a_picture_is_data_or_nothing():
    """Pictures come with the page."""
    assert picture("image/png", "iVBORw0KGgo=\n", "a").startswith(
        '<img src="data:image/png;base64,iVBORw0KGgo="'
    )
    assert picture("image/png", '"><script>') == ""


def test_pictures_from_elsewhere_are_not_loaded():
    """A picture's address could tell who reads what."""
    assert "src" not in clean_html('<img src="https://evil.example/p.png" alt="p">')
    assert "src" not in clean_markdown("![p](https://evil.example/p.png)")
