"""A site appears as a whole or not at all."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
import toys

from tickerbook.errors import SiteError
from tickerbook.site import releases
from tickerbook.site.releases import put_in_place, release


@pytest.fixture(params=["links", "no links"])
def linking(request, monkeypatch):
    """Systems with and without links."""
    if request.param == "no links":

        def refused(*_args, **_options):
            raise OSError(1, "no links here")

        monkeypatch.setattr(Path, "symlink_to", refused)
    return request.param


def publish(toy, text, minutes=0):
    """Publish a site of one page."""
    with release(toy, toys.NOW_AT + timedelta(minutes=minutes)) as site:
        (site / "index.html").write_text(text)


def shown(toy):
    """What a reader gets."""
    return (toy.site / "index.html").read_text()


@pytest.mark.usefixtures("linking")
def test_a_finished_site_takes_the_place_of_the_one_before(toy):
    """With links and without."""
    for text in ("one", "two", "three"):
        publish(toy, text)
        assert shown(toy) == text


@pytest.mark.usefixtures("linking")
def test_an_unfinished_site_is_never_seen(toy):
    """After an error the site before stays, and nothing of the other is left."""
    publish(toy, "one")
    with pytest.raises(TypeError), release(toy, toys.NOW_AT) as site:
        (site / "index.html").write_text("half" + None)
    assert shown(toy) == "one"
    assert len(list((toy.project / "data/releases").iterdir())) == 1


def test_the_site_before_is_kept(toy):
    """This one and the one before; older ones go."""
    for minutes, text in enumerate(("one", "two", "three")):
        publish(toy, text, minutes)
    kept = sorted((toy.project / "data/releases").iterdir())
    assert [(path / "index.html").read_text() for path in kept] == ["two", "three"]


def test_a_folder_in_place_is_replaced_too(toy):
    """Somebody copied a site there, or unpacked one."""
    toy.site.mkdir()
    (toy.site / "index.html").write_text("copied")
    publish(toy, "one")
    assert shown(toy) == "one"


def test_a_killed_build_leaves_nothing_for_good(toy):
    """The next build removes what it left."""
    left = toy.project / "data/releases/.20261120T120000Z-000.abc.part"
    left.mkdir(parents=True)
    publish(toy, "one")
    assert not left.exists()


def test_a_build_killed_between_two_renames_is_mended(toy):
    """Without links there is a moment without a site; the one before is put back."""
    aside = toy.site.with_name("._site.old")
    aside.mkdir()
    (aside / "index.html").write_text("before")
    with pytest.raises(KeyError), release(toy, toys.NOW_AT):
        raise KeyError
    assert shown(toy) == "before"


def test_a_reader_never_misses_a_page(toy):
    """While sites are swapped, each read is a whole page of one of them."""
    for name in ("one", "two"):
        (toy.project / name).mkdir()
        (toy.project / name / "index.html").write_text(name)
    put_in_place(toy.project / "one", toy.site)
    seen, done = set(), threading.Event()

    def look():
        while not done.is_set():
            seen.add(shown(toy))

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(300):
        put_in_place(toy.project / ("two" if n % 2 else "one"), toy.site)
    done.set()
    reader.join()
    assert seen == {"one", "two"}


def test_the_link_survives_a_move_of_the_project(toy):
    """It is relative."""
    publish(toy, "one")
    assert not toy.site.readlink().is_absolute()


def test_another_build_is_waited_for(toy, monkeypatch):
    """For as long as a build may take; then an error says so."""
    monkeypatch.setattr(releases, "_PATIENCE", 0.05)
    with (
        releases.one_at_a_time(toy),
        pytest.raises(SiteError, match="Another build"),
        releases.one_at_a_time(toy),
    ):
        pytest.fail("two builds at once")
