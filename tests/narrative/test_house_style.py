"""House style: read strictly, told to the model, held against prose, mended where that is mechanical."""

import pytest

from tickerbook.errors import ConfigError
from tickerbook.facts import Fact, Facts
from tickerbook.narrative.draft import Part
from tickerbook.narrative.model import read
from tickerbook.narrative.policy import sift
from tickerbook.narrative.prompt import messages
from tickerbook.narrative.style import Style, check_markdown, load_style

STYLE = Style(
    banned=["delve", "game changer"],
    replaced={"—": ", ", "…": "..."},
    sentence_words=12,
    paragraph_sentences=1,
)


def _written(tmp_path, text):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "style.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_project_without_a_style_has_the_usual_one(tmp_path):
    """No file is no error."""
    assert load_style(tmp_path) == Style()


def test_the_projects_own_style_can_be_read(root):
    """The file that is delivered fits, and mends dashes and dots."""
    assert load_style(root).mended("So — or so…") == "So, or so..."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tonne = 'calm'", "tonne"),
        ("sentence_words = 'many'", "sentence_words"),
        ("[model]\nregenerations = 5", "model.regenerations"),
        ("tone = calm", "not readable TOML"),
    ],
)
def test_a_style_that_does_not_fit_is_named(tmp_path, text, says):
    """Unknown keys, other types, too many regenerations, no TOML."""
    with pytest.raises(ConfigError, match=says):
        load_style(_written(tmp_path, text))


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("We Delve into it.", "uses “delve”"),
        ("A game changer it is.", "uses “game changer”"),
        ("So — or so.", "has “—”"),
        ("It is so " * 5 + "long.", "has 16 words; the style allows 12"),
    ],
)
def test_what_the_style_bans_is_seen(sentence, fault):
    """Words, phrases, characters, length."""
    assert any(found.startswith(fault) for found in STYLE.faults(sentence))


def test_other_words_are_let_through():
    """A banned word inside another is another word."""
    assert not list(STYLE.faults("Delves and game changers are other words."))


def test_a_sentence_against_the_style_is_dropped():
    """Style counts like any other fault."""
    facts = Facts([Fact("ticker", "AAPL", "ticker")])
    draft, verdicts = sift((Part("context", "Context", ("They delve deep.",)),), facts, style=STYLE.faults)
    assert draft == ()
    assert verdicts[0].reasons == ("uses “delve”, which the style bans",)


def test_a_models_text_is_mended_and_cut():
    """Dashes and dots by code; sentences beyond the limit are left out."""
    answer = '{"parts": [{"name": "context", "sentences": ["It is — so…", "More of it."]}]}'
    assert read(answer, STYLE)[0].sentences == ("It is, so...",)


def test_the_style_is_in_the_prompt():
    """Tone, audience, lengths and banned words are told."""
    told = messages(Facts(), STYLE, ())[0]["content"]
    assert STYLE.tone in told
    assert "delve, game changer" in told
    assert "At most 12 words" in told


def test_markdown_is_checked_line_by_line():
    """Prose is, code, headings and tables are not."""
    text = (
        "# Delve\n\nIt is fine. To delve is not.\n\n```\ndelve\n```\n| delve |\n`delve` is code.\nSo — so.\n"
    )
    assert [number for number, _ in check_markdown(text, STYLE)] == [3, 10]
