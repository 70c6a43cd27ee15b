"""What a sweep costs beside a bare call of vectorbt's Rust engine, and beside a loop of single backtests.

    python tests/benchmarks/sweep.py              prints the table
    python tests/benchmarks/sweep.py --write      also puts it into docs/backtests.md

Ten thousand combinations of a moving-average cross on 2,500 made-up sessions, with costs. Bare is one call of
vectorbt's `Portfolio.from_orders` with the Rust engine on the same arrays: what is to be held, prices, costs; it
computes no average and no figure. The sweep is everything: averages, crosses, simulation, returns, Sharpe ratios and the
trial ledger, which counts every backtest on prices of the lake. The loop makes single backtests, each with its figures and
its entry in the ledger; some are timed and the rest counted with them. Bars that come from elsewhere have no ledger: both
are timed on such, too. Seconds are of the processor, in turn, the best of each round. Ends with 1 where a promise is not kept.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import vectorbt as vbt

from tickerbook.bars import Bars
from tickerbook.research.backtest import backtest
from tickerbook.research.costs import Costs
from tickerbook.research.strategy import Strategy, decide, family
from tickerbook.research.sweep import sweep
from tickerbook.trialbook import TrialBook

PAGE = Path(__file__).parents[2] / "docs" / "backtests.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SESSIONS, SINGLE, ROUNDS = 2_500, 40, 3
COSTS = Costs(commission_bps=5, half_spread_bps=5)
IMPACT = Costs(commission_bps=5, half_spread_bps=5, impact=1)
AT_MOST, AT_LEAST = 1.5, 100


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the table into docs/backtests.md")
    arguments = parser.parse_args()
    lines, kept = measured()
    text = "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
    sys.exit(not kept)


def measured() -> tuple[list[str], bool]:
    """The table, and whether both promises are kept."""
    plain = made_up()
    bars = replace(plain, witness=TrialBook(Path(tempfile.mkdtemp())).add)
    rules = family("ma_cross", {"fast": tuple(range(2, 102)), "slow": tuple(range(110, 310, 2))})
    some = rules[:: len(rules) // SINGLE]
    row = max(rule.warmup for rule in rules)
    frame, targets = bars.frame.iloc[row:], to_hold(decide(rules, bars).exposures[row:])
    things: dict[str, Callable[[], object]] = {
        "bare": lambda: bare(frame, targets),
        "sweep": lambda: sweep(bars, rules, COSTS),
        "impact": lambda: sweep(bars, rules, IMPACT),
        "plain": lambda: sweep(plain, rules, COSTS),
        "loop": lambda: one_by_one(bars, some),
        "plain loop": lambda: one_by_one(plain, some),
    }
    sweep(bars, rules[:50], COSTS)  # loads what is loaded once
    backtest(bars, rules[0], COSTS)
    seconds = dict.fromkeys(things, float("inf"))
    for _ in range(ROUNDS):
        shutil.rmtree(bars.witness.__self__.root)  # what is counted already is not written again
        for name, thing in things.items():
            seconds[name] = min(seconds[name], timed(thing))
    for name in ("loop", "plain loop"):
        seconds[name] *= len(rules) / len(some)
    to_bare, to_loop = seconds["sweep"] / seconds["bare"], seconds["loop"] / seconds["sweep"]
    lines = [
        f"| {len(rules):,} combinations, {SESSIONS:,} sessions, with costs | seconds | ratio to the sweep |",
        "|---|---:|---:|",
        f"| the sweep: averages, crosses, simulation, figures, ledger | {seconds['sweep']:.2f} | 1 |",
        f"| the same with market impact | {seconds['impact']:.2f} | {seconds['impact'] / seconds['sweep']:.1f} |",
        f"| bare `Portfolio.from_orders` of vectorbt, Rust, same arrays | {seconds['bare']:.2f} | {1 / to_bare:.1f} |",
        f"| a loop of single backtests, figures and ledger | {seconds['loop']:.0f} | {to_loop:.0f} |",
        f"| the sweep without a ledger | {seconds['plain']:.2f} | {seconds['plain'] / seconds['sweep']:.1f} |",
        f"| a loop without a ledger | {seconds['plain loop']:.0f} | {seconds['plain loop'] / seconds['sweep']:.0f} |",
        "",
        (
            f"The sweep takes {to_bare:.2f} times as long as the bare call (promised: at most {AT_MOST}), and the loop "
            f"{to_loop:.0f} times as long as the sweep (promised: at least {AT_LEAST})."
        ),
    ]
    return lines, to_bare <= AT_MOST and to_loop >= AT_LEAST


def one_by_one(bars: Bars, rules: Sequence[Strategy]) -> object:
    """Single backtests with their figures."""
    return [backtest(bars, rule, COSTS).metrics for rule in rules]


def made_up() -> Bars:
    """A random walk with opens near the closes before."""
    rng = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(rng.normal(0.0003, 0.015, SESSIONS)))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(rng.normal(0, 0.005, SESSIONS))
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * 1.004,
            "low": np.minimum(opened, close) * 0.996,
            "close": close,
            "volume": rng.uniform(1e6, 3e6, SESSIONS),
        },
        index=pd.bdate_range("2010-01-01", periods=SESSIONS, name="session"),
    )
    return Bars(frame, "WALK", "XNYS", "USD", "split", "made up", datetime(2026, 1, 2, tzinfo=UTC))


def to_hold(exposures: np.ndarray) -> np.ndarray:
    """Share of equity to bring from each open, NaN where nothing changes: what vectorbt is given."""
    held = np.vstack([np.zeros((1, exposures.shape[1])), exposures[:-1]])
    changed = np.diff(held, axis=0, prepend=0.0) != 0
    return np.where(changed, held / ((1 + COSTS.fee) * (1 + COSTS.spread)), np.nan)


def bare(frame: pd.DataFrame, targets: np.ndarray) -> object:
    """vectorbt's own call."""
    return vbt.Portfolio.from_orders(
        frame["close"],
        size=targets,
        size_type="targetpercent",
        price=frame["open"],
        fees=COSTS.fee,
        slippage=COSTS.spread,
        size_granularity=1,
        init_cash=100_000.0,
        engine="rust",
    )


def timed(thing: Callable[[], object]) -> float:
    """Seconds of the processor."""
    begun = time.process_time()
    thing()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
