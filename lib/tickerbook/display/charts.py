"""What a chart is: one drawing for pages, one figure for JupyterLab."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PLOTLY = "application/vnd.plotly.v1+json"
SVG = "image/svg+xml"


@dataclass(frozen=True)
class Chart:
    """A chart in its two forms.

    Attributes:
        title: what it shows.
        description: the same for those who do not see it.
        svg: a small drawing for pages: light and dark, wide and narrow, without script.
        spec: the plotly figure as JSON knows it: `data` and `layout`.
    """

    title: str
    description: str
    svg: str = field(repr=False)
    spec: Mapping[str, Any] = field(repr=False)

    @property
    def figure(self) -> Any:
        """The plotly figure, to be changed by an analyst."""
        from plotly.graph_objects import Figure  # noqa: PLC0415 - pages and kernels that only show it need no plotly

        return Figure(data=self.spec["data"], layout=self.spec["layout"])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        config = {"displaylogo": False, "responsive": True}
        return {PLOTLY: {**self.spec, "config": config}, SVG: self.svg, "text/plain": repr(self)}
