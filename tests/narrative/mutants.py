"""Clean prose over made-up facts, and what a careless or hostile narrator could make of it."""

import re
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from tickerbook.bars import Bars
from tickerbook.facts import Fact, Facts
from tickerbook.narrative.draft import SLOT
from tickerbook.research.move_facts import move_facts

NUMBER, MEANING = "number", "meaning"
USD, PERCENT = ("USD", 2), ("fraction", 1)


def pack(seed: int, ticker: str = "AAPL") -> Facts:
    """Facts of a report that do not contradict each other: prices, levels, strategies, a plan."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0.0004, 0.015, 300)))
    days = pd.bdate_range(end="2013-03-01", periods=300, name="session")
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index=days).assign(
        volume=1.0
    )
    bars = Bars(frame, ticker, "XNYS", "USD", "split", "made up", datetime(2013, 3, 2, tzinfo=UTC))
    last, low, high = float(close[-1]), *rng.uniform(0.02, 0.1, 2)
    rows = {
        "ticker": (ticker, "", None),
        "price.close": (last, *USD),
        "price.change": (float(close[-1] / close[-2] - 1), *PERCENT),
        "price.session": ("2013-03-01", "date", None),
        "price.first": (days[0].date().isoformat(), "date", None),
        "price.sessions": (300, "sessions", 0),
        "price.source": ("yahoo", "", None),
        "position.1.ticker": ("MSFT", "", None),
        **_zone("support", last * (1 - low), low),
        **_zone("resistance", last * (1 + high), high),
        "benchmark.oos_return": (float(rng.normal(0.2, 0.2)), *PERCENT),
        "benchmark.oos_max_drawdown": (-0.4, *PERCENT),
        "walk.first": ("2012-05-02", "date", None),
        "walk.last": ("2013-03-01", "date", None),
        "test.first": ("2012-02-01", "date", None),
        "test.last": ("2013-02-28", "date", None),
        "plan.passed": (True, "", None),
        "plan.side": ("long", "", None),
        "plan.entry": (last * (1 - low / 2), *USD),
        "plan.stop": (last * (1 - low) * 0.97, *USD),
        "plan.shares": (int(rng.integers(10, 900)), "shares", 0),
        "plan.notional": (24_500.0, "USD", 0),
        "plan.money_at_risk": (625.0, "USD", 0),
        "plan.binding": ("maximum weight", "", None),
        "plan.risk_per_share": (2.5, *USD),
        "target.1.price": (last * (1 + high), *USD),
        "target.1.r_multiple": (float(rng.uniform(1, 4)), "R", 2),
        "check.1.name": ("reward to risk", "", None),
        "check.1.passed": (True, "", None),
    }
    for number, title in ((1, "Donchian breakout"), (2, "Moving averages")):
        rows |= _strategy(number, title, float(rng.normal(0.2, 0.3)), ("long", "flat")[int(rng.integers(2))])
    session = bars.session
    return Facts(Fact(n, v, n, unit, digits, session) for n, (v, unit, digits) in rows.items()) | move_facts(
        bars
    )


def _zone(name, price, away):
    return {
        f"{name}.price": (price, *USD),
        f"{name}.low": (price * 0.995, *USD),
        f"{name}.high": (price * 1.005, *USD),
        f"{name}.method": ("prior week low", "", None),
        f"{name}.distance": (away, *PERCENT),
        f"{name}.distance_atr": (away * 50, "ATR", 1),
    }


def _strategy(number, title, returned, signal):
    row = f"strategy.{number}"
    return {
        f"{row}.title": (title, "", None),
        f"{row}.name": (title.lower(), "", None),
        f"{row}.signal": (signal, "", None),
        f"{row}.total_return": (returned + 0.1, *PERCENT),
        f"{row}.oos_return": (returned, *PERCENT),
        f"{row}.oos_return_low": (returned - 0.3, *PERCENT),
        f"{row}.oos_return_high": (returned + 0.4, *PERCENT),
        f"{row}.oos_sharpe_low": (returned - 0.3, "", 2),
    }


def modelled(facts: Facts) -> list[str]:
    """True sentences as a model would write them, in other turns than the plain narrator's."""
    way = {"up": "rose", "down": "fell"}
    moved = [row for row in (2, 3, 4) if facts.value(f"move.{row}.direction") in way]
    side = "above" if facts.value("average.1.gap") > 0 else "below"
    return [
        *[
            f"Over {{move.{n}.sessions}} the share {way[facts.value(f'move.{n}.direction')]} {{move.{n}.size}}."
            for n in moved
        ],
        *[
            f"It {way[facts.value(f'move.{n}.direction')]} {{move.{n}.size}} since {{move.{n}.since}}."
            for n in moved
        ],
        f"The close, {{price.close}}, is {side} {{average.1.price}}, the mean of {{average.1.sessions}}.",
        "Support at {support.price} is {support.distance_atr} below the close.",
        "Resistance waits at {resistance.price}, which is {resistance.distance} higher.",
        "The nearest resistance, {resistance.price}, was found by {resistance.method}.",
        "Between {support.low} and {support.high} lies the nearest support.",
        "{strategy.1.title} earned {strategy.1.oos_return} out of sample, which may be luck.",
        "Out of sample, from {walk.first} to {walk.last}, buy and hold returned {benchmark.oos_return}.",
        "The plan is long, and its stop, {plan.stop}, is below {plan.entry}.",
        "The target of {target.1.price} would pay {target.1.r_multiple} for the risk taken.",
        "A close below {plan.stop} would end the case for the plan.",
        "What decides the size is the limit “{plan.binding}”: {plan.shares}, worth {plan.notional}.",
        "If the price came back to {plan.entry}, the plan could begin; at {plan.stop} it is given up.",
        "The prices reach from {price.first} to {price.session}.",
        "{strategy.2.title} is " + facts.value("strategy.2.signal") + " at this close.",
    ]


