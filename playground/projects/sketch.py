"""What the small pictures on the start page's map are drawn with: SVG without words.

The strokes are of a middling brightness on no background: they are seen on light and on dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from playground import data_url

WIDTH: Final = 160
HEIGHT: Final = 90
# One picture serves both themes: colours in between, each with a contrast of 3 on both papers.
YELLOW: Final = "#b9780c"
GREEN: Final = "#12926c"
PINK: Final = "#c25d95"
SKY: Final = "#2c90d6"
RED: Final = "#d55e00"
BLUE: Final = "#2f7fb5"
INK: Final = "#7d878e"
Points = Iterable[tuple[float, float]]


def path(points: Points, color: str, width: float = 3, opacity: float = 1) -> str:
    """A line through ``points``, with round ends."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="{width}" '
        f'stroke-opacity="{opacity}" stroke-linecap="round" stroke-linejoin="round"/>'
    )


def dot(x: float, y: float, color: str, radius: float = 4, opacity: float = 1) -> str:
    """A filled circle."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{color}" '
        f'fill-opacity="{opacity:.2f}"/>'
    )


def box(x: float, y: float, width: float, height: float, color: str) -> str:
    """A filled rectangle with its corners a little rounded; ``x`` and ``y`` are its top left."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" '
        f'fill="{color}"/>'
    )


def scaled(
    xs: Sequence[float],
    ys: Sequence[float],
    x: tuple[float, float],
    y: tuple[float, float],
) -> list[tuple[float, float]]:
    """Values within the spans ``x`` and ``y`` -> places in the picture, y upwards."""
    return [
        (
            8 + (WIDTH - 16) * (px - x[0]) / (x[1] - x[0]),
            HEIGHT - 8 - (HEIGHT - 16) * (py - y[0]) / (y[1] - y[0]),
        )
        for px, py in zip(xs, ys, strict=True)
        if y[0] <= py <= y[1]
    ]


def pixels(colors: NDArray[np.uint8], place: tuple[float, float, float, float], sharp: bool) -> str:
    """Colours (h, w, 3 or 4) stretched over ``place`` (x, y, width, height)."""
    x, y, width, height = place
    rendering = "pixelated" if sharp else "auto"
    return (
        f'<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none" '
        f'style="image-rendering:{rendering}" href="{data_url.png(colors)}"/>'
    )


def tint(color: str) -> NDArray[np.uint8]:
    """A colour "#rrggbb" as (3,)."""
    return np.frombuffer(bytes.fromhex(color[1:]), np.uint8)


def ink(drawing: Tensor, color: str, place: tuple[float, float, float, float]) -> str:
    """Ink 0..255 (h, w) in ``color`` on nothing."""
    ink = drawing.numpy()
    colors = np.empty((*ink.shape, 4), np.uint8)
    colors[..., :3], colors[..., 3] = tint(color), ink
    return pixels(colors, place, sharp=True)


def blend(shares: Tensor, low: str, high: str) -> NDArray[np.uint8]:
    """Shares 0..1 (h, w) -> colours (h, w, 3) from ``low`` to ``high``."""
    share = shares.numpy()[..., None]
    mixed: NDArray[np.uint8] = np.rint(tint(low) * (1 - share) + tint(high) * share).astype(
        np.uint8
    )
    return mixed
