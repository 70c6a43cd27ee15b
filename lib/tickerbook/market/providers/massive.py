"""Massive, as Polygon.io has called itself since 2025: the same service at its new address."""

from dataclasses import replace

from tickerbook.market.providers.polygon import VENDOR, Polygon


class Massive(Polygon):
    """What `polygon` is, asked at api.massive.com; its requests count as those of `polygon`."""

    vendor = replace(
        VENDOR, name="Massive", url="https://api.massive.com", keys=("MASSIVE_API_KEY", "POLYGON_API_KEY")
    )
