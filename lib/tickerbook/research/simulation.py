"""The books of backtests, kept by vectorbt's Rust engine: from what was decided to equity and trades."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.research.costs import Costs, pressure, slippage
from tickerbook.research.resting import Exits, fill

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
_HAIR = 1e-12  # more than asked for, so that rounding errors do not cost a share; cash still limits
_WIDE = 64  # strategies
_PASSES = 3  # simulations until the sizes that impact is charged for are the sizes that are traded
_TARGET_PERCENT, _BOTH = 5, 2  # vectorbt's numbers for "a share of equity" and "long and short"


@dataclass(frozen=True, eq=False, slots=True)
class Books:
    """What strategies made of the same sessions.

    Attributes:
        equity: at each close, from 1; rows are sessions, columns are strategies.
        frame: the bars.
        fills: vectorbt's records of the fills.
        rows: the session of each fill, as a row of `frame`, by the fill's own row and column.
    """

    equity: Array
    frame: pd.DataFrame
    fills: Any
    rows: Rows

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
    orders = _orders(frame, exposures, exits, optimistic=optimistic)
    fills = _fills(orders, costs.spread, costs, cash)
    if costs.impact > 0:
        measured = (pressure(frame) if known is None else known)[orders.rows]
        for _ in range(_PASSES - 1):
            slip = slippage(_shares(fills, orders), measured, costs, frame.index[orders.rows.min(axis=1)])
            fills = _fills(orders, slip, costs, cash)
    return Books(_equity(fills, orders, frame, exposures.shape[1], cash), frame, fills, orders.rows)


@dataclass(frozen=True, eq=False, slots=True)
class _Orders:
    """What vectorbt is asked for: row k has the k-th order of each strategy, whenever that is.

    Sessions without an order cost nothing in this way, and a session may have several.
    """

    targets: Array  # share of equity to hold; NaN where a strategy has fewer orders
    price: Array
    rows: Rows  # the order's session


def _orders(frame: pd.DataFrame, exposures: Array, exits: Exits | None, *, optimistic: bool) -> _Orders:
    prices = {name: frame[name].to_numpy()[:, None] for name in ("open", "high", "low")}
    held = _shifted(exposures, 0.0)
    left, at = held, prices["open"]
    if exits is not None:
        moved = Exits(_shifted(exits.stop, np.nan), _shifted(exits.target, np.nan))
        filled = fill(prices, held, moved, optimistic=optimistic)
        held, left = filled.held, np.where(filled.out, 0.0, filled.held)
    before = _shifted(left, 0.0)
    changed = held != before
    steps = [(changed, held, at)]  # what brings the new position
    turned = changed & (held * before < 0)
    if turned.any():
        steps.insert(0, (turned, np.zeros_like(held), at))  # before it, what closes one of the other side
    if exits is not None and filled.out.any():
        steps.append((filled.out, np.zeros_like(held), filled.price))  # after it, the stop or target
    return _stacked(steps)


def _stacked(steps: list[tuple[npt.NDArray[np.bool_], Array, Array]]) -> _Orders:
    """Orders one below the other: each strategy's in the sequence of sessions and steps."""
    wanted = np.stack([mask.T for mask, _, _ in steps], axis=-1)
    column, row, step = np.nonzero(wanted)
    count = np.bincount(column, minlength=len(wanted))
    number = np.arange(len(column)) - np.repeat(np.cumsum(count) - count, count)
    shape = (max(int(count.max(initial=0)), 1), len(wanted))
    orders = _Orders(np.full(shape, np.nan), np.ones(shape), np.zeros(shape, dtype=np.intp))
    orders.rows[number, column] = row
    for position, (_, target, price) in enumerate(steps):
        own = step == position
        place = number[own], column[own]
        orders.targets[place] = target[row[own], column[own]]
        orders.price[place] = np.broadcast_to(price, target.shape)[row[own], column[own]]
    return orders


def _shifted(values: Array, first: float) -> Array:
    """What was decided at the close before."""
    moved = np.empty_like(values)
    moved[0], moved[1:] = first, values[:-1]
    return moved


def _fills(orders: _Orders, slip: Array | float, costs: Costs, cash: float) -> Any:
    """The fills as vectorbt records them, by column and row."""
    from vectorbt.portfolio import dispatch  # noqa: PLC0415 - takes four seconds, which only a backtest should cost

    columns = orders.targets.shape[1]
    fills, _ = dispatch.simulate_from_orders(
        orders.targets.shape,
        np.ones(columns, np.int64),
        np.full(columns, float(cash)),
        np.zeros(orders.targets.shape, np.int64),
        size=orders.targets * ((1 + _HAIR) / ((1 + costs.fee) * (1 + slip))),
        size_type=np.asarray(_TARGET_PERCENT),
        direction=np.asarray(_BOTH),
        price=orders.price,
        fees=np.asarray(costs.fee),
        slippage=np.asarray(slip),
        size_granularity=np.asarray(1.0),
        close=orders.price,
        engine="rust",
    )
    return fills


def _shares(fills: Any, orders: _Orders) -> Array:
    """Shares of each order that was filled, and 0 where there is none."""
    shares = np.zeros(orders.targets.shape)
    shares[fills["idx"], fills["col"]] = fills["size"]
    return shares


def _equity(fills: Any, orders: _Orders, frame: pd.DataFrame, columns: int, cash: float) -> Array:
    """Cash and shares at each close, in units of the cash at the start."""
    sessions = (len(frame), columns)
    signed = fills["size"] * np.where(fills["side"] == 0, 1.0, -1.0)
    cell = orders.rows[fills["idx"], fills["col"]] * columns + fills["col"]
    equity = _summed(cell, signed, sessions)
    spent = _summed(cell, signed * fills["price"] + fills["fees"], sessions)
    equity *= frame["close"].to_numpy()[:, None]
    equity -= spent
    equity /= cash
    equity += 1.0
    return equity


def _summed(cell: Rows, amounts: Array, shape: tuple[int, int]) -> Array:
    """Amounts so far at each session of each column."""
    total = np.bincount(cell, amounts, shape[0] * shape[1]).astype(np.float64, copy=False).reshape(shape)
    if shape[1] < _WIDE:
        np.cumsum(total, axis=0, out=total)
        return total
    before = total[0]
    for row in total[1:]:  # the same sums; over long rows three times as fast as numpy's own
        np.add(row, before, out=row)
        before = row
    return total


def _trades(books: Books) -> pd.DataFrame:
    """What vectorbt makes of the fills of the first strategy, in our words."""
    from vectorbt.portfolio import dispatch  # noqa: PLC0415 - as in `_fills`
    from vectorbt.records import dispatch as records  # noqa: PLC0415 - as in `_fills`

    mine = books.fills[books.fills["col"] == 0]
    last = np.full((len(books.rows), 1), books.frame["close"].iloc[-1])  # what is open is worth
    parts = dispatch.get_exit_trades(mine, last, _columns(records, mine), engine="rust")
    found = dispatch.get_positions(parts, _columns(records, parts), engine="rust")
    is_open, days, rows = found["status"] == 0, books.frame.index, books.rows[:, 0]
    return pd.DataFrame(
        {
            "entered": days[rows[found["entry_idx"]]],
            "exited": days[rows[found["exit_idx"]]].where(~is_open),
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
