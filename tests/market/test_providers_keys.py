"""Keys: where they are found, and that nothing ever shows one."""

import asyncio
import io
import logging
import pickle
import sys
import traceback
from datetime import date
from types import ModuleType, SimpleNamespace
from urllib.parse import quote, quote_plus

import pytest
from benches import KEYED, Bench, truth
from stub import CANARY, FAULTS, KEYS, Stub

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.keys import Key, find_key
from tickerbook.market.providers import close

FIRST, LAST = date(1990, 1, 1), date(2020, 9, 2)
NAMES = ("POLYGON_API_KEY", "MASSIVE_API_KEY")
SPELLINGS = {
    CANARY,
    quote(CANARY, safe=""),
    quote_plus(CANARY),
    CANARY.replace("/", "\\/"),
    CANARY.lower(),
} | {
    "".join(form.format(ord(sign)) for sign in CANARY)
    for form in ("\\u{:04x}", "%{:02X}", "%25{:02x}", "&#{};")
}


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    """None of the person who runs the tests, and no keyring but the test's."""
    for prefix in (*KEYS.values(), "POLYGON"):
        monkeypatch.delenv(f"{prefix}_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def keyring(monkeypatch):
    """A keyring that has what the test puts into it."""
    kept = {}
    module = ModuleType("keyring")
    module.get_password = lambda service, name: kept.get((service, name))
    monkeypatch.setitem(sys.modules, "keyring", module)
    return kept


def found(project):
    key = find_key(NAMES, project)
    return key and (key.value.get_secret_value(), key.name, key.place)


def test_without_any_there_is_none(tmp_path):
    """Nor with an empty one."""
    (tmp_path / ".env").write_text("POLYGON_API_KEY=\n")
    assert found(tmp_path) is None


def test_places_in_their_order(tmp_path, monkeypatch, keyring):
    """The environment before .env before the keyring; the preferred name first in each."""
    keyring["tickerbook", "MASSIVE_API_KEY"] = "ring"
    assert found(tmp_path) == ("ring", "MASSIVE_API_KEY", "the keyring")
    (tmp_path / ".env").write_text("MASSIVE_API_KEY=file\n")
    assert found(tmp_path) == ("file", "MASSIVE_API_KEY", ".env")
    monkeypatch.setenv("MASSIVE_API_KEY", "environment")
    assert found(tmp_path) == ("environment", "MASSIVE_API_KEY", "the environment")
    monkeypatch.setenv("POLYGON_API_KEY", "preferred")
    assert found(tmp_path) == ("preferred", "POLYGON_API_KEY", "the environment")


@pytest.mark.parametrize(
    "line",
    [
        "POLYGON_API_KEY=abc123",
        "export POLYGON_API_KEY='abc123'",
        'POLYGON_API_KEY = "abc123"  # mine',
        "\ufeffPOLYGON_API_KEY=abc123",
        "OTHER=${POLYGON_API_KEY}\nPOLYGON_API_KEY=abc123\r\n",
        "  POLYGON_API_KEY=  abc123  ",
    ],
)
def test_ways_to_write_it(tmp_path, line):
    """As other programs read a .env."""
    (tmp_path / ".env").write_text(line, encoding="utf-8")
    assert found(tmp_path) == ("abc123", "POLYGON_API_KEY", ".env")


def test_a_key_with_a_dollar_is_taken_as_it_is(tmp_path):
    """Nothing is put in for it."""
    (tmp_path / ".env").write_text("POLYGON_API_KEY='a${HOME}b'")
    assert found(tmp_path)[0] == "a${HOME}b"


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_bytes(b"\xff\xfe\x00")])
def test_a_env_that_cannot_be_read_is_none(tmp_path, make):
    """A folder, or no text."""
    make(tmp_path / ".env")
    assert found(tmp_path) is None


def test_outside_of_a_project_the_environment_serves(tmp_path, monkeypatch):
    """A notebook elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert find_key(NAMES) is None
    monkeypatch.setenv("POLYGON_API_KEY", "abc123")
    assert find_key(NAMES).place == "the environment"


def test_a_keyring_that_fails_is_none(tmp_path, monkeypatch):
    """Locked, or without a backend."""

    def locked(*_args):
        raise RuntimeError(CANARY)

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=locked))
    assert found(tmp_path) is None


@pytest.mark.parametrize("name", KEYED)
def test_a_missing_key_is_told_with_the_way_out(tmp_path, ticker, name):
    """Which variable, where to get one; nobody is asked."""
    with pytest.raises(ProviderError) as caught:
        Bench(name, tmp_path, None).history(ticker(), FIRST, LAST)
    assert caught.value.kind is ProviderFault.NOT_ENTITLED
    assert "there is no key for it" in caught.value.message
    assert f"{KEYS[name]}_API_KEY" in caught.value.remedy
    assert ".env" in caught.value.remedy


@pytest.mark.parametrize("value", ["two words", "line\nbreak: x", "schlüssel", "tab\there"])
def test_what_is_no_key_is_told_without_showing_it(tmp_path, ticker, monkeypatch, value):
    """A header with it would not be sent, and the library's error would show it."""
    monkeypatch.setenv("FINNHUB_API_KEY", value)
    with pytest.raises(ProviderError) as caught:
        Bench("finnhub", tmp_path, None).history(ticker(), FIRST, LAST)
    assert caught.value.kind is ProviderFault.NOT_ENTITLED
    assert "FINNHUB_API_KEY in the environment is no key" in caught.value.message
    assert value not in str(caught.value)


