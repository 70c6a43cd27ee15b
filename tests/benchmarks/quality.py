"""How well the gate tells right prices from wrong ones.

    python tests/benchmarks/quality.py                 prints every table
    python tests/benchmarks/quality.py --write         also puts them into docs/data-quality.md

Reads ../shared (or TICKERBOOK_SHARED): pairs of wrong and repaired prices from yfinance's tests, bars with labelled
defects, and good prices, on which the gate must keep still. To see whether its rules are general, real bars of
other tickers are broken anew in known ways (SYNTHETIC, seeded; see defects.py).
"""

import argparse
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import deliveries
import numpy as np
import pandas as pd
from defects import MAKERS, Broken
from yfinance.scrapers.history import PriceHistory

from tickerbook.market.gate import Context, Finding, Verdict, judge
from tickerbook.market.raw import PRICES

COLUMNS = [*PRICES, "volume", "dividend"]
SAME = 1e-4  # relative tolerance of a repair; volume 1e-3, as vendors round it after scaling
PAGE = deliveries.ROOT / "docs" / "data-quality.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TICKERS = 40  # of sp500_daily, for synthetic defects
ALARMS = ("warning", "error", "fatal")


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/data-quality.md")
    parser.add_argument(
        "sections", nargs="*", choices=[*SECTIONS, []], help="which tables; all where none is named"
    )
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of exchange_calendars under pandas 3
    warnings.filterwarnings("ignore", category=pd.errors.Pandas4Warning)
    text = ""
    for name in arguments.sections or SECTIONS:
        lines = "\n".join(SECTIONS[name]()) + "\n\n"
        sys.stdout.write(lines)
        sys.stdout.flush()
        text += lines
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}{END}{tail}", encoding="utf-8")


def repaired() -> list[str]:
    """yf_repair: each pair, against the maintainers' answer."""
    rows, kinds = [], defaultdict(lambda: [0, 0, 0])
    for pair in deliveries.pairs():
        verdict = judge(pair.served, pair.context)
        if pair.right is None:
            continue
        found, apart = detected(pair, verdict), difference(pair, verdict)
        count = kinds[pair.kind]
        count[0], count[1], count[2] = count[0] + 1, count[1] + found, count[2] + (apart < SAME)
        rows.append((pair.name, pair.what, "yes" if found else "no", f"{apart:.1g}", verdict.decision))
    kinds["all"] = np.sum(list(kinds.values()), axis=0).tolist()
    summary = [(kind, n, _share(d, n), _share(r, n)) for kind, (n, d, r) in kinds.items()]
    return [
        "### Served by Yahoo, against its maintainers' repair",
        "",
        *table(("kind", "pairs", "detected", "as the maintainers"), summary),
        "",
        *table(("file", "what is wrong", "detected", "largest difference", "decision"), rows),
    ]


def detected(pair: deliveries.Pair, verdict: Verdict) -> bool:
    """Whether an alarm names a day on which the pair differs, or the dividend that makes it differ."""
    served, right = (_dated(frame) for frame in (pair.served, pair.right))
    common = [name for name in (*COLUMNS, "adj_close") if name in served and name in right]
    differ = ~np.isclose(served[common], right[common], rtol=SAME, atol=0, equal_nan=True)
    actions = (served["dividend"] != 0).to_numpy() & (differ[:, common.index("adj_close")].any())
    days = set(served.index[differ.any(axis=1) | actions].date)
    prices = differ[:, : len(PRICES)].any()
    families = ("units", "splits", "ohlc", "outliers") if prices else ("dividends", "adjusted", "gains")
    return any(days & set(f.sessions) for f in alarms(verdict) if f.check.startswith(families))


def difference(pair: deliveries.Pair, verdict: Verdict) -> float:
    """The largest relative difference from the maintainers' answer: prices, volume, dividends, adjusted close.

    The adjusted close is derived from our closes and dividends as Yahoo does it, and compared where the
    maintainers changed it. Rows without prices are no rows. Where their answer to one defect leaves rows in
    another unit standing, their own repair of units completes it.
    """
    if verdict.frame is None:
        return float("inf")
    right = _whole(_dated(pair.right).dropna(subset=PRICES))
    ours = verdict.frame.reindex(right.index)
    apart = [_apart(ours[name], right[name]) * (0.1 if name == "volume" else 1) for name in COLUMNS]
    changed = not np.allclose(
        _dated(pair.served)["adj_close"], _dated(pair.right)["adj_close"], equal_nan=True
    )
    if changed:
        factor = right["adj_close"] / right["close"] * ours["close"] / adjusted(ours)
        apart.append(float(np.abs(factor / factor.iloc[-1] - 1).max()))
    extra = len(verdict.frame.index.symmetric_difference(right.index))
    return float("inf") if extra else max(apart)


