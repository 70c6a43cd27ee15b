"""How long certificates take: the table of docs/causality.md.

    python tests/benchmarks/causality.py            prints it; ends with 1 where a strategy takes over 5 s
    python tests/benchmarks/causality.py --write    also puts it into docs/causality.md

Seconds of one core, after what the first one imports. Notebooks are left out: they take as long as running them twice.
"""

import argparse
import sys
import time
from pathlib import Path

from tickerbook.certificates import Certificate
from tickerbook.research.causality import certificates, certify

PAGE = Path(__file__).parents[2] / "docs" / "causality.md"
BEGIN, END = "<!-- computed: begin -->", "<!-- computed: end -->"
MOST = 5.0  # seconds for one strategy


def main() -> int:
    """Print the table; 1 where something fails or takes too long."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/causality.md")
    arguments = parser.parse_args()
    certify("buy_and_hold")  # imports the engine of the backtests
    found = certificates(timer=time.process_time)
    text = table(found)
    sys.stdout.write(text + "\n")
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    slow = [one.name for one in found if one.kind == "strategy" and (one.seconds or 0) > MOST]
    failed = [one.name for one in found if not one.passed]
    for name in (*slow, *failed):
        sys.stdout.write(f"{name}: {'failed' if name in failed else f'more than {MOST} s'}\n")
    return int(bool(slow or failed))


def table(found: tuple[Certificate, ...]) -> str:
    """Kinds, how many there are, closes and seconds."""
    lines = ["| kind | certificates | closes replaced | slowest | seconds | all together |"]
    lines.append("| --- | ---: | ---: | --- | ---: | ---: |")
    for kind in dict.fromkeys(one.kind for one in found):
        mine = [one for one in found if one.kind == kind]
        slowest = max(mine, key=lambda one: one.seconds or 0)
        cuts, all_ = sum(one.cuts for one in mine), sum(one.seconds or 0 for one in mine)
        lines.append(
            f"| {kind} | {len(mine)} | {cuts:,} | {slowest.name} | {slowest.seconds:.1f} | {all_:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
