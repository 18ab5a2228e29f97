"""Small changes to each picture of a batch, so that the network never sees one twice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Augmentation"]

KNOTS: Final = 4
"""A bend moves KNOTS × KNOTS points of the picture and blends between them."""


@dataclass(frozen=True)
class Augmentation:
    """Rotation, scale, shear, shift, bend and pen width, each drawn anew for each picture.

    Each field is the largest change at strength 1; :meth:`of` scales them all. A change is
    uniform between minus and plus that (a bend is normal, with that as its spread).
    Calling it is a ``playground.data.dataset.Augment``.
    """

    rotation: float = 20.0  # degrees
    scale: float = 0.2  # share of the size, for width and height apart
    shear: float = 0.35  # sideways, in heights
    shift: float = 2.5  # pixels
    bend: float = 0.9  # pixels
    stroke: float = 1.0  # 1: a pixel of ink added or taken all round

    @classmethod
    def of(cls, strength: float) -> Augmentation | None:
        """The whole set scaled by ``strength`` from 0 (None: no change) to 1."""
        if strength <= 0:
            return None
        full = cls()
        return cls(
            rotation=full.rotation * strength,
            scale=full.scale * strength,
            shear=full.shear * strength,
            shift=full.shift * strength,
            bend=full.bend * strength,
            stroke=full.stroke * strength,
        )

    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """(n, 28, 28) float, 0 background to 255 ink -> the same shape and range.

        Any height and width will do. All randomness comes from ``generator``.
        """
        n, height, width = batch.shape
        pictures = self._pen(batch, torch.rand(n, 1, 1, generator=generator)).unsqueeze(1)
        # One matrix product makes where each pixel looks: an affine map of (x, y, 1) plus
        # weights of the knots.
        weights = torch.empty(n, 2, 3 + KNOTS**2)
        weights[..., :3] = self._affine(torch.rand(n, 6, generator=generator) * 2 - 1, width)
        knots = torch.randn(n, 2, KNOTS**2, generator=generator)
        weights[..., 3:] = knots * (2 * self.bend / width)  # the grid is 2 wide
        look = (weights.view(-1, 3 + KNOTS**2) @ _basis(height, width)).view(n, 2, height, width)
        moved = functional.grid_sample(pictures, look.permute(0, 2, 3, 1), align_corners=False)
        return moved.squeeze(1)

    def _affine(self, uniform: Tensor, width: int) -> Tensor:
        """(n, 6) numbers in -1..1 -> (n, 2, 3): output place to input place."""
        turn, wide, high, shear, right, down = uniform.unbind(1)
        turn = turn * math.radians(self.rotation)
        # exp, so that twice as large is as likely as half as large.
        wide, high = torch.exp(wide * self.scale), torch.exp(high * self.scale)
        shear = shear * self.shear
        cos, sin = torch.cos(turn), torch.sin(turn)
        shift = torch.stack([right, down], dim=1) * (2 * self.shift / width)
        rows = torch.stack(
            [cos * wide, (shear * cos - sin) * high, sin * wide, (shear * sin + cos) * high], dim=1
        )
        return torch.cat([rows.view(-1, 2, 2), shift.unsqueeze(2)], dim=2)

    def _pen(self, batch: Tensor, amount: Tensor) -> Tensor:
        """A wider pen in the first half of the (shuffled) batch, a finer one in the second.

        Blends by ``amount`` (n, 1, 1) in 0..1 towards the largest, or smallest, of each
        pixel and its neighbours. Slices do that ten times faster here than a pooling layer.
        """
        if self.stroke == 0:
            return batch
        amount = amount * self.stroke
        half = len(batch) // 2
        wider, finer = batch[:half].clone(), batch[half:].clone()
        for old, new, pick in (
            (batch[:half], wider, torch.maximum),
            (batch[half:], finer, torch.minimum),
        ):
            pick(old[:, 1:], old[:, :-1], out=new[:, 1:])
            pick(new[:, :-1], old[:, 1:], out=new[:, :-1])
            across = new.clone()
            pick(new[:, :, 1:], across[:, :, :-1], out=new[:, :, 1:])
            pick(new[:, :, :-1], across[:, :, 1:], out=new[:, :, :-1])
        # A pen two pixels wide must not vanish, so finer goes only part of the way.
        return torch.cat(
            [batch[:half].lerp(wider, amount[:half]), batch[half:].lerp(finer, amount[half:] * 0.6)]
        )


@cache
def _basis(height: int, width: int) -> Tensor:
    """(3 + KNOTS², height·width): x, y and 1 at each pixel, then each knot's bump."""
    y = (torch.arange(height) * 2 + 1) / height - 1
    x = (torch.arange(width) * 2 + 1) / width - 1
    flat = torch.stack(
        [x.expand(height, width), y[:, None].expand(height, width), torch.ones(height, width)]
    )
    bumps = functional.interpolate(
        torch.eye(KNOTS**2).view(1, KNOTS**2, KNOTS, KNOTS),
        size=(height, width),
        mode="bicubic",
        align_corners=True,
    )
    return torch.cat([flat, bumps[0]]).flatten(1)
