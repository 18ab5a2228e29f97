"""Circles, squares and triangles as people draw and photograph them.

A picture is made the way a hand makes it: corners, sides that bow and overshoot, a pen of
some width, perhaps a filling. :func:`encode` turns what a person gives (a canvas, a photo)
into the same kind of picture, with the same geometry: a flat drawing is stretched until it
is as wide as long, the longer side of the ink is :func:`ink_side` pixels, and the middle of
its box is the middle of the picture. So the network is asked about what it has learned from.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from playground.data.augment import Augmentation
from playground.data.dataset import Dataset, Examples, Scaler, split
from playground.data.drawings import flat, grey_of
from playground.data.photos import WORK, EmptyDrawing, Grey, main_parts, read_photo, shrunk
from playground.data.steps import Made, Shared, Steps, finish
from playground.fields import Field, Value
from playground.i18n import N_

__all__ = [
    "DATA_FIELDS", "LABELS", "SIZES", "EmptyDrawing", "Symmetries", "drawing", "encode",
    "generate", "ink_side", "load", "loading",
]  # fmt: skip

LABELS: Final = (N_("circle"), N_("square"), N_("triangle"))
SIZES: Final = ("28", "64")

DATA_FIELDS: Final = (
    Field(
        "examples", "integer", 20_000, N_("Pictures"),
        N_("How many pictures are drawn, for training, validation and test together."),
        low=300, high=40_000, step=100, log=True,
    ),
    Field(
        "size", "choice", "28", N_("Picture size"),
        N_("Width and height of what the network sees. 64 shows more, but training takes "
          "five times as long."),
        choices=SIZES, choice_labels={"28": N_("28 × 28 pixels"), "64": N_("64 × 64 pixels")},
    ),
    Field(
        "wobble", "number", 1.0, N_("Wobble"),
        N_(
            "How unsteady the hand is: 0 draws with a ruler, 1 like most people, "
            "2 as if on a moving bus."
        ),
        low=0, high=2, step=0.1,
    ),
    Field(
        "filled", "number", 0.25, N_("Filled share"),
        N_(
            "What share of the shapes is filled in. A network that never saw a filled shape "
            "cannot recognise one."
        ),
        low=0, high=1, step=0.05,
    ),
    Field(
        "photo", "number", 0.05, N_("Photo share"),
        N_(
            "What share looks drawn in pencil on paper and photographed, with shadow, texture and "
            "perspective."
        ),
        low=0, high=1, step=0.05,
    ),
)  # fmt: skip

_POINTS: Final = 192  # of the pen a picture; divides by 3 and by 4 sides
_PAPER: Final = 80  # pixels a side of a simulated photo
_CACHE: Final = 20_000  # pixels at once, so that their distances stay in the processor's cache
_ANGLES: Final = 48  # directions in which a drawing's width is measured
_FLATTEST: Final = 1.0  # the width, in lengths, that a flat drawing is stretched to
_STRETCH: Final = 6.0  # but stretched no further than this
DIRECTIONS: Final = torch.stack(
    [
        torch.cos(torch.arange(_ANGLES) * math.pi / _ANGLES),
        torch.sin(torch.arange(_ANGLES) * math.pi / _ANGLES),
    ],
    dim=1,
)
_FAINTEST: Final = 24  # grey levels of 255 between ink and a flat background

T = TypeVar("T")
Pauses = Generator[None, None, T]
"""What takes long for many pictures pauses in between, see ``steps``."""


def ink_side(size: int) -> int:
    """Pixels that the longer side of the ink takes in a picture of ``size``: 24 of 28."""
    return round(size * 6 / 7)


class _Dice:
    """Random numbers of one seed, in the few shapes that drawing needs."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator) * (high - low) + low

    def normal(self, std: float, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator) * std

    def chance(self, probability: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator) < probability