def test_a_key_is_not_shown_by_its_objects(tmp_path, monkeypatch):
    """Neither printed nor formatted nor in a traceback's variables."""
    monkeypatch.setenv("POLYGON_API_KEY", CANARY)
    key = find_key(NAMES, tmp_path)
    assert CANARY not in f"{key} {key!r} {vars(key)} {key.value}"


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
def test_a_key_is_hidden_however_it_is_written(tmp_path, monkeypatch, spelling):
    """As in addresses, as in JSON, in small letters."""
    monkeypatch.setenv("POLYGON_API_KEY", CANARY)
    key = find_key(NAMES, tmp_path)
    assert key.hidden(f"Your key {spelling} is good.") == "Your key [key] is good."


def test_the_demo_key_is_no_secret(tmp_path, monkeypatch):
    """Alpha Vantage's demo key would hide the word "demo" in every headline."""
    monkeypatch.setenv("POLYGON_API_KEY", "demo")
    key = find_key(NAMES, tmp_path)
    assert isinstance(key, Key)
    assert key.hidden("demonstration") == "demonstration"


# The canary


def everything(error):
    """All that can be seen of an error: its words, those of what caused it, their variables, its pickle."""
    seen, shown = set(), []
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        shown += [str(error), repr(error), repr(error.args), repr(vars(error))]
        request = getattr(error, "_request", None)
        shown += [repr(request and (str(request.url), list(request.headers.raw)))]
        error = error.__cause__ or error.__context__
    return "\n".join(shown)


@pytest.mark.parametrize("what", ["history", "quote", "news"])
@pytest.mark.parametrize("name", KEYED)
def test_the_canary_is_never_seen(name, what, tmp_path, monkeypatch, answers, ticker, caplog, capfd):
    """Through every fault, for every question: no message, log, traceback, pickle, result or file has the key."""
    caplog.set_level(logging.DEBUG)
    records = io.StringIO()
    handler = logging.StreamHandler(records)
    logging.getLogger().addHandler(handler)
    produced = []
    arguments = () if what == "quote" else (FIRST, LAST)
    try:
        with Stub(name) as stub:
            for variable, value in stub.environment.items():
                monkeypatch.setenv(variable, value)
            bench = Bench(name, tmp_path, stub, timeout=60.0)
            bench.holds("AAPL", truth(answers))
            for fault in [None, *FAULTS]:
                stub.fails(fault)
                try:
                    result = bench.ask(what, ticker(), *arguments)
                except ProviderError as error:
                    produced += [everything(error), traceback.format_exc()]
                    produced.append(repr(pickle.dumps(error)))
                else:
                    produced += [repr(result), repr(getattr(result, "frame", "")), repr(pickle.dumps(result))]
            stub.close()
            with pytest.raises(ProviderError) as caught:
                bench.ask(what, ticker(), *arguments)
            produced.append(everything(caught.value))
            produced.append(repr(vars(bench.provider)) + repr(vars(bench.provider.connection)))
            assert any(CANARY in value for asked in stub.asked for value in asked.headers.values()) or any(
                CANARY in value for asked in stub.asked for value in asked.query.values()
            )
    finally:
        logging.getLogger().removeHandler(handler)
    produced += [caplog.text, records.getvalue(), *capfd.readouterr()]
    produced += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    everywhere = "\n".join(produced).casefold()
    for spelling in SPELLINGS:
        assert spelling.casefold() not in everywhere
    assert len(produced) > 40


def test_the_canary_is_not_in_headlines(tmp_path, monkeypatch, answers, ticker):
    """A vendor that writes our key into an article's address."""
    with Stub("finnhub") as stub:
        for variable, value in stub.environment.items():
            monkeypatch.setenv(variable, value)
        bench = Bench("finnhub", tmp_path, stub)
        stub.holds("AAPL", truth(answers))

        def echo(_stub, _asked, good):
            good.data[0]["url"] += f"?token={quote(CANARY, safe='')}"
            return good

        stub.fails(echo)
        (headline,) = bench.ask("news", ticker(), FIRST, LAST)
    assert headline.url == "https://example.invalid/a?token=[key]"


def test_a_key_written_while_a_provider_lives_is_used(tmp_path, monkeypatch, answers, ticker):
    """Once its connections are closed: a notebook need not be started again."""
    with Stub("finnhub") as stub:
        monkeypatch.setenv("FINNHUB_BASE_URL", stub.url)
        bench = Bench("finnhub", tmp_path, stub)
        bench.holds("AAPL", truth(answers))
        with pytest.raises(ProviderError):
            bench.history(ticker(), FIRST, LAST)
        (tmp_path / ".env").write_text("FINNHUB_API_KEY=abcdefgh\n")
        assert len(bench.history(ticker(), FIRST, LAST).frame) == 10
        asyncio.run(close([bench.provider]))
        assert {asked.headers["x-finnhub-token"] for asked in stub.asked} == {"abcdefgh"}
