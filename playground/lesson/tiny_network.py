"""The smallest network worth drawing: 2 inputs, 2 hidden neurons, 1 output neuron.

Neurons are numbered 1, 2 (hidden) and 3 (output). Each makes a weighted sum and bends it,

    z₁ = w₁₁·x₁ + w₁₂·x₂ + b₁    a₁ = f(z₁)
    z₂ = w₂₁·x₁ + w₂₂·x₂ + b₂    a₂ = f(z₂)
    z₃ = w₃₁·a₁ + w₃₂·a₂ + b₃    a₃ = f(z₃), the answer

so w₃₁ leads *to* neuron 3 *from* its first input, as the rows of ``nn.Linear.weight`` do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from playground import models
from playground.recipe import Recipe

NEURONS: Final = (1, 2, 3)
ACTIVATIONS: Final = ("sigmoid", "tanh", "relu", "leaky_relu", "none")
# Parameter -> its tensor in the module's state, and its place in there.
PLACES: Final[Mapping[str, tuple[str, tuple[int, ...]]]] = {
    "w11": ("0.weight", (0, 0)),
    "w12": ("0.weight", (0, 1)),
    "b1": ("0.bias", (0,)),
    "w21": ("0.weight", (1, 0)),
    "w22": ("0.weight", (1, 1)),
    "b2": ("0.bias", (1,)),
    "w31": ("2.weight", (0, 0)),
    "w32": ("2.weight", (0, 1)),
    "b3": ("2.bias", (0,)),
}
PARAMETERS: Final = tuple(PLACES)


def of_neuron(neuron: int) -> tuple[str, str, str]:
    """The names of a neuron's two weights and its bias."""
    return f"w{neuron}1", f"w{neuron}2", f"b{neuron}"


def build(parameters: Mapping[str, float], activation: str) -> nn.Sequential:
    """The network (n, 2) -> (n, 1) with these nine numbers, in float64.

    float64, because a finite difference of float32 losses keeps only three digits.
    """
    bend = models.activation(Recipe("tiny", activation=activation)) or nn.Identity()
    with torch.device("meta"):  # no random numbers are drawn for what is set by hand
        net = nn.Sequential(nn.Linear(2, 2), bend, nn.Linear(2, 1), bend)
    net.to_empty(device="cpu").double()
    write(net, parameters)
    return net


def by_hand(activation: str, z: float) -> float:
    """What a neuron makes of its weighted sum, f(z), by the formulas of the lecture."""
    match activation:
        case "sigmoid":  # written so that e never gets a large positive power
            power = math.exp(-abs(z))
            return (1 if z >= 0 else power) / (1 + power)
        case "tanh":
            return math.tanh(z)
        case "relu":
            return max(0.0, z)
        case "leaky_relu":
            return max(0.1 * z, z)
        case "none":
            return z
    raise ValueError(activation)


def weigh(first: float, one: float, second: float, two: float, bias: float) -> float:
    """A neuron's weighted sum."""
    return first * one + second * two + bias


def write(net: nn.Sequential, parameters: Mapping[str, float]) -> None:
    """Set the nine numbers of a network by hand."""
    state = net.state_dict()
    for name, (tensor, place) in PLACES.items():
        state[tensor][place] = parameters[name]


def read(net: nn.Sequential) -> dict[str, float]:
    """The nine numbers of a network, by name."""
    state = net.state_dict()
    return {name: float(state[tensor][place]) for name, (tensor, place) in PLACES.items()}


def gradients(net: nn.Sequential) -> dict[str, float]:
    """What autograd has left in ``.grad``, by the parameter's name."""
    tensors = dict(net.named_parameters())
    found = {}
    for name, (tensor, place) in PLACES.items():
        gradient = tensors[tensor].grad
        assert gradient is not None
        found[name] = float(gradient[place])
    return found


@dataclass(frozen=True)
class Trace:
    """Everything that a forward pass computes: z and a of neurons 1, 2 and 3."""

    inputs: tuple[float, float]
    z: Mapping[int, float]
    a: Mapping[int, float]

    @property
    def answer(self) -> float:
        return self.a[3]

    def seen_by(self, neuron: int) -> tuple[float, float]:
        """The two numbers that a neuron weighs: the inputs, or what the layer before says."""
        return (self.a[1], self.a[2]) if neuron == 3 else self.inputs


def trace(net: nn.Sequential, inputs: tuple[float, float]) -> Trace:
    """One example through the network, module by module, everything kept."""
    signal = as_batch(inputs)
    steps: list[Tensor] = []
    with torch.no_grad():
        for module in net:
            signal = module(signal)
            steps.append(signal[0])
    hidden_z, hidden_a, output_z, output_a = (step.tolist() for step in steps)
    return Trace(
        inputs,
        z=dict(zip(NEURONS, [*hidden_z, *output_z], strict=True)),
        a=dict(zip(NEURONS, [*hidden_a, *output_a], strict=True)),
    )


def as_batch(inputs: tuple[float, float]) -> Tensor:
    """One example as a batch (1, 2), which is what a network takes."""
    return torch.tensor([inputs], dtype=torch.float64)
