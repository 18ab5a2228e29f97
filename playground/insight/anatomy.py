"""A network taken apart: its layers of neurons, what they pass on, and which matter most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor, nn

from playground.data.dataset import Dataset, Examples
from playground.models import Dropout, Maxout

MAX_EXAMPLES: Final = 300
"""Validation examples to look at: a share of 5 % is then seen to within some 2.5 points."""
LEAST: Final = 8
WORK: Final = 2e8
"""Multiplications that one look may take: some 20 ms on one core, thrice that with gradients."""


@dataclass(frozen=True)
class Stage:
    """A layer with weights, together with the activation function behind it.

    A *unit* is a neuron; of a convolution, a channel: one neuron laid on every place.
    """

    number: int  # counted from 1
    kind: Literal["dense", "conv"]
    layer: int  # the place of its Linear, Conv2d or Maxout in the model
    end: int  # the place of the module whose output is the stage's: the activation, if any
    units: int
    pieces: int = 1  # rows of weights a unit: 2 of Maxout

    def key(self, name: str = "weight") -> str:
        """The name of its weights (or "bias") in a state dict."""
        return f"{self.layer}.{'pieces.' if self.pieces > 1 else ''}{name}"


def stages(model: nn.Sequential) -> list[Stage]:
    """The layers of a network of :mod:`playground.models`, from the input to the output."""
    found: list[Stage] = []
    for place, module in enumerate(model):
        pieces = 2 if isinstance(module, Maxout) else 1
        layer = module.pieces if isinstance(module, Maxout) else module
        if not isinstance(layer, nn.Linear | nn.Conv2d):
            continue
        behind = model[place + 1] if place + 1 < len(model) else None
        bends = behind is not None and not isinstance(
            behind, nn.Linear | nn.Conv2d | nn.Flatten | Maxout | Dropout
        )
        kind: Literal["dense", "conv"] = "conv" if isinstance(layer, nn.Conv2d) else "dense"
        units = layer.weight.shape[0] // pieces
        found.append(Stage(len(found) + 1, kind, place, place + bends, units, pieces))
    return found


def weights(model: nn.Sequential, stage: Stage) -> Tensor:
    """The weights of one stage as they are stored: (pieces · units, …)."""
    return model.get_parameter(stage.key())


def sources(model: nn.Sequential, pictures: bool) -> list[int]:
    """How many units each stage listens to: the one before it, or the inputs.

    A picture counts as one input, a row of a table as one a column.
    """
    parts = stages(model)
    first = 1 if pictures else weights(model, parts[0])[0].numel()
    return [first, *(stage.units for stage in parts[:-1])]


@torch.no_grad()
def connections(model: nn.Sequential, pictures: bool) -> list[Tensor]:
    """How strongly each stage's units hang on those before: (units, sources), with a sign.

    One weight is itself. Where several connect the same two (a kernel, a whole picture, a
    channel's places), it is their length √Σw², with the sign of their sum. Of Maxout's two
    pieces, it is the mean, which is the straight part of the larger one.
    """
    found = []
    for stage, count in zip(stages(model), sources(model, pictures), strict=True):
        rows = weights(model, stage).reshape(stage.pieces, stage.units, count, -1).mean(dim=0)
        if rows.shape[2] == 1:
            found.append(rows[:, :, 0])
        else:
            found.append(rows.norm(dim=2) * torch.where(rows.sum(dim=2) < 0, -1.0, 1.0))
    return found


@torch.no_grad()
def signals(model: nn.Sequential, scaled: Tensor) -> list[Tensor]:
    """What each stage passes on for standardised inputs: (n, units) or (n, channels, h, w)."""
    ends = {stage.end for stage in stages(model)}
    training, found = model.training, []
    model.eval()
    signal = scaled
    for place, module in enumerate(model):
        signal = module(signal)
        if place in ends:
            found.append(signal)
    model.train(training)
    return found


def influence(strengths: Sequence[Tensor], passed: Sequence[Tensor]) -> list[Tensor]:
    """How much each unit moves the next stage.

    That is the spread of what it passes on over the examples, times the length √Σw² of its
    outgoing weights.

    ``strengths`` (units, sources) are the :func:`connections`, ``passed`` the standardised
    inputs, then :func:`signals` of all stages but the last. A unit that says the same to
    everything has none, however large its weights.
    """
    found = []
    for matrix, signal in zip(strengths, passed, strict=True):
        count = matrix.shape[1]
        # All places of a channel, or all pixels of a picture, are one unit's.
        values = signal.reshape(len(signal), count, -1).transpose(0, 1).reshape(count, -1)
        found.append(values.std(dim=1, correction=0) * matrix.norm(dim=0))
    return found


def strongest(values: Tensor, most: int) -> list[int]:
    """The places of the ``most`` largest ``values``, in their own order."""
    chosen: list[int] = values.argsort(descending=True, stable=True)[:most].tolist()
    return sorted(chosen)


def spread(count: int, most: int) -> Tensor:
    """At most ``most`` of the indices 0 … count - 1, evenly: no draw, so nothing to seed."""
    return torch.linspace(0, count - 1, min(count, most)).round().long()


def multiplications(model: nn.Sequential, input_shape: tuple[int, ...]) -> int:
    """How many multiplications one example takes, biases and activations aside."""
    total = 0
    for stage, signal in zip(
        stages(model), signals(model, torch.zeros(1, *input_shape)), strict=True
    ):
        places = signal[0, 0].numel()  # of a convolution; 1 of a dense layer
        total += weights(model, stage).numel() * places
    return total


def examined(model: nn.Sequential, dataset: Dataset, most: int = MAX_EXAMPLES) -> Examples:
    """Validation examples to look at, spread evenly: fewer where the network is expensive."""
    shape = tuple(dataset.validation.inputs.shape[1:])
    affordable = int(WORK / multiplications(model, shape))
    count = min(most, max(LEAST, affordable))
    return Examples(*dataset.validation[spread(len(dataset.validation), count)])