def adjusted(bars: pd.DataFrame) -> pd.Series:
    """Yahoo's adjusted close: each dividend scales what is before it by 1 − dividend / close before."""
    kept = (1 - bars["dividend"] / bars["close"].shift()).fillna(1.0)
    return bars["close"] * kept[::-1].cumprod().shift(fill_value=1.0)[::-1]


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis(frame.index.normalize()).sort_index()


def _apart(ours: pd.Series, right: pd.Series) -> float:
    size = np.maximum(np.abs(right), np.abs(ours)).replace(0, 1.0)
    return float((np.abs(ours - right) / size).max())


def _whole(right: pd.DataFrame) -> pd.DataFrame:
    """An answer of the maintainers with what yfinance's repair of units makes of rows 100 times off."""
    if not (np.abs(np.log10(right["close"] / right["close"].median()).round()) == 2).any():
        return right
    theirs = {ours: name for name, ours in deliveries.YAHOO.items()}
    table = right.rename(columns=theirs).tz_localize("Europe/London").assign(**{"Repaired?": False})
    asked = PriceHistory(None, "NVT.L", "Europe/London")
    asked._history_metadata = {"currency": "GBP", "exchangeTimezoneName": "Europe/London"}
    asked._reconstruct_intervals_batch = lambda frame, *_, **__: frame
    mended = asked._fix_unit_mixups(table, "1d", "Europe/London", prepost=False)
    return mended.tz_localize(None).rename(columns=deliveries.YAHOO)[list(right)]


