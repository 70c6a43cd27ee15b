"""params/*.toml: what is right is read with its defaults; what is wrong is answered with the way out."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tickerbook.errors import ConfigError, SymbolError
from tickerbook.settings import find_project, load_settings, nearest

GOOD = 'title = "T"\nproviders = ["sample"]\ntickers = ["AAPL", "BRK.B"]\n'
WRONG_UNIVERSE = {
    "unknown key": (
        GOOD + 'calender = "XNYS"',
        (
            "params/universe.toml: there is no key 'calender'. Did you mean calendar?\n"
            "Keys are calendar, currency, providers, quorum, ticker, tickers, title."
        ),
    ),
    "unknown key of a ticker": (
        GOOD + '[ticker.AAPL]\nnam = "Apple"',
        (
            "params/universe.toml: there is no key 'ticker.AAPL.nam'. Did you mean name?\n"
            "Keys are calendar, currency, name, providers, quorum."
        ),
    ),
    "key that is needed, mistyped": (
        GOOD.replace("tickers", "tickres"),
        (
            "params/universe.toml: there is no key 'tickres'. Did you mean tickers?\n"
            "Keys are calendar, currency, providers, quorum, ticker, tickers, title."
        ),
    ),
    "key like no other": (
        GOOD + "zzz = 1",
        (
            "params/universe.toml: there is no key 'zzz'.\n"
            "Keys are calendar, currency, providers, quorum, ticker, tickers, title."
        ),
    ),
    "missing key": (
        'title = "T"\nproviders = ["sample"]',
        "params/universe.toml: the key 'tickers' is missing.\nAdd it.",
    ),
    "no currency": (
        GOOD + 'currency = "dollars"',
        (
            "params/universe.toml: currency = 'dollars' does not fit: String should match pattern '^[A-Za-z]{3}$'.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "text for a list": (
        'title = "T"\nproviders = "sample"\ntickers = ["AAPL"]',
        (
            "params/universe.toml: providers = 'sample' does not fit: Input should be a valid list.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "number for a symbol": (
        'title = "T"\nproviders = ["sample"]\ntickers = ["AAPL", 700]',
        (
            "params/universe.toml: tickers.1 = 700 does not fit: Input should be a valid string.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "truth value for a title": (
        'title = true\nproviders = ["sample"]\ntickers = ["AAPL"]',
        (
            "params/universe.toml: title = True does not fit: Input should be a valid string.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "no ticker": (
        'title = "T"\nproviders = ["sample"]\ntickers = []',
        (
            "params/universe.toml: tickers = [] does not fit: "
            "List should have at least 1 item after validation, not 0.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "ticker twice": (
        'title = "T"\nproviders = ["sample"]\ntickers = ["AAPL", "FB", "AAPL"]',
        "params/universe.toml: `tickers` has AAPL more than once.\nKeep one.",
    ),
    "no symbol": (
        'title = "T"\nproviders = ["sample"]\ntickers = ["../../etc/passwd"]',
        (
            "params/universe.toml: '../../etc/passwd' is not a ticker symbol.\n"
            "A symbol has capitals and digits, such as AAPL, BRK.B, 0700 or ^GSPC."
        ),
    ),
    "small letters": (
        'title = "T"\nproviders = ["sample"]\ntickers = ["aapl"]',
        (
            "params/universe.toml: 'aapl' is not a ticker symbol.\n"
            "Symbols are written in capitals: did you mean AAPL?"
        ),
    ),
    "table of a ticker that is not listed": (
        GOOD + '[ticker.AAPLE]\nname = "Apple"',
        (
            "params/universe.toml: [ticker.AAPLE] describes a ticker that `tickers` does not list."
            " Did you mean AAPL?\nAdd it to `tickers` or remove the table."
        ),
    ),
    "dotted symbol without quotes": (
        GOOD + '[ticker.BRK.B]\nname = "Berkshire Hathaway"',
        (
            "params/universe.toml: [ticker.BRK.B] is a table inside the table of BRK.\n"
            'A symbol with a dot stands in quotes: [ticker."BRK.B"].'
        ),
    ),
    "key twice": (
        GOOD + 'title = "U"',
        (
            "params/universe.toml is not valid TOML: Cannot overwrite a value (at end of document).\n"
            'Texts, and keys such as "BRK.B", stand in quotes, lists in brackets; each key appears once.'
        ),
    ),
    "symbol without quotes": (
        "tickers = [AAPL]",
        (
            "params/universe.toml is not valid TOML: Invalid value (at line 1, column 12).\n"
            'Texts, and keys such as "BRK.B", stand in quotes, lists in brackets; each key appears once.'
        ),
    ),
    "not UTF-8": (
        b'title = "B\xf6rse"',
        (
            "params/universe.toml is not valid TOML: "
            "'utf-8' codec can't decode byte 0xf6 in position 10: invalid start byte.\n"
            'Texts, and keys such as "BRK.B", stand in quotes, lists in brackets; each key appears once.'
        ),
    ),
    "not TOML at all": (
        b"PAR1\x00\x01",
        (
            "params/universe.toml is not valid TOML: "
            "Expected '=' after a key in a key/value pair (at line 1, column 5).\n"
            'Texts, and keys such as "BRK.B", stand in quotes, lists in brackets; each key appears once.'
        ),
    ),
}
WRONG_PARAMETERS = {
    "no such notebook": (
        {"risk.toml": "[sizeing]\nequity = 1.0"},
        (
            "params/risk.toml: [sizeing] is not a table named after a notebook. Did you mean sizing?\n"
            "The notebooks are levels, sizing."
        ),
    ),
    "value outside a table": (
        {"risk.toml": "equity = 1.0"},
        "params/risk.toml: [equity] is not a table named after a notebook.\nThe notebooks are levels, sizing.",
    ),
    "value named like a notebook": (
        {"risk.toml": "sizing = 1.0"},
        "params/risk.toml: [sizing] is a value, not a table.\nWrite [sizing] and its parameters below it.",
    ),
    "one notebook in two files": (
        {"a.toml": "[levels]\nswing_span = 5", "b.toml": "[levels]\nswing_span = 6"},
        "params/b.toml: [levels] stands in a second file.\nKeep one table for each notebook.",
    ),
    "not TOML": (
        {"risk.toml": "[sizing"},
        (
            "params/risk.toml is not valid TOML: "
            "Expected ']' at the end of a table declaration (at end of document).\n"
            'Texts, and keys such as "BRK.B", stand in quotes, lists in brackets; each key appears once.'
        ),
    ),
}


@pytest.fixture
def written(tmp_path):
    """A writer of projects with given files in params/ and two notebooks."""

    def write(universe=GOOD, **files):
        (tmp_path / "params").mkdir()
        (tmp_path / "notebooks").mkdir()
        for notebook in ("levels", "sizing"):
            (tmp_path / "notebooks" / f"{notebook}.ipynb").touch()
        for name, text in {"universe.toml": universe, **files}.items():
            (tmp_path / "params" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


@pytest.mark.parametrize("case", WRONG_UNIVERSE)
def test_a_wrong_universe_is_explained(case, written):
    """The message names the file, the key and the value; the remedy says what to write."""
    text, expected = WRONG_UNIVERSE[case]
    with pytest.raises(ConfigError) as caught:
        load_settings(written(text))
    assert str(caught.value) == expected


@pytest.mark.parametrize("case", WRONG_PARAMETERS)
def test_wrong_parameters_are_explained(case, written):
    """Tables in the other files are named after notebooks, one table each."""
    files, expected = WRONG_PARAMETERS[case]
    with pytest.raises(ConfigError) as caught:
        load_settings(written(**files))
    assert str(caught.value) == expected


def test_a_file_that_cannot_be_read_is_named(written):
    """A folder in a file's place is an error of the configuration, not a traceback."""
    project = written()
    (project / "params" / "risk.toml").mkdir()
    with pytest.raises(ConfigError, match=r"params/risk\.toml cannot be read: Is a directory"):
        load_settings(project)


