"""Pivot points of the last session, for the session after it, by five formulas.

With the session's open O, high H, low L and close C, and its range D = H − L:

- classic (floor): P = (H + L + C)/3; R1 = 2P − L; S1 = 2P − H; R2, S2 = P ± D; R3 = H + 2(P − L);
  S3 = L − 2(H − P).
- Fibonacci: P as above; R, S = P ± 0.382 D, 0.618 D, D.
- Camarilla: R, S = C ± 1.1 D/12, 1.1 D/6, 1.1 D/4, 1.1 D/2. Its P is the classic one and is not repeated.
- Woodie: P = (H + L + 2C)/4 with the session's close, as the next open is not known yet; else as classic.
- DeMark: X = H + 2L + C after a fall (C < O), 2H + L + C after a rise, H + L + 2C otherwise; P = X/4;
  R1 = X/2 − L; S1 = X/2 − H.
"""

from collections.abc import Iterator

from tickerbook.research.view import Found, View

FAMILY = "pivots"


def find(view: View) -> Iterator[Found]:
    """Thirty-one prices; only the classic P after a session that traded at one price."""
    high, low = float(view.highs[-1]), float(view.lows[-1])
    if not high > low:
        yield Found((high + low + view.close) / 3, "pivot P", "classic pivots", view.row, view.row)
        return
    for name, points in (
        ("classic", classic(high, low, view.close)),
        ("Fibonacci", fibonacci(high, low, view.close)),
        ("Camarilla", camarilla(high, low, view.close)),
        ("Woodie", woodie(high, low, view.close)),
        ("DeMark", demark(view.open, high, low, view.close)),
    ):
        for point, price in points.items():
            if point != "P" or name not in {"Fibonacci", "Camarilla"}:  # their P is the classic one
                label = f"pivot {point}" if name == "classic" else f"{name} pivot {point}"
                yield Found(price, label, f"{name} pivots", view.row, view.row)


def classic(high: float, low: float, close: float) -> dict[str, float]:
    """The classic pivot points of one session, by name, in currency a share."""
    return _around((high + low + close) / 3, high, low)


def woodie(high: float, low: float, close: float) -> dict[str, float]:
    """Woodie's pivot points, from the close of the session."""
    return _around((high + low + 2 * close) / 4, high, low)


def fibonacci(high: float, low: float, close: float) -> dict[str, float]:
    """Pivot points at Fibonacci ratios of the range."""
    pivot = (high + low + close) / 3
    return {"P": pivot, **_steps(pivot, high - low, (0.382, 0.618, 1.0))}


def camarilla(high: float, low: float, close: float) -> dict[str, float]:
    """The Camarilla equations (Stott, 1989)."""
    steps = _steps(close, 1.1 * (high - low), (1 / 12, 1 / 6, 1 / 4, 1 / 2))
    return {"P": (high + low + close) / 3, **steps}


def demark(opened: float, high: float, low: float, close: float) -> dict[str, float]:
    """DeMark's points; they know no second ones."""
    extra = low if close < opened else high if close > opened else close
    total = high + low + close + extra
    return {"P": total / 4, "R1": total / 2 - low, "S1": total / 2 - high}


def _around(pivot: float, high: float, low: float) -> dict[str, float]:
    return {
        "P": pivot,
        "R1": 2 * pivot - low,
        "S1": 2 * pivot - high,
        "R2": pivot + (high - low),
        "S2": pivot - (high - low),
        "R3": high + 2 * (pivot - low),
        "S3": low - 2 * (high - pivot),
    }


def _steps(middle: float, unit: float, shares: tuple[float, ...]) -> dict[str, float]:
    points = {}
    for number, share in enumerate(shares, start=1):
        points[f"R{number}"] = middle + share * unit
        points[f"S{number}"] = middle - share * unit
    return points
