"""What holds for every provider, found by being a file in its folder."""

import inspect
from pathlib import Path

import pytest

from tickerbook.errors import ConfigError
from tickerbook.market import providers
from tickerbook.market.providers import provider

NAMES = sorted(path.stem for path in Path(providers.__file__).parent.glob("[a-z]*.py"))


def test_the_providers_we_promise_are_there():
    """Those that params/ of a new project and its README name."""
    assert {"sample", "yahoo"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_is_found_by_its_file_s_name(name):
    """One class, made with its params."""
    found = provider(name)
    assert type(found).__name__ == name.capitalize()
    assert list(inspect.signature(found.history).parameters) == ["ticker", "first", "last", "interval"]


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_says_what_it_is(name):
    """Module, class and method have docstrings; these become the documentation."""
    found = provider(name)
    assert inspect.getdoc(inspect.getmodule(type(found)))
    assert inspect.getdoc(type(found))
    assert "ProviderError" in inspect.getdoc(found.history)


@pytest.mark.parametrize("name", ["yaho", "Yahoo", "", "__init__", "../sample", "sample.py"])
def test_an_unknown_provider_is_a_configuration_error(name):
    """With the names there are."""
    with pytest.raises(ConfigError, match="no provider named") as caught:
        provider(name)
    assert "sample, yahoo" in caught.value.remedy


def test_a_mistyped_provider_names_the_nearest():
    """As everywhere."""
    with pytest.raises(ConfigError, match="Did you mean yahoo"):
        provider("yaho")