def test_no_project_is_explained(tmp_path):
    """Without params/universe.toml anywhere above there is no project."""
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)
    assert str(caught.value) == (
        f"There is no tickerbook project in {tmp_path} (no params/universe.toml).\n"
        "Run the command in a project's directory, or name it with --project."
    )


def test_a_folder_that_is_not_there_is_no_project(written):
    """A mistyped folder inside a project does not silently mean that project."""
    with pytest.raises(ConfigError, match="There is no tickerbook project in"):
        find_project(written() / "typo")


def test_the_project_is_found_from_below(written, monkeypatch):
    """Commands work in any folder of the project."""
    project = written()
    monkeypatch.chdir(project / "notebooks")
    assert find_project() == project


def test_the_project_can_be_named(written, monkeypatch):
    """TICKERBOOK_PROJECT wins over where we are; an explicit folder wins over both."""
    project = written()
    monkeypatch.chdir("/")
    monkeypatch.setenv("TICKERBOOK_PROJECT", str(project))
    assert find_project() == project
    with pytest.raises(ConfigError):
        find_project(Path("/"))


def test_a_ticker_takes_the_universes_defaults(written):
    """Name, providers, calendar and currency are the universe's unless its own table says otherwise."""
    own = (
        '[ticker."BRK.B"]\nname = "Berkshire"\nproviders = ["yahoo", "files"]\n'
        'calendar = "XLON"\ncurrency = "GBP"\nquorum = 2'
    )
    plain, special = load_settings(written(GOOD + own)).tickers
    assert plain.model_dump() == {
        "symbol": "AAPL",
        "name": "AAPL",
        "providers": ("sample",),
        "calendar": "XNYS",
        "currency": "USD",
        "quorum": 1,
    }
    assert special.model_dump() == {
        "symbol": "BRK.B",
        "name": "Berkshire",
        "providers": ("yahoo", "files"),
        "calendar": "XLON",
        "currency": "GBP",
        "quorum": 2,
    }


