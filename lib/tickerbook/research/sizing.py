"""Sizing: how many shares, the trade plan they belong to, and both as facts."""

from tickerbook.research.book import Position, open_positions
from tickerbook.research.conviction import Conviction, Evidence, conviction, read_evidence
from tickerbook.research.desk import Desk, Order, Sizing, Target, make_desk, size_order
from tickerbook.research.kelly import kelly, shrunk_kelly
from tickerbook.research.limits import Limits
from tickerbook.research.plan import TradePlan, trade_plan
from tickerbook.research.plan_facts import plan_facts
from tickerbook.research.position import Cap, Size, size_position
from tickerbook.research.pretrade import Check, PreTrade, pre_trade
from tickerbook.research.ruin import drawdown_chance
from tickerbook.research.throttle import Account, Throttle

__all__ = [
    "Account",
    "Cap",
    "Check",
    "Conviction",
    "Desk",
    "Evidence",
    "Limits",
    "Order",
    "Position",
    "PreTrade",
    "Size",
    "Sizing",
    "Target",
    "Throttle",
    "TradePlan",
    "conviction",
    "drawdown_chance",
    "kelly",
    "make_desk",
    "open_positions",
    "plan_facts",
    "pre_trade",
    "read_evidence",
    "shrunk_kelly",
    "size_order",
    "size_position",
    "trade_plan",
]
