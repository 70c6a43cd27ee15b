"""The error tree: one root, drawn as it is, and each error survives the way back from a worker process."""

import inspect
import pickle
import re

import pytest

from tickerbook import errors
from tickerbook.errors import ProviderError, ProviderFault, TickerbookError

TREE = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, TickerbookError) and kind is not TickerbookError
}


def _drawn() -> dict[str, str]:
    """Child → parent as the module's docstring draws it."""
    parents, path = {}, []
    for indent, name in re.findall(r"^([ │├└─]+)(\w+Error)\b", errors.__doc__, re.MULTILINE):
        depth = len(indent) // 4 - 1
        path[depth:] = [name]
        if depth:
            parents[name] = path[depth - 1]
    return parents


def test_tree_is_drawn_as_it_is():
    """The drawing at the top of the module names every error and its parent."""
    assert _drawn() == {name: kind.__bases__[0].__name__ for name, kind in TREE.items()}


def test_message_and_remedy_are_two_lines():
    """A person reads what happened, then the way out."""
    assert str(TickerbookError("It broke.", "Mend it.")) == "It broke.\nMend it."


def test_message_alone_is_one_line():
    """Without a remedy there is no empty line."""
    assert str(TickerbookError("It broke.")) == "It broke."


@pytest.mark.parametrize("kind", [TickerbookError, *(k for k in TREE.values() if k is not ProviderError)])
def test_errors_come_back_from_another_process(kind):
    """Message and remedy survive pickling."""
    back = _there_and_back(kind("It broke.", "Mend it."))
    assert (type(back), back.message, back.remedy) == (kind, "It broke.", "Mend it.")


def test_a_providers_fault_comes_back_from_another_process():
    """The kind of fault survives pickling too."""
    back = _there_and_back(ProviderError(ProviderFault.EMPTY, "No bars of AAPL.", "Look it up."))
    assert (back.kind, str(back)) == (ProviderFault.EMPTY, "No bars of AAPL.\nLook it up.")


def _there_and_back(error):
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
