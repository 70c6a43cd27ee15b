"""What the strategies page says of promotions."""

from tickerbook.promotions import Promotions
from tickerbook.site.pages import promotions_include

REFUSED = {
    "from": "dev",
    "to": "paper",
    "granted": False,
    "asked_at": "2022-01-17T12:00:00+00:00",
    "checks": [
        {"name": "chance of skill", "figure": "61 %", "rule": "at least", "limit": "90 %", "passed": False},
        {"name": "trades", "figure": "80", "rule": "at least", "limit": "50", "passed": True},
    ],
}


def test_a_refusal_says_what_was_missing(tmp_path):
    """Figure and threshold of what did not pass, and of nothing else; the newest decision comes first."""
    promotions = Promotions(tmp_path)
    promotions.add("ma_cross", "decisions", REFUSED)
    later = {**REFUSED, "granted": True, "checks": [], "asked_at": "2022-06-01T00:00:00+00:00"}
    promotions.add("ma_cross", "decisions", later)
    text = promotions_include(promotions)
    assert "chance of skill: 61 %, at least 90 %" in text
    assert "trades" not in text
    assert text.index("granted") < text.index("refused")


def test_a_spent_holdout_is_told(tmp_path):
    """Readers see that it can prove nothing any more."""
    promotions = Promotions(tmp_path)
    entry = {"first": "2021-01-04", "last": "2021-12-31", "asked_at": "2022-01-17T12:00:00+00:00"}
    promotions.add("ma_cross", "holdouts", entry)
    assert "2021-01-04 to 2021-12-31, was spent on 2022-01-17" in promotions_include(promotions)


def test_nothing_asked_says_how_to_ask(tmp_path):
    """The command stands there."""
    assert "tickerbook promote" in promotions_include(Promotions(tmp_path))


def test_a_hostile_record_stays_text(tmp_path):
    """A name in the file is no markup."""
    promotions = Promotions(tmp_path)
    promotions.add("ma_cross", "decisions", {**REFUSED, "to": "<script>x</script>"})
    assert "<script>" not in promotions_include(promotions)


def test_a_damaged_record_is_told(tmp_path):
    """It does not look like no record, and the others stand."""
    promotions = Promotions(tmp_path)
    promotions.add("ma_cross", "decisions", REFUSED)
    (promotions.folder / "x.json").write_text("[", encoding="utf-8")
    text = promotions_include(promotions)
    assert "params/promotions/x.json cannot be read" in text
    assert "chance of skill" in text
