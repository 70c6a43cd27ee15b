"""How prose is checked: mutants caught by class, clean sentences refused, and how long it takes.

    python tests/benchmarks/prose.py

Mutants are made from clean drafts over made-up facts (tests/narrative/mutants.py).
"""

import sys
from collections import Counter
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "narrative"))

from mutants import modelled, mutants, pack

from tickerbook.facts import Fact, Facts
from tickerbook.narrative import plain
from tickerbook.narrative.check import faults
from tickerbook.narrative.draft import fill
from tickerbook.narrative.policy import sift

PACKS = 20
TICKERS = 500
FACTS = 1000  # beside those that prose is about, as a report has


def main() -> None:
    """Print the tables."""
    made, caught, refused, clean = Counter[str](), Counter[str](), 0, 0
    for seed in range(PACKS):
        facts = pack(seed)
        sentences = [s for part in plain.draft(facts) for s in part.sentences] + modelled(facts)
        clean += len(sentences)
        refused += sum(any(faults(s, facts)) for s in sentences)
        for sentence in sentences:
            for name, _, mutant in mutants(sentence, facts):
                made[name] += 1
                caught[name] += any(faults(mutant, facts))
    for name, number in made.items():
        _say(f"{name:22} {number:6,} mutants, caught {caught[name] / number:7.2%}")
    _say(f"{'all':22} {made.total():6,} mutants, caught {caught.total() / made.total():7.2%}")
    _say(f"clean sentences {clean:,}, refused {refused / clean:.2%}")
    packs = [_padded(pack(seed, f"T{seed}")) for seed in range(TICKERS)]
    begun = perf_counter()
    drafts = [sift(plain.draft(facts), facts)[0] for facts in packs]
    texts = [fill(draft, facts) for draft, facts in zip(drafts, packs, strict=True)]
    _say(f"{len(texts)} plain narratives: {perf_counter() - begun:.2f} s")
    times = []
    for facts in packs[:100]:
        sentences = [f"{s[:-1]} indeed." for s in modelled(facts)]  # not seen before
        begun = perf_counter()
        _ = [list(faults(s, facts)) for s in sentences]
        times.append(perf_counter() - begun)
    _say(f"checking one draft of {len(sentences)} sentences: {sorted(times)[50] * 1000:.2f} ms (median)")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _padded(facts: Facts) -> Facts:
    return facts | Facts(Fact(f"level.{n}.price", float(n), "level", "USD", 2) for n in range(FACTS))


if __name__ == "__main__":
    main()
