"""Sparklines: lines as small as words."""

from collections.abc import Sequence
from html import escape

from tickerbook.display.svg import Pane, tag

WIDTH, HEIGHT, MARGIN = 98, 24, 3  # pixels


def sparkline(values: Sequence[float | None], title: str) -> str:
    """The shape of a series as SVG, its newest point marked, without a scale; nothing for fewer than two."""
    points = [(i, v) for i, v in enumerate(values) if v is not None]
    if len(points) < 2:  # noqa: PLR2004 - a point is no line
        return ""
    known = [v for _, v in points]
    flat = max(known) == min(known)
    pane = Pane(MARGIN, HEIGHT - 2 * MARGIN, low=min(known) - flat, high=max(known) + flat)
    step = (WIDTH - 2 * MARGIN) / (len(values) - 1)
    places = [(MARGIN + step * i, pane.y(v)) for i, v in points]
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    ink = "currentColor"
    return tag(
        "svg",
        tag("title", escape(title)),
        tag("path", d=line, fill="none", stroke=ink, stroke_width="1.3", stroke_linejoin="round"),
        tag("circle", cx=places[-1][0], cy=places[-1][1], r=2, fill=ink),
        class_="tb-spark",
        role="img",
        width=WIDTH,
        height=HEIGHT,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
    )
