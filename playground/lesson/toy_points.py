"""Labelled points in the plane: what one neuron can tell apart, and what needs a bend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from playground import losses, models, optimizers
from playground.data.dataset import Examples
from playground.recipe import Recipe
from playground.seeds import generator

KINDS: Final = ("groups", "corners", "rings")
SPAN: Final = 4.0  # the points lie in -SPAN … SPAN, both ways
STEPS: Final = 100  # of a training; 0.1 s at most, and enough for all three kinds


def examples(kind: str, n: int) -> Examples:
    """``n`` points (n, 2), half of them of class 0 and half of class 1, the same each time.

    "groups": two clouds that a straight line separates; "corners": four clouds of which the
    opposite ones belong together (XOR); "rings": class 1 in the middle, class 0 around it.
    """
    source = generator(0, kind)
    targets = torch.arange(n) % 2
    sign = 2.0 * targets - 1
    if kind == "rings":
        angle = 2 * math.pi * torch.rand(n, generator=source)
        width = torch.rand(n, generator=source)
        radius = torch.where(targets == 1, width.sqrt(), 2.3 + 1.2 * width)
        inputs = radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    else:
        first = torch.ones(n)
        if kind == "corners":
            first = 2.0 * (torch.arange(n) // 2 % 2) - 1
        # The sign of x₁·x₂ is the class, and in "groups" both signs are the class's own.
        x1, x2 = (sign, sign) if kind == "groups" else (first, first * sign)
        centres = 1.8 * torch.stack([x1, x2], dim=1)
        inputs = centres + (2 * torch.rand(n, 2, generator=source) - 1) * 1.4
    return Examples(inputs, targets.float())


def picture(net: nn.Module, side: int = 48, span: float = SPAN) -> Tensor:
    """The probability of class 1 that ``net``'s logit means, over the plane (side, side).

    Rows are x₂ from low to high, columns x₁.
    """
    axis = torch.linspace(-span, span, side)
    x2, x1 = torch.meshgrid(axis, axis, indexing="ij")
    with torch.no_grad():
        logits = net(torch.stack([x1.flatten(), x2.flatten()], dim=1))
    return losses.answer("binary", logits).reshape(side, side)


def right(net: nn.Module, points: Examples) -> Tensor:
    """Which of the n points ``net``'s logit puts on their own side of 0: bool (n,)."""
    with torch.no_grad():
        yes: Tensor = net(points.inputs).squeeze(1) > 0
    return yes == (points.targets == 1)


@dataclass(frozen=True)
class Trained:
    """A small network that has learned, and what became of it."""

    net: nn.Sequential
    loss: float  # after the last step
    right: Tensor  # bool (n,)


def train(kind: str, n: int, activation: str, hidden: tuple[int, ...]) -> Trained:
    """Train a small network on :func:`examples`, all points at once, for ``STEPS`` steps."""
    points = examples(kind, n)
    recipe = Recipe("lesson", hidden=hidden, activation=activation, loss="bce", learning_rate=0.1)
    net = models.build(recipe, (2,), 1)
    loss_function = losses.build(recipe)
    optimizer = optimizers.build(recipe, net.parameters())
    for _step in range(STEPS):
        loss = loss_function(net(points.inputs), points.targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        last = loss_function(net(points.inputs), points.targets).item()
    return Trained(net, last, right(net, points))


@torch.no_grad()
def merged(net: nn.Sequential) -> tuple[Tensor, Tensor]:
    """The one layer that all Linear layers of ``net`` make if nothing bends between them.

    W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂), and so on. Returns weights (outputs, inputs)
    and biases (outputs,).
    """
    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    weight, bias = layers[0].weight.data, layers[0].bias.data
    for layer in layers[1:]:
        weight, bias = layer.weight @ weight, layer.weight @ bias + layer.bias
    return weight, bias
