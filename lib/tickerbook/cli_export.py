"""Files by which systemd, cron or GitHub Actions let tickerbook work by itself."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib import resources
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from tickerbook.runs.schedule import ticks_between
from tickerbook.settings import Settings

_AHEAD = timedelta(days=400)  # both changes of clocks, every half day of a year
_WEEK = timedelta(days=7)
_CRONS = 20  # times of day; for more, one that comes all day
_STEP = timedelta(minutes=5)  # GitHub knows nothing shorter


class Target(StrEnum):
    """For whom."""

    SYSTEMD = "systemd"
    CRON = "cron"
    GITHUB = "github"


_PATHS = {
    Target.SYSTEMD: Path("deploy/tickerbook.service"),
    Target.CRON: Path("deploy/tickerbook.cron"),
    Target.GITHUB: Path(".github/workflows/tickerbook.yml"),
}
_STEPS = {
    Target.SYSTEMD: (
        "systemctl --user link {path}",
        "systemctl --user enable --now tickerbook",
        "loginctl enable-linger        # so that it runs while you are not logged in",
        "journalctl --user -u tickerbook -f",
    ),
    Target.CRON: ("(crontab -l 2>/dev/null; cat {path}) | crontab -", "tickerbook schedule list"),
    Target.GITHUB: (
        "In the repository's settings: Pages → Source → GitHub Actions.",
        "Keys of vendors: Settings → Secrets and variables → Actions, under the names that .env uses.",
        "git add {path} && git commit -m 'Publish on schedule' && git push",
        "gh workflow run tickerbook    # the first time, and whenever you like",
    ),
}


@dataclass(frozen=True)
class Exported:
    """A file to be written.

    Attributes:
        path: where, in the project.
        text: what.
        steps: what a person does with it; `{path}` stands for the file.
    """

    path: Path
    text: str
    steps: tuple[str, ...]


def exported(target: Target, settings: Settings, command: Path, now_at: datetime) -> Exported:
    """The file for a target.

    Args:
        target: for whom.
        settings: the project.
        command: tickerbook's, with its whole path.
        now_at: the present instant: GitHub's times come from the ticks of the coming year.
    """
    source = resources.files("tickerbook").joinpath("deploy", f"{target}.jinja").read_text(encoding="utf-8")
    environment = Environment(  # noqa: S701 - no page: a unit, a crontab, a workflow
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        variable_start_string="<<",
        variable_end_string=">>",
    )
    environment.filters["shell"] = lambda text: shlex.quote(str(text))
    text = environment.from_string(source).render(
        project=settings.project,
        command=command,
        crons=github_times(settings, now_at) if target is Target.GITHUB else (),
        cadences=settings.cadences,
    )
    return Exported(_PATHS[target], text, _STEPS[target])


def github_times(settings: Settings, now_at: datetime) -> list[str]:
    """Crons in UTC at which some cadence may be due in the coming year: one for each time of day.

    `schedule --once` then finds out whether one is: half days and changes of clocks need other times on other
    days, which cron cannot say.
    """
    often = "*/10 * * * *"
    found: set[tuple[int, int, int]] = set()
    for cadence in settings.cadences:
        if len(ticks_between(cadence, now_at, now_at + _WEEK)) > _WEEK.days * _CRONS:
            return [often]
        for tick in ticks_between(cadence, now_at, now_at + _AHEAD):
            start = tick.due_at + cadence.jitter
            start += (datetime.min.replace(tzinfo=UTC) - start) % _STEP  # never before the tick
            found.add((start.hour, start.minute, start.isoweekday() % 7))
    times = {
        time: [day for *_, day in days] for time, days in groupby(sorted(found), key=lambda one: one[:2])
    }
    if len(times) > _CRONS:
        return [often]
    return [f"{minute} {hour} * * {','.join(map(str, days))}" for (hour, minute), days in times.items()]
