"""From what a person draws to what the network sees.

MNIST's pictures were made in one particular way (LeCun et al., 1998, "Gradient-based
learning applied to document recognition", section III-A): the digit is cut out, its
longer side shrunk to 20 pixels with grey edges, and its centre of mass put in the
middle of 28×28. A drawing that is merely shrunk looks nothing like that, and the same
network then reads one digit in three. So :func:`prepare` repeats those steps for any
canvas, photo or scan: it finds the ink, ignores stray dots, evens out the pen, and
cuts, shrinks and centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageOps
from scipy import ndimage
from torch import Tensor

from playground.errors import PlaygroundError
from playground.i18n import N_

__all__ = ["EmptyDrawing", "has_ink", "prepare", "rasterize"]

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

FAINTEST: Final = 24
"""Grey levels out of 255 by which ink must differ from its background."""
FINE: Final = 4
"""The pen is evened out on a grid this many times finer than the result."""
PEN: Final = (0.12, 0.16)
"""Thinnest and thickest pen kept as it is, in lengths of the drawing's longer side.
On 20 pixels that is 2.4 to 3.2, the middle half of MNIST's strokes."""


class EmptyDrawing(PlaygroundError):  # noqa: N818 - a state, hardly an error
    """Nothing is drawn yet: a reason for a friendly prompt, not for a prediction."""

    def __init__(self) -> None:
        super().__init__(N_("There is nothing on the canvas yet: draw something first."))


def has_ink(raw: object) -> bool:
    """Is anything drawn? ``None`` (a canvas before its first stroke) counts as empty.

    Raises:
        PlaygroundError: as :func:`prepare`, but never :class:`EmptyDrawing`.
    """
    try:
        _ink(raw)
    except EmptyDrawing:
        return False
    return True


def prepare(raw: object, size: int = 28, ink: int = 20) -> Tensor:
    """A drawing as MNIST would show it: (size, size) uint8, 0 background, 255 ink.

    ``raw`` is an H×W×4 (RGBA), H×W×3 or H×W uint8 array or a PIL image; light on dark
    or dark on light, of any size. ``ink`` is the drawing's longer side in the result,
    in pixels.

    Raises:
        EmptyDrawing: if there is no ink, or ``raw`` is None.
        PlaygroundError: if ``raw`` is no picture.
    """
    shade = _ink(raw)
    top, bottom, left, right = _extent(shade)
    fine = _fit(shade[top:bottom, left:right], FINE * ink)
    fine = _even_pen(fine)
    return torch.from_numpy(_centre(_fit(fine, ink), size))


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


def _ink(raw: object) -> Grey:
    """How much ink each pixel holds: (H, W), 0 for background to 1 for the strongest.

    Raises:
        EmptyDrawing: if that is nowhere more than the background's own noise.
    """
    grey = grey_of(raw)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    background = np.median(border)
    apart = np.abs(grey - background)
    paper, ink = apart < FAINTEST / 4, apart > apart.max() - FAINTEST / 4
    if paper.mean() > 0.5 or (paper | ink).mean() > 0.8:
        shade = _away(grey, background)  # a screen: one flat background, maybe much ink
    else:
        shade = _off_paper(grey)
    strongest = shade.max()
    if strongest < FAINTEST:
        raise EmptyDrawing
    clean: Grey = np.clip((shade / strongest - 0.1) / 0.9, 0, 1)
    return clean


