"""Activation functions: their values and slopes, by torch and by hand, alone and in a chain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn

from playground import models
from playground.insight.quiet import FLAT, STEEPEST
from playground.recipe import FIELDS, Recipe

KINDS: Final = FIELDS["activation"].choices
PIECES: Final = ((1.0, 0.0), (-0.5, 0.0))

Pieces = tuple[tuple[float, float], tuple[float, float]]
"""Maxout's two straight pieces, each (w, b)."""


@dataclass(frozen=True)
class Activation:
    """One activation function and what it can be set to."""

    kind: str
    alpha: float = 1.0  # of ELU
    pieces: Pieces = PIECES  # of Maxout

    def module(self) -> nn.Module:
        """It as torch computes it in the projects' networks: (n, 1) -> (n, 1), float64."""
        if self.kind == "maxout":
            layer = nn.Linear(1, 2, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(layer.weight.new_tensor([[w] for w, _b in self.pieces]))
                layer.bias.copy_(layer.bias.new_tensor([b for _w, b in self.pieces]))
            return models.Maxout(layer)
        recipe = Recipe("lesson", activation=self.kind, elu_alpha=self.alpha)
        return models.activation(recipe) or nn.Identity()

    def by_hand(self, x: float) -> tuple[float, float]:
        """f(x) and f'(x) by the formulas of the lecture; at a kink, f' as torch takes it."""
        match self.kind:
            case "sigmoid":  # written so that e never gets a large positive power
                power = math.exp(-abs(x))
                value = (1 if x >= 0 else power) / (1 + power)
                return value, value * (1 - value)
            case "tanh":
                value = math.tanh(x)
                return value, 1 - value**2
            case "relu":
                return max(0.0, x), float(x > 0)
            case "leaky_relu":
                return max(0.1 * x, x), 1.0 if x > 0 else 0.1
            case "elu":
                if x > 0:
                    return x, 1.0
                return self.alpha * math.expm1(x), self.alpha * math.exp(x)
            case "maxout":
                (w1, b1), (w2, b2) = self.pieces
                first, second = w1 * x + b1, w2 * x + b2
                if first == second:  # torch lets both share the slope
                    return first, (w1 + w2) / 2
                return max(first, second), w1 if first > second else w2
        return x, 1.0


def curve(activation: Activation, xs: Tensor) -> tuple[Tensor, Tensor]:
    """f and, by autograd, f' at each of ``xs`` (n,): two tensors (n,)."""
    inputs = xs.double().reshape(-1, 1).requires_grad_()
    outputs = activation.module()(inputs)
    (slopes,) = torch.autograd.grad(outputs.sum(), inputs)
    return outputs.detach().squeeze(1), slopes.squeeze(1)


def at(activation: Activation, x: float) -> tuple[float, float]:
    """f(x) and f'(x), by torch."""
    value, slope = curve(activation, torch.tensor([x], dtype=torch.float64))
    return value.item(), slope.item()


Health = Literal["passes", "saturated", "dead"]


def health(kind: str, slope: float) -> Health:
    """What becomes of a gradient that has to pass a neuron where f' is ``slope``."""
    if slope == 0:
        return "dead"
    return "saturated" if abs(slope) / STEEPEST.get(kind, 1.0) < FLAT else "passes"


@dataclass(frozen=True)
class Chain:
    """A deep network with one neuron a layer: a₀ = x, zₖ = w·aₖ₋₁, aₖ = f(zₖ)."""

    sums: Sequence[float]  # z₁ … zₙ
    factors: Sequence[float]  # ∂aₖ/∂aₖ₋₁ = w·f'(zₖ) for k = 1 … n
    gradients: Sequence[float]  # ∂aₙ/∂aₖ for k = 0 … n: what arrives there on the way back


def chain(activation: Activation, x: float, weight: float, depth: int) -> Chain:
    """``depth`` layers that all have the weight ``weight``, and their gradients by autograd."""
    bend = activation.module()
    signals = [torch.tensor([[x]], dtype=torch.float64, requires_grad=True)]
    sums: list[Tensor] = []
    for _layer in range(depth):
        sums.append(weight * signals[-1])
        signals.append(bend(sums[-1]))
    gradients = torch.autograd.grad(signals[-1].sum(), signals)
    _values, slopes = curve(activation, torch.cat(sums).detach())
    return Chain(
        [z.item() for z in sums],
        (weight * slopes).tolist(),
        [gradient.item() for gradient in gradients],
    )
