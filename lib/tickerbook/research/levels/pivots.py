"""Classic (floor) pivot points of the last session, for the session after it.

P = (H + L + C)/3; R1 = 2P − L; S1 = 2P − H; R2 = P + (H − L); S2 = P − (H − L); R3 = H + 2(P − L);
S3 = L − 2(H − P).
"""

from collections.abc import Iterator

from tickerbook.research.level import Found, View


def find(view: View) -> Iterator[Found]:
    """Seven prices; only P after a session that traded at one price."""
    session = view.bars.session
    last = view.recent.iloc[-1]
    high, low = float(last["high"]), float(last["low"])
    points = classic(high, low, float(last["close"]))
    for name, price in points.items() if high > low else [("P", points["P"])]:
        yield Found(price, f"pivot {name}", session, session)


def classic(high: float, low: float, close: float) -> dict[str, float]:
    """The classic pivot points of one session, by name, in currency a share."""
    pivot = (high + low + close) / 3
    return {
        "P": pivot,
        "R1": 2 * pivot - low,
        "S1": 2 * pivot - high,
        "R2": pivot + (high - low),
        "S2": pivot - (high - low),
        "R3": high + 2 * (pivot - low),
        "S3": low - 2 * (high - pivot),
    }