def _at_slots(sentence, new):
    """The sentence with each of its slots in turn put otherwise."""
    for slot in SLOT.finditer(sentence):
        made = new(slot[1])
        for text in [made] if isinstance(made, str) else made or []:
            yield sentence[: slot.start()] + text + sentence[slot.end() :]


def _swapped(sentence, pairs):
    """The sentence with a word, once, turned into its opposite."""
    for old, new in pairs:
        for match in re.finditer(rf"\b{re.escape(old)}\b", sentence):
            yield sentence[: match.start()] + new + sentence[match.end() :]


def _inserted(sentence, *texts):
    """The sentence with each text before its end."""
    body, end = sentence[:-1], sentence[-1]
    yield from (f"{body}{text}{end}" for text in texts)


_FULL = str.maketrans("0123456789", "０１２３４５６７８９")
_SUPER = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_FLIPS = [
    ("rose", "fell"), ("fell", "rose"), ("up", "down"), ("down", "up"), ("above", "below"), ("below", "above"),
    ("lower", "higher"), ("higher", "lower"), ("is long", "is flat"), ("is flat", "is long"), ("are long", "are flat"),
    ("are flat", "are long"), ("none of them", "all of them"), ("all of them", "none of them"), ("hardly changed", "rose"),
    ("hardly changed, ", "down"), ("rose", "hardly changed"), ("fell", "hardly changed"), ("did better", "did worse"),
]  # fmt: skip
_RANKS = [
    ("highest", "lowest"), ("lowest", "highest"), ("nearest support", "nearest resistance"), ("nearest", "strongest"),
    ("nearest resistance", "nearest support"), ("deepest", "smallest"), ("deepest", "highest"), ("nearest", "highest"),
    ("tightest", "best"), ("The close", "The highest close"), ("closed at", "closed at a record"),
    ("returned", "earned the most,"),
]  # fmt: skip


def _digit(text):
    return re.sub(r"\d", lambda d: str((int(d[0]) + 1) % 10), text, count=1)


