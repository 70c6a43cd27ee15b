"""Made-up searches: strategies on noise, and what their backtests would publish."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.facts import Fact, Facts
from tickerbook.research.trial import tell

LAST = date(2022, 1, 14)  # the quarter that counts ends with 2021
SESSIONS = 1_600


def flat_bars(ticker="AAA", sessions=SESSIONS, witness=None, last=LAST):
    """Bars of which only the sessions matter."""
    days = pd.bdate_range(end=last, periods=sessions, name="session").as_unit("ns")
    frame = pd.DataFrame(10.0, days, ["open", "high", "low", "close", "volume"])
    asked = datetime(2022, 1, 17, tzinfo=UTC)
    return Bars(frame, ticker, "XNYS", "USD", "split", "made up", asked, witness)


def noise(seed, trials, sessions=SESSIONS):
    """Returns of random strategies on one share without any edge: each is in the market at its own times."""
    random = np.random.default_rng(seed)
    share = random.normal(0, 0.01, (sessions, 1))
    side = np.repeat(random.integers(-1, 2, (sessions // 5 + 1, trials)), 5, axis=0)[:sessions]
    return share * side


def recorded(returns, family="mined", ticker="AAA", names=None, last=LAST):
    """The trials that a backtest of these returns leaves (a column for each configuration)."""
    told = []
    bars = flat_bars(ticker, len(returns), told.append, last)
    parameters = [{"n": n} for n in (names or range(returns.shape[1]))]
    tell(bars, family, parameters, pd.DataFrame(returns, bars.frame.index), conditions="none")
    return told


def book(returns, family="mined", last=LAST, **columns):
    """Facts of a backtest whose out-of-sample returns these are."""
    days = flat_bars(sessions=len(returns), last=last).frame.index
    row = {"name": family, "oos_trades": 80, "break_even_bps": 30.0, "oos_exposure": 0.5, **columns}
    facts = [Fact(f"strategy.1.{name}", value, name) for name, value in row.items()]
    facts += [
        Fact("oos.sessions", tuple(day.date().isoformat() for day in days), "sessions", "date", as_of=last),
        Fact("oos.benchmark", tuple(np.resize([0.002, -0.002, 0.001], len(days)).tolist()), "buy and hold"),
        Fact(f"oos.{family}", tuple(np.round(returns, 6).tolist()), family),
    ]
    return Facts(facts)


def best_of(returns):
    """The column with the highest Sharpe ratio."""
    return returns[:, (returns.mean(axis=0) / returns.std(axis=0)).argmax()]
