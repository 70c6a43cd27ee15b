"""The notebooks, executed: as a schedule runs them, and as an analyst does."""

import json
import re
import subprocess
import sys
from html import unescape

import pytest

from tickerbook.facts import MIME, Facts

pytestmark = pytest.mark.xdist_group("notebooks")  # they share one project, which takes a while to run

NEEDED = {
    "levels": {
        "price.close",
        "price.change",
        "price.closes",
        "support.price",
        "resistance.distance",
        "level.1.low",
    },
    "backtest": {
        "strategy.1.signal",
        "benchmark.sharpe",
        "costs.half_spread_bps",
        "test.first",
        "equity.benchmark",
    },
    "sizing": {"plan.passed", "plan.entry", "plan.stop", "plan.shares", "plan.binding", "check.1.passed"},
}


def latest(ran, notebook, ticker):
    """A stored run and its executed notebook."""
    _, _, store = ran
    result = store.latest(notebook, ticker)
    return result, json.loads(store.notebook(result))


def shown(book, *, pages_only=False):
    """What a notebook displayed: a bundle for each output."""
    return [
        output["data"]
        for cell in book["cells"]
        if not (pages_only and {"remove-cell", "parameters"} & set(cell["metadata"].get("tags", [])))
        for output in cell.get("outputs", [])
        if "data" in output
    ]


def text(value):
    return "".join(value) if isinstance(value, list) else value


def test_every_notebook_runs_for_every_ticker(ran):
    """Also for a share that has been listed for less than a year."""
    _, results, _ = ran
    assert {
        (r.run.ticker, r.run.notebook, r.failure and r.failure.message) for r in results if r.status != "ok"
    } == set()
    assert len(results) == 2 * 4 + 4


@pytest.mark.parametrize("notebook", NEEDED)
@pytest.mark.parametrize("ticker", ["FB", "IBM"])
def test_facts_others_count_on_are_published(ran, notebook, ticker):
    """Pages, the narrative and other notebooks find what they need."""
    assert NEEDED[notebook] <= set(latest(ran, notebook, ticker)[0].facts)


def test_notebooks_are_quiet(ran):
    """No warning and no print reaches a page."""
    _, results, store = ran
    books = [json.loads(store.notebook(result)) for result in results]
    outputs = [output for book in books for cell in book["cells"] for output in cell.get("outputs", [])]
    assert [output for output in outputs if output["output_type"] in {"stream", "error"}] == []


def test_report_publishes_what_the_three_found(ran):
    """All facts of the three, each with the notebook that computed it; else only how strategies stand."""
    merged = Facts()
    for notebook in ("levels", "backtest", "sizing"):
        merged |= latest(ran, notebook, "IBM")[0].facts
    counts = {name for name in merged if name.startswith("study.")}  # for the league, not for the page
    assert counts
    merged = Facts(fact for name, fact in merged.items() if name not in counts)
    facts = latest(ran, "report", "IBM")[0].facts
    told = facts.to_json()
    assert {name: told[name] for name in merged} == merged.to_json()
    assert {name.split(".")[0] for name in set(told) - set(merged)} <= {"strategy"}  # its stage and evidence
    assert facts["plan.entry"].notebook == "sizing"


def test_the_league_pools_what_the_levels_counted(ran):
    """IBM's study, up to the last quarter that is over; FB has been listed for too short a time."""
    facts, study = latest(ran, "odds", None)[0].facts, latest(ran, "levels", "IBM")[0].facts
    assert (facts.value("league.tickers"), facts.value("league.through")) == (1, "2012-12-31")
    assert facts.value("league.touches") == sum(sum(row["n"].value) for row in study.rows("study"))
    assert latest(ran, "levels", "FB")[0].facts.value("study.through") is None
    assert {fact.as_of.isoformat() for fact in facts.values()} == {"2012-12-31"}