def test_a_quorum_needs_so_many_providers(written):
    """Nobody can agree with nobody."""
    with pytest.raises(ConfigError, match=r"BRK\.B wants 2 providers to agree and has 1"):
        load_settings(written(GOOD + '[ticker."BRK.B"]\nquorum = 2'))


def test_parameters_are_gathered_by_notebook(written):
    """Each notebook's table may stand in any file; values keep their type."""
    project = written(**{"a.toml": "[levels]\nswing_span = 5", "b.toml": "[sizing]\nequity = 1e5"})
    assert load_settings(project).parameters == {"levels": {"swing_span": 5}, "sizing": {"equity": 100000.0}}


def test_the_mark_that_windows_editors_write_is_read_over(written):
    """A byte order mark before the first key does no harm."""
    assert load_settings(written(b"\xef\xbb\xbf" + GOOD.encode())).title == "T"


def test_places_stand_in_the_project(written, monkeypatch):
    """Everything is kept under the project; the ledger moves where TICKERBOOK_LEDGER says."""
    project = written()
    settings = load_settings(project)
    places = [settings.lake, settings.runs, settings.notebooks, settings.site]
    assert places == [project / place for place in ("data/lake", "data/runs", "notebooks", "_site")]
    assert settings.ledger == f"sqlite:///{project / 'data' / 'ledger.db'}"
    monkeypatch.setenv("TICKERBOOK_LEDGER", "postgresql://ledger")
    assert settings.ledger == "postgresql://ledger"


def test_settings_are_frozen(written):
    """Nobody changes the settings behind another's back."""
    with pytest.raises(ValidationError, match="frozen"):
        load_settings(written()).title = "other"


