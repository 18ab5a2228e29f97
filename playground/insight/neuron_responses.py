"""What each neuron responds to: over two inputs of a table, or among pictures."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from playground.data.dataset import Examples, Scaler
from playground.insight.anatomy import signals, stages, weights
from playground.projects.base import Input


def slice_of(
    first: Input,
    second: Input,
    base: Tensor,
    low: Tensor,
    high: Tensor,
    steps: int = 24,
) -> Tensor:
    """A grid of inputs (steps · steps, columns) in raw units, row after row from below.

    ``first`` goes from left to right, ``second`` upwards, each between its column's ``low``
    and ``high`` (columns,); all others stay as in ``base`` (columns,).
    """
    grid = base.repeat(steps, steps, 1)
    for axis, one in ((1, first), (0, second)):
        ends = float(low[one.place]), float(high[one.place])
        values = one.along(*ends, steps).unsqueeze(1 - axis)  # (1, steps, w) or (steps, 1, w)
        grid[:, :, one.place : one.place + one.width] = values
    return grid.reshape(steps * steps, -1)


def over_slice(model: nn.Sequential, scaler: Scaler, grid: Tensor) -> list[Tensor]:
    """What the inputs (standardised) and each stage's units say on a :func:`slice_of`.

    A tensor (units, steps, steps) for the inputs and for each stage; its first row is the
    lowest.
    """
    steps = round(len(grid) ** 0.5)
    scaled = scaler(grid)
    return [
        values.reshape(steps, steps, -1).permute(2, 0, 1)
        for values in (scaled, *signals(model, scaled))
    ]


def filters(model: nn.Sequential, side: tuple[int, int]) -> Tensor:
    """The first layer's weights as pictures: kernels (channels, k, k), or (units, *side).

    A neuron that sees the whole picture has a weight for each pixel. Of Maxout's two
    pieces it is the mean.
    """
    first = stages(model)[0]
    rows = weights(model, first).detach()
    shape = rows.shape[2:] if first.kind == "conv" else side
    return rows.reshape(first.pieces, first.units, *shape).mean(dim=0)


def favourites(passed: Sequence[Tensor], examples: Examples, count: int = 9) -> list[Tensor]:
    """For each stage (units, h, w): the mean of the ``count`` pictures that excite a unit most.

    ``passed`` are the :func:`signals` for ``examples``. A channel's excitement is its mean
    over all places. A unit that is zero for every picture likes none: its mean is blank.
    """
    found = []
    pictures = examples.inputs.float()
    for signal in passed:
        excitement = signal if signal.dim() == 2 else signal.mean(dim=(2, 3))
        top = excitement.topk(min(count, len(excitement)), dim=0).indices.T  # (units, count)
        means = pictures[top].mean(dim=1)
        means[(excitement == 0).all(dim=0)] = 0
        found.append(means)
    return found
