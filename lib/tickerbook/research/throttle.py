"""The drawdown throttle: smaller sizes the further an account is below its peak, none beyond a limit."""

import math
from dataclasses import dataclass

from tickerbook.research.position import check_value

_HAIR = 1e-9  # a drawdown that is this near to a threshold has reached it


@dataclass(frozen=True, slots=True)
class Account:
    """What an account is worth, and where it comes from; all in one currency.

    Attributes:
        equity: now.
        peak: the most it was ever worth.
        trough: the least since that peak, or since sizes were last restored.

    Raises:
        ConfigError: unless 0 < trough ≤ equity ≤ peak.
    """

    equity: float
    peak: float
    trough: float

    def __post_init__(self) -> None:
        check_value("equity", self.equity, 0 < self.equity < math.inf, "above 0")
        check_value("peak", self.peak, self.equity <= self.peak < math.inf, "the equity or more")
        check_value("trough", self.trough, 0 < self.trough <= self.equity, "above 0, at most the equity")

    @property
    def drawdown(self) -> float:
        """How far it is below its peak, as a fraction of the peak, 0 or more."""
        return 1 - self.equity / self.peak

    @property
    def deepest(self) -> float:
        """How far it was below its peak at the trough, likewise."""
        return 1 - self.trough / self.peak


@dataclass(frozen=True, slots=True)
class Throttle:
    """Sizes shrink with the drawdown and stop at a limit, until the account has recovered enough.

    The share that is left is 1 − drawdown / limit. Once the limit was reached it is 0 until the drawdown is
    back at `rearm`: an account that swings about the limit does not start and stop with every session.

    Attributes:
        limit: drawdown at which nothing is bought, above 0 and below 1.
        rearm: drawdown at which buying begins again, 0 or more and below the limit.
    """

    limit: float
    rearm: float

    def __post_init__(self) -> None:
        check_value("max_drawdown", self.limit, 0 < self.limit < 1, "above 0 and below 1")
        check_value(
            "rearm_drawdown", self.rearm, 0 <= self.rearm < self.limit, "0 or more, below max_drawdown"
        )

    def share(self, account: Account) -> float:
        """What is left of every size, 0 to 1."""
        if self._stopped(account) and account.drawdown > self.rearm + _HAIR:
            return 0.0
        return max(0.0, 1 - account.drawdown / self.limit)

    def after(self, account: Account, equity: float) -> Account:
        """The account when it is worth `equity` next; a peak, or re-arming, begins its trough anew."""
        now = Account(equity, max(account.peak, equity), min(account.trough, equity))
        recovered = self._stopped(now) and now.drawdown <= self.rearm + _HAIR
        return Account(equity, now.peak, equity) if recovered or equity >= account.peak else now

    def _stopped(self, account: Account) -> bool:
        return account.deepest >= self.limit - _HAIR
