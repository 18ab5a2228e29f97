"""What dead and saturated mean: the same in the lesson, in the hints and in the Inside tab.

An activation function is *flat* at a place where it has less than ``FLAT`` of its steepest slope
left. A unit (a neuron, or a channel of a convolution) is *saturated* if the mean of its slopes
over all examples and places is as small as that. It is *dead* if it puts out 0 for all of them:
a ReLU then has slope 0 everywhere, so it never changes again.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

FLAT: Final = 0.05
"""Below this part of the steepest slope, hardly anything of a gradient gets through."""
STEEPEST: Final = {"sigmoid": 0.25}
"""The largest slope of an activation function, where it is not 1."""


def slopes(bend: nn.Module, sums: Tensor) -> Tensor:
    """|f'| at each of ``sums``, as a part of the steepest."""
    inputs = sums.detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(bend(inputs).sum(), inputs)
    return slope.abs() / STEEPEST.get(type(bend).__name__.lower(), 1.0)


def flat(slopes: Tensor) -> Tensor:
    """Which of ``slopes``, parts of the steepest, are flat: bool, of the same shape."""
    return slopes < FLAT


def dead(outputs: Tensor) -> int:
    """Units of (n, units) or (n, channels, h, w) that are 0 for every example, at every place."""
    return int((_by_unit(outputs) == 0).all(dim=1).sum())


def saturated(bend: nn.Module, sums: Tensor) -> int:
    """Units whose activation function is, in the mean, flat where their ``sums`` lie."""
    return int(flat(_by_unit(slopes(bend, sums)).mean(dim=1)).sum())


def _by_unit(values: Tensor) -> Tensor:
    """(n, units, …) -> (units, all of its values)."""
    return values.transpose(0, 1).reshape(values.shape[1], -1)
