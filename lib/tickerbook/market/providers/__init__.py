"""One file for each provider of prices; the file's name is the provider's name.

A provider is one class, named like its file with a capital (`yahoo.py` has `Yahoo`), that fulfils `Provider`
and is made without arguments.
"""

from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import pandas as pd

from tickerbook.errors import ConfigError
from tickerbook.settings import Ticker, nearest


@dataclass(frozen=True, eq=False)
class History:
    """What a provider delivered.

    Attributes:
        frame: columns `RAW` (see `market.raw`): prices as traded and actions. The index has naive dates, and
            may still be unordered or have repeats and rows without prices: quality decides on them.
        source: the provider as a reader would name it, with the version of what was read or used.
        currency: ISO 4217 code the provider states; None where it states none.
    """

    frame: pd.DataFrame = field(repr=False)
    source: str
    currency: str | None = None


class Provider(Protocol):
    """Where daily prices come from."""

    def history(self, ticker: Ticker, first: date, last: date) -> History:
        """Daily bars of the sessions from `first` to `last`, both included, as far as there are any.

        Called from several threads at once.

        Raises:
            ProviderError: in every other case; `kind` says how it failed.
        """
        ...


def provider(name: str) -> Provider:
    """The provider of that name.

    Raises:
        ConfigError: if there is none; names the nearest.
    """
    known = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    if name not in known:
        raise ConfigError(
            f"There is no provider named {name!r}.{nearest(name, known)}",
            f"`providers` in params/universe.toml takes {', '.join(known)}.",
        )
    module = import_module(f"{__name__}.{name}")
    return cast("Provider", getattr(module, name.capitalize())())
