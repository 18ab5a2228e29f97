"""A picture as an address with the whole file in it, so that no browser has to ask for it."""

from __future__ import annotations

import base64
import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PNG: Final = "data:image/png;base64,"
SVG: Final = "data:image/svg+xml;base64,"


def png(pixels: NDArray[np.uint8], compress_level: int = 6) -> str:
    """Pixels (h, w) or (h, w, channels) as a PNG; a low ``compress_level`` is fast and large."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=compress_level)
    return PNG + base64.b64encode(file.getvalue()).decode()


def svg(drawing: str) -> str:
    """An SVG document's text."""
    return SVG + base64.b64encode(drawing.encode()).decode()