@dataclass(frozen=True)
class Symmetries:
    """Augmentation for shapes: turned by quarters and mirrored, then changed a little.

    A square on its head is a square, so each picture stands for eight. ``small`` makes
    the small changes (rotation by degrees, shear, pen), None for none.
    """

    small: Augmentation | None = None

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """(n, size, size) float, 0 background to 255 ink -> the same shape and range.

        Batches are shuffled, so each eighth of the batch gets one of the eight.
        """
        eighths = batch.tensor_split(8)
        first = int(torch.randint(8, (1,), generator=generator))
        turned = [
            torch.rot90(part.flip(2) if k % 2 else part, k // 2, (1, 2))
            for k, part in zip(((first + i) % 8 for i in range(8)), eighths, strict=True)
        ]
        batch = torch.cat(turned)
        return batch if self.small is None else self.small(batch, generator)


def load(data: Mapping[str, Value], augmentation: float, seed: int) -> Dataset:
    """The data set that the options ``data`` (see ``DATA_FIELDS``) ask for, made from ``seed``.

    80 % for training, 10 % for validation, 10 % for the test. ``augmentation`` is the
    strength from 0 (none at all) to 1.
    """
    return finish(loading(data, augmentation, seed))


def loading(data: Mapping[str, Value], augmentation: float, seed: int) -> Steps[Dataset]:
    """:func:`load` in small steps."""
    base = yield from _base(
        cast(int, data["examples"]), seed, int(cast(str, data["size"])),
        cast(float, data["wobble"]), cast(float, data["filled"]), cast(float, data["photo"]),
    )  # fmt: skip
    augment = Symmetries(Augmentation.of(augmentation)) if augmentation > 0 else None
    return replace(base, augment=augment)


def _made(
    examples: int, seed: int, size: int, wobble: float, filled: float, photo: float
) -> Steps[Dataset]:
    made = yield from drawing(examples, seed, size, wobble, filled, photo)
    train, validation, test = split(made, (0.8, 0.1, 0.1), seed)
    return Dataset(train, validation, test, Scaler.fit(train))


_base: Final = Shared(_made, most=4)  # the part of a data set that all sessions share


def generate(
    n: int,
    seed: int,
    size: int = 28,
    *,
    wobble: float = 1.0,
    filled: float = 0.25,
    photo: float = 0.05,
) -> Examples:
    """``n`` pictures, the three classes equally often, in random order.

    ``wobble`` scales every unsteadiness of the hand; ``filled`` and ``photo`` are the
    shares of shapes filled in and of simulated photos (0..1). Inputs are
    (n, size, size) uint8, 0 background, 255 ink; targets (n,) int64 index ``LABELS``.
    """
    return finish(drawing(n, seed, size, wobble, filled, photo))


def drawing(
    n: int, seed: int, size: int, wobble: float, filled: float, photo: float
) -> Steps[Examples]:
    """:func:`generate` in small steps."""
    dice = _Dice(seed)
    targets = torch.arange(n)[torch.randperm(n, generator=dice.generator)] % len(LABELS)
    strokes = _strokes(targets, wobble, dice)
    pen, outline, shown = yield from _counted(strokes, (0, n))
    thickness = dice.uniform(0, 1, n)
    fill = dice.chance(filled, n)
    shot = dice.chance(photo, n)
    inputs = torch.empty(n, size, size, dtype=torch.uint8)
    done = 0
    for part in (~shot).nonzero().flatten().split(max(1, _CACHE // size**2)):
        drawing = _Drawing.of(pen[part], outline[part], shown[part], thickness[part], fill[part])
        ink = drawing.evened().scaled(ink_side(size)).render(size, dice)
        inputs[part] = (ink / ink.amax(dim=(1, 2), keepdim=True) * 255).round().to(torch.uint8)
        done += len(part)
        yield done, n
    for part in shot.nonzero().flatten().split(max(1, _CACHE // _PAPER**2)):
        drawing = _Drawing.of(pen[part], outline[part], shown[part], thickness[part], fill[part])
        ink = drawing.placed(_PAPER, dice).render(_PAPER, dice)
        for i, grey in zip(part.tolist(), _photograph(ink, dice), strict=True):
            try:
                inputs[i] = _frame(read_photo(grey.numpy() * 255), size)
            except EmptyDrawing:  # too faint: then it is shown as drawn
                inputs[i] = _frame(ink[part == i][0].numpy(), size)
        done += len(part)
        yield done, n
    return Examples(inputs, targets)


def _counted(pauses: Pauses[T], made: Made) -> Steps[T]:
    """``pauses``, in which so many pictures are made."""
    while True:
        try:
            next(pauses)
        except StopIteration as end:
            found: T = end.value
            return found
        yield made


@dataclass(frozen=True)
class _Drawing:
    """Some drawings around (0, 0), y down: what the pen does, before there are pixels.

    ``pen`` and ``outline`` are (n, points, 2), ``shown`` (n, points), ``width`` (n,) in the
    same unit, ``fill`` (n,). ``stretch`` is the (n, 2, 2) matrix that the drawing, pen
    strokes and all, is going to be stretched by.
    """

    pen: Tensor
    outline: Tensor
    shown: Tensor
    width: Tensor
    fill: Tensor
    stretch: Tensor

    @classmethod
    def of(
        cls, pen: Tensor, outline: Tensor, shown: Tensor, thickness: Tensor, fill: Tensor
    ) -> _Drawing:
        """Choose the pen's width (``thickness`` 0..1); the longer side, pen included, is 1."""
        longer = (pen.amax(dim=1) - pen.amin(dim=1)).amax(dim=1)
        # A flat shape is not drawn with a pen so thick that nothing is left of it.
        short = breadths(outline).amin(dim=1) / longer
        thickest = (short * 0.35).clamp(0.04, 0.18)
        width = 0.03 * (thickest / 0.03) ** thickness
        return cls(
            pen, outline, shown, width * longer, fill, torch.eye(2).expand(len(pen), 2, 2)
        ).scaled(1.0)

    def evened(self) -> _Drawing:
        """Stretched as :func:`_frame` stretches."""
        pen = torch.where(self.shown.unsqueeze(2), self.pen, self.pen[:, :1])
        return replace(self, stretch=_evening(breadths(pen) + self.width.unsqueeze(1)))

    def scaled(self, side: float) -> _Drawing:
        """In units in which the longer side of the stretched ink is ``side``; its middle at 0."""
        pen = self.pen @ self.stretch  # the matrix is symmetric
        away = torch.where(self.shown, 0.0, torch.inf).unsqueeze(2)
        half = self.width.unsqueeze(1) / 2 * self.stretch.norm(dim=2)
        low, high = (pen + away).amin(dim=1) - half, (pen - away).amax(dim=1) + half
        middle = ((low + high) / 2).unsqueeze(1) @ torch.linalg.inv(self.stretch)
        unit = side / (high - low).amax(dim=1)
        each = unit.view(-1, 1, 1)
        return replace(
            self,
            pen=(self.pen - middle) * each,
            outline=(self.outline - middle) * each,
            width=self.width * unit,
        )

    def placed(self, size: int, dice: _Dice) -> _Drawing:
        """Somewhere on a sheet of ``size`` pixels, from small to nearly filling it."""
        n = len(self.pen)
        side = dice.uniform(0.4, 0.85, n, 1, 1) * size
        shift = dice.uniform(-1, 1, n, 1, 2) * (size * 0.94 - side) / 2
        return replace(
            self,
            pen=self.pen * side + shift,
            outline=self.outline * side + shift,
            width=(self.width * side.flatten()).clamp(min=1.6),
        )

    def render(self, size: int, dice: _Dice) -> Tensor:
        """Ink (n, size, size) in 0..1, the units being pixels.

        A pixel is inked as far as it lies within half a pen's width of the nearest pen
        point. The squared distances |p - q|² = |p|² - 2 p·q + |q|² of all pixels p and
        all points q are one matrix product.
        """
        n = len(self.pen)
        axis = torch.arange(size) - (size - 1) / 2
        pixels = torch.cartesian_prod(axis, axis).flip(1)  # (size², 2): x, y, row by row
        back = pixels @ torch.linalg.inv(self.stretch)  # where each was before the stretch
        square = (back**2).sum(dim=2, keepdim=True)
        left = torch.cat([back, square, torch.ones_like(square)], dim=2)
        away = (self.pen**2).sum(dim=2, keepdim=True)
        away = away + torch.where(self.shown, 0.0, 1e6).unsqueeze(2)
        right = torch.cat([-2 * self.pen, torch.ones_like(away), away], dim=2)
        distance = least_products(left, right).clamp(min=0).sqrt()
        ink = (self.width.view(n, 1) / 2 + 0.5 - distance).clamp(0, 1).view(n, size, size)
        if self.fill.any():
            outline = (self.outline @ self.stretch)[self.fill]
            inside = _inside(outline, axis) * _brush(len(outline), pixels, dice)
            ink[self.fill] = torch.maximum(ink[self.fill], inside)
        return ink


def least_products(left: Tensor, right: Tensor) -> Tensor:
    """``(left @ right.mT).amin(dim=2)``, one picture at a time: that stays in the cache."""
    n, pixels, _ = left.shape
    least = torch.empty(n, pixels)
    product = torch.empty(pixels, right.shape[1])
    for one in range(n):
        torch.mm(left[one], right[one].mT, out=product)
        torch.amin(product, dim=1, out=least[one])
    return least


def breadths(path: Tensor) -> Tensor:
    """The extent of paths (n, points, 2) seen from each of ``_ANGLES`` directions: (n, angles)."""
    seen = DIRECTIONS @ path.mT  # (n, angles, points): the last in a row in memory
    return seen.amax(dim=2) - seen.amin(dim=2)


def _evening(across: Tensor) -> Tensor:
    """The stretch that makes flat drawings less flat: extents (n, angles) -> (n, 2, 2).

    Whether something is a circle, a square or a triangle hardly depends on how flat it
    is, but few pixels are left to tell a flat one. So a drawing is stretched across its
    narrowest direction until it is at least ``_FLATTEST`` times as wide as it is long.
    """
    narrow, which = across.min(dim=1)
    long = across.gather(1, ((which + _ANGLES // 2) % _ANGLES).unsqueeze(1)).squeeze(1)
    factor = (_FLATTEST * long / narrow.clamp(min=1e-6)).clamp(1, _STRETCH)
    direction = DIRECTIONS[which].unsqueeze(2)
    return torch.eye(2) + (factor - 1).view(-1, 1, 1) * direction @ direction.mT


def _strokes(targets: Tensor, wobble: float, dice: _Dice) -> Pauses[tuple[Tensor, Tensor, Tensor]]:
    """Where the pen goes, in no particular unit.

    Returns the pen's points (n, points, 2), the closed outline it means (n, points, 2),
    and which points leave ink (n, points): not the gaps between dashes.
    """
    n = len(targets)
    pen, outline = yield from _round(n, wobble, dice)
    for sides, which in ((4, targets == 1), (3, targets == 2)):
        count = int(which.sum())
        pen[which], outline[which] = yield from _polygon(count, sides, wobble, dice)
        yield

    # Half are upright, half turned; then flattened along an axis; then often turned again.
    # Flattening a turned square gives the lozenges that people also mean by "square".
    turn = dice.normal(0.12, n) * min(wobble, 1)
    turn = torch.where(dice.chance(0.35, n), dice.uniform(-math.pi, math.pi, n), turn)
    flat = torch.exp(dice.uniform(math.log(0.12), 0, n))
    flat = torch.where(dice.chance(0.4, n), dice.uniform(0.75, 1, n), flat)
    again = torch.where(dice.chance(0.5, n), math.pi / 2, 0.0) + dice.normal(0.08, n)
    again = torch.where(dice.chance(0.4, n), dice.uniform(-math.pi, math.pi, n), again)
    squash = torch.stack([torch.ones(n), flat], dim=1).diag_embed()
    transform = _rotation(again) @ squash @ _rotation(turn)
    pen, outline = pen @ transform.mT, outline @ transform.mT
    yield

    # The hand trembles after all that: a thin shape trembles less, or it would dissolve.
    tremble = wobble * (0.5 + 0.5 * flat).view(n, 1, 1) * 0.02
    pen = pen + (yield from _noise(n, dice)) * tremble
    yield
    # A mild perspective: what is higher is smaller.
    tilt = dice.normal(0.05 * min(wobble, 1), n, 2, 1)
    pen = pen / (1 + pen @ tilt).clamp(min=0.5)
    outline = outline / (1 + outline @ tilt).clamp(min=0.5)

    shown = torch.ones(n, _POINTS, dtype=torch.bool)
    dashed = dice.chance(0.06 * min(wobble, 1), n)
    along = torch.linspace(0, 1, _POINTS) + 0.01 * dice.normal(1.0, n, 1)
    dashes = dice.uniform(6, 22, n, 1)
    noise = yield from _noise(n, dice)
    phase = (along + noise[..., 0] * 0.01) * dashes % 1
    shown[dashed] = (phase < dice.uniform(0.5, 0.85, n, 1))[dashed]
    return pen, outline, shown


def _round(n: int, wobble: float, dice: _Dice) -> Pauses[tuple[Tensor, Tensor]]:
    """Circles: pen points and closed outlines, (n, points, 2) each, radius about 1."""
    # How far the pen goes round: short of the start (open), past it, now and then twice.
    turns = 1 + dice.normal(0.07 * wobble, n, 1)
    turns = torch.where(dice.chance(0.06 * wobble, n, 1), dice.uniform(0.72, 0.9, n, 1), turns)
    turns = torch.where(dice.chance(0.12 * wobble, n, 1), dice.uniform(1.1, 2.1, n, 1), turns)
    loop = dice.chance(0.14 * wobble, n, 1, 1)  # both ends leave and cross
    turns = torch.where(loop[:, 0], turns.clamp(min=1), turns)
    along = torch.linspace(0, 1, _POINTS)
    start = dice.uniform(-math.pi, math.pi, n, 1)
    harmonics = [
        (k, dice.normal(0.065 * wobble / (k - 1) ** 0.5, n, 1), dice.uniform(0, 2 * math.pi, n, 1))
        for k in (2, 3, 4, 5)
    ]
    yield

    def radius(angle: Tensor) -> Tensor:
        r = torch.ones_like(angle)
        for k, amount, phase in harmonics:
            r = r + amount * torch.cos(k * angle + phase)
        return r

    def place(angle: Tensor, r: Tensor) -> Tensor:
        return torch.stack([angle.cos(), angle.sin()], dim=2) * r.unsqueeze(2)

    angle = start + 2 * math.pi * turns * along
    # A spiral, and a hook at either end that leaves the curve inwards or outwards.
    strength = torch.where(dice.chance(0.08 * wobble, n, 1), 0.4, 0.1 * wobble)
    yield
    spiral = 1 + strength * dice.normal(1, n, 1) * (along - 0.5)
    reach = dice.uniform(0.05, 0.2, n, 1)
    hooked = dice.chance(0.3 * wobble, n, 2).float()
    ends = dice.normal(0.25, n, 2) * hooked
    hook = ends[:, :1] * ((reach - along) / reach).clamp(min=0) ** 1.5
    hook = hook + ends[:, 1:] * ((along - 1 + reach) / reach).clamp(min=0) ** 1.5
    yield
    pen = place(angle, (radius(angle) * spiral + hook).clamp(min=0.1))
    # A side or two pressed flat.
    for _ in range(2):
        yield
        pressed = dice.chance(0.17 * wobble, n, 1, 1)
        normal = _rotation(dice.uniform(-math.pi, math.pi, n))[:, :1]
        above = (pen * normal).sum(dim=2, keepdim=True) - dice.uniform(0.5, 0.9, n, 1, 1)
        pen = torch.where(pressed, pen - 0.9 * above.clamp(min=0) * normal, pen)
    # Tails: the pen comes in or leaves along a tangent, like a Q or a loop of string.
    for _ in range(2):
        yield
        tail = loop | dice.chance(0.1 * wobble, n, 1, 1)
        cut = torch.where(loop[:, 0], dice.uniform(0.7, 0.92, n, 1), dice.uniform(0.85, 0.98, n, 1))
        cut = (cut * (_POINTS - 1)).long()
        at = cut.unsqueeze(2).expand(n, 1, 2)
        origin = pen.gather(1, at)
        step = (origin - pen.gather(1, at - 1)) * dice.uniform(0.4, 1.8, n, 1, 1)
        beyond = (torch.arange(_POINTS) - cut).clamp(min=0).unsqueeze(2)
        pen = torch.where(tail & (beyond > 0), origin + step * beyond, pen)
        pen = pen.flip(1)
    yield
    closed = 2 * math.pi * along
    return pen, place(start + closed, radius(start + closed))


def _polygon(n: int, sides: int, wobble: float, dice: _Dice) -> Pauses[tuple[Tensor, Tensor]]:
    """Squares or triangles: pen points and closed outlines, (n, points, 2) each."""
    per_side = _POINTS // sides
    angle = 2 * math.pi * (torch.arange(sides) + 0.5) / sides
    corners = torch.stack([angle.sin(), angle.cos()], dim=1).expand(n, sides, 2)
    # Any triangle is a triangle; a square allows less.
    corners = corners + dice.normal(0.09 * wobble if sides == 4 else 0.25, n, sides, 2)
    if sides == 4:  # one side shorter than the one across
        taper = dice.normal(0.15 * wobble, n, 1).clamp(-0.45, 0.45)
        corners = corners * torch.stack([1 + taper * corners[..., 1], torch.ones(n, 4)], dim=2)
    following = corners.roll(-1, dims=1)
    side = following - corners
    normal = torch.stack([-side[..., 1], side[..., 0]], dim=2)

    bow = dice.normal(0.04 * wobble, n, sides) + dice.normal(0.04 * wobble, n, 1)
    very = dice.chance((0.1 if sides == 4 else 0.16) * wobble, n, sides)
    bow = torch.where(very, dice.normal(0.12 if sides == 4 else 0.18, n, sides), bow).unsqueeze(2)
    ess = dice.normal(0.015 * wobble, n, sides, 1)

    def place(u: Tensor) -> Tensor:
        """u (n, sides, k): 0 at a side's first corner, 1 at its second."""
        arch = 4 * u * (1 - u)
        away = bow * arch + ess * torch.sin(2 * math.pi * u)
        points = corners.unsqueeze(2) + side.unsqueeze(2) * u.unsqueeze(3)
        return points + normal.unsqueeze(2) * away.unsqueeze(3)

    u = torch.linspace(0, 1, per_side).expand(n, sides, per_side)
    outline = place(u).flatten(1, 2)
    yield

    # The hand: each side for itself (ends stick out or fall short), or in one go, where
    # only the first and the last end miss each other.
    apart = dice.chance(0.3 * wobble, n, 1, 1)
    miss = dice.normal(0.07 * wobble, n, sides, 2)
    long = dice.chance(0.14 * wobble, n, sides, 2)
    miss = torch.where(long, dice.uniform(-0.15, 1.0, n, sides, 2), miss)
    one_go = torch.zeros(n, sides, 2)
    one_go[:, 0, 0], one_go[:, -1, 1] = miss[:, 0, 0], miss[:, -1, 1]
    if sides == 3:  # sometimes the last side is hardly drawn: two lines still say triangle
        unfinished = dice.chance(0.03 * wobble, n)
        one_go[:, -1, 1] = torch.where(unfinished, dice.uniform(-0.8, -0.2, n), one_go[:, -1, 1])
    miss = torch.where(apart, miss, one_go)
    back = dice.chance(0.06 * wobble, n, 1, 1)  # there and back again: overdrawn
    u = torch.where(back, 1 - (2 * u - 1).abs(), u)
    u = -miss[..., :1] + u * (1 + miss.sum(dim=2, keepdim=True))
    pen = place(u)
    yield
    beside = dice.normal(0.03 * wobble, n, sides, 1, 2)
    pen = torch.where(apart.unsqueeze(3), pen + beside, pen).flatten(1, 2)

    # In one go the pen drifts, and corners may be rounded: a running mean along the path.
    drift = dice.normal(0.08 * wobble, n, 1, 2) * torch.linspace(-1, 1, _POINTS).view(1, -1, 1)
    pen = torch.where(apart, pen, pen + drift)
    for reach in (9, 17, 29):
        yield
        round_ = dice.chance(0.12 * wobble, n, sides, 1) | dice.chance(0.05 * wobble, n, 1, 1)
        round_ = (round_ & ~apart).expand(n, sides, per_side).flatten(1)
        round_ = round_.roll(per_side // 2, dims=1).unsqueeze(2)
        pen = torch.where(round_, _smooth(pen, reach), pen)
        outline = torch.where(round_, _smooth(outline, reach), outline)
    # Start at any corner, whichever way up.
    turn = (dice.uniform(0, sides, n).floor() - 0.5 * (sides == 3)) * 2 * math.pi / sides
    rotation = _rotation(turn).mT
    return pen @ rotation, outline @ rotation


def _smooth(path: Tensor, reach: int) -> Tensor:
    """Running mean over ``reach`` points of paths (n, points, 2), ends repeated."""
    padded = torch.nn.functional.pad(path.mT, (reach // 2, reach // 2), mode="replicate")
    return torch.nn.functional.avg_pool1d(padded, reach, stride=1).mT


def _noise(n: int, dice: _Dice) -> Pauses[Tensor]:
    """A smooth random walk beside each path: (n, points, 2), standard deviation about 1."""
    along = torch.linspace(0, 2 * math.pi, _POINTS).view(1, -1, 1)
    total = torch.zeros(n, _POINTS, 2)
    for frequency in (1.5, 3.5, 7.0, 13.0):
        phase = dice.uniform(0, 2 * math.pi, n, 1, 2)
        total += dice.normal(frequency**-0.5, n, 1, 2) * torch.sin(frequency * along + phase)
        yield
    return total


def _rotation(angle: Tensor) -> Tensor:
    """(n,) radians -> (n, 2, 2)."""
    c, s = angle.cos(), angle.sin()
    return torch.stack([torch.stack([c, -s], dim=1), torch.stack([s, c], dim=1)], dim=1)


def _brush(n: int, pixels: Tensor, dice: _Dice) -> Tensor:
    """Ink (n, size, size) in 0..1 of brush strokes side by side, that may leave stripes bare."""
    size = math.isqrt(len(pixels))
    direction = dice.uniform(-math.pi, math.pi, n, 1)
    x, y = pixels.T
    across = x * direction.cos() + y * direction.sin()
    along = y * direction.cos() - x * direction.sin()
    wave = across + dice.normal(0.05 * size, n, 1) * torch.sin(along * 6 / size)
    stripe = torch.cos(2 * math.pi * wave / (size * dice.uniform(0.06, 0.2, n, 1)))
    bare = torch.where(dice.chance(0.6, n, 1), -9.0, dice.uniform(-1, 0.3, n, 1))
    return ((stripe - bare) * 2).clamp(0, 1).view(n, size, size)


def _inside(outline: Tensor, axis: Tensor) -> Tensor:
    """1 where a pixel is inside the closed outline (n, points, 2), else 0: (n, size, size).

    Even-odd rule: a ray to the right crosses the outline an odd number of times.
    """
    a = outline[:, ::2]
    b = a.roll(-1, dims=1)
    row = axis.view(1, -1, 1)  # y of each row
    ay, by = a[..., 1].unsqueeze(1), b[..., 1].unsqueeze(1)
    crosses = (ay > row) != (by > row)
    slope = (row - ay) / torch.where(by == ay, 1.0, by - ay)
    x = a[..., 0].unsqueeze(1) + slope * (b[..., 0] - a[..., 0]).unsqueeze(1)
    x = torch.where(crosses, x, -torch.inf)  # (n, rows, edges)
    return ((x.unsqueeze(2) > axis.view(1, 1, -1, 1)).sum(dim=3) % 2).float()


def _photograph(ink: Tensor, dice: _Dice) -> Tensor:
    """Pencil on paper as a phone sees it: ink (n, s, s) in 0..1 -> brightness of that kind."""
    n, s, _ = ink.shape
    axis = torch.linspace(-1, 1, s)
    y, x = torch.meshgrid(axis, axis, indexing="ij")

    def each(low: float, high: float) -> Tensor:
        return dice.uniform(low, high, n, 1, 1)

    def grain(cells: int, strength: float) -> Tensor:
        coarse = dice.normal(strength, n, 1, cells, cells)
        return torch.nn.functional.interpolate(coarse, size=(s, s), mode="bilinear")[:, 0]

    # Pencil skips over the grain of the paper.
    darkness = each(0.35, 0.95) * (1 + grain(s, 0.25) * each(0, 1)).clamp(0, 1.2)
    paper = 1 + grain(8, 0.02) + grain(s // 2, 0.02)
    # Ruled or squared paper, fainter than the pencil.
    ruled = (dice.chance(0.2, n, 1, 1) & (torch.cos(x * each(12, 30)) > 0.9)).float()
    ruled = ruled + (dice.chance(0.3, n, 1, 1) & (torch.cos(y * each(12, 30)) > 0.9)).float()
    paper = paper - ruled.clamp(max=1) * each(0.02, 0.1)
    light = 1 + each(-0.2, 0.2) * x + each(-0.2, 0.2) * y - each(0, 0.15) * (x**2 + y**2)
    # The shadow of a hand or a phone: a soft edge across the page.
    angle = each(-math.pi, math.pi)
    edge = (x * angle.cos() + y * angle.sin() - each(-0.6, 1.2)) / each(0.02, 0.4)
    light = light * (1 - each(0.0, 0.5) * torch.sigmoid(edge * 4))
    scene = paper * light * (1 - darkness * ink).clamp(min=0.05) * each(0.55, 0.95)
    scene = scene + dice.normal(0.012, n, s, s) * each(0, 1.5)
    return scene.clamp(0, 1)


def encode(raw: object, size: int = 28) -> Tensor:
    """What a person gives -> the (size, size) uint8 picture that the network sees.

    ``raw`` is whatever :func:`~playground.data.drawings.grey_of` reads: a canvas, a picture
    as an array or a PIL image; drawn on a screen or photographed.

    Raises:
        EmptyDrawing: if nothing is drawn, or ``raw`` is None.
        PlaygroundError: if ``raw`` is no picture.
    """
    if isinstance(raw, Image.Image):
        raw = flat(raw, 2 * WORK)  # a phone's 12 million pixels
    grey = grey_of(raw)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ground = np.median(border)
    same = np.abs(grey - ground) < 5
    if (np.abs(border - ground) < 5).mean() > 0.8 and same.mean() > 0.2:
        return _frame(_read_canvas(np.abs(grey - ground)), size)
    return _frame(read_photo(grey), size)


def _read_canvas(ink: Grey) -> Grey:
    """Ink in any unit on a flat background -> ink in 0..1 without stray dots."""
    strongest = ink.max()
    if strongest < _FAINTEST:
        raise EmptyDrawing
    ink = shrunk(ink / strongest)
    return main_parts(ink, ink > 0.35 * ink.max(), gap=1 / 16, least=0.05)


def _frame(ink: Grey, size: int) -> Tensor:
    """Crop to the ink, even out its proportions, scale its longer side, and centre it.

    Ink (H, W) >= 0, something above 0 -> (size, size) uint8 with a largest value of 255.
    """
    ink = ink / ink.max()
    y, x = np.nonzero(ink > 0.35)
    ends = torch.from_numpy(np.stack([x, y], axis=1).astype(np.float32))
    stretch = _evening(breadths(ends.unsqueeze(0)) + 1)[0]
    stretched = ends @ stretch
    low, high = stretched.amin(dim=0), stretched.amax(dim=0)
    side = float((high - low).max()) + 1
    fine = 4 * size
    # Pillow asks where each pixel of the result was: shift to the middle, shrink, unstretch.
    back = torch.linalg.inv(stretch) * side / (4 * ink_side(size))
    origin = torch.linalg.inv(stretch) @ (low + high) / 2 + 0.5 - back @ torch.full((2,), fine / 2)
    (a, b), (c, d) = back.tolist()
    big = Image.fromarray(ink.astype(np.float32)).transform(
        (fine, fine), Image.Transform.AFFINE, (a, b, float(origin[0]), c, d, float(origin[1])),
        Image.Resampling.BILINEAR,
    )  # fmt: skip
    small = np.asarray(big.reduce(4))
    small = np.clip(small / max(float(small.max()), 1e-3), 0, 1)
    return torch.from_numpy(np.round(small * 255).astype(np.uint8))
