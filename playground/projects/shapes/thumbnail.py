"""A circle, a square and a triangle."""

from __future__ import annotations

from playground.projects.shapes import data
from playground.projects.sketch import BLUE, GREEN, RED, ink


def figures() -> str:
    """A circle, a square and a triangle as the generator draws them."""
    made = data.generate(24, 4, 64, wobble=0.5, filled=0.0, photo=0.0)
    drawn = ""
    for label, color in enumerate((BLUE, GREEN, RED)):
        example = made.inputs[made.targets == label][0]
        drawn += ink(example, color, (4 + 52 * label, 21, 48, 48))
    return drawn
