"""The isolation that every other test relies on."""

import os
import socket
import urllib.request
from pathlib import Path

import pytest

from tickerbook.settings import find_project, load_settings


def test_leaving_the_machine_by_name_is_refused():
    """A look-up of another host fails at once, with words."""
    with pytest.raises(RuntimeError, match=r"may not reach example\.com"):
        socket.create_connection(("example.com", 80), timeout=1)


def test_leaving_the_machine_by_address_is_refused():
    """A connection to another address fails at once."""
    with socket.socket() as sock, pytest.raises(RuntimeError, match=r"may not reach 192\.0\.2\.1"):
        sock.connect(("192.0.2.1", 80))


def test_leaving_the_machine_with_a_library_is_refused():
    """What does not use Python's sockets finds a dead proxy, never the network or the person's own proxy."""
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen("http://example.com", timeout=1)


def test_loopback_is_open():
    """A stub server on this machine can be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_no_setting_of_the_person_reaches_a_test():
    """Neither our own variables nor keys of models are there."""
    assert not [name for name in os.environ if name.startswith(("TICKERBOOK_", "OPENAI_"))]


def test_home_is_empty():
    """Each test has a home of its own."""
    assert list(Path.home().iterdir()) == []


def test_project_is_a_project(project):
    """The temporary project is found from inside, and can be read."""
    assert find_project() == project
    assert [ticker.symbol for ticker in load_settings().tickers] == ["AAPL", "MSFT"]
