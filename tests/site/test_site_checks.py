"""What a finished site must hold."""

import pytest

from tickerbook.errors import SiteError
from tickerbook.site.checks import check_site

GOOD = '<html><a href="b.html#x">b</a><a href="https://example.org">o</a><img src="data:image/png;base64,AA"></html>'


@pytest.fixture
def site(tmp_path):
    """A site of two good pages and a record."""
    (tmp_path / "a.html").write_text(GOOD)
    (tmp_path / "b.html").write_text("<a href='a.html'>a</a>")
    (tmp_path / "a.json").write_text("{}")
    return tmp_path


def test_a_good_site_passes(site):
    """Links inside and outside, pictures as data."""
    check_site(site, ["a.html", "b.html"])


def test_a_missing_page_is_refused(site):
    """Every page that was to be made is there."""
    with pytest.raises(SiteError, match=r"c\.html is missing"):
        check_site(site, ["c.html"])


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        ('<a href="gone.html">x</a>', "links to gone.html"),
        ('<a href="../../etc/passwd">x</a>', "links to ../../etc/passwd"),
        ('<script src="https://cdn.example/x.js"></script>', "from elsewhere"),
        ('<img src="//cdn.example/x.png">', "from elsewhere"),
        ('<link href="http://fonts.example/x.css">', "from elsewhere"),
        ('<p onclick="x">x</p>', "handler p onclick"),
        ("<script>x</script>", "runs a script of its own"),
        ('<a href="javascript:x">x</a>', "leads to a script"),
    ],
)
def test_a_faulty_page_is_refused(site, markup, fault):
    """By the page's name and what is wrong."""
    (site / "b.html").write_text(markup)
    with pytest.raises(SiteError, match=r"b\.html") as error:
        check_site(site, [])
    assert fault in str(error.value)


def test_json_is_strict(site):
    """NaN is not JSON."""
    (site / "a.json").write_text('{"x": NaN}')
    with pytest.raises(SiteError, match="not strict JSON"):
        check_site(site, [])
