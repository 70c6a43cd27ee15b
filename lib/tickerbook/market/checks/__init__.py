"""One file for each family of checks on delivered prices; a family is in force by having its file here.

A family is a module with `ORDER`, its place in the sequence, and `check(delivery)`, which gives the delivery
as far as it could be put right, and what was found. Files that begin with an underscore are tools of them. A
check may alter what it can derive and must set aside what is wrong beyond that; it never fills or invents.
"""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from tickerbook.market.findings import Context, Finding, Severity

if TYPE_CHECKING:
    from tickerbook.market.checks._delivery import Delivery

__all__ = ["Check", "Checked", "Context", "Finding", "Severity", "families"]

Checked = tuple["Delivery", list[Finding]]
Check = Callable[["Delivery"], Checked]


@cache
def families() -> tuple[tuple[str, Check], ...]:
    """Name and check of every family, in the order they are run."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    modules = sorted((import_module(f"{__name__}.{name}") for name in names), key=lambda module: module.ORDER)
    return tuple((module.__name__.rpartition(".")[2], module.check) for module in modules)
