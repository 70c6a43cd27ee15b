"""The verbs, as a person types them: what they print, and with what they end."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import nbformat
import pytest
import typer

from tickerbook import cli
from tickerbook.market.lake import Lake
from tickerbook.settings import load_settings

NOW_AT = datetime(2013, 3, 4, 12, tzinfo=UTC)
VERBS = typer.main.get_command(cli.app).commands
COUNT = """\
import tickerbook as tb

bars = tb.load_bars(ticker, until=session, sessions=sessions)
if sessions == 13:
    raise ValueError("thirteen is refused")
tb.publish(tb.Facts([tb.Fact("bars.count", len(bars), "Bars", as_of=bars.session)]))
"""


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    """The only clock of these tests."""
    monkeypatch.setattr(cli, "now", lambda: NOW_AT)


@pytest.fixture
def verb(monkeypatch, capsys):
    """A runner of commands: exit code, and what was printed on both streams with its white space folded."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["tickerbook", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    return run


def folded(text):
    return " ".join(text.split())


@pytest.fixture
def counting(project, root):
    """The project with one small notebook, which counts bars, and the site's sources."""
    new = nbformat.v4
    cells = [
        new.new_raw_cell("---\ntitle: Count\ntickerbook: {over: ticker, needs: []}\n---"),
        new.new_code_cell(
            'ticker = "AAPL"  # symbol\nsession = ""  # newest session, ISO date\nsessions = 20  # how many, sessions',
            metadata={"tags": ["parameters"]},
        ),
        new.new_code_cell(COUNT),
    ]
    nbformat.write(new.new_notebook(cells=cells), project / "notebooks" / "count.ipynb")
    shutil.copytree(
        root / "reports", project / "reports", ignore=shutil.ignore_patterns("tickers", "_generated")
    )
    shutil.copy(root / "_quarto.yml", project)
    return project


@pytest.mark.parametrize("name", sorted(VERBS))
def test_help_teaches(verb, name):
    """Every verb says what it does, and every option what it means."""
    code, printed = verb(name, "--help")
    assert code == 0
    assert len(VERBS[name].help) > 30
    assert all(param.help for param in VERBS[name].params)
    assert "Usage" in printed


def test_the_verbs_are_those_of_the_readme():
    """Nothing is missing, nothing is hidden."""
    first = "check list fetch run narrate build update status serve lab"
    more = "backup certify doctor metrics prefetch promote restore runs schedule style verify"
    assert sorted(VERBS) == sorted(f"{first} {more}".split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fetch", "APPL"], "APPL is not in the universe. Did you mean AAPL?"),
        (["run", "../../etc/passwd"], "'../../etc/passwd' is not a ticker symbol."),
        (["update", "A;rm -rf ~"], "'A;rm -rf ~' is not a ticker symbol."),
        (["narrate", ""], "'' is not a ticker symbol."),
        (["build", "aapl"], "Symbols are written in capitals: did you mean AAPL?"),
        (["run", "--session", "yesterday"], "'yesterday' is not a session. Write it as YYYY-MM-DD."),
        (["list", "cont"], "There is no notebook 'cont'. Did you mean count?"),
        (["run", "--notebook", "counts"], "There is no notebook 'counts'. Did you mean count?"),
        (
            ["run", "-p", "session_=3"],
            "No chosen notebook declares a parameter 'session_'. Did you mean session?",
        ),
        (["run", "-p", "sessions=NAN"], "sessions"),
        (["run", "--workers", "0"], "--workers"),
        (["fetch", "--nothing"], "--nothing"),
        (["build", "--renderer", "word"], "word"),
    ],
)
def test_wrong_words_are_told_before_anything_happens(counting, verb, words, said):
    """Exit code 2, with the way out; nothing is written."""
    code, printed = verb(*words)
    assert code == 2
    assert said in folded(printed.replace("│", ""))
    assert not (counting / "data").exists()


def test_a_folder_without_a_project(verb, tmp_path, monkeypatch):
    """The way out is named."""
    monkeypatch.chdir(tmp_path)
    code, printed = verb("list")
    assert code == 2
    assert "There is no tickerbook project" in printed
    assert "--project" in printed


def test_the_project_can_be_named(counting, verb, monkeypatch, tmp_path):
    """--project stands for being there."""
    monkeypatch.chdir(tmp_path)
    code, printed = verb("list", "--project", str(counting))
    assert code == 0
    assert "Test universe" in printed


@pytest.mark.usefixtures("counting")
def test_list_shows_a_parameter_with_its_meaning(verb):
    """Name, type, default and comment of the parameters cell."""
    code, printed = verb("list", "count")
    assert code == 0
    assert "how many, sessions" in printed
    assert "sessions" in printed
    assert "int" in printed
    assert "20" in printed


def test_fetch_brings_prices_once(project, verb):
    """The closing table says what came; a second time nothing is new and no file changes."""
    code, printed = verb("fetch", "AAPL")
    path = Lake(load_settings(project).lake).path("AAPL")
    content = path.read_bytes()
    assert code == 0
    assert "2013-03-01" in printed
    assert "3,270" in printed
    code, printed = verb("fetch", "AAPL")
    assert code == 0
    assert path.read_bytes() == content


