"""Every colour of charts and drawings, for the light and for the dark theme.

A colour is named by what it means. Text and what carries meaning are read on both themes and
told apart by colour-blind people: a test computes the contrast of every pair that is used
(WCAG 2: 4.5 for text, 3 for graphics) and the distances as they see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st


@dataclass(frozen=True)
class Color:
    """A colour in both themes. A chart's spec may hold it as it is: ``charts.show`` chooses."""

    light: str
    dark: str

    @property
    def now(self) -> str:
        """As it is in the reader's theme."""
        return self.dark if dark() else self.light

    @property
    def css(self) -> str:
        """For CSS, where the browser chooses."""
        return f"light-dark({self.light}, {self.dark})"


def dark() -> bool:
    """Whether the reader's theme is the dark one."""
    return bool(st.context.theme.type == "dark")


def resolved(value: Any) -> Any:
    """``value`` with each ``Color`` in it, however deep, as it is in the reader's theme."""
    return _resolved(value, dark())


def _resolved(value: Any, in_dark: bool) -> Any:
    if isinstance(value, Color):
        return value.dark if in_dark else value.light
    if isinstance(value, Mapping):
        return {name: _resolved(part, in_dark) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(part, in_dark) for part in value]
    return value


PAPER: Final = Color("#fcfcfb", "#12191d")  # the page
BOX: Final = Color("#f0f3f3", "#1d272c")  # code, and what else stands on its own ground
INK: Final = Color("#1c2b33", "#e6ecee")
QUIET: Final = Color("#52616a", "#a9b6bc")  # text that comes second: captions, axes, numbers
GRID: Final = Color("#e3e8e9", "#2a363c")  # help for the eye, which nobody needs

# The same everywhere: train is blue, validation orange, a limit or baseline grey.
BATCH: Final = Color("#7f93a3", "#66809a")
TRAIN: Final = Color("#1f6fa8", "#62b0e8")
VALIDATION: Final = Color("#c26a00", "#f5a742")
LIMIT: Final = Color("#5f6b73", "#98a5ac")
BEST: Final = Color("#1a754a", "#4fbf8b")
ACCENT: Final = Color("#1f6f8b", "#5db8d6")
BAR: Final = Color("#7f93a3", "#5f7688")  # bars beside the one that counts, which is ACCENT

# Told apart by colour-blind people as far as ten colours can be; where more than two or three
# stand together, each has a second mark: a dash, a shape, or its name beside it.
CLASSES: Final = (
    Color("#0072b2", "#4da3f0"),
    Color("#cd7d09", "#fcab07"),
    Color("#096a50", "#10dca1"),
    Color("#954687", "#b770a1"),
    Color("#2a97e0", "#b6d6f2"),
    Color("#b84c00", "#f07a45"),
    Color("#485109", "#f0e566"),
    Color("#6e0d57", "#9c5984"),
    Color("#4a9483", "#acfbe7"),
    Color("#717170", "#a3a3a1"),
)
DASHES: Final = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [12, 4], [7, 2, 2, 2, 2, 2])
"""Of the lines in these colours, in their order: drawn and left out, in pixels."""
SOLID: Final = [1, 0]
SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")

_RAMP: Final = (Color("#2a97a0", "#4a7fc0"), Color("#23104f", "#f0e566"))  # from low to high


def ramp(count: int) -> list[Color]:
    """``count`` colours in order, from pale to strong, each seen on the page."""

    def mixed(low: str, high: str, share: float) -> str:
        pairs = zip(bytes.fromhex(low[1:]), bytes.fromhex(high[1:]), strict=True)
        return "#" + bytes(round(a + share * (b - a)) for a, b in pairs).hex()

    low, high = _RAMP
    shares = [n / max(count - 1, 1) for n in range(count)]
    return [
        Color(mixed(low.light, high.light, share), mixed(low.dark, high.dark, share))
        for share in shares
    ]


def dashes(count: int) -> list[list[int]]:
    """Of three or more lines, each has a dash of its own; two are told apart by colour alone."""
    return [DASHES[n % len(DASHES)] if count > 2 else SOLID for n in range(count)]


# A number's sign, of a weight or of an answer: text, too.
POSITIVE: Final = CLASSES[0]
NEGATIVE: Final = CLASSES[5]
# Of what is not the subject now: seen, but behind the rest.
POSITIVE_PALE: Final = Color("#6596bb", "#3f729b")
NEGATIVE_PALE: Final = Color("#c28151", "#9f6440")


def sign(value: float) -> Color:
    """Blue if positive, orange if negative; grey where nothing passes, at 0."""
    if value == 0:
        return LIMIT
    return POSITIVE if value > 0 else NEGATIVE


def pale_sign(value: float) -> Color:
    """The same of what is not the subject now."""
    return POSITIVE_PALE if value >= 0 else NEGATIVE_PALE
