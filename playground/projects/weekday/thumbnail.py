"""The mean day of each weekday."""

from __future__ import annotations

from playground.projects.sketch import BLUE, GREEN, HEIGHT, PINK, RED, YELLOW, box
from playground.projects.weekday import data


def mean_days() -> str:
    """The mean day of each weekday: five activities as shares of a column."""
    drawn = ""
    for day, (kind, _other) in enumerate(data.PATTERNS):
        bottom = HEIGHT - 8.0
        for hours, color in zip(kind, (YELLOW, RED, PINK, BLUE, GREEN), strict=True):
            height = hours / 24 * (HEIGHT - 16)
            bottom -= height
            drawn += box(10 + 20.5 * day, bottom, 17, height - 0.8, color)
    return drawn
