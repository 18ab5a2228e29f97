"""Finds what is drawn on a photo of paper: evens out the light, and keeps the main parts.

The light on paper varies slowly, and a pen's line is narrow. So what varies slowly is taken
for light, what is narrow for ink, and what stands far from the drawing for dirt.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from playground.errors import PlaygroundError
from playground.i18n import N_

__all__ = ["WORK", "EmptyDrawing", "Grey", "Mask", "main_parts", "read_photo", "shrunk"]

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

WORK: Final = 256
"""Pixels of a drawing's longer side, at most, while it is being read."""
_PALEST: Final = 0.1  # a photo's ink takes at least this share of the light


class EmptyDrawing(PlaygroundError):  # noqa: N818 - a state, hardly an error
    """Nothing on a picture or canvas: a reason for a friendly prompt, not for a prediction."""

    def __init__(self) -> None:
        super().__init__(
            N_(
                "There is nothing in this picture that the network could see: draw something, or "
                "choose a picture with clearer lines."
            )
        )


def shrunk(grey: Grey) -> Grey:
    """(H, W) with a longer side of at most ``WORK`` pixels; each is the mean of what it covers."""
    scale = WORK / max(grey.shape)
    if scale >= 1:
        return grey
    shape = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(Image.fromarray(grey).resize(shape, Image.Resampling.BOX))


def read_photo(grey: Grey) -> Grey:
    """Brightness 0..255 of a photo -> ink in 0..1: even out the light, find what is drawn."""
    grey = shrunk(grey)
    # In logarithms shadow and light add to the ink instead of multiplying it.
    shade = np.log(np.clip(grey / 255, 0.03, 1))
    shade = np.asarray(ndimage.gaussian_filter(shade, max(shade.shape) / 160), np.float32)
    rest = shade - _light(shade)
    # Pencil on paper is darker than the light, chalk on a board brighter.
    if (np.clip(rest, 0, None) ** 2).sum() > 2 * (np.clip(-rest, 0, None) ** 2).sum():
        shade, rest = -shade, -rest
    # Two readings. Strokes are narrow: closing fills what is darker and narrower than the
    # window, so shadows stay in the background. A filling is wide: it shows only against
    # the light of the whole page.
    window = max(3, max(shade.shape) // 8)
    page = _dark_parts(-rest)
    solid = page > 0.4
    inner = ndimage.grey_opening(solid.astype(np.uint8), size=window)
    if inner.sum() > 0.3 * solid.sum() > 0:
        return page
    strokes = _dark_parts(ndimage.grey_closing(shade, size=window) - shade)
    if not strokes.any():
        raise EmptyDrawing
    return strokes


def _light(shade: Grey) -> Grey:
    """The light on the page: a surface of second order through what is not ink.

    Fitted five times by least squares, each time to the pixels near the last surface.
    """
    step = max(1, max(shade.shape) // 40)  # a smooth surface needs no more pixels
    few = shade[::step, ::step].ravel().astype(np.float64)
    terms = _terms(*shade.shape)
    some = terms[::step, ::step].reshape(len(few), -1)
    tiny = 1e-6 * np.eye(terms.shape[2])  # so that a picture of few pixels has a solution
    # Begin with the margin, where seldom anything is drawn.
    kept = (np.abs(some[:, 1:3]) > 0.8).any(axis=1)
    for _ in range(5):
        paper = some[kept]
        weights = np.linalg.solve(paper.T @ paper + tiny, paper.T @ few[kept])
        rest = np.abs(few - some @ weights)
        kept = rest <= 2.5 * np.median(rest[kept]) + 0.02
    light: Grey = (terms @ weights).astype(np.float32)
    return light


@lru_cache(maxsize=4)
def _terms(height: int, width: int) -> npt.NDArray[np.float64]:
    """1, x, y, x², xy, y² at each pixel, x and y from -1 to 1: (height, width, 6)."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2)


def _dark_parts(depth: Grey) -> Grey:
    """Darkness in logarithms -> ink in 0..1: above the noise, and in the main parts."""
    height, width = depth.shape  # the table beside the paper is no measure for the pencil
    inner = depth[height // 10 : height - height // 10, width // 10 : width - width // 10]
    strong = float(np.quantile(inner, 0.998))
    threshold = max(3 * float(np.median(np.abs(depth))) + 0.02, 0.4 * strong)
    mask = depth > threshold
    if strong < _PALEST or not mask.any():
        return np.zeros_like(depth)
    # Full ink soon above the threshold, so that a shadow leaves no step in a filling.
    ink = np.clip((depth / threshold - 0.75) / 0.5, 0, 1)
    return main_parts(ink, mask, gap=1 / 40, least=0.2)


def main_parts(ink: Grey, mask: Mask, gap: float, least: float) -> Grey:
    """``ink`` without the parts of ``mask`` that do not belong to the drawing.

    What lies closer than ``2 * gap`` (as a share of the picture's longer side) is one
    part, so dashes hold together. Parts with less than ``least`` of the strongest part's
    ink are dirt; parts that touch the picture's edge are the table beside the paper,
    unless they hold nearly all the ink.
    """
    reach = 2 * max(1, round(max(ink.shape) * gap)) + 1
    labels, count = ndimage.label(ndimage.maximum_filter(mask.view(np.uint8), reach))
    weight = ndimage.sum_labels(ink * mask, labels, np.arange(count + 1))
    weight[0] = 0
    beside = np.unique(
        np.concatenate(
            [labels[s][mask[s]] for s in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1])]
        )
    )
    inside = weight.copy()
    inside[beside] = 0
    if inside.max() > 0.1 * weight.max():
        weight = inside
    kept: Grey = np.where((weight >= least * weight.max())[labels] & (labels > 0), ink, 0)
    return kept
