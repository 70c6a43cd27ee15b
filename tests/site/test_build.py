"""A whole build, from stored runs to a site in place."""

import json
import signal
import subprocess
import sys
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
import toys
from reading import read, record

from tickerbook.errors import SiteError
from tickerbook.site import pandoc, renderers
from tickerbook.site.build import Renderer, build
from tickerbook.store import Failure, RunStore

NEXT = date(2026, 11, 20)
BOOM = Failure("error", "ValueError: boom <b>", "Mend the cell.", 4)
WRITTEN = {f"{path.stem}.html" for path in Path(__file__).parents[2].glob("reports/*.qmd")}
PAGES = {
    *WRITTEN,
    *("tickers/AAPL.html", "tickers/BRK.B.html", "tickers/_5EGSPC.html"),
}


def test_the_hand_written_pages_are_there():
    """Home, market, levels, methods, runs."""
    assert {"index.html", "market.html", "levels.html", "methods.html", "runs.html"} <= WRITTEN


def pages_of(site):
    """Every page of a site."""
    return {path.relative_to(site).as_posix() for path in site.rglob("*.html")}


def test_a_site_has_every_page(toy, put_good, build_toy, renderer):
    """With each renderer: pages, records, evidence, one plotly."""
    put_good("AAPL")
    result = build_toy(renderer=renderer)
    assert (result.renderer, result.pages, result.failures) == (renderer, len(PAGES), {})
    assert pages_of(toy.site) >= PAGES
    for name in (
        "api/v1/index.json",
        "api/v1/runs.json",
        "notebooks/AAPL/report.ipynb",
        "look/plotly.min.js",
    ):
        assert (toy.site / name).is_file()
    assert "$421.50" in read(toy.site / "tickers/AAPL.html").main
    assert "tickerbook fetch ^GSPC" in read(toy.site / "tickers/_5EGSPC.html").main


def test_nothing_run_is_a_site_too(toy, build_toy):
    """The first build of a new project: every page says what is missing."""
    build_toy()
    assert "There are no prices yet" in read(toy.site / "tickers/AAPL.html").main
    assert "there are no prices yet" in read(toy.site / "index.html").main
    assert "There is no good run over the universe yet" in read(toy.site / "market.html").main


def test_the_index_leads_to_every_record(toy, put_good, build_toy):
    """Programs begin at index.json."""
    put_good("AAPL")
    build_toy()
    folder = toy.site / "api/v1"
    index = json.loads((folder / "index.json").read_text())
    assert [entry["ticker"] for entry in index["tickers"]] == ["AAPL", "BRK.B", "^GSPC"]
    for entry in index["tickers"]:
        assert json.loads((folder / entry["url"]).read_text())["ticker"] == entry["ticker"]
        assert (toy.site / entry["page"]).is_file()
    assert index["tickers"][0]["facts"]["price.close"]["text"] == "$431.20"


def test_a_record_says_where_its_numbers_come_from(toy, put_good, build_toy):
    """Facts with text and notebook; origin, parameters and versions of each run; prose; status."""
    put_good("AAPL")
    build_toy()
    aapl = record(toy.site, "AAPL")
    assert aapl["facts"]["support.price"] | {"label": ""} == {
        "value": 421.5,
        "unit": "USD",
        "digits": None,
        "text": "$421.50",
        "label": "",
        "as_of": "2026-11-19",
        "notebook": "levels",
        "cell": 3,
    }
    levels = aapl["sources"][0]
    assert levels["parameters"] == {"ticker": "AAPL", "zone_atr": 0.25}
    assert levels["versions"]["numpy"] == "2.4.1"
    assert levels["origin"]["source"] == "synthetic prices"
    assert aapl["narrative"]["narrator"] == "plain"
    assert (aapl["status"], aapl["session"], aapl["freshness"]["age"]) == ("ok", "2026-11-19", "fresh")


def test_a_failed_ticker_has_a_page_that_says_so(toy, store, put_good, build_toy):
    """Which cell, why, what to do, and the last good content with its date; home says it too."""
    put_good("AAPL")
    failed = toys.toy_result("levels", "AAPL", status="failed", session=NEXT, failure=BOOM)
    store.put(failed, toys.notebook_text())
    skipped = Failure("upstream", "levels failed", "Mend levels first.")
    store.put(toys.toy_result("report", "AAPL", status="skipped", session=NEXT, failure=skipped), "{}")
    result = build_toy()
    assert result.failures == {}
    page = " ".join(read(toy.site / "tickers/AAPL.html").main.split())
    for text in (
        "Not up to date",
        "levels failed in cell 4 (error, session 2026-11-20): ValueError: boom <b>",
        "What to do: Mend the cell.",
        "report was skipped",
        "Below is the last good report, of the close of 2026-11-19.",
        "$421.50",
    ):
        assert text in page
    assert "levels failed in cell 4" in " ".join(read(toy.site / "index.html").main.split())
    assert record(toy.site, "AAPL")["status"] == "skipped"