def test_live_prices_without_a_network_fail_and_nothing_takes_their_place(make_project, verb, monkeypatch):
    """Each ticker says that Yahoo could not be reached; no sample prices appear."""
    project = make_project('title = "Live"\nproviders = ["yahoo"]\ntickers = ["AAPL", "MSFT"]\n')
    monkeypatch.chdir(project)
    code, printed = verb("fetch")
    assert code == 1
    for ticker in ("AAPL", "MSFT"):
        # the second may be spared the wait for a vendor that was just found to be out of reach
        line = next(line for line in printed.splitlines() if f"✗ {ticker}" in line)
        assert "Yahoo cannot be reached" in line or "(unreachable)" in line
    assert Lake(load_settings(project).lake).tickers() == ()


@pytest.mark.usefixtures("project")
def test_doctor_says_how_each_provider_does(verb):
    """Key, reach and last failure of every provider; what no ticker names is not asked."""
    code, printed = verb("doctor")
    assert code == 0
    assert "✓ sample: AAPL" in printed
    asked = {line.split()[0]: line for line in printed.splitlines() if "not asked" in line}
    assert "missing" in asked["finnhub"]
    assert "not needed" in asked["yahoo"]


@pytest.mark.usefixtures("project")
def test_prefetch_makes_ready(verb):
    """What it brings, the next fetch does not bring again."""
    code, printed = verb("prefetch")
    assert code == 0
    assert "2 of 2 tickers ready" in printed
    assert "sessions new" not in verb("fetch")[1]


@pytest.mark.usefixtures("project")
def test_an_interrupt_says_that_nothing_is_lost(verb, monkeypatch):
    """Ctrl-C ends with 130."""

    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "fetch_prices", interrupted)
    code, printed = verb("fetch")
    assert code == 130
    assert "the same command goes on" in printed


@pytest.mark.usefixtures("project")
def test_ctrl_c_while_it_starts(verb, monkeypatch):
    """Before typer catches it: no traceback either."""

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    code, printed = verb("fetch")
    assert code == 130
    assert "the same command goes on" in printed


@pytest.mark.usefixtures("project")
def test_a_full_disk_is_told_in_words(verb, monkeypatch):
    """No traceback; what to do."""

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device", "data/lake")

    monkeypatch.setattr(cli, "fetch_prices", full)
    code, printed = verb("fetch")
    assert code == 1
    assert "The disk said no to data/lake: No space left on device." in folded(printed)
    assert "run the same command again" in printed


@pytest.mark.usefixtures("project")
def test_files_that_could_not_be_copied_are_told_in_words(verb, monkeypatch):
    """The first of them and why; not a list of all."""

    def full(*_args, **_kwargs):
        raise shutil.Error(
            [(f"from/{n}.html", f"data/{n}.html", f"[Errno 28] No space left: 'from/{n}.html'") for n in "ab"]
        )

    monkeypatch.setattr(cli, "_build", full)
    code, printed = verb("build")
    assert code == 1
    assert "The disk said no to data/a.html: [Errno 28] No space left. Free some space" in folded(printed)


@pytest.mark.usefixtures("project")
def test_status_before_anything_ran(verb):
    """It says how to begin."""
    code, printed = verb("status")
    assert code == 0
    assert "tickerbook update" in printed
    assert verb("status", "--json") == (0, "[]\n")


@pytest.mark.usefixtures("project")
def test_serve_without_a_site(verb):
    """It says what makes one."""
    code, printed = verb("serve")
    assert code == 1
    assert "tickerbook update" in printed


@pytest.mark.usefixtures("counting")
def test_check_says_what_is_there(verb):
    """Params, notebooks, kernel, folder and renderer each have a line."""
    _, printed = verb("check")
    assert "Test universe, 2 tickers" in printed
    assert "count" in printed
    assert "renderer" in printed


@pytest.mark.parametrize("name", ["update", "run", "check"])
def test_a_value_that_no_notebook_takes_is_told_first(counting, verb, name):
    """An unknown name in params/ ends with 2, before anything is fetched or run, and check tells it."""
    (counting / "params/own.toml").write_text("[count]\nsesions = 3\n", encoding="utf-8")
    code, printed = verb(name)
    assert code == 2
    assert "count: there is no parameter 'sesions'. Did you mean sessions?" in folded(printed)
    assert not (counting / "data/lake").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('calendar = "XXXX"', "There is no exchange calendar named 'XXXX'."),
        ('[ticker.MSFT]\nproviders = ["yahooo"]', "There is no provider named 'yahooo'. Did you mean yahoo?"),
    ],
)
def test_check_finds_what_fetch_would_trip_over(make_project, verb, monkeypatch, line, said):
    """Providers and calendars that there are not."""
    universe = f'title = "T"\nproviders = ["sample"]\ntickers = ["AAPL", "MSFT"]\n{line}\n'
    monkeypatch.chdir(make_project(universe=universe))
    code, printed = verb("check")
    assert code == 2
    assert said in folded(printed)


