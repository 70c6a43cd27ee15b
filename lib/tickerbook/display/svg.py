"""A small drawing kit: SVG as text, its scales and its look.

A chart is as wide as its place and of fixed height. Texts stand in the outer drawing at percentages of the
width, so they keep their size on a phone; candles and lines stand in an inner drawing that stretches.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

PLOT = 74  # per cent of the width for the plot; the rest is for labels
UNITS = 2  # units of the inner drawing a pixel of height: half a pixel is fine enough to look exact
EDGE = 0.05  # share of the width within which a label would stick out at the left

# Colours are Okabe and Ito's, told apart by every eye, legible on white and on black; a page may set its own.
STYLE = """
.tb-chart{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
font-variant-numeric:tabular-nums;stroke:currentColor}
body .tb-chart{display:block;width:100%}
.tb-chart text{fill:currentColor;stroke:none;dominant-baseline:central}
.tb-chart path,.tb-chart line{fill:none;vector-effect:non-scaling-stroke}
.tb-chart rect{stroke:none;fill-opacity:.13}
.tb-chart .tb-body{vector-effect:none}
.tb-chart .tb-grid{opacity:.14}
.tb-chart .tb-axis text{opacity:.7;font-size:11px}
.tb-chart .tb-halo{paint-order:stroke;stroke:var(--tb-paper,Canvas);stroke-width:3px;stroke-linejoin:round}
.tb-chart .tb-up{stroke:var(--tb-up,#0072b2)}
.tb-chart .tb-down{stroke:var(--tb-down,#d55e00)}
.tb-chart .tb-support{stroke:var(--tb-support,#009e73)}
.tb-chart .tb-resistance{stroke:var(--tb-resistance,#cc79a7);stroke-dasharray:5 3}
.tb-chart g.tb-support{fill:var(--tb-support,#009e73)}
.tb-chart g.tb-resistance{fill:var(--tb-resistance,#cc79a7)}
.tb-chart rect.tb-up{fill:var(--tb-up,#0072b2);fill-opacity:.25}
.tb-chart rect.tb-down{fill:var(--tb-down,#d55e00);fill-opacity:.3}
.tb-chart .tb-entry{stroke-width:1.6px}
.tb-chart .tb-stop{stroke:var(--tb-down,#d55e00);stroke-width:1.8px;stroke-dasharray:2 2}
.tb-chart .tb-target{stroke:var(--tb-up,#0072b2);stroke-width:1.6px;stroke-dasharray:8 3}
.tb-chart .tb-close{stroke-dasharray:1 3}
.tb-chart .tb-note{opacity:.75}
.tb-chart .tb-strong{font-weight:650}
.tb-chart .tb-narrow{display:none}
@media(max-width:600px){.tb-chart .tb-wide{display:none}.tb-chart .tb-narrow{display:inline}
.tb-chart{font-size:10px}.tb-chart .tb-strong{font-weight:500}.tb-chart .tb-axis text{font-size:10px}
.tb-chart .tb-zoom{transform:translateX(var(--tb-shift)) scaleX(var(--tb-scale))}}
@media(prefers-color-scheme:dark){.tb-chart:root{color:#ddd;--tb-paper:#111}}
"""


def tag(name: str, *inner: str, **attributes: object) -> str:
    """An element. `inner` is markup; attribute values are escaped.

    Of attributes' names, a trailing underscore is dropped and the others become hyphens; None is left out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(inner)
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def drawing(title: str, description: str, height: float, *inner: str) -> str:
    """A whole chart, with its look and its name for those who do not see it."""
    return tag(
        "svg",
        tag("title", escape(title)),
        tag("desc", escape(description)),
        f"<style>{STYLE.strip()}</style>".replace("\n", ""),
        *inner,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_label=f"{title}. {description}",
        class_="tb-chart",
        width=860,
        height=height,
    )


@dataclass(frozen=True)
class Pane:
    """A band of the chart with a vertical scale.

    Attributes:
        top, height: where it is, in pixels.
        low, high: what the lower and upper edge stand for.
        log: whether equal distances are equal ratios.
    """

    top: float
    height: float
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """How far down a value is: 0 at the upper edge, 1 at the lower."""
        if self.log:
            return math.log(self.high / value) / math.log(self.high / self.low)
        return (self.high - value) / (self.high - self.low)

    def y(self, value: float) -> float:
        """Pixels from the top of the chart."""
        return self.top + self.height * self.share(value)

    def units(self, value: float) -> int:
        """Units from the top of the pane, in its inner drawing."""
        return round(self.height * UNITS * self.share(value))

    def inner(self, width: float, *content: str) -> str:
        """The stretching drawing of this pane: `width` units across, whatever its place is in pixels."""
        return tag(
            "svg",
            *content,
            y=self.top,
            width=f"{PLOT}%",
            height=self.height,
            viewBox=f"0 0 {_short(width)} {_short(self.height * UNITS)}",
            preserveAspectRatio="none",
        )

    def grid(self, texts: Sequence[tuple[float, str]]) -> tuple[str, str]:
        """Horizontal lines, and their labels above them at the left."""
        lines = [tag("line", x2=f"{PLOT}%", y1=self.y(v), y2=self.y(v)) for v, _ in texts]
        labels = [tag("text", escape(text), y=self.y(v) - 7, class_="tb-halo") for v, text in texts]
        return tag("g", *lines, class_="tb-grid"), axis(labels)


def axis(labels: Iterable[str], class_: str = "") -> str:
    """Labels of a scale: they measure the drawing and state nothing, so a screen reader passes over them."""
    return tag("g", *labels, class_=f"tb-axis {class_}".strip(), aria_hidden="true")


def dates(places: Sequence[tuple[float, str]], y: float, class_: str) -> str:
    """Labels of a time axis at shares of the plot's width; those outside it are left out."""
    return axis(
        [
            tag(
                "text", text, x=f"{place * PLOT:.1f}%", y=y, text_anchor="middle" if place > EDGE else "start"
            )
            for place, text in places
            if place >= 0
        ],
        class_,
    )


def gutter(*content: str) -> str:
    """The place for labels at the right of the plot; x counts pixels from its left edge."""
    return tag("svg", *content, x=f"{PLOT}%", width=f"{100 - PLOT}%", overflow="visible")


def track(points: Iterable[tuple[int, int]]) -> str:
    """A line through points, written as steps, which is shorter than as places."""
    steps, x0, y0 = "", 0, 0
    for x, y in points:
        steps += f" {x - x0} {y - y0}" if steps else f"M{x} {y}l"
        x0, y0 = x, y
    return steps.replace("l ", "l").replace(" -", "-")


def strokes(bars: Iterable[tuple[int, int, int]]) -> str:
    """Upright strokes, each from x, y to y, as steps."""
    steps, x0, y0 = "", 0, 0
    for x, top, bottom in bars:
        steps += f"m{x - x0} {top - y0}v{bottom - top}"
        x0, y0 = x, bottom
    return steps.replace(" -", "-")


def _short(value: object) -> str:
    """A number with no more digits than a drawing needs; anything else as text."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
