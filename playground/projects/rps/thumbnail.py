"""The three throws."""

from __future__ import annotations

from playground.projects.rps import hands
from playground.projects.sketch import BLUE, GREEN, RED


def throws() -> str:
    """The three throws."""
    return "".join(
        f'<g transform="translate({6 + 52 * place} 23) scale(0.7)">{hands.svg(move, color)}</g>'
        for place, (move, color) in enumerate(zip(hands.DRAWN, (BLUE, GREEN, RED), strict=True))
    )
