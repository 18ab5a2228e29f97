"""Loss surfaces over two weights, small enough to calculate by hand.

A real loss is a surface over thousands of weights; what makes it hard to walk down is seen
in two already: a ravine that is steep across and flat along, a saddle, many valleys. Each
surface has its lowest value 0, and its gradient written out, so that a student can put
numbers into both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from playground.i18n import N_

SPAN: Final = (-4.0, 4.0)
"""Of either weight: the part of each surface that is looked at."""

Function = Callable[[Tensor], Tensor]
Place = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """A loss of two weights.

    ``value`` takes places (…, 2) to losses (…), ``gradient`` to the gradients (…, 2).
    ``bottoms`` are its local minima within :data:`SPAN`, a lowest one first; there, its
    curvature (the second derivative) is between ``flattest`` and ``steepest``, whatever the
    direction. ``formula`` and ``slope`` are the same in LaTeX. ``start`` is where its trouble
    shows.
    """

    name: str
    label: str
    value: Function
    gradient: Function
    formula: str
    slope: str
    bottoms: tuple[Place, ...]
    flattest: float
    steepest: float
    start: Place

    @property
    def lowest(self) -> list[Place]:
        """Those of the bottoms where the loss is zero."""
        losses = self.value(torch.tensor(self.bottoms, dtype=torch.double)).tolist()
        return [place for place, loss in zip(self.bottoms, losses, strict=True) if loss < 1e-9]


def _bowl(w: Tensor) -> Tensor:
    return w.square().sum(-1)


def _bowl_gradient(w: Tensor) -> Tensor:
    return 2 * w


def _ravine(w: Tensor) -> Tensor:
    w1, w2 = w.unbind(-1)
    return 0.05 * w1.square() + w2.square()


def _ravine_gradient(w: Tensor) -> Tensor:
    w1, w2 = w.unbind(-1)
    return torch.stack([0.1 * w1, 2 * w2], -1)


def _tilted(w: Tensor) -> Tensor:
    """The ravine turned by 45 degrees: no weight has a steepness of its own any more."""
    w1, w2 = w.unbind(-1)
    return 0.525 * (w1.square() + w2.square()) - 0.95 * w1 * w2


def _tilted_gradient(w: Tensor) -> Tensor:
    return 1.05 * w - 0.95 * w.flip(-1)


def _saddle(w: Tensor) -> Tensor:
    w1, w2 = w.unbind(-1)
    return w1.square() / 2 + (w2.square() - 4).square() / 16


def _saddle_gradient(w: Tensor) -> Tensor:
    w1, w2 = w.unbind(-1)
    return torch.stack([w1, w2 * (w2.square() - 4) / 4], -1)


def _valleys(w: Tensor) -> Tensor:
    """A wide bowl with waves (after Rastrigin, 1974)."""
    return (0.1 * w.square() + 0.4 - 0.4 * torch.cos(2 * w)).sum(-1)


def _valleys_gradient(w: Tensor) -> Tensor:
    return 0.2 * w + 0.8 * torch.sin(2 * w)


_AWAY: Final = 2.760723  # where 0.2 w + 0.8 sin(2 w) = 0 again, and the curve is hollow
_ROWS: Final = (0.0, -_AWAY, _AWAY)

SURFACES: Final[Mapping[str, Surface]] = {
    surface.name: surface
    for surface in (
        Surface(
            "bowl",
            N_("bowl"),
            _bowl,
            _bowl_gradient,
            r"w_1^2 + w_2^2",
            r"(2 w_1,\; 2 w_2)",
            ((0.0, 0.0),),
            flattest=2,
            steepest=2,
            start=(-3.5, 2.0),
        ),
        Surface(
            "ravine",
            N_("ravine"),
            _ravine,
            _ravine_gradient,
            r"0.05\, w_1^2 + w_2^2",
            r"(0.1\, w_1,\; 2 w_2)",
            ((0.0, 0.0),),
            flattest=0.1,
            steepest=2,
            start=(-3.5, 1.5),
        ),
        Surface(
            "tilted",
            N_("tilted ravine"),
            _tilted,
            _tilted_gradient,
            r"0.525\,(w_1^2 + w_2^2) - 0.95\, w_1 w_2",
            r"(1.05\, w_1 - 0.95\, w_2,\; 1.05\, w_2 - 0.95\, w_1)",
            ((0.0, 0.0),),
            flattest=0.1,
            steepest=2,
            start=(-3.5, -1.5),
        ),
        Surface(
            "saddle",
            N_("saddle"),
            _saddle,
            _saddle_gradient,
            r"\tfrac{1}{2} w_1^2 + \tfrac{1}{16} (w_2^2 - 4)^2",
            r"(w_1,\; \tfrac{1}{4} w_2 (w_2^2 - 4))",
            ((0.0, 2.0), (0.0, -2.0)),
            flattest=1,
            steepest=2,
            start=(-3.0, 0.1),
        ),
        Surface(
            "valleys",
            N_("many valleys"),
            _valleys,
            _valleys_gradient,
            r"0.8 + 0.1\,(w_1^2 + w_2^2) - 0.4\,(\cos 2 w_1 + \cos 2 w_2)",
            r"(0.2\, w_1 + 0.8 \sin 2 w_1,\; 0.2\, w_2 + 0.8 \sin 2 w_2)",
            tuple((w1, w2) for w1 in _ROWS for w2 in _ROWS),
            flattest=1.358,
            steepest=1.8,
            start=(-3.6, 3.6),
        ),
    )
}


def grid(value: Function, x: Place, y: Place, side: int) -> Tensor:
    """``value`` on an even grid (side, side): rows from the lowest y, columns from the lowest x."""
    xs, ys = (torch.linspace(*span, side, dtype=torch.double) for span in (x, y))
    rows, columns = torch.meshgrid(ys, xs, indexing="ij")
    return value(torch.stack([columns, rows], -1))


__all__ = ["SPAN", "SURFACES", "Function", "Place", "Surface", "grid"]
