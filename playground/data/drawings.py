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

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from scipy import ndimage
from torch import Tensor

from playground.data.photos import EmptyDrawing, Grey, Mask, read_photo
from playground.errors import PlaygroundError
from playground.i18n import N_

__all__ = ["SIDE", "EmptyDrawing", "flat", "grey_of", "has_ink", "prepare"]

FAINTEST: Final = 24
"""Grey levels out of 255 by which ink must differ from its background."""
FINE: Final = 4
"""The pen is evened out on a grid this many times finer than the result."""
SIDE: Final = 1600
"""Longer side in pixels to which a picture is reduced before it is read."""
PEN: Final = (0.12, 0.16)
"""Thinnest and thickest pen kept as it is, in lengths of the drawing's longer side.
On 20 pixels that is 2.4 to 3.2, the middle half of MNIST's strokes."""


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

    ``raw`` is whatever :func:`grey_of` reads; light on dark or dark on light, of any size.
    ``ink`` is the drawing's longer side in the result, in pixels.

    Raises:
        EmptyDrawing: if there is no ink, or ``raw`` is None.
        PlaygroundError: if ``raw`` is no picture.
    """
    shade = _ink(raw)
    top, bottom, left, right = _extent(shade)
    fine = _fit(shade[top:bottom, left:right], FINE * ink)
    fine = _even_pen(fine)
    return torch.from_numpy(_centre(_fit(fine, ink), size))


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
    if paper.mean() <= 0.5 and (paper | ink).mean() <= 0.8:
        return read_photo(grey)
    shade = _away(grey, background)  # a screen: one flat background, maybe much ink
    strongest = shade.max()
    if strongest < FAINTEST:
        raise EmptyDrawing
    clean: Grey = np.clip((shade / strongest - 0.1) / 0.9, 0, 1)
    return clean


def grey_of(raw: object) -> Grey:
    """Brightness of each pixel, (H, W) in 0..255: the one way in for every kind of picture.

    ``raw`` is a PIL image, or an array, a tensor or nested lists of H×W, H×W×1, 1×H×W,
    H×W×3, H×W×4 (RGBA), 3×H×W or 4×H×W. One rule for its numbers:

    * whole numbers are 0 to 255, but 0 and 1 alone (and ``bool``) mean off and on;
    * fractions are 0 to 1;
    * with 16 bits a pixel the brightest value counts as 255.

    Which of light and dark is the ink is found out: it is what differs from the border.
    What is transparent lies on white, or on black where the ink is light.

    Raises:
        EmptyDrawing: ``raw`` is None, or transparent everywhere.
        PlaygroundError: if ``raw`` is no picture.
    """
    if raw is None:
        raise EmptyDrawing
    if isinstance(raw, Image.Image):
        try:
            pixels = np.asarray(flat(raw))
        except Exception as error:  # a file opened before and read only now, cut or hostile
            raise PlaygroundError(N_("This picture is damaged or incomplete.")) from error
    else:
        pixels = _in_bytes(_in_order(raw))
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    # The luma weights of ITU-R BT.601, which MNIST-era scanners and PIL use too.
    grey: Grey = pixels[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if pixels.shape[2] == 3 or pixels[..., 3].min() == 255:
        return grey
    alpha: Grey = pixels[..., 3].astype(np.float32) / np.float32(255)
    if not alpha.any():
        raise EmptyDrawing
    laid: Grey = (grey * alpha + _backdrop(grey, alpha) * (1 - alpha)).astype(np.float32)
    return laid


def flat(image: Image.Image, side: int = SIDE, spare: bool = True) -> Image.Image:
    """``image`` upright, at most ``side`` pixels long, in RGB, without transparency.

    The camera's note which way was up (EXIF orientation) is obeyed. ``spare`` leaves
    ``image`` itself as it is. What the decoder raises at damaged pixels is passed on.
    """
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_deep(np.asarray(image)))
    elif image.mode in ("P", "PA", "1"):
        image = image.convert("RGBA")
    if max(image.size) > side:
        image = image.copy() if spare else image
        # Before the pixels are decoded, thumbnail() asks a JPEG for them at 1/2, 1/4 or 1/8.
        image.thumbnail((side, side))
    image = _upright(image)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        pixels = np.asarray(image)
        alpha: Grey = pixels[..., 3].astype(np.float32) / np.float32(255)
        if alpha.any() and alpha.min() < 1:
            grey: Grey = pixels[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
            level = round(float(_backdrop(grey, alpha)))
        else:
            level = 255
        sheet = Image.new("RGBA", image.size, (level, level, level, 255))
        image = Image.alpha_composite(sheet, image)
    return image.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken note does not make the picture itself unusable
        return image


def _backdrop(grey: Grey, alpha: Grey) -> np.float32:
    """What lies behind a picture that is transparent in places."""
    edge = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    if np.median(edge) < 0.5:
        # Ink on a transparent sheet: lay it on whatever it stands out from.
        return np.float32(0 if (grey * alpha).sum() > 127.5 * alpha.sum() else 255)
    return np.float32(np.median(grey[alpha > 0.5]))


def _in_order(raw: object) -> npt.NDArray[Any]:
    """An array of (H, W), (H, W, 3) or (H, W, 4) of what somebody gave as a picture."""
    try:
        found = np.asarray(raw.detach().cpu() if isinstance(raw, Tensor) else raw)
    except Exception as error:  # lists of unequal length, numbers that numpy has not
        raise PlaygroundError(
            N_("This is not a picture: {reason}."), reason=str(error).rstrip(".")[:200]
        ) from error
    if found.dtype.kind not in "buif":
        raise PlaygroundError(
            N_("A picture is made of numbers, but these are {type}."), type=found.dtype
        )
    shape = found.shape
    if found.ndim == 3 and shape[2] not in (3, 4):
        if shape[2] == 1:
            found = found[..., 0]
        elif shape[0] == 1:
            found = found[0]
        elif shape[0] in (3, 4):
            found = np.moveaxis(found, 0, 2)
    if found.size == 0 or found.ndim not in (2, 3) or found.shape[2:] not in ((), (3,), (4,)):
        raise PlaygroundError(
            N_("A picture is height × width, × 3 or 4 colours; this array is {shape}."),
            shape=" × ".join(map(str, shape)) or "0",
        )
    return found


def _in_bytes(found: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Numbers by the rule of :func:`grey_of`, as 0..255."""
    if found.dtype == np.uint8:
        return found
    if found.dtype == np.uint16:
        return _deep(found)
    low, high = found.min(), found.max()
    if found.dtype.kind == "f":
        factor = 255
        right = low >= 0 and high <= 1  # and so no NaN either
    else:
        factor = 255 if high <= 1 else 1
        right = low >= 0 and high <= 255
    if not right:
        raise PlaygroundError(
            N_(
                "A picture needs whole numbers from 0 to 255, or fractions from 0 to 1, but these "
                "({type}) go from {low} to {high}."
            ),
            type=found.dtype,
            low=f"{low:g}",
            high=f"{high:g}",
        )
    scaled: npt.NDArray[np.uint8] = np.round(found * np.float64(factor)).astype(np.uint8)
    return scaled


def _deep(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """More than 8 bits a pixel, as some scanners write: the brightest becomes 255."""
    deep = np.nan_to_num(values.astype(np.float64)).clip(0)
    scaled: npt.NDArray[np.uint8] = (deep / max(float(deep.max()), 1) * 255).astype(np.uint8)
    return scaled


def _away(grey: Grey, background: float) -> Grey:
    """Distance from the background to the side, lighter or darker, where more ink lies."""
    difference = grey - np.float32(background)
    lighter: Grey = np.maximum(difference, 0)
    darker: Grey = np.maximum(-difference, 0)
    return lighter if lighter.sum() > darker.sum() else darker


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