def test_the_cause_is_told_once_and_first(counting, verb):
    """What could not be fetched has not failed in every notebook, and no notebook was executed for it."""
    universe = 'title = "T"\nproviders = ["sample"]\ntickers = ["NVDA"]\n'
    (counting / "params/universe.toml").write_text(universe, encoding="utf-8")
    code, printed = verb("update")
    table = folded(printed.partition("what failed and why")[2].replace("│", " "))
    assert code == 1
    assert "failed 0.0 fetch: The sample has no NVDA" in table
    assert table.count("The lake has no bars for NVDA.") == 1
    assert "0 notebooks executed" in printed


@pytest.mark.usefixtures("counting")
def test_what_ran_is_told_also_without_a_site(verb, monkeypatch):
    """Update ends with its table where the build fails as a whole."""

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cli, "_build", full)
    code, printed = verb("update", "AAPL")
    assert code == 1
    assert "1 notebook executed" in printed
    assert "The disk said no: No space left on device." in printed


def test_lab_hands_on_what_it_is_given(project, verb, monkeypatch):
    """Behind --, for JupyterLab, whose kernels know the project."""
    monkeypatch.setenv("TICKERBOOK_PROJECT", "")  # so that it is as before when this test has ended
    started = []
    monkeypatch.setattr(cli.os, "execv", lambda _, command: started.append(command))
    monkeypatch.setattr(cli.os, "geteuid", lambda: 1000)
    assert verb("lab", "--", "--no-browser")[0] == 0
    assert started[0][3:] == [f"--ServerApp.root_dir={project / 'notebooks'}", "--no-browser"]
    assert os.environ["TICKERBOOK_PROJECT"] == str(project)


@pytest.mark.usefixtures("project")
def test_lab_opens_for_root(verb, monkeypatch):
    """Of a container, say, where JupyterLab alone would refuse."""
    monkeypatch.setenv("TICKERBOOK_PROJECT", "")
    started = []
    monkeypatch.setattr(cli.os, "execv", lambda _, command: started.append(command))
    monkeypatch.setattr(cli.os, "geteuid", lambda: 0)
    assert verb("lab")[0] == 0
    assert started[0][-1] == "--allow-root"


@pytest.mark.usefixtures("counting")
def test_run_status_and_run_again(verb):
    """One ticker fails and stops nothing; status says why; unchanged work is not done again."""
    assert verb("fetch")[0] == 0
    code, printed = verb("run", "AAPL", "-p", "sessions=13")
    assert code == 1
    assert "thirteen is refused" in printed
    assert "1 notebook executed" in printed

    code, printed = verb("run")
    assert code == 0
    assert "2 notebooks executed" in printed

    code, printed = verb("run")
    assert code == 0
    assert "Nothing has changed: no notebook was executed (2 stored runs stand)." in folded(printed)
    code, printed = verb("status", "--json")
    rows = json.loads(printed)
    assert [(row["ticker"], row["status"], row["reused"]) for row in rows] == [
        ("AAPL", "ok", True),
        ("MSFT", "ok", True),
    ]


def test_ended_from_outside_is_ended_as_by_ctrl_c(project):
    """SIGTERM while prices are fetched: 130, and what was finished is kept."""
    command = (
        "import os, signal\n"
        "from tickerbook import cli\n"
        "cli.fetch_prices = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", command, "fetch"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 130, done.stderr
    assert "the same command goes on" in done.stderr


def test_what_was_known_then_is_a_horizon_for_every_stage(verb, counting, monkeypatch):
    """Runs and pages of later sessions do not exist; the past is not fetched; wrong instants are refused."""
    assert verb("fetch")[0] == 0
    verb("run", "AAPL")
    for words in (("narrate",), ("build",), ("update",), ("run",), ("list",), ("lab",)):
        code, printed = verb(*words, "--as-of", "yesterday")
        assert code == 2
        assert "--as-of='yesterday' is no instant" in folded(printed)
        monkeypatch.delenv("TICKERBOOK_AS_OF", raising=False)
    code, printed = verb("list", "--as-of", "2000-01-01")
    assert "2000-" not in printed
    verb("build", "--as-of", "2000-01-01")
    page = (counting / "_site" / "tickers" / "AAPL.html").read_text(encoding="utf-8")
    assert "There are no prices yet" in page
    before = Lake(counting / "data" / "lake").log("AAPL").index
    for words in (("fetch",), ("prefetch",)):
        code, printed = verb(*words)
        assert code == 2
        assert "Fetch without --as-of" in folded(printed)
    assert Lake(counting / "data" / "lake").log("AAPL").index.equals(before)


@pytest.mark.usefixtures("counting")
def test_the_doctor_tells_of_one_ticker(verb):
    """What the gate found in it; without asking anybody."""
    verb("fetch")
    code, printed = verb("doctor", "AAPL")
    assert code == 0
    assert "found nothing wrong or doubtful" in folded(printed) or "found on" in folded(printed)
    assert verb("doctor", "NOPE")[0] == 2
