"""The command's entry: what happens before there is a command line."""

import runpy
import sys
import types

import pytest

from tickerbook.__main__ import main


def test_an_interrupt_while_it_loads_is_no_traceback(monkeypatch):
    """The imports take seconds; 130 is what a shell expects of Ctrl-C."""

    class Loading(types.ModuleType):
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "tickerbook.cli", Loading("tickerbook.cli"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_it_runs_as_a_module(monkeypatch, capsys):
    """`python -m tickerbook` is the command, where no script is on the path."""
    monkeypatch.setattr(sys, "argv", ["tickerbook", "--help"])
    monkeypatch.delitem(sys.modules, "tickerbook.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("tickerbook", run_name="__main__")
    assert ended.value.code == 0
    assert "update" in capsys.readouterr().out
