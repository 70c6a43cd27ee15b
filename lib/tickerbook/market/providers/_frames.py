"""From the answers of vendors to raw frames."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from tickerbook.errors import ProviderError, ProviderFault
from tickerbook.market.providers import Headline, Quote
from tickerbook.market.raw import PRICES
from tickerbook.sessions import time_zone
from tickerbook.settings import Ticker

Events = Mapping[date, float]


def bars(rows: Mapping[str, Sequence[float | None]], index: pd.DatetimeIndex) -> pd.DataFrame:
    """Columns of bars as float64, in ascending order; what is delivered twice stays twice."""
    frame = pd.DataFrame({name: np.asarray(told, dtype="float64") for name, told in rows.items()}, index)
    frame.index = frame.index.as_unit("ns").rename("session" if index.tz is None else "began_at")
    return frame.sort_index(kind="stable")


def within(frame: pd.DataFrame, first: date, last: date, zone: str = "UTC") -> pd.DataFrame:
    """Rows of the sessions from `first` to `last`; an instant counts by its date in the exchange's zone."""
    index = pd.DatetimeIndex(frame.index)
    days = index if index.tz is None else index.tz_convert(zone).tz_localize(None).normalize()
    return frame[(days >= pd.Timestamp(first)) & (days <= pd.Timestamp(last))]


def not_empty(frame: pd.DataFrame, about: str, who: str) -> pd.DataFrame:
    """The frame itself.

    Raises:
        ProviderError: EMPTY where it has no rows.
    """
    if frame.empty:
        raise ProviderError(
            ProviderFault.EMPTY,
            f"{about}: {who} has no bars for these sessions.",
            "Look at the symbol in params/universe.toml, or name another provider there.",
        )
    return frame


def with_actions(
    frame: pd.DataFrame, *, dividends: Events | None = None, splits: Events | None = None
) -> pd.DataFrame:
    """A raw frame of bars and events by ex-date; a kind of event that is None has no column.

    An event on a day without a bar counts on the next one; one after the last bar waits for its bar.
    """
    raw = frame.copy()
    for name, none, events in (("dividend", 0.0, dividends), ("split", 1.0, splits)):
        if events is None:
            continue
        values = pd.Series(none, index=pd.DatetimeIndex(raw.index.unique()))
        for day, value in events.items():
            at = values.index.searchsorted(pd.Timestamp(day))
            inside = at < len(values) and pd.Timestamp(day) >= values.index[0]
            if inside:
                values.iloc[at] = values.iloc[at] + value if name == "dividend" else values.iloc[at] * value
        raw[name] = values.reindex(raw.index)
    return raw


def as_traded(frame: pd.DataFrame, splits: Events) -> pd.DataFrame:
    """Bars as traded, of bars whose prices and volumes are adjusted for these splits."""
    raw = frame.copy()
    for day, ratio in splits.items():
        before = raw.index < pd.Timestamp(day)
        raw.loc[before, PRICES] *= ratio
        raw.loc[before, "volume"] /= ratio
    return raw


def total(events: list[tuple[date, float]]) -> dict[date, float]:
    """Dividends of one day together."""
    days: dict[date, float] = {}
    for day, amount in events:
        days[day] = days.get(day, 0.0) + amount
    return days


def ratios(events: list[tuple[date, float]]) -> dict[date, float]:
    """Splits of one day together."""
    days: dict[date, float] = {}
    for day, ratio in events:
        days[day] = days.get(day, 1.0) * ratio
    return days


def same_symbol(told: str, asked: str) -> bool:
    """Whether two spellings mean one ticker: BRK.B, BRK-B and brk/b do."""
    one, other = ("".join(sign for sign in text.upper() if sign.isalnum()) for text in (told, asked))
    return one == other


def quoted(ticker: Ticker, price: float, before: float | None, quoted_at: datetime, source: str) -> Quote:
    """A quote of an instant; the session is its date in the exchange's time zone. 0 means unknown."""
    session = quoted_at.astimezone(ZoneInfo(time_zone(ticker.calendar))).date()
    return Quote(ticker.symbol, price, before or None, session, quoted_at, source)


def newest_first(headlines: Iterable[Headline]) -> tuple[Headline, ...]:
    """Headlines with an address that a page may link to, in order."""
    linked = [one for one in headlines if one.url.startswith(("https://", "http://"))]
    return tuple(sorted(linked, key=lambda one: one.published_at, reverse=True))
