"""docs/scheduling.md says what the code does."""

import re

import pytest
import typer

from tickerbook import cli
from tickerbook.cli_metrics import as_text
from tickerbook.cli_schedule import now
from tickerbook.runs.schedule import MOST
from tickerbook.runs.scheduler import STARTS, World
from tickerbook.settings import CadenceTable, load_settings


@pytest.fixture(scope="module")
def text(root):
    """The page."""
    return (root / "docs" / "scheduling.md").read_text(encoding="utf-8")


def test_its_cadences_are_understood(text, project):
    """Who copies them has them."""
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (project / "params" / "schedule.toml").write_text(block, encoding="utf-8")
    names = [one.name for one in load_settings(project).cadences]
    assert names == ["close", "weekly", "ahead", "morning"]


def test_its_table_has_every_key(text):
    """With the default that it really has."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^\n]*) \|$", text, re.MULTILINE))
    fields = CadenceTable.model_fields
    assert set(fields) <= set(rows)
    for name in ("catch_up", "overlap", "grace", "limit"):
        assert f"Default `{fields[name].default}`" in rows[name]


def test_its_commands_exist(text):
    """Verbs and options of every command that it names."""
    verbs = typer.main.get_command(cli.app).commands
    for words in re.findall(
        r"tickerbook ((?:[a-z]+ ?)+(?: ?--[a-z]+)*)", " ".join(re.findall(r"`([^`\n]+)`", text))
    ):
        first, *more = words.split()
        if first not in verbs:
            continue
        known = {option for param in verbs[first].params for option in param.opts}
        known |= set(getattr(verbs[first], "commands", {})) | {"systemd", "cron", "github"}
        assert {word for word in more if word.startswith("--")} <= known


def test_its_metrics_are_those_there_are(text, project):
    """The table has each, and no other."""
    told = set(re.findall(r"^\| `(tickerbook_\w+)` \|", text, re.MULTILINE))
    made = {
        line.split()[2]
        for line in as_text(load_settings(project), now).splitlines()
        if line.startswith("# TYPE")
    }
    assert told == made


def test_its_numbers_are_those_of_the_code(text):
    """How many are caught up, how often work is begun, how long a silent leader is waited for."""
    assert f"never more than {MOST} are caught up" in text
    assert STARTS == 3
    assert "begun three times" in text
    assert f"after {World.silence:.0f} seconds without a sign of life" in text
