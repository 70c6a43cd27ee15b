"""The books of a backtest, kept by vectorbt: from what was decided to equity and trades."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tickerbook.errors import ConfigError

_WHOLE = 10_000  # basis points
_HAIR = 1e-12  # more than asked for, so that rounding errors do not cost a share; cash still limits


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs, in basis points of the traded value, on every fill.

    Attributes:
        commission_bps: paid to the broker.
        slippage_bps: how much worse than the open the fill is.

    Raises:
        ConfigError: if one is not in 0 to 1,000.
    """

    commission_bps: float
    slippage_bps: float

    def __post_init__(self) -> None:
        for name, value in (("commission_bps", self.commission_bps), ("slippage_bps", self.slippage_bps)):
            if not 0 <= value <= _WHOLE / 10:
                raise ConfigError(f"{name} = {value} is no cost.", "Use basis points from 0 to 1,000.")

    @property
    def factor(self) -> float:
        """What a share bought costs, as a multiple of its price at the open."""
        return (1 + self.commission_bps / _WHOLE) * (1 + self.slippage_bps / _WHOLE)


def simulate(
    frame: pd.DataFrame, exposure: pd.Series, costs: Costs, cash: float
) -> tuple[pd.Series, pd.DataFrame]:
    """Equity at each close, from 1, and the trades, of what was decided at each close of `frame`.

    An exposure e is filled at the next open as e · equity, costs included, and held until another one is
    decided. Each order is rounded down to whole shares; where the side changes, the old position is closed
    first, by an order of its own.

    Args:
        frame: bars; opens and closes above zero. Nothing is held on the first.
        exposure: −1…1 at each session's close.
        costs: of every fill.
        cash: to start with.

    Returns:
        Equity, 1 at the first session; and round trips in order, the last perhaps still open: entered, exited
        (sessions; NaT while open), side, shares, entry, exit (prices with slippage; NaN while open), profit
        (after costs, to the last close while open), gain (profit as a fraction of the money put in).
    """
    import vectorbt as vbt  # noqa: PLC0415 - takes five seconds, which only a backtest should cost

    portfolio = vbt.Portfolio.from_orders(
        np.repeat(frame["close"].to_numpy(), 2),
        size=_targets(exposure, costs).ravel(),
        size_type="targetpercent",
        price=np.repeat(frame["open"].to_numpy(), 2),
        fees=costs.commission_bps / _WHOLE,
        slippage=costs.slippage_bps / _WHOLE,
        size_granularity=1,
        init_cash=cash,
        engine="rust",
    )
    equity = pd.Series(portfolio.value().to_numpy()[1::2] / cash, frame.index, name="equity")
    return equity, _trades(portfolio.positions.values, frame.index)


def _targets(exposure: pd.Series, costs: Costs) -> npt.NDArray[np.float64]:
    """The share of equity to hold from each session's open; NaN for no order.

    vectorbt fills one order a row, so each session has two: the first closes a position of the other side,
    the second brings the new one.
    """
    wanted = exposure.shift(1, fill_value=0.0).to_numpy()
    before = np.concatenate(([0.0], wanted[:-1]))
    targets = np.full((len(wanted), 2), np.nan)
    targets[wanted * before < 0, 0] = 0.0
    changed = wanted != before
    targets[changed, 1] = wanted[changed] * (1 + _HAIR) / costs.factor
    return targets


def _trades(records: npt.NDArray[np.void], sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """What vectorbt recorded of positions, in our words; it numbers rows, of which each session has two."""
    is_open = records["status"] == 0
    return pd.DataFrame(
        {
            "entered": sessions[records["entry_idx"] // 2],
            "exited": sessions[records["exit_idx"] // 2].where(~is_open),
            "side": np.where(records["direction"] == 0, "long", "short"),
            "shares": records["size"].astype("int64"),
            "entry": records["entry_price"],
            "exit": np.where(is_open, np.nan, records["exit_price"]),
            "profit": records["pnl"],
            "gain": records["return"],
        }
    )
