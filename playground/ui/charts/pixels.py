"""Numbers as small coloured pictures: blue is positive, orange negative, white zero."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from playground import data_url

POSITIVE: Final = np.array([0, 114, 178], dtype=float)
NEGATIVE: Final = np.array([213, 94, 0], dtype=float)
WHITE: Final = np.array([253, 252, 249], dtype=float)
Pixels = NDArray[np.uint8]


def signed(values: Tensor, most: float = 0.0) -> Pixels:
    """(h, w) -> (h, w, 3); full colour at ±``most``, or at the largest value where that is 0."""
    numbers = values.detach().numpy()
    largest = most or float(np.abs(numbers).max()) or 1.0
    share = np.clip(np.abs(numbers) / largest, 0, 1)[..., None]
    ends = np.where((numbers < 0)[..., None], NEGATIVE, POSITIVE)
    colors: Pixels = np.rint(WHITE + share * (ends - WHITE)).astype(np.uint8)
    return colors


def grey(picture: Tensor) -> Pixels:
    """(h, w), 0 background to 255 ink -> (h, w, 3), as the network's pictures are shown."""
    numbers = np.rint(picture.numpy()).clip(0, 255).astype(np.uint8)
    return np.repeat(numbers[..., None], 3, axis=2)


def larger(pixels: Pixels, side: int) -> Pixels:
    """Whole multiples of the size, each pixel a square, up to about ``side`` pixels high."""
    factor = max(1, round(side / pixels.shape[0]))
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def url(pixels: Pixels) -> str:
    """The picture as an address with the whole PNG in it."""
    return data_url.png(pixels, compress_level=1)
