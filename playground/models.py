"""Part 2 of 5, the model: layers of neurons, from input to output.

A neuron is a weighted sum of its inputs plus a bias; a layer (``nn.Linear``) is many
neurons that see the same inputs; an activation function bends the result, so that
layer on layer can draw more than a straight line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from playground.recipe import Recipe
from playground.seeds import generator


class Maxout(nn.Module):
    """max(w₁ᵀx + b₁, w₂ᵀx + b₂): an activation that learns its own shape.

    ``pieces`` is a Linear or Conv2d with *twice* the outputs; its first half is w₁, b₁
    and its second half w₂, b₂. Input as ``pieces`` takes it, output with half of its
    channels. Source: Goodfellow et al., Maxout Networks, 2013.
    """

    def __init__(self, pieces: nn.Module) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, inputs: Tensor) -> Tensor:
        first, second = self.pieces(inputs).chunk(2, dim=1)
        return torch.maximum(first, second)


class Dropout(nn.Module):
    """``nn.Dropout`` that draws from a given generator, so that a seed repeats a run.

    The layers of a network share one: with equal ones, they would all switch off the same
    neurons.
    """

    def __init__(self, share: float, source: torch.Generator) -> None:
        super().__init__()
        self.share = share
        self.generator = source

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training:
            return inputs
        keep = torch.empty_like(inputs).bernoulli_(1 - self.share, generator=self.generator)
        # What is left is scaled up, so that the next layer sees sums of the same size.
        return inputs * keep / (1 - self.share)

    def extra_repr(self) -> str:
        return f"p={self.share}"


def activation(recipe: Recipe) -> nn.Module | None:
    """The recipe's activation as a module; None for "none" and for Maxout (see above)."""
    match recipe.activation:
        case "sigmoid":
            return nn.Sigmoid()
        case "tanh":
            return nn.Tanh()
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(0.1)
        case "elu":
            return nn.ELU(recipe.elu_alpha)
    return None


def build(recipe: Recipe, input_shape: tuple[int, ...], outputs: int) -> nn.Sequential:
    """The recipe's network: (n, *input_shape) -> (n, outputs), with weights drawn by its seed.

    The last layer has no activation: its outputs are logits (classification) or the
    value itself (regression); softmax is part of the loss, see ``losses``. A CNN takes
    pictures (height, width) and keeps its weights ``channels_last``, which is 2 to 3
    times as fast on a CPU.
    """
    model = skeleton(recipe, input_shape, outputs).to_empty(device="cpu")
    initialise(model, generator(recipe.seed, "weights"))
    return model.to(memory_format=torch.channels_last) if recipe.architecture == "cnn" else model


def skeleton(recipe: Recipe, input_shape: tuple[int, ...], outputs: int) -> nn.Sequential:
    """The layers of :func:`build` without numbers in them: shapes, but no memory.

    torch's own initialisation, which would draw from the global generator, does nothing
    to such "meta" tensors; and a file can be compared with a network too large to make.
    """
    dropout = generator(recipe.seed, "dropout")
    with torch.device("meta"):
        model = _cnn(recipe, dropout, input_shape) if recipe.architecture == "cnn" else _mlp()
        width = _width(model, input_shape)
        for neurons in recipe.hidden:
            model.extend(_hidden(recipe, dropout, nn.Linear, width, neurons))
            width = neurons
        model.append(nn.Linear(width, outputs))
    return model


def _mlp() -> nn.Sequential:
    return nn.Sequential(nn.Flatten())


def _cnn(recipe: Recipe, dropout: torch.Generator, input_shape: tuple[int, ...]) -> nn.Sequential:
    model = nn.Sequential(nn.Unflatten(1, (1, input_shape[0])))  # (n, h, w) -> (n, 1, h, w)
    width = 1
    blocks = zip(recipe.channels, recipe.kernels, recipe.strides, strict=True)
    for channels, kernel, stride in blocks:
        # Padding keeps the picture's size (an even kernel adds a pixel), so that only the
        # stride makes it smaller.
        options = {"stride": stride, "padding": kernel // 2}
        model.extend(_hidden(recipe, dropout, nn.Conv2d, width, channels, kernel, **options))
        width = channels
    return model.append(nn.Flatten())


def _hidden(
    recipe: Recipe,
    dropout: torch.Generator,
    layer: type[nn.Module],
    inputs: int,
    outputs: int,
    *more: int,
    **options: int,
) -> list[nn.Module]:
    """One hidden layer, its activation, and dropout if the recipe asks for it."""
    if recipe.activation == "maxout":
        modules: list[nn.Module] = [Maxout(layer(inputs, 2 * outputs, *more, **options))]
    else:
        modules = [layer(inputs, outputs, *more, **options)]
    bend = activation(recipe)
    if bend is not None:
        modules.append(bend)
    if recipe.dropout > 0:
        modules.append(Dropout(recipe.dropout, dropout))
    return modules


def _width(model: nn.Module, input_shape: tuple[int, ...]) -> int:
    """How many values a flattened example has after ``model``."""
    return int(model(torch.empty(1, *input_shape, device="meta")).shape[1])


def initialise(model: nn.Module, source: torch.Generator) -> None:
    """Draw weights and biases as PyTorch does by default, but from ``source``.

    Uniform in ±1/√(inputs of a neuron): large enough that signals survive the layers,
    small enough that activations do not saturate.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            nn.init.uniform_(layer.weight, -bound, bound, generator=source)
            assert layer.bias is not None
            nn.init.uniform_(layer.bias, -bound, bound, generator=source)


@dataclass(frozen=True)
class Layer:
    """One row of the layer table."""

    name: str  # as PyTorch writes the module
    shape: tuple[int, ...]  # of its output, for one example
    parameters: int  # weights and biases


def layers(model: nn.Sequential, input_shape: tuple[int, ...]) -> list[Layer]:
    """What each layer of the real module puts out, seen by sending one blank example through."""
    rows: list[Layer] = []
    signal = torch.zeros(1, *input_shape)
    training = model.training
    model.eval()
    with torch.no_grad():
        for module in model:
            signal = module(signal)
            rows.append(Layer(_name(module), tuple(signal.shape[1:]), parameters(module)))
    model.train(training)
    return rows


def _name(module: nn.Module) -> str:
    if isinstance(module, Maxout):
        return f"Maxout({_name(module.pieces)})"
    return str(module)


def parameters(model: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(weights.numel() for weights in model.parameters())


def state(model: nn.Module) -> dict[str, Any]:
    """A copy of all weights and biases by name, which later training does not touch."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
