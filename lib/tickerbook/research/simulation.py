"""The books of backtests, kept by vectorbt's Rust engine: from what was decided to equity and trades."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.research.costs import Costs, pressure, slippage
from tickerbook.research.resting import Exits, fill

Array = npt.NDArray[np.float64]
_HAIR = 1e-12  # more than asked for, so that rounding errors do not cost a share; cash still limits
_PASSES = 3  # simulations until the sizes that impact is charged for are the sizes that are traded
_TARGET_PERCENT, _BOTH = 5, 2  # vectorbt's numbers for "a share of equity" and "long and short"


@dataclass(frozen=True, eq=False, slots=True)
class Books:
    """What strategies made of the same sessions.

    Attributes:
        equity: at each close, from 1; rows are sessions, columns are strategies.
        sessions: of the rows.
        orders: vectorbt's records of the fills; `idx` counts rows of `slots` a session.
        slots: rows that each session has in those records.
        close: at each of those rows.
    """

    equity: Array
    sessions: pd.DatetimeIndex
    orders: Any
    slots: int
    close: Array

    def trades(self) -> pd.DataFrame:
        """Round trips of the first strategy in order, the last perhaps still open.

        Columns: entered, exited (sessions; NaT while open), side, shares, entry, exit (prices with slippage;
        NaN while open), profit (after costs, to the last close while open), gain (profit as a fraction of
        the money put in).
        """
        return _trades(self)


def simulate(
    frame: pd.DataFrame,
    exposures: Array,
    costs: Costs,
    cash: float,
    exits: Exits | None = None,
    *,
    known: Array | None = None,
    optimistic: bool = False,
) -> Books:
    """The books of what was decided at each close of `frame`, in one call of vectorbt for all strategies.

    An exposure e is filled at the next open as e · equity, costs included, and held until another one is
    decided, or until a stop or target ends it. Each order is rounded down to whole shares; where the side
    changes, the old position is closed first, by an order of its own. The impact of an order depends on its
    shares, and they on it: the simulation is repeated with the impact of the sizes before, three times.

    Args:
        frame: bars; opens and closes above zero. Nothing is held on the first.
        exposures: −1…1 at each session's close; rows are sessions, columns are strategies.
        costs: of every fill.
        cash: to start with.
        exits: stops and targets, decided at each close for the next session.
        known: `pressure` of the sessions. Default: measured on `frame`.
        optimistic: how a bar that holds both stop and target is read.
    """
    plan = _plan(frame, exposures, exits, optimistic=optimistic)
    slip: Array | float = costs.spread
    orders = _orders(plan, slip, costs, cash)
    if costs.impact > 0:
        rows = np.repeat(pressure(frame) if known is None else known, plan.slots)
        days = frame.index.repeat(plan.slots)
        for _ in range(_PASSES - 1):
            slip = slippage(_sizes(orders, plan), rows, costs, days)
            orders = _orders(plan, slip, costs, cash)
    return Books(_equity(orders, plan, cash), frame.index, orders, plan.slots, plan.close)


@dataclass(frozen=True, eq=False, slots=True)
class _Plan:
    """What vectorbt is asked for: rows are sessions times slots.

    vectorbt fills one order a row, so a session has a row for each order that it may need: one that closes a
    position of the other side, one that brings the new position, one for the stop or target.
    """

    targets: Array  # share of equity to hold; NaN for no order
    price: Array
    close: Array
    slots: int


def _plan(frame: pd.DataFrame, exposures: Array, exits: Exits | None, *, optimistic: bool) -> _Plan:
    prices = {name: frame[name].to_numpy()[:, None] for name in ("open", "high", "low", "close")}
    held = _shifted(exposures, 0.0)
    out: npt.NDArray[np.bool_] | None = None
    if exits is not None:
        moved = Exits(_shifted(exits.stop, np.nan), _shifted(exits.target, np.nan))
        filled = fill(prices, held, moved, optimistic=optimistic)
        held, out = filled.held, filled.out
    left = held if out is None else np.where(out, 0.0, held)
    before = _shifted(left, 0.0)
    new = np.where(held != before, held, np.nan)
    turned = held * before < 0
    rows = [np.where(turned, 0.0, np.nan)] if turned.any() else []
    rows.append(new)
    at = [prices["open"]] * len(rows)
    if out is not None and out.any():
        rows.append(np.where(out, 0.0, np.nan))
        at.append(filled.price)
    if len(rows) == 1:
        return _Plan(new, prices["open"], prices["close"], 1)
    shape = (len(frame) * len(rows), exposures.shape[1])
    targets = np.stack(rows, axis=1).reshape(shape)
    paid = np.stack([np.broadcast_to(p, exposures.shape) for p in at], axis=1).reshape(shape)
    return _Plan(targets, paid, np.repeat(prices["close"], len(rows), axis=0), len(rows))


def _shifted(values: Array, first: float) -> Array:
    """What was decided at the close before."""
    moved = np.empty_like(values)
    moved[0], moved[1:] = first, values[:-1]
    return moved


def _orders(plan: _Plan, slip: Array | float, costs: Costs, cash: float) -> Any:
    """The fills as vectorbt records them, by column and row."""
    from vectorbt.portfolio import dispatch  # noqa: PLC0415 - takes four seconds, which only a backtest should cost

    columns = plan.targets.shape[1]
    orders, _ = dispatch.simulate_from_orders(
        plan.targets.shape,
        np.ones(columns, np.int64),
        np.full(columns, float(cash)),
        np.zeros(plan.targets.shape, np.int64),
        size=plan.targets * ((1 + _HAIR) / ((1 + costs.fee) * (1 + slip))),
        size_type=np.asarray(_TARGET_PERCENT),
        direction=np.asarray(_BOTH),
        price=plan.price,
        fees=np.asarray(costs.fee),
        slippage=np.asarray(slip),
        size_granularity=np.asarray(1.0),
        close=plan.close,
        max_orders=int(np.count_nonzero(~np.isnan(plan.targets))) + 1,
        engine="rust",
    )
    return orders


def _sizes(orders: Any, plan: _Plan) -> Array:
    """Shares of the order at each row, and 0 where there is none."""
    shares = np.zeros(plan.targets.shape)
    shares[orders["idx"], orders["col"]] = orders["size"]
    return shares


def _equity(orders: Any, plan: _Plan, cash: float) -> Array:
    """Cash and shares at each close, in units of the cash at the start."""
    sessions = (len(plan.targets) // plan.slots, plan.targets.shape[1])
    signed = orders["size"] * np.where(orders["side"] == 0, 1.0, -1.0)
    cell = (orders["idx"] // plan.slots) * sessions[1] + orders["col"]
    size = sessions[0] * sessions[1]
    bought = _summed(cell, signed, size).reshape(sessions)
    spent = _summed(cell, signed * orders["price"] + orders["fees"], size).reshape(sessions)
    np.cumsum(bought, axis=0, out=bought)
    np.cumsum(spent, axis=0, out=spent)
    bought *= plan.close[:: plan.slots]
    bought -= spent
    bought /= cash
    bought += 1.0
    return bought


def _summed(cell: npt.NDArray[np.intp], amounts: Array, size: int) -> Array:
    """Amounts added up by cell; floats also where there is none."""
    return np.bincount(cell, amounts, size).astype(np.float64, copy=False)


def _trades(books: Books) -> pd.DataFrame:
    """What vectorbt makes of the fills of the first strategy, in our words."""
    from vectorbt.portfolio import dispatch  # noqa: PLC0415 - as in `_orders`
    from vectorbt.records import dispatch as records  # noqa: PLC0415 - as in `_orders`

    mine = books.orders[books.orders["col"] == 0]
    parts = dispatch.get_exit_trades(mine, books.close, _columns(records, mine), engine="rust")
    found = dispatch.get_positions(parts, _columns(records, parts), engine="rust")
    is_open, days = found["status"] == 0, books.sessions
    return pd.DataFrame(
        {
            "entered": days[found["entry_idx"] // books.slots],
            "exited": days[found["exit_idx"] // books.slots].where(~is_open),
            "side": np.where(found["direction"] == 0, "long", "short"),
            "shares": found["size"].astype("int64"),
            "entry": found["entry_price"],
            "exit": np.where(is_open, np.nan, found["exit_price"]),
            "profit": found["pnl"],
            "gain": found["return"],
        }
    )


def _columns(records: Any, found: Any) -> Any:
    return records.col_map(np.ascontiguousarray(found["col"]), 1, engine="rust")
