"""Backpropagation by hand on the tiny network: the chain rule, factor by factor.

The loss of one example is L = (a₃ - t)². A weight that lies far from the loss acts on it
through a chain of numbers, and the chain rule multiplies how each link reacts to the one
before (Rumelhart, Hinton and Williams, 1986):

    ∂L/∂w₁₁ = ∂L/∂a₃ · ∂a₃/∂z₃ · ∂z₃/∂a₁ · ∂a₁/∂z₁ · ∂z₁/∂w₁₁
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from playground.lesson import tiny_network
from playground.lesson.tiny_network import PARAMETERS, Trace

Parameters = Mapping[str, float]
Inputs = tuple[float, float]


@dataclass(frozen=True)
class Factor:
    """One link: how much ``of`` changes when ``by`` does, ∂of/∂by."""

    of: str  # "L", "a3", "z3", …
    by: str
    value: float


def derivative(activation: str, z: float) -> float:
    """f'(z). In the corner of ReLU and Leaky ReLU it is the left slope, as in torch."""
    match activation:
        case "sigmoid":
            a = 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
            return a * (1 - a)
        case "tanh":
            return 1 - math.tanh(z) ** 2
        case "relu":
            return 1.0 if z > 0 else 0.0
        case "leaky_relu":
            return 1.0 if z > 0 else 0.1
        case "none":
            return 1.0
    raise ValueError(activation)


def chain(
    parameter: str, parameters: Parameters, activation: str, trace: Trace, target: float
) -> list[Factor]:
    """The factors whose product is ∂L/∂``parameter``, from the loss back: 3 of them, or 5."""
    neuron = int(parameter[1])
    factors = [
        Factor("L", "a3", 2 * (trace.answer - target)),
        Factor("a3", "z3", derivative(activation, trace.z[3])),
    ]
    if neuron != 3:
        factors += [
            Factor("z3", f"a{neuron}", parameters[f"w3{neuron}"]),
            Factor(f"a{neuron}", f"z{neuron}", derivative(activation, trace.z[neuron])),
        ]
    reacts = 1.0 if parameter.startswith("b") else trace.seen_by(neuron)[int(parameter[2]) - 1]
    return [*factors, Factor(f"z{neuron}", parameter, reacts)]


def product(factors: Iterable[Factor]) -> float:
    """What a chain of factors amounts to: how the loss reacts to the last ``by``."""
    return math.prod(factor.value for factor in factors)


def by_hand(
    parameters: Parameters, activation: str, inputs: Inputs, target: float
) -> dict[str, float]:
    """The gradient by the chain rule: ∂L/∂p for every parameter p."""
    trace = tiny_network.trace(tiny_network.build(parameters, activation), inputs)
    return {
        name: product(chain(name, parameters, activation, trace, target)) for name in PARAMETERS
    }


def autograd(
    parameters: Parameters, activation: str, inputs: Inputs, target: float
) -> dict[str, float]:
    """The same from torch: ``loss.backward()``."""
    net = tiny_network.build(parameters, activation)
    _loss(net, inputs, target).backward()
    return tiny_network.gradients(net)


def differences(
    parameters: Parameters, activation: str, inputs: Inputs, target: float, width: float = 1e-5
) -> dict[str, float]:
    """The same by trying: (L(p + h) - L(p - h)) / 2h, which needs no calculus.

    Its error is of the order h². In a corner of ReLU it says the mean of both slopes.
    """
    found = {}
    for name in PARAMETERS:
        value = parameters[name]
        low, high = losses(
            parameters, activation, inputs, target, name, [value - width, value + width]
        )
        found[name] = (high - low) / (2 * width)
    return found


def loss(parameters: Parameters, activation: str, inputs: Inputs, target: float) -> float:
    """L = (a₃ - t)² for one example."""
    with torch.no_grad():
        return float(_loss(tiny_network.build(parameters, activation), inputs, target))


def losses(
    parameters: Parameters,
    activation: str,
    inputs: Inputs,
    target: float,
    name: str,
    values: Iterable[float],
) -> list[float]:
    """The loss when the parameter ``name`` takes each of ``values`` and the others stay."""
    settings = ({**parameters, name: value} for value in values)
    return _losses(settings, tiny_network.build(parameters, activation), inputs, target)


def descend(
    parameters: Parameters, activation: str, inputs: Inputs, target: float, rate: float
) -> dict[str, float]:
    """All parameters after one step of ``torch.optim.SGD``: p - rate · ∂L/∂p."""
    net = tiny_network.build(parameters, activation)
    _loss(net, inputs, target).backward()
    torch.optim.SGD(net.parameters(), lr=rate).step()
    return tiny_network.read(net)


def losses_after(
    parameters: Parameters,
    activation: str,
    inputs: Inputs,
    target: float,
    rates: Iterable[float],
) -> list[float]:
    """The loss after one step with each of these learning rates, from the same start."""
    gradient = autograd(parameters, activation, inputs, target)
    settings = ({p: parameters[p] - rate * gradient[p] for p in PARAMETERS} for rate in rates)
    return _losses(settings, tiny_network.build(parameters, activation), inputs, target)


def _losses(
    settings: Iterable[Parameters], net: nn.Sequential, inputs: Inputs, target: float
) -> list[float]:
    """The loss at each of ``settings``, written into the one ``net``."""
    found = []
    with torch.no_grad():
        for parameters in settings:
            tiny_network.write(net, parameters)
            found.append(float(_loss(net, inputs, target)))
    return found


def _loss(net: nn.Sequential, inputs: Inputs, target: float) -> Tensor:
    wanted = torch.tensor([[target]], dtype=torch.float64)
    return functional.mse_loss(net(tiny_network.as_batch(inputs)), wanted)
