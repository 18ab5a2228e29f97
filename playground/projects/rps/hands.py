"""The three hands of rock, paper, scissors: our own, as an emoji is a box where no font has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from playground import data_url

# In a square of 64: thick lines with round ends are fingers, and what is cut out is between them.
_PALM: Final = '<rect x="16" y="32" width="32" height="28" rx="11"/>'


def _finger(x: float, y: float, x2: float, y2: float, width: float = 8) -> str:
    return f'<path d="M{x} {y}L{x2} {y2}" stroke-width="{width}"/>'


def _fingers(ends: Iterable[tuple[float, float, float, float]]) -> str:
    return "".join(_finger(*end) for end in ends)


DRAWN: Final = {
    "rock": '<rect x="12" y="20" width="40" height="36" rx="13"/>'
    + _fingers((18.5 + 9 * n, 20, 18.5 + 9 * n, 27) for n in range(4))
    + '<path d="M14 40L33 40" stroke-width="3" class="cut"/>'
    + "".join(f'<path d="M{23 + 9 * n} 20V31" stroke-width="2" class="cut"/>' for n in range(3)),
    "paper": _PALM
    + _fingers(((20, 40, 13, 17), (28, 38, 25, 8), (36, 38, 38, 8), (44, 40, 50, 16)))
    + _finger(46, 52, 58, 38),
    "scissors": _PALM
    + _fingers(((27, 38, 18, 8), (37, 38, 46, 8)))
    + '<path d="M22 45H36" stroke-width="3" class="cut"/>',
}
"""Move -> its hand as parts of an SVG; a part of class "cut" is nothing."""


def svg(move: str, color: str, cut: str = "") -> str:
    """The hand in ``color``, as an SVG's inside; in ``cut`` what is nothing, if it is not left."""
    style = f'fill="{color}" stroke="{color}" stroke-linecap="round"'
    drawn = DRAWN[move].replace('class="cut"', f'stroke="{cut}"' if cut else 'stroke="none"')
    return f"<g {style}>{drawn}</g>"


def css() -> str:
    """Each hand as a variable, for a mask: so a hand has the colour of the text beside it."""
    names = []
    for move in DRAWN:
        shape = svg(move, "#fff", "#000")
        whole = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><mask id="m">'
            f'{shape}</mask><rect width="64" height="64" mask="url(#m)"/></svg>'
        )
        names.append(f'--hand-{move}: url("{data_url.svg(whole)}");')
    return f":root {{ {' '.join(names)} }}"


def beside(move: str, word: str) -> str:
    """``word`` with its hand before it, as HTML in Markdown; a screen reader hears the word."""
    return f'<span class="hand {move}"></span>\u00a0{word}'
