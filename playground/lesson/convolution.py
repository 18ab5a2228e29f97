"""A convolution opened up: the same few weights, laid on one place of a picture after another.

    out(r, c) = b + Σᵢⱼ kernel(i, j) · picture(r·s + i, c·s + j)      i, j = 0, 1, 2

with the stride s. It is what ``nn.Conv2d`` computes (mathematicians call it
cross-correlation: the kernel is not mirrored). Without padding the output is smaller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.data import pen_strokes
from playground.projects.shapes import data as shapes

SIDE: Final = 14  # pixels of the picture
KERNEL: Final = 3
PICTURES: Final = ("seven", "circle", "square")
KERNELS: Final[Mapping[str, tuple[float, ...]]] = {
    "vertical": (-1, 0, 1, -1, 0, 1, -1, 0, 1),
    "horizontal": (-1, -1, -1, 0, 0, 0, 1, 1, 1),
    "blur": (1 / 9,) * 9,
    "sharpen": (0, -1, 0, -1, 5, -1, 0, -1, 0),
}
UNCHANGED: Final = (0, 0, 0, 0, 1, 0, 0, 0, 0)  # the kernel that gives the picture back


@lru_cache(maxsize=len(PICTURES))
def picture(name: str) -> Tensor:
    """(14, 14) float64, 0 background and 1 ink, with two decimals. Shared: do not change."""
    if name == "seven":
        written = pen_strokes.generate(1, seed=3, digits=(7,)).inputs.double()
        # Each pixel is the mean of four.
        small = functional.avg_pool2d(written[None], 2)[0, 0]
    else:
        drawn = shapes.generate(3, seed=4, size=SIDE, wobble=0.0, filled=0.0, photo=0.0)
        label = ("circle", "square").index(name)
        small = drawn.inputs[drawn.targets == label][0].double()
    # Two decimals, so that the numbers on screen are the numbers that are multiplied.
    return (small / small.max()).mul(100).round() / 100


def layer(kernel: Sequence[float], bias: float, stride: int) -> nn.Conv2d:
    """torch's own layer, one channel in and one out, with these nine weights (row by row)."""
    with torch.device("meta"):
        conv = nn.Conv2d(1, 1, KERNEL, stride=stride)
    conv.to_empty(device="cpu").double()
    state = conv.state_dict()
    state["weight"][0, 0] = torch.tensor(kernel, dtype=torch.float64).reshape(KERNEL, KERNEL)
    state["bias"][0] = bias
    return conv


def convolve(image: Tensor, kernel: Sequence[float], bias: float, stride: int) -> Tensor:
    """(h, w) -> (size(h), size(w)), by ``nn.Conv2d``."""
    with torch.no_grad():
        out: Tensor = layer(kernel, bias, stride)(image[None, None])[0, 0]
    return out


def size(side: int, stride: int) -> int:
    """How many places the kernel has along a side: ⌊(side - 3) / stride⌋ + 1."""
    return (side - KERNEL) // stride + 1


@dataclass(frozen=True)
class Pixel:
    """One output pixel: what lies under the kernel, times its weights, plus the bias."""

    patch: Tensor  # (3, 3)
    kernel: Tensor  # (3, 3)
    products: Tensor  # (3, 3)
    bias: float

    @property
    def value(self) -> float:
        return float(self.products.sum()) + self.bias


def open_up(
    image: Tensor, kernel: Sequence[float], bias: float, stride: int, row: int, column: int
) -> Pixel:
    """The output pixel in ``row``, ``column`` (counted from 0), computed by hand."""
    top, left = row * stride, column * stride
    patch = image[top : top + KERNEL, left : left + KERNEL]
    weights = torch.tensor(kernel, dtype=image.dtype).reshape(KERNEL, KERNEL)
    return Pixel(patch, weights, patch * weights, bias)
