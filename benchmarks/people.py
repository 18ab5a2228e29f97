"""People's data for benchmarks: read where you have it; never part of this project.

``pen_digits``: a gzipped JSON list of {"label", "strokes": [[[x, y], …], …]}, y down.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Canvas = npt.NDArray[np.uint8]


def pen_digits(path: Path, seed: int, side: int = 280) -> tuple[list[Canvas], list[str]]:
    """Each digit drawn on a canvas (side, side, 4) at a random size, place and pen width.

    The longer side is 30 to 90 % of the canvas, the pen 6 to 22 pixels wide; strokes are
    drawn three times as large and shrunk, for smooth edges as a browser draws them.
    """
    random = np.random.default_rng(seed)
    items = json.loads(gzip.decompress(path.read_bytes()))
    canvases, labels = [], []
    for item in items:
        strokes = [np.asarray(stroke, float).reshape(-1, 2) for stroke in item["strokes"]]
        points = np.concatenate(strokes)
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        pen = random.uniform(6, 22)
        longer = max(random.uniform(0.3, 0.9) * side - pen, 20)
        scale = longer / max(extent.max(), 1e-9)
        room = side - pen - extent * scale
        offset = pen / 2 + random.uniform(0, 1, 2) * room
        canvases.append(_draw([(s - low) * scale + offset for s in strokes], pen, side))
        labels.append(str(item["label"]))
    return canvases, labels


def _draw(strokes: list[npt.NDArray[np.float64]], pen: float, side: int) -> Canvas:
    fine = 3
    picture = Image.new("L", (side * fine, side * fine))
    draw = ImageDraw.Draw(picture)
    radius = pen * fine / 2
    for stroke in strokes:
        points = [tuple(point) for point in stroke * fine]
        if len(points) > 1:
            draw.line(points, 255, round(pen * fine), joint="curve")
        for x, y in (points[0], points[-1]):  # round ends
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    small = np.asarray(picture.resize((side, side), Image.Resampling.BOX))
    return np.dstack([small, small, small, np.full_like(small, 255)])
