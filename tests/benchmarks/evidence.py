"""What the evidence for the sample universe's strategies is: the tables of docs/backtests.md on skill and luck.

    python tests/benchmarks/evidence.py            prints them
    python tests/benchmarks/evidence.py --write    also puts them into docs/backtests.md

Uses the sample prices, and the costs, schedule and holdout that the notebooks have unless params/ say otherwise.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from backtests import COSTS, PAGE, sample  # the neighbour, found by its folder

from tickerbook.facts import Fact, Facts
from tickerbook.research.backtest import backtest_facts, compare
from tickerbook.research.evidence import study
from tickerbook.research.evidence_facts import evidence_facts
from tickerbook.trials import Trials

BEGIN, END = "<!-- evidence: begin -->", "<!-- evidence: end -->"
ALONE = "IBM"
HEAD = (
    "strategy",
    "Sharpe out of sample",
    "trials",
    "ideas",
    "luck alone",
    "skill",
    "after search",
    "overfitting",
)


def main() -> None:
    """Compute, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/backtests.md")
    arguments = parser.parse_args()
    text = tables()
    sys.stdout.write(text)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}{END}{tail}", encoding="utf-8")


def tables() -> str:
    """Both tables, as Markdown."""
    trials: list[Trials] = []
    books = {}
    for ticker, bars in sample().items():
        seen = replace(bars, witness=trials.append)
        books[ticker] = backtest_facts(compare(seen, None, COSTS), seen)
    alone = [record for record in trials if record.ticker == ALONE]
    return "".join(
        "\n".join(shown(title, gathered(some, of))) + "\n\n"
        for title, some, of in (
            ("All tickers pooled", books, trials),
            (f"{ALONE} alone", {ALONE: books[ALONE]}, alone),
        )
    )


def gathered(books: Mapping[str, Facts], trials: Sequence[Trials]) -> Facts:
    """The evidence as facts."""
    return evidence_facts(study(books, trials))


def shown(title: str, facts: Facts) -> Iterable[str]:
    """The evidence as a table of Markdown."""
    measured = (facts[f"evidence.{name}"].text for name in ("holdout_first", "trials"))
    yield "### {}: measured before {}, {} trials in all\n".format(title, *measured)
    yield f"| {' | '.join(HEAD)} |"
    yield f"|---|{'---:|' * (len(HEAD) - 1)}"
    for row in facts.rows("evidence"):
        names = ("trials", "effective_trials", "lucky", "psr", "dsr", "pbo")
        yield f"| {' | '.join([row['title'].text, _bounded(row), *(row[name].text for name in names)])} |"


def _bounded(row: Mapping[str, Fact]) -> str:
    low, high = (row[f"oos_sharpe_{end}"].text for end in ("low", "high"))
    return f"{row['oos_sharpe'].text} ({low} to {high})"


if __name__ == "__main__":
    main()