def test_a_ticker_is_found_by_its_symbol(written):
    """The universe answers with the ticker's entry."""
    assert load_settings(written()).ticker("BRK.B").symbol == "BRK.B"


def test_a_ticker_outside_the_universe_is_answered_with_the_nearest(written):
    """A mistyped symbol is an error that names the one that was probably meant."""
    with pytest.raises(ConfigError) as caught:
        load_settings(written()).ticker("APPL")
    assert str(caught.value) == (
        "APPL is not in the universe. Did you mean AAPL?\nAdd it to `tickers` in params/universe.toml."
    )


def test_a_hostile_symbol_is_refused_before_it_is_looked_up(written):
    """Every entrance checks the symbol."""
    with pytest.raises(SymbolError):
        load_settings(written()).ticker("../../x")


def test_nothing_near_is_nothing_said():
    """A guess is only made where it helps."""
    assert (nearest("swing_spam", ["swing_span"]), nearest("zzz", ["a"])) == (" Did you mean swing_span?", "")


def test_the_repositorys_own_params_are_right(root):
    """What a newcomer starts with can be read."""
    assert load_settings(root).ticker("AAPL").name == "Apple"


WRONG_PROVIDERS = {
    "no such provider": (
        "[polygn]\nper_day = 5",
        (
            "params/providers.toml: [polygn] is not a table named after a provider. Did you mean polygon?\n"
            "The providers are alphavantage, files, finnhub, massive, polygon, sample, yahoo."
        ),
    ),
    "a value outside a table": (
        "per_day = 5",
        (
            "params/providers.toml: [per_day] is not a table named after a provider.\n"
            "The providers are alphavantage, files, finnhub, massive, polygon, sample, yahoo."
        ),
    ),
    "a value named like a provider": (
        "yahoo = 5",
        "params/providers.toml: yahoo is a value, not a table.\nWrite [yahoo] and its keys below it.",
    ),
    "unknown key": (
        "[polygon]\nper_mintue = 5",
        (
            "params/providers.toml: there is no key 'polygon.per_mintue'. Did you mean per_minute?\n"
            "Keys are adjustment, base_url, columns, folder, per_day, per_minute, per_second, premium, timeout."
        ),
    ),
    "a key in the wrong place": (
        '[polygon]\napi_key = "secret"',
        (
            "params/providers.toml: there is no key 'polygon.api_key'.\n"
            "Keys are adjustment, base_url, columns, folder, per_day, per_minute, per_second, premium, timeout."
        ),
    ),
    "the project": (
        '[polygon]\nproject = "/tmp"',
        (
            "params/providers.toml: there is no key 'polygon.project'.\n"
            "Keys are adjustment, base_url, columns, folder, per_day, per_minute, per_second, premium, timeout."
        ),
    ),
    "a limit of nothing": (
        "[polygon]\nper_minute = 0",
        (
            "params/providers.toml: polygon.per_minute = 0 does not fit: Input should be greater than 0.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "a limit without end": (
        "[polygon]\nper_minute = inf",
        (
            "params/providers.toml: polygon.per_minute = inf does not fit: Input should be a finite number.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "a time without end": (
        "[polygon]\ntimeout = nan",
        (
            "params/providers.toml: polygon.timeout = nan does not fit: Input should be a finite number.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "another adjustment": (
        '[files]\nadjustment = "all"',
        (
            "params/providers.toml: files.adjustment = 'all' does not fit: Input should be 'none' or 'split'.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
}


@pytest.mark.parametrize("case", WRONG_PROVIDERS)
def test_wrong_providers_are_explained(case, written):
    """As everywhere: the file, the key, the nearest."""
    text, expected = WRONG_PROVIDERS[case]
    with pytest.raises(ConfigError) as caught:
        load_settings(written(**{"providers.toml": text}))
    assert str(caught.value) == expected


def test_every_provider_has_params_without_a_file(written):
    """Defaults, and the project to find keys and files in."""
    project = written()
    providers = load_settings(project).providers
    assert list(providers) == ["alphavantage", "files", "finnhub", "massive", "polygon", "sample", "yahoo"]
    assert {params.project for params in providers.values()} == {project}
    assert providers["yahoo"].per_day is None


def test_params_of_a_provider_are_read(written):
    """Whole numbers are limits too."""
    text = (
        '[polygon]\nper_minute = 5\nbase_url = "https://proxy.example"\n[files]\ncolumns = {close = "Settle"}'
    )
    providers = load_settings(written(**{"providers.toml": text})).providers
    assert (providers["polygon"].per_minute, providers["polygon"].base_url) == (5, "https://proxy.example")
    assert providers["files"].columns == {"close": "Settle"}
    assert providers["yahoo"].per_minute is None


POSITION = '[[position]]\nticker = "IBM"\nshares = 100\nentry = 195.5\nstop = 188\n'
WRONG_BOOKS = {
    "misspelt key": (
        POSITION + "stopp = 1.0",
        (
            "params/risk.toml: there is no key 'position.0.stopp'. Did you mean stop?\n"
            "Keys are entry, shares, stop, ticker."
        ),
    ),
    "missing key": (
        '[[position]]\nticker = "IBM"\nshares = 100\nentry = 195.5',
        "params/risk.toml: the key 'position.0.stop' is missing.\nAdd it.",
    ),
    "text for a price": (
        POSITION.replace("195.5", '"195.5"'),
        (
            "params/risk.toml: position.0.entry = '195.5' does not fit: Input should be a valid number.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "no price": (
        POSITION.replace("188", "nan"),
        (
            "params/risk.toml: position.0.stop = nan does not fit: Input should be a finite number.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "one table": (
        POSITION.replace("[[position]]", "[position]"),
        (
            "params/risk.toml: position = {'ticker': 'IBM', 'shares': 100, 'entry': 195.5, 'stop': 188}"
            " does not fit: Input should be a valid list.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
    "no symbol": (
        POSITION.replace("IBM", "ibm"),
        "params/risk.toml: 'ibm' is not a ticker symbol.\nSymbols are written in capitals: did you mean IBM?",
    ),
    "earnings of no symbol": (
        "[earnings]\naapl = [2013-04-23]",
        "params/risk.toml: 'aapl' is not a ticker symbol.\nSymbols are written in capitals: did you mean AAPL?",
    ),
    "earnings in words": (
        '[earnings]\nAAPL = ["soon"]',
        (
            "params/risk.toml: earnings.AAPL.0 = 'soon' does not fit: Input should be a valid date.\n"
            "See the comments in the file for what each key takes."
        ),
    ),
}


@pytest.mark.parametrize("case", WRONG_BOOKS)
def test_a_wrong_book_is_explained(case, written):
    """As everywhere: the file, the key, what to write."""
    text, expected = WRONG_BOOKS[case]
    with pytest.raises(ConfigError) as caught:
        load_settings(written(**{"risk.toml": text}))
    assert str(caught.value) == expected


def test_the_book_becomes_parameters_of_sizing(written):
    """Open positions and days of earnings reach the notebook as texts, beside its own table."""
    earnings = "[earnings]\nAAPL = [2013-04-23, 2013-07-23]\n"
    project = written(**{"risk.toml": "[sizing]\nequity = 5e4\n" + POSITION + earnings})
    assert load_settings(project).parameters["sizing"] == {
        "equity": 50000.0,
        "positions": ["IBM 100 195.5 188"],
        "earnings": ["AAPL 2013-04-23", "AAPL 2013-07-23"],
    }


def test_an_empty_book_is_no_parameter(written):
    """What is not there is left to the notebook."""
    assert load_settings(written(**{"risk.toml": "position = []"})).parameters == {}
