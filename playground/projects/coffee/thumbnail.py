"""The price list: a line for each cup size."""

from __future__ import annotations

from playground.projects.coffee import data
from playground.projects.sketch import BLUE, GREEN, YELLOW, dot, path, scaled


def price_list() -> str:
    """The price list: a line a cup size, over the number of extras."""
    drawn = ""
    for size, color in zip(data.SIZES, (BLUE, YELLOW, GREEN), strict=True):
        cups = [{"size": size, "extras": extras, "takeaway": False} for extras in range(4)]
        prices = data.price(data.encode_rows(cups)).tolist()
        places = scaled(range(4), prices, (0, 3), (8, 26))
        drawn += path(places, color) + "".join(dot(x, y, color) for x, y in places)
    return drawn