def grey_of(raw: object) -> Grey:
    """Brightness of each pixel, (H, W) in 0..255, over a backdrop where it is transparent."""
    if raw is None:
        raise EmptyDrawing
    if isinstance(raw, Image.Image):
        turned = ImageOps.exif_transpose(raw)
        if turned.mode.startswith(("I", "F")):
            # 16 bits and more a pixel, as some scanners write: the brightest becomes 255.
            deep = np.nan_to_num(np.asarray(turned, dtype=np.float64)).clip(0)
            turned = Image.fromarray((deep / max(deep.max(), 1) * 255).astype(np.uint8))
        pixels = np.asarray(turned.convert("RGBA"))
    else:
        pixels = np.asarray(raw)
    if pixels.dtype != np.uint8:
        raise PlaygroundError(
            N_("A picture needs whole numbers from 0 to 255 (uint8), but these are {type}."),
            type=pixels.dtype,
        )
    if pixels.size == 0 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,), (4,)):
        raise PlaygroundError(
            N_("A picture is height × width, × 3 or 4 colours; this array is {shape}."),
            shape=" × ".join(map(str, pixels.shape)) or "0",
        )
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    # The luma weights of ITU-R BT.601, which MNIST-era scanners and PIL use too.
    grey: Grey = pixels[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if pixels.shape[2] == 3 or pixels[..., 3].min() == 255:
        return grey
    alpha = pixels[..., 3].astype(np.float32) / 255
    if not alpha.any():
        raise EmptyDrawing
    edge = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    if np.median(edge) < 0.5:
        # Ink on a transparent sheet: lay it on whatever it stands out from.
        backdrop = np.float32(0 if (grey * alpha).sum() > 127.5 * alpha.sum() else 255)
    else:
        backdrop = np.float32(np.median(grey[alpha > 0.5]))
    laid: Grey = (grey * alpha + backdrop * (1 - alpha)).astype(np.float32)
    return laid


def _away(grey: Grey, background: float) -> Grey:
    """Distance from the background to the side, lighter or darker, where more ink lies."""
    difference = grey - np.float32(background)
    lighter: Grey = np.maximum(difference, 0)
    darker: Grey = np.maximum(-difference, 0)
    return lighter if lighter.sum() > darker.sum() else darker


def _off_paper(grey: Grey) -> Grey:
    """Ink on an uneven background such as a photo of paper in half shadow.

    The light on the paper varies slowly and ink is narrow, so removing everything narrow
    (a morphological closing, or opening for chalk on a board) leaves the paper.
    """
    step = max(1, max(grey.shape) // 200)
    small: Grey = grey[: len(grey) // step * step, : grey.shape[1] // step * step]
    small = small.reshape(len(grey) // step, step, -1, step).mean(axis=(1, 3))
    small = ndimage.gaussian_filter(small, 1)
    reach = max(3, max(small.shape) // 6)
    dark = ndimage.grey_closing(small, size=reach) - small
    light = small - ndimage.grey_opening(small, size=reach)
    shade = dark if (dark**2).sum() > (light**2).sum() else light
    noise = 4 * np.median(shade)
    shade = np.maximum(shade - noise, 0)
    # Back to the full grid, so that all later steps see one kind of picture.
    return np.asarray(
        Image.fromarray(shade).resize(grey.shape[::-1], Image.Resampling.BILINEAR), np.float32
    )


def _extent(shade: Grey) -> tuple[int, int, int, int]:
    """The box round the drawing without stray dots: top, bottom, left, right in pixels.

    A piece is stray if it is far smaller than the largest piece and far away from it:
    the bar of a 7 and the second stroke of a 5 are neither.
    """
    step = max(1, max(shade.shape) // 256)
    coarse = _shrink_mask(shade > 0.4, step)
    labels, count = ndimage.label(coarse, structure=np.ones((3, 3)))
    boxes = [
        (rows.start, rows.stop, columns.start, columns.stop)
        for rows, columns in ndimage.find_objects(labels)
    ]
    if count > 1:
        spans = [max(bottom - top, right - left) for top, bottom, left, right in boxes]
        main = int(np.argmax(spans))
        top, bottom, left, right = boxes[main]
        span = spans[main]
        boxes = [
            box
            for box, length in zip(boxes, spans, strict=True)
            if length > 0.25 * span
            or max(top - box[1], box[0] - bottom, left - box[3], box[2] - right)
            < 0.6 * length + 0.06 * span
        ]
    tops, bottoms, lefts, rights = zip(*boxes, strict=True)
    return min(tops) * step, max(bottoms) * step, min(lefts) * step, max(rights) * step


def _shrink_mask(mask: Mask, step: int) -> Mask:
    """(H, W) -> (H/step, W/step), rounded up: is anything set in each step×step block?"""
    height, width = (-(-side // step) * step for side in mask.shape)
    padded = np.zeros((height, width), dtype=np.bool_)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    blocks = padded.reshape(height // step, step, width // step, step)
    return np.asarray(blocks.any(axis=(1, 3)))


def _fit(shade: Grey, longer: int) -> Grey:
    """Scale the longer side to ``longer`` pixels; each new pixel is the mean of what it covers.

    Where a thin pen leaves only faint grey after that, the strongest pixel becomes 1 again.
    """
    ratio = longer / max(shade.shape)
    height, width = (max(1, round(side * ratio)) for side in shade.shape)
    # BOX averages when shrinking; when growing it would repeat pixels, so blend then.
    kind = Image.Resampling.BOX if ratio < 1 else Image.Resampling.BILINEAR
    fitted = np.asarray(Image.fromarray(shade).resize((width, height), kind), dtype=np.float32)
    return fitted / max(float(fitted.max()), 1e-6)


def _even_pen(fine: Grey) -> Grey:
    """Bring a pen that is thinner or thicker than MNIST's to the nearest width it knows."""
    margin = max(fine.shape) // 5
    longer = max(fine.shape)
    padded = np.pad(fine, margin)
    inside = padded > 0.5
    depth = ndimage.distance_transform_edt(inside)
    # Across a stroke of width w the depth rises 0 … w/2 and falls: its mean is w/4.
    width = 4 * float(depth[inside].mean())
    # The box grows with the pen, so the wish is for the grown one: w + g = PEN (longer + g).
    thin, thick = (share * longer for share in PEN)
    if width < thin:
        grow = (thin - width) / (1 - PEN[0])
    elif width > thick:
        # Half the depth at most: a blob may shrink, but never vanish.
        grow = max((thick - width) / (1 - PEN[1]), -float(depth.max()))
    else:
        return fine
    outside = ndimage.distance_transform_edt(~inside)
    edge = np.where(inside, 0.5 - depth, outside - 0.5)  # signed distance to the stroke's edge
    redrawn: Grey = np.clip(grow / 2 - edge + 0.5, 0, 1).astype(np.float32)
    rows = np.flatnonzero(redrawn.max(axis=1) > 0.4)
    columns = np.flatnonzero(redrawn.max(axis=0) > 0.4)
    return redrawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _centre(shade: Grey, size: int) -> npt.NDArray[np.uint8]:
    """Put the centre of mass into the middle of (size, size), or as near as the box allows."""
    canvas = np.zeros((size, size), dtype=np.uint8)
    corner: list[int] = []
    for axis in (0, 1):
        mass = shade.sum(axis=1 - axis)
        centre = float((mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum())
        corner.append(int(np.clip(round(size / 2 - centre), 0, size - len(mass))))
    top, left = corner
    height, width = shade.shape
    canvas[top : top + height, left : left + width] = np.round(shade * 255)
    return canvas
