"""Keys of vendors: where they are looked for, and how they are kept from being seen."""

import importlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from tickerbook.errors import ConfigError
from tickerbook.settings import find_project

SERVICE = "tickerbook"  # under which the system's keyring has keys
HIDDEN = "[key]"
_ESCAPING = ("%", "\\", "&")
_SHORTEST_SECRET = 6  # Alpha Vantage's key "demo" is no secret, and would hide the word everywhere


@dataclass(frozen=True)
class Key:
    """A key, and where it was found.

    Attributes:
        value: shown by nothing; `get_secret_value` gives it.
        name: the variable's name.
        place: "the environment", ".env" or "the keyring".
    """

    value: SecretStr
    name: str
    place: str

    @property
    def usable(self) -> bool:
        """Whether it can be a key: letters, digits and signs without spaces, which a request can carry."""
        return re.fullmatch(r"[!-~]+", self.value.get_secret_value()) is not None

    def hidden(self, text: str) -> str:
        """`text` without the key, also where it is written as addresses or JSON write it."""
        secret = self.value.get_secret_value()
        if len(secret) < _SHORTEST_SECRET:
            return text
        if not any(sign in text for sign in _ESCAPING) and secret.lower() not in text.lower():
            return text  # most, and the large ones among them, in little time
        return _written(secret).sub(HIDDEN, text)


@lru_cache(maxsize=8)
def _written(secret: str) -> re.Pattern[str]:
    """Every way of writing a key: each character as it is, or as addresses, JSON or HTML may write it."""
    return re.compile("".join(map(_ways, secret)), re.IGNORECASE)


def _ways(sign: str) -> str:
    """A pattern of one character, however it is escaped, also more than once (%2541)."""
    number = ord(sign)
    address, script = rf"%(?:25)*{number:02x}", rf"\\+(?:u00|x){number:02x}"
    page = rf"&(?:amp;)*#(?:0*{number}|x0*{number:x});"
    return rf"(?:\\*{re.escape(sign)}|{address}|{script}|{page})"


def find_key(names: Sequence[str], project: Path | None = None) -> Key | None:
    """The first key found: in the environment, then the project's `.env`, then the system's keyring.

    The keyring is asked where the package `keyring` is installed, for the service "tickerbook" and the
    variable's name as user.

    Args:
        names: variables that may have it, in order.
        project: the project; None for the one we are in.
    """
    for name, value, place in _places(names, project):
        if value and value.strip():
            return Key(SecretStr(value.strip()), name, place)
    return None


def _places(names: Sequence[str], project: Path | None) -> Iterator[tuple[str, str | None, str]]:
    yield from ((name, os.environ.get(name), "the environment") for name in names)
    written = _dot_env(project)
    yield from ((name, written.get(name), ".env") for name in names)
    yield from ((name, _from_keyring(name), "the keyring") for name in names)


def _dot_env(project: Path | None) -> dict[str, str | None]:
    try:
        path = (project or find_project()) / ".env"
        return dotenv_values(path, interpolate=False, encoding="utf-8-sig") if path.is_file() else {}
    except (ConfigError, OSError, UnicodeDecodeError):  # no project, or a .env that is not ours to read
        return {}


def _from_keyring(name: str) -> str | None:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password(SERVICE, name)
    except Exception:  # noqa: BLE001 - a locked or absent keyring is no key, whatever its backend raises
        return None
    return found