def test_the_failed_notebook_is_not_published(toy, store, build_toy):
    """A traceback may hold what nobody should read."""
    failed = toys.toy_result("levels", "AAPL", status="failed", failure=BOOM)
    store.put(failed, toys.notebook_text(toys.code_cell({"text/plain": "canary"})))
    build_toy()
    assert not [p for p in toy.site.rglob("*") if p.is_file() and b"canary" in p.read_bytes()]


def test_runs_tell_what_ran_and_what_failed(toy, store, put_good, build_toy):
    """With seconds, on the page and for programs."""
    put_good("AAPL")
    store.put(toys.toy_result("levels", "BRK.B", status="failed", failure=BOOM), toys.notebook_text())
    build_toy()
    page = " ".join(read(toy.site / "runs.html").main.split())
    assert "5 runs stand behind this site: 4 ok, 1 failed, 0 skipped" in page
    rows = json.loads((toy.site / "api/v1/runs.json").read_text())["runs"]
    assert [row["status"] for row in rows].count("ok") == 4
    assert rows[0] == {
        "notebook": "levels",
        "ticker": "AAPL",
        "session": "2026-11-19",
        "status": "ok",
        "seconds": 2.3,
        "started_at": "2026-11-20 11:51 UTC",
    }


def test_the_market_s_notebook_is_the_market_s_page(toy, store, build_toy):
    """With its session."""
    report = toys.notebook_text(toys.code_cell({"text/html": "<p>All of it</p>"}, tags=["hide-code"]))
    store.put(toys.toy_result("market", None), report)
    build_toy()
    page = read(toy.site / "market.html").main
    assert "All of it" in page
    assert "close of 2026-11-19" in page
    assert (toy.site / "notebooks/universe/market.ipynb").is_file()


def damage(store, result):
    """Tear a stored run."""
    (store.folder(result.run.key) / "facts.json").write_text("{")


def test_a_page_that_cannot_be_made_keeps_its_last_version(toy, store, put_good, build_toy):
    """Marked on the page, in its record, at home and in the result; the others are new."""
    report = put_good("AAPL")
    build_toy()
    damage(store, report)
    put_good("BRK.B")
    result = build_toy()
    assert list(result.failures) == ["tickers/AAPL.html"]
    page = " ".join(read(toy.site / "tickers/AAPL.html").main.split())
    assert "An older version of this page" in page
    assert "$421.50" in page
    assert record(toy.site, "AAPL")["status"] == "failed"
    assert record(toy.site, "AAPL")["facts"]["support.price"]["text"] == "$421.50"
    assert "AAPL : page failed" in " ".join(read(toy.site / "index.html").main.split()).replace(
        "AAPL:", "AAPL :"
    )
    assert "$421.50" in read(toy.site / "tickers/BRK.B.html").main


def test_an_old_version_keeps_the_date_since_when(toy, store, put_good, build_toy):
    """A second build without success does not make it look newer."""
    damage(store, put_good("BRK.B"))
    report = put_good("AAPL")
    build_toy()
    damage(store, report)
    for minutes in (1, 2):
        build_toy(now_at=toys.NOW_AT + timedelta(minutes=minutes))
    page = " ".join(read(toy.site / "tickers/AAPL.html").main.split())
    assert page.count("An older version of this page") == 1
    assert "could not be built at 2026-11-20 12:01 UTC" in page


def test_a_page_without_a_last_version_says_why(toy, store, put_good, build_toy):
    """The first build of a damaged run."""
    damage(store, put_good("AAPL"))
    result = build_toy()
    assert list(result.failures) == ["tickers/AAPL.html"]
    assert "cannot be read" in read(toy.site / "tickers/AAPL.html").main


def test_a_page_that_the_renderer_refuses_keeps_its_last_version(toy, put_good, build_toy, monkeypatch):
    """As one that cannot be made; it is taken out, and the rest rendered again."""
    put_good("AAPL")
    build_toy()
    honest = pandoc.render

    def refusing(stage):
        failures = honest(stage)
        text = (stage.folder / "tickers/AAPL.ipynb").read_text()
        if "support.price" in text:
            (stage.output / "tickers/AAPL.html").unlink()
            return {**failures, "tickers/AAPL.ipynb": "too beautiful"}
        return failures

    monkeypatch.setattr(renderers.pandoc, "render", refusing)
    result = build_toy()
    assert result.failures == {"tickers/AAPL.html": "too beautiful"}
    page = read(toy.site / "tickers/AAPL.html").main
    assert "too beautiful" in page
    assert "$421.50" in page


