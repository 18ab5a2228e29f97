"""Digits written by the pen."""

from __future__ import annotations

from playground.data import pen_strokes
from playground.projects.sketch import BLUE, RED, ink


def written() -> str:
    """Digits written by the pen, the European way."""
    drawn = ""
    for place, digit in enumerate((1, 7, 0, 4, 9, 3)):
        drawing = pen_strokes.generate(1, seed=4, digits=(digit,)).inputs[0]
        column, row = place % 3, place // 3
        drawn += ink(
            drawing, (BLUE, RED)[(column + row) % 2], (17 + 43 * column, 2 + 43 * row, 40, 40)
        )
    return drawn
