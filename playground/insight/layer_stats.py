"""How a network's layers are doing: sizes of weights and gradients, dead and saturated units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from playground import losses
from playground.data.dataset import Dataset
from playground.insight import quiet
from playground.insight.anatomy import Stage, examined, stages, weights
from playground.recipe import Recipe

BINS: Final = 41  # odd, so that a symmetric histogram has one around zero
SMALLEST, LARGEST = -12, 3  # powers of ten between which gradients are told apart
THUMB: Final = 1e-3
"""What an update-to-weight ratio should roughly be. Source: Karpathy, notes of CS231n."""


@dataclass(frozen=True)
class Histogram:
    """``counts`` of values in equal bins from ``low`` to ``high``."""

    low: float
    high: float
    counts: tuple[int, ...]

    @property
    def width(self) -> float:
        return (self.high - self.low) / len(self.counts)

    @property
    def span(self) -> tuple[float, float]:
        """From the first to the last bin with something in it."""
        filled = [place for place, count in enumerate(self.counts) if count]
        return self.low + filled[0] * self.width, self.low + (filled[-1] + 1) * self.width


def of_weights(values: Tensor) -> Histogram:
    """All ``values``, in bins that are symmetric around zero."""
    most = float(values.abs().max()) or 1.0
    return _histogram(values, -most, most, BINS)


def of_gradients(values: Tensor) -> Histogram:
    """The power of ten of each value's size: a gradient may be small by many of them.

    What is smaller than 10⁻¹² (or zero) counts in the lowest bin.
    """
    powers = values.abs().clamp(10.0**SMALLEST, 10.0**LARGEST).log10()
    return _histogram(powers, SMALLEST, LARGEST, 4 * (LARGEST - SMALLEST))


def _histogram(values: Tensor, low: float, high: float, bins: int) -> Histogram:
    places = ((values.flatten().double() - low) / (high - low) * bins).long().clamp(0, bins - 1)
    counts: list[int] = torch.bincount(places, minlength=bins).tolist()
    return Histogram(low, high, tuple(counts))


def over_time(histograms: Sequence[Histogram], bins: int = 48) -> tuple[Tensor, float, float]:
    """Histograms one beside the other: shares (bins, n), and the span that all lie in.

    A bin's count is shared out among the common bins by how much of it lies in each, so each
    column sums to 1.
    """
    spans = [one.span for one in histograms]
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    edges = torch.linspace(low, high, bins + 1, dtype=torch.float64)
    columns = []
    for one in histograms:
        left = one.low + one.width * torch.arange(len(one.counts), dtype=torch.float64)[:, None]
        common = torch.minimum(left + one.width, edges[1:]) - torch.maximum(left, edges[:-1])
        counts = torch.tensor(one.counts, dtype=torch.float64)
        column = counts @ (common.clamp(min=0) / one.width)
        columns.append(column / column.sum())
    return torch.stack(columns, dim=1), low, high


@dataclass(frozen=True)
class Layer:
    """One stage at one moment. ``dead`` and ``saturated`` are None where nothing can be so."""

    stage: Stage
    weights: Histogram
    gradients: Histogram
    spread: float  # standard deviation of the weights
    gradient: float  # length √Σg² of the gradient
    dead: int | None
    saturated: int | None


@dataclass(frozen=True)
class Measured:
    """The layers after ``step`` steps, measured on ``examples`` validation examples.

    ``moves``: for each layer, how far step number ``moved`` went against the layer's own
    size; empty where no step is known.
    """

    step: int
    examples: int
    layers: Sequence[Layer]
    moves: Sequence[float] = ()
    moved: int = 0


def measure(model: nn.Sequential, dataset: Dataset, recipe: Recipe) -> tuple[list[Layer], int]:
    """Every layer, by one forward and one backward pass with dropout off; and on how many.

    The gradient is that of the loss on these examples, not of the batch that training uses.
    The model's own gradients and mode are left alone.
    """
    examples = examined(model, dataset)
    training = model.training
    model.eval()
    sums: dict[int, Tensor] = {}
    signal = dataset.scaler(examples.inputs)
    outputs = {}
    parts = stages(model)
    ends = {stage.end for stage in parts}
    for place, module in enumerate(model):
        before = signal
        signal = module(signal)
        if place in ends:
            sums[place], outputs[place] = before.detach(), signal.detach()
    loss = losses.build(recipe)(signal, examples.targets)
    matrices = [weights(model, stage) for stage in parts]
    gradients = torch.autograd.grad(loss, matrices)
    model.train(training)
    layers = []
    for stage, matrix, gradient in zip(parts, matrices, gradients, strict=True):
        bend = model[stage.end] if stage.end != stage.layer else None
        dead, saturated = _quiet(bend, sums[stage.end], outputs[stage.end])
        layers.append(
            Layer(
                stage,
                of_weights(matrix.detach()),
                of_gradients(gradient),
                float(matrix.detach().std(correction=0)),
                float(gradient.norm()),
                dead,
                saturated,
            )
        )
    return layers, len(examples)


def _quiet(bend: nn.Module | None, sums: Tensor, outputs: Tensor) -> tuple[int | None, int | None]:
    """How many units are dead and how many saturated."""
    if bend is None or isinstance(bend, nn.LeakyReLU):
        return None, None  # Maxout and Leaky ReLU are nowhere flat
    if isinstance(bend, nn.ReLU):
        return quiet.dead(outputs), None
    return None, quiet.saturated(bend, sums)


def update_ratios(
    model: nn.Sequential, before: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> list[float]:
    """For each layer ‖after - before‖ / ‖before‖ of its weights (biases aside)."""
    found = []
    for stage in stages(model):
        old, new = before[stage.key()], after[stage.key()]
        found.append(float((new - old).norm() / old.norm().clamp(min=1e-12)))
    return found
