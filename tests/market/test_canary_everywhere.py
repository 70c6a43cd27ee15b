"""From a vendor that shouts our key back to the finished pages: no file, message or table has it."""

import json
import shutil
import sys
from datetime import UTC, datetime
from urllib.parse import quote

import nbformat
import pytest
from benches import truth
from stub import CANARY, HTML, Reply, Stub

from tickerbook import cli
from tickerbook.market.scorecard import Scorecard
from tickerbook.settings import load_settings

ESCAPED = "".join(f"\\u{ord(sign):04x}" for sign in CANARY)
PERCENT = "".join(f"%{ord(sign):02x}" for sign in CANARY)
TWICE = PERCENT.replace("%", "%25")
PAGE = "".join(f"&#{ord(sign)};" for sign in CANARY)
WAYS = (CANARY, quote(CANARY, safe=""), CANARY.replace("/", r"\/"), ESCAPED, PERCENT, TWICE, PAGE)
SHOUTS = {
    "LIMIT": Reply({"error": f"slow down {CANARY} {PERCENT} {TWICE}"}, 429, {"Retry-After": "900"}),
    "ESCAPED": Reply(f'{{"status":"ERROR","message":"Not found {ESCAPED} {PAGE}"}}', 404),
    "PLAN": Reply({"message": f"not entitled: {CANARY.lower()} {quote(CANARY, safe='')}"}, 403),
    "LONG": Reply(HTML.format(key=CANARY) + f"{'x' * 100_000}{PERCENT}"),
}
UNIVERSE = f"""\
title = "Stub"
providers = ["polygon", "alphavantage"]
tickers = {json.dumps([*SHOUTS, "AAPL"])}

[ticker.AAPL]
quorum = 2
"""
PARAMS = "[alphavantage]\npremium = true\n[polygon]\nper_minute = 1000\n"


@pytest.fixture
def shouted(make_project, root, answers, monkeypatch):
    """A project whose first vendor answers each ticker with the key, one way or another; its second has prices."""
    project = make_project(UNIVERSE, params={"providers.toml": PARAMS})
    new = nbformat.v4
    code = (
        "import tickerbook as tb\n\ntb.publish(tb.Facts([tb.Fact('n', len(tb.load_bars(ticker)), 'Bars')]))"
    )
    cells = [
        new.new_raw_cell("---\ntitle: Count\ntickerbook: {over: ticker, needs: []}\n---"),
        new.new_code_cell('ticker = "AAPL"  # symbol\nsession = ""', metadata={"tags": ["parameters"]}),
        new.new_code_cell(code),
    ]
    nbformat.write(new.new_notebook(cells=cells), project / "notebooks" / "count.ipynb")
    skipped = shutil.ignore_patterns("tickers", "_generated")
    shutil.copytree(root / "reports", project / "reports", ignore=skipped)
    shutil.copy(root / "_quarto.yml", project)
    monkeypatch.chdir(project)
    monkeypatch.setattr(cli, "now", lambda: datetime(2020, 9, 3, 1, tzinfo=UTC))
    with Stub("polygon") as first, Stub("alphavantage") as second:
        for name, value in (first.environment | second.environment).items():
            monkeypatch.setenv(name, value)
        for symbol in (*SHOUTS, "AAPL"):
            second.holds(symbol, truth(answers))
        first.holds("AAPL", truth(answers))
        first.fails(lambda _, asked, good: _shout(asked, good))
        yield project


def _shout(asked, good):
    """What a ticker's question is answered with."""
    said = asked.path + json.dumps(asked.query)
    return next((reply for symbol, reply in SHOUTS.items() if symbol in said), good)


def test_the_canary_is_in_nothing_that_is_produced(shouted, monkeypatch, capsys):
    """Prices, quarantine, quotas, ledger, runs, logs and pages; and all that the commands print."""
    printed = []

    def verb(*words):
        monkeypatch.setattr(sys, "argv", ["tickerbook", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        printed.append(told.out + told.err)
        return ended.value.code

    assert verb("fetch") == 0
    assert "polygon: not entitled" in " ".join(printed[0].split())
    assert verb("doctor") in {0, 1}
    assert "last 30 days" in printed[1]
    assert verb("doctor", "AAPL") == 0
    assert "compared between vendors" in printed[2]
    verb("run", "AAPL", "LIMIT")
    verb("build")
    verb("status")
    scores = Scorecard(load_settings(shouted).ledger).scores(datetime(2020, 1, 1, tzinfo=UTC))
    assert sum(sum(score.failures.values()) for score in scores) >= 3
    files = [path for path in shouted.rglob("*") if path.is_file()]
    assert {"ledger.db", "limits.db", "index.html"} <= {path.name for path in files}
    everything = b"\n".join([path.read_bytes() for path in files] + [text.encode() for text in printed])
    assert [way for way in WAYS if way.lower().encode() in everything.lower()] == []
