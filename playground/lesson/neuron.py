"""Neurons with weights that a person sets: one, a layer of them, two layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

REACH: Final = 4.0  # the curve to follow goes from -REACH to REACH
AND: Final = 10.0  # each weight of the neuron that joins half-planes
DISTANCE: Final = 1.3  # of each half-plane's edge from the middle


def layer(weights: Sequence[Sequence[float]], biases: Sequence[float]) -> nn.Linear:
    """A layer of ``nn.Linear`` with these ``weights`` (neurons, inputs) and ``biases``."""
    made = nn.Linear(len(weights[0]), len(weights))
    with torch.no_grad():
        made.weight.copy_(torch.tensor(weights))
        made.bias.copy_(torch.tensor(biases))
    return made


def boundary(w1: float, w2: float, b: float, span: float) -> tuple[list[float], list[float]]:
    """Where w₁x₁ + w₂x₂ + b = 0 inside the square -span … span: x₁ and x₂ of two ends, or none.

    The point of the line nearest to 0 is -b·w/|w|²; from there it goes along (-w₂, w₁).
    """
    length = math.hypot(w1, w2)
    if length == 0 or abs(b) > span * (abs(w1) + abs(w2)):
        return [], []
    near = (-b * w1 / length**2, -b * w2 / length**2)
    along = (-w2 / length, w1 / length)
    start, end = -math.inf, math.inf
    for place, way in zip(near, along, strict=True):
        if way != 0:
            ends = sorted(((-span - place) / way, (span - place) / way))
            start, end = max(start, ends[0]), min(end, ends[1])
    xs, ys = ([p + t * way for t in (start, end)] for p, way in zip(near, along, strict=True))
    return xs, ys


def hill(x: Tensor) -> Tensor:
    """The curve that the bends follow."""
    return 2 * torch.sin(1.1 * x + 0.9)


def bends(neurons: int) -> nn.Sequential:
    """A network 1 -> ``neurons`` -> 1 whose ReLU bends follow :func:`hill`; no training.

    The bends stand evenly; with them given, the output neuron's weights that lie nearest to
    the curve are a linear problem (least squares), solved at once.
    """
    knots = torch.linspace(-REACH, REACH, neurons + 1)[:-1]
    hidden = layer([[1.0]] * neurons, (-knots).tolist())
    xs = torch.linspace(-REACH, REACH, 121)[:, None]
    with torch.no_grad():
        bent = torch.relu(hidden(xs))
    known = torch.cat([bent, torch.ones(len(xs), 1)], dim=1).double()
    solution = torch.linalg.lstsq(known, hill(xs).double()).solution.flatten().tolist()
    return nn.Sequential(hidden, nn.ReLU(), layer([solution[:-1]], solution[-1:]))


@torch.no_grad()
def distance(net: nn.Module) -> float:
    """How far ``net`` is from :func:`hill` on average."""
    xs = torch.linspace(-REACH, REACH, 121)[:, None]
    return float((net(xs) - hill(xs)).abs().mean())


def region(neurons: int, needed: int, sharpness: float) -> nn.Sequential:
    """A network 2 -> ``neurons`` -> 1 that says yes where ``needed`` of its half-planes do.

    Neuron i says yes on the middle's side of an edge at ``DISTANCE``, seen in direction
    360°·i/neurons. The output neuron adds the answers; its bias is the number it needs: with
    all it says yes in a triangle (3), a square (4), … (AND); with one, nearly everywhere (OR).
    Its output is a logit.
    """
    angles = [math.pi / 2 + 2 * math.pi * i / neurons for i in range(neurons)]
    # cos 90° is 6·10⁻¹⁷ in floating point, and would be drawn as a weight.
    ways = [[round(math.cos(angle), 12), round(math.sin(angle), 12)] for angle in angles]
    first = layer(
        [[-sharpness * x1, -sharpness * x2] for x1, x2 in ways],
        [sharpness * DISTANCE] * neurons,
    )
    return nn.Sequential(first, nn.Sigmoid(), layer([[AND] * neurons], [-AND * (needed - 0.5)]))