def mutants(sentence: str, facts: Facts):
    """Class, kind, mutant: what is false or not computed, each made from a clean sentence."""
    text = {name: fact.text for name, fact in facts.items()}

    def numeric(name):
        return any(c.isdigit() for c in text[name]) and not isinstance(facts[name].value, str)

    def put(kind, made):
        return [(kind, NUMBER, mutant) for mutant in made if mutant != sentence]

    out = put("digit changed", _at_slots(sentence, lambda n: _digit(text[n]) if numeric(n) else None))
    out += put(
        "sign flipped", _at_slots(sentence, lambda n: [f"−{{{n}}}", f"minus {{{n}}}"] if numeric(n) else None)
    )
    out += put(
        "spelled-out number",
        _at_slots(sentence, lambda n: ["ninety", "some twelve"] if numeric(n) else None),
    )
    out += put(
        "wrong unit",
        _at_slots(
            sentence,
            lambda n: (
                [f"{{{n}}} percent", f"{{{n}}} shares", f"{{{n}}}k", f"{{{n}}} points"]
                if numeric(n)
                else None
            ),
        ),
    )
    out += put("invented level", _inserted(sentence, ", near 123.45", ", with support at $99", " (or 7)"))
    out += put(
        "fullwidth digits", _at_slots(sentence, lambda n: text[n].translate(_FULL) if numeric(n) else None)
    )
    out += put(
        "superscript digits",
        _at_slots(sentence, lambda n: text[n].translate(_SUPER) if numeric(n) else None),
    )
    out += put(
        "fractions",
        _inserted(sentence, ", a third more", ", by half", " and ½", ", two thirds of it", ", a quarter"),
    )
    out += put(
        "split over markup", _inserted(sentence, " 1<b>2</b>3", " 1**2**3", " t<i>en</i>", " 4&#8203;5")
    )
    out += put("homoglyphs", _inserted(sentence, " at оne", " at lOO", " at tеn", " at sіx", " at IO"))
    out += put("link text", _inserted(sentence, " [12](a)", " [twelve](a)", " <a href=x>7</a>"))
    out += put("table cell", _inserted(sentence, " | 12 |", "\n| twelve | a |\n", " <td>9</td>"))
    out += put(
        "ticker swapped",
        _at_slots(
            sentence, lambda n: ["MSFT", "Microsoft", "{position.1.ticker}"] if n == "ticker" else None
        ),
    )
    out += put(
        "strategy swapped",
        _at_slots(
            sentence,
            lambda n: (
                "{"
                + n.replace("strategy.1", "strategy.9")
                .replace("strategy.2", "strategy.1")
                .replace("strategy.9", "strategy.2")
                + "}"
                if n.startswith("strategy.") and n.endswith("return")
                else None
            ),
        ),
    )
    stale = {
        "price.session": ["{price.first}", "{walk.first}", "2013-02-28", "Friday", "March the last"],
        "walk.first": ["{test.first}", "{price.first}"],
        "walk.last": ["{walk.first}", "{test.last}"],
        "price.first": ["{price.session}"],
    }
    out += put("stale date", _at_slots(sentence, stale.get))
    out += put("stale date", _inserted(sentence, " yesterday", " since January", " this week"))
    out += put("unknown slot", _at_slots(sentence, lambda n: f"{{{n}s}}"))
    other = {
        "move.2": "move.3",
        "move.3": "move.4",
        "move.4": "move.2",
        "move.5": "move.3",
        "average.1": "average.2",
        "average.2": "average.1",
    }

    def window(name):
        row, _, column = name.rpartition(".")
        return f"{{{other[row]}.{column}}}" if row in other and f"{other[row]}.{column}" in facts else None

    slots = SLOT.findall(sentence)
    alone = len([s for s in slots if s.startswith(("move.", "average."))]) > 1
    out += put("wrong window", _at_slots(sentence, window) if alone else [])
    out += [("direction", MEANING, mutant) for mutant in _swapped(sentence, _FLIPS)]
    out += [("rank", MEANING, mutant) for mutant in _swapped(sentence, _RANKS)]
    out += [
        ("certainty", MEANING, m)
        for m in _inserted(sentence, " and will hold", ", guaranteed", " for certain")
    ]
    out += [
        ("cause", MEANING, m)
        for m in _inserted(sentence, " because of earnings", ", driven by demand", " due to news")
    ]
    out += [
        ("advice", MEANING, m)
        for m in _inserted(sentence, ", so buy now", ", and you may add", ", as traders know")
    ]
    return out
