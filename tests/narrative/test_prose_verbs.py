"""`tickerbook narrate --explain` and `tickerbook style`: what they print, and with what they end."""

import json
import sys
from datetime import UTC, date, datetime

import pytest
from model_stub import serving
from mutants import pack

from tickerbook import cli
from tickerbook.settings import load_settings
from tickerbook.store import Run, RunResult, RunStore

DRAFT = {"context": ["{ticker} closed at {price.close} on {price.session}.", "It will double soon, by 20 %."]}


@pytest.fixture
def verb(project, monkeypatch, capsys):
    """A runner of commands in a project with one good report: exit code, what was printed, white space folded."""
    monkeypatch.delenv("TICKERBOOK_AS_OF", raising=False)  # a command sets it for its kernels
    facts = pack(3)
    run = Run("report", "AAPL", date(2013, 3, 1), {}, facts.digest)
    result = RunResult(run, "ok", facts, 1.0, datetime(2013, 3, 2, tzinfo=UTC))
    RunStore(load_settings(project).runs).put(result, "{}")

    def run_verb(*words):
        monkeypatch.setattr(sys, "argv", ["tickerbook", *words, "--project", str(project)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, " ".join((printed.out + printed.err).split())

    return run_verb


def test_plain_prose_is_explained(verb):
    """Each sentence with its verdict, the final text, and the receipt."""
    code, printed = verb("narrate", "AAPL", "--explain")
    assert code == 0
    assert "narrator: plain ✓ context: {ticker} closed at {price.close} on {price.session}" in printed
    assert "Context: AAPL closed at $" in printed
    assert "no figure typed by hand." in printed


def test_a_models_draft_is_explained(verb, monkeypatch):
    """The draft as it came, what was refused of it and why, what stands instead, and what it cost."""
    with serving() as (stub, url):
        parts = [{"name": name, "sentences": said} for name, said in DRAFT.items()]
        good = {"name": "plan", "sentences": ["The stop is {plan.stop}.", "The size is {plan.shares}."]}
        stub.answers = [json.dumps({"parts": [*parts, good]})]
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        code, printed = verb("narrate", "AAPL", "--explain")
    assert code == 0
    assert "narrator: model gpt-4o-mini attempt 1, 100 tokens: taken" in printed
    assert "✗ context: It will double soon, by 20 %. it has a digit outside a slot" in printed
    assert "Narrative for 1 ticker; 100 tokens" in printed


def test_without_explain_nothing_but_a_sum_is_said(verb):
    """The prose is on the page."""
    assert verb("narrate", "AAPL") == (0, "Narrative for 1 ticker")


def test_markdown_is_held_against_the_style(verb, tmp_path, project):
    """File, line and fault; it ends with 1, and with 0 where nothing is wrong."""
    (project / "params" / "style.toml").write_text('banned = ["delve"]', encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text("Fine.\n\nThey delve.\n", encoding="utf-8")
    code, printed = verb("style", str(page))
    assert code == 1
    assert "page.md:3: it uses “delve”" in printed
    page.write_text("Fine.\n", encoding="utf-8")
    assert verb("style", str(page)) == (0, "Nothing is against the style.")