def test_a_hand_written_page_keeps_its_last_version_too(toy, build_toy):
    """Whoever breaks it in reports/ sees the old one, marked."""
    build_toy()
    (toy.project / "reports/methods.qmd").write_text("{{< include gone.md >}}\n")
    result = build_toy()
    assert list(result.failures) == ["methods.html"]
    assert "An older version of this page" in read(toy.site / "methods.html").main


def test_a_hand_written_page_that_never_worked_stops_the_build(toy, build_toy):
    """There is nothing to show in its place."""
    (toy.project / "reports/methods.qmd").write_text("{{< include gone.md >}}\n")
    with pytest.raises(SiteError, match=r"methods\.html cannot be rendered"):
        build_toy()
    assert not toy.site.exists()


def test_a_failed_build_leaves_the_site_before(toy, put_good, build_toy, monkeypatch):
    """Whatever is wrong with a new site, readers keep the old one."""
    put_good("AAPL")
    build_toy()
    before = (toy.site / "index.html").read_bytes()

    def useless(_stage):
        raise SiteError("the renderer is broken")

    monkeypatch.setattr(renderers.pandoc, "render", useless)
    with pytest.raises(SiteError, match="broken"):
        build_toy()
    assert (toy.site / "index.html").read_bytes() == before


def test_a_site_that_does_not_pass_the_checks_is_not_published(toy, build_toy):
    """A dead link on a hand-written page."""
    build_toy()
    (toy.project / "reports/extra.qmd").write_text("---\ntitle: x\n---\n\n[gone](gone.html)\n")
    with pytest.raises(SiteError, match=r"extra\.html links to gone\.html"):
        build_toy()
    assert not (toy.site / "extra.html").exists()


def test_a_hand_written_page_is_one_file(toy, build_toy):
    """It appears in the site and, if it asks for it, in every page's navigation."""
    (toy.project / "reports/extra.qmd").write_text("---\ntitle: Something new\nnav: 7\n---\n\nHere.\n")
    build_toy()
    assert "Here." in read(toy.site / "extra.html").main
    assert "Something new" in read(toy.site / "tickers/AAPL.html").seen


def test_only_the_tickers_asked_for_are_made_anew(toy, put_good, build_toy):
    """The others keep their page and their record together."""
    put_good("AAPL")
    put_good("BRK.B")
    build_toy()
    put_good("AAPL", session=NEXT)
    put_good("BRK.B", session=NEXT)
    build_toy(tickers=["AAPL"])
    for slug, session in (("AAPL", "2026-11-20"), ("BRK.B", "2026-11-19")):
        assert record(toy.site, slug)["session"] == session
        assert f"close of {session}" in read(toy.site / f"tickers/{slug}.html").main


def test_a_ticker_that_left_the_universe_leaves_the_site(toy, put_good, build_toy):
    """Its page, its record, its source."""
    put_good("BRK.B")
    build_toy()
    smaller = toy.model_copy(update={"tickers": toy.tickers[:1]})
    build(smaller, RunStore(toy.runs), renderer=Renderer.PANDOC, now_at=toys.NOW_AT)
    assert not list(toy.site.rglob("BRK.B*"))
    assert not list((toy.project / "reports").rglob("BRK.B*"))


def test_two_builds_at_once_wait_for_each_other(toy, put_good, build_toy):
    """Both end well, and the site is whole."""
    put_good("AAPL")
    faults = []

    def one():
        try:
            build_toy()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            faults.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert pages_of(toy.site) >= PAGES


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from tickerbook.settings import load_settings
from tickerbook.site.build import Renderer, build
from tickerbook.store import RunStore

def tell(text):
    if text.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

settings = load_settings(Path(sys.argv[1]))
now_at = datetime.fromisoformat(sys.argv[3])
build(settings, RunStore(settings.runs), renderer=Renderer.PANDOC, now_at=now_at, on_progress=tell)
"""


def test_a_killed_build_changes_nothing(toy, put_good, build_toy):
    """At whichever step it is killed, readers keep the whole site before, and the next build works."""
    put_good("AAPL")
    build_toy()
    before = {path: path.read_bytes() for path in toy.site.rglob("*") if path.is_file()}
    for step in ("gathering", "rendering", "checking"):
        arguments = [str(toy.project), step, toys.NOW_AT.isoformat()]
        done = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
        assert done.returncode == -signal.SIGKILL, step
        assert {path: path.read_bytes() for path in toy.site.rglob("*") if path.is_file()} == before
    build_toy()
    assert pages_of(toy.site) >= PAGES
    assert not list((toy.project / "data/releases").glob(".*"))


def test_progress_is_told(put_good, build_toy):
    """In words, as the build goes."""
    put_good("AAPL")
    said = []
    build_toy(on_progress=said.append)
    assert said == ["gathering 3 tickers", "rendering with pandoc", f"checking {len(PAGES)} pages"]
