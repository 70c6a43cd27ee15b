"""Replay: compute on a past, and on the same past with other futures, and compare.

Outputs agree where they are the same to twelve digits, missing where the other is missing. They nearly always
agree to the last bit; sums over another number of rows may be rounded otherwise, which is no look-ahead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tickerbook.certificates import Audit
from tickerbook.errors import TickerbookError
from tickerbook.research.causality.cuts import cuts
from tickerbook.research.causality.futures import Future, changed, name_of, nothing

RTOL = 1e-12
Compute = Callable[[pd.DataFrame], Any]


@dataclass
class Seen:
    """What was compared so far, and the first breach of each question."""

    cuts: int = 0
    replays: int = 0
    poisons: int = 0
    breaches: dict[str, str] = field(default_factory=dict)

    def audit(self, name: str, told: str) -> Audit:
        """The question with its answer: the first breach, or what was compared."""
        return Audit(name, name not in self.breaches, self.breaches.get(name, told))

    def breach(self, name: str, told: str) -> None:
        """Note a breach, if it is the first."""
        self.breaches.setdefault(name, told)


def replay(
    compute: Compute,
    histories: Mapping[str, pd.DataFrame],
    futures: Sequence[Future],
    *,
    settles: int = 0,
    seed: int = 7,
) -> tuple[Seen, tuple[Audit, ...]]:
    """Compute on every history, on its beginnings, and with other futures, until something is found.

    Args:
        compute: a frame of bars → a series, frame or array with a row for each bar.
        histories: name → frame.
        futures: what to put in place of the future.
        settles: sessions after which an output may no longer change; 0 where it is settled at its own close.
        seed: of the cuts.

    Returns:
        What was seen, and the audits "prefix replay", "poisoned future" and "repeatable".
    """
    seen = Seen()
    for number, (name, frame) in enumerate(histories.items()):
        if seen.breaches:
            break  # one is enough, and the first is told
        rng = np.random.default_rng([seed, number])
        try:
            _replay(compute, name, frame, futures, settles, rng, seen)
        except Exception as error:  # noqa: BLE001 - whatever a rule raises is the finding
            seen.breach("repeatable", f"{name}: it cannot be computed: {type(error).__name__}: {error}")
    where = f"{len(histories)} histories"
    return seen, (
        seen.audit("prefix replay", f"{seen.replays} beginnings of {where} give what the whole gives"),
        seen.audit("poisoned future", f"{seen.poisons} other futures change nothing before them"),
        seen.audit("repeatable", "the same bars give the same again, and are left as they are"),
    )


def _replay(
    compute: Compute,
    name: str,
    frame: pd.DataFrame,
    futures: Sequence[Future],
    settles: int,
    rng: np.random.Generator,
    seen: Seen,
) -> None:
    kept = frame.copy()
    half = len(frame) // 2
    early = tabled(compute(frame.iloc[:half]), half)  # before the whole, of which nothing may be remembered
    whole = tabled(compute(frame), len(frame))
    rows = cuts(frame, whole, rng)
    for number, cut in enumerate(rows):
        for future in (nothing, futures[(number + seen.cuts) % len(futures)]):
            question = "prefix replay" if future is nothing else "poisoned future"
            other = changed(frame, cut, future, rng)
            told = _difference(compute, other, whole, cut + 1 - settles, frame.index)
            if told:
                when = f"{name}, {name_of(future)} after {frame.index[cut]:%Y-%m-%d}"
                seen.breach(question, f"{when}: {told}")
    seen.poisons += len(rows)
    if not same(early[: half - settles], whole[: half - settles]).all():
        seen.breach("prefix replay", f"{name}: its first half, computed first, is not that of the whole")
    seen.cuts += len(rows)
    seen.replays += len(rows)
    if not same(tabled(compute(frame), len(frame)), whole).all():
        seen.breach("repeatable", f"{name}: computed twice, it is not the same")
    if not frame.equals(kept):
        seen.breach("repeatable", f"{name}: it changes the bars it is given")


def _difference(
    compute: Compute, other: pd.DataFrame, whole: np.ndarray, until: int, days: pd.DatetimeIndex
) -> str:
    """The first row before `until` at which the output on `other` is not that on the whole; empty if none."""
    try:
        said = tabled(compute(other), len(other))
    except Exception as error:  # noqa: BLE001 - whatever a rule raises is the finding
        refusal = (
            isinstance(error, TickerbookError) and error.__cause__ is None
        )  # of such bars: tells nothing
        unbearable = other.iloc[-1].isna().all()  # no bars are like that
        return "" if refusal or unbearable else f"{type(error).__name__}: {error}"
    if said.shape[1] != whole.shape[1]:
        return f"it has {said.shape[1]} columns, not {whole.shape[1]}"
    agree = same(said[:until], whole[:until])
    if agree.all():
        return ""
    row, column = np.argwhere(~agree)[0]
    was, now = whole[row, column], said[row, column]
    return f"{days[row]:%Y-%m-%d} was {was:.10g} and is {now:.10g}"


def same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where two outputs agree."""
    agree: np.ndarray = np.isclose(one, other, rtol=RTOL, atol=0.0, equal_nan=True)
    return agree


def tabled(output: Any, rows: int) -> np.ndarray:
    """An output as numbers, a row for each bar; words and categories become numbers of their own.

    Raises:
        ValueError: if it does not have a row for each bar.
    """
    if isinstance(output, np.ndarray) and output.dtype == np.float64 and output.shape[:-1] == (rows,):
        return output
    if isinstance(output, pd.Series) and output.dtype == np.float64 and len(output) == rows:
        return output.to_numpy()[:, None]  # type: ignore[no-any-return] # pandas has no types
    frame = pd.DataFrame(output)
    if len(frame) != rows:
        raise ValueError(f"it gives {len(frame)} rows for {rows} bars")
    columns = [_numbers(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return np.column_stack(columns) if columns else np.empty((rows, 0))


def _numbers(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        numbers: np.ndarray = values.to_numpy(dtype="float64", na_value=np.nan)
        return numbers
    texts = values.astype(object).astype(str).to_numpy(dtype=object)
    digits: np.ndarray = pd.util.hash_array(texts) >> np.uint64(12)  # as many as a float holds
    return digits.astype("float64")