def test_levels_carry_their_odds_to_the_page(ran):
    """Sizing attaches them; one ticker alone is enough evidence for few methods."""
    facts = latest(ran, "report", "IBM")[0].facts
    rows = [row for row in facts.rows("level") if row["odds_n"].value is not None]
    assert rows
    assert facts["level.1.odds_n"].notebook == "sizing"


def test_all_facts_are_of_the_last_session(ran):
    """No figure on a page is of another day than it says."""
    facts = latest(ran, "report", "IBM")[0].facts
    assert {fact.as_of.isoformat() for fact in facts.values()} == {"2013-03-01"}


@pytest.mark.parametrize(
    ("notebook", "ticker"), [("report", "IBM"), ("report", "FB"), ("market", None), ("odds", None)]
)
def test_every_figure_on_a_page_is_a_fact(ran, notebook, ticker):
    """Elements that name a fact have its text, and there is no digit outside them."""
    result, book = latest(ran, notebook, ticker)
    pieces = [text(bundle["text/html"]) for bundle in shown(book, pages_only=True) if "text/html" in bundle]
    assert pieces
    for html in pieces:
        for name, told in re.findall(r'<span data-fact="([^"]+)">(?!<)([^<]*)</span>', html):
            assert unescape(told) == result.facts[name].text
        rest = re.sub(r'<span data-fact="[^"]+">(<svg.*?</svg>|[^<]*)</span>', "", html)
        assert not re.search(r"\d", unescape(re.sub(r"<[^>]*>", "", rest)))


def test_every_figure_in_a_chart_is_a_fact_or_a_scale(ran):
    """Labels of a drawing name their facts; what else has digits belongs to an axis."""
    result, book = latest(ran, "report", "IBM")
    drawings = [text(bundle["image/svg+xml"]) for bundle in shown(book) if "image/svg+xml" in bundle]
    assert len(drawings) == 2
    for svg in drawings:
        for name, told in re.findall(r'data-fact="([^"]+)">([^<]*)<', svg):
            assert unescape(told) == result.facts[name].text
        rest = re.sub(r"<(style|title|desc)>.*?</\1>", "", svg, flags=re.DOTALL)
        rest = re.sub(r'<g class="tb-axis[^>]*>.*?</g>|<tspan[^>]*data-fact[^>]*>[^<]*</tspan>', "", rest)
        words = [w for w in re.findall(r">([^<]+)<", rest) if not re.fullmatch(r"target \d|T\d", w)]
        assert not any(re.search(r"\d", re.sub(r"[RS]\d", "", w)) for w in words)  # R1: a pivot point's name


def test_market_has_a_row_for_every_ticker(ran):
    """The universe stands on one page, in its order."""
    facts = latest(ran, "market", None)[0].facts
    assert [row["ticker"].value for row in facts.rows("row")] == ["FB", "IBM"]
    assert facts["row.2.close"].value == latest(ran, "levels", "IBM")[0].facts["price.close"].value
    assert all(row["closes"].value for row in facts.rows("row"))


def test_hidden_facts_have_no_face_in_the_report(ran):
    """The report's first output is for the runner only."""
    _, book = latest(ran, "report", "IBM")
    assert [set(bundle) for bundle in shown(book) if MIME in bundle] == [{MIME}]


def test_run_all_by_hand_shows_what_the_schedule_stored(ran):
    """nbval runs each notebook from its folder, as JupyterLab does, and compares every output."""
    settings, _, store = ran
    by_hand = settings.project / "by_hand"  # beside notebooks/: the project is found upwards from there
    by_hand.mkdir()
    for notebook, ticker in (
        ("levels", "FB"),
        ("backtest", "FB"),
        ("sizing", "FB"),
        ("report", "FB"),
        ("market", None),
    ):
        (by_hand / f"{notebook}.ipynb").write_text(
            store.notebook(store.latest(notebook, ticker)), encoding="utf-8"
        )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        ".",
    ]
    done = subprocess.run(command, cwd=by_hand, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
