"""Cadences: what is written means what it says, or is refused with the way out."""

from datetime import timedelta

import pytest

from tickerbook.cadences import AtSession, parse_when, span
from tickerbook.errors import ConfigError
from tickerbook.settings import load_settings


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("30 min after XNYS close", AtSession("XNYS", "close", timedelta(minutes=30))),
        ("45min before XLON open", AtSession("XLON", "open", -timedelta(minutes=45))),
        ("at XTKS close", AtSession("XTKS", "close", timedelta(0))),
        (
            "2 h after the last XNYS close of the week",
            AtSession("XNYS", "close", timedelta(hours=2), "last", "week"),
        ),
        ("at the first XNYS open of the month", AtSession("XNYS", "open", timedelta(0), "first", "month")),
    ],
)
def test_a_phrase_means_sessions(text, meaning):
    """Exchange, side, shift and which sessions of a period."""
    assert parse_when(text) == meaning


@pytest.mark.parametrize(
    ("text", "zone", "complaint"),
    [
        ("after lunch", None, "'after lunch' says no time"),
        ("30 after XNYS close", None, "says no time"),
        ("30 min after XNYS close of the week", None, "first and last are of the week or of the month"),
        ("30 min after last XNYS close", None, "first and last are of the week or of the month"),
        ("13 h after XNYS close", None, "too far from its session"),
        ("30 min after XNYS close", "UTC", "needs no zone"),
        ("cron 30 6 * *", "UTC", "has 4 fields instead of five"),
        ("cron 30 6 * * *", None, "needs a zone"),
        ("cron 30 6 * * *", "America/Gotham", "'America/Gotham' is not a time zone"),
        ("cron 30 6 * * *", "../etc/passwd", "is not a time zone"),
        ("cron 60 6 * * *", "UTC", "'60' is not within 0 to 59"),
        ("cron 30 6 0 * *", "UTC", "'0' is not within 1 to 31"),
        ("cron */0 6 * * *", "UTC", "is not within"),
        ("cron 10-5 6 * * *", "UTC", "is not within"),
        ("cron 30 6 * * funday", "UTC", "'funday' cannot be read"),
        ("cron 30 6 30 2 *", "UTC", "names a day that no year has"),
        ("cron ٣ 6 * * *", "UTC", "cannot be read"),
    ],
)
def test_what_means_nothing_is_refused(text, zone, complaint):
    """With an example or the limits as the way out."""
    with pytest.raises(ConfigError, match=complaint.replace("*", r"\*")) as raised:
        parse_when(text, zone)
    assert raised.value.remedy


def test_fields_of_cron_are_sets():
    """Lists, ranges, steps and names; Sunday is 0 and 7."""
    when = parse_when("cron */20 9-17/4 1,15 jan-mar sun,5-7", "UTC")
    assert (when.minutes, when.hours) == ({0, 20, 40}, {9, 13, 17})
    assert (when.days, when.months, when.weekdays) == ({1, 15}, {1, 2, 3}, {0, 5, 6})


@pytest.mark.parametrize("text", ["", "5", "min", "5 weeks", "-5 min", "1.5 h"])
def test_what_is_no_span_is_refused(text):
    """The message shows how one is written."""
    with pytest.raises(ConfigError, match="is not a span of time"):
        span(text)


def test_a_file_without_cadences_is_no_error(project):
    """Who schedules nothing needs no schedule.toml."""
    assert load_settings(project).cadences == ()


def test_the_file_that_comes_with_tickerbook_is_right(root):
    """Half an hour after New York closes, for the whole universe."""
    (cadence,) = load_settings(root).cadences
    assert (cadence.name, cadence.says, cadence.tickers) == ("close", "30 min after XNYS close", ())


def test_a_table_has_its_defaults(project):
    """Only `when` must be there."""
    (project / "params" / "schedule.toml").write_text(
        '[cadence.a]\nwhen = "at XNYS close"\n', encoding="utf-8"
    )
    (cadence,) = load_settings(project).cadences
    assert (cadence.catch_up, cadence.overlap, cadence.does) == ("latest", "skip", "update")
    assert (cadence.jitter, cadence.grace) == (timedelta(0), timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('at_onec = 2\n[cadence.a]\nwhen = "at XNYS close"', "no key 'at_onec'. Did you mean at_once"),
        ('[cadence.a]\nwhen = "at XNYS close"\ncatchup = "each"', "Did you mean catch_up"),
        ('[cadence.a]\nwhen = "at XNYS close"\ncatch_up = "all"', "cadence.a.catch_up = 'all' does not fit"),
        ('[cadence.a]\nwhen = "at XNYS close"\njitter = 5', "cadence.a.jitter = 5 does not fit"),
        (
            '[cadence.a]\nwhen = "at XNYS close"\ngrace = "soon"',
            r"\[cadence.a\]: 'soon' is not a span of time",
        ),
        ('[cadence.a]\nwhen = "at noon"', r"params/schedule.toml: \[cadence.a\]: 'at noon' says no time"),
        ('[cadence.a]\ndoes = "update"', "the key 'cadence.a.when' is missing"),
        ('[cadence.A]\nwhen = "at XNYS close"', "no name for a cadence"),
        (
            '[cadence.a]\nwhen = "at XNYS close"\ntickers = ["APPL"]',
            "APPL, which is not in the universe. Did you mean AAPL",
        ),
        ("at_once = 0", "at_once = 0 does not fit"),
    ],
)
def test_a_wrong_file_is_told(project, text, complaint):
    """File, key and what to write instead."""
    (project / "params" / "schedule.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=complaint):
        load_settings(project)
