"""What holds for every provider, found by being a file in its folder."""

import inspect
import re
from pathlib import Path

import pytest

from tickerbook.errors import ConfigError
from tickerbook.market import providers
from tickerbook.market.providers import provider
from tickerbook.settings import load_settings

NAMES = sorted(path.stem for path in Path(providers.__file__).parent.glob("[a-z]*.py"))


def test_the_providers_we_promise_are_there():
    """Those that params/ of a new project and its README name."""
    assert {"alphavantage", "files", "finnhub", "massive", "polygon", "sample", "yahoo"} <= set(NAMES)


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
    assert "polygon, sample, yahoo" in caught.value.remedy


def test_a_mistyped_provider_names_the_nearest():
    """As everywhere."""
    with pytest.raises(ConfigError, match="Did you mean yahoo"):
        provider("yaho")


def test_the_documentation_has_every_provider(root):
    """A row each, with the variable of its key; what it says to write can be read."""
    text = (root / "docs" / "providers.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for name in NAMES:
        (row,) = [row for row in rows if f"`{name}`" in row.split("|")[1]]
        vendor = getattr(provider(name), "vendor", None)
        for variable in vendor.keys if vendor else ():
            assert variable in row


def test_the_documented_params_are_params(root, make_project):
    """Blocks of params/providers.toml, and the file that a new project begins with, are read strictly."""
    text = (root / "docs" / "providers.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    shipped = (root / "params" / "providers.toml").read_text(encoding="utf-8")
    project = make_project()
    for block in [shipped, *(block for block in blocks if "[ticker" not in block)]:
        (project / "params" / "providers.toml").write_text(block, encoding="utf-8")
        assert len(load_settings(project).providers) == len(NAMES)
    assert len(blocks) == 4