def labelled() -> list[str]:
    """corrupt_synth: each labelled defect, and everything else that was touched."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    rows = beside = 0
    for base, frame, clean, defects in deliveries.corrupted():
        del base
        verdict = judge(frame, Context("XNYS", "none", last=deliveries.last_completed(defects, frame)))
        named = {day for finding in alarms(verdict) for day in finding.sessions}
        for entry in defects:
            days = set(pd.date_range(entry["first"], entry["last"]).date)
            count = counts[entry["kind"]]
            count[0] += 1
            count[1] += bool(days & named)
            right, aside = _outcome(verdict.frame, clean, days, entry["kind"])
            count[2] += right
            count[3] += aside
            named -= days
        rows, beside = rows + len(frame), beside + len(named)
    body = [(kind, n, _share(d, n), r, a) for kind, (n, d, r, a) in counts.items()]
    total = np.sum(list(counts.values()), axis=0)
    body.append(("all", total[0], _share(total[1], total[0]), total[2], total[3]))
    return [
        "### Labelled defects in real bars (corrupt_synth)",
        "",
        *table(("kind", "defects", "detected", "put right", "set aside"), body),
        "",
        f"Other rows named in an alarm: {beside} of {rows}.",
    ]


def _outcome(frame: Any, clean: pd.DataFrame, days: set[Any], kind: str) -> tuple[bool, bool]:
    """Whether the rows of a defect are now as in the clean bars, and whether they are gone."""
    index = pd.DatetimeIndex(sorted(days))
    ours, right = (
        frame.reindex(index.intersection(frame.index)),
        clean.reindex(index.intersection(clean.index)),
    )
    if kind in {"weekend_row", "missing_session"}:
        return ours.empty and kind == "weekend_row", False
    if ours.empty:
        return False, True
    same = ours.index.equals(right.index) and np.allclose(ours[PRICES], right[PRICES], rtol=SAME)
    return bool(same and np.allclose(ours["volume"], right["volume"], rtol=1e-3)), False


def synthetic() -> list[str]:
    """Bars of other tickers, broken in each known way."""
    paths = sorted((deliveries.SHARED / "bars/sp500_daily").glob("*.parquet"))
    frames = [deliveries.sp500(path) for path in paths[:: max(len(paths) // TICKERS, 1)]]
    frames = [frame for frame in frames if len(frame) > 1000][:TICKERS]
    body = []
    for kind, make in MAKERS.items():
        count = np.zeros(4, dtype=int)
        for number, clean in enumerate(frames):
            broken = make(clean, np.random.default_rng([number, *kind.encode()]))
            if broken is not None:
                count += tried(_as_traded(broken) if number % 2 and not broken.context else broken)
        n = count[0]
        body.append(
            (
                f"{kind.replace('_', ' ')}: {make.__doc__}",
                n,
                _share(count[1], n),
                _share(count[2], n),
                count[3],
            )
        )
    head = ("kind", "made", "detected", "put right or set aside", "other rows altered")
    return [
        "### SYNTHETIC defects in real bars of other tickers (sp500_daily, seeded; every second one as traded)",
        "",
        *table(head, body),
    ]


def _as_traded(broken: Broken) -> Broken:
    """The same with prices, volume and dividends as they were before any split, as the lake has them."""
    splits = broken.right["split"][broken.right["split"] > 0]
    frames = []
    after = np.append(np.cumprod(splits.to_numpy()[::-1])[::-1], 1.0)
    for frame in (broken.frame, broken.right):
        later = after[splits.index.searchsorted(frame.index, side="right")]
        names = [*PRICES, "dividend"]
        frames.append(frame.assign(**frame[names].mul(later, axis=0), volume=frame["volume"] / later))
    return replace(broken, frame=frames[0], right=frames[1], context={"adjustment": "none"})


def tried(broken: Broken) -> Any:
    """Made, detected, put right or set aside as it should be, and rows altered that were not broken."""
    told = dict(broken.context)
    quarantine = told.pop("quarantine", False)
    verdict = judge(broken.frame, Context("XNYS", **told))
    named = {day for finding in alarms(verdict) for day in finding.sessions}
    found = bool(named & set(broken.sessions)) if broken.sessions else bool(alarms(verdict))
    if quarantine or verdict.frame is None:
        return np.array([1, found, quarantine and verdict.frame is None, 0])
    names = [*PRICES, "volume", "dividend"]
    ours, right = verdict.frame[names], broken.right[names]
    common = right.index.intersection(ours.index)
    same = pd.Series(np.isclose(ours.loc[common], right.loc[common], rtol=SAME).all(axis=1), common)
    strange = ours.index.symmetric_difference(right.index)
    apart = same.index[~same].union(strange)
    days = pd.DatetimeIndex(broken.sessions)
    return np.array([1, found, not len(apart.intersection(days)), len(apart.difference(days))])


def quiet() -> list[str]:
    """Good prices: how often the gate speaks, and what it alters."""
    sets: dict[str, Any] = defaultdict(lambda: np.zeros(5, dtype=int))
    altered = []
    for name, ticker, frame, context in deliveries.clean():
        verdict = judge(frame, context)
        notes = _days(f for f in verdict.findings if f.severity == "info")
        flags = _days(f for f in verdict.findings if f.severity == "warning")
        changed = _days(f for f in verdict.findings if f.severity in {"error", "fatal"})
        sets[name] += [1, len(frame), notes, flags, changed]
        if changed:
            what = sorted({f.check for f in verdict.findings if f.severity in {"error", "fatal"}})
            altered.append((f"{name}/{ticker}", ", ".join(what), changed))
    body = [
        (name, n, rows, *(f"{1000 * count / rows:.3f}" for count in rest), rest[-1])
        for name, (n, rows, *rest) in sets.items()
    ]
    head = ("set", "files", "rows", "notes / 1,000", "doubts / 1,000", "alterations / 1,000", "rows altered")
    lines = ["### Good prices", "", *table(head, body)]
    return [*lines, "", *table(("altered", "by", "rows"), altered)] if altered else lines


def _days(findings: Iterable[Finding]) -> int:
    return sum(max(len(finding.sessions), 1) for finding in findings)


def speed() -> list[str]:
    """One ticker with some 2,000 bars, dividends and splits."""
    frame = deliveries.sp500(deliveries.SHARED / "bars/sp500_daily/MSFT.parquet")
    context = Context("XNYS", last=frame.index[-1].date())
    judge(frame, context)
    spent = []
    for _ in range(30):
        start = time.process_time()
        judge(frame, context)
        spent.append(1000 * (time.process_time() - start))
    return [
        "### Speed",
        "",
        f"{len(frame)} bars: {np.median(spent):.1f} ms of processor time (median of 30).",
    ]


def alarms(verdict: Verdict) -> list[Finding]:
    """Findings beyond mere notes."""
    return [finding for finding in verdict.findings if finding.severity in ALARMS]


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}" if whole else "–"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]


SECTIONS = {f.__name__: f for f in (repaired, labelled, synthetic, quiet, speed)}


if __name__ == "__main__":
    main()
