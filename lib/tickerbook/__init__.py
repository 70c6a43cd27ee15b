"""The notebook author's whole vocabulary, and nothing else.

Each name is loaded when it is first used, so that `import tickerbook as tb` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tickerbook.display.candles import chart_levels
    from tickerbook.display.curves import chart_equity
    from tickerbook.display.publish import publish
    from tickerbook.display.tables import strip, table
    from tickerbook.facts import Fact, Facts
    from tickerbook.market.lake import load_bars
    from tickerbook.market.query import lake, sql
    from tickerbook.research.backtest import backtest_facts, compare
    from tickerbook.research.costs import Costs
    from tickerbook.research.levels import find_levels, level_facts, levels_from_facts
    from tickerbook.research.sizing import plan_facts, trade_plan
    from tickerbook.store import load_facts

_HOMES = {
    "Costs": "research.costs",
    "Fact": "facts",
    "Facts": "facts",
    "backtest_facts": "research.backtest",
    "chart_equity": "display.curves",
    "chart_levels": "display.candles",
    "compare": "research.backtest",
    "find_levels": "research.levels",
    "lake": "market.query",
    "level_facts": "research.levels",
    "levels_from_facts": "research.levels",
    "load_bars": "market.lake",
    "load_facts": "store",
    "plan_facts": "research.sizing",
    "publish": "display.publish",
    "sql": "market.query",
    "strip": "display.tables",
    "table": "display.tables",
    "trade_plan": "research.sizing",
}

__all__ = [
    "Costs",
    "Fact",
    "Facts",
    "backtest_facts",
    "chart_equity",
    "chart_levels",
    "compare",
    "find_levels",
    "lake",
    "level_facts",
    "levels_from_facts",
    "load_bars",
    "load_facts",
    "plan_facts",
    "publish",
    "sql",
    "strip",
    "table",
    "trade_plan",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"tickerbook has no {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
