"""Pen strokes as pictures, for the tests of what reads drawings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw


def rasterize(
    strokes: Sequence[npt.ArrayLike], size: tuple[int, int], width: float, oversample: int = 4
) -> npt.NDArray[np.uint8]:
    """Draw pen strokes with round ends: (height, width) uint8, 0 background, 255 ink.

    Each stroke is (points, 2): x to the right and y DOWN, in pixels, with (0, 0) the
    corner of the picture. ``size`` is (height, width) and ``width`` the pen's, all in
    pixels. Edges are smooth because it draws ``oversample`` times larger and averages.
    """
    height, across = size
    image = Image.new("L", (across * oversample, height * oversample))
    pen = ImageDraw.Draw(image)
    radius = width * oversample / 2
    for stroke in strokes:
        points = np.asarray(stroke, dtype=np.float64).reshape(-1, 2) * oversample
        path = [(float(x), float(y)) for x, y in points]
        if len(path) > 1:
            pen.line(path, fill=255, width=max(1, round(2 * radius)))
        # Circles round off the corners and ends that PIL leaves square.
        for x, y in path:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.array(image.reduce(oversample), dtype=np.uint8)
